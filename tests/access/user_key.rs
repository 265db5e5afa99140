//! The caller's own key: bound, proven with and put back; never replaced by a managed one.

use super::{Caller, MANAGED, OWN, bound_to, caller, plan, signs};
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, AccessStatus, BatchStatus};
use cockpit_domain::resource::{Origin, ResourceKind};
use cockpit_domain::secret::Secret;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::FailureKind;

fn has_managed_user(inside: &Inside) -> bool {
    inside.with(|state| state.users.values().any(|user| user.email == MANAGED))
}

async fn bound_proven_and_put_back(access: AccessMode, balance: f64, ready: AccessStatus) {
    let inside = Inside::start("accept", quick()).await;
    let person = caller(&inside, balance);
    let (census, before) = (inside.census(), inside.listing().await);
    let planned = plan(&inside, access, Some(OWN)).await.expect("a plan");
    assert_eq!(planned.plan.blockers, Vec::<String>::new());
    assert_eq!(signs(&planned, ResourceKind::Key), "~");
    assert_eq!(signs(&planned, ResourceKind::User), "=");
    let told = serde_json::to_string(&planned).expect("JSON");
    assert!(told.contains("`everyday`") && !told.contains(OWN), "{told}");

    let batch = inside.apply_import(&planned).await;
    assert_eq!(
        batch.batch_status,
        BatchStatus::Succeeded,
        "{}",
        batch.reason
    );
    assert_eq!(batch.access_status, Some(ready));
    assert_eq!(batch.effective_key_source, "user_key");
    let fingerprint = Secret::new(OWN).fingerprint();
    assert_eq!(batch.key_fingerprint, Some(fingerprint));
    assert!(!has_managed_user(&inside), "no managed user is made");
    let group = bound_to(&inside, person.key).expect("it is bound");
    assert_ne!(group, person.group);
    // The proof was paid by this very key.
    let served = inside.with(|state| {
        let mut rows = state.usage.iter();
        rows.any(|row| row.api_key_id == person.key && row.group_id == group)
    });
    assert!(served, "the host billed another key");

    let looked = inside
        .engine()
        .call(Command::AccessStatus { batch: batch.id });
    let Answer::Access(look) = looked.await.expect("a look") else {
        panic!("no look");
    };
    assert!(look.available, "{look:?}");
    let names: Vec<_> = look.preconditions.iter().map(|row| row.name).collect();
    assert_eq!((names[0], names[2], names[3]), ("user", "key", "group"));

    let report = inside.reconcile().await.report;
    let found = (
        report.missing_count,
        report.changed_count,
        report.extra_count,
    );
    assert_eq!(found, (0, 0, 0), "{:?}", report.changes);

    let rolled = inside.roll_back(batch.id).await;
    assert_eq!((rolled.blocked, rolled.remains), (vec![], vec![]));
    assert_eq!(bound_to(&inside, person.key), Some(person.group));
    let left = inside.census().differences(&census);
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(inside.listing().await, before);
    assert!(
        balance_of(&inside, person) <= balance,
        "nobody's money is given"
    );
    inside.end().await;
}

fn balance_of(inside: &Inside, person: Caller) -> f64 {
    inside.with(|state| state.user(person.user).expect("a user").balance)
}

#[test]
fn a_callers_own_key_is_bound_proven_with_and_put_back() {
    if !has_ssh() {
        return;
    }
    on_threads(bound_proven_and_put_back(
        AccessMode::Subscription,
        0.0,
        AccessStatus::SubscriptionReady,
    ));
}

#[test]
fn a_caller_who_pays_proves_with_their_own_money_and_key() {
    if !has_ssh() {
        return;
    }
    on_threads(bound_proven_and_put_back(
        AccessMode::SelfService,
        0.5,
        AccessStatus::SelfServiceReady,
    ));
}

#[test]
fn a_key_that_cannot_prove_blocks_and_no_managed_key_takes_its_place() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let person = caller(&inside, 0.0);
        let stranger = "sk-live-nobody-0000000000000000c0ffee";
        for (access, own, word) in [
            (
                AccessMode::Subscription,
                stranger,
                "no living user of the host owns",
            ),
            (AccessMode::SelfService, OWN, "0.00 USD"),
        ] {
            let planned = plan(&inside, access, Some(own)).await.expect("a plan");
            let told = planned.plan.blockers.join("\n");
            assert!(told.contains(word), "{told}");
            let refused = inside
                .try_import(&planned)
                .await
                .expect_err("it is blocked");
            assert_eq!(refused.kind, FailureKind::Conflict);
        }
        inside.with(|state| {
            let row = state.keys.get_mut(&person.key).expect("a key");
            "inactive".clone_into(&mut row.status);
        });
        let planned = plan(&inside, AccessMode::Subscription, Some(OWN)).await;
        let told = planned.expect("a plan").plan.blockers.join("\n");
        assert!(told.contains("is inactive"), "{told}");
        assert!(inside.writes().is_empty(), "{:?}", inside.writes());

        // A key that goes away between plan and proof ends it, with nothing in its place.
        inside.with(|state| {
            let row = state.keys.get_mut(&person.key).expect("a key");
            "active".clone_into(&mut row.status);
        });
        let planned = plan(&inside, AccessMode::Subscription, Some(OWN))
            .await
            .expect("a plan");
        inside.with(|state| {
            let now = state.now();
            state.keys.get_mut(&person.key).expect("a key").deleted_at = Some(now);
        });
        let refused = inside.try_import(&planned).await.expect_err("it is stale");
        assert!(
            refused.message.contains("changed since"),
            "{}",
            refused.message
        );
        assert!(!has_managed_user(&inside));
        inside.end().await;
    });
}

#[test]
fn the_whole_key_is_in_no_address_and_wiped_when_the_import_is_over() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        caller(&inside, 0.0);
        let planned = plan(&inside, AccessMode::Subscription, Some(OWN))
            .await
            .expect("a plan");
        let batch = inside.apply_import(&planned).await;
        let rows = inside.lab.log().since(0);
        assert!(rows.len() > 10);
        let leaks: Vec<_> = rows
            .iter()
            .filter(|row| format!("{row:?}").contains(OWN))
            .collect();
        assert!(leaks.is_empty(), "{leaks:?}");
        let store = &inside.engine().ports().store;
        assert_eq!(store.plan_keys(planned.id).await.expect("read").len(), 0);
        let held = inside.show(batch.id).await.resources;
        let key = held
            .iter()
            .find(|row| row.kind == ResourceKind::Key)
            .expect("a key");
        assert_eq!(key.origin, Origin::Corrected);
        inside.end().await;
    });
}
