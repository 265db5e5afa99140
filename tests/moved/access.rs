//! The same for what a user has (money, a right, the group of a key), and for a binding that a check
//! wants.

use super::{after, sent, stopped};
use crate::access::{KEY, OWN, bound_to, caller, plan};
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, Batch, BatchStatus};
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::FailureKind;
use cockpit_engine::import::CallerKey;
use cockpit_lab::sub2api::model::User;
use cockpit_lab::sub2api::model_sales::Subscription;
use cockpit_lab::sub2api::state::{Afterwards, State};
use jiff::SignedDuration;

const USERS: &str = "/api/v1/admin/users/";

/// Prepares access for a caller's own key. The batch may be interrupted.
async fn prepare(inside: &Inside, access: AccessMode) -> Batch {
    let key = cockpit_domain::secret::Secret::new(OWN);
    let command = Command::AccessPlan {
        host: inside.host_id(),
        provider: Inside::provider(),
        access,
        user_key: Some(CallerKey::Given(key)),
    };
    let planned = inside.engine().call(command).await;
    let Ok(Answer::AccessPlan(planned)) = planned else {
        panic!("{planned:?}")
    };
    let (plan, approval) = (planned.id, inside.word(&planned.hash));
    inside.batch(Command::AccessApply { plan, approval }).await
}

fn balance(inside: &Inside, user: i64) -> f64 {
    inside.with(|state| state.user(user).expect("a user").balance)
}

fn pay_in(user: i64, amount: f64) -> impl FnOnce(&mut State) + Send + 'static {
    move |state| state.users.get_mut(&user).expect("a user").balance += amount
}

/// A host with a group of its own for those who pay, that somebody made exclusive.
async fn exclusive() -> Inside {
    let inside = Inside::start("accept", quick()).await;
    let import = inside.import_by(AccessMode::SelfService, &[KEY]).await;
    let (status, why) = (import.batch_status, &import.reason);
    assert_eq!(status, BatchStatus::Succeeded, "{why}");
    inside.with(|state| {
        let mut groups = state.groups.values_mut();
        let group = groups.find(|row| row.name.ends_with("-self-service"));
        group.expect("the group").is_exclusive = true;
    });
    inside
}

#[test]
fn money_that_somebody_pays_in_between_two_steps_is_neither_set_to_less_nor_taken_back() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = exclusive().await;
        let user = caller(&inside, 0.0).user;
        let (its_own, its_money) = (format!("{USERS}{user}"), format!("{USERS}{user}/balance"));
        after(&inside, "PUT", &its_own, pay_in(user, 50.0));
        let batch = prepare(&inside, AccessMode::SelfService).await;
        stopped(&inside, batch.id, "balance was 0.0, is 50.0 now").await;
        assert_eq!(sent(&inside, "POST", &its_money), 0, "the step was sent");
        let batch = inside.resume(batch.id).await;
        let (status, why) = (batch.batch_status, &batch.reason);
        assert_eq!(status, BatchStatus::Succeeded, "{why}");
        let left = balance(&inside, user);
        assert!((49.0..=50.0).contains(&left), "{left} is theirs");
        inside.end().await;

        let inside = exclusive().await;
        let person = caller(&inside, 0.0);
        let batch = prepare(&inside, AccessMode::SelfService).await;
        let (status, why) = (batch.batch_status, &batch.reason);
        assert_eq!(status, BatchStatus::Succeeded, "{why}");
        let planned = inside.plan_rollback(batch.id).await.expect("a plan");
        // The key goes back to its own group first.
        let its_key = format!("/api/v1/admin/api-keys/{}", person.key);
        after(&inside, "PUT", &its_key, pay_in(person.user, 20.0));
        let before = sent(&inside, "POST", &format!("{USERS}{}/balance", person.user));
        let failure = inside.apply_rollback(&planned).await.expect_err("moved");
        assert_eq!(failure.kind, FailureKind::Conflict, "{failure:?}");
        assert!(failure.message.contains("balance was 5"), "{failure:?}");
        let now = sent(&inside, "POST", &format!("{USERS}{}/balance", person.user));
        assert_eq!(now, before, "the step was sent");
        let left = balance(&inside, person.user);
        assert!(left > 20.0, "{left}: their money was taken");
        inside.end().await;
    });
}

