//! A running import led by a person: a canary first, held and let go on, stopped; the host is never
//! asked more at once than the config allows.

use crate::support::inside::{Census, Inside, on_threads, quick, until};
use cockpit_domain::batch::{
    AccessMode, Batch, BatchStatus, ImportMode, Interruption, ProviderStatus,
};
use cockpit_domain::import::KeyState;
use cockpit_domain::secret::Secret;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::handle::Started;
use cockpit_engine::supervisor::JobState;
use cockpit_lab::scripted::Scripted;
use std::time::Duration;

mod pace;

const HOST: &str = "accept";

/// So many good keys, as a test names them.
fn good(what: &str, count: usize) -> Vec<String> {
    (1..=count)
        .map(|no| format!("sk-lab-good-{what}-{no:06}"))
        .collect()
}

fn words(keys: &[String]) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

async fn began(inside: &Inside, mode: ImportMode, keys: &[&str], canary: usize) -> Started {
    let planned = inside.plan_in(AccessMode::Subscription, mode, keys).await;
    let command = inside.apply(&planned, canary);
    inside.engine().send(command)
}

async fn ended(started: Started) -> Batch {
    match started.answer().await.expect("the import answers") {
        Answer::Batch(batch) => *batch,
        other => panic!("{other:?}"),
    }
}

fn accounts(before: &Census, after: &Census) -> usize {
    after.total("account") - before.total("account")
}

#[test]
fn a_canary_carries_its_keys_end_to_end_and_the_others_wait_for_a_word() {
    on_threads(async {
        let inside = Inside::start(HOST, quick()).await;
        let (census, listing) = (inside.census(), inside.listing().await);
        let keys = good("canary", 12);
        let keys = words(&keys);
        let first = ended(began(&inside, ImportMode::Partial, &keys, 3).await).await;
        assert_eq!(first.batch_status, BatchStatus::Interrupted);
        assert_eq!(first.interrupted_by, Some(Interruption::Canary));
        assert_eq!(
            first.provider_status_from_import,
            Some(ProviderStatus::Active),
            "{}",
            first.reason
        );
        assert!(first.gateway.served_by_ours, "{}", first.reason);
        assert!(first.reason.contains("9 key(s) wait"), "{}", first.reason);
        let detail = inside.show(first.id).await;
        let judged = |detail: &cockpit_engine::batches::BatchDetail| {
            detail
                .items
                .iter()
                .map(|item| item.account_status.is_some())
                .collect::<Vec<_>>()
        };
        let wanted: Vec<bool> = (0..12).map(|at| at < 3).collect();
        assert_eq!(judged(&detail), wanted, "the first three and no other");
        assert_eq!(accounts(&census, &inside.census()), 3);
        assert_eq!(
            inside.parked(),
            0,
            "older accounts serve until all are through"
        );

        let whole = inside.resume(first.id).await;
        assert_eq!(
            whole.batch_status,
            BatchStatus::Succeeded,
            "{}",
            whole.reason
        );
        assert_eq!((whole.interrupted_by, whole.canary), (None, 0));
        let after = inside.census();
        let differences = after.differences(&census.after_import(&keys));
        assert!(differences.is_empty(), "{differences:?}");
        inside.roll_back(whole.id).await;
        assert_eq!(inside.listing().await, listing);
        inside.end().await;
    });
}

#[test]
fn a_canary_that_fails_stops_there_and_is_taken_back_whole() {
    on_threads(async {
        let inside = Inside::start(HOST, quick()).await;
        let listing = inside.listing().await;
        let mut keys = vec!["sk-lab-bad-canary-000001".to_owned()];
        keys.extend(good("behind", 5));
        let keys = words(&keys);
        let first = ended(began(&inside, ImportMode::Partial, &keys, 1).await).await;
        assert_eq!(first.interrupted_by, Some(Interruption::Canary));
        assert_eq!(
            first.provider_status_from_import,
            Some(ProviderStatus::Failed)
        );
        assert!(
            first.reason.starts_with("canary: 0 of 1"),
            "{}",
            first.reason
        );
        assert_eq!(first.gateway.tries, 0, "nobody to ask for");
        inside.roll_back(first.id).await;
        assert_eq!(inside.listing().await, listing);
        inside.end().await;
    });
}

