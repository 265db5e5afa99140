//! Keys judged one by one: what fails is named, and does not hide behind what works.

use super::{HOST, batch, differences, import, plan_of, rows};
use crate::support::far::text;
use crate::support::{Lab, has_ssh};
use cockpit_lab::fleet;
use serde_json::json;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

#[test]
fn keys_that_fail_undo_a_strict_import_and_are_named_one_by_one() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let admin = lab.admin(HOST);
    let before = admin.listing();
    for (kind, word) in [
        ("bad", "401"),
        ("quota", "insufficient_user_quota"),
        ("429", "429"),
    ] {
        let good = format!("sk-lab-good-strict-{kind}-00000001");
        let dead = format!("sk-lab-{kind}-strict-000000000001");
        let ran = import(&lab, "lab", "strict", &format!("{good}\n{dead}\n"));
        assert_eq!(ran.code, 1, "{kind}: {ran:?}");
        let done = ran.json();
        assert_eq!(done["status"], "failed", "{kind}: {done}");
        let shown = batch(&lab, &done["id"]);
        let items = rows(&shown, "items");
        assert_eq!(
            (&items[0]["account_status"], &items[0]["line"]),
            (&json!("passed"), &json!(1))
        );
        assert_eq!(
            (&items[1]["account_status"], &items[1]["line"]),
            (&json!("failed"), &json!(2))
        );
        assert!(
            text(&items[1], "account_probe_summary").contains(word),
            "{kind}: {}",
            items[1]
        );
        assert_eq!(
            differences(&before, &admin.listing()),
            Vec::<String>::new(),
            "{kind}"
        );
        assert!(
            !shown.to_string().contains(&dead),
            "the key stands in the answer"
        );
    }
    // None usable: failed as well, in both modes.
    let ran = import(&lab, "lab", "partial", "sk-lab-bad-alone-000000000001\n");
    assert_eq!(
        (ran.code, text(&ran.json(), "status")),
        (1, "failed".to_owned()),
        "{ran:?}"
    );
    assert_eq!(differences(&before, &admin.listing()), Vec::<String>::new());
}

#[test]
fn dead_keys_behind_a_good_one_are_named_although_the_gateway_works() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let keys = "sk-lab-good-partial-00000001\nsk-lab-bad-partial-000000001\n\
                sk-lab-quota-partial-0000001\nsk-lab-429-partial-000000001\n";
    let ran = import(&lab, "lab", "partial", keys);
    assert_eq!(ran.code, 1, "{ran:?}");
    let done = ran.json();
    assert_eq!(done["status"], "partially_succeeded", "{done}");
    assert_eq!(done["provider_status_from_import"], "degraded");
    assert_eq!(
        (
            &done["gateway"]["completion_ok"],
            &done["gateway"]["served_by_ours"]
        ),
        (&json!(true), &json!(true))
    );
    let shown = batch(&lab, &done["id"]);
    let told: Vec<String> = rows(&shown, "items")
        .iter()
        .map(|item| text(item, "account_status"))
        .collect();
    assert_eq!(told, ["passed", "failed", "failed", "failed"]);
    for (item, word) in
        rows(&shown, "items")[1..]
            .iter()
            .zip(["401", "insufficient_user_quota", "429"])
    {
        assert!(text(item, "account_probe_summary").contains(word), "{item}");
    }
    // Dead keys never replace living ones.
    let accounts = lab.admin(HOST).list("/api/v1/admin/accounts?page_size=100");
    let older: BTreeSet<String> = (1..=10)
        .map(|number| fleet::account_name(&fleet::old_key(number)))
        .collect();
    let parked = accounts
        .iter()
        .filter(|row| older.contains(&text(row, "name")) && row["schedulable"] == false)
        .count();
    assert_eq!(parked, 0);
}

#[test]
fn a_chat_only_vendor_is_imported_with_a_warning() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let ran = import(
        &lab,
        "lab-chat",
        "strict",
        "sk-lab-good-chatonly-00000001\n",
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let done = ran.json();
    assert_eq!(done["status"], "succeeded", "{done}");
    let shown = batch(&lab, &done["id"]);
    let item = &rows(&shown, "items")[0];
    assert_eq!(
        [
            &item["account_status"],
            &item["probe_ok"],
            &item["probe_advisory"],
            &item["upstream_chat_status"]
        ],
        [&json!("warning"), &json!(false), &json!(true), &json!(200)],
        "{item}"
    );
}

