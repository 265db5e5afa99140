//! The repair of a drift with the answer of one write lost, each write in its turn: it is seen as
//! interrupted, and gone on with or taken back, with at most one effect.

use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::{AccessMode, BatchKind, BatchStatus};
use cockpit_domain::ids::BatchId;
use cockpit_domain::reconcile::ReconcileStatus;
use cockpit_domain::recorded::Listing;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::context::Timing;
use cockpit_lab::sub2api::state::When;

const KEYS: [&str; 2] = ["sk-lab-good-mend-000001", "sk-lab-good-mend-000002"];

/// What stands before the drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// One import.
    Alone,
    /// And the same keys for users who pay: it changed the accounts of the first.
    Beside,
}

/// The writes of the repair, in order.
fn writes(inside: &Inside, ground: Ground) -> Vec<(&'static str, String)> {
    let (channel, [unbound, _]) = rows(inside, ground);
    vec![
        ("PUT", format!("/api/v1/admin/channels/{channel}")),
        ("PUT", format!("/api/v1/admin/accounts/{unbound}")),
        (
            "POST",
            format!("/api/v1/admin/accounts/{unbound}/schedulable"),
        ),
    ]
}

/// The channel of the newest import and its two accounts.
fn rows(inside: &Inside, ground: Ground) -> (i64, [i64; 2]) {
    let name = match ground {
        Ground::Alone => "relay-lab",
        Ground::Beside => "relay-lab-self-service",
    };
    inside.lab.host("accept").with(|state| {
        let channel = state.channels.values().find(|row| row.name == name);
        let made = state.accounts.keys().rev().take(2).copied();
        let made: Vec<i64> = made.collect();
        (channel.expect("a channel").id, [made[1], made[0]])
    })
}

/// By hand: the channel restricts nothing, one account is unbound and switched off.
pub(super) fn drift(inside: &Inside, ground: Ground) {
    let (channel, [unbound, _]) = rows(inside, ground);
    inside.lab.host("accept").with(|state| {
        let channel = state.channels.get_mut(&channel).expect("a channel");
        channel.restrict_models = false;
        state.account_groups.retain(|(row, _), _| *row != unbound);
        let account = state.accounts.get_mut(&unbound).expect("an account");
        account.schedulable = false;
    });
}

/// A repair that was stopped.
struct Stopped {
    inside: Inside,
    batch: BatchId,
    /// What the host listed before the drift.
    healthy: Listing,
    /// And after it.
    drifted: Listing,
    /// Writes that the host had seen before the repair.
    seen: usize,
}

/// Imports, drifts, repairs with the answer of one write lost, and starts a new process.
async fn interrupted(ground: Ground, at: usize, when: When) -> Stopped {
    let timing = Timing {
        write_tries: 1,
        ..quick()
    };
    let mut inside = Inside::start("accept", timing).await;
    inside.import(&KEYS).await;
    if ground == Ground::Beside {
        inside.import_by(AccessMode::SelfService, &KEYS).await;
    }
    let healthy = inside.listing().await;
    drift(&inside, ground);
    let drifted = inside.listing().await;
    assert_ne!(healthy, drifted);
    let planned = inside.reconcile().await;
    assert_eq!(planned.report.mends.len(), 3, "{:?}", planned.report);
    let seen = inside.writes().len();
    let (method, path) = writes(&inside, ground).swap_remove(at);
    inside.lose(method, &path, when);
    let command = Command::ReconcileApply {
        plan: planned.id,
        approval: inside.word(&planned.hash),
    };
    let failure = inside.engine().call(command).await.expect_err("no answer");
    assert!(failure.hint.contains("batch resume"), "{failure:?}");
    assert!(inside.lost(), "nothing asked {method} {path}");
    inside.restart(quick()).await;
    let list = Command::BatchList { host: None };
    let batch = match inside.engine().call(list).await.expect("a list") {
        Answer::Batches(batches) => batches[0].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (batch.kind, batch.batch_status),
        (BatchKind::Repair, BatchStatus::Interrupted)
    );
    Stopped {
        inside,
        batch: batch.id,
        healthy,
        drifted,
        seen,
    }
}

const CUTS: [(usize, When); 6] = [
    (0, When::BeforeCommit),
    (0, When::AfterCommit),
    (1, When::BeforeCommit),
    (1, When::AfterCommit),
    (2, When::BeforeCommit),
    (2, When::AfterCommit),
];

#[test]
fn the_repair_of_a_drift_goes_on_wherever_an_answer_was_lost() {
    if !has_ssh() {
        return;
    }
    for (at, when) in CUTS {
        on_threads(async {
            let stopped = interrupted(Ground::Alone, at, when).await;
            let inside = stopped.inside;
            let batch = inside.resume(stopped.batch).await;
            assert_eq!(
                batch.batch_status,
                BatchStatus::Succeeded,
                "{at} {when:?}: {}",
                batch.reason
            );
            assert_eq!(inside.listing().await, stopped.healthy, "{at} {when:?}");
            let report = inside.reconcile().await.report;
            assert_eq!(report.status, ReconcileStatus::Active, "{report:?}");
            let asked = inside.writes().split_off(stopped.seen);
            for (index, (method, path)) in writes(&inside, Ground::Alone).iter().enumerate() {
                let sent = asked
                    .iter()
                    .filter(|row| row.method == *method && row.path == *path);
                let again = index == at && matches!(when, When::BeforeCommit);
                assert_eq!(
                    sent.count(),
                    1 + usize::from(again),
                    "{at} {when:?}: {method} {path}"
                );
            }
            inside.end().await;
        });
    }
}

async fn taken_back(ground: Ground, at: usize, when: When) {
    let stopped = interrupted(ground, at, when).await;
    let inside = stopped.inside;
    let rolled = inside.roll_back(stopped.batch).await;
    assert_eq!(rolled.batch.batch_status, BatchStatus::RolledBack);
    assert_eq!(
        (rolled.blocked, rolled.remains, rolled.disturbed),
        (vec![], vec![], vec![]),
        "{ground:?} {at} {when:?}"
    );
    let left = inside.listing().await;
    assert_eq!(left, stopped.drifted, "{ground:?} {at} {when:?}");
    inside.end().await;
}

#[test]
fn the_repair_of_a_drift_is_taken_back_wherever_an_answer_was_lost() {
    if !has_ssh() {
        return;
    }
    for (at, when) in CUTS {
        on_threads(taken_back(Ground::Alone, at, when));
    }
}

#[test]
fn a_lost_repair_of_what_another_batch_changed_too_is_taken_back() {
    if !has_ssh() {
        return;
    }
    for (at, when) in [(1, When::BeforeCommit), (1, When::AfterCommit)] {
        on_threads(taken_back(Ground::Beside, at, when));
    }
}
