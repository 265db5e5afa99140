//! Subscriptions that ran out, were suspended or taken away: by the contract's rules (trap 7).

use super::{OWN, caller, plan, signs};
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, BatchStatus};
use cockpit_domain::resource::ResourceKind;
use cockpit_engine::command::{Answer, Command};
use cockpit_lab::sub2api::model_sales::Subscription;
use std::time::Duration;

const MANAGED: &str = "relay-lab@cockpit.invalid";

/// What the user holds of the provider's group before the import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Over,
    /// By the host's clock only.
    OverThere,
    Suspended,
    SomebodyElses,
    Revoked,
}

fn group_of(inside: &Inside) -> i64 {
    inside.with(|state| {
        let mut rows = state.groups.values();
        rows.find(|row| row.name == "relay-lab")
            .expect("a group")
            .id
    })
}

fn give(inside: &Inside, user: i64, held: Held) -> i64 {
    let group = group_of(inside);
    inside.with(|state| {
        let mut row = match held {
            Held::Over => Subscription::new(user, group, -3, "relay-cockpit lab"),
            Held::OverThere => Subscription::new(user, group, 1, "relay-cockpit lab"),
            Held::SomebodyElses => Subscription::new(user, group, 7, "monthly"),
            Held::Suspended | Held::Revoked => Subscription::new(user, group, 30, "monthly"),
        };
        if held == Held::Suspended {
            "suspended".clone_into(&mut row.status);
        }
        if held == Held::Revoked {
            row.deleted_at = Some(state.now());
        }
        state.add_subscription(row)
    })
}

/// Living rows of a user: id, whether it gives the right now.
fn rights(inside: &Inside, user: i64) -> Vec<(i64, bool)> {
    let group = group_of(inside);
    inside.with(|state| {
        let now = state.now();
        let rows = state.subscriptions.values();
        rows.filter(|row| row.deleted_at.is_none())
            .filter(|row| row.user_id == user && row.group_id == group)
            .map(|row| (row.id, row.status_at(now) == "active"))
            .collect()
    })
}

async fn managed(held: Held, sign: &str, kept: bool, after: &[bool]) {
    let inside = Inside::start("accept", quick()).await;
    let user = inside.with(|state| {
        state.add_user(cockpit_lab::sub2api::model::User::new(
            MANAGED,
            "not-ours-000000",
        ))
    });
    let row = give(&inside, user, held);
    let planned = plan(&inside, AccessMode::Subscription, None)
        .await
        .expect("a plan");
    assert_eq!(
        signs(&planned, ResourceKind::Subscription),
        sign,
        "{held:?}"
    );
    let batch = inside.apply_import(&planned).await;
    assert_eq!(
        batch.batch_status,
        BatchStatus::Succeeded,
        "{held:?} {}",
        batch.reason
    );
    let now = rights(&inside, user);
    assert_eq!(now.len(), 1, "{held:?}: {now:?}");
    assert!(now[0].1, "{held:?}: the right is alive");
    assert_eq!(now[0].0 == row, kept, "{held:?}: {now:?}");
    let rolled = inside.roll_back(batch.id).await;
    assert_eq!(
        (rolled.blocked, rolled.remains),
        (vec![], vec![]),
        "{held:?}"
    );
    let left: Vec<bool> = rights(&inside, user)
        .iter()
        .map(|(_, alive)| *alive)
        .collect();
    assert_eq!(left, after, "{held:?}");
    inside.end().await;
}

#[test]
fn a_managed_right_is_extended_replaced_assigned_or_left_as_the_contract_wants() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        managed(Held::Over, "~", true, &[]).await;
        managed(Held::Suspended, "~", false, &[]).await;
        managed(Held::SomebodyElses, "=", true, &[true]).await;
        managed(Held::Revoked, "+", false, &[]).await;
    });
}

#[test]
fn an_owners_right_that_ran_out_is_extended_and_gone_again_afterwards() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let person = caller(&inside, 0.0);
        let row = give(&inside, person.user, Held::Over);
        let planned = plan(&inside, AccessMode::Subscription, Some(OWN))
            .await
            .expect("a plan");
        assert_eq!(signs(&planned, ResourceKind::Subscription), "~");
        let batch = inside.apply_import(&planned).await;
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        assert_eq!(rights(&inside, person.user), [(row, true)]);
        let rolled = inside.roll_back(batch.id).await;
        assert_eq!((rolled.blocked, rolled.remains), (vec![], vec![]));
        // The host cannot make one run out: revoked gives as much right as run out.
        assert_eq!(rights(&inside, person.user), []);
        inside.end().await;
    });
}

#[test]
fn a_suspended_right_of_a_person_is_nobodys_to_overrule() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let person = caller(&inside, 0.0);
        give(&inside, person.user, Held::Suspended);
        let planned = plan(&inside, AccessMode::Subscription, Some(OWN))
            .await
            .expect("a plan");
        let told = planned.plan.blockers.join("\n");
        assert!(
            told.contains("is suspended") && told.contains("overrule"),
            "{told}"
        );
        inside.end().await;
    });
}

#[test]
fn a_right_that_ran_out_by_the_hosts_clock_only_is_told_as_that_and_extended() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let user = inside.with(|state| {
            let user = cockpit_lab::sub2api::model::User::new(MANAGED, "not-ours-000000");
            state.add_user(user)
        });
        let row = give(&inside, user, Held::OverThere);
        // Half an hour more, for a date in a header has whole seconds.
        inside.with(|state| state.advance(Duration::from_mins(25 * 60 + 30)));
        let rows = match inside.engine().call(Command::Doctor).await.expect("looks") {
            Answer::Doctor(rows) => rows,
            other => panic!("{other:?}"),
        };
        let clock = rows.iter().find(|row| row.subject == "clock accept");
        let clock = clock.unwrap_or_else(|| panic!("{rows:?}"));
        let told = "1d01h ahead of this computer's";
        assert_eq!((clock.ok, clock.found.as_str()), (false, told));
        let other = rows.iter().find(|row| row.subject == "clock prod");
        assert!(other.is_some_and(|row| row.ok), "{rows:?}");

        let planned = plan(&inside, AccessMode::Subscription, None)
            .await
            .expect("a plan");
        assert_eq!(signs(&planned, ResourceKind::Subscription), "~");
        let told = serde_json::to_string(&planned.plan.changes).expect("JSON");
        assert!(told.contains("is over by the host's clock"), "{told}");
        let batch = inside.apply_import(&planned).await;
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        assert_eq!(rights(&inside, user), [(row, true)]);
        let events = inside.show(batch.id).await.events;
        let told = events.iter().find(|event| event.kind == "clocks_differ");
        assert!(
            told.is_some_and(|event| event.text.contains("cockpit doctor")),
            "{events:?}"
        );
        let rolled = inside.roll_back(batch.id).await;
        assert_eq!((rolled.blocked, rolled.remains), (vec![], vec![]));
        inside.end().await;
    });
}
