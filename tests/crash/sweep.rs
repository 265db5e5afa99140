//! The sweep: every journal row of each act that writes to a host (import, retry, resume, rollback,
//! repair of a check or a drift, prune, recover, access for a caller, deleting what was taken over) is cut at each of its three boundaries; then a new
//! process goes on or takes back. Nothing of ours is left over and
//! nothing is there twice, as counted from the host's own lists. The cuts that really happened are
//! counted: three for each row of the uncut run, or the sweep fails.

use super::knife::{ARRIVES, Cut, Knife, rows};
use super::leave::{self, Shut};
use super::{acts, deleting};
use crate::import_run::refuse_once;
use crate::support::has_ssh;
use crate::support::inside::{Census, Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, Batch, BatchStatus};
use cockpit_domain::ids::BatchId;
use cockpit_domain::recorded::Listing;
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::context::Timing;
use cockpit_engine::failure::{FailureKind, Outcome};
use cockpit_engine::rollback::PlannedRollback;
use cockpit_lab::fleet::{PROD_ACCOUNT, account_name, old_key};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub(super) const KEYS: [&str; 2] = ["sk-lab-good-sweep-000001", "sk-lab-good-sweep-000002"];
/// Runs at once: they wait more than they work.
const AT_ONCE: usize = 16;

/// What is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Import(AccessMode),
    /// Of an import that ended before its first send.
    Resume(AccessMode),
    RollBack(AccessMode),
    Repair,
    /// The one key of an import that failed, tried again.
    Retry,
    /// The repair of what somebody changed by hand.
    Mend,
    /// Deleting what an import parked.
    Prune,
    /// Letting one account in again.
    Recover,
    /// Giving a caller leave, money and a binding.
    LetIn,
    /// Taking those away again.
    ShutOut,
    /// Deleting what was taken over.
    Delete,
}

impl Work {
    /// The batch that the work is.
    const fn batch(self) -> BatchId {
        match self {
            Self::Retry | Self::Mend | Self::Prune => BatchId(2),
            _ => BatchId(1),
        }
    }

    /// The work is done on what an import left.
    const fn follows_an_import(self) -> bool {
        matches!(self, Self::Retry | Self::Mend | Self::Prune)
    }

    /// Older accounts that stand on the host.
    const fn older(self) -> usize {
        if matches!(self, Self::Prune) { 2 } else { 1 }
    }
}

/// What a new process does then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Resume,
    RollBack,
}

/// One item at a time, so that the rows come in the same order each time.
pub(super) fn timing() -> Timing {
    Timing {
        items_in_flight: 1,
        late_answer: ARRIVES * 3,
        ..quick()
    }
}

/// A host at the beginning of the work, and what it held then.
struct Ground {
    inside: Inside,
    work: Work,
    census: Census,
    listing: Listing,
    /// What it listed before somebody changed it by hand, where that is put back.
    healthy: Listing,
    parked: usize,
    groups: Vec<i64>,
    shut: Option<Shut>,
}

