//! Running commands on machines. Argv in, captured output out; never a shell line of ours,
//! never the terminal's own streams.

use crate::failure::Outcome;
use async_trait::async_trait;
use cockpit_domain::ids::MachineId;
use cockpit_domain::secret::Secret;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One command as an argv array, with its limits.
#[derive(Debug, Clone)]
pub struct RemoteCommand {
    /// Program and arguments; the adapter quotes each for the far shell.
    pub argv: Vec<String>,
    /// Longest run time.
    pub time_limit: Duration,
    /// Most bytes kept of each stream; the rest is read and dropped.
    pub byte_limit: usize,
    /// Whether standard output is a secret as a whole: then it comes as [`RunOutput::sealed`].
    pub sealed: bool,
}

impl RemoteCommand {
    /// A command with the usual limits: 10 s, 1 MiB a stream.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            time_limit: Duration::from_secs(10),
            byte_limit: 1 << 20,
            sealed: false,
        }
    }
}

/// What a command left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutput {
    /// Exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Standard output, made harmless and redacted.
    pub stdout: String,
    /// Standard error, made harmless and redacted.
    pub stderr: String,
    /// Whether a stream was longer than the limit.
    pub truncated: bool,
    /// How long it took.
    pub took: Duration,
    /// Standard output as it was, of a command that asked for it so; `stdout` is empty then.
    pub sealed: Option<Secret>,
}

impl RunOutput {
    /// Whether the program was not there (127, as every shell says it).
    pub fn is_missing_program(&self) -> bool {
        self.status == Some(127)
    }
}

/// Lines of a followed stream that came together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamText {
    /// Whether they came on standard error.
    pub is_stderr: bool,
    /// One whole line or many, made harmless and redacted, each with its line feed.
    pub text: String,
}

impl StreamText {
    /// The lines, without their ends.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator('\n')
    }
}

/// What an end-to-end check of a machine found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineCheck {
    /// Round trip of a trivial command over the standing connection.
    pub round_trip: Duration,
    /// What `uname -s` says there (`Linux`, `Darwin`).
    pub system: String,
    /// How often the connection was made anew since start.
    pub reconnects: u32,
}

/// A way to run commands on the machines of the config.
///
/// # Errors
/// `Unreachable` when nobody answered, `Denied` for a refused login, an unknown or changed host
/// key or a wanted passphrase, `Config` when there is no ssh client or no such machine. A command
/// that ran and failed is no error: its status says so.
#[async_trait]
pub trait Remote: Send + Sync {
    /// Runs one command to its end.
    async fn run(&self, machine: &MachineId, command: &RemoteCommand) -> Outcome<RunOutput>;

    /// Runs a command that does not end by itself and sends its lines until it ends, the receiver
    /// is dropped or `stop` is cancelled. Returns the exit status, if any.
    async fn follow(
        &self,
        machine: &MachineId,
        argv: &[String],
        lines: mpsc::Sender<StreamText>,
        stop: CancellationToken,
    ) -> Outcome<Option<i32>>;

    /// Checks the machine end to end over its standing connection, opening it when needed.
    async fn check(&self, machine: &MachineId) -> Outcome<MachineCheck>;

    /// Closes every connection and removes every socket. Called once, at exit.
    async fn close(&self);
}
