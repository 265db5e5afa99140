//! Drift by hand is put back as a plan: read, approved, written once, proven by reconciling again,
//! and taken back. What cannot be put back is told with its way out, and nothing is deleted.

use super::{HOST, KEYS, imported, reconciled, row_named};
use crate::support::far::{Admin, text};
use crate::support::{Lab, Ran, has_ssh};
use serde_json::{Value, json};

/// The drift of the first test: one channel in three fields, one account unbound, one switched off.
struct Scene {
    lab: Lab,
    admin: Admin,
    batch: u64,
    channel: String,
    accounts: Vec<String>,
}

impl Scene {
    fn start() -> Self {
        let lab = Lab::start();
        let batch = imported(&lab, KEYS);
        let admin = lab.admin(HOST);
        let channels = admin.list("/api/v1/admin/channels?page_size=100");
        let channel = row_named(&channels, "relay-lab")["id"].to_string();
        let words = ["batch", "show", &batch.to_string(), "--json"];
        let shown = lab.run(&words).json();
        let items = shown["items"].as_array().expect("items");
        Self {
            accounts: items.iter().map(|item| text(item, "account_id")).collect(),
            channel: format!("/api/v1/admin/channels/{channel}"),
            lab,
            admin,
            batch,
        }
    }

    fn account(&self, at: usize) -> String {
        format!("/api/v1/admin/accounts/{}", self.accounts[at])
    }

    fn get(&self, path: &str) -> Value {
        self.admin.call("GET", path, &Value::Null)
    }

    fn set(&self, path: &str, body: &Value) {
        self.admin.call("PUT", path, body);
    }

    fn switch(&self, at: usize, on: bool) {
        let path = format!("{}/schedulable", self.account(at));
        self.admin.call("POST", &path, &json!({"schedulable": on}));
    }

    /// What the repair may change: of the channel everything, of each account two fields.
    fn state(&self) -> Value {
        let mut channel = self.get(&self.channel);
        // The host numbers its price rows anew at each update.
        let prices = channel["model_pricing"].as_array_mut();
        for price in prices.expect("prices") {
            price["id"] = Value::Null;
        }
        let fields = [
            "restrict_models",
            "model_pricing",
            "model_mapping",
            "group_ids",
        ];
        let channel: Vec<&Value> = fields.iter().map(|field| &channel[field]).collect();
        let accounts: Vec<Value> = (0..self.accounts.len())
            .map(|at| self.get(&self.account(at)))
            .map(|row| {
                json!([
                    row["group_ids"],
                    row["schedulable"],
                    row["credentials_status"]
                ])
            })
            .collect();
        json!([channel, accounts])
    }

    fn drift(&self) {
        let mut prices = self.get(&self.channel)["model_pricing"].clone();
        prices[0]["input_price"] = json!(0.5);
        self.set(
            &self.channel,
            &json!({
                "restrict_models": false,
                "model_pricing": prices,
                "model_mapping": {"openai": {"by-hand": "gpt-5.4"}},
            }),
        );
        self.set(&self.account(0), &json!({"group_ids": []}));
        self.switch(1, false);
    }

    fn writes(&self, mark: u64) -> Vec<String> {
        self.lab.seen(mark).writes(HOST)
    }
}

fn error(ran: &Ran, kind: &str) -> String {
    assert_eq!(ran.code, 3, "{ran:?}");
    let error: Value = serde_json::from_str(&ran.stderr).expect("one JSON line");
    assert_eq!(error["error"]["kind"], kind, "{ran:?}");
    assert_ne!(error["error"]["hint"], "", "{ran:?}");
    text(&error["error"], "message")
}

