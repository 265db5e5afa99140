//! The drill as a person runs it: well on a healthy lab, ill at the right step under each of the
//! six faults, and stopped in the middle. Afterwards nothing of it is left.

use crate::support::far::{run_in, text};
use crate::support::left::{processes_naming, sockets_under};
use crate::support::{COCKPIT, has_ssh, wait_until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const STEPS: [&str; 10] = [
    "connect",
    "baseline",
    "plan",
    "import",
    "completion",
    "access",
    "reconcile",
    "rollback",
    "listing",
    "verdict",
];

/// Every fault, and the steps that must go wrong under it. After them the drill may stop.
const FAULTS: [(&str, &[&str]); 6] = [
    ("nginx-old-port", &["baseline"]),
    ("binding-lost", &["baseline"]),
    ("leftover-container", &["baseline"]),
    ("upstream-quota", &["baseline", "import"]),
    ("host-502", &["connect", "baseline"]),
    ("tunnel-down", &["connect"]),
];

/// A temporary folder of a drill's own: everything it makes lies in here.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(
            tempfile::Builder::new()
                .prefix("dr")
                .tempdir()
                .expect("a folder"),
        );
        std::fs::create_dir(place.runtime()).expect("a folder");
        place
    }

    fn runtime(&self) -> PathBuf {
        self.0.path().join("run")
    }

    /// Whether a drill is at work here: its lab's socket, and an ssh process of its own.
    fn is_busy(&self) -> bool {
        !sockets_under(self.0.path()).is_empty() && !processes_naming(self.0.path()).is_empty()
    }

    fn holds_nothing(&self, what: &str) {
        assert_eq!(
            sockets_under(self.0.path()),
            Vec::<PathBuf>::new(),
            "{what}"
        );
        // The last of its ssh processes may take a moment to be gone from the process table.
        wait_until(
            "the end of its ssh processes",
            Duration::from_secs(5),
            || processes_naming(self.0.path()).is_empty().then_some(()),
        );
        let labs: Vec<_> = std::fs::read_dir(self.0.path())
            .expect("its folder")
            .map(|entry| entry.expect("an entry").file_name())
            .filter(|name| name != "run")
            .collect();
        assert!(labs.is_empty(), "{what} left {labs:?}");
    }
}

/// Plays a drill to its end and gives its exit code and lines.
fn play(words: &[&str]) -> (i32, Vec<Value>) {
    let place = Place::new();
    let runtime = place.runtime();
    let environment = [
        ("TMPDIR", place.0.path()),
        ("XDG_RUNTIME_DIR", runtime.as_path()),
    ];
    let ended = AtomicBool::new(false);
    let (ran, was_busy) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut was_busy = false;
            while !was_busy && !ended.load(Ordering::SeqCst) {
                was_busy = place.is_busy();
                std::thread::sleep(Duration::from_millis(5));
            }
            was_busy
        });
        let ran = run_in(words, &environment);
        ended.store(true, Ordering::SeqCst);
        (ran, watcher.join().expect("the watcher ends"))
    });
    assert_eq!(ran.stderr, "", "{ran:?}");
    // Else the look for leftovers would look in the wrong place.
    assert!(
        was_busy,
        "{words:?}: no socket and ssh process was ever seen"
    );
    place.holds_nothing(&words.join(" "));
    let rows = ran.stdout.lines();
    let rows = rows
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    (ran.code, rows.collect())
}

fn healthy() {
    let (code, rows) = play(&["drill", "--json"]);
    let steps: Vec<String> = rows.iter().map(|row| text(row, "step")).collect();
    assert_eq!(steps, STEPS, "{rows:#?}");
    assert!(rows.iter().all(|row| row["ok"] == true), "{rows:#?}");
    assert_eq!(code, 0);
    let step = |name: &str| {
        rows.iter()
            .find(|row| row["step"] == name)
            .expect("the step")
    };
    assert_eq!(step("plan")["older_to_park"], 10);
    assert_eq!(step("plan")["writes_seen"], 0);
    assert_eq!(step("reconcile")["status"], "active");
    assert_eq!(step("listing")["differs"], json!([]));
    let saw = step("completion")["upstream_saw"]
        .as_array()
        .expect("fingerprints");
    let new = step("completion")["new_keys"]
        .as_array()
        .expect("fingerprints");
    assert!(saw.len() == 1 && new.contains(&saw[0]), "{rows:#?}");
}