#[test]
fn a_strict_canary_that_fails_undoes_itself_at_once() {
    on_threads(async {
        let inside = Inside::start(HOST, quick()).await;
        let listing = inside.listing().await;
        let mut keys = vec!["sk-lab-bad-strict-000001".to_owned()];
        keys.extend(good("strict", 4));
        let keys = words(&keys);
        let batch = ended(began(&inside, ImportMode::Strict, &keys, 2).await).await;
        assert_eq!(batch.batch_status, BatchStatus::Failed, "{}", batch.reason);
        assert_eq!(inside.listing().await, listing);
        inside.end().await;
    });
}

#[test]
fn a_held_import_begins_nothing_new_and_goes_on_where_it_stood() {
    on_threads(async {
        let inside = Inside::start(HOST, quick()).await;
        let census = inside.census();
        let keys = good("held", 60);
        let keys = words(&keys);
        slow(&inside, 40);
        let started = began(&inside, ImportMode::Partial, &keys, 0).await;
        let id = started.id;
        until("some accounts are made", Duration::from_secs(30), || {
            accounts(&census, &inside.census()) >= 4
        })
        .await;
        inside.engine().hold(id, true);
        until("nothing is in flight", Duration::from_secs(10), || {
            state(&inside) == JobState::Paused && in_flight(&inside) == 0
        })
        .await;
        // Between two calls of one key there may be one more: what counts are writes that are new.
        let held = settled(&inside).await;
        assert!(
            held < keys.len(),
            "{held} accounts were made before it was held"
        );
        inside.engine().hold(id, false);
        let batch = ended(started).await;
        assert_eq!(
            batch.batch_status,
            BatchStatus::Succeeded,
            "{}",
            batch.reason
        );
        let differences = inside.census().differences(&census.after_import(&keys));
        assert!(differences.is_empty(), "{differences:?}");
        inside.end().await;
    });
}

#[test]
fn a_held_import_that_is_stopped_says_so_and_is_resumed() {
    on_threads(async {
        let inside = Inside::start(HOST, quick()).await;
        let census = inside.census();
        let keys = good("stopped", 40);
        let keys = words(&keys);
        slow(&inside, 40);
        let started = began(&inside, ImportMode::Partial, &keys, 0).await;
        let id = started.id;
        until("some accounts are made", Duration::from_secs(30), || {
            accounts(&census, &inside.census()) >= 4
        })
        .await;
        inside.engine().hold(id, true);
        until("it is held", Duration::from_secs(10), || {
            state(&inside) == JobState::Paused
        })
        .await;
        inside.engine().stop(id);
        let batch = ended(started).await;
        assert_eq!(batch.batch_status, BatchStatus::Interrupted);
        assert_eq!(batch.interrupted_by, Some(Interruption::Aborted));
        slow(&inside, 0);
        let whole = inside.resume(batch.id).await;
        assert_eq!(
            whole.batch_status,
            BatchStatus::Succeeded,
            "{}",
            whole.reason
        );
        let differences = inside.census().differences(&census.after_import(&keys));
        assert!(differences.is_empty(), "{differences:?}");
        inside.end().await;
    });
}

/// Every answer of the host takes so long.
fn slow(inside: &Inside, ms: u64) {
    let host = inside.lab.host(HOST);
    host.with(|state| state.delay = Duration::from_millis(ms));
}

fn in_flight(inside: &Inside) -> usize {
    inside.lab.host(HOST).with(|state| state.in_flight)
}

fn state(inside: &Inside) -> JobState {
    let seen = inside.engine().watch();
    let snapshot = seen.borrow();
    let job = snapshot.jobs.iter().rfind(|job| job.writes);
    job.map_or(JobState::Done, |job| job.state)
}

