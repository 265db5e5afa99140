//! What a face holds: send a command, watch the snapshot, stop a job, close. Runs the
//! supervisor's effects.

mod arm;
mod carry_out;
mod follow;

use crate::arming::Gate;
use crate::baseline::only_pack;
use crate::board::{Board, Trouble, trouble_subject};
use crate::command::{Answer, Command};
use crate::context::{Hold, Job, Ports, Progress, Settings, keep};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::logs::{LogHub, RingLimits};
use crate::ports::ResultKind;
use crate::supervisor::{Effect, Event, JobFacts, Snapshot, State};
use carry_out::carry_out;
use cockpit_domain::ids::JobId;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The engine as a face sees it. Cloning shares it.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

struct Inner {
    ports: Ports,
    settings: Arc<Settings>,
    next: AtomicI64,
    state: Mutex<State>,
    reins: Mutex<BTreeMap<JobId, Reins>>,
    seen: watch::Sender<Arc<Snapshot>>,
    tasks: TaskTracker,
    gate: Arc<Gate>,
    /// Ends the wait for an arming to lapse.
    lapse: Mutex<CancellationToken>,
    /// Whether a face wants the last known state.
    recalled: AtomicBool,
    remembering: tokio::sync::Mutex<()>,
    /// Cancelled when the person's terminal was lost.
    hung_up: OnceLock<CancellationToken>,
    /// Cancelled when the program ends: for tasks that are no jobs.
    closing: CancellationToken,
    logs: LogHub,
}

/// What a running job is led by.
#[derive(Clone, Default)]
struct Reins {
    cancel: CancellationToken,
    hold: Hold,
}

/// A job that was started.
pub struct Started {
    /// Its id, for [`Handle::stop`].
    pub id: JobId,
    answer: oneshot::Receiver<Outcome<Answer>>,
}

impl Started {
    /// Waits for its end. A panic inside the job is an internal failure, not ours.
    pub async fn answer(self) -> Outcome<Answer> {
        self.answer.await.unwrap_or_else(|_| {
            Err(
                Failure::new(FailureKind::Internal, "the job ended without an answer")
                    .hint("this is a defect of the cockpit; the log file says more"),
            )
        })
    }
}

impl Handle {
    /// An engine over these ports.
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let state = State::new(Board::of(&settings));
        let (seen, _) = watch::channel(Arc::new(state.snapshot()));
        let logs = LogHub::new(
            Arc::clone(&ports.remote),
            Arc::clone(&ports.clock),
            settings.logs.clone(),
            RingLimits::default(),
        );
        Self {
            inner: Arc::new(Inner {
                ports,
                settings: Arc::new(settings),
                next: AtomicI64::new(1),
                state: Mutex::new(state),
                reins: Mutex::default(),
                seen,
                tasks: TaskTracker::new(),
                gate: Arc::default(),
                lapse: Mutex::default(),
                recalled: AtomicBool::new(false),
                remembering: tokio::sync::Mutex::default(),
                hung_up: OnceLock::new(),
                closing: CancellationToken::new(),
                logs,
            }),
        }
    }

    /// The user's config as the engine has it.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The ports, for what is no job: listing packs, switching faults, following a log.
    pub fn ports(&self) -> &Ports {
        &self.inner.ports
    }

    /// Watches what may be seen.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.inner.seen.subscribe()
    }

    /// Starts a command. Must be called inside a runtime.
    pub fn send(&self, command: Command) -> Started {
        let id = JobId(self.inner.next.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = oneshot::channel();
        let asked = Event::Asked {
            id,
            job: JobFacts::of(&command),
            at_ms: self.inner.ports.clock.now_ms(),
        };
        for effect in self.inner.fold(asked) {
            match effect {
                Effect::Start(id) => {
                    let inner = Arc::clone(&self.inner);
                    let reins = Reins::default();
                    lock(&self.inner.reins).insert(id, reins.clone());
                    self.inner.tasks.spawn(inner.run(id, command, reins, reply));
                    break;
                }
                Effect::Refuse(_, failure) => {
                    // A face that is gone needs no answer.
                    drop(reply.send(Err(failure)));
                    break;
                }
                other => self.inner.lead(&other),
            }
        }
        Started { id, answer }
    }

    /// Sends a command and waits for its end.
    pub async fn call(&self, command: Command) -> Outcome<Answer> {
        self.send(command).answer().await
    }

    /// The logs of the config's sources.
    pub fn logs(&self) -> LogHub {
        self.inner.logs.clone()
    }

    /// Stops a job after the step in flight.
    pub fn stop(&self, id: JobId) {
        self.inner.apply(Event::StopAsked(id));
    }

    /// Hears of a lost terminal by a token of the program's: what is stopped after that is told to
    /// have been stopped by it. Called once, before anything is sent.
    pub fn hangs_up_by(&self, lost: CancellationToken) {
        if self.inner.hung_up.set(lost).is_err() {
            tracing::debug!("what tells of a lost terminal was set already");
        }
    }

    /// Says that the terminal was lost, where no signal does.
    pub fn hang_up(&self) {
        self.inner
            .hung_up
            .get_or_init(CancellationToken::new)
            .cancel();
    }

    /// Holds every job that writes, or lets them go on.
    pub fn hold_all(&self, on: bool) {
        let snapshot = self.inner.seen.borrow().clone();
        for job in snapshot.jobs.iter().filter(|job| job.writes) {
            self.hold(job.id, on);
        }
    }

    /// Holds a job that writes: what is in flight is finished, nothing new is begun until it is let
    /// go on.
    pub fn hold(&self, id: JobId, on: bool) {
        let now = self.inner.ports.clock.now_ms();
        self.inner.apply(Event::HoldAsked(id, on, now));
    }

    /// Stops every job, waits until each has finished its step, and closes the connections.
    pub async fn close(&self) {
        self.inner.apply(Event::Closing);
        self.inner.closing.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        self.disarm().await;
        self.inner.logs.close().await;
        self.inner.ports.remote.close().await;
    }
}

