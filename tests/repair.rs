//! A lost binding is repaired through the host's API: planned, approved, written once, proven by
//! the same checks, and taken back like any batch (`product.md` 5).

use crate::support::far::{Admin, text};
use crate::support::{Lab, Ran, has_ssh};
use serde_json::{Value, json};

const CHECK: &str = "binding.account-7-group-3";
const WORD: [&str; 4] = ["--host-name", "prod", "--reason", "models fail for all"];
const ACCOUNT: &str = "/api/v1/admin/accounts/7";

fn planned(lab: &Lab) -> Value {
    let ran = lab.run(&["repair", "plan", "--check", CHECK, "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()
}

fn apply(lab: &Lab, noun: &str, plan: &Value, more: &[&str]) -> Ran {
    let (id, hash) = (plan["plan"]["id"].to_string(), text(&plan["plan"], "hash"));
    let mut words = vec![noun, "apply", &id, "--yes", &hash[..12], "--json"];
    words.extend(more);
    lab.run(&words)
}

fn error(ran: &Ran, kind: &str) -> Value {
    assert_eq!(ran.code, 3, "{ran:?}");
    let error: Value = serde_json::from_str(&ran.stderr).expect("one JSON line");
    assert_eq!(error["error"]["kind"], kind, "{ran:?}");
    assert_ne!(error["error"]["hint"], "", "{ran:?}");
    error["error"].clone()
}

/// The verdict of a check in a fresh run, and whether the row offers a repair.
fn judged(lab: &Lab, check: &str) -> (String, bool) {
    let report = lab.run(&["baseline", "run", "--json"]).json();
    let rows = report["checks"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["id"] == check);
    let row = row.unwrap_or_else(|| panic!("no {check} in {report}"));
    (text(row, "verdict"), row["repair"] == true)
}

fn account(admin: &Admin) -> Value {
    admin.call("GET", ACCOUNT, &Value::Null)
}

#[test]
fn a_lost_binding_is_planned_repaired_proven_and_can_be_taken_back() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let admin = lab.admin("prod");
    let healthy = account(&admin);
    lab.break_it("binding-lost");
    assert_eq!(judged(&lab, CHECK), ("fail".to_owned(), true));
    let told = lab.run(&["baseline", "run"]).stdout;
    assert!(
        told.contains(&format!("cockpit repair plan --check {CHECK}")),
        "{told}"
    );

    let plan = planned(&lab);
    let change = &plan["changes"][0];
    assert_eq!(
        (
            &change["sign"],
            &change["type"],
            &change["host_resource_id"]
        ),
        (&json!("~"), &json!("account"), &json!("7"))
    );
    let field = json!([{"field": "group_ids", "from": ["4"], "to": ["3", "4"]}]);
    assert_eq!(change["fields"], field, "{plan}");
    assert_ne!(plan["expires_at"], Value::Null, "production plans age");

    let mark = lab.mark();
    error(&apply(&lab, "repair", &plan, &[]), "denied");
    assert_eq!(
        lab.seen(mark).total(),
        0,
        "a refused word reached production"
    );

    let ran = apply(&lab, "repair", &plan, &WORD);
    assert_eq!(ran.code, 0, "{ran:?}");
    let done = ran.json();
    assert_eq!(
        (&done["kind"], &done["status"], &done["done"]),
        (&json!("repair"), &json!("succeeded"), &json!(1)),
        "{done}"
    );
    assert_eq!(done["report"]["verdict"], "ok", "{done}");
    assert_eq!(done["disturbed"], json!([]), "{done}");
    assert_eq!(lab.seen(mark).writes("prod"), [format!("PUT {ACCOUNT}")]);
    assert_eq!(judged(&lab, CHECK), ("ok".to_owned(), false));
    // The same groups as ever, and everything else of the account as it was.
    let mended = account(&admin);
    for part in [
        "group_ids",
        "credentials",
        "credentials_status",
        "extra",
        "schedulable",
    ] {
        assert_eq!(mended[part], healthy[part], "{part}");
    }
    let rows = lab.store_rows();
    let audit = rows
        .iter()
        .filter(|row| row.starts_with("audit") && row.contains("repair_binding"));
    let audit: Vec<&String> = audit.collect();
    assert_eq!(audit.len(), 1, "{audit:?}");
    assert!(audit[0].contains("models fail for all"), "{audit:?}");

    error(&apply(&lab, "repair", &plan, &WORD), "conflict");
    let none = error(
        &lab.run(&["repair", "plan", "--check", CHECK, "--json"]),
        "conflict",
    );
    assert!(text(&none, "message").contains("as it should be"), "{none}");

    // It stands in the list and goes back to what was before, like any batch.
    let listed = lab.run(&["batch", "list", "--json"]).json();
    assert_eq!(listed["batches"][0]["kind"], "repair", "{listed}");
    let id = done["id"].to_string();
    let back = lab.run(&["rollback", "plan", &id, "--json"]);
    assert_eq!(back.code, 0, "{back:?}");
    let ran = apply(&lab, "rollback", &back.json(), &WORD);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(account(&admin)["group_ids"], json!([4]));
    assert_eq!(judged(&lab, CHECK), ("fail".to_owned(), true));
}

#[test]
fn a_repair_plan_gone_stale_is_refused_and_what_others_bound_meanwhile_stays() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let admin = lab.admin("prod");
    lab.break_it("binding-lost");
    let plan = planned(&lab);
    // A person binds the account to one more group between plan and apply.
    admin.call("PUT", ACCOUNT, &json!({"group_ids": [4, 5]}));
    let mark = lab.mark();
    let refused = error(&apply(&lab, "repair", &plan, &WORD), "conflict");
    assert!(text(&refused, "message").contains("4, 5 kept"), "{refused}");
    assert_eq!(lab.seen(mark).writes("prod"), Vec::<String>::new());
    assert_eq!(
        lab.run(&["batch", "list", "--json"]).json(),
        json!({"batches": []})
    );
    let ran = apply(&lab, "repair", &planned(&lab), &WORD);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(account(&admin)["group_ids"], json!([3, 4, 5]));
}

#[test]
fn a_check_without_a_repair_is_refused_with_its_next_step() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let mark = lab.mark();
    for (check, kind, wanted) in [
        ("host.listening", "conflict", "start the container"),
        ("upstream.smoke", "conflict", "repair the account's group"),
        ("binding.account-7-group-3x", "usage", CHECK),
    ] {
        let ran = lab.run(&["repair", "plan", "--check", check, "--json"]);
        let refused = error(&ran, kind);
        assert!(
            text(&refused, "hint").contains(wanted),
            "{check}: {refused}"
        );
    }
    assert_eq!(
        lab.seen(mark).total(),
        0,
        "nothing had to be asked for that"
    );
}
