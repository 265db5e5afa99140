//! Secrets stay where they belong (`product.md` 8): a whole import with planted secrets, one of
//! them told back by its vendor, and then every place that must not hold one is searched. The same
//! search finds them when the redactor is off.

use crate::support::importing::planning;
use crate::support::inside::{Inside, on_threads, quick, threads};
use crate::support::left::children_of;
use crate::support::pty::{Launch, Pty, key, rows_with};
use crate::support::{COCKPIT, has_ssh, wait_until};
use cockpit_domain::batch::BatchStatus;
use cockpit_domain::secret::Secret;
use cockpit_domain::text::Redactor;
use cockpit_engine::command;
use cockpit_engine::import::CallerKey;
use cockpit_engine::probe::SplitKey;
use cockpit_lab::fleet::{ACCEPT_ADMIN_KEY, PROD_ADMIN_KEY};
use cockpit_lab::{Lab, LabOptions};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

mod every;

/// A key that works, and one that its vendor refuses while telling it back whole.
const KEYS: [&str; 2] = [
    "sk-lab-good-Zq7Lx92KfWmT4vRb8NcYpd3H",
    "sk-lab-echo-Hw5Jt83GsXeA6uMk1PvDrz9C",
];
/// A line that is no key: what is wrong with it is told without it.
const BAD_LINE: &str = "sk-lab-good-Bn4Vy61QcLgS7oEi2UxKtf8M and a remark";
/// Every run of so many letters of a secret counts as the secret: cut ones are found too.
const RUN: usize = 12;

/// Secrets to look for, by their runs of letters.
struct Search {
    runs: HashMap<[u8; RUN], String>,
    /// Whether a run begins with these two letters: most bytes are done with here.
    heads: Vec<bool>,
}

impl Search {
    /// Public heads such as `sk-lab-good-` are left out of what is looked for.
    fn of(secrets: &[(&str, &str)]) -> Self {
        let mut runs = HashMap::new();
        let mut heads = vec![false; 1 << 16];
        for (name, secret) in secrets {
            let body = ["sk-lab-good-", "sk-lab-echo-", "sk-relay-", "admin-"]
                .iter()
                .find_map(|head| secret.strip_prefix(head))
                .unwrap_or(secret);
            assert!(body.len() >= RUN, "{name} is too short to be looked for");
            for run in body.as_bytes().windows(RUN) {
                heads[head(run)] = true;
                runs.insert(run.try_into().expect("so long"), (*name).to_owned());
            }
        }
        Self { runs, heads }
    }

    /// The secrets found in some bytes.
    fn found(&self, place: &str, bytes: &[u8]) -> BTreeSet<String> {
        bytes
            .windows(RUN)
            .filter(|run| self.heads[head(run)])
            .filter_map(|run| self.runs.get(run))
            .map(|name| format!("{name} in {place}"))
            .collect()
    }

    /// As `found_under`, of logs only what was not searched yet: they only grow.
    fn found_since(
        &self,
        folder: &Path,
        except: &str,
        searched: &mut HashMap<PathBuf, usize>,
    ) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for file in files_under(folder) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if name == except {
                continue;
            }
            let bytes = std::fs::read(&file).unwrap_or_default();
            let from = match searched.get(&file) {
                Some(all) if name.ends_with(".log") => all.saturating_sub(RUN).min(bytes.len()),
                _ => 0,
            };
            found.extend(self.found(&file.display().to_string(), &bytes[from..]));
            searched.insert(file, bytes.len());
        }
        found
    }

    /// The secrets found in the files of a folder; `except` names the file a secret is kept in.
    fn found_under(&self, folder: &Path, except: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for file in files_under(folder) {
            if file.file_name().is_some_and(|name| name == except) {
                continue;
            }
            // A write-ahead log may go while it is looked for.
            let bytes = std::fs::read(&file).unwrap_or_default();
            found.extend(self.found(&file.display().to_string(), &bytes));
        }
        found
    }
}

fn head(run: &[u8]) -> usize {
    usize::from(run[0]) << 8 | usize::from(run[1])
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_under(&entry.path())),
            Ok(_) => files.push(entry.path()),
            Err(_) => {}
        }
    }
    files
}

