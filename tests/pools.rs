//! Why an account is not chosen, told from the host's stored state (`product.md` 4, four truths).

use crate::support::inside::{Inside, PROVIDER, on_threads, quick};
use crate::support::{Lab, has_ssh};
use cockpit_domain::ids::PackId;
use cockpit_domain::pool::{Pool, Reason, Seat};
use cockpit_engine::command::{Answer, Command};
use cockpit_lab::sub2api::state::State;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn pool(lab: &Lab, words: &[&str], group: &str) -> (i32, Value) {
    let ran = lab.run(&[&["provider", "status", "--json"], words].concat());
    let told = ran.json();
    let pools = told["pools"].as_array().expect("pools");
    let found = pools.iter().find(|pool| pool["group_name"] == group);
    (ran.code, found.expect("the group").clone())
}

#[test]
fn a_cool_down_is_named_with_the_upstream_s_words_and_the_next_try_and_a_lost_binding_empties_the_pool()
 {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let (_, well) = pool(&lab, &["--host", "prod"], "openai-relay");
    assert_eq!(
        (&well["choosable"], &well["seats"][0]["why_not"]),
        (&json!(1), &json!([]))
    );

    lab.break_it("upstream-quota");
    assert_eq!(lab.run(&["baseline", "run"]).code, 1);
    let (code, cooling) = pool(&lab, &["--host", "prod"], "openai-relay");
    assert_eq!((code, &cooling["choosable"]), (1, &json!(0)));
    let why = &cooling["seats"][0]["why_not"][0];
    assert_eq!(why["reason"], "cooling_down");
    assert!(
        why["said"]
            .as_str()
            .unwrap()
            .contains("quota is not enough"),
        "{why}"
    );
    assert!(why["next_try"].is_string(), "{why}");
    let text = lab.run(&["provider", "status", "--host", "prod"]).stdout;
    assert!(
        text.contains("cooling_down: ") && text.contains("next try 20"),
        "{text}"
    );

    lab.break_it("binding-lost");
    let (_, empty) = pool(&lab, &["--host", "prod"], "openai-relay");
    assert_eq!(empty["seats"], json!([]));
}

#[test]
fn what_a_batch_parked_says_so_and_what_it_made_says_how_its_key_was_judged() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.import("accept", "sk-lab-good-pool-0000001\n");
    let words = ["--host", "accept", "--provider", "lab"];
    let (_, told) = pool(&lab, &words, "relay-lab");
    let seats = told["seats"].as_array().unwrap();
    assert_eq!((&told["choosable"], seats.len()), (&json!(1), 11), "{told}");
    assert_eq!(seats[0]["owner"], json!({"batch": 1}));
    assert_eq!(seats[0]["probed"]["status"], "passed");
    for parked in &seats[1..] {
        let why = &parked["why_not"][0];
        assert_eq!(why["reason"], "switched_off", "{parked}");
        assert_eq!(why["by"], "batch/1 parked it", "{parked}");
    }
}

/// The pool of provider `lab` on the acceptance host, and the seat of an account in it.
async fn seat_of(inside: &Inside, account: i64) -> (Pool, Seat) {
    let command = Command::ProviderStatus {
        host: inside.host_id(),
        provider: Some(PackId::new(PROVIDER).expect("a slug")),
    };
    let pools = match inside.engine().call(command).await.expect("pools") {
        Answer::Pools(pools) => pools,
        other => panic!("{other:?}"),
    };
    let pool = pools.into_iter().next().expect("a pool");
    let seat = pool.seats.iter().find(|seat| seat.account.0 == account);
    let seat = seat.expect("a seat").clone();
    (pool, seat)
}

#[test]
fn each_state_that_keeps_an_account_out_is_named_and_no_other_one() {
    if !has_ssh() {
        return;
    }
    type Change = fn(&mut State, i64);
    let cases: [(Change, Reason); 5] = [
        (
            |state, id| {
                let row = state.account_mut(id).expect("ours");
                row.credentials
                    .insert("model_mapping".to_owned(), json!({"other": "other"}));
            },
            Reason::ModelNotMapped,
        ),
        (
            |state, id| {
                let row = state.account_mut(id).expect("ours");
                row.expires_at = Some(Timestamp::now() - SignedDuration::from_mins(1));
                row.auto_pause_on_expired = true;
            },
            Reason::Expired,
        ),
        (
            |state, id| {
                let row = state.account_mut(id).expect("ours");
                row.extra.insert("quota_limit".to_owned(), json!(5.0));
                row.extra.insert("quota_used".to_owned(), json!(5.0));
            },
            Reason::Quota,
        ),
        (
            |state, id| "anthropic".clone_into(&mut state.account_mut(id).expect("ours").platform),
            Reason::PlatformMismatch,
        ),
        (
            |state, id| {
                for group in state.groups_of(id) {
                    state.unbind(id, group);
                }
            },
            Reason::NotBound,
        ),
    ];
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        inside.import(&["sk-lab-good-pool-0000001"]).await;
        let host = inside.lab.host("accept");
        let id = 11;
        assert!(seat_of(&inside, id).await.1.is_choosable());
        for (change, reason) in cases {
            let (row, groups) = host.with(|state| {
                let kept = (state.account(id).cloned(), state.groups_of(id));
                change(state, id);
                kept
            });
            let (pool, seat) = seat_of(&inside, id).await;
            let told: Vec<Reason> = seat.why_not.iter().map(|why| why.reason).collect();
            assert_eq!(told, [reason]);
            assert!(!pool.serves(), "{reason}");
            assert!(!seat.why_not[0].fix.is_empty(), "{reason}");
            host.with(|state| {
                *state.account_mut(id).expect("ours") = row.expect("ours");
                for group in groups {
                    state.bind(id, group);
                }
            });
        }
        // A price of another platform lets no model through: nobody in the pool can help.
        host.with(|state| {
            for channel in state.channels.values_mut() {
                for price in &mut channel.model_pricing {
                    price["platform"] = json!("anthropic");
                }
            }
        });
        let (pool, _) = seat_of(&inside, id).await;
        assert!(!pool.serves());
        assert!(pool.blockers[0].contains("only priced models"), "{pool:?}");
        inside.end().await;
    });
}

