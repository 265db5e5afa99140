//! Access mode `self_service` on a host of your own: alone until the money is out, and beside the
//! other mode.

use super::{Ground, import, import_by, take_back};
use serde_json::{Value, json};

const PROVIDER: &str = "live-good";

fn access(ground: &Ground, batch: &Value) -> (i32, Value) {
    let ran = ground.run(&["access", "status", &batch["id"].to_string(), "--json"]);
    println!("access: {}", ran.stdout.trim());
    (ran.code, ran.json())
}

fn balance(ground: &Ground) -> f64 {
    let user = ground.user(PROVIDER).expect("a managed user");
    user["balance"].as_f64().expect("a balance")
}

#[test]
fn a_user_who_pays_is_proven_runs_out_of_money_and_is_taken_back() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    let key = format!("{}\n", ground.key("good", 30));
    let batch = import_by(&ground, PROVIDER, "self_service", &key, 0);
    println!("import: {batch:#}");
    assert_eq!(batch["access_status"], "self_service_ready");
    assert_eq!(batch["gateway"]["served_by_ours"], true);
    assert!(
        (0.0..=5.0).contains(&balance(&ground)),
        "{}",
        balance(&ground)
    );
    assert_eq!(access(&ground, &batch).0, 0);

    let user = ground.user(PROVIDER).expect("a managed user");
    let path = format!("users/{}/balance", user["id"]);
    // The host refuses to set 0 (host-contract, trap 9).
    let body = json!({"balance": user["balance"], "operation": "subtract"});
    let drained = ground.admin("POST", &path, Some(body));
    assert_eq!(drained["code"], 0, "{drained}");
    let (code, told) = access(&ground, &batch);
    assert_eq!((code, &told["available"]), (1, &json!(false)), "{told:#}");
    let failed: Vec<&Value> = told["preconditions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["ok"] == false)
        .map(|row| &row["name"])
        .collect();
    assert_eq!(failed, ["balance"]);

    take_back(&ground, &batch["id"].to_string());
    assert_eq!(ground.names(), before);
}

#[test]
fn both_modes_of_one_key_stand_side_by_side_and_go_one_after_the_other() {
    let Some(ground) = Ground::lay() else { return };
    let before = ground.names();
    let key = format!("{}\n", ground.key("good", 31));
    let first = import(&ground, PROVIDER, &key, 0);
    let second = import_by(&ground, PROVIDER, "self_service", &key, 0);
    assert_eq!(access(&ground, &first).0, 0);
    assert_eq!(access(&ground, &second).0, 0);
    assert!(balance(&ground) > 0.0);

    let early = ground.run(&["rollback", "plan", &first["id"].to_string(), "--json"]);
    assert!(early.stdout.contains("uses it"), "{early:?}");
    take_back(&ground, &second["id"].to_string());
    assert!(balance(&ground).abs() < 1e-9, "{}", balance(&ground));
    assert_eq!(access(&ground, &first).0, 0);
    take_back(&ground, &first["id"].to_string());
    assert_eq!(ground.names(), before);
}
