//! A simulated machine: one state from which commands, listening ports and traffic are read.

mod answer;
mod disk;
mod docker;
mod docker_format;
mod files;
mod psql;
mod sockets;
mod state;
mod system;

pub(crate) use answer::{Answer, Growing, Line, LivingLog, Output};
pub(crate) use disk::OnDisk;
pub(crate) use psql::{Rows, Tables};
pub(crate) use state::{Changed, Container, ContainerState, Listener, Process, Service};

use crate::faults::{Fault, FaultBoard};
use crate::machines::{CRM_LOG, crm_line};
use crate::net::AddressTable;
use crate::nginx::Site;
use crate::ssh::wrappers::{self, Asked};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// What a machine has when nothing is wrong with it.
#[derive(Default)]
pub(crate) struct Base {
    pub(crate) name: &'static str,
    pub(crate) containers: Vec<Container>,
    /// There only while the named fault is on.
    pub(crate) leftovers: Vec<(Fault, Container)>,
    /// Containers that come back when they are stopped while the named fault is on.
    pub(crate) stubborn: Vec<(Fault, &'static str)>,
    /// Containers that restart without end while the named fault is on.
    pub(crate) restarting: Vec<(Fault, &'static str)>,
    pub(crate) processes: Vec<Process>,
    pub(crate) site: Option<Site>,
    /// Processes that are there only while the named fault is on.
    pub(crate) leftover_processes: Vec<(Fault, Process)>,
    /// Files that are no logs, by path.
    pub(crate) disk: BTreeMap<&'static str, OnDisk>,
    /// Logs that can be read, by path; the journal is `journal`.
    pub(crate) files: BTreeMap<&'static str, Arc<LivingLog>>,
}

/// A machine of the lab.
pub(crate) struct Machine {
    base: Base,
    services: Mutex<Vec<Service>>,
    table: AddressTable,
    faults: FaultBoard,
    /// Containers somebody stopped by hand, and when.
    stopped: Mutex<BTreeMap<String, Timestamp>>,
    /// Containers somebody started again by hand, and when.
    started: Mutex<BTreeMap<String, Timestamp>>,
    /// Containers somebody removed by hand.
    removed: Mutex<BTreeSet<String>>,
    /// Files that a person removed, or moved to where they are now.
    gone: Mutex<BTreeMap<String, Option<OnDisk>>>,
    changes: watch::Sender<u64>,
}

/// Where the journal lies among the files.
pub(crate) const JOURNAL: &str = "journal";

impl Machine {
    pub(crate) fn new(base: Base, table: AddressTable, faults: FaultBoard) -> Arc<Self> {
        Arc::new(Self {
            base,
            services: Mutex::default(),
            table,
            faults,
            stopped: Mutex::default(),
            started: Mutex::default(),
            removed: Mutex::default(),
            gone: Mutex::default(),
            changes: watch::Sender::new(0),
        })
    }

    /// Says what answers at a port of `127.0.0.1` while something listens there.
    pub(crate) fn serve_at(&self, port: u16, at: SocketAddr) {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.push(Service { port, at });
        drop(services);
        self.settle();
    }

    pub(crate) fn name(&self) -> &'static str {
        self.base.name
    }

    /// Makes the address table agree with the state; called after everything that changes it.
    pub(crate) fn settle(&self) {
        let listeners = self.listeners();
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        for service in services.iter() {
            if listeners.iter().any(|at| at.port == service.port) {
                self.table
                    .bind(self.name(), "127.0.0.1", service.port, service.at);
            } else {
                self.table.unbind(self.name(), "127.0.0.1", service.port);
            }
        }
        drop(services);
        self.changes.send_modify(|count| *count += 1);
    }

    /// The real ports behind the machine's.
    #[cfg(test)]
    pub(crate) fn far_ports(&self) -> Vec<u16> {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.iter().map(|service| service.at.port()).collect()
    }

    /// Ticks whenever something about the machine changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn forwards_refused(&self) -> bool {
        self.faults.on(Fault::TunnelDown)
    }

    /// What a forward to `name:port` reaches now.
    pub(crate) fn forward_target(&self, name: &str, port: u16) -> Option<SocketAddr> {
        if self.forwards_refused() {
            return None;
        }
        self.reach(name, port)
    }

