//! The lab as a whole: starts everything, says where it is, ends everything.

use crate::control::Control;
use crate::crm;
use crate::error::LabError;
use crate::faults::{FaultBoard, FaultRow};
use crate::folder::{self, Folder};
use crate::machine::Machine;
use crate::machines::{accept44, remote43};
use crate::net::AddressTable;
use crate::nginx::{self, Front, NginxLogs};
use crate::request_log::RequestLog;
use crate::serve::{Life, serve_http, serve_mute};
use crate::ssh::{self, SshKey, known_hosts_line};
use crate::switch::Switchboard;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long the end of the lab waits for what it started.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// How to start a lab.
#[derive(Debug, Clone, Default)]
pub struct LabOptions {
    /// Folder for keys and configuration; none is a fresh one that is removed at the end.
    pub state_root: Option<PathBuf>,
}

/// A running lab. Dropping it ends it; `shutdown` also waits until it has ended.
pub struct Lab {
    folder: Folder,
    life: Life,
    log: RequestLog,
    switchboard: Switchboard,
    public_base: String,
}

impl Lab {
    /// Starts every listener in the caller's runtime and writes the files.
    pub async fn start(options: LabOptions) -> Result<Self, LabError> {
        let mut folder = Folder::open(options.state_root)?;
        let life = Life::default();
        match Self::assemble(&mut folder, &life).await {
            Ok((log, switchboard, public_base)) => Ok(Self {
                folder,
                life,
                log,
                switchboard,
                public_base,
            }),
            Err(error) => {
                life.end.cancel();
                Err(error)
            }
        }
    }

    async fn assemble(
        folder: &mut Folder,
        life: &Life,
    ) -> Result<(RequestLog, Switchboard, String), LabError> {
        let (table, log, board) = (
            AddressTable::default(),
            RequestLog::default(),
            FaultBoard::default(),
        );
        let logs = NginxLogs::new();
        let host_log = crate::machine::LivingLog::new();
        let stand_in = crm::leftover_router();

        let production = Machine::new(
            remote43(&logs, host_log.clone()),
            table.clone(),
            board.clone(),
        );
        let acceptance = Machine::new(accept44(host_log), table.clone(), board.clone());
        production.serve_at(8080, serve_http(stand_in.clone(), life).await?);
        acceptance.serve_at(8080, serve_http(stand_in, life).await?);

        let client = http_client()?;
        let front = nginx::router(Front {
            machine: production.clone(),
            logs,
            seen: log.clone(),
            client,
        });
        let public = serve_http(front.clone(), life).await?;
        let public_base = format!("http://{public}");
        production.serve_at(80, serve_http(front, life).await?);
        production.serve_at(18190, serve_http(crm::router(log.clone()), life).await?);
        production.serve_at(18192, serve_http(crm::leftover_router(), life).await?);
        let mute = serve_mute(life).await?;
        for port in [22, 443, 5432, 6379] {
            production.serve_at(port, mute);
        }
        for port in [22, 5432, 6379] {
            acceptance.serve_at(port, mute);
        }
        let switchboard = Switchboard::new(
            board,
            vec![production.clone(), acceptance.clone()],
            Arc::new(|_, _| {}),
        );
        open_machines(folder, life, &[production, acceptance]).await?;
        folder.write("config.toml", &folder::config(folder, &public_base))?;
        let control = Control {
            switchboard: switchboard.clone(),
            log: log.clone(),
        };
        control.serve(&folder.path("control.sock"), life)?;
        Ok((log, switchboard, public_base))
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
        self.public_base.clone()
    }

    /// Every request that reached a simulated service.
    pub fn log(&self) -> &RequestLog {
        &self.log
    }

    /// Sets a fault; setting it twice is setting it once.
    pub fn set_fault(&self, name: &str) -> Result<(), LabError> {
        self.switchboard.switch(name, true)
    }

    /// Clears a fault; clearing one that is off changes nothing.
    pub fn clear_fault(&self, name: &str) -> Result<(), LabError> {
        self.switchboard.switch(name, false)
    }

    /// Every fault and whether it is on.
    pub fn faults(&self) -> Vec<FaultRow> {
        self.switchboard.rows()
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