impl Ground {
    async fn laid(work: Work) -> Self {
        let host = if work == Work::Repair {
            "prod"
        } else {
            "accept"
        };
        let inside = Inside::start(host, timing()).await;
        inside.with(|state| {
            state.settings.snapshot_lag = Duration::ZERO;
            state.settings.idempotency_lock = Duration::from_secs(1);
            // One older account is enough to be parked.
            let kept: Vec<String> = (1..=work.older())
                .map(|no| account_name(&old_key(no)))
                .collect();
            state
                .accounts
                .retain(|_, row| kept.contains(&row.name) || !row.name.starts_with("lab."));
        });
        let mut healthy = inside.listing().await;
        if work == Work::Retry {
            refuse_once(&inside);
        }
        if work.follows_an_import() {
            let batch = inside.import(&KEYS).await;
            let failed = work == Work::Retry;
            assert_eq!(batch.batch_status == BatchStatus::Succeeded, !failed);
            healthy = inside.listing().await;
        }
        let mut shut = None;
        match work {
            Work::Mend => acts::change_by_hand(&inside),
            Work::Recover => acts::put_aside(&inside),
            Work::LetIn | Work::ShutOut => shut = Some(leave::shut(&inside)),
            Work::Delete => deleting::taken_over(&inside).await,
            _ => {}
        }
        let (census, listing) = (inside.census(), inside.listing().await);
        let parked = inside.parked();
        let groups = bound(&inside);
        let mut ground = Self {
            inside,
            work,
            census,
            listing,
            healthy,
            parked,
            groups,
            shut,
        };
        match work {
            Work::Import(_)
            | Work::Retry
            | Work::Mend
            | Work::Prune
            | Work::Recover
            | Work::LetIn
            | Work::Delete => {}
            Work::ShutOut => leave::let_in(&ground.inside).await.expect("let in"),
            Work::Resume(access) => {
                let knife = Knife::lay(&ground.inside, 1, Cut::Unsent);
                drop(ground.import(access).await);
                assert!(knife.lift(&ground.inside), "the first row was not cut");
                ground.inside.restart(timing()).await;
            }
            Work::RollBack(access) => succeeded(&ground.import(access).await.expect("a batch")),
            Work::Repair => ground
                .inside
                .lab
                .set_fault("binding-lost")
                .expect("a fault"),
        }
        ground
    }

    async fn import(&self, access: AccessMode) -> Outcome<Batch> {
        let planned = self.inside.plan_import(access, &KEYS).await;
        self.inside.try_import(&planned).await
    }

    /// Does the work, as far as it gets.
    async fn work(&self) -> Outcome<()> {
        match self.work {
            Work::Import(access) => self.import(access).await.map(drop),
            Work::Resume(_) => {
                let batch = self.work.batch();
                self.ask(Command::BatchResume { batch }).await
            }
            Work::RollBack(_) | Work::ShutOut | Work::Delete => {
                let planned = self.plan_taking_back().await?;
                self.inside.apply_rollback(&planned).await.map(drop)
            }
            Work::LetIn => leave::let_in(&self.inside).await,
            Work::Repair => self.repair().await,
            Work::Retry => acts::retry(&self.inside, BatchId(1)).await,
            Work::Mend => acts::mend(&self.inside).await,
            Work::Prune => acts::prune(&self.inside).await,
            Work::Recover => acts::recover(&self.inside).await,
        }
    }

    async fn plan_taking_back(&self) -> Outcome<PlannedRollback> {
        let delete = self.work == Work::Delete;
        self.inside.plan_undoing(self.work.batch(), delete).await
    }

    async fn repair(&self) -> Outcome<()> {
        let command = Command::RepairPlan {
            pack: None,
            check: "binding.account-7-group-3".to_owned(),
        };
        let planned = match self.inside.engine().call(command).await? {
            Answer::Repair(planned) => planned,
            other => panic!("{other:?}"),
        };
        self.ask(Command::RepairApply {
            plan: planned.id,
            approval: Approval {
                hash: planned.hash.clone(),
                host_name: Some("prod".to_owned()),
                reason: Some("a test".to_owned()),
            },
        })
        .await
    }

    async fn ask(&self, command: Command) -> Outcome<()> {
        self.inside.engine().call(command).await.map(drop)
    }

    /// Each thing exactly once, and the store holds exactly that.
    async fn is_whole(&self) {
        if let Some(shut) = self.shut {
            shut.is_let_in(&self.inside, &self.census);
            return;
        }
        let now = self.inside.census();
        let whole = match self.work {
            Work::Import(AccessMode::Subscription) | Work::Resume(AccessMode::Subscription) => {
                self.census.after_import(&KEYS)
            }
            Work::Import(AccessMode::SelfService) | Work::Resume(AccessMode::SelfService) => {
                self.census.after_self_service(&KEYS)
            }
            Work::Prune => (1..=Work::Prune.older()).fold(self.census.clone(), |rows, no| {
                rows.without("account", &account_name(&old_key(no)))
            }),
            // A retry proves with the managed key of the import.
            _ => self.census.clone(),
        };
        let wrong = now.differences(&whole);
        assert!(wrong.is_empty(), "not whole: {wrong:#?}");
        if matches!(self.work, Work::Mend | Work::Recover) {
            assert_eq!(self.inside.listing().await, self.healthy, "as it was");
        }
        if self.work == Work::Recover {
            acts::is_let_in(&self.inside);
            return;
        }
        if self.work == Work::Repair {
            assert_eq!(
                bound(&self.inside),
                self.groups,
                "bound as before the fault"
            );
            return;
        }
        let report = self.inside.reconcile().await.report;
        let counts = (
            report.missing_count,
            report.changed_count,
            report.extra_count,
        );
        assert_eq!(counts, (0, 0, 0), "{:#?}", report.changes);
    }

