//! The user's configuration file: the registry of machines and hosts. Read, never written.

mod credential;
mod hosts;
mod logs;
mod read;
mod registrar;
mod rules;
mod screen;
mod sections;
#[cfg(test)]
mod tests;
mod themes;

pub use registrar::ConfigFile;
pub use themes::{ThemeFile, theme_files};

use crate::secrets::CredentialRef;
use crate::ssh::MachineSettings;
use cockpit_domain::finding::{Finding, Source};
use cockpit_domain::host::{HostSettings, HostTerms, Stay};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::log::LogSource;
use cockpit_domain::screen::{KeySetting, ScreenSettings};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use directories::{BaseDirs, ProjectDirs};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A whole configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// Folder of the store.
    pub state_dir: PathBuf,
    /// Folder of leases that several users share, if they do.
    pub lease_dir: Option<PathBuf>,
    /// For `ssh -F`; the user's own configuration if `None`.
    pub ssh_config: Option<PathBuf>,
    /// IANA name of the zone times are shown in; the system's own if `None`.
    pub timezone: Option<String>,
    /// Folder of packs; the built-in ones if `None`.
    pub packs_dir: Option<PathBuf>,
    /// Socket where faults can be switched, if they can.
    pub lab_control: Option<PathBuf>,
    /// Variables of packs, by `PACK.VAR`.
    pub vars: BTreeMap<String, String>,
    /// Fingerprints of own packs whose commands may run.
    pub trust: BTreeMap<PackId, String>,
    /// Machines; `local` is always among them.
    pub machines: BTreeMap<MachineId, MachineSettings>,
    /// The machine that looks from outside.
    pub outside: Option<MachineId>,
    /// Hosts.
    pub hosts: BTreeMap<HostId, HostSettings>,
    /// What else is known of each host.
    pub extras: BTreeMap<HostId, HostExtras>,
    /// How hosts are opened. A host without a credential can be looked at from outside only.
    pub credentials: BTreeMap<HostId, CredentialRef>,
    /// Sources of log lines, in the order of the file.
    pub logs: Vec<LogSource>,
    /// `[screen]`, for the face to judge.
    pub screen: ScreenSettings,
    /// `[keys]`, in the order of the file, for the face to judge.
    pub keys: Vec<KeySetting>,
}

impl Config {
    /// What is known of each host beside its settings, as the engine wants it.
    pub fn terms(&self) -> BTreeMap<HostId, HostTerms> {
        let terms = |extras: &HostExtras| HostTerms {
            container: extras.container.clone(),
            env_file: extras.env_file.clone(),
            stay: extras.temporary.as_ref().map(|stay| Stay {
                reason: stay.reason.clone(),
                port: stay.port,
                until: stay.expires.to_string(),
            }),
        };
        let extras = self.extras.iter();
        extras
            .map(|(id, extras)| (id.clone(), terms(extras)))
            .collect()
    }
}

/// What a host's section says beside its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostExtras {
    /// Container of the host itself.
    pub container: Option<String>,
    /// Its environment file, as a path on the machine.
    pub env_file: Option<String>,
    /// Set for temporary hosts.
    pub temporary: Option<Temporary>,
}

/// Why a temporary host stands where it stands, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temporary {
    /// Why.
    pub reason: String,
    /// The port it takes on its machine.
    pub port: u16,
    /// Last day it may stand.
    pub expires: jiff::civil::Date,
}

/// Where the file is looked for when none is named.
pub fn default_path() -> Outcome<PathBuf> {
    Ok(project()?.config_dir().join("config.toml"))
}

/// Reads the file, or the default one.
///
/// # Errors
/// `Config` with every fault of the file, one a line: `file:line:col: message (fix)`.
pub fn load(path: Option<&Path>) -> Outcome<Config> {
    check(path)?.map_err(|findings| {
        let lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
        Failure::new(FailureKind::Config, lines.join("\n")).doing("reading the configuration")
    })
}

