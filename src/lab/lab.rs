//! The lab as a whole: starts everything, says where it is, ends everything.

use crate::control::Control;
use crate::crm;
use crate::error::LabError;
use crate::faults::{Fault, FaultBoard, FaultRow};
use crate::fleet::{self, Fleet, HostLog};
use crate::folder::{self, Folder};
use crate::machine::Machine;
use crate::machines::{ACCEPT44, accept44, remote43};
use crate::net::AddressTable;
use crate::nginx::{self, Front, NginxLogs};
use crate::request_log::RequestLog;
use crate::serve::{Life, serve_http, serve_mute};
use crate::ssh::{self, SshKey, known_hosts_line};
use crate::sub2api::SimHost;
use crate::switch::Switchboard;
use crate::upstream::Vendor;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the end of the lab waits for what it started.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// How to start a lab.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// Folder for keys and configuration; none is a fresh one that is removed at the end.
    pub state_root: Option<PathBuf>,
    /// How long the hosts' background look at a new account takes; up to 8 s on a real one.
    pub probe_delay: Duration,
    /// How often the logs tell of a request of users who are not there; never if `None`.
    pub pulse: Option<Duration>,
}

impl Default for LabOptions {
    fn default() -> Self {
        Self {
            state_root: None,
            probe_delay: Duration::from_millis(500),
            pulse: None,
        }
    }
}

/// A running lab. Dropping it ends it; `shutdown` also waits until it has ended.
pub struct Lab {
    folder: Folder,
    life: Life,
    parts: Parts,
}

/// What a started lab consists of.
struct Parts {
    log: RequestLog,
    switchboard: Switchboard,
    fleet: Fleet,
    public_base: String,
    #[cfg(test)]
    machines: Vec<Arc<Machine>>,
}

impl Lab {
    /// Starts every listener in the caller's runtime and writes the files.
    pub async fn start(options: LabOptions) -> Result<Self, LabError> {
        let folder = Folder::open(options.state_root.clone())?;
        let life = Life::default();
        match assemble(&options, &folder, &life).await {
            Ok(parts) => Ok(Self {
                folder,
                life,
                parts,
            }),
            Err(error) => {
                life.end.cancel();
                Err(error)
            }
        }
    }

    /// The cockpit's configuration for this lab.
    pub fn config_path(&self) -> PathBuf {
        self.folder.path("config.toml")
    }

    /// The `ssh_config` that knows the machines.
    pub fn ssh_config(&self) -> PathBuf {
        self.folder.path("ssh_config")
    }

    /// Where faults are switched.
    pub fn control_socket(&self) -> PathBuf {
        self.folder.path("control.sock")
    }

    /// URL that stands for the public base `https://sub.tksea.top`.
    pub fn public_base(&self) -> String {
        self.parts.public_base.clone()
    }

    /// Every request that reached a simulated service.
    pub fn log(&self) -> &RequestLog {
        &self.parts.log
    }

    /// The acceptance host for `accept`, else the production host.
    pub fn host(&self, name: &str) -> &SimHost {
        match name {
            "accept" => &self.parts.fleet.accept,
            _ => &self.parts.fleet.prod,
        }
    }

    /// The chat-only vendor for `chat`, else the good one.
    pub fn vendor(&self, name: &str) -> &Vendor {
        match name {
            "chat" => &self.parts.fleet.chat,
            _ => &self.parts.fleet.good,
        }
    }

    /// Sets a fault; setting it twice is setting it once.
    pub fn set_fault(&self, name: &str) -> Result<(), LabError> {
        self.parts.switchboard.switch(name, true)
    }

    /// Clears a fault; clearing one that is off changes nothing.
    pub fn clear_fault(&self, name: &str) -> Result<(), LabError> {
        self.parts.switchboard.switch(name, false)
    }

    /// Every fault and whether it is on.
    pub fn faults(&self) -> Vec<FaultRow> {
        self.parts.switchboard.rows()
    }

    /// Ports of this computer behind the machines' own, for drills of the end.
    #[cfg(test)]
    pub(crate) fn listeners(&self) -> Vec<u16> {
        let machines = self.parts.machines.iter();
        machines.flat_map(|machine| machine.far_ports()).collect()
    }

    /// Ends everything and waits for it: no listener, connection or task is left, and no folder
    /// unless the caller chose its place.
    pub async fn shutdown(mut self) {
        self.life.end.cancel();
        self.life.tasks.close();
        // Tasks end by themselves within milliseconds; the limit only keeps a fault of the lab
        // from hanging the program that embeds it.
        drop(tokio::time::timeout(LAST_WAIT, self.life.tasks.wait()).await);
        self.folder.close();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.life.end.cancel();
    }
}

