//! The program stopped in the middle: politely, without a last word, and in the middle of taking
//! back. What it leaves is told by the batch, resumed whole, and taken back whole.

use super::scene::{LIMIT, Scene, kill};
use crate::support::inside::Census;
use crate::support::{has_ssh, wait_until};
use cockpit_lab::request_log::SeenRequest;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Child, Command};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long an effect stands before its answer is given: a kill in between loses the answer.
const UNANSWERED: Duration = Duration::from_millis(60);

fn begin(scene: &Scene, words: &[String]) -> Child {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    scene.begin(&words)
}

fn done(shown: &Value) -> usize {
    let items = shown["items"].as_array().expect("items");
    items.iter().filter(|item| item["stage"] == "done").count()
}

#[test]
fn a_cancel_at_key_7_of_20_leaves_what_the_batch_says_and_is_resumed_whole() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start("accept", 20, UNANSWERED);
    scene.few_in_flight(4);
    let words = scene.planned();
    let child = begin(&scene, &words);
    wait_until("key 7 of 20 is done", LIMIT, || {
        (scene.own_accounts().len() >= 4 && done(&scene.shown()) >= 7).then_some(())
    });
    let told = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(told.expect("kill runs").success());
    let ended = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(3), "{said}");
    let answer: Value = serde_json::from_str(&said).expect("a batch");
    assert_eq!(answer["status"], "interrupted");
    scene.nothing_is_left();

    let shown = scene.shown();
    assert_eq!(shown["status"], "interrupted");
    assert!(
        shown["reason"]
            .as_str()
            .is_some_and(|why| why.contains("stopped")),
        "{shown}"
    );
    let through = done(&shown);
    assert!((7..20).contains(&through), "{through} keys were through");
    let recorded = Scene::recorded(&shown, "account", "created");
    assert_eq!(recorded, scene.own_accounts(), "store and host agree");
    assert!((through..20).contains(&recorded.len()), "{recorded:?}");
    assert_eq!(
        scene.census().total("key"),
        scene.before.0.total("key"),
        "access was not begun"
    );

    let resumed = scene.run(&["batch", "resume", "1"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    scene.whole();
    for id in 1..=10 {
        let path = format!("/api/v1/admin/accounts/{id}/schedulable");
        assert_eq!(
            scene.asked("POST", &path),
            1,
            "older account {id} was parked once"
        );
    }
    assert_eq!(
        scene.asked("POST", "/api/v1/admin/accounts"),
        20,
        "no key was sent twice"
    );
}

/// Kills the import at a moment, then resumes it and takes it back.
fn killed_and_resumed(
    host: &'static str,
    moment: &str,
    is_there: impl Fn(&Scene, &Census) -> bool,
) {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start(host, 6, UNANSWERED);
    let words = scene.planned();
    let mut child = begin(&scene, &words);
    scene.wait(moment, |census| is_there(&scene, census));
    kill(&mut child);
    scene.nothing_runs_on();
    let listed = scene.run(&["batch", "list"]).json();
    assert_eq!(listed["batches"][0]["status"], "interrupted", "{listed}");
    let shown = scene.shown();
    assert_eq!(shown["status"], "interrupted");
    assert!(
        !shown["reason"].as_str().unwrap_or_default().is_empty(),
        "{shown}"
    );
    let recorded = Scene::recorded(&shown, "account", "created");
    assert!(
        recorded.is_subset(&scene.own_accounts()),
        "the store knows of nothing that is not there"
    );
    resumed_and_taken_back(&scene);
}

fn resumed_and_taken_back(scene: &Scene) {
    let resumed = scene.run(&["batch", "resume", "1"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(resumed.json()["status"], "succeeded");
    scene.whole();
    taken_back(scene);
}

fn taken_back(scene: &Scene) {
    let words = scene.planned_rollback();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let rolled = scene.run(&words);
    assert_eq!(rolled.code, 0, "{rolled:?}");
    assert_eq!(rolled.json()["status"], "rolled_back");
    scene.as_before();
    scene.nothing_is_left();
}

fn more(scene: &Scene, census: &Census, kind: &str, by: usize) -> bool {
    census.total(kind) >= scene.before.0.total(kind) + by
}

#[test]
fn a_kill_after_the_group_is_made_is_resumed_whole() {
    killed_and_resumed("prod", "the group is made", |scene, now| {
        more(scene, now, "group", 1)
    });
}

#[test]
fn a_kill_in_the_middle_of_the_accounts_is_resumed_whole() {
    killed_and_resumed("accept", "three accounts are made", |scene, now| {
        more(scene, now, "account", 3)
    });
}

#[test]
fn a_kill_after_the_user_is_made_is_resumed_whole() {
    killed_and_resumed("accept", "the user is made", |scene, now| {
        more(scene, now, "user", 1)
    });
}

#[test]
fn a_kill_after_the_key_is_made_is_resumed_whole() {
    killed_and_resumed("accept", "the key is made", |scene, now| {
        more(scene, now, "key", 1)
    });
}

#[test]
fn a_kill_during_the_proof_is_resumed_whole() {
    killed_and_resumed("accept", "the gateway is asked", |scene, _| {
        scene.asked("GET", "/v1/models") > 0
    });
}

#[test]
fn a_kill_of_a_self_service_import_after_the_balance_is_resumed_and_taken_back_whole() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start("accept", 3, UNANSWERED);
    let words = scene.planned_by("self_service");
    let mut child = begin(&scene, &words);
    scene.wait("the balance is set", |_| {
        let asked = |row: &SeenRequest| row.path.ends_with("/balance");
        scene.lab.log().since(0).iter().any(asked)
    });
    kill(&mut child);
    scene.nothing_runs_on();
    assert_eq!(scene.shown()["status"], "interrupted");
    let resumed = scene.run(&["batch", "resume", "1"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(resumed.json()["access_status"], "self_service_ready");
    let keys: Vec<&str> = scene.keys.iter().map(String::as_str).collect();
    let whole = scene.before.0.after_self_service(&keys);
    assert_eq!(scene.census().differences(&whole), Vec::<String>::new());
    taken_back(&scene);
}

#[test]
fn a_kill_at_any_moment_is_resumed_whole() {
    if !has_ssh() {
        return;
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    let seed = std::env::var("CRASH_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| u64::from(now.subsec_nanos()));
    println!("CRASH_SEED={seed}");
    let mut drawn = seed;
    for _ in 0..3 {
        drawn = drawn
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let moment = Duration::from_millis((drawn >> 33) % 1800);
        let scene = Scene::start("accept", 6, UNANSWERED);
        let words = scene.planned();
        let mut child = begin(&scene, &words);
        std::thread::sleep(moment);
        kill(&mut child);
        scene.nothing_runs_on();
        let listed = scene.run(&["batch", "list"]).json();
        let status = listed["batches"][0]["status"]
            .as_str()
            .unwrap_or("none")
            .to_owned();
        println!("killed after {moment:?}: {status}");
        match status.as_str() {
            "interrupted" => resumed_and_taken_back(&scene),
            "succeeded" => {
                scene.whole();
                taken_back(&scene);
            }
            // Before the batch was begun, nothing may have been written.
            "none" => scene.as_before(),
            other => panic!("a killed batch is {other}"),
        }
    }
}

#[test]
fn a_kill_while_taking_back_is_taken_back_whole_by_a_new_plan() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start("accept", 6, UNANSWERED);
    let words = scene.planned();
    let imported = scene.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(imported.code, 0, "{imported:?}");
    let all = scene.own_accounts();
    assert_eq!(all.len(), 6);
    let words = scene.planned_rollback();
    let mut child = begin(&scene, &words);
    scene.wait("two accounts are deleted", |_| {
        scene.own_accounts().len() <= 4
    });
    kill(&mut child);
    scene.nothing_runs_on();
    let listed = scene.run(&["batch", "list"]).json();
    assert_eq!(listed["batches"][0]["status"], "interrupted", "{listed}");
    assert_eq!(scene.run(&["batch", "resume", "1"]).code, 3, "it has holes");
    let rest = scene.own_accounts();
    assert!(
        !rest.is_empty() && rest.len() < all.len(),
        "it was killed in the middle: {rest:?}"
    );
    let records: BTreeSet<i64> = Scene::recorded(&scene.shown(), "account", "created");
    assert!(
        records.is_superset(&rest),
        "nothing is forgotten that is still there"
    );
    taken_back(&scene);
}

#[test]
fn a_kill_while_a_self_service_import_is_taken_back_is_taken_back_whole_by_a_new_plan() {
    if !has_ssh() {
        return;
    }
    // Killed at two places: the keys' accounts are going, and all that is left is what people pay with.
    let moments: [(&str, fn(&Scene) -> bool); 2] = [
        ("two accounts are deleted", |scene| {
            scene.own_accounts().len() <= 4
        }),
        ("the managed key is deleted", |scene| {
            scene.census().total("key") == scene.before.0.total("key")
        }),
    ];
    for (moment, is_there) in moments {
        let scene = Scene::start("accept", 6, UNANSWERED);
        let words = scene.planned_by("self_service");
        let imported = scene.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(imported.code, 0, "{imported:?}");
        let words = scene.planned_rollback();
        let mut child = begin(&scene, &words);
        wait_until(moment, LIMIT, || is_there(&scene).then_some(()));
        kill(&mut child);
        scene.nothing_runs_on();
        let left = scene.census().differences(&scene.before.0);
        assert!(!left.is_empty(), "{moment}: it was killed in the middle");
        let listed = scene.run(&["batch", "list"]).json();
        assert_eq!(listed["batches"][0]["status"], "interrupted", "{listed}");
        taken_back(&scene);
    }
}
