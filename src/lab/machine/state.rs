//! The things on a machine: containers, processes, listening sockets. Plain data; what is up at
//! this moment is decided in `mod.rs` from the faults.

use super::answer::Growing;
use super::psql::Tables;
use crate::faults::Fault;
use jiff::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;

/// How a container is at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContainerState {
    Running { since: Timestamp },
    Restarting { since: Timestamp, code: u32 },
    Exited { since: Timestamp, code: u32 },
}

/// A container, as `docker ps` knows it.
#[derive(Clone)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) command: String,
    pub(crate) created: Timestamp,
    pub(crate) state: ContainerState,
    pub(crate) healthcheck: bool,
    /// Published on `127.0.0.1` under the same number.
    pub(crate) port: u16,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) labels: Vec<(&'static str, &'static str)>,
    pub(crate) log: Arc<dyn Growing>,
    /// What a database container holds.
    pub(crate) tables: Option<Arc<dyn Tables>>,
}

impl Container {
    pub(crate) fn running(&self) -> bool {
        matches!(self.state, ContainerState::Running { .. })
    }

    /// 64 hex digits that belong to the name.
    pub(crate) fn id(&self) -> String {
        cockpit_domain::secret::sha256_hex(&format!("container {}", self.name))
    }

    pub(crate) fn ports(&self) -> String {
        if self.running() {
            format!("127.0.0.1:{0}->{0}/tcp", self.port)
        } else {
            String::new()
        }
    }
}

/// A process of the machine itself.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) user: &'static str,
    /// Path of the executable.
    pub(crate) exe: &'static str,
    pub(crate) args: String,
    /// Address and port it listens on.
    pub(crate) listens: Vec<(&'static str, u16)>,
    /// When it was started.
    pub(crate) started: Timestamp,
    /// Files it has open.
    pub(crate) open: Vec<&'static str>,
    /// What is different about it while a fault is on.
    pub(crate) while_on: Vec<(Fault, Changed)>,
    /// The fault under which it does not run.
    pub(crate) gone_with: Option<Fault>,
}

/// What a fault changes about a process.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) exe: &'static str,
    pub(crate) args: &'static str,
    pub(crate) open: Vec<&'static str>,
}

impl Process {
    /// The name the kernel keeps: 15 characters at most.
    pub(crate) fn comm(&self) -> &'static str {
        let name = self.exe.rsplit('/').next().unwrap_or(self.exe);
        name.get(..15).unwrap_or(name)
    }
}

/// One row of `ss -ltn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) address: String,
    pub(crate) port: u16,
    pub(crate) comm: String,
    pub(crate) pid: u32,
}

/// What really answers when somebody connects to a port of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    pub(crate) port: u16,
    pub(crate) at: SocketAddr,
}
