//! Taking over what people or older tools made on a host: read by name and pattern, recorded, compared,
//! released again, and not one write to the host in all of it.

use crate::support::far::{Admin, text};
use crate::support::{Lab, has_ssh};
use serde_json::{Value, json};

const HOST: &str = "accept";

/// The group of the pack stands there already; by hand a channel over it, an account with a name of
/// ours and a double.
fn made_by_hand(admin: &Admin) -> Value {
    let groups = admin.list("/api/v1/admin/groups?page_size=100");
    let group = groups.iter().find(|row| row["name"] == "relay-lab");
    let group = group.expect("the pack's group")["id"].clone();
    let channels = admin.list("/api/v1/admin/channels?page_size=100");
    if !channels.iter().any(|row| row["name"] == "relay-lab") {
        admin.call(
            "POST",
            "/api/v1/admin/channels",
            &json!({"name": "relay-lab", "group_ids": [group]}),
        );
    }
    for name in ["lab.00000000000a", "lab.00000000000b", "lab.00000000000b"] {
        account(admin, name, &group);
    }
    group
}

fn account(admin: &Admin, name: &str, group: &Value) {
    admin.call(
        "POST",
        "/api/v1/admin/accounts",
        &json!({
            "name": name, "platform": "openai", "type": "apikey", "group_ids": [group],
            "concurrency": 1, "priority": 50,
            "credentials": {"api_key": "sk-lab-good-by-hand-0001", "base_url": "http://good.upstream.lab"},
        }),
    );
}

fn plan(lab: &Lab, code: i32) -> Value {
    let words = [
        "adopt",
        "plan",
        "--host",
        HOST,
        "--provider",
        "lab",
        "--json",
    ];
    let ran = lab.run(&words);
    assert_eq!(ran.code, code, "{ran:?}");
    ran.json()
}

fn signed(plan: &Value, sign: &str) -> Vec<String> {
    let rows = plan["changes"].as_array().expect("changes");
    let of_sign = rows.iter().filter(|row| row["sign"] == sign);
    of_sign.map(|row| text(row, "name")).collect()
}

fn count(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("{report}"))
}

#[test]
fn what_stands_there_is_taken_over_compared_and_released_without_one_write() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let admin = lab.admin(HOST);
    let group = made_by_hand(&admin);
    let before = admin.listing();
    let mark = lab.mark();

    let stale = plan(&lab, 0);
    account(&admin, "lab.00000000000c", &group);
    let refused = lab.apply("adopt", &stale, &[]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("lab.00000000000c"), "{refused:?}");

    let read = plan(&lab, 0);
    let taken = signed(&read, "+");
    for name in ["relay-lab", "lab.00000000000a", "lab.00000000000c"] {
        assert!(taken.contains(&name.to_owned()), "{name}: {taken:?}");
    }
    let twins = signed(&read, "!");
    assert_eq!(
        twins
            .iter()
            .filter(|name| *name == "lab.00000000000b")
            .count(),
        2,
        "{read}"
    );
    let ran = lab.apply("adopt", &read, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let done = ran.json();
    assert_eq!(
        (&done["kind"], &done["status"]),
        (&json!("adopt"), &json!("succeeded"))
    );
    assert_eq!(done["done"], taken.len(), "{done}");
    let batch = done["id"].to_string();

    // Recorded, it is compared like everything of ours; there is nothing left to take over.
    assert_eq!(signed(&plan(&lab, 1), "+"), Vec::<String>::new());
    let look = ["reconcile", "plan", "--batch", &batch, "--json"];
    let report = lab.run(&look).json();
    assert_eq!(
        (
            count(&report, "missing_count"),
            count(&report, "changed_count")
        ),
        (0, 0),
        "{report}"
    );
    let shown = lab.run(&["batch", "show", &batch, "--json"]).json();
    let rows = shown["resources"].as_array().expect("resources");
    assert!(
        rows.iter().all(|row| row["origin"] == "adopted"),
        "{rows:?}"
    );
    assert_eq!(rows.len(), taken.len());

    let planned = lab.run(&["rollback", "plan", &batch, "--json"]).json();
    assert_eq!(planned["totals"]["remove"], 0, "{planned}");
    let rolled = lab.apply("rollback", &planned, &[]);
    assert_eq!(rolled.code, 0, "{rolled:?}");
    assert_eq!(rolled.json()["status"], "rolled_back");
    let by_hand = |row: &&String| row.contains("POST /api/v1/admin/accounts");
    let mut writes = lab.seen(mark).writes(HOST);
    writes.retain(|row| !by_hand(&row));
    assert_eq!(writes, Vec::<String>::new());
    let after = admin.listing();
    assert!(after.len() == before.len() + 1, "only what the test added");
    assert_eq!(signed(&plan(&lab, 0), "+"), taken);
}

#[test]
fn drift_of_what_was_taken_over_is_found_with_its_time() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let admin = lab.admin(HOST);
    made_by_hand(&admin);
    let ran = lab.apply("adopt", &plan(&lab, 0), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let look = ["reconcile", "plan", "--host", HOST, "--json"];
    lab.run(&look);
    let channels = admin.list("/api/v1/admin/channels?page_size=100");
    let channel = channels
        .iter()
        .find(|row| row["name"] == "relay-lab")
        .expect("a channel");
    let path = format!("/api/v1/admin/channels/{}", channel["id"]);
    let other = channel["restrict_models"] != true;
    admin.call("PUT", &path, &json!({"restrict_models": other}));
    let ran = lab.run(&look);
    assert_eq!(ran.code, 2, "{ran:?}");
    let report = ran.json();
    assert_eq!(count(&report, "changed_count"), 1, "{report}");
    assert!(!report["since"][0]["last_good_at"].is_null(), "{report}");
}