/// What only looks is dropped when it is stopped. What writes finishes its step, and a baseline gives
/// the rows it has.
fn may_be_dropped(command: &Command) -> bool {
    !command.writes() && !matches!(command, Command::BaselineRun { .. })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn fold(&self, event: Event) -> Vec<Effect> {
        self.change(|state| state.reduce(event))
    }

    /// Changes the state and publishes it, but only if something changed that may be seen.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let out = change(&mut state);
        if state.take_changed() {
            self.seen.send_replace(Arc::new(state.snapshot()));
        }
        out
    }

    fn apply(&self, event: Event) {
        for effect in self.fold(event) {
            self.lead(&effect);
        }
    }

    /// Carries an effect out on a job that runs.
    fn lead(&self, effect: &Effect) {
        let reins = lock(&self.reins);
        match effect {
            Effect::Cancel(id) => {
                if let Some(job) = reins.get(id) {
                    job.cancel.cancel();
                }
            }
            Effect::Hold(id, on) => {
                if let Some(job) = reins.get(id) {
                    job.hold.set(*on);
                }
            }
            Effect::Start(_) | Effect::Refuse(..) => {}
        }
    }

    async fn run(
        self: Arc<Self>,
        id: JobId,
        command: Command,
        reins: Reins,
        reply: oneshot::Sender<Outcome<Answer>>,
    ) {
        let (progress, mut lines) = mpsc::channel::<Progress>(64);
        let job = Job {
            ports: self.ports.clone(),
            settings: Arc::clone(&self.settings),
            cancel: reins.cancel,
            hung_up: self.hung_up.get_or_init(CancellationToken::new).clone(),
            hold: reins.hold,
            progress,
            steps: Arc::default(),
            gate: Arc::clone(&self.gate),
        };
        let teller = Arc::clone(&self);
        let telling = async move {
            while let Some(line) = lines.recv().await {
                let now = teller.ports.clock.now_ms();
                teller.apply(Event::Progressed(id, line, now));
            }
        };
        let about = self.about(&command);
        // A task of its own, so that a panic ends as a failed job.
        let only_looks = may_be_dropped(&command);
        let working = tokio::spawn(async move {
            tokio::select! {
                biased;
                // A far end that does not answer keeps nobody waiting.
                () = job.cancel.cancelled(), if only_looks => {
                    Err(Failure::new(FailureKind::Cancelled, "stopped by request"))
                }
                answer = carry_out(&job, command) => answer,
            }
        });
        let (worked, ()) = tokio::join!(working, telling);
        let answer = worked.unwrap_or_else(|error| {
            tracing::error!(%error, "a job panicked");
            Err(Failure::new(FailureKind::Internal, "the job panicked")
                .hint("this is a defect of the cockpit; the log file says more"))
        });
        lock(&self.reins).remove(&id);
        self.learn(id, &about, &answer).await;
        drop(reply.send(answer));
    }

    /// The command as the board learns from it: the baseline that was meant is named.
    fn about(&self, command: &Command) -> Command {
        match command {
            Command::BaselineRun { pack: None, due } => Command::BaselineRun {
                pack: only_pack(&self.settings).ok(),
                due: *due,
            },
            other => other.clone(),
        }
    }

    /// Ends a job and puts what it found on the board, as one change.
    async fn learn(&self, id: JobId, command: &Command, answer: &Outcome<Answer>) {
        let now = self.ports.clock.now_ms();
        let failure = answer.as_ref().err();
        let trouble = failure.map(Trouble::from);
        if let Some(subject) = failure.and_then(|failure| trouble_subject(command, failure)) {
            let store = self.ports.store.as_ref();
            let subject = subject.text();
            keep(store, ResultKind::Trouble, &subject, now, &trouble).await;
        }
        self.change(|state| {
            state.learn(|board| match answer {
                Ok(answer) => board.learn(command, answer, now),
                Err(failure) => board.learn_trouble(command, failure, now),
            });
            state.reduce(Event::Ended(id, trouble, now));
        });
        let touched = command.writes() || matches!(command, Command::AccessStatus { .. });
        if touched
            && self.recalled.load(Ordering::Relaxed)
            && let Err(failure) = self.remember(false).await
        {
            tracing::warn!(%failure, "the batches could not be read again");
        }
    }
}

#[cfg(test)]
mod tests;
