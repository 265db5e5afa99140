//! `reconcile watch`: a line when something else is found, paused by a rollback, and the last verdict
//! as the exit code when it is stopped.

use super::{HOST, KEYS, imported};
use crate::support::far::{Admin, text};
use crate::support::following::Following;
use crate::support::{Lab, has_ssh, wait_until};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(40);

/// A watch at work.
struct Watch(Following);

impl Watch {
    fn start(lab: &Lab, words: &[&str]) -> Self {
        let watch = ["reconcile", "watch", "--host", HOST, "--every", "1s"];
        Self(Following::start(lab, &[&watch[..], words].concat()))
    }

    /// The next line.
    fn line(&self) -> String {
        self.0.line(LIMIT).expect("the watch says something")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.line()).expect("one JSON object a line")
    }

    /// Everything it still says until it ends, and its exit code.
    fn rest(&mut self) -> (Vec<String>, Option<i32>) {
        let end = Instant::now() + LIMIT;
        let mut said = Vec::new();
        while let Some(line) = self.0.line(end.saturating_duration_since(Instant::now())) {
            said.push(line);
        }
        assert!(Instant::now() < end, "it never ended");
        (said, self.0.child.wait().expect("it ends").code())
    }

    fn stop(&mut self, signal: &str) -> (Vec<String>, Option<i32>) {
        let sent = Command::new("kill")
            .args([signal, &self.0.child.id().to_string()])
            .status();
        assert!(sent.expect("kill runs").success());
        self.rest()
    }
}

/// Opens our channel to every model, or closes it again, as somebody would by hand.
fn open_to_all(admin: &Admin, open: bool) {
    let channels = admin.list("/api/v1/admin/channels?page_size=100");
    let ours = super::row_named(&channels, "relay-lab");
    let path = format!("/api/v1/admin/channels/{}", ours["id"]);
    admin.call("PUT", &path, &json!({"restrict_models": !open}));
}

/// How often the host's channels were read since then: once a look, whatever it found.
fn looks(lab: &Lab, mark: u64) -> usize {
    let seen = lab.seen(mark);
    let lists = seen.0.iter().filter(|row| {
        row["method"] == "GET" && text(row, "path").starts_with("/api/v1/admin/channels")
    });
    lists.count()
}

#[test]
fn a_watch_says_a_line_for_what_changed_only_and_ends_with_the_last_verdict() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let batch = imported(&lab, KEYS);
    let admin = lab.admin(HOST);
    let mut watch = Watch::start(&lab, &["--json"]);
    let first = watch.json();
    assert_eq!(first["status"], "active", "{first}");
    assert_eq!(first["batches"][0]["batch_id"], batch, "{first}");
    let runs = super::runs(&lab, batch).len();

    open_to_all(&admin, true);
    let drifted = watch.json();
    assert_eq!(
        drifted["status"], "drifted",
        "the line of looks that found the same is not said"
    );
    let change = &drifted["batches"][0]["changes"][0];
    assert_eq!(change["name"], "relay-lab", "{drifted}");
    let since = &drifted["batches"][0]["since"][0];
    assert!(!since["last_good_at"].is_null(), "{drifted}");

    // Several more looks find the same: they say nothing, and no run is kept of them.
    let mark = lab.mark();
    wait_until("three more looks", LIMIT, || {
        (looks(&lab, mark) >= 3).then_some(())
    });
    let (said, code) = watch.stop("-INT");
    assert_eq!((said, code), (Vec::new(), Some(2)));
    assert_eq!(super::runs(&lab, batch).len(), runs + 1);

    let mut watch = Watch::start(&lab, &["--provider", "lab"]);
    let line = watch.line();
    assert!(
        line.contains(" accept drifted: 1 compared, missing 0, changed 1"),
        "{line}"
    );
    assert!(line.contains("relay-lab"), "{line}");
    let mark = lab.mark();
    open_to_all(&admin, false);
    let line = watch.line();
    assert!(line.contains(" accept active: 1 compared"), "{line}");
    let wrote = lab.seen(mark).writes(HOST);
    assert_eq!(wrote.len(), 1, "only our own hand wrote: {wrote:?}");
    assert_eq!(watch.stop("-TERM"), (Vec::new(), Some(0)));
}

#[test]
fn a_rollback_pauses_the_watch_until_it_is_started_again() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let first = imported(&lab, KEYS);
    let newer = imported(&lab, "sk-lab-good-drift-000008\n");
    let mut watch = Watch::start(&lab, &["--json"]);
    assert_eq!(watch.json()["status"], "active");
    let plan = lab
        .run(&["rollback", "plan", &newer.to_string(), "--json"])
        .json()["plan"]
        .clone();
    let (id, hash) = (plan["id"].to_string(), text(&plan, "hash"));
    let ran = lab.run(&["rollback", "apply", &id, "--yes", &hash]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let (said, code) = watch.rest();
    assert_eq!(code, Some(0), "what a rollback takes away is no drift");
    let said: Vec<Value> = said
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let last = said.last().expect("a banner");
    assert_eq!(last["paused"]["batch"], newer, "{said:?}");
    assert_eq!(last["batches"], json!([]), "{said:?}");
    assert!(
        said.iter().all(|line| line["status"] != "drifted"),
        "{said:?}"
    );

    // Turned on again, it watches what still stands.
    let mut watch = Watch::start(&lab, &["--json"]);
    let again = watch.json();
    assert_eq!(again["paused"], Value::Null, "{again}");
    assert_eq!(again["batches"][0]["batch_id"], first, "{again}");
    assert_eq!(watch.stop("-INT").1, Some(0));
}
