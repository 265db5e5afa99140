//! Answers that never come: every request that an import writes with loses its connection once,
//! before the host took it, after, or with the effect following late.

use crate::support::has_ssh;
use crate::support::inside::{Census, Inside, on_threads, quick, until};
use cockpit_domain::batch::{Batch, BatchStatus};
use cockpit_domain::journal::{StepKind, StepState};
use cockpit_engine::command::Command;
use cockpit_engine::context::Timing;
use cockpit_lab::sub2api::state::When;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const KEYS: [&str; 2] = ["sk-lab-good-lost-000001", "sk-lab-good-lost-000002"];
/// Later than the first tries of a write, earlier than the window in which a lost request counts.
pub(super) const LATE: Duration = Duration::from_millis(1500);

/// What is done about a lost answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The import tries again by itself.
    Retry,
    /// It stops there; a new process resumes it.
    Resume,
    /// It stops there; a new process takes it back without having resumed it.
    RollBack,
}

pub(super) fn timing(then: Then) -> Timing {
    match then {
        Then::Retry => quick(),
        Then::Resume | Then::RollBack => Timing {
            write_tries: 1,
            ..quick()
        },
    }
}

/// Every (method, path) that a clean import writes with; of the many switches of older accounts
/// the first and the last.
async fn writes_of_an_import(host: &'static str) -> Vec<(String, String)> {
    let inside = Inside::start(host, quick()).await;
    let batch = inside.import(&KEYS).await;
    assert_eq!(
        batch.batch_status,
        BatchStatus::Succeeded,
        "{}",
        batch.reason
    );
    let rows = different_writes(&inside, 0);
    inside.end().await;
    let switches: Vec<_> = rows
        .iter()
        .filter(|(_, path)| path.ends_with("/schedulable"))
        .cloned()
        .collect();
    let inner = switches.len().saturating_sub(1).max(1);
    let left_out: BTreeSet<_> = switches
        .get(1..inner)
        .unwrap_or_default()
        .iter()
        .cloned()
        .collect();
    rows.into_iter()
        .filter(|row| !left_out.contains(row))
        .collect()
}

/// The different writes that the host saw, but for the first `skip` requests.
pub(super) fn different_writes(inside: &Inside, skip: usize) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let writes = inside.writes().into_iter().skip(skip);
    writes
        .map(|row| (row.method, row.path))
        .filter(|row| seen.insert(row.clone()))
        .collect()
}

async fn one_case(host: &'static str, method: String, path: String, when: When, then: Then) {
    let mut inside = Inside::start(host, timing(then)).await;
    let before = inside.census();
    let (listing, parked) = (inside.listing().await, inside.parked());
    inside.lose(&method, &path, when);
    let begun = Instant::now();
    let mut batch = inside.import(&KEYS).await;
    assert!(inside.lost(), "nothing asked {method} {path}");
    if then != Then::Retry {
        inside.restart(quick()).await;
    }
    // A login writes nothing, so it is in no journal and is not sent again by itself.
    let stopped = batch.batch_status == BatchStatus::Interrupted;
    if stopped && (then == Then::Resume || path.ends_with("/login")) && then != Then::RollBack {
        assert!(!batch.reason.is_empty());
        batch = inside.resume(batch.id).await;
    }
    let settled = begun + LATE + Duration::from_millis(500);
    if then != Then::RollBack {
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        tokio::time::sleep_until(settled.into()).await;
        whole(&inside, &before, &batch, &KEYS).await;
    }
    let rolled = inside.roll_back(batch.id).await;
    assert_eq!(
        (rolled.blocked, rolled.remains, rolled.disturbed),
        (vec![], vec![], vec![])
    );
    assert_eq!(rolled.batch.batch_status, BatchStatus::RolledBack);
    tokio::time::sleep_until(settled.into()).await;
    let left = inside.census().differences(&before);
    assert!(left.is_empty(), "after the rollback: {left:?}");
    assert_eq!(
        inside.parked(),
        parked,
        "older accounts are scheduled as before"
    );
    assert_eq!(inside.listing().await, listing);
    inside.end().await;
}

