//! Carries effects out on the engine and feeds what comes of them back as messages.

use crate::msg::{Effect, Msg, NewDraft};
use cockpit_domain::log::{LogFilter, SourceId};
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::handle::Handle;
use std::future::Future;
use std::io::Write as _;
use tokio::sync::mpsc;

/// Rows of the audit that are read.
const AUDIT: usize = 200;
/// Largest key file.
const KEY_FILE: u64 = 4 << 20;

/// The way from the screen to the engine and back.
#[derive(Clone)]
pub struct Driver {
    handle: Handle,
    messages: mpsc::Sender<Msg>,
}

/// What only the loop around the screen can do.
#[derive(Debug, PartialEq, Eq)]
pub enum Rest {
    /// Text for the terminal's clipboard.
    Copy(String),
    /// Draw everything anew.
    Redraw,
    /// End.
    Quit,
    /// Fail on purpose.
    Panic,
}

impl Driver {
    /// A driver; messages come out of the receiver that belongs to `messages`.
    pub fn new(handle: Handle, messages: mpsc::Sender<Msg>) -> Self {
        Self { handle, messages }
    }

    /// Keeps the board up to date with the store from now on.
    pub(crate) fn follow_store(&self) {
        self.handle.follow_store();
    }

    /// Says that the terminal is gone: what it stops was stopped by nobody's word.
    pub(crate) fn hang_up(&self) {
        self.handle.hang_up();
    }

    /// Carries an effect out. What needs time goes on by itself; what only the loop can do is given
    /// back. Must be called inside a runtime.
    pub fn perform(&self, effect: Effect) -> (Option<Msg>, Option<Rest>) {
        match effect {
            Effect::Send(ticket, command) => {
                let started = self.handle.send(command);
                let id = started.id;
                self.later(async move { Msg::Answered(ticket, Box::new(started.answer().await)) });
                return (Some(Msg::Started(ticket, id)), None);
            }
            Effect::Stop(job) => self.handle.stop(job),
            Effect::Hold(job, on) => self.handle.hold(job, on),
            Effect::Arm(host, window) => {
                let handle = self.handle.clone();
                self.later(async move { Msg::Armed(handle.arm(host, window).await) });
            }
            Effect::Disarm => {
                let handle = self.handle.clone();
                self.later(async move {
                    Msg::Armed({
                        handle.disarm().await;
                        Ok(())
                    })
                });
            }
            Effect::ReadKeys(ticket, path) => self.later(async move {
                let read = tokio::task::spawn_blocking(move || read_keys(&path)).await;
                let keys = read.unwrap_or_else(|error| {
                    Err(Failure::new(FailureKind::Internal, error.to_string()))
                });
                Msg::KeysRead(ticket, keys)
            }),
            Effect::WriteDraft(draft) => self.later(async move {
                let written = tokio::task::spawn_blocking(move || write_new(draft)).await;
                Msg::DraftWritten(written.unwrap_or_else(|error| {
                    Err(Failure::new(FailureKind::Internal, error.to_string()))
                }))
            }),
            Effect::Fault(name, on) => self.board(move |handle| async move {
                let board = handle.ports().faults.clone();
                let board = board.ok_or_else(no_board)?;
                if on {
                    board.set(&name).await?;
                } else {
                    board.clear(&name).await?;
                }
                board.faults().await
            }),
            Effect::ReadFaults => self.board(|handle| async move {
                let board = handle.ports().faults.clone();
                board.ok_or_else(no_board)?.faults().await
            }),
            Effect::ReadAudit => {
                let store = self.handle.ports().store.clone();
                self.later(async move { Msg::Audit(store.audit(AUDIT).await) });
            }
            Effect::FollowLogs(sources) => return (self.follow_logs(sources), None),
            Effect::StopLogs(sources) => {
                // A source that the config does not name was never followed.
                drop(self.handle.logs().stop(&sources));
            }
            Effect::Copy(text) => return (None, Some(Rest::Copy(text))),
            Effect::Redraw => return (None, Some(Rest::Redraw)),
            Effect::Quit => return (None, Some(Rest::Quit)),
            Effect::Panic => return (None, Some(Rest::Panic)),
        }
        (None, None)
    }

    /// Follows sources. With the first call looks at their lines are given, and from then on the
    /// screen is told when there is something new.
    fn follow_logs(&self, sources: Vec<SourceId>) -> Option<Msg> {
        let hub = self.handle.logs();
        let all = sources.is_empty();
        let wanted = if all {
            hub.sources().iter().map(|log| log.id.clone()).collect()
        } else {
            sources
        };
        drop(hub.follow(&wanted));
        if !all {
            return None;
        }
        let mut told = hub.watch();
        let messages = self.messages.clone();
        let view = hub.view(LogFilter::default());
        drop(tokio::spawn(async move {
            loop {
                if messages.send(Msg::Logs(hub.states())).await.is_err() {
                    return;
                }
                if told.changed().await.is_err() {
                    return;
                }
            }
        }));
        Some(Msg::LogsOpened(Box::new(view)))
    }

    fn board<F, Fut>(&self, ask: F)
    where
        F: FnOnce(Handle) -> Fut,
        Fut: Future<Output = Outcome<Vec<cockpit_engine::ports::FaultState>>> + Send + 'static,
    {
        let asked = ask(self.handle.clone());
        self.later(async move { Msg::Faults(asked.await) });
    }

    fn later(&self, message: impl Future<Output = Msg> + Send + 'static) {
        let messages = self.messages.clone();
        drop(tokio::spawn(async move {
            // A screen that is gone needs no message.
            drop(messages.send(message.await).await);
        }));
    }
}

fn no_board() -> Failure {
    Failure::new(FailureKind::Usage, "faults can be switched in the lab only")
        .doing("switching a fault")
        .hint("`cockpit --lab` opens one")
}

/// Writes a draft to a file that nobody has yet.
fn write_new(draft: NewDraft) -> Outcome<NewDraft> {
    let failed = |error: std::io::Error| {
        Failure::new(FailureKind::Usage, format!("`{}`: {error}", draft.path))
            .doing("writing the draft")
            .hint("nothing was written over; `:draft NAME FILE` names another file, in a folder that can be written to")
    };
    let path = std::path::absolute(&draft.path).map_err(failed)?;
    let mut new = std::fs::OpenOptions::new();
    let mut file = new
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(failed)?;
    file.write_all(draft.text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(NewDraft {
        path: path.display().to_string(),
        ..draft
    })
}

/// Reads a file with keys.
fn read_keys(path: &str) -> Outcome<Secret> {
    let failed = |message: String| {
        Failure::new(FailureKind::Usage, message)
            .doing("reading the key file")
            .hint("name a readable file (one key a line, a table with a column `key`, or JSON), or paste the keys")
    };
    let size = std::fs::metadata(path)
        .map_err(|error| failed(format!("`{path}`: {error}")))?
        .len();
    if size > KEY_FILE {
        return Err(failed(format!(
            "`{path}` has {size} bytes: that is no key file"
        )));
    }
    std::fs::read_to_string(path)
        .map(Secret::new)
        .map_err(|error| failed(format!("`{path}`: {error}")))
}
