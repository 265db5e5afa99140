//! The supervisor: which jobs run, which are refused, what is seen of them. `reduce` is pure:
//! state and event in, effects out; the runner (`handle`) carries the effects out.

use crate::arming::Armed;
use crate::board::{Board, Trouble};
use crate::command::Command;
use crate::context::Progress;
use crate::failure::{Failure, FailureKind};
use cockpit_domain::ids::JobId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// At work.
    Running,
    /// Held by a person: what is in flight is finished, nothing new is begun.
    Paused,
    /// Told to stop; finishes the step in flight.
    Stopping,
    /// Ended well.
    Done,
    /// Ended with a failure.
    Failed,
}

/// A job as everybody may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// `import apply`, ...
    pub name: &'static str,
    /// Whether it writes to a host.
    pub writes: bool,
    /// What it is about: `prod`, `batch/7`; empty for everything.
    pub subject: String,
    /// The equal line of the command line.
    pub command_line: String,
    /// How it stands.
    pub state: JobState,
    /// The newest progress line.
    pub progress: Option<Progress>,
    /// UTC ms of its start.
    pub started_ms: i64,
    /// UTC ms since when it has been at what its progress says.
    pub stage_since_ms: i64,
    /// UTC ms since when it counts what it does, less the time it was held.
    pub counting_since_ms: Option<i64>,
    /// UTC ms since when it is held.
    pub held_since_ms: Option<i64>,
    /// UTC ms of its end.
    pub ended_ms: Option<i64>,
    /// Why it failed, when it did.
    pub failure: Option<Trouble>,
}

/// A job as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// `import apply`, ...
    pub name: &'static str,
    /// Whether it writes to a host.
    pub writes: bool,
    /// What it is about.
    pub subject: String,
    /// The equal line of the command line.
    pub command_line: String,
}

impl JobFacts {
    /// Of a command.
    pub fn of(command: &Command) -> Self {
        Self {
            name: command.name(),
            writes: command.writes(),
            subject: command.subject(),
            command_line: command.cli_line(),
        }
    }
}

/// Everything a face may see: immutable, shared behind an `Arc`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Snapshot {
    /// Jobs by id, running and the last ended ones.
    pub jobs: Vec<JobView>,
    /// What is known of the fleet.
    pub board: Arc<Board>,
    /// The host that may be written to; only where arming is wanted.
    pub armed: Option<Armed>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A command was asked for.
    Asked {
        /// Id given to it.
        id: JobId,
        /// What it is.
        job: JobFacts,
        /// UTC ms.
        at_ms: i64,
    },
    /// A job said how far it is, at a time in UTC ms.
    Progressed(JobId, Progress, i64),
    /// A job ended, badly if there is a trouble, at a time in UTC ms.
    Ended(JobId, Option<Trouble>, i64),
    /// A person wants a job stopped.
    StopAsked(JobId),
    /// A person wants a job held, or let go on, at a time in UTC ms.
    HoldAsked(JobId, bool, i64),
    /// Which host may be written to changed.
    Armed(Option<Armed>),
    /// The program wants to end.
    Closing,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Start it.
    Start(JobId),
    /// Do not start it, and say why.
    Refuse(JobId, Failure),
    /// Cancel its token.
    Cancel(JobId),
    /// Hold it, or let it go on.
    Hold(JobId, bool),
}

/// The supervisor's state.
#[derive(Debug, Default)]
pub struct State {
    jobs: BTreeMap<JobId, JobView>,
    board: Arc<Board>,
    armed: Option<Armed>,
    closing: bool,
    changed: bool,
}

/// Ended jobs kept for the job list.
const KEPT: usize = 50;

impl State {
    /// A state that begins with a board.
    pub fn new(board: Board) -> Self {
        Self {
            board: Arc::new(board),
            ..Self::default()
        }
    }

