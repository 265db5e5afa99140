//! A server of its own for each test: own keys, own configuration, own folder. Nothing of the
//! user's is read or written.

use crate::ssh::{MachineSettings, Ssh, SshOptions};
use cockpit_domain::ids::MachineId;
use cockpit_domain::text::Redactor;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";

/// The machines of the test configuration; each is the same server with another flaw.
const MACHINES: &[&str] = &[
    "edge",
    "wrong",
    "unknown",
    "changed",
    "locked",
    "refused",
    "nowhere",
    "jumped",
    "jump-locked",
    "jump-unknown",
    "silent",
];

pub(super) struct Server {
    dir: TempDir,
    pub(super) port: u16,
    child: Option<Child>,
    extra: String,
}

/// Ends a test that hangs.
pub(super) async fn limited<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), test)
        .await
        .expect("the test took longer than 60 s")
}

/// Polls until something is so.
pub(super) async fn until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(super) fn id(name: &str) -> MachineId {
    MachineId::new(name).unwrap()
}

pub(super) fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .stderr(Stdio::null())
        .status();
    assert!(sent.is_ok());
}

/// Whether a process runs; one that is dead but not yet collected does not.
pub(super) fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().unwrap_or("Z").starts_with('Z'))
}

pub(super) fn children(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in list.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            found.push(child);
            found.extend(children(child));
        }
    }
    found
}

/// Every living process whose arguments name this text.
pub(super) fn naming(text: &str) -> Vec<u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| arguments(*pid).contains(text) && lives(*pid))
        .collect()
}

pub(super) fn arguments(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

fn keygen(path: &Path, passphrase: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-C", "test", "-N", passphrase, "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
}

impl Server {
    /// Starts one; `None` (and a line that says so) where there is no sshd.
    pub(super) fn start() -> Option<Self> {
        Self::start_with("")
    }

    pub(super) fn start_with(extra: &str) -> Option<Self> {
        if !Path::new(SSHD).exists() || !Path::new("/proc/self").exists() {
            println!("SKIPPED: there is no {SSHD} or no /proc here");
            return None;
        }
        // As the service does at its start; only root needs it, only root can.
        drop(fs::create_dir("/run/sshd"));
        let dir = tempfile::Builder::new().prefix("cks").tempdir().unwrap();
        for (name, passphrase) in [
            ("host", ""),
            ("other_host", ""),
            ("client", ""),
            ("wrong", ""),
            ("locked", "correct horse"),
        ] {
            keygen(&dir.path().join(name), passphrase);
        }
        let public = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        fs::write(
            dir.path().join("authorized_keys"),
            public("client.pub") + &public("locked.pub"),
        )
        .unwrap();
        let mut server = Self {
            dir,
            port: 0,
            child: None,
            extra: extra.to_owned(),
        };
        for _ in 0..5 {
            server.port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            server.configure();
            if server.up() {
                return Some(server);
            }
        }
        let said = fs::read_to_string(server.dir.path().join("log")).unwrap_or_default();
        println!("SKIPPED: sshd does not start here: {said}");
        None
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn configure(&self) {
        let at = |name: &str| self.path(name).display().to_string();
        fs::write(
            self.path("sshd_config"),
            format!(
                "ListenAddress 127.0.0.1\nPort {}\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\n\
                 StrictModes no\nUsePAM no\nPasswordAuthentication no\n\
                 KbdInteractiveAuthentication no\nPermitRootLogin yes\nSetEnv SHLVL=5\n{}\n",
                self.port,
                at("host"),
                at("authorized_keys"),
                self.extra
            ),
        )
        .unwrap();
        let known = |key: &str| {
            let public = fs::read_to_string(self.path(key)).unwrap();
            format!("[127.0.0.1]:{} {public}", self.port)
        };
        fs::write(self.path("known"), known("host.pub")).unwrap();
        fs::write(self.path("known_other"), known("other_host.pub")).unwrap();
        fs::write(self.path("known_none"), "").unwrap();
        let mut config = String::new();
        for (alias, key, hosts, more) in [
            ("edge", "client", "known", ""),
            ("wrong", "wrong", "known", ""),
            ("unknown", "client", "known_none", ""),
            ("changed", "client", "known_other", ""),
            ("locked", "locked", "known", ""),
            ("jumped", "client", "known", "ProxyJump edge"),
            ("jump-locked", "client", "known", "ProxyJump locked"),
            ("jump-unknown", "client", "known", "ProxyJump unknown"),
        ] {
            let _ = write!(
                config,
                "Host {alias}\n  HostName 127.0.0.1\n  Port {}\n  IdentityFile {}\n  \
                 UserKnownHostsFile {}\n  {more}\n",
                self.port,
                at(key),
                at(hosts)
            );
        }
        let _ = write!(
            config,
            "Host refused\n  HostName 127.0.0.1\n  Port 1\nHost nowhere\n  HostName nowhere.invalid\n\
             Host silent\n  HostName 127.0.0.1\n  Include {}\n\
             Host *\n  GlobalKnownHostsFile none\n  IdentitiesOnly yes\n  IdentityAgent none\n  \
             StrictHostKeyChecking ask\n",
            at("silent_config")
        );
        fs::write(self.path("silent_config"), "Port 2\n").unwrap();
        fs::write(self.path("config"), &config).unwrap();
        fs::write(
            self.path("config_broken"),
            format!("Frobnicate yes\n{config}"),
        )
        .unwrap();
    }

    /// Starts the server on its port. Whether it listens.
    pub(super) fn up(&mut self) -> bool {
        let log = fs::File::create(self.path("log")).unwrap();
        let mut child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(self.path("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                self.child = Some(child);
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(child.kill());
        drop(child.wait());
        false
    }

    /// The server's processes, without the commands they run.
    pub(super) fn processes(&self) -> Vec<u32> {
        let Some(child) = &self.child else {
            return Vec::new();
        };
        let mut all = children(child.id());
        all.retain(|pid| arguments(*pid).starts_with("sshd"));
        all
    }

    /// Kills the listener and every session.
    pub(super) fn kill(&mut self) {
        let sessions = self.processes();
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
        for pid in sessions {
            signal("KILL", pid);
        }
    }

    pub(super) fn options(&self, runtime: &Path) -> SshOptions {
        SshOptions {
            ssh_config: Some(self.path("config")),
            connect_timeout: Duration::from_secs(5),
            ..SshOptions::new(runtime, Redactor::new())
        }
    }

    pub(super) fn ssh(&self) -> Ssh {
        Self::ssh_with(self.options(&self.path("r")))
    }

    pub(super) fn ssh_with(options: SshOptions) -> Ssh {
        let machines: BTreeMap<_, _> = MACHINES
            .iter()
            .map(|name| {
                let settings = MachineSettings {
                    ssh: Some((*name).to_owned()),
                    ..MachineSettings::default()
                };
                (id(name), settings)
            })
            .collect();
        Ssh::new(options, machines).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