/// How many accounts there are once a held import has gone quiet: the same count over many looks.
async fn settled(inside: &Inside) -> usize {
    let (mut last, mut same) = (inside.writes().len(), 0);
    until("no write comes any more", Duration::from_secs(20), || {
        let now = inside.writes().len();
        same = if now == last { same + 1 } else { 0 };
        last = now;
        same >= 25
    })
    .await;
    inside.census().total("account")
}

/// The host's account test says once that the vendor refused the key, whatever the vendor says.
pub(crate) fn refuse_once(inside: &Inside) {
    let line = "data: {\"type\":\"error\",\"error\":\"API returned 401: Invalid API key\"}\n\n";
    inside.with(|state| {
        state.scripted.push(Scripted {
            method: "POST".to_owned(),
            path: "/test".to_owned(),
            key: None,
            after: 0,
            times: 1,
            status: 200,
            content_type: "text/event-stream".to_owned(),
            body: line.to_owned(),
        });
    });
}

#[test]
fn failed_keys_are_tried_again_as_a_plan_of_their_own_and_keep_their_trail() {
    on_threads(async {
        let inside = Inside::start(HOST, quick()).await;
        let listing = inside.listing().await;
        let keys = good("again", 4);
        let keys = words(&keys);
        refuse_once(&inside);
        let first = inside.import(&keys).await;
        assert_eq!(first.batch_status, BatchStatus::PartiallySucceeded);
        assert_eq!(inside.parked(), 1, "the failed one is taken out of service");
        let before = inside.census();

        let command = Command::BatchRetry {
            batch: first.id,
            keys: Secret::new(format!("{}\nsk-lab-good-nobody-0001", keys.join("\n"))),
        };
        let planned = match inside.engine().call(command).await.expect("a plan") {
            Answer::Import(planned) => *planned,
            other => panic!("{other:?}"),
        };
        let plan = &planned.plan;
        assert_eq!(plan.items.len(), 1, "the one that failed and no other");
        assert_eq!(plan.left_out.len(), 4, "{:?}", plan.left_out);
        let passed = format!("passed in {}", first.id);
        let (last, others) = plan.left_out.split_last().expect("some");
        assert!(
            others.iter().all(|told| told.ends_with(&passed)),
            "{others:?}"
        );
        assert!(
            last.starts_with("line 5 ") && last.contains("is no key of"),
            "{last}"
        );
        assert_eq!(plan.items[0].state, KeyState::Changed);
        assert_eq!(plan.items[0].earlier.len(), 1);
        assert_eq!(plan.totals.remove, 0, "nobody is replaced");

        let second = inside.apply_import(&planned).await;
        assert_eq!(
            second.batch_status,
            BatchStatus::Succeeded,
            "{}",
            second.reason
        );
        assert_eq!(inside.parked(), 0, "it serves again");
        let after = inside.census();
        for kind in [
            "account",
            "group",
            "channel",
            "plan",
            "user",
            "subscription",
            "key",
        ] {
            assert_eq!(after.total(kind), before.total(kind), "{kind}");
        }
        let detail = inside.show(second.id).await;
        let item = &detail.items[0];
        assert_eq!((item.attempts, item.earlier[0].batch), (1, first.id));
        let told: Vec<&str> = detail
            .events
            .iter()
            .filter(|event| event.item == Some(item.id))
            .map(|event| event.kind.as_str())
            .collect();
        assert_eq!(told, ["account_there", "key_judged"]);

        // Put back in the order opposite to the one they were made in.
        inside.roll_back(second.id).await;
        assert_eq!(inside.parked(), 1, "as the second batch found it");
        inside.roll_back(first.id).await;
        assert_eq!(inside.listing().await, listing);
        inside.end().await;
    });
}

#[test]
fn only_an_ended_import_with_failed_keys_is_tried_again() {
    on_threads(async {
        let inside = Inside::start(HOST, quick()).await;
        let keys = good("well", 2);
        let keys = words(&keys);
        let batch = inside.import(&keys).await;
        let command = Command::BatchRetry {
            batch: batch.id,
            keys: Secret::new(keys.join("\n")),
        };
        let refused = inside.engine().call(command).await.expect_err("all passed");
        assert!(refused.message.contains("every key"), "{}", refused.message);
        inside.end().await;
    });
}
