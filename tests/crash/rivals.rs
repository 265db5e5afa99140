//! Two programs that want to write for one (host, provider): one does, the other is refused by the
//! name of who does, and nothing is there twice. A killed one holds nobody up.

use super::scene::{Scene, kill};
use crate::support::{Ran, has_ssh};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

/// Long enough for both to be at work at once.
const UNANSWERED: Duration = Duration::from_millis(100);

fn begin(scene: &Scene, words: &[String]) -> Child {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    scene.begin(&words)
}

/// The id of a program, how it ended, and its one JSON object.
fn ended(child: Child) -> (u32, i32, Value) {
    let id = child.id();
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let told = serde_json::from_slice(&said)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&said)));
    (id, output.status.code().unwrap_or(-1), told)
}

#[test]
fn of_two_programs_one_writes_and_the_other_is_told_who() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start("accept", 4, UNANSWERED);
    let (one, other) = (scene.planned(), scene.planned());
    assert_ne!(one, other, "two plans");
    let both = [begin(&scene, &one), begin(&scene, &other)].map(ended);
    let winners: Vec<_> = both.iter().filter(|(_, code, _)| *code == 0).collect();
    let losers: Vec<_> = both.iter().filter(|(_, code, _)| *code == 3).collect();
    assert_eq!((winners.len(), losers.len()), (1, 1), "{both:#?}");
    let (winner, loser) = (winners[0], losers[0]);
    assert_eq!(winner.2["status"], "succeeded");
    let error = &loser.2["error"];
    assert_eq!(error["kind"], "busy", "{error}");
    let owner = format!("pid {}", winner.0);
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains(&owner), "{message} does not name {owner}");
    scene.whole();
    assert_eq!(scene.asked("POST", "/api/v1/admin/accounts"), 4);
    assert_eq!(scene.asked("POST", "/api/v1/admin/payment/plans"), 1);
    let batches = scene.run(&["batch", "list"]).json();
    assert_eq!(
        batches["batches"].as_array().map(Vec::len),
        Some(1),
        "{batches}"
    );
}

#[test]
fn who_is_killed_frees_the_place_for_the_next_one() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start("accept", 6, UNANSWERED);
    let words = scene.planned();
    let mut first = begin(&scene, &words);
    scene.wait("two accounts are made", |_| scene.own_accounts().len() >= 2);
    let refused = scene.run(&["batch", "resume", "1"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    let before = scene.asked("POST", "/api/v1/admin/accounts");
    assert!(before <= 6, "somebody else wrote");
    kill(&mut first);
    scene.nothing_runs_on();
    let resumed = scene.run(&["batch", "resume", "1"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    scene.whole();
}

/// A second configuration on the lab: the same hosts, a state folder of its own.
fn config_of(scene: &Scene, name: &str, lease_dir: &Path) -> PathBuf {
    let path = scene.lab.config_path();
    let text = std::fs::read_to_string(&path).expect("the lab's config");
    let lines = text.lines().filter(|line| !line.starts_with("state_dir"));
    let rest: Vec<&str> = lines.collect();
    let text = format!(
        "state_dir = \"state-{name}\"\nlease_dir = {:?}\n{}\n",
        lease_dir.display().to_string(),
        rest.join("\n")
    );
    let own = path.with_file_name(format!("{name}.toml"));
    std::fs::write(&own, text).expect("a config");
    own
}

fn error(ran: &Ran) -> Value {
    assert_eq!(ran.code, 3, "{ran:?}");
    let said: Value = serde_json::from_str(&ran.stderr).expect("one JSON line");
    said["error"].clone()
}

#[test]
fn users_of_one_jump_host_share_their_leases_in_a_folder() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start("accept", 6, UNANSWERED);
    let shared = tempfile::tempdir().expect("a folder");
    let [ann, bob] = ["ann", "bob"].map(|name| config_of(&scene, name, shared.path()));
    let (of_ann, of_bob) = (scene.planned_with(&ann), scene.planned_with(&bob));
    let words: Vec<&str> = of_ann.iter().map(String::as_str).collect();
    let child = scene.begin_with(&ann, &words);
    scene.wait("two accounts are made", |_| scene.own_accounts().len() >= 2);

    // Bob's store knows nothing of Ann's; the folder does.
    let words: Vec<&str> = of_bob.iter().map(String::as_str).collect();
    let refused = error(&scene.run_with(&bob, &words));
    assert_eq!(refused["kind"], "busy", "{refused}");
    let told = refused["message"].as_str().expect("a message");
    assert!(told.contains(&format!("pid {}", child.id())), "{told}");
    let listed = scene.run_with(&bob, &["lease", "list"]).json();
    assert_eq!(listed["leases"][0]["host"], "accept", "{listed}");
    let take = ["lease", "take", "accept/lab", "--reason", "a test"];
    let refused = error(&scene.run_with(&bob, &take));
    assert!(
        refused["message"]
            .as_str()
            .is_some_and(|why| why.contains("alive"))
    );
    let note = std::fs::read_to_string(shared.path().join("accept.lab.lock")).expect("a note");
    assert!(!note.contains("sk-"), "{note}");

    let (_, code, batch) = ended(child);
    assert_eq!(
        (code, &batch["status"]),
        (0, &"succeeded".into()),
        "{batch}"
    );
    let left: Vec<_> = std::fs::read_dir(shared.path()).expect("it").collect();
    assert!(left.is_empty(), "{left:?}");
    let listed = scene.run_with(&bob, &["lease", "list"]).json();
    assert_eq!(listed["leases"], serde_json::json!([]), "{listed}");
}

#[test]
fn a_shared_folder_that_cannot_be_read_is_no_free_place() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start("accept", 1, Duration::ZERO);
    let shared = tempfile::tempdir().expect("a folder");
    let ann = config_of(&scene, "ann", &shared.path().join("gone"));
    let words = scene.planned_with(&ann);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    for words in [&words[..], &["lease", "list"]] {
        let refused = error(&scene.run_with(&ann, words));
        assert_eq!(refused["kind"], "busy", "{refused}");
        let told = refused["message"].as_str().expect("a message");
        assert!(told.contains("cannot be read"), "{told}");
    }
    assert_eq!(scene.asked("POST", "/api/v1/admin/accounts"), 0);
}