/// Looks at the arguments and environments of a process and all below it until told to stop.
/// Gives what it found, and the names of the programs it saw.
fn watch(search: &Search, root: u32, over: &AtomicBool) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
    while !over.load(Ordering::Relaxed) {
        let mut ids = vec![root];
        let mut at = 0;
        while let Some(id) = ids.get(at).copied() {
            ids.extend(children_of(id));
            at += 1;
        }
        for id in ids {
            let read = |what: &str| std::fs::read(format!("/proc/{id}/{what}")).unwrap_or_default();
            let arguments = read("cmdline");
            let program = arguments
                .split(|byte| *byte == 0)
                .next()
                .unwrap_or_default();
            seen.insert(String::from_utf8_lossy(program).into_owned());
            found.extend(search.found("the arguments of a process", &arguments));
            found.extend(search.found("the environment of a process", &read("environ")));
        }
    }
    (found, seen)
}

/// A lab, and everything the program said there.
struct Talk {
    lab: Lab,
    said: Vec<(String, Vec<u8>)>,
    seen: BTreeSet<String>,
    found: BTreeSet<String>,
    searched: HashMap<PathBuf, usize>,
}

impl Talk {
    /// Runs a command with every word of the log on; remembers what it said.
    fn run(&mut self, search: &Search, words: &[&str], input: &str) -> (i32, Vec<u8>) {
        let mut child = Command::new(COCKPIT)
            .args(words)
            .arg("--config")
            .arg(self.lab.config_path())
            .env("COCKPIT_LOG", "trace")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("piped");
        stdin
            .write_all(input.as_bytes())
            .expect("it reads its input");
        drop(stdin);
        let (over, root) = (AtomicBool::new(false), child.id());
        let ((found, seen), output) = std::thread::scope(|scope| {
            let watching = scope.spawn(|| watch(search, root, &over));
            let output = child.wait_with_output().expect("it ends");
            over.store(true, Ordering::Relaxed);
            (watching.join().expect("it watches"), output)
        });
        self.found.extend(found);
        self.seen.extend(seen);
        let name = words.join(" ");
        self.said
            .push((format!("standard output of {name}"), output.stdout.clone()));
        self.said
            .push((format!("standard error of {name}"), output.stderr));
        let state = self.state();
        let found = search.found_since(&state, "local.key", &mut self.searched);
        self.found.extend(found);
        (output.status.code().unwrap_or(-1), output.stdout)
    }