fn under(fault: &str, expected: &[&str]) {
    let (code, rows) = play(&["drill", "--fault", fault, "--json"]);
    assert_eq!(code, 1, "{fault}: {rows:#?}");
    let last = rows.last().expect("a verdict");
    assert_eq!(
        (&last["step"], &last["ok"]),
        (&json!("verdict"), &json!(false)),
        "{fault}"
    );
    assert_eq!(last["fault"], fault);
    let failed: Vec<String> = rows
        .iter()
        .filter(|row| row["ok"] == false && row["step"] != "verdict")
        .map(|row| text(row, "step"))
        .collect();
    assert_eq!(
        failed.first().map(String::as_str),
        expected.first().copied(),
        "{rows:#?}"
    );
    for step in expected {
        assert!(
            failed.iter().any(|name| name == step),
            "{fault}: {step} went well: {rows:#?}"
        );
    }
    // What the fault does not touch still goes well.
    if expected == ["baseline"] {
        assert_eq!(failed, ["baseline"], "{fault}: {rows:#?}");
        assert_eq!(rows.len(), STEPS.len(), "{fault}: {rows:#?}");
    }
}

#[test]
fn a_drill_goes_well_on_a_healthy_lab_and_ill_at_the_right_step_under_every_fault() {
    if !has_ssh() {
        return;
    }
    // Mostly honest waiting: all at once they take little longer than one.
    std::thread::scope(|scope| {
        let well = scope.spawn(healthy);
        let ill: Vec<_> = FAULTS
            .iter()
            .map(|(fault, steps)| (*fault, scope.spawn(move || under(fault, steps))))
            .collect();
        let mut wrong: Vec<&str> = ill
            .into_iter()
            .filter_map(|(fault, drill)| drill.join().is_err().then_some(fault))
            .collect();
        if well.join().is_err() {
            wrong.push("none");
        }
        assert!(
            wrong.is_empty(),
            "drills that went otherwise, by fault: {wrong:?}"
        );
    });
}

#[test]
fn a_drill_that_is_stopped_in_the_middle_takes_everything_with_it() {
    if !has_ssh() {
        return;
    }
    for signal in ["-INT", "-TERM", "-HUP"] {
        let place = Place::new();
        let mut drill = Command::new(COCKPIT)
            .args(["drill", "--json"])
            .env("TMPDIR", place.0.path())
            .env("XDG_RUNTIME_DIR", place.runtime())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let told = BufReader::new(drill.stdout.take().expect("piped")).lines();
        // The plan is made: from here on it imports.
        let planned = told
            .map_while(Result::ok)
            .any(|line| line.contains("\"step\":\"plan\""));
        assert!(planned, "{signal}: the drill made no plan");
        assert!(
            place.is_busy(),
            "{signal}: no socket and ssh process was ever seen"
        );
        let id = drill.id().to_string();
        let killed = Command::new("kill")
            .args([signal, &id])
            .status()
            .expect("kill");
        assert!(killed.success());
        let status = wait_until("the end after a signal", Duration::from_secs(15), || {
            drill.try_wait().expect("a child of ours")
        });
        assert!(
            status.code().is_some_and(|code| code != 0),
            "{signal}: {status:?}"
        );
        place.holds_nothing(signal);
    }
}

#[test]
fn a_drill_for_people_ends_with_one_line_that_names_the_bad_steps() {
    if !has_ssh() {
        return;
    }
    let place = Place::new();
    let ran = run_in(
        &["drill", "--fault", "tunnel-down"],
        &[("TMPDIR", place.0.path())],
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran:?}");
    let last = ran.stdout.lines().last().expect("a verdict");
    assert!(
        last.starts_with("x verdict") && last.contains("connect"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
    let words = ["drill", "--fault", "tunel-down", "--json"];
    let unknown = run_in(&words, &[("TMPDIR", place.0.path())]);
    assert_eq!(
        (unknown.code, unknown.stdout.as_str()),
        (3, ""),
        "{unknown:?}"
    );
    assert!(
        text(&unknown.error(), "hint").contains("`tunnel-down`"),
        "{unknown:?}"
    );
}
