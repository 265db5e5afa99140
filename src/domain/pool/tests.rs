//! Who is chosen, who is not, and every reason.

use super::*;
use crate::ids::ItemId;
use crate::inventory::{ChannelSpec, PricingEntry};
use crate::reconcile::tests::{account, pack, settled};
use serde_json::Value;

/// 2026-11-21T12:00:00Z
const NOW_MS: i64 = 1_795_262_400_000;

fn made(view: &HostView, records: &[BatchResource], probed: &[Item]) -> Pool {
    let host = HostId::new("edge").unwrap();
    let mut made = pools(&PoolInput {
        host: &host,
        pack: Some(&pack()),
        view,
        records,
        probed,
        recovered: &[],
        now_ms: NOW_MS,
    });
    assert_eq!(made.len(), 1);
    made.remove(0)
}

#[test]
fn without_a_provider_every_group_of_the_host_is_a_pool() {
    let (mut view, records) = settled();
    let mut other = view.groups[0].clone();
    other.id = RemoteId(6);
    other.spec.name = "people".to_owned();
    view.groups.push(other);
    view.accounts[0].group_ids = vec![RemoteId(6)];
    view.accounts[0].schedulable = false;
    let host = HostId::new("edge").unwrap();
    let found = pools(&PoolInput {
        host: &host,
        pack: None,
        view: &view,
        records: &records,
        probed: &[],
        recovered: &[],
        now_ms: NOW_MS,
    });
    let told: Vec<_> = found
        .iter()
        .map(|pool| (pool.group_name.as_str(), pool.seats.len(), pool.choosable))
        .collect();
    assert_eq!(told, [("g", 1, 1), ("people", 1, 0)]);
    assert_eq!(reasons(&found[1], 20), [Reason::SwitchedOff]);
}

fn reasons(pool: &Pool, account: i64) -> Vec<Reason> {
    let seat = pool
        .seats
        .iter()
        .find(|seat| seat.account == RemoteId(account));
    let seat = seat.expect("a seat");
    seat.why_not.iter().map(|why| why.reason).collect()
}

#[test]
fn accounts_that_would_be_chosen_stand_first_and_are_counted() {
    let (mut view, records) = settled();
    view.channels[0].spec.restrict_models = false;
    view.accounts[0].schedulable = false;
    view.accounts[1].priority = 9;
    view.accounts.push(account(22, "somebody's", true));
    let pool = made(&view, &records, &[]);
    let order: Vec<i64> = pool.seats.iter().map(|seat| seat.account.0).collect();
    assert_eq!(order, [22, 21, 20]);
    assert_eq!(
        (pool.choosable, pool.serves(), pool.is_well()),
        (2, true, true)
    );
    assert_eq!(pool.seats[0].owner, Owner::Other);
    assert_eq!(pool.seats[1].owner, Owner::Batch(BatchId(3)));
    view.accounts.pop();
    let pool = made(&view, &records, &[]);
    assert!(pool.serves() && !pool.is_well(), "one account is no spare");
}

#[test]
fn every_reason_that_holds_is_named_with_who_until_when_and_what_to_do() {
    let (mut view, records) = settled();
    let broken = &mut view.accounts[0];
    broken.status = "error".to_owned();
    broken.error_message = "Authentication failed (401)".to_owned();
    broken.schedulable = false;
    broken.temp_unschedulable_until = Some("2026-11-21T12:10:00.123456789Z".to_owned());
    broken.temp_unschedulable_reason = "insufficient_user_quota".to_owned();
    broken.rate_limit_reset_at = Some("2026-11-21T11:59:59Z".to_owned());
    broken.overload_until = Some("2026-11-21T12:00:01Z".to_owned());
    broken.expires_at = Some(NOW_MS / 1_000);
    broken.auto_pause_on_expired = true;
    broken.quota_limit = 5.0;
    broken.quota_used = 5.0;
    broken.group_ids = vec![RemoteId(4)];
    broken.platform = "anthropic".to_owned();
    broken.model_mapping = [("other".to_owned(), "other".to_owned())].into();
    let pool = made(&view, &records, &[]);
    assert_eq!(
        reasons(&pool, 20),
        [
            Reason::Error,
            Reason::Expired,
            Reason::SwitchedOff,
            Reason::Quota,
            Reason::CoolingDown,
            Reason::Overloaded,
            Reason::NotBound,
            Reason::PlatformMismatch,
            Reason::ModelNotMapped,
        ],
        "a rate limit that is over counts no more"
    );
    let seat = &pool.seats[1];
    let cooling = seat
        .why_not
        .iter()
        .find(|why| why.reason == Reason::CoolingDown)
        .unwrap();
    assert_eq!(cooling.next_try.as_deref(), Some("2026-11-21T12:10:00Z"));
    assert_eq!(cooling.said, "insufficient_user_quota");
    assert!(
        seat.why_not
            .iter()
            .all(|why| !why.fix.is_empty() && !why.by.is_empty())
    );
    // An end that takes nothing out of scheduling is no reason.
    view.accounts[0].auto_pause_on_expired = false;
    assert!(!reasons(&made(&view, &records, &[]), 20).contains(&Reason::Expired));
}

