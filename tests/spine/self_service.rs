//! Access mode `self_service` from the plan to the way back, and beside the other mode.

use super::{HOST, KEY, batch, differences, id_of, import, plan_by, plan_of, rows};
use crate::support::far::{Admin, text};
use crate::support::{Lab, Ran, has_ssh};
use serde_json::{Value, json};

const EMAIL: &str = "relay-lab@cockpit.invalid";

fn planned(lab: &Lab) -> Value {
    plan_by(lab, HOST, "lab", "strict", "self_service", KEY)
}

fn user(admin: &Admin) -> Value {
    let users = admin.list("/api/v1/admin/users?page_size=100");
    let found = users.iter().find(|row| row["email"] == EMAIL);
    found.cloned().unwrap_or_else(|| panic!("{users:?}"))
}

/// Takes all that the managed user has.
fn drain(admin: &Admin) {
    let user = user(admin);
    let body = json!({"balance": user["balance"], "operation": "subtract"});
    let path = format!("/api/v1/admin/users/{}/balance", user["id"]);
    assert_eq!(admin.call("POST", &path, &body)["balance"], 0.0);
}

fn roll_back(lab: &Lab, id: &Value) -> Ran {
    let ran = lab.run(&["rollback", "plan", &id.to_string(), "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    lab.apply("rollback", &ran.json(), &[])
}

fn look(lab: &Lab, id: &Value) -> (i32, Value) {
    let ran = lab.run(&["access", "status", &id.to_string(), "--json"]);
    (ran.code, ran.json())
}

#[test]
fn a_user_who_pays_is_proven_runs_out_of_money_and_is_taken_back() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let admin = lab.admin(HOST);
    let before = admin.listing();

    let plan = planned(&lab);
    let line = |kind: &str, sign: &str| {
        let mut all = rows(&plan, "changes").iter();
        all.find(|row| row["type"] == kind && row["sign"] == sign)
            .cloned()
    };
    let money = line("user", "~").expect("the money is in the plan");
    assert_eq!(money["fields"][0]["to"], 5.0, "{money}");
    assert!(text(&money, "reason").contains("5.00 USD"), "{money}");
    assert_eq!(
        line("group", "+").expect("a group")["name"],
        "relay-lab-self-service"
    );
    assert_eq!((line("plan", "+"), line("subscription", "+")), (None, None));

    let ran = lab.apply("import", &plan, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let done = ran.json();
    assert_eq!(done["access_status"], "self_service_ready", "{done}");
    assert_eq!(done["effective_key_source"], "managed_self_service");
    let groups = admin.list("/api/v1/admin/groups?page_size=100");
    let group = groups
        .iter()
        .find(|row| row["name"] == "relay-lab-self-service");
    assert_eq!(group.expect("a group")["subscription_type"], "standard");

    let (code, told) = look(&lab, &done["id"]);
    assert_eq!((code, &told["available"]), (0, &json!(true)), "{told}");
    let names: Vec<String> = rows(&told, "preconditions")
        .iter()
        .map(|row| text(row, "name"))
        .collect();
    assert_eq!(names, ["login", "balance", "key", "group"]);

    // Without money nothing is drifted, and the reason is named.
    drain(&admin);
    let (code, told) = look(&lab, &done["id"]);
    assert_eq!(
        (code, &told["latest_access_status"]),
        (1, &json!("broken")),
        "{told}"
    );
    let failed: Vec<_> = rows(&told, "preconditions")
        .iter()
        .filter(|row| row["ok"] == false)
        .map(|row| (text(row, "name"), text(row, "found")))
        .collect();
    assert_eq!(failed, [("balance".to_owned(), "0.00 USD".to_owned())]);
    let words = [
        "reconcile",
        "plan",
        "--host",
        HOST,
        "--provider",
        "lab",
        "--json",
    ];
    let report = lab.run(&words).json();
    let report = report.get("report").unwrap_or(&report);
    assert_eq!(report["status"], "degraded", "{report}");
    let note = report["probe_notes"][0].to_string();
    assert!(note.contains("has a balance of 0.00 USD"), "{note}");

    let ran = roll_back(&lab, &done["id"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(differences(&before, &admin.listing()), Vec::<String>::new());
}

#[test]
fn both_modes_of_one_key_stand_side_by_side_and_go_one_after_the_other() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let admin = lab.admin(HOST);
    let bare = admin.listing();
    assert_eq!(import(&lab, "lab", "strict", KEY).code, 0);
    let subscribed = admin.listing();

    let ran = lab.apply("import", &planned(&lab), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let second = ran.json()["id"].clone();
    assert!(
        user(&admin)["balance"]
            .as_f64()
            .is_some_and(|left| left > 4.9)
    );
    // Both go on serving.
    assert_eq!(look(&lab, &json!(1)).0, 0);
    assert_eq!(look(&lab, &second).0, 0);
    // What is there is kept: neither the money nor the frame is made twice.
    let again = planned(&lab);
    let signs: Vec<String> = rows(&again, "changes")
        .iter()
        .map(|row| format!("{}{}", text(row, "sign"), text(row, "type")))
        .collect();
    assert_eq!(signs, ["=group", "=channel", "=account", "=user", "=key"]);
    let other = plan_of(&lab, HOST, "lab", "strict", KEY);
    assert_eq!(other["blockers"], json!([]), "{other}");
    assert!(id_of(&other) != id_of(&again));

    // The first one made what the second one uses; it goes when the second has gone.
    let early = lab.run(&["rollback", "plan", "1", "--json"]).json();
    let blocked = early.to_string();
    assert!(blocked.contains("batch/2 uses it"), "{blocked}");
    assert_eq!(roll_back(&lab, &second).code, 0);
    assert_eq!(batch(&lab, &second)["status"], "rolled_back");
    assert_eq!(user(&admin)["balance"], 0.0);
    // Looking at the first one again has used its subscription; that stays used.
    let mut left = differences(&subscribed, &admin.listing());
    left.retain(|row| !row.starts_with("subscription ") && !row.starts_with("user "));
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(look(&lab, &json!(1)).0, 0);
    assert_eq!(roll_back(&lab, &json!(1)).code, 0);
    assert_eq!(differences(&bare, &admin.listing()), Vec::<String>::new());
}