    /// The host lists what it listed before all.
    async fn is_as_before(&self) {
        let now = self.inside.census();
        if self.work == Work::Delete {
            let wrong = now.differences(&deleting::without_it(&self.census));
            assert!(wrong.is_empty(), "left behind, or another's: {wrong:#?}");
            return;
        }
        let wrong = now.differences(&self.census);
        assert!(wrong.is_empty(), "left behind or lost: {wrong:#?}");
        if let Some(shut) = self.shut {
            shut.is_as_before(&self.inside);
        }
        assert_eq!(self.inside.listing().await, self.listing);
        assert_eq!(
            self.inside.parked(),
            self.parked,
            "older accounts serve again"
        );
    }

    async fn take_back(&self) {
        let mut planned = self.plan_taking_back().await.expect("a plan");
        let mut rolled = self.inside.apply_rollback(&planned).await;
        if matches!(&rolled, Err(failure) if failure.kind == FailureKind::Conflict) {
            // A request on its way arrived after the plan was made: it is refused, and read anew.
            planned = self.plan_taking_back().await.expect("a plan");
            rolled = self.inside.apply_rollback(&planned).await;
        }
        let rolled = rolled.expect("it is taken back");
        let left = (&rolled.blocked, &rolled.remains, &rolled.disturbed);
        assert_eq!(left, (&vec![], &vec![], &vec![]));
        assert_eq!(rolled.batch.batch_status, BatchStatus::RolledBack);
    }
}

fn bound(inside: &Inside) -> Vec<i64> {
    inside.with(|state| state.groups_of(PROD_ACCOUNT))
}

fn succeeded(batch: &Batch) {
    let (status, reason) = (batch.batch_status, &batch.reason);
    assert_eq!(status, BatchStatus::Succeeded, "{reason}");
}

/// The rows of the journal that uncut work writes: from the first to the last, counted from 1.
async fn uncut(work: Work) -> std::ops::RangeInclusive<i64> {
    let ground = Ground::laid(work).await;
    let before = rows(&ground.inside);
    ground.work().await.expect("uncut work ends well");
    let after = rows(&ground.inside);
    ground.inside.end().await;
    assert!(after > before, "{work:?} writes nothing");
    before + 1..=after
}

/// One cut, and what a new process makes of it.
async fn one(work: Work, row: i64, cut: Cut, then: Then) {
    let mut ground = Ground::laid(work).await;
    let knife = Knife::lay(&ground.inside, row, cut);
    let ended = ground.work().await;
    let happened = knife.lift(&ground.inside);
    assert!(happened, "row {row} was never {cut:?}: {ended:?}");
    ground.inside.restart(timing()).await;
    match then {
        Then::Resume => {
            let batch = work.batch();
            let command = Command::BatchResume { batch };
            let batch = match ground.inside.engine().call(command).await.expect("resumed") {
                Answer::Batch(batch) => *batch,
                other => panic!("{other:?}"),
            };
            succeeded(&batch);
            tokio::time::sleep(ARRIVES).await;
            ground.is_whole().await;
            // What cannot be taken back ends here.
            if !matches!(work, Work::Repair | Work::Prune | Work::Recover) {
                ground.take_back().await;
                ground.is_as_before().await;
            }
        }
        Then::RollBack => {
            ground.take_back().await;
            tokio::time::sleep(ARRIVES).await;
            if work == Work::Repair {
                assert_ne!(bound(&ground.inside), ground.groups, "the fault is back");
            } else {
                ground.is_as_before().await;
            }
        }
    }
    ground.inside.end().await;
}

