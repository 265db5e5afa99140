//! Wiring: config to adapters to engine.

use crate::logging;
use cockpit_adapters::config::{self, Config, ConfigFile};
use cockpit_adapters::host_http::HostRegistry;
use cockpit_adapters::lab_control::ControlSocket;
use cockpit_adapters::packs::PackShelf;
use cockpit_adapters::secrets::Secrets;
use cockpit_adapters::ssh::{Ssh, SshOptions};
use cockpit_adapters::store::SqliteStore;
use cockpit_adapters::system::{SystemClock, owner_string};
use cockpit_adapters::web::WebClient;
use cockpit_cli::Session;
use cockpit_domain::screen::{KeySetting, ScreenSettings};
use cockpit_domain::text::Redactor;
use cockpit_engine::context::{Ports, Settings, Timing};
use cockpit_engine::failure::Outcome;
use cockpit_engine::handle::Handle;
use cockpit_engine::ports::FaultBoard;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tracing_appender::non_blocking::WorkerGuard;

/// A session and what has to live as long.
pub(crate) struct Wired {
    /// What the face runs with.
    pub(crate) session: Session,
    /// Whether there is no config yet.
    pub(crate) first_run: bool,
    /// What the config says of the screen.
    pub(crate) screen: ScreenSettings,
    /// What it says of the keys.
    pub(crate) keys: Vec<KeySetting>,
    _log: Option<WorkerGuard>,
}

/// Builds everything from a config file. Where `may_lack` says so, it goes on without one when
/// there is none yet: packs can be looked at, and the screen says what to write.
pub(crate) fn session(
    path: Option<&Path>,
    may_lack: bool,
    stop: CancellationToken,
) -> Outcome<Wired> {
    let first_run = may_lack && path.is_none() && !config::default_path()?.exists();
    let config = if first_run {
        config::empty()?
    } else {
        config::load(path).map_err(|failure| {
            failure.hint("mend the file as each line says; nothing was read or sent")
        })?
    };
    let redactor = Redactor::new();
    let packs = PackShelf::load(config.packs_dir.as_deref(), &config.vars)?;
    let store =
        SqliteStore::open(&config.state_dir, redactor.clone())?.sharing(config.lease_dir.clone());
    let log = logging::start(&config.state_dir);
    let ssh = Arc::new(Ssh::new(
        ssh_options(&config, &redactor),
        config.machines.clone(),
    )?);
    let secrets = Arc::new(Secrets::new(redactor.clone(), config.credentials.clone()));
    let hosts = HostRegistry::new(
        config.hosts.values().cloned(),
        ssh.clone(),
        secrets.clone(),
        redactor.clone(),
    );
    let faults = config
        .lab_control
        .as_ref()
        .map(|path| Arc::new(ControlSocket::new(path, redactor.clone())) as Arc<dyn FaultBoard>);
    let ports = Ports {
        hosts: Arc::new(hosts),
        remote: ssh.clone(),
        web: Arc::new(WebClient::new(ssh, redactor)),
        store: Arc::new(store),
        packs: Arc::new(packs),
        secrets,
        registrar: Arc::new(ConfigFile::of(&config)),
        clock: Arc::new(SystemClock),
        faults,
    };
    let settings = Settings {
        terms: config.terms(),
        machines: config.machines.keys().cloned().collect(),
        outside: config.outside.clone(),
        hosts: config.hosts,
        vars: config.vars,
        trust: config.trust,
        logs: config.logs,
        owner: owner_string(),
        timing: Timing::default(),
    };
    Ok(Wired {
        session: Session {
            handle: Handle::new(ports, settings),
            config: config.path,
            zone: zone(config.timezone.as_deref()),
            stop,
            holds: crate::signals::holds,
        },
        first_run,
        screen: config.screen,
        keys: config.keys,
        _log: log,
    })
}

/// Zone in which times are shown and dates are read.
fn zone(name: Option<&str>) -> TimeZone {
    match name {
        Some(name) => TimeZone::get(name).unwrap_or(TimeZone::UTC),
        None => TimeZone::system(),
    }
}

fn ssh_options(config: &Config, redactor: &Redactor) -> SshOptions {
    let mut options = SshOptions::new(runtime_dir(), redactor.clone());
    options.ssh_config.clone_from(&config.ssh_config);
    options
}

/// A short private folder for sockets: control paths have some 90 bytes. The ssh adapter makes it
/// 0700 and refuses one that belongs to somebody else.
fn runtime_dir() -> PathBuf {
    let base = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|dir| dir.is_dir());
    match base {
        Some(dir) if dir.as_os_str().len() <= 40 => dir.join("relay-cockpit"),
        _ => {
            let user = std::env::var("USER").unwrap_or_else(|_| "user".to_owned());
            let user: String = user
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .take(16)
                .collect();
            std::env::temp_dir().join(format!("relay-cockpit-{user}"))
        }
    }
}
