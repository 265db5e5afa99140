//! Somebody else writes to the host between two steps of ours: the step that rests on what they
//! changed is not sent, the batch says which field moved from what to what, and going on takes the
//! host as it is now.

mod access;
mod appeared;
mod mends;

use crate::prune::{apply as prune, plan as plan_prune};
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{BatchStatus, Interruption};
use cockpit_domain::ids::BatchId;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::context::Timing;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_lab::fleet::account_name;
use cockpit_lab::sub2api::model::ApiKey;
use cockpit_lab::sub2api::state::{Afterwards, State, When};
use std::time::Duration;

const KEYS: [&str; 2] = ["sk-lab-good-moved-000001", "sk-lab-good-moved-000002"];
const ACCOUNTS: &str = "/api/v1/admin/accounts/";

/// Changes the host's rows right after the next request that fits.
fn after(inside: &Inside, method: &str, path: &str, act: impl FnOnce(&mut State) + Send + 'static) {
    let hand = Afterwards {
        method: method.to_owned(),
        path_prefix: path.to_owned(),
        act: Box::new(act),
    };
    inside.with(|state| state.afterwards.push(hand));
}

/// How often a call that changes something was sent.
fn sent(inside: &Inside, method: &str, path: &str) -> usize {
    let rows = inside.writes().into_iter();
    rows.filter(|row| row.method == method && row.path == path)
        .count()
}

fn schedulable(inside: &Inside, id: i64) -> bool {
    inside.with(|state| state.account(id).expect("an account").schedulable)
}

async fn succeeded(inside: &Inside) -> BatchId {
    let batch = inside.import(&KEYS).await;
    let (status, reason) = (batch.batch_status, batch.reason);
    assert_eq!(status, BatchStatus::Succeeded, "{reason}");
    batch.id
}

/// A batch is interrupted because the host changed, and says what.
async fn stopped(inside: &Inside, batch: BatchId, told: &str) {
    let batch = inside.show(batch).await.batch;
    let why = (batch.batch_status, batch.interrupted_by);
    let changed = (BatchStatus::Interrupted, Some(Interruption::HostChanged));
    assert_eq!(why, changed, "{}", batch.reason);
    assert!(batch.reason.contains("host moved"), "{}", batch.reason);
    assert!(batch.reason.contains(told), "{}", batch.reason);
}

#[test]
fn an_older_account_that_somebody_else_switches_off_is_not_parked_by_us() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        after(
            &inside,
            "POST",
            &format!("{ACCOUNTS}1/schedulable"),
            |state| {
                state.account_mut(2).expect("an account").schedulable = false;
            },
        );
        let batch = inside.import(&KEYS).await;
        stopped(&inside, batch.id, "schedulable was true, is false now").await;
        let second = format!("{ACCOUNTS}2/schedulable");
        assert_eq!(sent(&inside, "POST", &second), 0, "the step was sent");
        assert!(schedulable(&inside, 3), "it went on all the same");

        let batch = inside.resume(batch.id).await;
        let (status, reason) = (batch.batch_status, &batch.reason);
        assert_eq!(status, BatchStatus::Succeeded, "{reason}");
        assert!(!schedulable(&inside, 3), "the others are parked");
        assert_eq!(sent(&inside, "POST", &second), 0, "it is theirs");
        inside.roll_back(batch.id).await;
        assert!(schedulable(&inside, 1), "ours is woken");
        assert!(!schedulable(&inside, 2), "theirs is left as they want it");
        inside.end().await;
    });
}

#[test]
fn a_rollback_deletes_nothing_that_somebody_took_up_between_two_steps() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        let before = inside.census();
        let batch = succeeded(&inside).await;
        let names = KEYS.map(account_name);
        // Whichever of the two goes first, the other is taken up.
        after(&inside, "DELETE", ACCOUNTS, move |state| {
            for account in state.accounts.values_mut() {
                if names.contains(&account.name) {
                    account.priority = 77;
                }
            }
        });
        let planned = inside.plan_rollback(batch).await.expect("a plan");
        let failure: Failure = inside.apply_rollback(&planned).await.expect_err("moved");
        assert_eq!(failure.kind, FailureKind::Conflict, "{failure:?}");
        assert!(failure.hint.contains("rollback plan"), "{failure:?}");
        stopped(&inside, batch, "priority was").await;
        let deletes = |of: &str| {
            let rows = inside.writes().into_iter();
            rows.filter(|row| row.method == "DELETE" && row.path.contains(of))
                .count()
        };
        assert_eq!(deletes("/accounts/"), 1, "the second one was sent");

        // A key of somebody else's comes into the group when the plan is made and approved.
        after(&inside, "DELETE", "/api/v1/admin/channels/", |state| {
            let mut groups = state.groups.values();
            let group = groups.find(|row| row.name == "relay-lab").map(|row| row.id);
            state.add_key(ApiKey::new(1, "sk-live-wang-00000000000000000001", group));
        });
        let planned = inside.plan_rollback(batch).await.expect("a plan");
        let failure = inside.apply_rollback(&planned).await.expect_err("moved");
        assert!(failure.message.contains("used_by was []"), "{failure:?}");
        assert_eq!(deletes("/groups/"), 0, "the step was sent");

        inside.with(|state| {
            let mut keys = state.keys.values();
            let theirs = keys.find(|row| row.key.starts_with("sk-live-wang"));
            let theirs = theirs.map(|row| row.id).expect("the key");
            state.keys.remove(&theirs);
        });
        let rolled = inside.roll_back(batch).await;
        assert_eq!(rolled.batch.batch_status, BatchStatus::RolledBack);
        assert_eq!(inside.census().differences(&before), Vec::<String>::new());
        inside.end().await;
    });
}

