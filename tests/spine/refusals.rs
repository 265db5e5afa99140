//! What an apply must refuse: a word that is too small, a world that moved, a second writer.

use super::{HOST, KEY, batch, id_of, import, plan_of, refused, rows, word_of};
use crate::support::far::text;
use crate::support::{COCKPIT, Lab, has_ssh, wait_until};
use cockpit_lab::fleet;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn production_wants_its_name_and_a_reason_beside_the_hash() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let plan = plan_of(&lab, "prod", "lab", "strict", KEY);
    let mark = lab.mark();
    for (more, wanted) in [
        (vec![], "--host-name prod"),
        (vec!["--reason", "key ran out"], "--host-name prod"),
        (
            vec!["--host-name", HOST, "--reason", "key ran out"],
            "--host-name prod",
        ),
        (vec!["--host-name", "prod"], "--reason"),
        (vec!["--host-name", "prod", "--reason", " "], "--reason"),
    ] {
        let error = refused(&lab.apply("import", &plan, &more), "denied");
        assert!(text(&error, "hint").contains(wanted), "{more:?}: {error}");
    }
    assert_eq!(
        lab.seen(mark).total(),
        0,
        "a refused word reached production"
    );
    let ran = lab.apply(
        "import",
        &plan,
        &["--host-name", "prod", "--reason", "key ran out"],
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        lab.store_rows()
            .iter()
            .any(|row| row.starts_with("audit") && row.contains("key ran out"))
    );
}

#[test]
fn a_stale_plan_is_refused_with_what_changed() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let plan = plan_of(&lab, HOST, "lab", "strict", KEY);
    let admin = lab.admin(HOST);
    // A neighbour parks one of the older accounts between plan and apply.
    let name = fleet::account_name(&fleet::old_key(4));
    let accounts = admin.list("/api/v1/admin/accounts?page_size=100");
    let old = accounts
        .iter()
        .find(|row| row["name"] == name)
        .expect("an older account");
    admin.call(
        "DELETE",
        &format!("/api/v1/admin/accounts/{}", old["id"]),
        &Value::Null,
    );
    let mark = lab.mark();
    let error = refused(&lab.apply("import", &plan, &[]), "conflict");
    assert!(text(&error, "message").contains(&name), "{error}");
    assert_eq!(lab.seen(mark).writes(HOST), Vec::<String>::new());
    assert_eq!(
        lab.run(&["batch", "list", "--json"]).json(),
        json!({"batches": []})
    );
}

#[test]
fn the_second_writer_on_a_host_and_provider_is_told_who_is_first() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let (first, second) = (
        plan_of(&lab, HOST, "lab", "strict", KEY),
        plan_of(&lab, HOST, "lab", "strict", "sk-lab-good-second-0000000001"),
    );
    let (id, word) = (id_of(&first), word_of(&first));
    let mark = lab.mark();
    let running = Command::new(COCKPIT)
        .args(["import", "apply", &id, "--yes", &word, "--json", "--config"])
        .arg(&lab.config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    wait_until(
        "the first writer's account",
        Duration::from_secs(20),
        || (lab.seen(mark).accounts_made(HOST) == 1).then_some(()),
    );
    let error = refused(&lab.apply("import", &second, &[]), "busy");
    let owner = format!("pid {}", running.id());
    assert!(text(&error, "message").contains(&owner), "{error}");
    let listed = lab.run(&["batch", "list", "--json"]).json();
    assert_eq!(rows(&listed, "batches").len(), 1, "{listed}");
    assert_eq!(rows(&listed, "batches")[0]["status"], "running", "{listed}");
    let output = running.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(lab.seen(mark).accounts_made(HOST), 1);
}

#[test]
fn a_stale_rollback_is_refused_and_writes_nothing() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let done = import(&lab, "lab", "strict", KEY);
    assert_eq!(done.code, 0, "{done:?}");
    let id = done.json()["id"].to_string();
    let planned = lab.run(&["rollback", "plan", &id, "--json"]);
    assert_eq!(planned.code, 0, "{planned:?}");
    // A person deletes one of the accounts that would be made schedulable again.
    let admin = lab.admin(HOST);
    let name = fleet::account_name(&fleet::old_key(4));
    let accounts = admin.list("/api/v1/admin/accounts?page_size=100");
    let old = accounts
        .iter()
        .find(|row| row["name"] == name)
        .expect("an older account");
    admin.call(
        "DELETE",
        &format!("/api/v1/admin/accounts/{}", old["id"]),
        &Value::Null,
    );
    let mark = lab.mark();
    let error = refused(&lab.apply("rollback", &planned.json(), &[]), "conflict");
    assert!(text(&error, "message").contains(&name), "{error}");
    assert_eq!(lab.seen(mark).writes(HOST), Vec::<String>::new());
    assert_eq!(batch(&lab, &done.json()["id"])["status"], "succeeded");
    // An import plan is no rollback plan, and the other way round.
    let plan = planned.json();
    refused(&lab.apply("import", &plan, &[]), "usage");
    let plan = plan_of(&lab, HOST, "lab", "strict", KEY);
    refused(&lab.apply("rollback", &plan, &[]), "usage");
    assert_eq!(lab.seen(mark).writes(HOST), Vec::<String>::new());
}