#[test]
fn keys_written_twice_or_known_already_are_named_and_made_once() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let admin = lab.admin(HOST);
    let (before, mark) = (admin.listing(), lab.mark());
    let (new, old) = ("sk-lab-good-twice-00000001", fleet::old_key(1));
    let plan = plan_of(
        &lab,
        HOST,
        "lab",
        "strict",
        &format!("{new}\n\n{new}\n{old}\n"),
    );
    let told: Vec<(String, String, u64, String)> = rows(&plan, "items")
        .iter()
        .map(|item| {
            let line = item["line"].as_u64().expect("a line");
            let notes = item["notes"].to_string();
            (text(item, "account_name"), text(item, "state"), line, notes)
        })
        .collect();
    let item = |key: &str, state: &str, line, notes: &str| {
        (
            fleet::account_name(key),
            state.to_owned(),
            line,
            notes.to_owned(),
        )
    };
    assert_eq!(
        told,
        [
            item(new, "new", 1, "[\"repeated on line 3\"]"),
            item(&old, "same", 4, "[]")
        ]
    );
    let ran = lab.apply("import", &plan, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(lab.seen(mark).accounts_made(HOST), 1);
    let id = ran.json()["id"].clone();
    let shown = batch(&lab, &id);
    let origin = |key: &str| {
        let name = fleet::account_name(key);
        let row = rows(&shown, "resources")
            .iter()
            .find(|row| row["name"] == name);
        text(row.expect("a resource"), "origin")
    };
    assert_eq!(
        (origin(new).as_str(), origin(&old).as_str()),
        ("created", "adopted")
    );

    // The same key for another host: allowed, and said.
    let elsewhere = plan_of(&lab, "prod", "lab", "strict", new);
    let notes = rows(&elsewhere, "items")[0]["notes"].to_string();
    assert!(notes.contains(&format!("host {HOST}")), "{notes}");

    // What was taken over stays, what was made goes.
    let planned = lab.run(&["rollback", "plan", &id.to_string(), "--json"]);
    assert_eq!(planned.code, 0, "{planned:?}");
    let rolled = lab.apply("rollback", &planned.json(), &[]);
    assert_eq!(rolled.code, 0, "{rolled:?}");
    assert_eq!(differences(&before, &admin.listing()), Vec::<String>::new());
}

#[test]
fn failed_keys_are_written_to_a_file_of_their_own_and_imported_again() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let (good, dead) = ("sk-lab-good-again-00000001", "sk-lab-bad-again-000000001");
    let ran = import(&lab, "lab", "partial", &format!("{good}\n{dead}\n"));
    let id = ran.json()["id"].to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("failed");
    let out = path.to_str().expect("a path");
    let words = [
        "batch", "failed", &id, "--keys", "-", "--out", out, "--json",
    ];
    // Only what failed, from the input as it was, in whatever shape.
    let table = format!("name,key\na,{good}\nb,{dead}\n");
    let written = lab.run_with(&words, &table);
    assert_eq!(written.code, 0, "{written:?}");
    assert_eq!(written.json()["written"], 1);
    assert!(
        !format!("{written:?}").contains("again-0000"),
        "{written:?}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{dead}\n"));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Nothing that is there is written over; input without the key is named.
    let again = lab.run_with(&words, &table);
    assert_eq!(again.code, 3, "{again:?}");
    let elsewhere = folder.path().join("other").display().to_string();
    let words = ["batch", "failed", &id, "--keys", "-", "--out", &elsewhere];
    let other = lab.run_with(&words, good);
    assert_eq!(other.code, 3, "{other:?}");
    assert!(
        other.stderr.contains("none of its 1 failed key(s)"),
        "{other:?}"
    );
    // The file is key input.
    let planned = lab.run(&[
        "import",
        "plan",
        "--host",
        HOST,
        "--provider",
        "lab",
        "--keys",
        out,
        "--json",
    ]);
    assert_eq!(rows(&planned.json(), "items").len(), 1, "{planned:?}");
}
