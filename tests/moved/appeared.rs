//! Somebody makes what a plan would make, between plan and step: it is named with what is other about it
//! instead of the host's bare 409, nothing of ours is written over it, and only what is all that the plan
//! would make is taken over.

use super::{after, sent, stopped};
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, Batch, BatchStatus};
use cockpit_domain::resource::{Origin, ResourceKind};
use cockpit_lab::sub2api::model::{Channel, Group};
use cockpit_lab::sub2api::state::{Afterwards, State};

const KEY: &str = "sk-lab-good-appeared-001";
const NAME: &str = "relay-lab";
const GROUPS: &str = "/api/v1/admin/groups";

/// Plans on a host without the provider's group, and applies while somebody makes it: behind the two looks
/// of the apply at the groups (the credential is shown by one, the lists by the other).
async fn imported_while(inside: &Inside, act: impl FnOnce(&mut State) + Send + 'static) -> Batch {
    let planned = inside.plan_import(AccessMode::Subscription, &[KEY]).await;
    after(inside, "GET", GROUPS, |state| {
        state.afterwards.push(Afterwards {
            method: "GET".to_owned(),
            path_prefix: GROUPS.to_owned(),
            act: Box::new(act),
        });
    });
    inside.apply_import(&planned).await
}

fn make(state: &mut State, platform: &str) {
    let mut group = Group::new(NAME, platform);
    "subscription".clone_into(&mut group.subscription_type);
    state.add_group(group);
}

fn succeeded(batch: &Batch) {
    let (status, reason) = (batch.batch_status, &batch.reason);
    assert_eq!(status, BatchStatus::Succeeded, "{reason}");
}

#[test]
fn a_group_that_somebody_makes_meanwhile_is_named_and_waited_for() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        let batch = imported_while(&inside, |state| make(state, "anthropic")).await;
        let told = "there was none; now there is relay-lab id ";
        let other = "with platform \"anthropic\" (the plan makes \"openai\")";
        for _ in 0..2 {
            stopped(&inside, batch.id, told).await;
            stopped(&inside, batch.id, other).await;
            stopped(&inside, batch.id, "cockpit rollback plan").await;
            assert_eq!(sent(&inside, "POST", GROUPS), 0, "it was sent all the same");
            inside.resume(batch.id).await;
        }
        inside.with(|state| {
            state.groups.retain(|_, row| row.name != NAME);
        });
        succeeded(&inside.resume(batch.id).await);
        assert_eq!(sent(&inside, "POST", GROUPS), 1);
        inside.end().await;
    });
}

#[test]
fn a_group_that_is_all_the_plan_would_make_is_taken_over_by_a_resume_and_stays_after_it() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        let batch = imported_while(&inside, |state| make(state, "openai")).await;
        stopped(&inside, batch.id, "with all as the plan makes it").await;
        stopped(&inside, batch.id, "takes it over as it is").await;
        succeeded(&inside.resume(batch.id).await);
        assert_eq!(
            sent(&inside, "POST", GROUPS),
            0,
            "a second one was asked for"
        );
        let held = inside.show(batch.id).await.resources;
        let group = held.iter().find(|row| row.kind == ResourceKind::Group);
        assert_eq!(group.map(|row| row.origin), Some(Origin::Adopted));
        let rolled = inside.roll_back(batch.id).await;
        assert_eq!((rolled.blocked, rolled.remains), (vec![], vec![]));
        let there = inside.with(|state| state.groups.values().any(|row| row.name == NAME));
        assert!(there, "somebody's group was deleted");
        inside.end().await;
    });
}

#[test]
fn a_channel_that_somebody_lays_over_the_new_group_is_named() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        after(&inside, "POST", GROUPS, |state| {
            let mut groups = state.groups.values();
            let group = groups.find(|row| row.name == NAME).map(|row| row.id);
            state.add_channel(Channel::new("theirs", group.into_iter().collect()));
        });
        let batch = inside.import(&[KEY]).await;
        stopped(&inside, batch.id, "channel relay-lab: there was none").await;
        stopped(
            &inside,
            batch.id,
            "name \"theirs\" (the plan makes \"relay-lab\")",
        )
        .await;
        assert_eq!(sent(&inside, "POST", "/api/v1/admin/channels"), 0);
        inside.with(|state| state.channels.retain(|_, row| row.name != "theirs"));
        succeeded(&inside.resume(batch.id).await);
        inside.end().await;
    });
}