/// Each thing once on the host, and the store holds exactly those.
async fn whole(inside: &Inside, before: &Census, batch: &Batch, keys: &[&str]) {
    let doubles = inside.census().differences(&before.after_import(keys));
    assert!(doubles.is_empty(), "after the import: {doubles:?}");
    let detail = inside.show(batch.id).await;
    let (records, rows) = (&detail.resources, inside.listing().await);
    for record in records {
        let kept = rows
            .keys()
            .any(|(kind, _, id)| (*kind, *id) == (record.kind, record.host_resource_id.0));
        assert!(
            kept || record.kind.as_str() == "key",
            "recorded and not there: {record:?}"
        );
    }
    let accounts = detail
        .items
        .iter()
        .map(|item| item.account_id)
        .collect::<BTreeSet<_>>();
    assert_eq!(accounts.len(), keys.len());
    let report = inside.reconcile().await.report;
    assert_eq!(
        (
            report.missing_count,
            report.changed_count,
            report.extra_count
        ),
        (0, 0, 0),
        "{:?}",
        report.changes
    );
}

/// Runs cases a few at a time and tells all that failed.
fn sweep(host: &'static str, then: Then) {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let writes = writes_of_an_import(host).await;
        all_lost(writes, then, move |method, path, when| {
            one_case(host, method, path, when, then)
        })
        .await;
    });
}

/// Loses each of these writes in each way, a few cases at a time, and tells all that failed.
pub(super) async fn all_lost<F>(
    writes: Vec<(String, String)>,
    then: Then,
    case: impl Fn(String, String, When) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    println!("{} writes: {writes:?}", writes.len());
    let gate = Arc::new(Semaphore::new(8));
    let mut cases = JoinSet::new();
    let mut count = 0;
    for (method, path) in writes {
        for when in [
            When::BeforeCommit,
            When::AfterCommit,
            When::CommitAfter(LATE),
        ] {
            count += 1;
            let gate = Arc::clone(&gate);
            let name = format!("{method} {path} {when:?} {then:?}");
            let work = case(method.clone(), path.clone(), when);
            cases.spawn(async move {
                let _turn = gate.acquire_owned().await.expect("open");
                (name, tokio::spawn(work).await)
            });
        }
    }
    let mut failed = Vec::new();
    while let Some(case) = cases.join_next().await {
        let (name, end) = case.expect("a case reports");
        if let Err(error) = end {
            let why = error.into_panic();
            let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
            failed.push(format!("{name}: {why}"));
        }
    }
    failed.sort();
    assert!(
        failed.is_empty(),
        "{} of {count} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn an_import_that_loses_any_one_answer_ends_whole_by_itself() {
    sweep("accept", Then::Retry);
}

#[test]
fn a_group_or_channel_whose_answer_was_lost_is_made_once() {
    sweep("prod", Then::Resume);
}

#[test]
fn a_group_or_channel_whose_answer_was_lost_can_be_taken_back() {
    sweep("prod", Then::RollBack);
}

/// The host asks to come again in a second while it is at work, not in half a minute.
fn hurry(inside: &Inside) {
    let soon = Duration::from_secs(1);
    let host = inside.lab.host("accept");
    host.with(|state| state.settings.idempotency_lock = soon);
}

/// A request that takes effect after everything was over: nobody can wait for that, so the double
/// has to be seen by a reconcile and taken by a rollback.
async fn a_double_after_the_end(path: &str, late: Duration, kind: &'static str) {
    let hurried = Timing {
        late_answer: Duration::from_millis(100),
        // A request that is older is given up, and sent again under another key.
        processing: Duration::from_millis(200),
        ..quick()
    };
    let inside = Inside::start("accept", hurried).await;
    hurry(&inside);
    let (before, listing) = (inside.census(), inside.listing().await);
    inside.lose("POST", path, When::CommitAfter(late));
    let batch = inside.import(&KEYS).await;
    assert_eq!(
        batch.batch_status,
        BatchStatus::Succeeded,
        "{}",
        batch.reason
    );
    let whole = before.after_import(&KEYS);
    assert_eq!(
        inside.census(),
        whole,
        "the late request came before the end"
    );
    until("the late request takes effect", late * 2, || {
        inside.census().total(kind) == whole.total(kind) + 1
    })
    .await;
    let report = inside.reconcile().await.report;
    assert_eq!(report.status.as_str(), "drifted", "{:?}", report.changes);
    assert_eq!(
        (
            report.missing_count,
            report.changed_count,
            report.extra_count
        ),
        (0, 0, 1)
    );
    let rolled = inside.roll_back(batch.id).await;
    assert_eq!(
        (rolled.blocked, rolled.remains, rolled.disturbed),
        (vec![], vec![], vec![])
    );
    assert_eq!(inside.census(), before);
    assert_eq!(inside.listing().await, listing);
    inside.end().await;
}

/// The host's record of a request stays in progress for a day when its client went away: once the
/// host cannot be at work on it any more and nothing was made, the journal sends under another key.
#[test]
fn an_account_whose_request_stays_in_progress_for_ever_is_made_once_under_another_key() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let hurried = Timing {
            processing: Duration::from_millis(500),
            ..quick()
        };
        let inside = Inside::start("accept", hurried).await;
        hurry(&inside);
        let before = inside.census();
        inside.lose("POST", "/api/v1/admin/accounts", When::Stuck);
        let batch = inside.import(&KEYS).await;
        assert!(inside.lost());
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        whole(&inside, &before, &batch, &KEYS).await;
        let journal = inside.show(batch.id).await.journal;
        let made: Vec<_> = journal
            .iter()
            .filter(|row| row.kind == StepKind::CreateAccount)
            .map(|row| row.state)
            .collect();
        assert_eq!(made.len(), KEYS.len() + 1, "{made:?}");
        let done = made.iter().filter(|state| **state == StepState::Done);
        assert_eq!(done.count(), KEYS.len(), "{made:?}");
        inside.end().await;
    });
}

