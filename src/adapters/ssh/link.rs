//! The connections of one machine: opened on demand by one attempt at a time, failures remembered
//! for a while, sessions counted.

use super::master::Master;
use super::{Core, MachineSettings, explain, keys};
use cockpit_domain::ids::MachineId;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Sessions at a time on one connection: sshd allows 10 where nobody set `MaxSessions`.
const SLOTS: usize = 8;
/// Connections for streams at most, each with as many slots.
const STREAM_LINKS: usize = 4;

/// The connections of one machine.
pub(super) struct Links {
    settings: MachineSettings,
    commands: Arc<Link>,
    streams: SyncMutex<Vec<Arc<Link>>>,
}

impl Links {
    pub(super) fn new(core: Arc<Core>, machine: MachineId, settings: MachineSettings) -> Arc<Self> {
        let commands = Link::new(core, machine, settings.clone(), Arc::default());
        Arc::new(Self {
            settings,
            commands,
            streams: SyncMutex::default(),
        })
    }

    pub(super) fn settings(&self) -> &MachineSettings {
        &self.settings
    }

    /// The connection for commands and forwards.
    pub(super) fn commands(&self) -> &Arc<Link> {
        &self.commands
    }

    /// Lets the next caller try at once, whatever failed before.
    pub(super) async fn forget_failures(&self) {
        let streams = self
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for link in streams.iter().chain([&self.commands]) {
            link.forget_failure().await;
        }
    }

    /// A place on a connection for streams: they last, and would use up those of commands.
    pub(super) fn stream(&self) -> Outcome<(Arc<Link>, OwnedSemaphorePermit)> {
        let mut links = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        for link in links.iter() {
            if let Ok(slot) = Arc::clone(&link.slots).try_acquire_owned() {
                return Ok((Arc::clone(link), slot));
            }
        }
        if links.len() < STREAM_LINKS {
            let kin = &self.commands;
            let link = Link::new(
                Arc::clone(&kin.core),
                kin.machine.clone(),
                kin.settings.clone(),
                Arc::clone(&kin.shell),
            );
            links.push(Arc::clone(&link));
            if let Ok(slot) = Arc::clone(&link.slots).try_acquire_owned() {
                return Ok((link, slot));
            }
        }
        Err(Failure::new(
            FailureKind::Busy,
            format!("{} streams are open already", SLOTS * STREAM_LINKS),
        )
        .hint("close one of them"))
    }
}

/// One connection that is made again when it broke.
pub(super) struct Link {
    core: Arc<Core>,
    machine: MachineId,
    settings: MachineSettings,
    state: Mutex<State>,
    slots: Arc<Semaphore>,
    made: AtomicU32,
    /// Whether there is a `sh`, known after the first command; shared by a machine's links.
    shell: Arc<OnceLock<bool>>,
    /// One end-to-end check of a forward at a time: what ssh says names no forward.
    pub(super) forward_check: Mutex<()>,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Up(Arc<Master>),
    Failed {
        failure: Box<Failure>,
        tries: u32,
        until: Instant,
    },
}

/// How long a failed attempt stands for those who come after it. A refusal stands longer:
/// hammering locks people out.
fn pause(tries: u32, kind: FailureKind) -> Duration {
    let (first, most) = if kind == FailureKind::Denied {
        (2, 60)
    } else {
        (1, 15)
    };
    Duration::from_secs((first << tries.min(6)).min(most))
}

impl Link {
    fn new(
        core: Arc<Core>,
        machine: MachineId,
        settings: MachineSettings,
        shell: Arc<OnceLock<bool>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            shell,
            core,
            machine,
            settings,
            state: Mutex::default(),
            slots: Arc::new(Semaphore::new(SLOTS)),
            made: AtomicU32::new(0),
            forward_check: Mutex::default(),
        })
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(super) fn machine(&self) -> &MachineId {
        &self.machine
    }

    pub(super) fn settings(&self) -> &MachineSettings {
        &self.settings
    }

    /// Whether the machine has a `sh`, once that is known.
    pub(super) fn has_shell(&self) -> Option<bool> {
        self.shell.get().copied()
    }

    pub(super) fn set_shell(&self, there: bool) {
        self.shell.get_or_init(|| there);
    }

    /// How often the connection was made anew.
    pub(super) fn reconnects(&self) -> u32 {
        self.made.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// A place for a command.
    pub(super) async fn slot(&self) -> Outcome<OwnedSemaphorePermit> {
        Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(|_| explain::closed())
    }

    /// The standing connection, made when needed. The attempt goes on when the caller does not
    /// wait for it: callers with little time would never get one otherwise.
    pub(super) async fn up(self: &Arc<Self>) -> Outcome<Arc<Master>> {
        let link = Arc::clone(self);
        let attempt = tokio::spawn(async move {
            tokio::select! {
                biased;
                () = link.core.closed.cancelled() => Err(explain::closed()),
                made = link.connect() => made,
            }
        });
        attempt.await.unwrap_or_else(|error| {
            Err(Failure::new(
                FailureKind::Internal,
                format!("connecting broke off: {error}"),
            ))
        })
    }

    async fn connect(&self) -> Outcome<Arc<Master>> {
        // Held while connecting: everybody else waits here and gets the same result.
        let mut state = self.state.lock().await;
        let tries = match &*state {
            State::Up(master) if master.is_up() => return Ok(Arc::clone(master)),
            State::Failed { failure, until, .. } if Instant::now() < *until => {
                return Err((**failure).clone());
            }
            State::Failed { tries, .. } => *tries,
            State::Idle | State::Up(_) => 0,
        };
        // Ends the process of the old one, if it still runs.
        *state = State::Idle;
        let alias = self.settings.ssh.as_deref().unwrap_or_default();
        match Master::start(&self.core, self.machine.as_str(), alias).await {
            Ok(master) => {
                self.made.fetch_add(1, Ordering::Relaxed);
                let master = Arc::new(master);
                *state = State::Up(Arc::clone(&master));
                Ok(master)
            }
            Err(mut failure) => {
                if failure.kind == FailureKind::Denied && failure.message.contains("log-in") {
                    let locked = keys::locked(&self.core.options, alias).await;
                    failure = explain::locked(failure, &locked);
                }
                let until = Instant::now() + pause(tries, failure.kind);
                *state = State::Failed {
                    failure: Box::new(failure.clone()),
                    tries: tries + 1,
                    until,
                };
                Err(failure)
            }
        }
    }

    /// Lets the next caller try at once, whatever failed before.
    async fn forget_failure(&self) {
        let mut state = self.state.lock().await;
        if matches!(&*state, State::Failed { .. }) {
            *state = State::Idle;
        }
    }

    /// Gives up a connection whose local process does not answer, unless that is done already.
    pub(super) async fn give_up(&self, lost: &Arc<Master>) {
        let mut state = self.state.lock().await;
        if matches!(&*state, State::Up(master) if Arc::ptr_eq(master, lost)) {
            *state = State::Idle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_refusals_wait_longer() {
        let silent: Vec<u64> = (0..7)
            .map(|tries| pause(tries, FailureKind::Unreachable).as_secs())
            .collect();
        assert_eq!(silent, [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(pause(0, FailureKind::Denied).as_secs(), 2);
        assert_eq!(pause(99, FailureKind::Denied).as_secs(), 60);
    }
}
