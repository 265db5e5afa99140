//! The supervisor: which jobs run, which are refused, what is seen of them. `reduce` is pure:
//! state and event in, effects out; the runner (`handle`) carries the effects out.

use crate::board::Board;
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
    /// How it stands.
    pub state: JobState,
    /// The newest progress line.
    pub progress: Option<Progress>,
}

/// Everything a face may see: immutable, shared behind an `Arc`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Snapshot {
    /// Jobs by id, running and the last ended ones.
    pub jobs: Vec<JobView>,
    /// What is known of the fleet.
    pub board: Arc<Board>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A command was asked for.
    Asked {
        /// Id given to it.
        id: JobId,
        /// Its name.
        name: &'static str,
        /// Whether it writes.
        writes: bool,
    },
    /// A job said how far it is.
    Progressed(JobId, Progress),
    /// A job ended.
    Ended(JobId, bool),
    /// A person wants a job stopped.
    StopAsked(JobId),
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
}

/// The supervisor's state.
#[derive(Debug, Default)]
pub struct State {
    jobs: BTreeMap<JobId, JobView>,
    board: Arc<Board>,
    closing: bool,
}

/// Ended jobs kept for the job list.
const KEPT: usize = 50;

impl State {
    /// Folds an event into the state. Events of jobs that are not known change nothing.
    pub fn reduce(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Asked { id, name, writes } => self.asked(id, name, writes),
            Event::Progressed(id, progress) => {
                if let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_live()) {
                    job.progress = Some(progress);
                }
                Vec::new()
            }
            Event::Ended(id, well) => {
                if let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_live()) {
                    job.state = if well {
                        JobState::Done
                    } else {
                        JobState::Failed
                    };
                }
                self.forget();
                Vec::new()
            }
            Event::StopAsked(id) => self.stop(id).into_iter().collect(),
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

    fn asked(&mut self, id: JobId, name: &'static str, writes: bool) -> Vec<Effect> {
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
                state: JobState::Running,
                progress: None,
            },
        );
        vec![Effect::Start(id)]
    }

    fn stop(&mut self, id: JobId) -> Option<Effect> {
        let job = self
            .jobs
            .get_mut(&id)
            .filter(|job| job.state == JobState::Running)?;
        job.state = JobState::Stopping;
        Some(Effect::Cancel(id))
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
        }
    }

    /// What may be seen.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            jobs: self.jobs.values().cloned().collect(),
            board: Arc::clone(&self.board),
        }
    }
}

impl JobView {
    /// Whether it is still at work.
    pub fn is_live(&self) -> bool {
        matches!(self.state, JobState::Running | JobState::Stopping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(state: &mut State, id: i64, writes: bool) -> Vec<Effect> {
        state.reduce(Event::Asked {
            id: JobId(id),
            name: "x",
            writes,
        })
    }

    #[test]
    fn one_writer_at_a_time_and_any_number_of_readers() {
        let mut state = State::default();
        assert!(matches!(
            ask(&mut state, 1, true)[..],
            [Effect::Start(JobId(1))]
        ));
        assert!(matches!(ask(&mut state, 2, false)[..], [Effect::Start(_)]));
        match &ask(&mut state, 3, true)[..] {
            [Effect::Refuse(JobId(3), failure)] => assert_eq!(failure.kind, FailureKind::Busy),
            other => panic!("{other:?}"),
        }
        state.reduce(Event::Ended(JobId(1), true));
        assert!(matches!(ask(&mut state, 4, true)[..], [Effect::Start(_)]));
    }

    #[test]
    fn late_and_double_events_change_nothing() {
        let mut state = State::default();
        ask(&mut state, 1, true);
        state.reduce(Event::Ended(JobId(1), true));
        let before = state.snapshot();
        state.reduce(Event::Ended(JobId(1), false));
        state.reduce(Event::Progressed(
            JobId(1),
            Progress {
                text: "late".into(),
                done: 0,
                total: 0,
            },
        ));
        assert!(state.reduce(Event::StopAsked(JobId(1))).is_empty());
        assert!(state.reduce(Event::StopAsked(JobId(9))).is_empty());
        assert_eq!(state.snapshot(), before);
    }

    #[test]
    fn stopping_cancels_once_and_closing_cancels_all_and_refuses_new_work() {
        let mut state = State::default();
        ask(&mut state, 1, true);
        ask(&mut state, 2, false);
        assert_eq!(state.reduce(Event::StopAsked(JobId(1))).len(), 1);
        assert!(state.reduce(Event::StopAsked(JobId(1))).is_empty());
        assert!(matches!(
            state.reduce(Event::Closing)[..],
            [Effect::Cancel(JobId(2))]
        ));
        assert!(matches!(
            ask(&mut state, 3, false)[..],
            [Effect::Refuse(..)]
        ));
    }

    #[test]
    fn ended_jobs_are_forgotten_in_time() {
        let mut state = State::default();
        for id in 0..200 {
            ask(&mut state, id, false);
            state.reduce(Event::Ended(JobId(id), true));
        }
        assert!(state.snapshot().jobs.len() <= KEPT);
    }
}