#[test]
fn a_repair_does_not_overwrite_what_somebody_put_right_their_own_way() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        let import = succeeded(&inside).await;
        inside.with(|state| {
            for id in [11, 12] {
                for group in state.groups_of(id) {
                    state.unbind(id, group);
                }
            }
        });
        let planned = inside.reconcile().await;
        assert_eq!(planned.report.mends.len(), 2, "{:?}", planned.report.mends);
        let ids: Vec<i64> = (planned.report.mends.iter())
            .map(|mend| mend.host_resource_id.0)
            .collect();
        let (first, second) = (format!("{ACCOUNTS}{}", ids[0]), ids[1]);
        after(&inside, "PUT", &first, move |state| state.bind(second, 1));
        let command = Command::ReconcileApply {
            plan: planned.id,
            approval: inside.word(&planned.hash),
        };
        let failure = inside.engine().call(command).await.expect_err("moved");
        assert!(failure.message.contains("group_ids was []"), "{failure:?}");
        assert_eq!(sent(&inside, "PUT", &format!("{ACCOUNTS}{second}")), 0);
        let repair = BatchId(import.0 + 1);
        stopped(&inside, repair, "group_ids was []").await;
        inside.end().await;
    });
}

#[test]
fn a_prune_asks_in_the_moment_before_each_delete() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", quick()).await;
        succeeded(&inside).await;
        let planned = plan_prune(&inside).await;
        // The first account is looked at, deleted, and then the second is looked at.
        after(&inside, "DELETE", &format!("{ACCOUNTS}1"), |state| {
            state.afterwards.push(Afterwards {
                method: "GET".to_owned(),
                path_prefix: format!("{ACCOUNTS}2"),
                act: Box::new(|state| {
                    state.account_mut(2).expect("an account").schedulable = true;
                }),
            });
        });
        let failure = prune(&inside, &planned).await.expect_err("moved");
        let told = "schedulable was false, is true now";
        assert!(failure.message.contains(told), "{failure:?}");
        assert_eq!(sent(&inside, "DELETE", &format!("{ACCOUNTS}2")), 0);
        assert!(schedulable(&inside, 2));
        let batches = inside
            .engine()
            .call(Command::BatchList { host: None })
            .await;
        let Ok(Answer::Batches(batches)) = batches else {
            panic!("{batches:?}")
        };
        let newest = batches.iter().map(|batch| batch.id).max().expect("one");
        stopped(&inside, newest, told).await;
        let batch = inside.resume(newest).await;
        assert_eq!(batch.batch_status, BatchStatus::PartiallySucceeded);
        assert!(
            batch.reason.contains("switched on again"),
            "{}",
            batch.reason
        );
        inside.end().await;
    });
}

#[test]
fn a_rollback_planned_while_a_lost_delete_is_on_its_way_waits_for_it() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let hurried = Timing {
            write_tries: 1,
            ..quick()
        };
        let inside = Inside::start("prod", hurried).await;
        let before = inside.census();
        let batch = succeeded(&inside).await;
        let planned = inside.plan_rollback(batch).await.expect("a plan");
        let late = When::CommitAfter(Duration::from_millis(1500));
        inside.lose("DELETE", ACCOUNTS, late);
        inside
            .apply_rollback(&planned)
            .await
            .expect_err("its answer is lost");
        assert!(inside.lost());
        // Planned and applied at once, the rest fits at the first go.
        let rolled = inside.roll_back(batch).await;
        assert_eq!(rolled.batch.batch_status, BatchStatus::RolledBack);
        assert_eq!(inside.census().differences(&before), Vec::<String>::new());
        inside.end().await;
    });
}