fn sweep(work: Work, thens: &'static [Then]) {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let rows = uncut(work).await;
        let count = rows.clone().count();
        let gate = Arc::new(Semaphore::new(AT_ONCE));
        let mut runs = JoinSet::new();
        for row in rows {
            for cut in Cut::ALL {
                for then in thens {
                    let gate = Arc::clone(&gate);
                    runs.spawn(async move {
                        let _turn = gate.acquire_owned().await.expect("open");
                        let end = tokio::spawn(one(work, row, cut, *then)).await;
                        (row, cut, *then, end)
                    });
                }
            }
        }
        let (mut tried, mut failed) = (0, Vec::new());
        while let Some(run) = runs.join_next().await {
            let (row, cut, then, end) = run.expect("a run reports");
            match end {
                Ok(()) => tried += usize::from(then == thens[0]),
                Err(error) => {
                    let why = error.into_panic();
                    let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
                    failed.push(format!("row {row} {cut:?}, then {then:?}: {why}"));
                }
            }
        }
        failed.sort();
        assert!(
            failed.is_empty(),
            "{} failed:\n{}",
            failed.len(),
            failed.join("\n")
        );
        println!("{work:?}: {tried} cuts at {count} rows");
        assert_eq!(tried, 3 * count, "cuts tried at {count} rows");
    });
}

#[test]
fn an_import_cut_at_any_boundary_is_resumed_or_taken_back_whole() {
    sweep(
        Work::Import(AccessMode::Subscription),
        &[Then::Resume, Then::RollBack],
    );
}

#[test]
fn a_self_service_import_cut_at_any_boundary_is_resumed_or_taken_back_whole() {
    sweep(
        Work::Import(AccessMode::SelfService),
        &[Then::Resume, Then::RollBack],
    );
}

#[test]
fn a_resume_cut_at_any_boundary_is_resumed_whole() {
    sweep(Work::Resume(AccessMode::Subscription), &[Then::Resume]);
}

#[test]
fn a_rollback_cut_at_any_boundary_is_taken_back_whole() {
    sweep(Work::RollBack(AccessMode::Subscription), &[Then::RollBack]);
}

#[test]
fn a_self_service_rollback_cut_at_any_boundary_is_taken_back_whole() {
    sweep(Work::RollBack(AccessMode::SelfService), &[Then::RollBack]);
}

#[test]
fn a_repair_cut_at_any_boundary_is_resumed_or_taken_back() {
    sweep(Work::Repair, &[Then::Resume, Then::RollBack]);
}

#[test]
fn a_retry_cut_at_any_boundary_is_resumed_or_taken_back_whole() {
    sweep(Work::Retry, &[Then::Resume, Then::RollBack]);
}

#[test]
fn the_repair_of_a_drift_cut_at_any_boundary_is_resumed_or_taken_back_whole() {
    sweep(Work::Mend, &[Then::Resume, Then::RollBack]);
}

#[test]
fn a_prune_cut_at_any_boundary_is_resumed_whole() {
    sweep(Work::Prune, &[Then::Resume]);
}

#[test]
fn letting_an_account_in_again_cut_at_any_boundary_is_resumed_whole() {
    sweep(Work::Recover, &[Then::Resume]);
}

#[test]
fn access_for_a_caller_cut_at_any_boundary_is_resumed_or_taken_back_whole() {
    sweep(Work::LetIn, &[Then::Resume, Then::RollBack]);
}

#[test]
fn taking_a_callers_access_back_cut_at_any_boundary_is_taken_back_whole() {
    sweep(Work::ShutOut, &[Then::RollBack]);
}

#[test]
fn deleting_what_was_taken_over_cut_at_any_boundary_is_finished_by_a_new_plan() {
    sweep(Work::Delete, &[Then::RollBack]);
}
