//! Two programs that want to write for one (host, provider): one does, the other is refused by the
//! name of who does, and nothing is there twice. A killed one holds nobody up.

use super::scene::{Scene, kill};
use crate::support::has_ssh;
use serde_json::Value;
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
