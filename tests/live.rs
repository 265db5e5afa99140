//! The acceptance path for a host of your own: the main job against a running server, through a
//! real loopback sshd, with upstreams that the test serves itself. `tests/README.md` says which
//! environment variables name the host; without them it is left out.

#[path = "live/adopted.rs"]
mod adopted;
#[path = "live/beside.rs"]
mod beside;
#[path = "live/drifted.rs"]
mod drifted;
#[path = "live/ground.rs"]
mod ground;
#[path = "live/modes.rs"]
mod modes;
#[path = "live/person.rs"]
mod person;
#[path = "live/steps.rs"]
mod steps;

use crate::support::{Ran, wait_until};
use ground::Ground;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

fn plan_of(ran: &Ran) -> (String, String) {
    let json = ran.json();
    let id = json["plan"]["id"].to_string();
    (id, json["plan"]["hash"].as_str().unwrap()[..12].to_owned())
}

/// Plans an import; gives id and approval of the plan.
fn plan(ground: &Ground, provider: &str, access: &str, keys: &str) -> (String, String) {
    let words = [
        "import",
        "plan",
        "--host",
        "live",
        "--provider",
        provider,
        "--access",
        access,
        "--keys",
        "-",
        "--json",
    ];
    let planned = ground.run_with(&words, keys);
    assert_eq!(planned.code, 0, "{planned:?}");
    plan_of(&planned)
}

/// Plans and applies; gives the batch as it ended.
fn import_by(ground: &Ground, provider: &str, access: &str, keys: &str, code: i32) -> Value {
    let (id, hash) = plan(ground, provider, access, keys);
    let applied = ground.run(&["import", "apply", &id, "--yes", &hash, "--json"]);
    assert_eq!(applied.code, code, "{applied:?}");
    applied.json()
}

/// The same in the access mode that is usual.
fn import(ground: &Ground, provider: &str, keys: &str, code: i32) -> Value {
    import_by(ground, provider, "subscription", keys, code)
}

/// Applies a plan by its hash, with these words more.
fn approved(ground: &Ground, noun: &str, planned: &Value, more: &[&str]) -> Ran {
    let id = planned["plan"]["id"].to_string();
    let hash = &planned["plan"]["hash"].as_str().unwrap()[..12];
    let words = [noun, "apply", &id, "--yes", hash, "--json"];
    ground.run(&[&words[..], more].concat())
}

fn take_back(ground: &Ground, batch: &str) {
    let planned = ground.run(&["rollback", "plan", batch, "--json"]);
    assert_eq!(planned.code, 0, "{planned:?}");
    let (id, hash) = plan_of(&planned);
    let applied = ground.run(&["rollback", "apply", &id, "--yes", &hash, "--json"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let rolled = applied.json();
    assert_eq!(rolled["status"], "rolled_back");
    assert_eq!(rolled["remains"], serde_json::json!([]));
    assert_eq!(rolled["disturbed"], serde_json::json!([]));
}

#[test]
fn the_main_job_runs_against_a_host_of_your_own() {
    let Some(ground) = Ground::lay() else { return };
    let probe = ground.run(&["host", "probe", "live", "--json"]);
    assert_eq!(probe.code, 0, "{probe:?}");
    println!("host: {}", probe.stdout.trim());
    let before = ground.names();

    let keys = format!("{}\n{}\n", ground.key("good", 1), ground.key("good", 2));
    let batch = import(&ground, "live-good", &keys, 0);
    println!("import: {batch:#}");
    assert_eq!(batch["status"], "succeeded");
    assert_eq!(batch["gateway"]["served_by_ours"], true);
    let id = batch["id"].to_string();

    let clean = ground.run(&[
        "reconcile",
        "plan",
        "--host",
        "live",
        "--provider",
        "live-good",
        "--json",
    ]);
    assert_eq!(clean.code, 0, "{clean:?}");
    // Only a look this much later may say `fully_ready`.
    std::thread::sleep(Duration::from_secs(17));
    let access = ground.run(&["access", "status", &id, "--json"]);
    println!("access: {}", access.stdout.trim());
    assert_eq!(
        access.json()["latest_access_status"],
        "fully_ready",
        "{access:?}"
    );

    ground.edit_by_hand(&batch);
    let drift = ground.run(&[
        "reconcile",
        "plan",
        "--host",
        "live",
        "--provider",
        "live-good",
        "--json",
    ]);
    println!("reconcile after a hand edit: {}", drift.stdout.trim());
    assert_eq!(drift.code, 2, "{drift:?}");
    assert_eq!(drift.json()["changed_count"], 1);

    take_back(&ground, &id);
    assert_eq!(
        ground.names(),
        before,
        "the host lists something else than before"
    );
}

#[test]
fn a_chat_only_upstream_is_imported_with_a_warning_and_a_dead_key_is_named() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    let batch = import(
        &ground,
        "live-chat",
        &format!("{}\n", ground.key("good", 3)),
        0,
    );
    assert_eq!(batch["status"], "succeeded", "{batch:#}");
    let shown = ground
        .run(&["batch", "show", &batch["id"].to_string(), "--json"])
        .json();
    assert!(
        matches!(
            shown["items"][0]["account_status"].as_str(),
            Some("warning" | "passed")
        ),
        "{shown:#}"
    );
    take_back(&ground, &batch["id"].to_string());

    let keys = format!("{}\n{}\n", ground.key("good", 4), ground.key("bad", 5));
    let batch = import(&ground, "live-good", &keys, 1);
    assert_eq!(batch["status"], "partially_succeeded", "{batch:#}");
    let shown = ground
        .run(&["batch", "show", &batch["id"].to_string(), "--json"])
        .json();
    let words: Vec<&str> = shown["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["account_status"].as_str())
        .collect();
    assert_eq!(words, ["passed", "failed"]);
    take_back(&ground, &batch["id"].to_string());
    assert_eq!(ground.names(), before);
}

#[test]
fn an_import_that_is_killed_is_resumed_without_doubles() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    let keys: Vec<String> = (10..22).map(|n| ground.key("good", n)).collect();
    let keys = keys.join("\n");
    let (id, hash) = plan(&ground, "live-good", "subscription", &keys);
    let mut running = ground.spawn(&["import", "apply", &id, "--yes", &hash]);
    let batch = wait_until("five accounts made", Duration::from_mins(1), || {
        let listed = ground.run(&["batch", "list", "--json"]).json();
        let batch = listed["batches"][0]["id"].as_i64()?.to_string();
        let shown = ground.run(&["batch", "show", &batch, "--json"]).json();
        let made = shown["items"]
            .as_array()?
            .iter()
            .filter(|item| item["account_id"].is_string())
            .count();
        (made >= 5).then_some(batch)
    });
    running.kill().unwrap();
    running.wait().unwrap();
    let left = ground.run(&["batch", "show", &batch, "--json"]).json();
    assert_eq!(left["status"], "interrupted", "{left:#}");
    let resumed = ground.run(&["batch", "resume", &batch, "--json"]);
    println!("resumed: {}", resumed.stdout.trim());
    assert_eq!(resumed.json()["status"], "succeeded", "{resumed:?}");
    let made: Vec<String> = ground
        .names()
        .into_iter()
        .filter(|name| name.starts_with("account live-good."))
        .collect();
    assert_eq!(made.len(), 12);
    assert_eq!(made.iter().collect::<BTreeSet<_>>().len(), 12);
    take_back(&ground, &batch);
    assert_eq!(ground.names(), before);
}
