//! What the live path stands on: a loopback sshd with keys of its own, two vendors, packs that
//! name them, a config, and the host's admin API by hand.

use crate::support::{COCKPIT, Ran, run};
use cockpit_lab::request_log::RequestLog;
use cockpit_lab::upstream::{Vendor, VendorKind};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const SSHD: &str = "/usr/sbin/sshd";

/// Everything a live test needs; ends with it.
pub(super) struct Ground {
    dir: TempDir,
    sshd: Child,
    runtime: Runtime,
    address: String,
    admin_key: String,
    salt: String,
}

impl Ground {
    /// Lays the ground; `None`, and a line that says so, when no host is named.
    pub(super) fn lay() -> Option<Self> {
        let named = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (Some(address), Some(key_file)) = (
            named("COCKPIT_LIVE_ADDRESS"),
            named("COCKPIT_LIVE_ADMIN_KEY_FILE"),
        ) else {
            println!(
                "SKIPPED (no live host named): set COCKPIT_LIVE_ADDRESS and COCKPIT_LIVE_ADMIN_KEY_FILE"
            );
            return None;
        };
        let admin_key = std::fs::read_to_string(key_file).unwrap().trim().to_owned();
        // Every http client wants one, also for plain http; another test may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let dir = tempfile::Builder::new().prefix("ckl").tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let good = serve(&runtime, VendorKind::Good);
        let chat = serve(&runtime, VendorKind::ChatOnly);
        pack(dir.path(), "live-good", good, "");
        pack(
            dir.path(),
            "live-chat",
            chat,
            "responses_mode = \"force_chat_completions\"\n",
        );
        let sshd = start_sshd(dir.path());
        let salt = dir
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .replace(['.', '_'], "");
        let key = dir.path().join("admin.key");
        write_private(&key, &admin_key);
        write_private(
            &dir.path().join("config.toml"),
            &format!(
                "state_dir = \"{}\"\nssh_config = \"{}\"\npacks_dir = \"{}\"\n\
                 [machine.box]\nssh = \"box\"\n[host.live]\nmachine = \"box\"\naddress = \"{address}\"\n\
                 role = \"acceptance\"\nadmin = {{ key = {{ file = \"{}\" }} }}\n",
                dir.path().join("state").display(),
                dir.path().join("ssh_config").display(),
                dir.path().join("packs").display(),
                key.display(),
            ),
        );
        Some(Self {
            dir,
            sshd,
            runtime,
            address,
            admin_key,
            salt,
        })
    }

    /// A key the vendors judge by its prefix; never the same in two runs.
    pub(super) fn key(&self, kind: &str, number: usize) -> String {
        format!("sk-lab-{kind}-{}-{number:04}", self.salt)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(COCKPIT);
        command
            .args(words)
            .arg("--config")
            .arg(self.dir.path().join("config.toml"));
        command
    }

    /// Runs the program on this ground.
    pub(super) fn run(&self, words: &[&str]) -> Ran {
        run(&mut self.command(words), None)
    }

    /// The same, with text on its standard input.
    pub(super) fn run_with(&self, words: &[&str], input: &str) -> Ran {
        run(&mut self.command(words), Some(input))
    }

