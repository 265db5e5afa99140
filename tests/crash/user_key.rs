//! Lost answers of an import that a caller's own key proves: its owner is subscribed, or a right of
//! theirs that had run out is extended, and the key is bound.

use super::lost::{LATE, Then, all_lost, different_writes, timing};
use crate::access::{KEY, OWN, bound_to, caller, plan};
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, BatchStatus};
use cockpit_lab::sub2api::model_sales::Subscription;
use cockpit_lab::sub2api::state::When;
use std::time::{Duration, Instant};

/// A host with the owner, whose right ran out three days ago if so wished.
async fn prepared(ran_out: bool) -> (Inside, i64, i64) {
    let inside = Inside::start("accept", quick()).await;
    let person = caller(&inside, 0.0);
    if ran_out {
        inside.with(|state| {
            let mut groups = state.groups.values();
            let group = groups.find(|row| row.name == "relay-lab").map(|row| row.id);
            let group = group.expect("a group");
            state.add_subscription(Subscription::new(person.user, group, -3, "monthly"));
        });
    }
    (inside, person.key, person.group)
}

/// The writes of the access closure; the rest of an import is swept elsewhere.
async fn writes(ran_out: bool) -> Vec<(String, String)> {
    let (inside, ..) = prepared(ran_out).await;
    let planned = plan(&inside, AccessMode::Subscription, Some(OWN))
        .await
        .expect("a plan");
    let batch = inside.apply_import(&planned).await;
    assert_eq!(
        batch.batch_status,
        BatchStatus::Succeeded,
        "{}",
        batch.reason
    );
    let mut writes = different_writes(&inside, 0);
    writes.retain(|(_, path)| path.contains("/subscriptions") || path.contains("/api-keys"));
    assert_eq!(writes.len(), 2, "{writes:?}");
    inside.end().await;
    writes
}

async fn one_case(ran_out: bool, method: String, path: String, when: When, then: Then) {
    let (mut inside, key, group) = prepared(ran_out).await;
    inside.restart(timing(then)).await;
    let (before, listing) = (inside.census(), inside.listing().await);
    let planned = plan(&inside, AccessMode::Subscription, Some(OWN))
        .await
        .expect("a plan");
    inside.lose(&method, &path, when);
    let begun = Instant::now();
    let mut batch = inside.apply_import(&planned).await;
    assert!(inside.lost(), "nothing asked {method} {path}");
    if then != Then::Retry {
        inside.restart(quick()).await;
    }
    if batch.batch_status == BatchStatus::Interrupted && then == Then::Resume {
        batch = inside.resume(batch.id).await;
    }
    let settled = begun + LATE + Duration::from_millis(500);
    if then != Then::RollBack {
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        assert_ne!(bound_to(&inside, key), Some(group));
        tokio::time::sleep_until(settled.into()).await;
    }
    let rolled = inside.roll_back(batch.id).await;
    assert_eq!(
        (rolled.blocked, rolled.remains, rolled.disturbed),
        (vec![], vec![], vec![])
    );
    tokio::time::sleep_until(settled.into()).await;
    assert_eq!(bound_to(&inside, key), Some(group));
    let left = inside.census().differences(&before);
    // A right that had run out is revoked where it was extended: it gave nothing before either.
    let gone = left.iter().all(|line| line.starts_with("subscription"));
    assert!(if ran_out { gone } else { left.is_empty() }, "{left:?}");
    assert_eq!(inside.listing().await, listing);
    inside.end().await;
}

fn sweep(ran_out: bool, then: Then) {
    if !has_ssh() {
        return;
    }
    assert_ne!(KEY, OWN);
    on_threads(async {
        let writes = writes(ran_out).await;
        all_lost(writes, then, move |method, path, when| {
            one_case(ran_out, method, path, when, then)
        })
        .await;
    });
}

#[test]
fn an_import_proven_by_a_callers_key_ends_whole_by_itself_after_any_lost_answer() {
    sweep(false, Then::Retry);
    sweep(true, Then::Retry);
}

#[test]
fn an_import_proven_by_a_callers_key_is_resumed_whole() {
    sweep(false, Then::Resume);
    sweep(true, Then::Resume);
}

#[test]
fn an_import_proven_by_a_callers_key_is_taken_back_whole() {
    sweep(false, Then::RollBack);
    sweep(true, Then::RollBack);
}