/// Rolls a batch back; what was blocked.
fn rolled_back(lab: &Lab, batch: &str) -> Value {
    let planned = lab.run(&["rollback", "plan", batch, "--json"]);
    assert_eq!(planned.code, 0, "{planned:?}");
    let ran = lab.apply("rollback", &planned.json(), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()
}

#[test]
fn what_was_changed_by_hand_is_put_back_proven_and_can_be_taken_back() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start();
    let healthy = scene.state();
    scene.drift();
    let drifted = scene.state();
    assert_ne!(drifted, healthy);
    let plan = reconciled(&scene.lab, 2);
    assert_eq!(plan["totals"]["change"], 3, "{plan}");
    assert_eq!(plan["mends"].as_array().map(Vec::len), Some(3), "{plan}");

    let mark = scene.lab.mark();
    let id = plan["plan"]["id"].to_string();
    error(
        &scene.lab.run(&["reconcile", "apply", &id, "--json"]),
        "denied",
    );
    assert_eq!(scene.lab.seen(mark).total(), 0);
    let ran = scene.lab.apply("reconcile", &plan, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let done = ran.json();
    assert_eq!(
        (&done["kind"], &done["status"], &done["done"]),
        (&json!("repair"), &json!("succeeded"), &json!(3)),
        "{done}"
    );
    assert_eq!(done["report"]["status"], "active", "{done}");
    assert_eq!(
        (&done["left"], &done["disturbed"]),
        (&json!([]), &json!([]))
    );
    let mut writes = scene.writes(mark);
    writes.sort();
    let mut wanted = [
        format!("PUT {}", scene.channel),
        format!("PUT {}", scene.account(0)),
        format!("POST {}/schedulable", scene.account(1)),
    ];
    wanted.sort();
    assert_eq!(writes, wanted);
    assert_eq!(scene.state(), healthy);
    assert_eq!(reconciled(&scene.lab, 0)["batch_id"], scene.batch);
    let rows = scene.lab.store_rows();
    for write in ["repair_fields", "repair_binding", "repair_switch"] {
        let audit = |row: &&String| row.starts_with("audit") && row.contains(write);
        assert_eq!(rows.iter().filter(audit).count(), 1, "{write}");
    }
    assert!(
        error(&scene.lab.apply("reconcile", &plan, &[]), "conflict").contains("applied already")
    );

    // Taken back, the host is what people had made of it; the import is still there.
    let rolled = rolled_back(&scene.lab, &done["id"].to_string());
    assert_eq!(rolled["status"], "rolled_back", "{rolled}");
    assert_eq!(scene.state(), drifted);
    let again = reconciled(&scene.lab, 2);

    // A repair that stands does not stand in the way of taking the import back.
    let ran = scene.lab.apply("reconcile", &again, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let rolled = rolled_back(&scene.lab, &scene.batch.to_string());
    assert_eq!(rolled["status"], "rolled_back", "{rolled}");
    assert_eq!(
        (&rolled["blocked"], &rolled["remains"]),
        (&json!([]), &json!([]))
    );
}

#[test]
fn one_account_unbound_and_switched_off_goes_back_in_two_writes_and_forth_in_two() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start();
    let healthy = scene.state();
    scene.set(&scene.account(2), &json!({"group_ids": []}));
    scene.switch(2, false);
    let drifted = scene.state();
    let ran = scene
        .lab
        .apply("reconcile", &reconciled(&scene.lab, 2), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.json()["done"], 2);
    assert_eq!(scene.state(), healthy);
    rolled_back(&scene.lab, &ran.json()["id"].to_string());
    assert_eq!(scene.state(), drifted);
}

#[test]
fn a_repair_plan_that_the_host_left_behind_is_refused_with_what_changed_since() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start();
    scene.drift();
    let plan = reconciled(&scene.lab, 2);
    let more = json!({"restrict_models": false, "billing_model_source": "upstream"});
    scene.set(&scene.channel, &more);
    let mark = scene.lab.mark();
    let told = error(&scene.lab.apply("reconcile", &plan, &[]), "conflict");
    assert!(told.contains("billing_model_source is"), "{told}");
    assert_eq!(scene.writes(mark), Vec::<String>::new());
    let batches = scene.lab.run(&["batch", "list", "--json"]).json();
    let kinds: Vec<String> = batches["batches"]
        .as_array()
        .expect("batches")
        .iter()
        .map(|row| text(row, "kind"))
        .collect();
    assert_eq!(kinds, ["import"]);
}