    /// Folds an event into the state. Events of jobs that are not known change nothing.
    pub fn reduce(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Asked { id, job, at_ms } => self.asked(id, job, at_ms),
            Event::Progressed(id, progress, at_ms) => {
                self.progressed(id, progress, at_ms);
                Vec::new()
            }
            Event::Ended(id, failure, at_ms) => {
                if let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_live()) {
                    job.state = match failure {
                        None => JobState::Done,
                        Some(_) => JobState::Failed,
                    };
                    job.failure = failure;
                    job.ended_ms = Some(at_ms);
                    self.changed = true;
                }
                self.forget();
                Vec::new()
            }
            Event::StopAsked(id) => {
                let held = self.jobs.get(&id).map(|job| job.state) == Some(JobState::Paused);
                let mut effects: Vec<Effect> = self.stop(id).into_iter().collect();
                // Let go after it was cancelled: it was stopped by a person, not left on hold.
                effects.extend(held.then_some(Effect::Hold(id, false)));
                effects
            }
            Event::HoldAsked(id, on, at_ms) => self.hold(id, on, at_ms).into_iter().collect(),
            Event::Armed(armed) => {
                self.changed |= self.armed != armed;
                self.armed = armed;
                Vec::new()
            }
            Event::Closing => {
                self.closing = true;
                let live: Vec<JobId> = self
                    .jobs
                    .values()
                    .filter(|job| job.is_live())
                    .map(|job| job.id)
                    .collect();
                live.into_iter().filter_map(|id| self.stop(id)).collect()
            }
        }
    }

    /// Changes the board; `learn` says whether it did.
    pub fn learn(&mut self, learn: impl FnOnce(&mut Board) -> bool) {
        let mut board = Board::clone(&self.board);
        if learn(&mut board) {
            self.board = Arc::new(board);
            self.changed = true;
        }
    }

    /// Whether anything that may be seen changed since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    fn progressed(&mut self, id: JobId, progress: Progress, at_ms: i64) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_live()) else {
            return;
        };
        let was = job.progress.as_ref();
        if was == Some(&progress) {
            return;
        }
        if was.is_none_or(|was| was.text != progress.text) {
            job.stage_since_ms = at_ms;
        }
        let counts = progress.total > 0;
        if counts && job.counting_since_ms.is_none() {
            job.counting_since_ms = Some(at_ms);
        }
        job.progress = Some(progress);
        self.changed = true;
    }

    fn asked(&mut self, id: JobId, facts: JobFacts, at_ms: i64) -> Vec<Effect> {
        let JobFacts {
            name,
            writes,
            subject,
            command_line,
        } = facts;
        let refuse = |failure| vec![Effect::Refuse(id, failure)];
        if self.closing {
            return refuse(Failure::new(
                FailureKind::Cancelled,
                "the program is ending",
            ));
        }
        if let Some(other) = self
            .jobs
            .values()
            .find(|job| writes && job.writes && job.is_live())
        {
            return refuse(
                Failure::new(
                    FailureKind::Busy,
                    format!("{} `{}` is writing", other.id, other.name),
                )
                .doing(format!("starting `{name}`"))
                .hint("wait for it, or stop it"),
            );
        }
        self.jobs.insert(
            id,
            JobView {
                id,
                name,
                writes,
                subject,
                command_line,
                state: JobState::Running,
                progress: None,
                started_ms: at_ms,
                stage_since_ms: at_ms,
                counting_since_ms: None,
                held_since_ms: None,
                ended_ms: None,
                failure: None,
            },
        );
        self.changed = true;
        vec![Effect::Start(id)]
    }

    fn stop(&mut self, id: JobId) -> Option<Effect> {
        let job = self
            .jobs
            .get_mut(&id)
            .filter(|job| matches!(job.state, JobState::Running | JobState::Paused))?;
        job.state = JobState::Stopping;
        self.changed = true;
        Some(Effect::Cancel(id))
    }

    /// Only what writes is held: what only looks is stopped and asked for again.
    fn hold(&mut self, id: JobId, on: bool, at_ms: i64) -> Option<Effect> {
        let (from, to) = if on {
            (JobState::Running, JobState::Paused)
        } else {
            (JobState::Paused, JobState::Running)
        };
        let job = self
            .jobs
            .get_mut(&id)
            .filter(|job| job.writes && job.state == from)?;
        job.state = to;
        if on {
            job.held_since_ms = Some(at_ms);
        } else if let Some(since) = job.held_since_ms.take() {
            // A wait stands still while it is held.
            if let Some(until) = job.progress.as_mut().and_then(|now| now.until_ms.as_mut()) {
                *until += (at_ms - since).max(0);
            }
            // The time it was held says nothing of its pace.
            job.counting_since_ms = job.counting_since_ms.map(|at| at + (at_ms - since).max(0));
        }
        self.changed = true;
        Some(Effect::Hold(id, on))
    }

    fn forget(&mut self) {
        let ended: Vec<JobId> = self
            .jobs
            .values()
            .filter(|job| !job.is_live())
            .map(|job| job.id)
            .collect();
        for id in ended.iter().take(ended.len().saturating_sub(KEPT)) {
            self.jobs.remove(id);
            self.changed = true;
        }
    }

    /// What may be seen.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            jobs: self.jobs.values().cloned().collect(),
            board: Arc::clone(&self.board),
            armed: self.armed.clone(),
        }
    }
}

/// How fast a job is, of what it has done itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Writes that were answered, in one second.
    pub steps_per_second: f64,
    /// Milliseconds to the end of what it counts.
    pub left_ms: i64,
}

impl JobView {
    /// Milliseconds that are left of the wait it is in, if it is in one; a hold stops the count.
    pub fn left_ms(&self, now_ms: i64) -> Option<i64> {
        let until = self.progress.as_ref()?.until_ms?;
        Some((until - self.held_since_ms.unwrap_or(now_ms)).max(0))
    }

    /// How fast it is; nothing is said before there is enough to go by.
    pub fn pace(&self, now_ms: i64) -> Option<Pace> {
        const ENOUGH_MS: i64 = 1_000;
        let progress = self
            .progress
            .as_ref()
            .filter(|progress| progress.total > 0)?;
        let now_ms = self.held_since_ms.unwrap_or(now_ms);
        let spent = now_ms - self.counting_since_ms?;
        if spent < ENOUGH_MS || progress.done == 0 {
            return None;
        }
        let left = i64::try_from(progress.total.saturating_sub(progress.done)).ok()?;
        let done = i64::try_from(progress.done).ok()?;
        let count = |value: i64| u32::try_from(value).map_or(f64::from(u32::MAX), f64::from);
        let steps = i64::try_from(progress.steps).unwrap_or(i64::MAX);
        Some(Pace {
            steps_per_second: count(steps) * 1_000.0 / count(spent),
            left_ms: spent.saturating_mul(left) / done,
        })
    }

    /// Whether it is still at work.
    pub fn is_live(&self) -> bool {
        matches!(
            self.state,
            JobState::Running | JobState::Paused | JobState::Stopping
        )
    }
}

#[cfg(test)]
mod tests;
