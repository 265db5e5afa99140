//! What another installation's import left: read by name, recorded, compared, and released again,
//! without one write to the host.

use super::{Ground, approved, import, take_back};
use serde_json::{Value, json};

fn plan(ground: &Ground, code: i32) -> Value {
    let words = ["adopt", "plan", "--host", "live"];
    let ran = ground.run(&[&words[..], &["--provider", "live-good", "--json"]].concat());
    assert_eq!(ran.code, code, "{ran:?}");
    ran.json()
}

fn taken(plan: &Value) -> Vec<String> {
    let rows = plan["changes"].as_array().expect("changes").iter();
    let name = |row: &Value| {
        let kind = row["type"].as_str().unwrap_or_default();
        format!("{kind} {}", row["name"].as_str().unwrap_or_default())
    };
    rows.filter(|row| row["sign"] == "+").map(name).collect()
}

#[test]
fn what_a_lost_installation_left_is_taken_over_compared_and_released() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    let keys = [80, 81].map(|n| ground.key("good", n)).join("\n");
    let first = import(&ground, "live-good", &keys, 0);
    let standing = ground.names();

    ground.forget();
    let read = plan(&ground, 0);
    println!("adopt plan: {:#}", read["changes"]);
    let found = taken(&read);
    for kind in ["group", "channel", "account"] {
        let of_kind = found.iter().filter(|row| row.starts_with(kind)).count();
        assert_eq!(of_kind, if kind == "account" { 2 } else { 1 }, "{found:?}");
    }
    let ran = approved(&ground, "adopt", &read, &[]);
    println!("adopt apply: {}", ran.stdout.trim());
    assert_eq!(ran.code, 0, "{ran:?}");
    let adopted = ran.json();
    assert_eq!(adopted["done"], json!(found.len()), "{adopted:#}");
    assert!(taken(&plan(&ground, 1)).is_empty());

    let id = adopted["id"].to_string();
    let look = ground.run(&["reconcile", "plan", "--batch", &id, "--json"]);
    println!("reconcile of it: {}", look.stdout.trim());
    let report = look.json();
    assert_eq!(
        (&report["missing_count"], &report["changed_count"]),
        (&json!(0), &json!(0)),
        "{report:#}"
    );
    take_back(&ground, &id);
    assert_eq!(ground.names(), standing, "a release writes nothing");

    ground.remember();
    take_back(&ground, &first["id"].to_string());
    assert_eq!(ground.names(), before);
}