#[test]
fn an_offer_that_appears_twice_after_the_end_is_seen_and_taken_back() {
    if has_ssh() {
        on_threads(a_double_after_the_end(
            "/api/v1/admin/payment/plans",
            Duration::from_secs(6),
            "plan",
        ));
    }
}

#[test]
fn an_account_that_appears_twice_after_the_end_is_seen_and_taken_back() {
    if has_ssh() {
        on_threads(a_double_after_the_end(
            "/api/v1/admin/accounts",
            Duration::from_secs(8),
            "account",
        ));
    }
}

/// The effect comes after the batch was rolled back: a second rollback finds it by the journal.
#[test]
fn what_appears_after_a_rollback_can_still_be_taken_back() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let hurried = Timing {
            late_answer: Duration::from_millis(100),
            write_tries: 1,
            ..quick()
        };
        let inside = Inside::start("accept", hurried).await;
        let before = inside.census();
        inside.lose(
            "POST",
            "/api/v1/admin/accounts",
            When::CommitAfter(Duration::from_secs(3)),
        );
        let batch = inside.import(&KEYS).await;
        assert_eq!(batch.batch_status, BatchStatus::Interrupted);
        assert_eq!(
            inside.roll_back(batch.id).await.batch.batch_status,
            BatchStatus::RolledBack
        );
        assert_eq!(inside.census(), before);
        until(
            "the late request takes effect",
            Duration::from_secs(6),
            || inside.census() != before,
        )
        .await;
        let rolled = inside.roll_back(batch.id).await;
        assert_eq!((rolled.done, rolled.remains), (1, vec![]));
        assert_eq!(inside.census(), before);
        let again = inside
            .plan_rollback(batch.id)
            .await
            .expect_err("nothing is left to undo");
        assert!(
            again.message.contains("holds no recorded resource"),
            "{again}"
        );
        inside.end().await;
    });
}