#[test]
fn what_is_held_is_listed_with_its_origin_and_every_pair_with_its_last_live_proof() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let pair = |host: &str| -> Value {
        let told = lab.run(&["provider", "list", "--json"]).json();
        let mut pairs = told["matrix"].as_array().expect("pairs").iter();
        let found = pairs.find(|pair| pair["provider"] == "lab" && pair["host"] == host);
        found.expect("the pair").clone()
    };
    assert_eq!(pair("accept")["proof"], "never");
    lab.import("accept", "sk-lab-good-pool-0000001\n");
    assert_eq!(pair("accept")["proof"], "proven");
    assert_eq!(pair("accept")["by"], "batch/1");
    assert_eq!(pair("prod")["proof"], "never");
    let told = lab
        .run(&["provider", "resources", "--host", "accept", "--json"])
        .json();
    let rows = told["resources"].as_array().expect("rows");
    let count = |kind: &str, origin: &str| {
        let rows = rows.iter();
        rows.filter(|row| row["type"] == kind && row["origin"] == origin && row["batch"] == 1)
            .count()
    };
    assert_eq!(count("account", "created"), 1, "{told}");
    assert_eq!(count("account", "parked"), 10, "{told}");
    assert_eq!(count("key", "created"), 1, "{told}");
    assert!(rows.iter().all(|row| row["since_at"].is_string()), "{told}");
    let now = |row: &Value| row["now"]["state"].as_str().expect("a state").to_owned();
    assert!(rows.iter().all(|row| now(row) == "as_recorded"), "{told}");

    // Beside the records stands what became of them on the host, and what nobody recorded.
    let admin = lab.admin("accept");
    let made = rows
        .iter()
        .find(|row| row["type"] == "account" && row["origin"] == "created");
    let made = made.expect("the account")["host_resource_id"]
        .as_str()
        .expect("an id");
    let account = format!("/api/v1/admin/accounts/{made}");
    admin.call("PUT", &account, &json!({"priority": 77}));
    let offers = admin.list("/api/v1/admin/payment/plans");
    let offer = offers.iter().find(|row| row["name"] == "relay-lab-monthly");
    let offer = format!(
        "/api/v1/admin/payment/plans/{}",
        offer.expect("the offer")["id"]
    );
    admin.call("DELETE", &offer, &Value::Null);
    let group = admin.list("/api/v1/admin/groups?page_size=100");
    let group = group
        .iter()
        .find(|row| row["name"] == "relay-lab")
        .expect("the group");
    admin.call(
        "POST",
        "/api/v1/admin/accounts",
        &json!({
            "name": "lab.00000000000f", "platform": "openai", "type": "apikey",
            "group_ids": [group["id"]], "concurrency": 1, "priority": 50,
            "credentials": {"api_key": "sk-lab-good-by-hand-0001", "base_url": "http://good.upstream.lab"},
        }),
    );
    let words = [
        "provider",
        "resources",
        "--host",
        "accept",
        "--provider",
        "lab",
    ];
    let told = lab.run(&[&words[..], &["--json"]].concat()).json();
    let rows = told["resources"].as_array().expect("rows");
    let of = |kind: &str, origin: &str| {
        let mut rows = rows.iter();
        let row = rows.find(|row| row["type"] == kind && row["origin"] == origin);
        now(row.unwrap_or_else(|| panic!("no {kind}: {told}")))
    };
    assert_eq!(of("account", "created"), "changed");
    assert_eq!(of("plan", "created"), "gone");
    assert_eq!(told["unrecorded"][0]["name"], "lab.00000000000f", "{told}");
    let told = lab.run(&words).stdout;
    assert!(told.contains("priority: is 77, recorded 1"), "{told}");
    assert!(
        told.contains("adopt plan --host accept --provider lab"),
        "{told}"
    );

    // The vendor refuses from now on: the template is fine, the key is not.
    lab.break_it("upstream-quota");
    lab.run(&["probe", "run", "--host", "accept", "--provider", "lab"]);
    let told = pair("accept");
    assert_eq!(
        (&told["proof"], &told["by"]),
        (&json!("key_at_fault"), &json!("probe"))
    );
    assert!(
        told["found"]
            .as_str()
            .unwrap()
            .contains("quota is not enough"),
        "{told}"
    );
}