const KEY: &str = "sk-lab-good-adopt-000001";

/// An import whose installation is lost afterwards: the host has everything, no record is left.
fn left_by_a_lost_installation(lab: &Lab) {
    lab.import(HOST, &format!("{KEY}\n"));
    std::fs::remove_dir_all(lab.folder().join("state")).expect("the records are lost");
}

/// The rows of a plan of one kind, as `sign name`.
fn of_kind(plan: &Value, kind: &str) -> Vec<String> {
    let rows = plan["changes"].as_array().expect("changes").iter();
    let rows = rows.filter(|row| row["type"] == kind);
    rows.map(|row| format!("{} {}", text(row, "sign"), text(row, "name")))
        .collect()
}

fn adopted(lab: &Lab) -> String {
    let read = plan(lab, 0);
    let email = "+ relay-lab@cockpit.invalid";
    assert_eq!(of_kind(&read, "user"), [email], "{read}");
    assert_eq!(of_kind(&read, "subscription"), [email], "{read}");
    assert_eq!(of_kind(&read, "key"), ["+ relay-lab"], "{read}");
    assert!(!read.to_string().contains("sk-relay-"), "{read}");
    let ran = lab.apply("adopt", &read, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()["id"].to_string()
}

/// Every step of a rollback plan that is not done, with its kind.
fn blocked(plan: &Value) -> Vec<(String, String)> {
    let steps = plan["steps"].as_array().expect("steps").iter();
    let steps = steps.filter(|step| step["blocked"].is_string());
    steps
        .map(|step| (text(&step["change"], "type"), text(step, "blocked")))
        .collect()
}

#[test]
fn the_managed_user_its_right_and_its_key_are_taken_over_and_deleted_only_on_request() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let admin = lab.admin(HOST);
    left_by_a_lost_installation(&lab);
    let batch = adopted(&lab);
    let look = ["reconcile", "plan", "--batch", &batch, "--json"];
    let report = lab.run(&look).json();
    let drift = (
        count(&report, "missing_count"),
        count(&report, "changed_count"),
    );
    assert_eq!(drift, (0, 0), "{report}");

    // Released by default.
    let words = ["rollback", "plan", &batch, "--json"];
    let released = lab.run(&words).json();
    assert_eq!(released["totals"]["remove"], 0, "{released}");

    // Somebody else stands on the group: it stays, and so does what it needs.
    let person = json!({"email": "lin@example.com", "password": "lab-user-password"});
    let person = admin.call("POST", "/api/v1/admin/users", &person)["id"].clone();
    let groups = admin.list("/api/v1/admin/groups?page_size=100");
    let group = groups.iter().find(|row| row["name"] == "relay-lab");
    let group = group.expect("the group")["id"].clone();
    let right = json!({"user_id": person, "group_id": group, "validity_days": 30});
    let right = admin.call("POST", "/api/v1/admin/subscriptions/assign", &right)["id"].clone();
    let words = ["rollback", "plan", &batch, "--delete", "--json"];
    let kept = lab.run(&words).json();
    let held = blocked(&kept);
    let of = |kind: &str| held.iter().find(|(at, _)| at == kind);
    assert!(
        of("group").is_some_and(|row| row.1.contains("depend")),
        "{kept}"
    );
    assert!(
        of("account").is_some_and(|row| row.1.contains("its floor is")),
        "{kept}"
    );
    assert!(
        of("channel").is_some_and(|row| row.1.contains("stays")),
        "{kept}"
    );
    assert_eq!(of("key"), None, "{kept}");

    let path = format!("/api/v1/admin/subscriptions/{right}");
    admin.call("DELETE", &path, &Value::Null);
    let last = lab.run(&words).json();
    assert_eq!(blocked(&last), [], "{last}");
    let unnamed = lab.apply("rollback", &last, &[]);
    assert_eq!(unnamed.code, 3, "{unnamed:?}");
    assert!(
        unnamed.stderr.contains("cannot be taken back"),
        "{unnamed:?}"
    );
    let (id, hash) = (last["plan"]["id"].to_string(), text(&last["plan"], "hash"));
    let ran = lab.run(&[
        "rollback",
        "apply",
        &id,
        "--yes",
        &hash,
        "--host-name",
        HOST,
        "--reason",
        "the trial is over",
        "--json",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let done = ran.json();
    assert_eq!(done["status"], "rolled_back", "{done}");
    assert_eq!(done["remains"], json!([]), "{done}");
    let left = admin.listing();
    let ours = |name: &&String| name.contains("relay-lab") || name.contains("lab.");
    let ours: Vec<&String> = left.keys().filter(ours).collect();
    assert_eq!(ours, Vec::<&String>::new());
    let people = admin.list("/api/v1/admin/users?page_size=100");
    assert!(people.iter().any(|row| row["id"] == person), "{people:?}");
}

#[test]
fn only_an_adoption_is_deleted_on_request() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let batch = lab.import(HOST, &format!("{KEY}\n"))["id"].to_string();
    let refused = lab.run(&["rollback", "plan", &batch, "--delete"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("took nothing over"), "{refused:?}");
}