/// Reads the file and gives its faults one by one.
///
/// # Errors
/// `Config` when the file cannot be read at all, or could be changed by other users.
pub fn check(path: Option<&Path>) -> Outcome<Result<Config, Vec<Finding>>> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => default_path()?,
    };
    let text = read_file(&path).map_err(|failure| failure.doing("reading the configuration"))?;
    let path = std::path::absolute(&path).unwrap_or(path);
    let base_dirs = BaseDirs::new();
    let home = base_dirs.as_ref().map(BaseDirs::home_dir);
    let state_dir = default_state_dir();
    parse(&path, &text, home, state_dir)
}

/// What is in force without any file: no machines, no hosts, the default folders.
pub fn empty() -> Outcome<Config> {
    let path = default_path()?;
    parse(&path, "", None, default_state_dir())?.map_err(|findings| {
        let lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
        Failure::new(FailureKind::Internal, lines.join("\n"))
    })
}

/// An example with every key, for people to begin with.
pub fn example() -> &'static str {
    include_str!("example.toml")
}

fn project() -> Outcome<ProjectDirs> {
    ProjectDirs::from("", "", "relay-cockpit").ok_or_else(|| {
        Failure::new(FailureKind::Config, "there is no home folder")
            .hint("set HOME, or name the file with `--config`")
    })
}

/// `$XDG_STATE_HOME/relay-cockpit`; where that notion is unknown, the local data folder.
fn default_state_dir() -> Outcome<PathBuf> {
    let project = project()?;
    Ok(project
        .state_dir()
        .unwrap_or_else(|| project.data_local_dir())
        .to_owned())
}

fn read_file(path: &Path) -> Outcome<String> {
    let shown = path.display();
    let refused = |message: String| Failure::new(FailureKind::Config, message);
    let meta = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => refused(format!("there is no `{shown}`")).hint(
            "write one with your machines and hosts, or try everything out with `cockpit --lab`",
        ),
        _ => refused(format!("`{shown}`: {error}")),
    })?;
    if !meta.is_file() {
        return Err(refused(format!("`{shown}` is not a file")));
    }
    let mode = meta.mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(refused(format!(
            "`{shown}` can be changed by other users (mode {mode:04o}), and it says which programs are run"
        ))
        .hint(format!("look through it, then run `chmod go-w {shown}`")));
    }
    std::fs::read_to_string(path).map_err(|error| refused(format!("`{shown}`: {error}")))
}

/// Reads a text; `state_dir` is used when the text names none.
fn parse(
    path: &Path,
    text: &str,
    home: Option<&Path>,
    state_dir: Outcome<PathBuf>,
) -> Outcome<Result<Config, Vec<Finding>>> {
    let shown = path.display().to_string();
    let source = Source::new(&shown, text);
    let read = match sections::read(source, path, home) {
        Ok(read) => read,
        Err(findings) => return Ok(Err(findings)),
    };
    let state_dir = match read.state_dir {
        Some(named) => named,
        None => state_dir?,
    };
    let mut config = Config {
        path: path.to_owned(),
        state_dir,
        lease_dir: read.lease_dir,
        ssh_config: read.ssh_config,
        timezone: read.timezone,
        packs_dir: read.packs_dir,
        lab_control: read.lab_control,
        vars: read.vars,
        trust: read.trust,
        machines: read.machines,
        outside: read.outside,
        hosts: BTreeMap::new(),
        extras: BTreeMap::new(),
        credentials: BTreeMap::new(),
        logs: read.logs,
        screen: read.screen,
        keys: read.keys,
    };
    for host in read.hosts {
        let id = host.settings.id.clone();
        if let Some(credential) = host.credential {
            config.credentials.insert(id.clone(), credential);
        }
        config.extras.insert(id.clone(), host.extras);
        config.hosts.insert(id, host.settings);
    }
    Ok(Ok(config))
}
