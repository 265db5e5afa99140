//! Looks on a machine. Checks that need the same command on the same machine share one run of it.

use super::run::Shared;
use super::trouble::could_not_look;
use crate::failure::Outcome;
use crate::ports::{MachineCheck, RemoteCommand, RunOutput};
use cockpit_domain::baseline::{Judgement, System, ToolOutput, did_not_run, read_tool};
use cockpit_domain::ids::MachineId;
use cockpit_domain::pack::{Check, Place};
use cockpit_domain::secret::Secret;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};

/// Longest run of a look's command; the check's own limit is usually shorter.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// A configuration with many sites is a few hundred kilobytes.
const MOST_OUTPUT: usize = 8 << 20;

type Cell<T> = Arc<OnceCell<Outcome<T>>>;

/// What was already run in this run of the pack.
#[derive(Default)]
pub(super) struct SharedLooks {
    commands: Mutex<HashMap<(MachineId, Vec<String>, usize), Cell<RunOutput>>>,
    systems: Mutex<HashMap<MachineId, Cell<MachineCheck>>>,
}

impl SharedLooks {
    /// Runs a command on a machine, or waits for the check that is running it. When that check
    /// runs out of time, the next one runs it anew.
    async fn run(
        &self,
        shared: &Shared,
        machine: &MachineId,
        argv: &[String],
        byte_limit: usize,
    ) -> Outcome<RunOutput> {
        let cell = {
            let mut commands = self.commands.lock().await;
            let key = (machine.clone(), argv.to_vec(), byte_limit);
            Arc::clone(commands.entry(key).or_default())
        };
        cell.get_or_init(|| async {
            let mut command = RemoteCommand::new(argv);
            command.time_limit = COMMAND_LIMIT;
            command.byte_limit = byte_limit;
            shared.context.remote.run(machine, &command).await
        })
        .await
        .clone()
    }

    async fn system(&self, shared: &Shared, machine: &MachineId) -> Outcome<MachineCheck> {
        let cell = {
            let mut systems = self.systems.lock().await;
            Arc::clone(systems.entry(machine.clone()).or_default())
        };
        cell.get_or_init(|| shared.context.remote.check(machine))
            .await
            .clone()
    }
}

/// The machine a check looks on.
///
/// # Errors
/// `unknown`, when the check names none.
pub(super) fn machine_of(check: &Check) -> Result<&MachineId, Judgement> {
    match &check.vantage {
        Place::Machine(machine) => Ok(machine),
        Place::Here | Place::Outside => Err(Judgement::unknown(
            "this check has no machine to look on",
            "",
            "Add `vantage = \"machine:NAME\"` to the check.",
        )),
    }
}

/// The system of a check's machine: which commands it understands.
///
/// # Errors
/// `unknown` or `unreachable`, with the fix.
pub(super) async fn system(shared: &Shared, check: &Check) -> Result<System, Judgement> {
    let machine = machine_of(check)?;
    let seen = match shared.looks.system(shared, machine).await {
        Ok(seen) => seen,
        Err(failure) => {
            let said = failure.to_string();
            let refused = did_not_run(&ToolOutput {
                tool: "uname",
                command: "sudo -n uname -s",
                machine: machine.as_str(),
                status: Some(1),
                stdout: "",
                stderr: &said,
                truncated: false,
            });
            return Err(refused.unwrap_or_else(|| could_not_look(&failure, &by_hand(machine))));
        }
    };
    System::parse(&seen.system).ok_or_else(|| {
        Judgement::unknown(
            &format!("`{machine}` runs {}, which is not known here", seen.system),
            "",
            "This look is taken on Linux and macOS; give the check another vantage.",
        )
    })
}