    fn state(&self) -> PathBuf {
        self.lab.config_path().with_file_name("state")
    }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn planted_secrets_are_nowhere_after_an_import_and_its_rollback() {
    if !has_ssh() {
        return;
    }
    let threads = threads();
    let lab = threads
        .block_on(Lab::start(LabOptions::default()))
        .expect("the lab starts");
    lab.host("accept")
        .with(|state| state.settings.models_ttl = Duration::ZERO);
    let mut talk = Talk {
        lab,
        said: Vec::new(),
        seen: BTreeSet::new(),
        found: BTreeSet::new(),
        searched: HashMap::new(),
    };
    let planted = [
        ("a good key", KEYS[0]),
        ("the echoed key", KEYS[1]),
        ("the key of a bad line", &BAD_LINE[..36]),
        ("the admin key", ACCEPT_ADMIN_KEY),
        ("the admin key of production", PROD_ADMIN_KEY),
    ];
    let search = Search::of(&planted);
    let plan = planning("accept");
    assert_eq!(
        talk.run(&search, &plan, &format!("{}\n{BAD_LINE}\n", KEYS[0]))
            .0,
        3
    );
    let (code, answer) = talk.run(&search, &plan, &KEYS.join("\n"));
    assert_eq!(code, 0);
    let plan = json(&answer)["plan"].clone();
    let (id, hash) = (
        plan["id"].to_string(),
        plan["hash"].as_str().expect("a hash").to_owned(),
    );
    let (code, _) = talk.run(
        &search,
        &["import", "apply", &id, "--yes", &hash, "--json"],
        "",
    );
    assert_eq!(code, 1, "one key is refused");
    // From here on the managed user's secrets exist as well.
    let made = talk.lab.host("accept").with(|state| {
        let user = state
            .users
            .values()
            .find(|row| row.email == "relay-lab@cockpit.invalid")
            .expect("the user");
        let key = state
            .keys
            .values()
            .find(|row| row.user_id == user.id)
            .expect("its key");
        [user.password.clone(), key.key.clone()]
    });
    let local = std::fs::read_to_string(talk.state().join("local.key")).expect("the local key");
    let mut all = planted.to_vec();
    all.extend([
        ("the managed password", made[0].as_str()),
        ("the managed key", made[1].as_str()),
    ]);
    all.push(("the local key", local.trim()));
    let search = Search::of(&all);
    let folder = tempfile::tempdir().expect("a folder");
    every::ask_with_keys(&mut talk, &search, folder.path());
    every::ask_every(&mut talk, &search);
    for words in ["batch show 1", "batch list", "host probe accept", "doctor"] {
        talk.run(&search, &words.split(' ').collect::<Vec<_>>(), "");
    }
    let shown = talk
        .said
        .iter()
        .find(|(name, _)| name.ends_with("output of batch show 1 --json"));
    let shown = String::from_utf8_lossy(&shown.expect("it was shown").1).into_owned();
    assert!(
        shown.contains("Incorrect API key provided"),
        "the vendor's words arrived: {shown}"
    );
    let (_, answer) = talk.run(&search, &["rollback", "plan", "1", "--json"], "");
    let plan = json(&answer)["plan"].clone();
    let (id, hash) = (
        plan["id"].to_string(),
        plan["hash"].as_str().expect("a hash").to_owned(),
    );
    let (code, _) = talk.run(&search, &["rollback", "apply", &id, "--yes", &hash], "");
    assert_eq!(code, 0);

    let mut found = std::mem::take(&mut talk.found);
    found.extend(search.found_under(&talk.state(), "local.key"));
    for (place, bytes) in &talk.said {
        found.extend(search.found(place, bytes));
    }
    assert!(found.is_empty(), "{found:#?}");
    for program in ["ssh", "cockpit"] {
        let met = talk
            .seen
            .iter()
            .any(|seen| seen.rsplit('/').next() == Some(program));
        assert!(met, "no {program} was looked at: {:?}", talk.seen);
    }
    let files = files_under(&talk.state());
    for (name, floor) in [("cockpit.db", 10_000), (".log", 1_000)] {
        let file = files
            .iter()
            .find(|file| file.display().to_string().ends_with(name));
        let file = file.unwrap_or_else(|| panic!("no {name} in {files:?}"));
        let size = file.metadata().expect("a size").len();
        assert!(
            size > floor,
            "{name} has only {size} bytes: there was nothing to search"
        );
    }
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        let folder = file.parent().expect("a folder");
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    threads.block_on(talk.lab.shutdown());
}

/// What a PTY carried while the pages that could tell most were shown, and what was found meanwhile in
/// arguments and environments of all programs below it.
#[test]
fn planted_secrets_are_on_no_page_of_the_screen_nor_in_a_panic_report() {
    if !has_ssh() {
        return;
    }
    let threads = threads();
    let lab = threads
        .block_on(Lab::start(LabOptions::default()))
        .expect("the lab starts");
    lab.host("accept")
        .with(|state| state.settings.models_ttl = Duration::ZERO);
    let planted = [
        ("a good key", KEYS[0]),
        ("the echoed key", KEYS[1]),
        ("the admin key", ACCEPT_ADMIN_KEY),
        ("the admin key of production", PROD_ADMIN_KEY),
    ];
    let search = Search::of(&planted);
    let config = lab.config_path();
    let config = config.to_str().expect("a plain path");
    let run_dir = tempfile::tempdir().expect("a folder");
    let mut pty = Launch::of(COCKPIT, &["--config", config])
        .size(160, 45)
        .env("XDG_RUNTIME_DIR", run_dir.path())
        .env("COCKPIT_LOG", "trace")
        .limit(Duration::from_mins(1))
        .start();
    let (over, root) = (AtomicBool::new(false), pty.id());
    let (mut found, seen) = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(&search, root, &over));
        let end = End(&over);
        tour(&mut pty);
        drop(end);
        watching.join().expect("it watches")
    });
    let shown = pty.raw();
    found.extend(search.found("what the terminal was sent", &shown));
    let state = lab.config_path().with_file_name("state");
    found.extend(search.found_under(&state, "local.key"));
    assert!(found.is_empty(), "{found:#?}");
    let met = |name: &str| {
        seen.iter()
            .any(|seen| seen.rsplit('/').next() == Some(name))
    };
    assert!(met("ssh") && met("cockpit"), "{seen:?}");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(
        shown.len() > 20_000,
        "{} bytes: there was nothing to search",
        shown.len()
    );
    for words in [
        "Incorrect API",
        "1 of 2 key(s) failed",
        "a panic was asked for",
    ] {
        assert!(shown.contains(words), "`{words}` was never shown");
    }
    threads.block_on(lab.shutdown());
}

