//! Acts that the sweep cuts, beside importing and taking back: trying failed keys again, putting back
//! what somebody changed, deleting what was parked, letting one account in again; and taking over,
//! which writes to no host and is cut behind each of its records.

use super::knife::{go_on_writing, stop_behind_records};
use super::repair_drift;
use super::sweep::{KEYS, timing};
use crate::prune;
use crate::recover;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads};
use cockpit_domain::batch::{BatchStatus, GatewayEvidence};
use cockpit_domain::ids::BatchId;
use cockpit_domain::resource::Origin;
use cockpit_domain::secret::Secret;
use cockpit_engine::adopt::PlannedAdopt;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::Outcome;
use cockpit_lab::fleet::{account_name, old_key};
use jiff::{SignedDuration, Timestamp};

/// An older account of the provider.
const OLDER: i64 = 1;

/// Tries the failed keys of a batch again.
pub(super) async fn retry(inside: &Inside, batch: BatchId) -> Outcome<()> {
    let keys = Secret::new(KEYS.join("\n"));
    let command = Command::BatchRetry { batch, keys };
    let planned = match inside.engine().call(command).await? {
        Answer::Import(planned) => *planned,
        other => panic!("{other:?}"),
    };
    assert_eq!(planned.plan.items.len(), 1, "the one that failed");
    let done = inside.try_import(&planned).await?;
    assert_ne!(done.gateway, GatewayEvidence::default(), "it was asked");
    Ok(())
}

/// Somebody changes the channel and one account of the import.
pub(super) fn change_by_hand(inside: &Inside) {
    repair_drift::drift(inside, repair_drift::Ground::Alone);
}

/// Puts it back.
pub(super) async fn mend(inside: &Inside) -> Outcome<()> {
    let planned = inside.reconcile().await;
    let command = Command::ReconcileApply {
        plan: planned.id,
        approval: inside.word(&planned.hash),
    };
    inside.engine().call(command).await.map(drop)
}

/// Deletes what the import parked.
pub(super) async fn prune(inside: &Inside) -> Outcome<()> {
    let planned = prune::plan(inside).await;
    prune::apply(inside, &planned).await.map(drop)
}

/// The host put one account aside, and a person switched it off.
pub(super) fn put_aside(inside: &Inside) {
    inside.with(|state| {
        let account = state.account_mut(OLDER).expect("an older account");
        account.temp_unschedulable_until = Some(Timestamp::now() + SignedDuration::from_mins(30));
        account.schedulable = false;
    });
}

/// Lets it in again.
pub(super) async fn recover(inside: &Inside) -> Outcome<()> {
    let planned = recover::plan(inside, OLDER).await?;
    recover::apply(inside, &planned).await.map(drop)
}

/// Nothing keeps it from being chosen.
pub(super) fn is_let_in(inside: &Inside) {
    inside.with(|state| {
        let account = state.account(OLDER).expect("an older account");
        let aside = account.temp_unschedulable_until;
        assert_eq!((account.schedulable, aside), (true, None));
    });
}

async fn plan_adopt(inside: &Inside) -> PlannedAdopt {
    let command = Command::AdoptPlan {
        host: inside.host_id(),
        provider: Inside::provider(),
    };
    match inside.engine().call(command).await.expect("a plan") {
        Answer::Adopt(planned) => *planned,
        other => panic!("{other:?}"),
    }
}

async fn adopt(inside: &Inside, planned: &PlannedAdopt) -> Outcome<()> {
    let command = Command::AdoptApply {
        plan: planned.id,
        approval: inside.word(&planned.hash),
    };
    inside.engine().call(command).await.map(drop)
}

/// Each thing of the plan is recorded once, as somebody else's.
async fn all_recorded(inside: &Inside, batch: BatchId, planned: &PlannedAdopt) {
    let held = inside.show(batch).await.resources;
    let mut ids: Vec<_> = held
        .iter()
        .map(|row| (row.kind, row.host_resource_id))
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), planned.plan.adoptions.len(), "{held:?}");
    assert!(held.iter().all(|row| row.origin == Origin::Adopted));
}

#[test]
fn taking_over_cut_behind_each_record_is_gone_on_with_or_released_without_one_write() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let mut inside = Inside::start("accept", timing()).await;
        // Two accounts are enough: each record costs two new processes.
        inside.with(|state| {
            let kept = [1, 2].map(|no| account_name(&old_key(no)));
            let stays = |name: &String| kept.contains(name) || !name.starts_with("lab.");
            state.accounts.retain(|_, row| stays(&row.name));
        });
        let (census, listing) = (inside.census(), inside.listing().await);
        let seen = inside.writes().len();
        let records = plan_adopt(&inside).await.plan.adoptions.len();
        assert!(records >= 4, "group, channel, two accounts: {records}");
        let (mut cuts, mut newest) = (0, 0);
        for behind in 1..=records {
            for resume in [true, false] {
                let planned = plan_adopt(&inside).await;
                assert_eq!(planned.plan.adoptions.len(), records, "all was released");
                newest += 1;
                let batch = BatchId(newest);
                stop_behind_records(&inside, batch, behind);
                let ended = adopt(&inside, &planned).await;
                assert!(ended.is_err(), "not cut behind record {behind}: {ended:?}");
                inside.restart(timing()).await;
                go_on_writing(&inside);
                let held = inside.show(batch).await.resources.len();
                assert_eq!(held, behind, "cut behind the record that was meant");
                cuts += 1;
                if resume {
                    let batch = inside.resume(batch).await;
                    assert_eq!(batch.batch_status, BatchStatus::Succeeded);
                    all_recorded(&inside, batch.id, &planned).await;
                }
                let rolled = inside.roll_back(batch).await;
                assert_eq!(rolled.batch.batch_status, BatchStatus::RolledBack);
            }
        }
        println!("Adopt: {cuts} cuts at {records} records");
        assert_eq!(cuts, 2 * records);
        assert_eq!(
            inside.writes().split_off(seen).len(),
            0,
            "nothing was written"
        );
        assert_eq!(inside.census(), census);
        assert_eq!(inside.listing().await, listing);
        inside.end().await;
    });
}