    /// Starts it and goes on.
    pub(super) fn spawn(&self, words: &[&str]) -> Child {
        let mut command = self.command(words);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// The same, with what it prints kept for its end.
    pub(super) fn spawn_read(&self, words: &[&str]) -> Child {
        let mut command = self.command(words);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Type and name of everything the host lists, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (kind, path, field) in [
            ("group", "groups", "name"),
            ("channel", "channels", "name"),
            ("account", "accounts", "name"),
            ("user", "users", "email"),
            ("subscription", "subscriptions", "notes"),
            ("plan", "payment/plans", "name"),
        ] {
            let data = self.admin("GET", &format!("{path}?page_size=1000"), None)["data"].clone();
            let rows = data["items"]
                .as_array()
                .or_else(|| data.as_array())
                .cloned()
                .unwrap_or_default();
            assert!(rows.len() < 1000, "too many rows for this test");
            // Newer hosts go on listing revoked subscriptions, which give no right any more.
            let living = rows.iter().filter(|row| row["status"] != "revoked");
            names.extend(
                living.map(|row| format!("{kind} {}", row[field].as_str().unwrap_or_default())),
            );
        }
        names.sort();
        names
    }

    /// Changes one field of the batch's channel, as somebody in the host's panel would.
    pub(super) fn edit_by_hand(&self, batch: &Value) {
        let shown = self
            .run(&["batch", "show", &batch["id"].to_string(), "--json"])
            .json();
        let resources = shown["resources"].as_array().unwrap();
        let channel = resources
            .iter()
            .find(|row| row["type"] == "channel")
            .unwrap();
        let path = format!("channels/{}", channel["host_resource_id"].as_str().unwrap());
        let edited = self.admin("PUT", &path, Some(json!({"restrict_models": false})));
        assert_eq!(edited["code"], 0, "{edited}");
    }

    /// The managed user of a provider; `None` without one.
    pub(super) fn user(&self, provider: &str) -> Option<Value> {
        let email = format!("relay-{provider}@cockpit.invalid");
        let users = self.admin("GET", "users?page_size=1000", None)["data"]["items"].clone();
        let mut users = users.as_array()?.iter();
        users.find(|row| row["email"] == email.as_str()).cloned()
    }

    /// Whether the host may choose an account, by the account's name.
    pub(super) fn schedulable(&self, name: &str) -> bool {
        let path = format!("accounts?page_size=1000&search={name}");
        let accounts = self.admin("GET", &path, None)["data"]["items"].clone();
        let accounts = accounts.as_array().cloned().unwrap_or_default();
        let found = accounts.iter().find(|row| row["name"] == name);
        found.expect("an account of that name")["schedulable"] == true
    }

    /// Host ids of what a batch holds of one kind.
    pub(super) fn held(&self, batch: &Value, kind: &str) -> Vec<String> {
        let words = ["batch", "show", &batch["id"].to_string(), "--json"];
        let shown = self.run(&words).json();
        let rows = shown["resources"].as_array().unwrap().iter();
        rows.filter(|row| row["type"] == kind)
            .map(|row| row["host_resource_id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Puts the program's state folder away: it has never seen this host.
    pub(super) fn forget(&self) {
        let state = self.dir.path().join("state");
        std::fs::rename(&state, state.with_extension("away")).unwrap();
    }

    /// Throws the new state folder away and brings the first one back.
    pub(super) fn remember(&self) {
        let state = self.dir.path().join("state");
        std::fs::remove_dir_all(&state).unwrap();
        std::fs::rename(state.with_extension("away"), &state).unwrap();
    }

    /// A name that no other run uses.
    pub(super) fn fresh(&self, what: &str) -> String {
        format!("{what}-{}", self.salt.to_lowercase())
    }

    /// A file that only its owner may read.
    pub(super) fn private(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        write_private(&path, text);
        path
    }

    /// One call of the host's admin API.
    pub(super) fn admin(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let head = ("x-api-key", self.admin_key.clone());
        self.call(method, &format!("admin/{path}"), Some(head), body)
    }

    /// One call of the host's API with this header.
    pub(super) fn call(
        &self,
        method: &str,
        path: &str,
        header: Option<(&str, String)>,
        body: Option<Value>,
    ) -> Value {
        self.runtime.block_on(async {
            let client = reqwest::Client::builder()
                .no_proxy()
                .tls_certs_only([])
                .timeout(Duration::from_secs(20))
                .build()
                .unwrap();
            let url = format!("http://{}/api/v1/{path}", self.address);
            let mut request = client.request(method.parse().unwrap(), url);
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            if let Some(body) = body {
                request = request.json(&body);
            }
            request.send().await.unwrap().json().await.unwrap()
        })
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        drop(self.sshd.kill());
        drop(self.sshd.wait());
    }
}

fn serve(runtime: &Runtime, kind: VendorKind) -> SocketAddr {
    let models = vec!["live-chat".to_owned(), "gpt-5.4".to_owned()];
    let vendor = Vendor::new("live", kind, models, RequestLog::default());
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let router = vendor.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        at
    })
}

fn pack(dir: &Path, id: &str, at: SocketAddr, more: &str) {
    let folder = dir.join("packs").join(id);
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "schema = 1\nkind = \"provider\"\ntitle = \"Live\"\nbase_url = \"http://{at}/v1\"\n\
         models = [\"live-chat\"]\nsmoke_model = \"live-chat\"\n{more}\
         [subscription]\ngroup = \"relay-{id}\"\nchannel = \"relay-{id}\"\nplan = \"relay-{id}-monthly\"\n"
    );
    std::fs::write(folder.join("pack.toml"), text).unwrap();
}

fn write_private(path: &Path, text: &str) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn keygen(path: &PathBuf) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}

fn start_sshd(dir: &Path) -> Child {
    // As the service does at its start; only root needs it, only root can.
    drop(std::fs::create_dir("/run/sshd"));
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let (host, client) = (dir.join("host"), dir.join("client"));
    keygen(&host);
    keygen(&client);
    let public = |path: &Path| std::fs::read_to_string(path.with_extension("pub")).unwrap();
    write_private(&dir.join("authorized"), &public(&client));
    write_private(
        &dir.join("known_hosts"),
        &format!("[127.0.0.1]:{port} {}", public(&host)),
    );
    write_private(
        &dir.join("sshd_config"),
        &format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nSetEnv SHLVL=5\n",
            host.display(),
            dir.join("authorized").display()
        ),
    );
    write_private(
        &dir.join("ssh_config"),
        &format!(
            "Host box\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {}\n  IdentitiesOnly yes\n  \
             IdentityAgent none\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile none\n",
            client.display(),
            dir.join("known_hosts").display()
        ),
    );
    let child = Command::new(SSHD)
        .args(["-D", "-e", "-f"])
        .arg(dir.join("sshd_config"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    crate::support::wait_until("the sshd listens", Duration::from_secs(10), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    child
}
