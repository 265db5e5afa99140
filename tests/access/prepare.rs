//! Access made true without keys of the provider, and taken back as one batch.

use super::{Caller, KEY, OWN, bound_to, caller};
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, Batch, BatchKind, BatchStatus};
use cockpit_domain::resource::{Origin, ResourceKind};
use cockpit_domain::secret::Secret;
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::FailureKind;
use cockpit_engine::import::{CallerKey, PlannedImport};

async fn plan(inside: &Inside, access: AccessMode) -> PlannedImport {
    plan_for(inside, access, None).await
}

async fn plan_for(inside: &Inside, access: AccessMode, own: Option<&str>) -> PlannedImport {
    let command = Command::AccessPlan {
        host: inside.host_id(),
        provider: Inside::provider(),
        access,
        user_key: own.map(|key| CallerKey::Given(Secret::new(key))),
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

/// What the host stores of a person: balance, and the groups that the person may bind keys to.
fn stored(inside: &Inside, person: Caller) -> (f64, Vec<i64>) {
    inside.with(|state| {
        let user = state.user(person.user).expect("a user");
        (user.balance, user.allowed_groups.iter().copied().collect())
    })
}

/// Whether a fresh completion with the person's own key is answered.
async fn answers(inside: &Inside, batch: &Batch) -> bool {
    let looked = inside
        .engine()
        .call(Command::AccessStatus { batch: batch.id });
    match looked.await.expect("a look") {
        Answer::Access(look) => look.available,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_callers_key_gets_money_and_leave_where_its_owner_has_none_and_both_are_taken_back() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        // A group with accounts stands, and somebody has made it exclusive since.
        let import = inside.import_by(AccessMode::SelfService, &[KEY]).await;
        assert_eq!(import.batch_status, BatchStatus::Succeeded);
        let group = inside.with(|state| {
            let mut groups = state.groups.values_mut();
            let group = groups.find(|row| row.name.ends_with("-self-service"));
            let group = group.expect("the group");
            group.is_exclusive = true;
            group.id
        });
        let person = caller(&inside, 0.0);
        let (census, before) = (inside.census(), inside.listing().await);
        let planned = plan_for(&inside, AccessMode::SelfService, Some(OWN)).await;
        assert_eq!(planned.plan.blockers, Vec::<String>::new());
        let told: Vec<String> = planned
            .plan
            .changes
            .iter()
            .map(cockpit_domain::plan::Change::line)
            .collect();
        let told = told.join("\n");
        assert!(told.contains("[allowed_groups, balance]"), "{told}");
        assert!(told.contains("set from 0.00 USD to 5.00 USD"), "{told}");
        assert!(!told.contains(OWN), "{told}");

        let batch = apply(&inside, &planned).await;
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        assert_eq!(batch.effective_key_source, "user_key");
        assert_eq!(stored(&inside, person), (5.0, vec![group]));
        assert_eq!(bound_to(&inside, person.key), Some(group));
        assert!(answers(&inside, &batch).await);

        let rolled = inside.roll_back(batch.id).await;
        assert_eq!((rolled.blocked, rolled.remains), (vec![], vec![]));
        assert_eq!(stored(&inside, person), (0.0, vec![]));
        assert_eq!(bound_to(&inside, person.key), Some(person.group));
        let left = inside.census().differences(&census);
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(inside.listing().await, before);
        inside.end().await;
    });
}

#[test]
fn what_a_person_paid_in_meanwhile_is_not_taken_with_what_was_given() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let person = caller(&inside, 0.0);
        let planned = plan_for(&inside, AccessMode::SelfService, Some(OWN)).await;
        let batch = apply(&inside, &planned).await;
        inside.with(|state| state.users.get_mut(&person.user).expect("a user").balance += 20.0);
        let planned = inside.plan_rollback(batch.id).await.expect("a plan");
        let mut blocked = planned
            .plan
            .steps
            .iter()
            .filter_map(|step| step.blocked.as_ref());
        assert!(blocked.any(|why| why.contains("would take their money")));
        inside.end().await;
    });
}

#[test]
fn a_callers_right_is_prepared_and_revoked_again() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let person = caller(&inside, 0.0);
        let (census, before) = (inside.census(), inside.listing().await);
        let planned = plan_for(&inside, AccessMode::Subscription, Some(OWN)).await;
        assert_eq!(planned.plan.blockers, Vec::<String>::new());
        let batch = apply(&inside, &planned).await;
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        let balance = stored(&inside, person).0;
        assert!(
            balance.abs() < f64::EPSILON,
            "a right costs nobody money: {balance}"
        );
        assert_ne!(bound_to(&inside, person.key), Some(person.group));
        let rolled = inside.roll_back(batch.id).await;
        assert_eq!((rolled.blocked, rolled.remains), (vec![], vec![]));
        assert_eq!(bound_to(&inside, person.key), Some(person.group));
        let left = inside.census().differences(&census);
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(inside.listing().await, before);
        inside.end().await;
    });
}
