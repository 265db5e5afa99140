//! Lost answers of an import in access mode `self_service`: into a host without our objects, and
//! beside a standing import of the same keys in the other mode, where user and accounts are shared.

use super::lost::{LATE, Then, all_lost, different_writes, timing};
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, AccessStatus, Batch, BatchStatus};
use cockpit_lab::sub2api::state::When;
use std::time::{Duration, Instant};

const KEYS: [&str; 2] = ["sk-lab-good-self-000001", "sk-lab-good-self-000002"];

/// What stands there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// Older accounts only.
    Bare,
    /// An import of the same keys by subscription; its user has no balance.
    Subscribed,
}

async fn prepared(ground: Ground) -> Inside {
    let inside = Inside::start("accept", quick()).await;
    if ground == Ground::Subscribed {
        succeeded(&inside.import(&KEYS).await);
        assert_eq!(inside.balance(), Some(0.0));
    }
    inside
}

fn succeeded(batch: &Batch) {
    let (is, reason) = (batch.batch_status, &batch.reason);
    assert_eq!(is, BatchStatus::Succeeded, "{reason}");
}

async fn writes(ground: Ground) -> Vec<(String, String)> {
    let inside = prepared(ground).await;
    let skip = inside.writes().len();
    succeeded(&inside.import_by(AccessMode::SelfService, &KEYS).await);
    let writes = different_writes(&inside, skip);
    inside.end().await;
    let has = |end: &str| writes.iter().any(|(_, path)| path.ends_with(end));
    assert!(has("/balance"), "{writes:?}");
    assert!(
        !has("/payment/plans") && !has("/subscriptions/assign"),
        "{writes:?}"
    );
    writes
}

async fn one_case(ground: Ground, method: String, path: String, when: When, then: Then) {
    let mut inside = prepared(ground).await;
    inside.restart(timing(then)).await;
    let before = inside.census();
    let (listing, parked, balance) = (inside.listing().await, inside.parked(), inside.balance());
    inside.lose(&method, &path, when);
    let begun = Instant::now();
    let mut batch = inside.import_by(AccessMode::SelfService, &KEYS).await;
    assert!(inside.lost(), "nothing asked {method} {path}");
    if then != Then::Retry {
        inside.restart(quick()).await;
    }
    // A login writes nothing, so it is in no journal and is not sent again by itself.
    let stopped = batch.batch_status == BatchStatus::Interrupted;
    if stopped && (then == Then::Resume || path.ends_with("/login")) && then != Then::RollBack {
        assert!(!batch.reason.is_empty());
        batch = inside.resume(batch.id).await;
    }
    let settled = begun + LATE + Duration::from_millis(500);
    if then != Then::RollBack {
        succeeded(&batch);
        assert_eq!(batch.access_status, Some(AccessStatus::SelfServiceReady));
        assert_eq!(batch.effective_key_source, "managed_self_service");
        tokio::time::sleep_until(settled.into()).await;
        let doubles = inside
            .census()
            .differences(&before.after_self_service(&KEYS));
        assert!(doubles.is_empty(), "after the import: {doubles:?}");
        let left = inside.balance().expect("a user");
        assert!(left > 4.9 && left <= 5.0, "{left}");
        let report = inside.reconcile().await.report;
        let found = (
            report.missing_count,
            report.changed_count,
            report.extra_count,
        );
        assert_eq!(found, (0, 0, 0), "{:?}", report.changes);
    }
    let rolled = inside.roll_back(batch.id).await;
    assert_eq!(
        (rolled.blocked, rolled.remains, rolled.disturbed),
        (vec![], vec![], vec![])
    );
    assert_eq!(rolled.batch.batch_status, BatchStatus::RolledBack);
    tokio::time::sleep_until(settled.into()).await;
    let left = inside.census().differences(&before);
    assert!(left.is_empty(), "after the rollback: {left:?}");
    assert_eq!(inside.listing().await, listing);
    assert_eq!((inside.parked(), inside.balance()), (parked, balance));
    inside.end().await;
}

fn sweep(ground: Ground, then: Then) {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let writes = writes(ground).await;
        all_lost(writes, then, move |method, path, when| {
            one_case(ground, method, path, when, then)
        })
        .await;
    });
}

#[test]
fn a_self_service_import_that_loses_any_one_answer_ends_whole_by_itself() {
    sweep(Ground::Bare, Then::Retry);
}

#[test]
fn beside_a_subscription_of_the_same_keys_it_is_resumed_whole() {
    sweep(Ground::Subscribed, Then::Resume);
}

#[test]
fn beside_a_subscription_of_the_same_keys_it_is_taken_back_whole() {
    sweep(Ground::Subscribed, Then::RollBack);
}