    /// What a connection made on this machine to `name:port` reaches now.
    pub(crate) fn reach(&self, name: &str, port: u16) -> Option<SocketAddr> {
        self.table.resolve(self.name(), name, port)
    }

    /// The nginx site as it is now.
    pub(crate) fn site(&self) -> Option<Site> {
        let mut site = self.base.site.clone()?;
        site.change(|fault| self.faults.on(fault));
        Some(site)
    }

    /// The site's file on disk, which may have been edited since it was loaded.
    pub(super) fn site_file(&self) -> Option<String> {
        let mut site = self.site()?;
        if self.faults.on(Fault::SiteFile) {
            site.point_root_at("http://127.0.0.1:9999");
        }
        if self.faults.on(Fault::SiteFileEdited) {
            site.more.push("client_body_timeout 5s");
        }
        Some(site.file_text())
    }

    /// The containers as they are now, stopped ones included.
    pub(crate) fn containers(&self) -> Vec<Container> {
        let mut containers = self.base.containers.clone();
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let by_hand = started.clone();
        drop(started);
        for container in &mut containers {
            let restarts = self
                .base
                .restarting
                .iter()
                .filter(|(_, name)| *name == container.name)
                .find_map(|(fault, _)| self.faults.since(*fault))
                // A restart by hand cures it.
                .filter(|since| by_hand.get(&container.name).is_none_or(|at| at < since));
            if let Some(since) = restarts {
                container.state = ContainerState::Restarting { since, code: 1 };
            }
        }
        if self.faults.on(Fault::HostDatabase) {
            for container in containers.iter_mut().filter(|one| one.name == "sub2api") {
                for (_, value) in container
                    .env
                    .iter_mut()
                    .filter(|(name, _)| name == "DATABASE_HOST")
                {
                    "sub2api-postgres-old".clone_into(value);
                }
            }
        }
        for (fault, container) in &self.base.leftovers {
            if let Some(since) = self.faults.since(*fault) {
                let mut container = container.clone();
                container.state = ContainerState::Running { since };
                containers.push(container);
            }
        }
        let removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        containers.retain(|container| !removed.contains(&container.name));
        drop(removed);
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        for container in &mut containers {
            if let Some(since) = stopped.get(&container.name) {
                container.state = ContainerState::Exited {
                    since: *since,
                    code: 0,
                };
            } else if let (Some(at), true) = (started.get(&container.name), container.running()) {
                container.state = ContainerState::Running { since: *at };
            }
        }
        containers
    }

    /// Who listens where, from processes and the published ports of running containers.
    pub(crate) fn listeners(&self) -> Vec<Listener> {
        let processes = self.processes();
        let own = processes.iter().flat_map(|process| {
            process.listens.iter().map(|(address, port)| Listener {
                address: (*address).to_owned(),
                port: *port,
                comm: process.comm().to_owned(),
                pid: process.pid,
            })
        });
        let published = self
            .containers()
            .into_iter()
            .filter(Container::running)
            .map(|container| Listener {
                address: "127.0.0.1".to_owned(),
                port: container.port,
                comm: "docker-proxy".to_owned(),
                pid: 3000 + u32::from(container.port) % 1000,
            });
        let mut listeners: Vec<Listener> = own.chain(published).collect();
        listeners.sort_by(|a, b| (a.port, &a.address).cmp(&(b.port, &b.address)));
        listeners
    }

    pub(crate) fn file(&self, path: &str) -> Option<&Arc<LivingLog>> {
        self.base.files.get(path)
    }

    /// Stops a container by hand; says whether there is one of that name.
    fn stop(&self, name: &str) -> bool {
        let mut stubborn = self.base.stubborn.iter();
        if stubborn.any(|(fault, known)| *known == name && self.faults.on(*fault)) {
            // Its restart policy has it up again at once.
            self.journal(
                "dockerd[912]",
                &format!("container {name}: stopped, restarted"),
            );
            return self.start(name);
        }
        self.by_hand(name, &self.stopped, &self.started)
    }

    /// Starts a container by hand; says whether there is one of that name.
    fn start(&self, name: &str) -> bool {
        self.by_hand(name, &self.started, &self.stopped)
    }

