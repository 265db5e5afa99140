//! Looks on a machine. Checks that need the same command on the same machine share one run of it.

use super::run::Shared;
use super::trouble::could_not_look;
use crate::failure::Outcome;
use crate::ports::{RemoteCommand, RunOutput};
use cockpit_domain::baseline::{
    Judgement, ToolOutput, judge_containers, judge_listening, judge_nginx, read_containers,
    read_listeners, read_tool,
};
use cockpit_domain::ids::MachineId;
use cockpit_domain::pack::{Check, ContainersLook, ListeningLook, NginxLook, Place};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};

const NGINX: [&str; 2] = ["nginx", "-T"];
const CONTAINERS: [&str; 4] = ["docker", "ps", "--format", "{{json .}}"];
const LISTENING: [&str; 3] = ["ss", "-H", "-ltnp"];

/// Longest run of a look's command; the check's own limit is usually shorter.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// A configuration with many sites is a few hundred kilobytes.
const MOST_OUTPUT: usize = 8 << 20;

type Cell = Arc<OnceCell<Outcome<RunOutput>>>;

/// What was already run in this run of the pack.
#[derive(Default)]
pub(super) struct SharedLooks {
    cells: Mutex<HashMap<(MachineId, &'static [&'static str]), Cell>>,
}

impl SharedLooks {
    /// Runs a command on a machine, or waits for the check that is running it. When that check
    /// runs out of time, the next one runs it anew.
    async fn run(
        &self,
        shared: &Shared,
        machine: &MachineId,
        argv: &'static [&'static str],
    ) -> Outcome<RunOutput> {
        let cell = {
            let mut cells = self.cells.lock().await;
            Arc::clone(cells.entry((machine.clone(), argv)).or_default())
        };
        cell.get_or_init(|| async {
            let mut command = RemoteCommand::new(argv.iter().copied());
            command.time_limit = COMMAND_LIMIT;
            command.byte_limit = MOST_OUTPUT;
            shared.context.remote.run(machine, &command).await
        })
        .await
        .clone()
    }
}

/// Runs a command and hands its output to a judge, unless there is nothing to judge.
async fn with_output(
    shared: &Shared,
    check: &Check,
    argv: &'static [&'static str],
    judge: impl FnOnce(&str, &str) -> Judgement,
) -> Judgement {
    let Place::Machine(machine) = &check.vantage else {
        return Judgement::unknown(
            "this check has no machine to look on",
            "",
            "Add `vantage = \"machine:NAME\"` to the check.",
        );
    };
    let output = match shared.looks.run(shared, machine, argv).await {
        Ok(output) => output,
        Err(failure) => {
            return could_not_look(
                &failure,
                &format!(
                    "Try `ssh {machine}` by hand; `cockpit doctor` names the hop that is down."
                ),
            );
        }
    };
    let command = argv.join(" ");
    let seen = read_tool(ToolOutput {
        tool: argv.first().copied().unwrap_or_default(),
        command: &command,
        machine: machine.as_str(),
        status: output.status,
        stdout: &output.stdout,
        stderr: &output.stderr,
        truncated: output.truncated,
    });
    match seen {
        Ok(text) => judge(text, machine.as_str()),
        Err(judgement) => judgement,
    }
}

fn unreadable(command: &str, reason: &str, text: &str) -> Judgement {
    Judgement::unknown(
        &format!("the output of `{command}` cannot be read: {reason}"),
        text,
        format!("Run `{command}` there by hand and compare."),
    )
}

/// The effective nginx configuration.
pub(super) async fn nginx(shared: &Shared, check: &Check, look: &NginxLook) -> Judgement {
    with_output(shared, check, &NGINX, |text, _| judge_nginx(look, text)).await
}

/// Running containers.
pub(super) async fn containers(shared: &Shared, check: &Check, look: &ContainersLook) -> Judgement {
    with_output(
        shared,
        check,
        &CONTAINERS,
        |text, _| match read_containers(text) {
            Ok(seen) => judge_containers(look, &seen),
            Err(reason) => unreadable("docker ps", &reason, text),
        },
    )
    .await
}

/// Listening ports.
pub(super) async fn listening(shared: &Shared, check: &Check, look: &ListeningLook) -> Judgement {
    with_output(
        shared,
        check,
        &LISTENING,
        |text, machine| match read_listeners(text) {
            Ok(seen) => judge_listening(look, &seen, machine),
            Err(reason) => unreadable("ss -H -ltnp", &reason, text),
        },
    )
    .await
}