/// A stop in the middle of taking back is seen, and never resumed into a batch with holes.
#[test]
fn a_batch_half_taken_back_is_interrupted_and_only_taken_back() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let one_try = Timing {
            write_tries: 1,
            ..quick()
        };
        let mut inside = Inside::start("accept", one_try.clone()).await;
        let (before, listing) = (inside.census(), inside.listing().await);
        inside.lose("POST", "/api/v1/admin/users", When::BeforeCommit);
        let batch = inside.import(&KEYS).await;
        assert_eq!(batch.batch_status, BatchStatus::Interrupted);
        inside.restart(one_try).await;
        inside.lose("DELETE", "/api/v1/admin/payment/plans", When::BeforeCommit);
        let planned = inside.plan_rollback(batch.id).await.expect("a plan");
        let failure = inside
            .apply_rollback(&planned)
            .await
            .expect_err("an answer is lost");
        assert!(
            failure.hint.contains("rollback plan 1") || failure.maybe_done,
            "{failure:?}"
        );
        let shown = inside.show(batch.id).await.batch;
        assert_eq!(shown.batch_status, BatchStatus::Interrupted);
        assert!(
            shown.reason.contains("rollback stopped"),
            "{}",
            shown.reason
        );
        let command = Command::BatchResume { batch: batch.id };
        let refused = inside.engine().call(command).await.expect_err("refused");
        assert!(refused.message.contains("was begun"), "{refused}");
        let rolled = inside.roll_back(batch.id).await;
        assert_eq!(rolled.batch.batch_status, BatchStatus::RolledBack);
        assert_eq!(inside.census(), before);
        assert_eq!(inside.listing().await, listing);
        inside.end().await;
    });
}

/// Cuts the tunnel at a moment of an import, mends it, and resumes. What could not be asked is no
/// verdict: neither on a key nor on the gateway.
fn cut_and_resumed(
    keys: [&'static str; 2],
    moment: &'static str,
    path: &'static str,
    tail: Duration,
) {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let short = Timing {
            write_tries: 2,
            warming: Duration::from_secs(4),
            ..quick()
        };
        let mut inside = Inside::start("accept", short).await;
        // No account is seen by the scheduler before the tunnel is down.
        let lag = Duration::from_secs(3);
        inside
            .lab
            .host("accept")
            .with(|state| state.settings.snapshot_lag = lag);
        let (before, listing) = (inside.census(), inside.listing().await);
        let lab = &inside.lab;
        let cut = async {
            let asked = || {
                let rows = lab.log().since(0);
                rows.iter().any(|row| {
                    row.service == "host:accept" && row.path == path && row.status == 200
                })
            };
            until(moment, Duration::from_secs(20), asked).await;
            // Into the middle of what comes next.
            tokio::time::sleep(tail).await;
            lab.set_fault("tunnel-down").expect("a fault");
        };
        let (batch, ()) = tokio::join!(inside.import(&keys), cut);
        assert_eq!(
            batch.batch_status,
            BatchStatus::Interrupted,
            "{}",
            batch.reason
        );
        assert!(!batch.reason.is_empty());
        inside.lab.clear_fault("tunnel-down").expect("a fault");
        inside.restart(quick()).await;
        let batch = inside.resume(batch.id).await;
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        whole(&inside, &before, &batch, &keys).await;
        inside.roll_back(batch.id).await;
        assert_eq!(inside.listing().await, listing);
        inside.end().await;
    });
}

#[test]
fn a_tunnel_cut_among_the_accounts_leaves_a_batch_that_resumes_whole() {
    cut_and_resumed(
        KEYS,
        "an account is made",
        "/api/v1/admin/accounts",
        Duration::ZERO,
    );
}

#[test]
fn a_tunnel_cut_in_the_middle_of_a_test_is_no_verdict_on_the_key() {
    let slow = ["sk-lab-slow-lost-000001", "sk-lab-slow-lost-000002"];
    cut_and_resumed(
        slow,
        "an account is read again",
        "/api/v1/admin/accounts/11",
        Duration::from_millis(500),
    );
}

#[test]
fn a_tunnel_cut_before_the_proof_is_no_verdict_on_the_gateway() {
    cut_and_resumed(KEYS, "the key is made", "/api/v1/keys", Duration::ZERO);
}