/// Ends the watching, also when a test fails in between.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn palette(pty: &mut Pty, line: &str) {
    pty.send(":");
    pty.wait_for("Command");
    pty.send(line);
    pty.wait_for(line);
    pty.send(key::ENTER);
}

/// Form, plan, batch, items, what was written, logs, what drifted, jobs, and a panic.
fn tour(pty: &mut Pty) {
    pty.wait_for("nothing is broken");
    palette(pty, "import accept lab");
    pty.wait_for("< lab >");
    pty.paste(&KEYS.join("\n"));
    pty.wait_for("keys 2, lines 2");
    pty.send(key::ENTER);
    pty.wait_for("plan/1");
    palette(pty, "arm accept 10m");
    pty.wait_for("09:5");
    pty.send("a");
    pty.wait_for("[ Cancel ]");
    wait_until("the yes is taken", Duration::from_secs(20), || {
        pty.send("y");
        rows_with(&pty.screen(), "[ Cancel ]")
            .is_empty()
            .then_some(())
    });
    pty.send("3");
    pty.wait_for("1 of 2 key(s) failed");
    pty.wait_for("Incorrect API");
    pty.send(key::ENTER);
    pty.wait_for_silence(Duration::from_millis(300));
    for page in ["7", "6", "5", "4", "2", "1", "S", "C", "?"] {
        pty.send(page);
        pty.wait_for_silence(Duration::from_millis(300));
        pty.send(key::ENTER);
        pty.wait_for_silence(Duration::from_millis(300));
        pty.send(key::ESC);
        // A letter right behind it would be taken for one key with Alt.
        pty.wait_for_silence(Duration::from_millis(300));
    }
    palette(pty, "panic");
    pty.wait_for("a panic was asked for");
    drop(pty.ended());
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("it is there").permissions().mode() & 0o777
}

/// Imports the planted keys in this process and searches the store and everything answered.
fn found_with(redactor: &Redactor) -> BTreeSet<String> {
    on_threads(async {
        let inside = Inside::start_with("accept", quick(), redactor).await;
        let batch = inside.import(&KEYS).await;
        assert_eq!(
            batch.batch_status,
            BatchStatus::PartiallySucceeded,
            "{}",
            batch.reason
        );
        let search = Search::of(&[("a good key", KEYS[0]), ("the echoed key", KEYS[1])]);
        let detail = inside.show(batch.id).await;
        let mut found = search.found("the answer", format!("{batch:?} {detail:?}").as_bytes());
        let split = command::Command::ProbeSplit {
            host: inside.host_id(),
            provider: Inside::provider(),
            key: SplitKey::Named(CallerKey::Given(Secret::new(KEYS[1]))),
            here: false,
        };
        let split = inside.engine().call(split).await.expect("a split");
        found.extend(search.found("the split", format!("{split:?}").as_bytes()));
        let state = inside.lab.config_path().with_file_name("state");
        found.extend(
            search
                .found_under(&state, "local.key")
                .iter()
                .map(|_| "the store".to_owned()),
        );
        inside.end().await;
        found
    })
}

#[test]
fn the_same_search_finds_the_echoed_key_when_the_redactor_is_off() {
    if !has_ssh() {
        return;
    }
    assert_eq!(found_with(&Redactor::new()), BTreeSet::new());
    let found = found_with(&Redactor::off());
    assert_eq!(
        found.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "the echoed key in the answer",
            "the echoed key in the split",
            "the store"
        ]
    );
}
