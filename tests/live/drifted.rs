//! What people changed by hand goes back to what was written, is proven, and the host is clean again.

use super::{Ground, approved, import, take_back};
use serde_json::{Value, json};

fn look(ground: &Ground, code: i32) -> Value {
    let words = ["reconcile", "plan", "--host", "live"];
    let ran = ground.run(&[&words[..], &["--provider", "live-good", "--json"]].concat());
    assert_eq!(ran.code, code, "{ran:?}");
    ran.json()
}

#[test]
fn what_was_changed_by_hand_is_put_back_and_the_host_is_clean_again() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    let keys = [70, 71].map(|n| ground.key("good", n)).join("\n");
    let batch = import(&ground, "live-good", &keys, 0);
    look(&ground, 0);

    ground.edit_by_hand(&batch);
    let accounts = ground.held(&batch, "account");
    let path = format!("accounts/{}", accounts[0]);
    let unbound = ground.admin("PUT", &path, Some(json!({"group_ids": []})));
    assert_eq!(unbound["code"], 0, "{unbound}");
    let path = format!("accounts/{}/schedulable", accounts[1]);
    let off = ground.admin("POST", &path, Some(json!({"schedulable": false})));
    assert_eq!(off["code"], 0, "{off}");

    let drift = look(&ground, 2);
    assert_eq!(drift["totals"]["change"], 3, "{drift:#}");
    let ran = approved(&ground, "reconcile", &drift, &[]);
    println!("reconcile apply: {}", ran.stdout.trim());
    assert_eq!(ran.code, 0, "{ran:?}");
    let done = ran.json();
    assert_eq!(
        (&done["status"], &done["done"], &done["left"]),
        (&json!("succeeded"), &json!(3), &json!([])),
        "{done:#}"
    );
    assert_eq!(done["report"]["status"], "active", "{done:#}");
    look(&ground, 0);

    take_back(&ground, &batch["id"].to_string());
    assert_eq!(ground.names(), before);
}
