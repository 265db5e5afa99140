//! An import in steps, and what becomes of its leavings: a canary that waits for a word, a parked
//! account deleted once its successor served, a killed import of users who pay.

use super::{Ground, approved, import, plan, take_back};
use crate::support::wait_until;
use cockpit_domain::secret::Secret;
use serde_json::{Value, json};
use std::time::Duration;

const PROVIDER: &str = "live-good";

fn accounts(ground: &Ground) -> usize {
    let ours = |name: &&String| name.starts_with(&format!("account {PROVIDER}."));
    ground.names().iter().filter(ours).count()
}

fn resumed(ground: &Ground, batch: &Value) -> Value {
    let ran = ground.run(&["batch", "resume", &batch.to_string(), "--json"]);
    println!("resumed: {}", ran.stdout.trim());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.json()["status"], "succeeded", "{ran:?}");
    ran.json()
}

#[test]
fn a_canary_is_proven_first_and_the_other_keys_follow_at_a_word() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    let keys: Vec<String> = (100..106).map(|n| ground.key("good", n)).collect();
    let (id, hash) = plan(&ground, PROVIDER, "subscription", &keys.join("\n"));
    let words = ["import", "apply", &id, "--yes", &hash, "--canary", "2"];
    let ran = ground.run(&[&words[..], &["--json"]].concat());
    println!("canary: code {} {}", ran.code, ran.stdout.trim());
    let first = ran.json();
    assert_eq!(
        (&first["status"], &first["interrupted_by"]),
        (&json!("interrupted"), &json!("canary")),
        "{first:#}"
    );
    assert_eq!(first["gateway"]["served_by_ours"], true, "{first:#}");
    assert_eq!(accounts(&ground), 2);
    resumed(&ground, &first["id"]);
    assert_eq!(accounts(&ground), 6);
    take_back(&ground, &first["id"].to_string());
    assert_eq!(ground.names(), before);
}

#[test]
fn a_parked_account_is_deleted_after_a_new_one_served_and_ours_stay() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    let keys: Vec<String> = (110..112).map(|n| ground.key("good", n)).collect();
    let account = |key: &str| format!("account {PROVIDER}.{}", Secret::new(key).fingerprint());
    let first = import(&ground, PROVIDER, &format!("{}\n", keys[0]), 0);
    // An older tool's: named like ours, in the same group, in no record.
    let older = format!("{PROVIDER}.00000000000a");
    let group: i64 = ground.held(&first, "group")[0].parse().unwrap();
    let body = json!({
        "name": older, "platform": "openai", "type": "apikey", "group_ids": [group],
        "concurrency": 1, "priority": 50,
        "credentials": {"api_key": ground.key("good", 112), "base_url": "http://127.0.0.1:9/v1"},
    });
    let made = ground.admin("POST", "accounts", Some(body));
    assert_eq!(made["code"], 0, "{made}");
    let second = import(&ground, PROVIDER, &format!("{}\n", keys[1]), 0);
    assert!(!ground.schedulable(&older), "it is parked");

    let words = ["prune", "plan", "--host", "live"];
    let planned = ground.run(&[&words[..], &["--provider", PROVIDER, "--json"]].concat());
    println!("prune plan: {}", planned.stdout.trim());
    assert_eq!(planned.code, 0, "{planned:?}");
    let bare = approved(&ground, "prune", &planned.json(), &[]);
    assert_eq!(bare.code, 3, "{bare:?}");
    let word = ["--host-name", "live", "--reason", "a live test"];
    let ran = approved(&ground, "prune", &planned.json(), &word);
    println!("prune apply: {}", ran.stdout.trim());
    assert_eq!(ran.code, 0, "{ran:?}");
    let left = ground.names();
    assert!(!left.contains(&format!("account {older}")), "{left:?}");
    // What a standing import of ours made stays, parked or not.
    assert!(
        keys.iter().all(|key| left.contains(&account(key))),
        "{left:?}"
    );

    take_back(&ground, &second["id"].to_string());
    take_back(&ground, &first["id"].to_string());
    assert_eq!(ground.names(), before);
}

#[test]
fn a_killed_import_of_a_user_who_pays_is_resumed_and_money_is_given_once() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    assert!(ground.user(PROVIDER).is_none(), "left by an earlier run");
    let key = format!("{}\n", ground.key("good", 120));
    let (id, hash) = plan(&ground, PROVIDER, "self_service", &key);
    let mut running = ground.spawn(&["import", "apply", &id, "--yes", &hash]);
    wait_until("a managed user", Duration::from_mins(1), || {
        ground.user(PROVIDER)
    });
    running.kill().unwrap();
    running.wait().unwrap();
    let listed = ground.run(&["batch", "list", "--json"]).json();
    let batch = listed["batches"][0].clone();
    assert_eq!(batch["status"], "interrupted", "{batch:#}");
    let whole = resumed(&ground, &batch["id"]);
    assert_eq!(whole["access_status"], "self_service_ready", "{whole:#}");
    assert_eq!(accounts(&ground), 1);
    let user = ground.user(PROVIDER).expect("a managed user");
    let balance = user["balance"].as_f64().expect("a balance");
    assert!(balance > 0.0 && balance <= 5.0, "{user:#}");
    take_back(&ground, &batch["id"].to_string());
    assert_eq!(ground.names(), before);
}
