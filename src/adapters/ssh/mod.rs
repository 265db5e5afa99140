//! Machines over the user's own OpenSSH: one supervised master a machine for commands and
//! forwards, further ones for long streams. `local` runs commands directly. No policy here.

mod capture;
mod command;
mod environment;
mod explain;
mod folder;
mod follow;
mod forward;
mod keys;
mod link;
mod local;
mod master;
#[cfg(test)]
mod tests;

pub use forward::Forward;

use async_trait::async_trait;
use cockpit_domain::ids::MachineId;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{MachineCheck, Remote, RemoteCommand, RunOutput, StreamText};
use folder::Folder;
use link::Links;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How ssh is called for every machine.
#[derive(Clone)]
pub struct SshOptions {
    /// Configuration file for `ssh -F`; the user's own one if `None`.
    pub ssh_config: Option<PathBuf>,
    /// Private 0700 folder for control and forward sockets; a short path, under 60 bytes.
    pub runtime_dir: PathBuf,
    /// What every remote text goes through.
    pub redactor: Redactor,
    /// Longest wait for a connection; the whole log-in may take twice as long.
    pub connect_timeout: Duration,
    /// Seconds between two keep-alive questions to a silent server.
    pub alive_interval: u32,
    /// How many of them may stay unanswered.
    pub alive_count: u32,
    /// The ssh client: a name looked up in `PATH`, or a path.
    pub program: PathBuf,
}

impl SshOptions {
    /// The usual limits: 10 s to connect, a frozen connection noticed after about 10 s.
    pub fn new(runtime_dir: impl Into<PathBuf>, redactor: Redactor) -> Self {
        Self {
            ssh_config: None,
            runtime_dir: runtime_dir.into(),
            redactor,
            connect_timeout: Duration::from_secs(10),
            alive_interval: 5,
            alive_count: 2,
            program: PathBuf::from("ssh"),
        }
    }
}

/// Whether commands run through `sudo`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sudo {
    /// As the user who logs in.
    #[default]
    No,
    /// With `sudo -n`, which fails where a password would be asked for.
    NonInteractive,
}

/// The system of a machine, as the config says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Os {
    /// GNU/Linux.
    Linux,
    /// macOS.
    MacOs,
}

/// What the config says about one machine.
#[derive(Debug, Clone, Default)]
pub struct MachineSettings {
    /// Alias in the user's ssh configuration; `None` for `local`.
    pub ssh: Option<String>,
    /// Folders put in front of the usual `PATH` there.
    pub path: Vec<String>,
    /// Whether commands run through `sudo`.
    pub sudo: Sudo,
    /// The system there, if the config names it.
    pub os: Option<Os>,
}

/// What all connections share.
struct Core {
    options: SshOptions,
    folder: Folder,
    /// Cancelled by `close` and by dropping [`Ssh`].
    closed: CancellationToken,
    /// The tasks that look after ssh processes; `close` waits for them.
    keepers: TaskTracker,
}

/// The machines of the config, reached by SSH or directly.
pub struct Ssh {
    core: Arc<Core>,
    machines: BTreeMap<MachineId, Machine>,
    forwards: Arc<forward::Forwards>,
}

enum Machine {
    Local(MachineSettings),
    Far(Arc<Links>),
}

impl Ssh {
    /// Prepares the private folder, sweeping what dead processes left there. Nothing is
    /// connected yet. `local` is always there.
    pub fn new(
        options: SshOptions,
        machines: BTreeMap<MachineId, MachineSettings>,
    ) -> Result<Self, Failure> {
        let folder = Folder::open(&options.runtime_dir, &options.program)?;
        let core = Arc::new(Core {
            options,
            folder,
            closed: CancellationToken::new(),
            keepers: TaskTracker::new(),
        });
        let mut table = BTreeMap::new();
        table.insert(
            MachineId::local(),
            Machine::Local(MachineSettings::default()),
        );
        for (id, settings) in machines {
            let machine = match settings.ssh {
                None if id.is_local() => Machine::Local(settings),
                Some(_) if id.is_local() => {
                    return Err(Failure::new(
                        FailureKind::Config,
                        "the machine `local` cannot have an ssh alias",
                    )
                    .hint("remove `ssh` there or give the machine another name"));
                }
                None => {
                    return Err(Failure::new(
                        FailureKind::Config,
                        format!("the machine `{id}` has no ssh alias"),
                    )
                    .hint(format!("set `ssh` under `[machine.{id}]`")));
                }
                Some(ref alias) if alias.is_empty() || alias.contains(char::is_control) => {
                    return Err(Failure::new(
                        FailureKind::Config,
                        format!("the ssh alias of the machine `{id}` is not usable"),
                    )
                    .hint("write a Host name of your ssh configuration"));
                }
                Some(_) => Machine::Far(Links::new(Arc::clone(&core), id.clone(), settings)),
            };
            table.insert(id, machine);
        }
        Ok(Self {
            core,
            machines: table,
            forwards: Arc::default(),
        })
    }