/// Starts what the lab is made of, the far ends first.
async fn assemble(options: &LabOptions, folder: &Folder, life: &Life) -> Result<Parts, LabError> {
    let (table, log) = (AddressTable::default(), RequestLog::default());
    let (board, logs) = (FaultBoard::default(), NginxLogs::new());
    let client = http_client()?;
    let fleet = Fleet::new(&table, &log, options.probe_delay);
    fleet.serve_vendors(&table, life).await?;

    let prod_log = Arc::new(HostLog(fleet.prod.log_lines()));
    let accept_log = Arc::new(HostLog(fleet.accept.log_lines()));
    let production = Machine::new(
        remote43(&logs, prod_log, Arc::new(fleet.prod.clone())),
        table.clone(),
        board.clone(),
    );
    let acceptance = Machine::new(
        accept44(accept_log, Arc::new(fleet.accept.clone())),
        table.clone(),
        board.clone(),
    );
    production.serve_at(8080, serve_http(fleet.prod.router(), life).await?);
    acceptance.serve_at(8080, serve_http(fleet.accept.router(), life).await?);
    let front = Front {
        machine: production.clone(),
        logs,
        seen: log.clone(),
        client,
    };
    if let Some(every) = options.pulse {
        life.tasks
            .spawn(beat(every, front.clone(), fleet.clone(), life.end.clone()));
    }
    let front = nginx::router(front);
    let public = serve_http(front.clone(), life).await?;
    // A public name leads to nginx from its own machine as well.
    table.bind("*", &public.ip().to_string(), public.port(), public);
    let public_base = format!("http://{public}");
    production.serve_at(80, serve_http(front, life).await?);
    production.serve_at(18190, serve_http(crm::router(log.clone()), life).await?);
    let old_stack = serve_http(crm::leftover_router(), life).await?;
    production.serve_at(18192, old_stack);
    let mute = serve_mute(life).await?;
    for port in [22, 443, 5432, 6379] {
        production.serve_at(port, mute);
        acceptance.serve_at(port, mute);
    }

    let machines = vec![production, acceptance];
    let beyond = fleet.clone();
    let names = table.clone();
    let effect = Arc::new(move |fault, on| {
        let (name, port) = (public.ip().to_string(), public.port());
        match (fault, on) {
            (Fault::OutsideOld, true) => names.bind(ACCEPT44, &name, port, old_stack),
            (Fault::OutsideOld, false) => names.unbind(ACCEPT44, &name, port),
            _ => beyond.switch(fault, on),
        }
    });
    let switchboard = Switchboard::new(board, machines.clone(), effect);
    open_machines(folder, life, &machines).await?;
    folder.write("prod.key", fleet::PROD_ADMIN_KEY)?;
    folder.write("accept.key", fleet::ACCEPT_ADMIN_KEY)?;
    folder.write("config.toml", &folder::config(folder, &public_base))?;
    let control = Control {
        switchboard: switchboard.clone(),
        log: log.clone(),
    };
    control.serve(&folder.path("control.sock"), life)?;
    Ok(Parts {
        log,
        switchboard,
        fleet,
        public_base,
        #[cfg(test)]
        machines,
    })
}

/// Logs of a fleet at work: a line or two now and then, made from the state as it is. No request is
/// sent, so nothing is billed, cooled down or counted.
async fn beat(every: Duration, front: Front, fleet: Fleet, end: CancellationToken) {
    for number in 1_u64.. {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = end.cancelled() => return,
        }
        nginx::pulse(&front, number, || fleet.pulse(number));
        if number % 3 == 0 {
            fleet.accept.pulse_models();
        }
    }
}

/// Starts the SSH servers and writes what a client needs to reach them.
async fn open_machines(
    folder: &Folder,
    life: &Life,
    machines: &[Arc<Machine>],
) -> Result<(), LabError> {
    let client = SshKey::generate()?;
    folder.write("client_key", &client.pem()?)?;
    let (mut known, mut named) = (String::new(), Vec::new());
    for machine in machines {
        let host_key = SshKey::generate()?;
        let at = ssh::serve(machine.clone(), &host_key, client.public(), life).await?;
        known.push_str(&known_hosts_line(at, &host_key)?);
        named.push((machine.name(), at));
    }
    folder.write("known_hosts", &known)?;
    folder.write("ssh_config", &folder::ssh_config(folder, &named))?;
    Ok(())
}

pub(crate) fn http_client() -> Result<reqwest::Client, LabError> {
    // A second installation is refused, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .build()
        .map_err(|error| LabError::Client(error.to_string()))
}