#[test]
fn an_account_that_we_parked_says_which_batch_did_it() {
    let (mut view, mut records) = settled();
    view.accounts[0].schedulable = false;
    let parked = records
        .iter_mut()
        .find(|record| record.host_resource_id == RemoteId(20));
    parked.unwrap().origin = Origin::Parked;
    let pool = made(&view, &records, &[]);
    let why = &pool.seats[1].why_not[0];
    assert_eq!(why.by, "batch/3 parked it");
    assert!(why.fix.contains("rolling batch/3 back"));
}

#[test]
fn the_model_counts_by_whole_name_and_by_beginning() {
    let (mut view, records) = settled();
    for (name, maps) in [
        ("m", true),
        ("m*", true),
        ("*", true),
        ("n", false),
        ("mm", false),
    ] {
        view.accounts[0].model_mapping = [(name.to_owned(), "x".to_owned())].into();
        let found = reasons(&made(&view, &records, &[]), 20);
        assert_eq!(found.is_empty(), maps, "{name}");
    }
}

#[test]
fn what_stands_above_the_accounts_blocks_them_all() {
    let (mut view, records) = settled();
    let price = |platform: &str, models: &[&str]| PricingEntry {
        platform: platform.to_owned(),
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        billing_mode: "token".to_owned(),
        input_price: None,
        output_price: None,
    };
    for (prices, well) in [
        (vec![], false),
        (vec![price("anthropic", &["m"])], false),
        (vec![price("openai", &["n", "m"])], true),
        (vec![price("openai", &["m*"])], true),
    ] {
        view.channels[0].spec = ChannelSpec {
            model_pricing: prices.clone(),
            ..view.channels[0].spec.clone()
        };
        let pool = made(&view, &records, &[]);
        assert_eq!(pool.serves(), well, "{prices:?}: {:?}", pool.blockers);
    }
    view.groups.clear();
    let pool = made(&view, &records, &[]);
    assert_eq!(pool.blockers, ["there is no group `g`"]);
    assert_eq!(
        pool.seats.len(),
        2,
        "what is ours is shown though its group is gone"
    );
}

#[test]
fn what_the_pack_says_and_how_the_key_was_judged_stand_beside_what_the_host_stores() {
    let (mut view, records) = settled();
    view.accounts[0].base_url = "https://elsewhere.example/v1".to_owned();
    let item: Item = serde_json::from_value(serde_json::json!({
        "id": ItemId(1), "line": 1, "fingerprint": "000000000020", "key": "sk-..0020",
        "account_name": "lab.000000000020", "account_id": 20, "stage": "done",
        "account_status": "failed", "probe_ok": false, "probe_advisory": false,
        "validation_status": "failed", "account_probe_summary": "401 invalid key",
        "upstream_models_status": 0, "upstream_chat_status": 0, "upstream_chat_type": "",
        "upstream_chat_preview": "",
    }))
    .unwrap();
    let item = Item {
        batch: BatchId(3),
        ..item
    };
    let pool = made(&view, &records, &[item]);
    let seat = pool
        .seats
        .iter()
        .find(|seat| seat.account == RemoteId(20))
        .unwrap();
    assert_eq!(
        seat.declared,
        [
            "base_url: pack ``, host `https://elsewhere.example`",
            "model_mapping.m: pack `m`, host ``"
        ]
    );
    let probed = seat.probed.as_ref().unwrap();
    assert_eq!(
        (probed.status, probed.batch),
        (AccountStatus::Failed, BatchId(3))
    );
    let told = serde_json::to_value(&pool).unwrap();
    assert_eq!(told["seats"][0]["owner"]["batch"], Value::from(3));
}

#[test]
fn who_serves_is_told_by_priority_then_by_who_waited_longest() {
    let (mut view, records) = settled();
    view.channels[0].spec.restrict_models = false;
    let serving = |view: &HostView| made(view, &records, &[]).serving;
    for account in &mut view.accounts {
        account.last_used_at = Some("2026-11-21T11:00:00Z".to_owned());
    }
    view.accounts[1].last_used_at = Some("2026-11-21T10:59:59Z".to_owned());
    let told = |view: &HostView| (serving(view).next, serving(view).because);
    let (first, second) = (Some(RemoteId(20)), Some(RemoteId(21)));
    assert_eq!(told(&view), (second, Because::WaitedLongest));
    assert_eq!(serving(&view).equals, 1);
    view.accounts[0].last_used_at = None;
    assert_eq!(told(&view), (first, Because::NeverUsed));
    view.accounts[1].priority = view.accounts[0].priority - 1;
    assert_eq!(told(&view), (second, Because::Priority));
    view.accounts[1].schedulable = false;
    assert_eq!(told(&view), (first, Because::Only));
    view.accounts[0].schedulable = false;
    assert_eq!(told(&view), (None, Because::Nobody));
    view.accounts[0].schedulable = true;
    view.groups[0].status = "inactive".to_owned();
    assert_eq!(told(&view), (None, Because::Blocked));
}
