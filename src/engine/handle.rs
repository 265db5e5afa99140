//! What a face holds: send a command, watch the snapshot, stop a job, close. Runs the
//! supervisor's effects.

use crate::command::{Answer, Command};
use crate::context::{Job, Ports, Progress, Settings};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::supervisor::{Effect, Event, Snapshot, State};
use crate::view::read_view;
use crate::{access, baseline, batches, doctor, import, probe, reconcile, rollback};
use cockpit_domain::ids::JobId;
use cockpit_domain::recorded::listing;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
    cancels: Mutex<BTreeMap<JobId, CancellationToken>>,
    seen: watch::Sender<Arc<Snapshot>>,
    tasks: TaskTracker,
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
        let (seen, _) = watch::channel(Arc::new(Snapshot::default()));
        Self {
            inner: Arc::new(Inner {
                ports,
                settings: Arc::new(settings),
                next: AtomicI64::new(1),
                state: Mutex::default(),
                cancels: Mutex::default(),
                seen,
                tasks: TaskTracker::new(),
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
            name: command.name(),
            writes: command.writes(),
        };
        for effect in self.inner.fold(asked) {
            match effect {
                Effect::Start(id) => {
                    let inner = Arc::clone(&self.inner);
                    let cancel = CancellationToken::new();
                    lock(&self.inner.cancels).insert(id, cancel.clone());
                    self.inner
                        .tasks
                        .spawn(inner.run(id, command, cancel, reply));
                    break;
                }
                Effect::Refuse(_, failure) => {
                    // A face that is gone needs no answer.
                    drop(reply.send(Err(failure)));
                    break;
                }
                Effect::Cancel(id) => self.inner.cancel(id),
            }
        }
        Started { id, answer }
    }

    /// Sends a command and waits for its end.
    pub async fn call(&self, command: Command) -> Outcome<Answer> {
        self.send(command).answer().await
    }

    /// Stops a job after the step in flight.
    pub fn stop(&self, id: JobId) {
        self.inner.apply(Event::StopAsked(id));
    }

    /// Stops every job, waits until each has finished its step, and closes the connections.
    pub async fn close(&self) {
        self.inner.apply(Event::Closing);
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        self.inner.ports.remote.close().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn fold(&self, event: Event) -> Vec<Effect> {
        let mut state = lock(&self.state);
        let effects = state.reduce(event);
        self.seen.send_replace(Arc::new(state.snapshot()));
        effects
    }

    fn apply(&self, event: Event) {
        for effect in self.fold(event) {
            if let Effect::Cancel(id) = effect {
                self.cancel(id);
            }
        }
    }

    fn cancel(&self, id: JobId) {
        if let Some(token) = lock(&self.cancels).get(&id) {
            token.cancel();
        }
    }

    async fn run(
        self: Arc<Self>,
        id: JobId,
        command: Command,
        cancel: CancellationToken,
        reply: oneshot::Sender<Outcome<Answer>>,
    ) {
        let (progress, mut lines) = mpsc::channel::<Progress>(64);
        let job = Job {
            ports: self.ports.clone(),
            settings: Arc::clone(&self.settings),
            cancel,
            progress,
        };
        let teller = Arc::clone(&self);
        let telling = async move {
            while let Some(line) = lines.recv().await {
                teller.apply(Event::Progressed(id, line));
            }
        };
        // A task of its own, so that a panic ends as a failed job.
        let working = tokio::spawn(async move { carry_out(&job, command).await });
        let (worked, ()) = tokio::join!(working, telling);
        let answer = worked.unwrap_or_else(|error| {
            tracing::error!(%error, "a job panicked");
            Err(Failure::new(FailureKind::Internal, "the job panicked")
                .hint("this is a defect of the cockpit; the log file says more"))
        });
        lock(&self.cancels).remove(&id);
        self.apply(Event::Ended(id, answer.is_ok()));
        drop(reply.send(answer));
    }
}

async fn carry_out(job: &Job, command: Command) -> Outcome<Answer> {
    Ok(match command {
        Command::BaselineRun { pack } => {
            Answer::Baseline(baseline::command(job, pack.as_ref()).await?)
        }
        Command::HostProbe { host } => Answer::Host(probe::host(job, &host).await?),
        Command::HostListing { host, provider } => {
            let api = job.ports.hosts.api(&host).await?;
            Answer::Listing(listing(&read_view(api.as_ref(), &provider).await?))
        }
        Command::ImportPlan {
            host,
            provider,
            keys,
            mode,
            access,
        } => Answer::Import(Box::new(
            import::plan(job, &host, &provider, &keys, mode, access).await?,
        )),
        Command::ImportApply { plan, approval } => {
            Answer::Batch(Box::new(import::apply(job, plan, &approval).await?))
        }
        Command::BatchList { host } => Answer::Batches(batches::list(job, host.as_ref()).await?),
        Command::BatchShow { batch } => Answer::Detail(Box::new(batches::show(job, batch).await?)),
        Command::BatchResume { batch } => {
            Answer::Batch(Box::new(import::resume(job, batch).await?))
        }
        Command::AccessStatus { batch } => {
            Answer::Access(Box::new(access::status(job, batch).await?))
        }
        Command::ReconcilePlan { host, provider } => {
            Answer::Reconcile(Box::new(reconcile::plan(job, &host, &provider).await?))
        }
        Command::RollbackPlan { batch } => {
            Answer::Rollback(Box::new(rollback::plan(job, batch).await?))
        }
        Command::RollbackApply { plan, approval } => {
            Answer::RolledBack(Box::new(rollback::apply(job, plan, &approval).await?))
        }
        Command::ProbeRun { host, provider } => {
            Answer::Probes(probe::run(job, &host, provider.as_ref()).await?)
        }
        Command::Doctor => Answer::Doctor(doctor::examine(job).await),
    })
}