    /// Opens a forward from a private UNIX socket here to `host:port` as seen from the machine,
    /// or gives the one that is already open. It was seen to reach a listener.
    ///
    /// # Errors
    /// As for [`Remote`]; `Unreachable` when nothing listens there, `Denied` when the server
    /// refuses forwarding, `Usage` for `local`, where callers connect directly.
    pub async fn forward(&self, machine: &MachineId, host: &str, port: u16) -> Outcome<Forward> {
        let doing = || format!("opening the tunnel to {host}:{port} on `{machine}`");
        match self.machine(machine)? {
            Machine::Local(_) => Err(Failure::new(
                FailureKind::Usage,
                "this computer needs no tunnel: connect directly",
            )),
            Machine::Far(links) => {
                forward::open(&self.forwards, links.commands(), host, port).await
            }
        }
        .map_err(|failure| failure.doing(doing()))
    }

    /// Forgets a failed connection, so that the next look tries at once. For a person who has
    /// just repaired something; failures are remembered for up to 15 s, refusals for 60 s.
    pub async fn forget_failures(&self, machine: &MachineId) {
        if let Some(Machine::Far(links)) = self.machines.get(machine) {
            links.forget_failures().await;
        }
    }

    /// The system of a machine, if the config names it.
    pub fn os(&self, machine: &MachineId) -> Option<Os> {
        match self.machines.get(machine)? {
            Machine::Local(settings) => settings.os,
            Machine::Far(links) => links.settings().os,
        }
    }

    fn machine(&self, id: &MachineId) -> Outcome<&Machine> {
        if self.core.closed.is_cancelled() {
            return Err(explain::closed());
        }
        self.machines.get(id).ok_or_else(|| {
            Failure::new(FailureKind::Config, format!("there is no machine `{id}`"))
                .hint(format!("add `[machine.{id}]` to the config"))
        })
    }

    async fn run_on(&self, id: &MachineId, command: &RemoteCommand) -> Outcome<RunOutput> {
        let work = async {
            match self.machine(id)? {
                Machine::Local(settings) => {
                    local::run(&self.core.options.redactor, settings, command).await
                }
                Machine::Far(links) => command::run(links.commands(), command).await,
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            () = self.core.closed.cancelled() => Err(explain::closed().maybe_done()),
        }
        .map_err(|failure| {
            let program = command.argv.first().map_or("nothing", String::as_str);
            failure.doing(format!("running `{program}` on `{id}`"))
        })
    }
}

#[async_trait]
impl Remote for Ssh {
    async fn run(&self, machine: &MachineId, command: &RemoteCommand) -> Outcome<RunOutput> {
        self.run_on(machine, command).await
    }

    async fn follow(
        &self,
        machine: &MachineId,
        argv: &[String],
        sender: mpsc::Sender<StreamText>,
        stop: CancellationToken,
    ) -> Outcome<Option<i32>> {
        let work = async {
            match self.machine(machine)? {
                Machine::Local(settings) => {
                    let redactor = &self.core.options.redactor;
                    local::follow(redactor, settings, argv, &sender, &stop).await
                }
                Machine::Far(links) => command::follow(links, argv, &sender, &stop).await,
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            () = self.core.closed.cancelled() => Ok(None),
        }
        .map_err(|failure| {
            let program = argv.first().map_or("nothing", String::as_str);
            failure.doing(format!("following `{program}` on `{machine}`"))
        })
    }

    async fn check(&self, machine: &MachineId) -> Outcome<MachineCheck> {
        let output = self
            .run_on(machine, &RemoteCommand::new(["uname", "-s"]))
            .await
            .map_err(|failure| failure.doing(format!("checking `{machine}`")))?;
        let system = output.stdout.trim().to_owned();
        if output.status != Some(0) || system.is_empty() {
            return Err(Failure::new(
                FailureKind::Remote,
                format!(
                    "`uname -s` on `{machine}` gave no answer: {}",
                    output.stderr.trim()
                ),
            )
            .hint("the account there needs an ordinary shell"));
        }
        let reconnects = match self.machine(machine)? {
            Machine::Local(_) => 0,
            Machine::Far(links) => links.commands().reconnects(),
        };
        Ok(MachineCheck {
            round_trip: output.took,
            system,
            reconnects,
        })
    }

    async fn close(&self) {
        self.forwards.clear();
        self.core.closed.cancel();
        self.core.keepers.close();
        self.core.keepers.wait().await;
        self.core.folder.remove();
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        // The keepers end their processes; where the runtime is gone with them, the closed
        // pipes do (`master.rs`).
        self.core.closed.cancel();
        self.core.folder.remove();
    }
}