/// Runs a command on the check's machine; gives all that it left behind.
///
/// # Errors
/// `unknown` or `unreachable`, with the fix.
pub(super) async fn ran(
    shared: &Shared,
    check: &Check,
    argv: &[String],
) -> Result<RunOutput, Judgement> {
    let machine = machine_of(check)?;
    let most = check.pace.byte_limit.unwrap_or(MOST_OUTPUT);
    let output = shared.looks.run(shared, machine, argv, most).await;
    output.map_err(|failure| could_not_look(&failure, &by_hand(machine)))
}

/// The same as domain rules read it.
pub(super) fn as_tool<'a>(
    output: &'a RunOutput,
    command: &'a str,
    argv: &'a [String],
    machine: &'a MachineId,
) -> ToolOutput<'a> {
    ToolOutput {
        tool: argv.first().map(String::as_str).unwrap_or_default(),
        command,
        machine: machine.as_str(),
        status: output.status,
        stdout: &output.stdout,
        stderr: &output.stderr,
        truncated: output.truncated,
    }
}

/// Runs a command on the check's machine; gives what it printed.
///
/// # Errors
/// `unknown` or `unreachable`, with the fix, when there is nothing to judge.
pub(super) async fn printed<S: AsRef<str>>(
    shared: &Shared,
    check: &Check,
    argv: impl IntoIterator<Item = S>,
) -> Result<String, Judgement> {
    let machine = machine_of(check)?;
    let argv: Vec<String> = argv
        .into_iter()
        .map(|word| word.as_ref().to_owned())
        .collect();
    let output = ran(shared, check, &argv).await?;
    read_tool(as_tool(&output, &argv.join(" "), &argv, machine)).map(str::to_owned)
}

/// Runs a command on a machine; gives what it printed.
///
/// # Errors
/// As [`printed`].
pub(super) async fn printed_on(
    shared: &Shared,
    machine: &MachineId,
    argv: &[String],
) -> Result<String, Judgement> {
    let output = shared.looks.run(shared, machine, argv, MOST_OUTPUT).await;
    let output = output.map_err(|failure| could_not_look(&failure, &by_hand(machine)))?;
    read_tool(as_tool(&output, &argv.join(" "), argv, machine)).map(str::to_owned)
}

/// A file that is a secret as a whole.
///
/// # Errors
/// `unknown` or `unreachable`, with the fix.
pub(super) async fn sealed(
    shared: &Shared,
    check: &Check,
    path: &str,
) -> Result<Secret, Judgement> {
    sealed_output(shared, check, &["cat", "--", path].map(str::to_owned)).await
}

/// The output of a command that is a secret as a whole.
///
/// # Errors
/// `unknown` or `unreachable`, with the fix.
pub(super) async fn sealed_output(
    shared: &Shared,
    check: &Check,
    argv: &[String],
) -> Result<Secret, Judgement> {
    sealed_on(shared, machine_of(check)?, argv).await
}

/// The same on any machine.
///
/// # Errors
/// As [`sealed_output`].
pub(super) async fn sealed_on(
    shared: &Shared,
    machine: &MachineId,
    argv: &[String],
) -> Result<Secret, Judgement> {
    let mut command = RemoteCommand::new(argv);
    command.time_limit = COMMAND_LIMIT;
    command.sealed = true;
    let output = shared.context.remote.run(machine, &command).await;
    let mut output = output.map_err(|failure| could_not_look(&failure, &by_hand(machine)))?;
    let sealed = output.sealed.take();
    read_tool(as_tool(&output, &argv.join(" "), argv, machine))?;
    Ok(sealed.unwrap_or_else(|| Secret::new("")))
}

fn by_hand(machine: &MachineId) -> String {
    format!("Try `ssh {machine}` by hand; `cockpit doctor` names the hop that is down.")
}

/// The output of a command that is not as it always is.
pub(super) fn unreadable(command: &str, reason: &str, text: &str) -> Judgement {
    Judgement::unknown(
        &format!("the output of `{command}` cannot be read: {reason}"),
        text,
        format!("Run `{command}` there by hand and compare."),
    )
}
