//! Access made true without keys of the provider, and taken back as one batch.

use super::KEY;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, Batch, BatchKind, BatchStatus};
use cockpit_domain::resource::{Origin, ResourceKind};
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::FailureKind;
use cockpit_engine::import::PlannedImport;

async fn plan(inside: &Inside, access: AccessMode) -> PlannedImport {
    let command = Command::AccessPlan {
        host: inside.host_id(),
        provider: Inside::provider(),
        access,
    };
    match inside.engine().call(command).await.expect("a plan") {
        Answer::AccessPlan(planned) => *planned,
        other => panic!("{other:?}"),
    }
}

fn word(planned: &PlannedImport) -> Approval {
    Approval {
        hash: planned.hash.clone(),
        ..Approval::default()
    }
}

async fn apply(inside: &Inside, planned: &PlannedImport) -> Batch {
    let command = Command::AccessApply {
        plan: planned.id,
        approval: word(planned),
    };
    match inside.engine().call(command).await.expect("it is applied") {
        Answer::Batch(batch) => *batch,
        other => panic!("{other:?}"),
    }
}

async fn made_and_taken_back(access: AccessMode) {
    let inside = Inside::start("accept", quick()).await;
    let (census, before, parked) = (inside.census(), inside.listing().await, inside.parked());
    let planned = plan(&inside, access).await;
    assert_eq!(planned.plan.blockers, Vec::<String>::new());
    assert!(planned.plan.items.is_empty());
    // Without new keys nobody's account is touched.
    let touched = planned.plan.changes.iter();
    assert_eq!(
        touched
            .filter(|at| at.kind == ResourceKind::Account)
            .count(),
        0
    );
    assert!(inside.writes().is_empty());

    // It is no import plan.
    let wrong = Command::ImportApply {
        plan: planned.id,
        approval: word(&planned),
        canary: 0,
    };
    let refused = inside.engine().call(wrong).await.expect_err("refused");
    assert_eq!(refused.kind, FailureKind::Usage);
    assert!(
        refused.hint.contains("access prepare apply"),
        "{}",
        refused.hint
    );

    let batch = apply(&inside, &planned).await;
    assert_eq!(
        batch.batch_status,
        BatchStatus::Succeeded,
        "{}",
        batch.reason
    );
    assert_eq!(batch.kind, BatchKind::Access);
    assert_eq!(inside.parked(), parked);
    let held = inside.show(batch.id).await.resources;
    let of = |kind| {
        held.iter()
            .find(|row| row.kind == kind)
            .map(|row| row.origin)
    };
    assert_eq!(of(ResourceKind::User), Some(Origin::Created));
    assert_eq!(of(ResourceKind::Key), Some(Origin::Created));

    // An import finds it all and makes only what is its own.
    let import = inside.import_by(access, &[KEY]).await;
    assert_eq!(
        import.batch_status,
        BatchStatus::Succeeded,
        "{}",
        import.reason
    );
    let blocked = inside.plan_rollback(batch.id).await.expect("a plan");
    let blocked = blocked.plan.steps.iter().any(|step| step.blocked.is_some());
    assert!(blocked, "the import stands on it");
    for id in [import.id, batch.id] {
        let rolled = inside.roll_back(id).await;
        assert_eq!((rolled.blocked, rolled.remains), (vec![], vec![]), "{id}");
    }
    let left = inside.census().differences(&census);
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(inside.listing().await, before);
    inside.end().await;
}

#[test]
fn access_by_subscription_is_prepared_used_and_taken_back() {
    if has_ssh() {
        on_threads(made_and_taken_back(AccessMode::Subscription));
    }
}

#[test]
fn access_by_balance_is_prepared_used_and_taken_back() {
    if has_ssh() {
        on_threads(made_and_taken_back(AccessMode::SelfService));
    }
}
