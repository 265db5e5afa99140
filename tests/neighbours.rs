//! Who else writes to a host: told by a probe, and in every plan before a write
//! (`product.md` 4, Neighbours).

use crate::support::far::text;
use crate::support::{Lab, has_ssh};
use serde_json::{Value, json};

fn probed(lab: &Lab, host: &str) -> Vec<Value> {
    let ran = lab.run(&["host", "probe", host, "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()["writers"].as_array().expect("writers").clone()
}

fn planned(lab: &Lab, host: &str, keys: &str, more: &[&str]) -> crate::support::Ran {
    let mut words = vec![
        "import",
        "plan",
        "--host",
        host,
        "--provider",
        "lab",
        "--keys",
        "-",
    ];
    words.extend(more);
    let ran = lab.run_with(&words, keys);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

#[test]
fn another_control_plane_is_told_by_a_probe_and_before_every_write() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let writers = probed(&lab, "prod");
    assert_eq!(writers.len(), 1, "{writers:?}");
    let who = text(&writers[0], "who");
    assert!(
        who.starts_with("127.0.0.1:18190 ") && who.contains('['),
        "{who}"
    );
    assert_eq!(writers[0]["looked"], true);
    let shown = lab.run(&["host", "probe", "prod"]).stdout;
    assert!(
        shown.contains("! who else writes here: 127.0.0.1:18190"),
        "{shown}"
    );

    let key = "sk-lab-good-neighbour-00001\n";
    let plan = planned(&lab, "prod", key, &[]).stdout;
    assert!(
        plan.contains("! who else writes here: 127.0.0.1:18190"),
        "{plan}"
    );
    let quiet = planned(&lab, "accept", key, &["--json"]).json();
    assert_eq!(quiet["warnings"], json!([]), "{quiet}");

    lab.break_it("binding-lost");
    let check = "binding.account-7-group-3";
    let plan = lab.run(&["repair", "plan", "--check", check]).stdout;
    assert!(
        plan.contains("! who else writes here: 127.0.0.1:18190"),
        "{plan}"
    );
}

#[test]
fn what_somebody_else_made_since_the_last_look_is_told_and_our_own_is_not() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    assert_eq!(probed(&lab, "accept"), Vec::<Value>::new());
    let key = "sk-lab-good-neighbour-00002\n";
    let plan = planned(&lab, "accept", key, &["--json"]).json()["plan"].clone();
    let (id, hash) = (plan["id"].to_string(), text(&plan, "hash"));
    let done = lab.run(&["import", "apply", &id, "--yes", &hash, "--json"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(probed(&lab, "accept"), Vec::<Value>::new(), "our own work");

    let admin = lab.admin("accept");
    admin.call(
        "POST",
        "/api/v1/admin/accounts",
        &json!({
            "name": "by-hand", "platform": "openai", "type": "apikey", "concurrency": 1, "priority": 50,
            "credentials": {"api_key": "sk-lab-good-by-hand-0002", "base_url": "http://good.upstream.lab"},
        }),
    );
    let batch = done.json()["id"].to_string();
    let plan = lab.run(&["rollback", "plan", &batch, "--json"]).json();
    assert!(
        plan["warnings"].to_string().contains("account by-hand #"),
        "{plan}"
    );
    // A plan remembers nothing, and a second probe does not hide what the first one found.
    for _ in 0..2 {
        let writers = probed(&lab, "accept");
        assert_eq!(writers.len(), 1, "{writers:?}");
        let what = text(&writers[0], "what");
        assert!(what.contains("1 resource appeared"), "{what}");
        assert!(what.contains("account by-hand #"), "{what}");
        assert_ne!(writers[0]["since_at"], Value::Null, "{writers:?}");
    }
}