#[test]
fn what_no_repair_may_decide_is_left_with_its_way_out_and_nothing_is_deleted() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start();
    // A key that is gone, a group that somebody gave, and a stranger: none of these is ours to mend.
    scene.admin.call("DELETE", &scene.account(0), &Value::Null);
    let group = json!({"name": "by-hand", "platform": "openai", "rate_multiplier": 1.0});
    let made = scene.admin.call("POST", "/api/v1/admin/groups", &group);
    let other = made["id"].clone();
    let mut given = scene.get(&scene.account(1))["group_ids"].clone();
    given.as_array_mut().expect("ids").push(other.clone());
    scene.set(&scene.account(1), &json!({"group_ids": given}));
    let plan = reconciled(&scene.lab, 2);
    assert_eq!(plan["mends"], json!([]), "{plan}");
    assert_eq!(plan["totals"]["attention"], 2, "{plan}");
    let told = plan["changes"].to_string();
    for wanted in ["import that key again", "takes nothing away"] {
        assert!(told.contains(wanted), "{told}");
    }
    let mark = scene.lab.mark();
    assert!(error(&scene.lab.apply("reconcile", &plan, &[]), "conflict").contains("nothing"));

    // Beside something that can be mended, the rest stays as it is and the end is still drift.
    scene.set(&scene.account(1), &json!({"group_ids": [other]}));
    let ran = scene
        .lab
        .apply("reconcile", &reconciled(&scene.lab, 2), &[]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let done = ran.json();
    assert_eq!(
        (&done["status"], &done["done"]),
        (&json!("succeeded"), &json!(1))
    );
    assert_eq!(done["left"].as_array().map(Vec::len), Some(2), "{done}");
    let mut groups = scene.get(&scene.account(1))["group_ids"].clone();
    let groups = groups.as_array_mut().expect("ids");
    assert!(groups.contains(&other) && groups.len() == 2, "{groups:?}");
    let deleted = |row: &String| row.starts_with("DELETE");
    assert!(!scene.writes(mark).iter().any(deleted));
}

#[test]
fn what_is_not_modelled_of_a_price_survives_a_repair_and_its_way_back() {
    if !has_ssh() {
        return;
    }
    let scene = Scene::start();
    let mut prices = scene.get(&scene.channel)["model_pricing"].clone();
    prices[0]["cache_read_price"] = json!(0.25);
    prices[0]["image_output_price"] = json!(0.75);
    prices[0]["intervals"] = json!([
        {"min_tokens": 0, "max_tokens": 1000, "tier_label": "small", "input_price": 0.125, "sort_order": 1},
    ]);
    scene.set(
        &scene.channel,
        &json!({"restrict_models": false, "model_pricing": prices, "description": "by hand"}),
    );
    // What they mean to a person of ours, without the numbers that the host gives anew.
    let kept = || {
        let channel = scene.get(&scene.channel);
        let row = &channel["model_pricing"][0];
        let mut tier = row["intervals"][0].clone();
        tier["id"] = Value::Null;
        json!([
            row["cache_read_price"],
            row["image_output_price"],
            tier,
            channel["description"],
            channel["restrict_models"],
        ])
    };
    let by_hand = kept();
    let plan = reconciled(&scene.lab, 2);
    assert_eq!(
        plan["totals"]["change"], 1,
        "prices of others are no drift: {plan}"
    );
    let ran = scene.lab.apply("reconcile", &plan, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut mended = by_hand.clone();
    mended[4] = json!(true);
    assert_eq!(kept(), mended);
    rolled_back(&scene.lab, &ran.json()["id"].to_string());
    assert_eq!(kept(), by_hand);
}
