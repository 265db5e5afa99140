//! Drift made by hand through the host's own admin API, and what a reconcile says of it
//! (`product.md` 4, reconcile): real differences are counted and named, noise is no drift.

mod both;
mod limits;
mod repair;
mod watch;

use crate::support::far::{Admin, text};
use crate::support::{Lab, has_ssh};
use serde_json::{Value, json};

const HOST: &str = "accept";
/// Older accounts of the provider that the lab's host holds from the beginning; an import parks
/// them, so that they are leftovers from then on.
const OLDER: usize = 10;
const KEYS: &str = "sk-lab-good-drift-000001\nsk-lab-good-drift-000002\nsk-lab-good-drift-000003\n";

/// Imports keys and gives the batch.
fn imported(lab: &Lab, keys: &str) -> u64 {
    lab.import(HOST, keys)["id"].as_u64().expect("a number")
}

/// Reconciles; the report, after its exit code was checked.
fn reconciled(lab: &Lab, code: i32) -> Value {
    let mark = lab.mark();
    let ran = lab.run(&[
        "reconcile",
        "plan",
        "--host",
        HOST,
        "--provider",
        "lab",
        "--json",
    ]);
    assert_eq!(ran.code, code, "{ran:?}");
    assert_eq!(lab.seen(mark).writes(HOST), Vec::<String>::new());
    ran.json()
}

/// missing, changed, extra, raw extra, noise.
fn counts(report: &Value) -> [u64; 5] {
    [
        "missing_count",
        "changed_count",
        "extra_count",
        "raw_extra_count",
        "stale_noise_count",
    ]
    .map(|name| report[name].as_u64().expect("a count"))
}

/// Adds an account that nobody of ours made, out of scheduling so that it serves nothing.
fn account_by_hand(admin: &Admin, name: &str, group: &Value) {
    let made = admin.call(
        "POST",
        "/api/v1/admin/accounts",
        &json!({
            "name": name, "platform": "openai", "type": "apikey", "group_ids": [group],
            "concurrency": 1, "priority": 50,
            "credentials": {"api_key": "sk-lab-good-by-hand-0001", "base_url": "http://good.upstream.lab"},
        }),
    );
    let path = format!("/api/v1/admin/accounts/{}/schedulable", made["id"]);
    admin.call("POST", &path, &json!({"schedulable": false}));
}

fn row_named(rows: &[Value], name: &str) -> Value {
    let found = rows.iter().find(|row| row["name"] == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {rows:?}"))
        .clone()
}

/// The reconcile runs that a batch shows.
fn runs(lab: &Lab, batch: u64) -> Vec<Value> {
    let shown = lab
        .run(&["batch", "show", &batch.to_string(), "--json"])
        .json();
    shown["reconcile_runs"].as_array().expect("runs").clone()
}

#[test]
fn drift_by_hand_is_counted_and_named_and_leftovers_are_not_drift() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let batch = imported(&lab, KEYS);
    let older = OLDER as u64;
    let report = reconciled(&lab, 0);
    assert_eq!(report["status"], "active", "{report}");
    assert_eq!(counts(&report), [0, 0, 0, older, older]);

    let admin = lab.admin(HOST);
    let group = row_named(
        &admin.list("/api/v1/admin/groups?page_size=100"),
        "relay-lab",
    )["id"]
        .clone();
    for number in 0..10 {
        account_by_hand(&admin, &format!("lab.0000000000{number:02}"), &group);
    }
    let report = reconciled(&lab, 0);
    assert_eq!(
        report["status"], "active",
        "leftovers are not drift: {report}"
    );
    assert_eq!(counts(&report), [0, 0, 0, older + 10, older + 10]);

    lab.break_it("upstream-quota");
    let report = reconciled(&lab, 1);
    assert_eq!(report["status"], "degraded", "{report}");
    assert_eq!(counts(&report), [0, 0, 0, older + 10, older + 10]);
    assert!(report["probe_failures"].as_u64() >= Some(1), "{report}");
    lab.mend_it("upstream-quota");

    let shown = lab
        .run(&["batch", "show", &batch.to_string(), "--json"])
        .json();
    let lost = text(&shown["items"][0], "account_id");
    let lost_name = text(&shown["items"][0], "account_name");
    admin.call(
        "DELETE",
        &format!("/api/v1/admin/accounts/{lost}"),
        &Value::Null,
    );
    let channel = row_named(
        &admin.list("/api/v1/admin/channels?page_size=100"),
        "relay-lab",
    );
    let path = format!("/api/v1/admin/channels/{}", channel["id"]);
    admin.call("PUT", &path, &json!({"restrict_models": false}));
    account_by_hand(&admin, "somebody-elses", &group);

    let report = reconciled(&lab, 2);
    assert_eq!(report["status"], "drifted", "{report}");
    assert_eq!(counts(&report), [1, 1, 1, older + 11, older + 10]);
    assert_eq!(report["batch_id"], batch);
    let changes = report["changes"].as_array().expect("changes");
    let of = |kind: &str, name: &str| {
        let found = changes
            .iter()
            .find(|row| row["type"] == kind && row["name"] == name);
        found.unwrap_or_else(|| panic!("no {kind} {name} in {report}"))
    };
    assert_eq!(of("account", &lost_name)["host_resource_id"], lost);
    let fields = of("channel", "relay-lab")["fields"]
        .as_array()
        .expect("fields");
    let named: Vec<String> = fields.iter().map(|row| text(row, "field")).collect();
    assert_eq!(named, ["restrict_models"]);
    of("account", "somebody-elses");
    assert_eq!(changes.len(), 3, "{report}");
    assert_eq!(
        runs(&lab, batch).len(),
        4,
        "each run is kept with its batch"
    );
}

#[test]
fn a_batch_shows_its_own_reconcile_runs_only() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let first = imported(&lab, KEYS);
    reconciled(&lab, 0);
    reconciled(&lab, 0);
    let second = imported(&lab, "sk-lab-good-drift-000004\n");
    // Both stand: each is compared for itself, and what the second parked is no drift of the first.
    let report = reconciled(&lab, 0);
    let compared: Vec<&Value> = report["batches"]
        .as_array()
        .expect("batches")
        .iter()
        .collect();
    let ids: Vec<u64> = compared
        .iter()
        .filter_map(|row| row["batch_id"].as_u64())
        .collect();
    assert_eq!(ids, [second, first], "{report}");
    assert_eq!(report["status"], "active", "{report}");
    for (batch, count) in [(first, 3), (second, 1)] {
        let runs = runs(&lab, batch);
        assert_eq!(runs.len(), count, "{runs:?}");
        assert!(
            runs.iter().all(|run| run["body"]["batch_id"] == batch),
            "{runs:?}"
        );
    }
}
