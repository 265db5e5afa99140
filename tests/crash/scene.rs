//! The built program against a lab in this process: the program can be killed at any moment, and
//! the host's own rows tell what it had done by then.

use crate::support::fields::fields;
use crate::support::inside::{self, Census};
use crate::support::left::{processes_naming, sockets_under};
use crate::support::{COCKPIT, Ran, run, wait_until};
use cockpit_lab::fleet::account_name;
use cockpit_lab::{Lab, LabOptions};
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Longest wait for anything that the program or the host does by itself.
pub(super) const LIMIT: Duration = Duration::from_mins(1);

/// A lab, one of its hosts, and the program on the lab's config.
pub(super) struct Scene {
    pub(super) lab: Lab,
    pub(super) host: &'static str,
    pub(super) keys: Vec<String>,
    pub(super) before: (Census, Value),
    runtime_dir: tempfile::TempDir,
    _threads: Runtime,
}

impl Scene {
    /// Every answer of the host takes `delay` longer than its effect: there is a while in which a
    /// kill loses an answer.
    pub(super) fn start(host: &'static str, keys: usize, delay: Duration) -> Self {
        let threads = inside::threads();
        let lab = threads
            .block_on(Lab::start(LabOptions::default()))
            .expect("the lab starts");
        lab.host(host).with(|state| {
            state.settings.models_ttl = Duration::ZERO;
            state.delay = delay;
        });
        let keys = (1..=keys)
            .map(|no| format!("sk-lab-good-crash-{no:06}"))
            .collect();
        let before = (Census::of(&lab, host), fields(&lab, host));
        let runtime_dir = tempfile::Builder::new()
            .prefix("rk")
            .tempdir()
            .expect("a folder");
        Self {
            lab,
            host,
            keys,
            before,
            runtime_dir,
            _threads: threads,
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        self.command_with(&self.lab.config_path(), words)
    }

    fn command_with(&self, config: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(COCKPIT);
        command
            .args(words)
            .arg("--json")
            .arg("--config")
            .arg(config);
        command.env("XDG_RUNTIME_DIR", self.runtime_dir.path());
        command
    }

    /// So many calls in flight to the host at most.
    pub(super) fn few_in_flight(&self, most: usize) {
        let path = self.lab.config_path();
        let text = std::fs::read_to_string(&path).expect("the lab's config");
        let head = format!("[host.{}]\n", self.host);
        assert!(text.contains(&head), "{text}");
        let text = text.replace(&head, &format!("{head}in_flight = {most}\n"));
        std::fs::write(path, text).expect("it can be written");
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, words: &[&str]) -> Ran {
        run(&mut self.command(words), None)
    }

    /// The same by a configuration of the test's own.
    pub(super) fn run_with(&self, config: &Path, words: &[&str]) -> Ran {
        run(&mut self.command_with(config, words), None)
    }

    /// Starts a command.
    pub(super) fn begin(&self, words: &[&str]) -> Child {
        self.begin_with(&self.lab.config_path(), words)
    }

    /// The same by a configuration of the test's own.
    pub(super) fn begin_with(&self, config: &Path, words: &[&str]) -> Child {
        let mut command = self.command_with(config, words);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    /// Plans an import and gives the words that apply it.
    pub(super) fn planned(&self) -> Vec<String> {
        self.planned_by("subscription")
    }

    /// As `planned`, in an access mode.
    pub(super) fn planned_by(&self, access: &str) -> Vec<String> {
        self.planned_of(&self.lab.config_path(), access)
    }

    /// As `planned`, by a configuration of the test's own.
    pub(super) fn planned_with(&self, config: &Path) -> Vec<String> {
        self.planned_of(config, "subscription")
    }

    fn planned_of(&self, config: &Path, access: &str) -> Vec<String> {
        let words = [
            "import",
            "plan",
            "--host",
            self.host,
            "--provider",
            "lab",
            "--access",
            access,
            "--keys",
            "-",
        ];
        let keys = self.keys.join("\n");
        let ran = run(&mut self.command_with(config, &words), Some(&keys));
        assert_eq!(ran.code, 0, "{ran:?}");
        self.apply("import", &ran.json())
    }

    /// The words that apply a plan.
    pub(super) fn apply(&self, noun: &str, answer: &Value) -> Vec<String> {
        let plan = &answer["plan"];
        let (id, hash) = (
            plan["id"].to_string(),
            plan["hash"].as_str().expect("a hash"),
        );
        [
            noun,
            "apply",
            &id,
            "--yes",
            hash,
            "--host-name",
            self.host,
            "--reason",
            "drill",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// Plans taking batch 1 back and gives the words that apply it.
    pub(super) fn planned_rollback(&self) -> Vec<String> {
        let ran = self.run(&["rollback", "plan", "1"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        self.apply("rollback", &ran.json())
    }

    /// Batch 1 as the store tells it.
    pub(super) fn shown(&self) -> Value {
        self.run(&["batch", "show", "1"]).json()
    }

    /// Waits for something the host sees.
    pub(super) fn wait(&self, what: &str, holds: impl Fn(&Census) -> bool) {
        wait_until(what, LIMIT, || holds(&self.census()).then_some(()));
    }

    pub(super) fn census(&self) -> Census {
        Census::of(&self.lab, self.host)
    }

    /// Requests of the host that had this method and path, answered or not.
    pub(super) fn asked(&self, method: &str, path: &str) -> usize {
        let service = format!("host:{}", self.host);
        let rows = self.lab.log().since(0);
        let fits = rows
            .iter()
            .filter(|row| row.service == service && row.method == method && row.path == path);
        fits.count()
    }

    /// A killed program leaves no ssh and no socket that somebody listens on.
    pub(super) fn nothing_runs_on(&self) {
        let ssh_config = self.lab.ssh_config();
        wait_until(
            "ssh ends with the program that was killed",
            Duration::from_secs(5),
            || processes_naming(&ssh_config).is_empty().then_some(()),
        );
        let alive = |at: &PathBuf| UnixStream::connect(at).is_ok();
        let sockets: Vec<_> = sockets_under(self.runtime_dir.path())
            .into_iter()
            .filter(alive)
            .collect();
        assert!(sockets.is_empty(), "somebody listens on {sockets:?}");
    }

    /// An ended program leaves no socket at all, nor one of an earlier program that was killed.
    pub(super) fn nothing_is_left(&self) {
        self.nothing_runs_on();
        assert_eq!(
            sockets_under(self.runtime_dir.path()),
            Vec::<PathBuf>::new()
        );
    }

    /// Each thing exactly once, older accounts parked, and the store holds exactly that.
    pub(super) fn whole(&self) {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let doubles = self
            .census()
            .differences(&self.before.0.after_import(&keys));
        assert!(doubles.is_empty(), "{doubles:?}");
        let shown = self.shown();
        assert_eq!(shown["status"], "succeeded");
        assert_eq!(
            Self::recorded(&shown, "account", "created"),
            self.own_accounts()
        );
        let older: BTreeSet<i64> = self.older_accounts();
        assert_eq!(Self::recorded(&shown, "account", "parked"), older);
        let parked = self.lab.host(self.host).with(|state| {
            state
                .accounts
                .values()
                .filter(|row| row.deleted_at.is_none() && !row.schedulable)
                .map(|row| row.id)
                .collect::<BTreeSet<_>>()
        });
        assert_eq!(parked, older);
    }

    /// Ids that the store records of a kind and origin.
    pub(super) fn recorded(shown: &Value, kind: &str, origin: &str) -> BTreeSet<i64> {
        let rows = shown["resources"].as_array().expect("resources");
        rows.iter()
            .filter(|row| row["type"] == kind && row["origin"] == origin && row["undone"] != true)
            .map(|row| {
                row["host_resource_id"]
                    .as_str()
                    .expect("text")
                    .parse()
                    .expect("a number")
            })
            .collect()
    }

    fn accounts(&self, ours: bool) -> BTreeSet<i64> {
        let names: BTreeSet<String> = self.keys.iter().map(|key| account_name(key)).collect();
        self.lab.host(self.host).with(|state| {
            let living = state
                .accounts
                .values()
                .filter(|row| row.deleted_at.is_none());
            living
                .filter(|row| {
                    if ours {
                        names.contains(&row.name)
                    } else {
                        row.name.starts_with("lab.") && !names.contains(&row.name)
                    }
                })
                .map(|row| row.id)
                .collect()
        })
    }

    /// Ids of living accounts of this import.
    pub(super) fn own_accounts(&self) -> BTreeSet<i64> {
        self.accounts(true)
    }

    /// Ids of living accounts of the provider that were there before.
    pub(super) fn older_accounts(&self) -> BTreeSet<i64> {
        self.accounts(false)
    }

    /// The host holds what it held before the import, field by field.
    pub(super) fn as_before(&self) {
        let left = self.census().differences(&self.before.0);
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(fields(&self.lab, self.host), self.before.1);
    }
}

/// Kills without a last word.
pub(super) fn kill(child: &mut Child) {
    child.kill().expect("it is killed");
    let begun = Instant::now();
    while child.try_wait().expect("it is ours").is_none() {
        assert!(begun.elapsed() < LIMIT, "a killed program does not end");
    }
}
