//! What reaches the screen, and what it wants done. `update` turns the one into the other and does
//! nothing else.

use cockpit_domain::ids::{HostId, JobId};
use cockpit_domain::log::SourceId;
use cockpit_domain::secret::Secret;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::Outcome;
use cockpit_engine::logs::{LogView, SourceState};
use cockpit_engine::ports::{AuditRow, FaultState};
use cockpit_engine::supervisor::Snapshot;
use crossterm::event::KeyEvent;
use std::sync::Arc;
use std::time::Duration;

/// Ties an answer to what asked for it; an answer that nobody waits for any more vanishes.
pub type Ticket = u64;

/// What reaches the screen.
#[derive(Debug)]
pub enum Msg {
    /// A key.
    Key(KeyEvent),
    /// Pasted text: never keys.
    Paste(String),
    /// The terminal has another size.
    Resize(u16, u16),
    /// The engine shows something new.
    Snapshot(Arc<Snapshot>),
    /// A command was given its job.
    Started(Ticket, JobId),
    /// A command was answered.
    Answered(Ticket, Box<Outcome<Answer>>),
    /// A key file was read.
    KeysRead(Ticket, Outcome<Secret>),
    /// A drafted baseline was written, or not.
    DraftWritten(Outcome<NewDraft>),
    /// Faults of the lab.
    Faults(Outcome<Vec<FaultState>>),
    /// Newest rows of the audit.
    Audit(Outcome<Vec<AuditRow>>),
    /// A look at the lines of the logs.
    LogsOpened(Box<LogView>),
    /// There is something new in the logs, or a source fares otherwise.
    Logs(Vec<SourceState>),
    /// Arming came to this.
    Armed(Outcome<()>),
    /// Time went on; carries nothing.
    Tick,
    /// The last frame has reached the terminal.
    Drawn,
    /// Somebody outside wants us to end (SIGTERM, SIGHUP).
    Close,
}

/// A drafted baseline and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDraft {
    /// The file; once it is written, its whole path.
    pub path: String,
    /// The pack's text.
    pub text: String,
    /// Checks in it.
    pub checks: usize,
    /// What was seen and is not in it; the text says why.
    pub left_out: usize,
}

/// What the screen wants done.
#[derive(Debug)]
pub enum Effect {
    /// Start a command.
    Send(Ticket, Command),
    /// Stop a job after its step in flight.
    Stop(JobId),
    /// Hold a job that writes, or let it go on.
    Hold(JobId, bool),
    /// Open the window for writes to a host.
    Arm(HostId, Duration),
    /// Close it.
    Disarm,
    /// Put text into the terminal's clipboard.
    Copy(String),
    /// Read a file with keys.
    ReadKeys(Ticket, String),
    /// Write a drafted baseline to a file that is not there yet.
    WriteDraft(NewDraft),
    /// Switch a fault of the lab.
    Fault(String, bool),
    /// Read the faults of the lab.
    ReadFaults,
    /// Read the audit.
    ReadAudit,
    /// Follow these log sources, or all.
    FollowLogs(Vec<SourceId>),
    /// Follow them no more.
    StopLogs(Vec<SourceId>),
    /// Clear the terminal and draw everything anew.
    Redraw,
    /// End.
    Quit,
    /// Fail on purpose, to show that the terminal is put back. Lab only.
    Panic,
}
