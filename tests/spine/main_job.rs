//! From a baseline to a proven completion and back to the listing before.

use super::{HOST, KEY, batch, differences, has_fields, id_of, plan_of, refused, rows, word_of};
use crate::support::far::{Admin, text};
use crate::support::{Lab, has_ssh, wait_until};
use cockpit_lab::fleet;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

#[test]
fn a_key_is_imported_over_a_tunnel_proven_reconciled_and_rolled_back() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    looks_change_nothing(&lab);
    let admin = lab.admin(HOST);
    let before = admin.listing();
    let plan = the_plan_reads_only(&lab);
    only_the_right_word_applies(&lab, &plan);
    let done = the_import_is_proven(&lab, &admin, &plan);
    stands_as_recorded(&lab, &done);
    a_used_plan_is_refused(&lab, &plan);
    the_same_key_again_makes_nothing_twice(&lab, &admin);
    rolled_back_to_the_listing_before(&lab, &admin, &done["id"], &before);
}

/// Baseline, host list, host probe.
fn looks_change_nothing(lab: &Lab) {
    let mark = lab.mark();
    let ran = lab.run(&["baseline", "run", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    assert_eq!(
        (&report["pack"], &report["verdict"]),
        (&json!("tksea"), &json!("ok"))
    );
    let checks = rows(&report, "checks");
    assert!(checks.len() >= 34, "{report}");
    for check in checks {
        has_fields(
            check,
            &[
                "id",
                "layer",
                "level",
                "verdict",
                "expected",
                "found",
                "duration_ms",
            ],
        );
        assert!(
            check["duration_ms"].is_u64() && check["expected"].is_string(),
            "{check}"
        );
        assert_eq!(check["verdict"], "ok", "{check}");
    }
    let hosts = lab.run(&["host", "list", "--json"]).json();
    let told: Vec<(String, String, String)> = rows(&hosts, "hosts")
        .iter()
        .map(|host| (text(host, "id"), text(host, "role"), text(host, "machine")))
        .collect();
    let row =
        |id: &str, role: &str, machine: &str| (id.to_owned(), role.to_owned(), machine.to_owned());
    assert_eq!(
        told,
        [
            row(HOST, "acceptance", "accept44"),
            row("prod", "production", "remote43")
        ]
    );
    let probed = lab.run(&["host", "probe", HOST, "--json"]);
    assert_eq!(probed.code, 0, "{probed:?}");
    assert_eq!(probed.json()["identity"]["version"], "0.1.129");
    let seen = lab.seen(mark);
    assert!(seen.total() > 0, "nothing was looked at");
    assert_eq!((seen.writes(HOST), seen.writes("prod")), (vec![], vec![]));
}

fn the_plan_reads_only(lab: &Lab) -> Value {
    let mark = lab.mark();
    let plan = plan_of(lab, HOST, "lab", "strict", KEY);
    let items = rows(&plan, "items");
    assert_eq!(items.len(), 1, "{plan}");
    assert_eq!(items[0]["account_name"], fleet::account_name(KEY));
    assert!(
        !plan.to_string().contains(KEY),
        "the key stands in the plan"
    );
    let parked: BTreeSet<String> = rows(&plan, "changes")
        .iter()
        .filter(|change| change["type"] == "account" && change["sign"] == "-")
        .map(|change| text(change, "name"))
        .collect();
    let older = (1..=10)
        .map(|number| fleet::account_name(&fleet::old_key(number)))
        .collect();
    assert_eq!(parked, older);
    let seen = lab.seen(mark);
    assert!(seen.total() > 0, "the plan was made without a look");
    assert_eq!(seen.writes(HOST), Vec::<String>::new());
    plan
}

fn only_the_right_word_applies(lab: &Lab, plan: &Value) {
    let (mark, stored) = (lab.mark(), lab.store_rows());
    let (id, word) = (id_of(plan), word_of(plan));
    let wrong = if word.starts_with('0') {
        "1".repeat(64)
    } else {
        "0".repeat(64)
    };
    refused(&lab.run(&["import", "apply", &id, "--json"]), "denied");
    refused(
        &lab.run(&["import", "apply", &id, "--yes", &wrong, "--json"]),
        "denied",
    );
    refused(
        &lab.run(&["import", "apply", &id, "--yes", &word[..11], "--json"]),
        "denied",
    );
    assert_eq!(lab.seen(mark).total(), 0, "a refused word reached the host");
    assert_eq!(lab.store_rows(), stored);
}

fn the_import_is_proven(lab: &Lab, admin: &Admin, plan: &Value) -> Value {
    let mark = lab.mark();
    let ran = lab.apply("import", plan, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let done = ran.json();
    assert_eq!(done["status"], "succeeded", "{done}");
    assert_eq!(done["access_status"], "subscription_ready");
    assert_eq!(done["gateway"]["completion_ok"], true);
    let seen = lab.seen(mark);
    assert_eq!(seen.accounts_made(HOST), 1);
    // Ten older accounts could have answered: only the new key did.
    let name = fleet::account_name(KEY);
    let fingerprint = name.trim_start_matches("lab.").to_owned();
    assert_eq!(seen.upstream_keys(), BTreeSet::from([fingerprint.clone()]));
    let accounts = admin.list("/api/v1/admin/accounts?page_size=100");
    let new = accounts
        .iter()
        .find(|row| row["name"] == name)
        .expect("the account is listed");
    assert_eq!(done["gateway"]["served_by_account"], new["id"].to_string());
    let usage = admin.list("/api/v1/admin/usage?page_size=100");
    assert!(!usage.is_empty(), "no usage row");
    assert!(
        usage.iter().all(|row| row["account_id"] == new["id"]),
        "{usage:?}"
    );
    let parked = accounts
        .iter()
        .filter(|row| row["schedulable"] == false)
        .count();
    assert_eq!((accounts.len(), parked), (11, 10));

    let mark = lab.mark();
    let probed = lab.run(&[
        "probe",
        "run",
        "--host",
        HOST,
        "--provider",
        "lab",
        "--json",
    ]);
    assert_eq!(probed.code, 0, "{probed:?}");
    let answer = probed.json();
    let chat = rows(&answer, "probes")
        .iter()
        .find(|probe| probe["protocol"] == "chat");
    assert_eq!(chat.expect("a chat probe")["found"], "pong");
    assert_eq!(
        lab.seen(mark).upstream_keys(),
        BTreeSet::from([fingerprint])
    );
    done
}

fn stands_as_recorded(lab: &Lab, done: &Value) {
    let listed = lab.run(&["batch", "list", "--json"]).json();
    let row = &rows(&listed, "batches")[0];
    assert_eq!(
        [&row["id"], &row["status"], &row["provider"], &row["host"]],
        [
            &done["id"],
            &json!("succeeded"),
            &json!("lab"),
            &json!(HOST)
        ]
    );
    let shown = batch(lab, &done["id"]);
    has_fields(&shown, &["id", "status", "resources", "items", "events"]);
    let mut origins = BTreeMap::new();
    for resource in rows(&shown, "resources") {
        has_fields(resource, &["type", "host_resource_id", "name", "origin"]);
        assert!(resource["host_resource_id"].is_string(), "{resource}");
        let what = format!("{} {}", text(resource, "type"), text(resource, "origin"));
        *origins.entry(what).or_insert(0) += 1;
    }
    let told: Vec<(&str, i32)> = origins
        .iter()
        .map(|(what, count)| (what.as_str(), *count))
        .collect();
    assert_eq!(
        told,
        [
            ("account created", 1),
            ("account parked", 10),
            ("channel corrected", 1),
            ("group adopted", 1),
            ("key created", 1),
            ("plan created", 1),
            ("subscription created", 1),
            ("user created", 1),
        ]
    );
    let item = &rows(&shown, "items")[0];
    assert_eq!(
        (&item["account_status"], &item["probe_advisory"]),
        (&json!("passed"), &json!(false))
    );
    assert!(!rows(&shown, "events").is_empty());

    let mark = lab.mark();
    let words = [
        "reconcile",
        "plan",
        "--host",
        HOST,
        "--provider",
        "lab",
        "--json",
    ];
    let ran = lab.run(&words);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    for (field, expected) in [
        ("status", json!("active")),
        ("host", json!(HOST)),
        ("batch_id", done["id"].clone()),
        ("missing_count", json!(0)),
        ("changed_count", json!(0)),
        ("extra_count", json!(0)),
        ("raw_extra_count", json!(10)),
        ("stale_noise_count", json!(10)),
        ("probe_failures", json!(0)),
    ] {
        assert_eq!(report[field], expected, "{field}: {report}");
    }
    assert_eq!(report["summary"]["access_status"], "subscription_ready");
    has_fields(&report["plan"], &["id", "hash"]);
    assert_eq!(lab.seen(mark).writes(HOST), Vec::<String>::new());

    // `fully_ready` is a word of a look some time later; each look logs in, which a host lets happen
    // only so often.
    let applied = Instant::now();
    let settled = Duration::from_secs(17);
    wait_until("the last write is old enough", settled * 2, || {
        (applied.elapsed() > settled).then_some(())
    });
    let ran = lab.run(&["access", "status", &done["id"].to_string(), "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let look = ran.json();
    assert_eq!(
        look["access_status"], "subscription_ready",
        "rewritten: {look}"
    );
    assert_eq!(look["latest_access_status"], "fully_ready", "{look}");
    assert_eq!(look["available"], true);
}

fn a_used_plan_is_refused(lab: &Lab, plan: &Value) {
    let mark = lab.mark();
    let error = refused(&lab.apply("import", plan, &[]), "conflict");
    assert!(
        text(&error, "message").contains("applied already"),
        "{error}"
    );
    assert_eq!(lab.seen(mark).total(), 0);
}

fn the_same_key_again_makes_nothing_twice(lab: &Lab, admin: &Admin) {
    let count = || admin.list("/api/v1/admin/accounts?page_size=100").len();
    let (mark, before) = (lab.mark(), count());
    let plan = plan_of(lab, HOST, "lab", "strict", KEY);
    assert_ne!(rows(&plan, "items")[0]["state"], "new", "{plan}");
    let ran = lab.apply("import", &plan, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!((lab.seen(mark).accounts_made(HOST), count()), (0, before));
    // Taken back first, so that what it took over is the first batch's alone again.
    let plan = lab.run(&["rollback", "plan", &ran.json()["id"].to_string(), "--json"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let rolled = lab.apply("rollback", &plan.json(), &[]);
    assert_eq!(rolled.code, 0, "{rolled:?}");
    assert_eq!(
        count(),
        before,
        "the second batch took the first one's account away"
    );
}

fn rolled_back_to_the_listing_before(
    lab: &Lab,
    admin: &Admin,
    id: &Value,
    before: &BTreeMap<String, Value>,
) {
    let mark = lab.mark();
    let ran = lab.run(&["rollback", "plan", &id.to_string(), "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let plan = ran.json();
    has_fields(&plan, &["plan", "steps", "will_not_undo"]);
    assert_eq!(lab.seen(mark).writes(HOST), Vec::<String>::new());
    refused(
        &lab.run(&["rollback", "apply", &id_of(&plan), "--json"]),
        "denied",
    );
    assert_eq!(lab.seen(mark).writes(HOST), Vec::<String>::new());
    let ran = lab.apply("rollback", &plan, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let done = ran.json();
    assert_eq!(done["status"], "rolled_back");
    assert_eq!(
        (&done["remains"], &done["disturbed"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(differences(before, &admin.listing()), Vec::<String>::new());
    assert_eq!(batch(lab, id)["status"], "rolled_back");
    let mark = lab.mark();
    refused(&lab.apply("rollback", &plan, &[]), "conflict");
    assert_eq!(lab.seen(mark).writes(HOST), Vec::<String>::new());
}
