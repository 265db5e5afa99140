//! Both access modes of one key beside each other: each is compared whole, what belongs to one is no
//! drift of the other, and look-alikes are counted once.

use super::{HOST, OLDER, counts, imported, row_named};
use crate::support::far::{Admin, text};
use crate::support::{Lab, has_ssh};
use serde_json::{Value, json};

const KEYS: &str = "sk-lab-good-both-000001\nsk-lab-good-both-000002\n";

/// The same keys for users who pay.
fn beside(lab: &Lab) -> u64 {
    let planned = lab.plan_import(HOST, KEYS, &["--access", "self_service"]);
    let ran = lab.apply("import", &planned, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()["id"].as_u64().expect("a number")
}

fn compared(lab: &Lab, scope: &[&str], code: i32) -> Value {
    let words = [&["reconcile", "plan"], scope, &["--json"]].concat();
    let mark = lab.mark();
    let ran = lab.run(&words);
    assert_eq!(ran.code, code, "{ran:?}");
    assert_eq!(lab.seen(mark).writes(HOST), Vec::<String>::new());
    ran.json()
}

/// What came of a batch.
fn of(report: &Value, batch: u64) -> Value {
    let rows = report["batches"].as_array().expect("batches");
    let found = rows.iter().find(|row| row["batch_id"] == batch);
    found.unwrap_or_else(|| panic!("{report}")).clone()
}

/// Every reason why an account is not chosen, pool by pool.
fn reasons(lab: &Lab) -> Vec<Vec<String>> {
    let words = [
        "provider",
        "status",
        "--host",
        HOST,
        "--provider",
        "lab",
        "--json",
    ];
    let pools = lab.run(&words).json();
    let rows = |value: &Value| value.as_array().expect("rows").clone();
    let of_pool = |pool: &Value| {
        let mut told: Vec<String> = rows(&pool["seats"])
            .iter()
            .flat_map(|seat| rows(&seat["why_not"]))
            .map(|why| text(&why, "reason"))
            .collect();
        told.sort();
        told.dedup();
        told
    };
    rows(&pools["pools"]).iter().map(of_pool).collect()
}

fn drift(admin: &Admin) {
    let channels = admin.list("/api/v1/admin/channels?page_size=100");
    let channel = row_named(&channels, "relay-lab")["id"].to_string();
    let path = format!("/api/v1/admin/channels/{channel}");
    admin.call("PUT", &path, &json!({"restrict_models": false}));
}

#[test]
fn both_access_modes_are_compared_whole_and_repaired_each_by_its_own_plan() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let admin = lab.admin(HOST);
    let first = imported(&lab, KEYS);
    let second = beside(&lab);
    let of_provider = ["--host", HOST, "--provider", "lab"];
    let well = compared(&lab, &of_provider, 0);
    assert_eq!(well["status"], "active", "{well}");
    let older = OLDER as u64;
    assert_eq!(counts(&well), [0, 0, 0, older, older], "{well}");
    let modes: Vec<String> = [first, second]
        .map(|id| text(&of(&well, id), "access_mode"))
        .into();
    assert_eq!(modes, ["subscription", "self_service"]);
    // The older accounts of the first group are not missing in the second.
    let told = reasons(&lab);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(!told.concat().contains(&"not_bound".to_owned()), "{told:?}");

    // The channel is one batch's, the account serves both.
    drift(&admin);
    let shown = lab
        .run(&["batch", "show", &first.to_string(), "--json"])
        .json();
    let account = text(&shown["items"][0], "account_id");
    let account = format!("/api/v1/admin/accounts/{account}");
    let bound = admin.call("GET", &account, &Value::Null)["group_ids"].clone();
    assert_eq!(bound.as_array().map(Vec::len), Some(2), "{bound}");
    admin.call("PUT", &account, &json!({"group_ids": []}));
    let drifted = compared(&lab, &["--host", HOST], 2);
    assert_eq!(counts(&of(&drifted, first))[..3], [0, 2, 0], "{drifted}");
    assert_eq!(counts(&of(&drifted, second))[..3], [0, 1, 0], "{drifted}");
    assert!(reasons(&lab).concat().contains(&"not_bound".to_owned()));

    // Each batch is a plan of its own; the older one puts back what is its own and what it shares.
    let one = compared(&lab, &["--batch", &first.to_string()], 2);
    assert_eq!(one["batch_id"], first, "{one}");
    let last_good = &one["since"][0];
    assert!(!last_good["last_good_at"].is_null(), "{last_good}");
    let (id, hash) = (one["plan"]["id"].to_string(), text(&one["plan"], "hash"));
    let ran = lab.run(&["reconcile", "apply", &id, "--yes", &hash, "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        admin.call("GET", &account, &Value::Null)["group_ids"],
        bound
    );
    assert_eq!(compared(&lab, &["--host", HOST], 0)["status"], "active");
}
