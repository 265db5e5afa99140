//! Deleting parked accounts: only what a batch parked, only after a successor served, never below
//! the floor, and never without a person's name and reason for it.

use crate::support::has_ssh;
use crate::support::inside::{Inside, PROVIDER, on_threads, quick};
use cockpit_domain::batch::{Batch, BatchStatus};
use cockpit_domain::ids::PackId;
use cockpit_domain::plan::Sign;
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::pool::{PlannedPrune, Pruned};
use std::collections::BTreeSet;

const KEYS: [&str; 2] = ["sk-lab-good-prune-000001", "sk-lab-good-prune-000002"];

pub(crate) async fn plan(inside: &Inside) -> PlannedPrune {
    let command = Command::PrunePlan {
        host: inside.host_id(),
        provider: PackId::new(PROVIDER).expect("a slug"),
    };
    match inside.engine().call(command).await.expect("a plan") {
        Answer::Prune(planned) => *planned,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn apply(inside: &Inside, planned: &PlannedPrune) -> Outcome<Pruned> {
    let approval = Approval {
        hash: planned.hash.clone(),
        host_name: Some(inside.host_id().to_string()),
        reason: Some("a test".to_owned()),
    };
    let plan = planned.id;
    let command = Command::PruneApply { plan, approval };
    match inside.engine().call(command).await? {
        Answer::Pruned(pruned) => Ok(*pruned),
        other => panic!("{other:?}"),
    }
}

async fn imported() -> (Inside, Batch) {
    let inside = Inside::start("accept", quick()).await;
    let batch = inside.import(&KEYS).await;
    assert_eq!(
        batch.batch_status,
        BatchStatus::Succeeded,
        "{}",
        batch.reason
    );
    (inside, batch)
}

/// Ids of living accounts.
fn living(inside: &Inside) -> BTreeSet<i64> {
    inside.lab.host("accept").with(|state| {
        let rows = state.accounts.values();
        rows.filter(|row| row.deleted_at.is_none())
            .map(|row| row.id)
            .collect()
    })
}

fn kept(planned: &PlannedPrune, id: i64) -> String {
    let mut rows = planned.plan.changes.iter();
    let found = rows.find(|row| row.host_resource_id.is_some_and(|at| at.0 == id));
    let found = found.unwrap_or_else(|| panic!("no row of #{id}: {planned:?}"));
    assert_eq!(found.sign, Sign::Keep, "{found:?}");
    found.reason.clone()
}

#[test]
fn only_what_a_batch_parked_goes_and_everything_else_stays_with_its_reason() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let (inside, batch) = imported().await;
        let host = inside.lab.host("accept");
        let (alike, shared) = host.with(|state| {
            // Somebody's account that only looks like ours, switched off like a parked one.
            let mut alike = state.account(1).expect("an account").clone();
            (alike.id, alike.schedulable) = (0, false);
            "lab.aaaaaaaaaaaa".clone_into(&mut alike.name);
            let alike = state.add_account(alike);
            let group = state.groups_of(1)[0];
            state.bind(alike, group);
            state.account_mut(2).expect("an account").schedulable = true;
            state.bind(3, 1);
            "lab.bbbbbbbbbbbb".clone_into(&mut state.account_mut(4).expect("an account").name);
            (alike, 1)
        });
        let planned = plan(&inside).await;
        assert_eq!(planned.plan.blockers, Vec::<String>::new());
        let doomed: Vec<i64> = planned
            .plan
            .doomed
            .iter()
            .map(|one| one.account.0)
            .collect();
        assert_eq!(doomed, [1, 5, 6, 7, 8, 9, 10]);
        for (id, why) in [
            (alike, "no batch of ours parked it"),
            (2, "switched on again"),
            (3, "as well"),
            (4, "renamed since"),
            (11, "in service"),
        ] {
            assert!(kept(&planned, id).contains(why), "{}", kept(&planned, id));
        }
        assert_eq!(shared, 1);
        let before = living(&inside);
        let pruned = apply(&inside, &planned).await.expect("it is pruned");
        assert_eq!(pruned.done, 7);
        assert_eq!(
            (pruned.kept, pruned.remains, pruned.disturbed),
            (vec![], vec![], vec![])
        );
        let gone: Vec<i64> = before.difference(&living(&inside)).copied().collect();
        assert_eq!(gone, doomed);
        // Taking the import back wakes what is still there, and knows that the rest is gone.
        let back = inside.plan_rollback(batch.id).await.expect("a plan");
        let woken: Vec<i64> = back
            .plan
            .steps
            .iter()
            .filter(|step| step.change.reason.contains("parked"))
            .filter_map(|step| step.change.host_resource_id.map(|id| id.0))
            .collect();
        assert!(woken.iter().all(|id| !doomed.contains(id)), "{woken:?}");
        let refused = inside
            .plan_rollback(pruned.batch.id)
            .await
            .expect_err("final");
        assert!(
            refused.message.contains("cannot be brought back"),
            "{refused:?}"
        );
        inside.end().await;
    });
}

#[test]
fn nothing_may_go_before_a_new_account_served_nor_below_the_floor() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let (inside, _) = imported().await;
        let host = inside.lab.host("accept");
        let served = host.with(|state| std::mem::take(&mut state.usage));
        assert!(
            !served.is_empty(),
            "the import proves itself by a completion"
        );
        let planned = plan(&inside).await;
        let blockers = planned.plan.blockers.join("; ");
        assert!(blockers.contains("no completion was served"), "{blockers}");
        let refused = apply(&inside, &planned).await.expect_err("it is blocked");
        assert_eq!(refused.kind, FailureKind::Conflict);

        host.with(|state| {
            state.usage = served;
            for id in [11, 12] {
                state.account_mut(id).expect("a new one").status = "error".to_owned();
            }
        });
        let planned = plan(&inside).await;
        let blockers = planned.plan.blockers.join("; ");
        assert!(blockers.contains("its floor is 1"), "{blockers}");
        assert_eq!(inside.parked(), 10, "nothing was deleted");
        inside.end().await;
    });
}

#[test]
fn a_plan_that_no_longer_fits_is_refused_and_so_is_a_bare_hash() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let (inside, _) = imported().await;
        let planned = plan(&inside).await;
        let bare = Command::PruneApply {
            plan: planned.id,
            approval: Approval {
                hash: planned.hash.clone(),
                ..Approval::default()
            },
        };
        let refused: Failure = inside.engine().call(bare).await.expect_err("no name");
        assert_eq!(refused.kind, FailureKind::Denied);
        assert!(
            refused.message.contains("cannot be taken back"),
            "{refused:?}"
        );
        let host = inside.lab.host("accept");
        host.with(|state| state.account_mut(5).expect("an account").schedulable = true);
        let stale = apply(&inside, &planned).await.expect_err("it is stale");
        assert!(stale.message.contains("switched on again"), "{stale:?}");
        assert_eq!(living(&inside).len(), 12, "nothing was deleted");
        inside.end().await;
    });
}
