//! Commands on this computer, without a shell.

use super::capture::Capture;
use super::command::with_prefix;
use super::{MachineSettings, environment, explain, follow};
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{RemoteCommand, RunOutput, StreamText};
use std::io;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Starts a program; `None` if it is not there.
fn spawn(settings: &MachineSettings, argv: &[String]) -> Outcome<Option<Child>> {
    let argv = with_prefix(settings, argv)?;
    let mut command = Command::new(&argv[0]);
    command
        .args(&argv[1..])
        .env_clear()
        .envs(environment::for_commands(&settings.path))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A Ctrl-C in the terminal is for us.
        .process_group(0)
        .kill_on_drop(true);
    match command.spawn() {
        Ok(child) => Ok(Some(child)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(
            FailureKind::Remote,
            format!("`{}` could not be started: {error}", argv[0]),
        )
        .hint("see its file rights, and whether processes are at their limit")),
    }
}

/// Runs a command to its end.
pub(super) async fn run(
    redactor: &Redactor,
    settings: &MachineSettings,
    command: &RemoteCommand,
) -> Outcome<RunOutput> {
    let began = Instant::now();
    let Some(mut child) = spawn(settings, &command.argv)? else {
        return Ok(RunOutput {
            status: Some(127),
            stdout: String::new(),
            stderr: "not found".to_owned(),
            truncated: false,
            took: began.elapsed(),
            sealed: None,
        });
    };
    let mut capture = Capture::new(command.byte_limit);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut status = None;
    let work = async {
        tokio::join!(
            async { status = child.wait().await.ok() },
            capture.fill(out, err)
        )
    };
    if timeout(command.time_limit, work).await.is_err() {
        if status.is_none() {
            drop(child.kill().await);
            return Err(explain::overdue("local", command.time_limit));
        }
        capture.mark_truncated();
    }
    let code = status.and_then(|status| status.code());
    Ok(capture.into_output(code, began.elapsed(), redactor, command.sealed))
}

/// Follows a command.
pub(super) async fn follow(
    redactor: &Redactor,
    settings: &MachineSettings,
    argv: &[String],
    sender: &mpsc::Sender<StreamText>,
    stop: &CancellationToken,
) -> Outcome<Option<i32>> {
    let Some(mut child) = spawn(settings, argv)? else {
        return Ok(Some(127));
    };
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Failure::new(FailureKind::Internal, "a stream has no ends"));
    };
    let ended = follow::pump(out, err, redactor, sender, stop).await;
    if ended && let Ok(Ok(status)) = timeout(Duration::from_secs(1), child.wait()).await {
        return Ok(status.code());
    }
    drop(child.kill().await);
    Ok(None)
}
