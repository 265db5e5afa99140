//! The lab's folder: keys, the ssh configuration and the cockpit's configuration. Folder 0700,
//! files 0600; removed at the end unless the caller chose its place.

use crate::error::LabError;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where the lab's files lie.
pub(crate) struct Folder {
    path: PathBuf,
    /// Removes the folder when dropped.
    own: Option<TempDir>,
}

impl Folder {
    /// A folder of its own below the system's temporary one, or the given place.
    pub(crate) fn open(root: Option<PathBuf>) -> Result<Self, LabError> {
        let folder = if let Some(path) = root {
            let failed = |source| LabError::Write {
                path: path.clone(),
                source,
            };
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(failed)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
            let path = path.canonicalize().map_err(failed)?;
            Self { path, own: None }
        } else {
            let own = tempfile::Builder::new()
                .prefix("cockpit-lab-")
                .permissions(fs::Permissions::from_mode(0o700))
                .tempdir()
                .map_err(|source| LabError::Write {
                    path: std::env::temp_dir(),
                    source,
                })?;
            Self {
                path: own.path().to_owned(),
                own: Some(own),
            }
        };
        folder.make_dir("state")?;
        Ok(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn make_dir(&self, name: &str) -> Result<(), LabError> {
        let path = self.path(name);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|source| LabError::Write { path, source })
    }

    /// Writes a file that only its owner can read; an older one is replaced whole.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, LabError> {
        let path = self.path(name);
        let written = replace(&path, text);
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(LabError::Write { path, source }),
        }
    }

    /// Removes what must not outlive the lab: everything, or the socket if the place was chosen.
    pub(crate) fn close(&mut self) {
        // Already gone is as good.
        drop(fs::remove_file(self.path("control.sock")));
        if let Some(own) = self.own.take() {
            drop(own.close());
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.close();
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// The `ssh_config` for the machines.
pub(crate) fn ssh_config(folder: &Folder, machines: &[(&str, SocketAddr)]) -> String {
    let mut out = String::new();
    for (name, at) in machines {
        let _ = write!(
            out,
            "Host {name}\n    HostName {}\n    Port {}\n    User ubuntu\n    IdentityFile \"{}\"\n    \
             IdentitiesOnly yes\n    IdentityAgent none\n    UserKnownHostsFile \"{}\"\n    \
             GlobalKnownHostsFile none\n    StrictHostKeyChecking yes\n\n",
            at.ip(),
            at.port(),
            folder.path("client_key").display(),
            folder.path("known_hosts").display(),
        );
    }
    out
}

/// The cockpit's `config.toml`.
pub(crate) fn config(folder: &Folder, public_base: &str) -> String {
    let path = |name: &str| toml_text(&folder.path(name).display().to_string());
    format!(
        r#"state_dir = {state}
ssh_config = {ssh}
timezone = "UTC"

[lab]
control = {control}

[vars]
"tksea.public_base" = {public}

[machine.remote43]
ssh = "remote43"

[machine.accept44]
ssh = "accept44"
outside = true

[host.prod]
machine = "remote43"
address = "127.0.0.1:8080"
role = "production"
baseline = "tksea"
neighbours = ["127.0.0.1:18190"]
db_container = "sub2api-postgres"
redis_container = "sub2api-redis"
admin = {{ key = {{ file = {prod} }} }}

[host.accept]
machine = "accept44"
address = "127.0.0.1:8080"
role = "acceptance"
admin = {{ key = {{ file = {accept} }} }}

[log.nginx-access]
machine = "remote43"
file = "/var/log/nginx/access.log"

[log.nginx-error]
machine = "remote43"
file = "/var/log/nginx/error.log"

[log.control-plane]
machine = "remote43"
file = "/home/ubuntu/crm-only-20260602_18190/server.log"

[log.sub2api-prod]
machine = "remote43"
host = "prod"
container = "sub2api"

[log.sub2api-accept]
machine = "accept44"
host = "accept"
container = "sub2api-accept"
"#,
        state = path("state"),
        ssh = path("ssh_config"),
        control = path("control.sock"),
        public = toml_text(public_base),
        prod = path("prod.key"),
        accept = path("accept.key"),
    )
}

/// A TOML basic string.
fn toml_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