#[test]
fn a_key_that_its_owner_moves_between_two_steps_is_not_bound_by_us() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let person = caller(&inside, 0.0);
        let key = person.key;
        let assign = "/api/v1/admin/subscriptions/assign";
        after(&inside, "POST", assign, move |state| {
            state.keys.get_mut(&key).expect("the key").group_id = None;
        });
        let batch = prepare(&inside, AccessMode::Subscription).await;
        stopped(&inside, batch.id, "group_id was").await;
        let its_key = format!("/api/v1/admin/api-keys/{key}");
        assert_eq!(sent(&inside, "PUT", &its_key), 0, "the step was sent");
        assert_eq!(bound_to(&inside, key), None);
        inside.end().await;
    });
}

/// Once an account of ours is made, somebody acts right after the next look at a user's rights.
fn after_looking_at_rights(
    inside: &Inside,
    user: i64,
    act: impl FnOnce(&mut State) + Send + 'static,
) {
    let path_prefix = format!("{USERS}{user}/subscriptions");
    after(inside, "POST", "/api/v1/admin/accounts", move |state| {
        state.afterwards.push(Afterwards {
            method: "GET".to_owned(),
            path_prefix,
            act: Box::new(act),
        });
    });
}

/// Gives a user a right of the provider's group, over or suspended.
fn right(inside: &Inside, user: i64, days: i64, status: &str) -> i64 {
    inside.with(|state| {
        let mut groups = state.groups.values();
        let group = groups.find(|row| row.name == "relay-lab").map(|row| row.id);
        let group = group.expect("the group");
        let mut row = Subscription::new(user, group, days, "monthly");
        status.clone_into(&mut row.status);
        state.add_subscription(row)
    })
}

#[test]
fn a_right_that_somebody_else_revives_between_two_steps_is_left_as_they_want_it() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let person = caller(&inside, 0.0);
        let row = right(&inside, person.user, -3, "active");
        let planned = plan(&inside, AccessMode::Subscription, Some(OWN)).await;
        let planned = planned.expect("a plan");
        after_looking_at_rights(&inside, person.user, move |state| {
            let later = state.now() + SignedDuration::from_hours(48);
            state.subscriptions.get_mut(&row).expect("it").expires_at = later;
        });
        let batch = inside.apply_import(&planned).await;
        stopped(&inside, batch.id, "expires_at was").await;
        let extend = format!("/api/v1/admin/subscriptions/{row}/extend");
        assert_eq!(sent(&inside, "POST", &extend), 0, "the step was sent");
        let batch = inside.resume(batch.id).await;
        let (status, why) = (batch.batch_status, &batch.reason);
        assert_eq!(status, BatchStatus::Succeeded, "{why}");
        assert_eq!(sent(&inside, "POST", &extend), 0, "it is alive");
        inside.end().await;

        let inside = Inside::start("accept", quick()).await;
        let managed = User::new("relay-lab@cockpit.invalid", "not-ours-000000");
        let managed = inside.with(|state| state.add_user(managed));
        let row = right(&inside, managed, 30, "suspended");
        let planned = plan(&inside, AccessMode::Subscription, None).await;
        let planned = planned.expect("a plan");
        after_looking_at_rights(&inside, managed, move |state| {
            let right = state.subscriptions.get_mut(&row).expect("it");
            "active".clone_into(&mut right.status);
        });
        let batch = inside.apply_import(&planned).await;
        stopped(&inside, batch.id, "status was \"suspended\"").await;
        let revoke = format!("/api/v1/admin/subscriptions/{row}");
        assert_eq!(sent(&inside, "DELETE", &revoke), 0, "the step was sent");
        inside.end().await;
    });
}

#[test]
fn a_binding_that_somebody_changes_while_a_check_is_repaired_is_not_overwritten() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.lab.set_fault("binding-lost").expect("a fault");
        let check = "binding.account-7-group-3".to_owned();
        let planned = inside
            .engine()
            .call(Command::RepairPlan { pack: None, check });
        let Ok(Answer::Repair(planned)) = planned.await else {
            panic!("no plan")
        };
        let account = "/api/v1/admin/accounts/7";
        after(&inside, "GET", account, |state| state.unbind(7, 4));
        let command = Command::RepairApply {
            plan: planned.id,
            approval: inside.word(&planned.hash),
        };
        let failure = inside.engine().call(command).await.expect_err("moved");
        assert_eq!(failure.kind, FailureKind::Conflict, "{failure:?}");
        assert!(failure.message.contains("group_ids was"), "{failure:?}");
        assert_eq!(sent(&inside, "PUT", account), 0, "the step was sent");
        inside.end().await;
    });
}