    /// Removes a stopped container by hand; says whether it could.
    fn remove(&self, name: &str) -> bool {
        let gone = |known: &Container| {
            known.name == name && matches!(known.state, ContainerState::Exited { .. })
        };
        if !self.containers().iter().any(gone) {
            return false;
        }
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        removed.insert(name.to_owned());
        drop(removed);
        self.journal("dockerd[912]", &format!("container {name}: removed"));
        self.settle();
        true
    }

    fn by_hand(
        &self,
        name: &str,
        into: &Mutex<BTreeMap<String, Timestamp>>,
        out_of: &Mutex<BTreeMap<String, Timestamp>>,
    ) -> bool {
        if !self.containers().iter().any(|known| known.name == name) {
            return false;
        }
        let now = Timestamp::now();
        let mut out_of = out_of.lock().unwrap_or_else(PoisonError::into_inner);
        out_of.remove(name);
        drop(out_of);
        let mut into = into.lock().unwrap_or_else(PoisonError::into_inner);
        into.insert(name.to_owned(), now);
        drop(into);
        self.journal("dockerd[912]", &format!("container {name}: state changed"));
        self.settle();
        true
    }

    /// Forgets what was stopped or started by hand: a fault that is set anew is whole again.
    pub(crate) fn forget_hands(&self, fault: Fault) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, container) in self.base.leftovers.iter().filter(|(at, _)| *at == fault) {
            stopped.remove(&container.name);
            started.remove(&container.name);
            removed.remove(&container.name);
        }
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, file) in &self.base.disk {
            if file.only_with == Some(fault) {
                gone.remove(*path);
            }
        }
    }

    /// Writes into the journal what the daemons notice of a fault.
    pub(crate) fn tell(&self, fault: Fault, on: bool) {
        for (_, name) in self.base.restarting.iter().filter(|(at, _)| *at == fault) {
            let what = if on {
                "exited (1), restarting"
            } else {
                "started"
            };
            self.journal("dockerd[912]", &format!("container {name} {what}"));
        }
        for (_, left) in self.base.leftovers.iter().filter(|(at, _)| *at == fault) {
            let what = if on { "started" } else { "removed" };
            self.journal("dockerd[912]", &format!("container {} {what}", left.name));
        }
        if let Some(line) = crm_line(fault).filter(|_| on)
            && let Some(log) = self.file(CRM_LOG)
        {
            log.add(false, &line);
        }
        if fault == Fault::TunnelDown {
            let what = if on { "no" } else { "yes" };
            self.journal("sshd[702]", &format!("Reloaded: AllowTcpForwarding {what}"));
        }
    }

    /// Writes a line into the journal.
    pub(crate) fn journal(&self, who: &str, text: &str) {
        if let Some(journal) = self.file(JOURNAL) {
            let at = Timestamp::now().strftime("%b %d %H:%M:%S");
            journal.add(false, &format!("{at} {} {who}: {text}", self.name()));
        }
    }

    /// Answers a command string as sshd would get it.
    pub(crate) fn run(&self, command: &str) -> Answer {
        match wrappers::read(command) {
            Asked::Words { words, kept } => {
                let mut answer = self.run_words(&words);
                answer.kept = kept;
                answer
            }
            Asked::Unusable(text) => Output::fail(2, text).into(),
        }
    }

    fn run_words(&self, words: &[String]) -> Answer {
        let Some((program, arguments)) = words.split_first() else {
            return Output::default().into();
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let known = program.rsplit('/').next().unwrap_or(program);
        match known {
            "docker" => self.docker(&arguments),
            "ss" => self.ss(&arguments).into(),
            "nginx" if self.base.site.is_some() => self.nginx(&arguments).into(),
            "tail" => self.tail(&arguments),
            "cat" => self.cat(&arguments).into(),
            "journalctl" => self.journalctl(&arguments),
            _ => self
                .system(known, &arguments)
                .unwrap_or_else(|| {
                    Output::fail(127, format!("bash: line 1: {program}: command not found\n"))
                })
                .into(),
        }
    }

    /// Programs that `command -v` finds.
    fn has_program(&self, name: &str) -> bool {
        system::PROGRAMS.contains(&name) || (name == "nginx" && self.base.site.is_some())
    }
}
