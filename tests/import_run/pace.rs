//! How fast many keys go, beside one call at a time in the same run, and that the host is never asked
//! more at once than it may be. `COCKPIT_KEYS=1000` is the measure of the goal.

use super::{HOST, good, words};
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::BatchStatus;
use cockpit_domain::host::HostSettings;
use cockpit_domain::journal::StepKind;
use std::time::Duration;

/// What an import of so many keys came to.
struct Run {
    /// Milliseconds from the first account that was asked for to the last key that was tested.
    span_ms: f64,
    most_in_flight: usize,
}

/// Imports so many keys into a host that answers in 50 ms and takes so many calls at once.
async fn run(what: &str, count: usize, in_flight: usize) -> Run {
    let mut inside = Inside::start(HOST, quick()).await;
    inside.restart_paced(quick(), in_flight).await;
    let keys = good(what, count);
    inside.with(|state| {
        state.delay = Duration::from_millis(50);
        state.most_in_flight = 0;
    });
    let batch = inside.import(&words(&keys)).await;
    let succeeded = batch.batch_status == BatchStatus::Succeeded;
    assert!(succeeded, "{what}: {}", batch.reason);
    let detail = inside.show(batch.id).await;
    let at = |kind: StepKind| {
        let rows = detail.journal.iter().filter(move |row| row.kind == kind);
        rows.map(|row| row.at_ms)
    };
    let first = at(StepKind::CreateAccount).min().expect("accounts");
    let last = at(StepKind::TestAccount).max().expect("tests");
    let span = u32::try_from(last - first).expect("a short run");
    let most_in_flight = inside.with(|state| state.most_in_flight);
    inside.end().await;
    Run {
        span_ms: f64::from(span),
        most_in_flight,
    }
}

fn per_key(run: &Run, count: usize) -> f64 {
    run.span_ms / f64::from(u32::try_from(count).expect("a count"))
}

#[test]
fn many_keys_go_at_once_and_the_host_is_never_asked_more_than_it_may_be() {
    let wanted = std::env::var("COCKPIT_KEYS").ok();
    let count = wanted.and_then(|count| count.parse().ok()).unwrap_or(120);
    let few = 12;
    on_threads(async {
        let one = run("alone", few, 1).await;
        let many = run("many", count, HostSettings::IN_FLIGHT).await;
        let ratio = per_key(&one, few) / per_key(&many, count);
        println!(
            "one call at a time: {:.1} ms a key; {count} keys, {} calls at once: {:.1} ms a key, {:.1} s in all; {ratio:.1} times as fast",
            per_key(&one, few),
            HostSettings::IN_FLIGHT,
            per_key(&many, count),
            many.span_ms / 1000.0,
        );
        assert_eq!(one.most_in_flight, 1);
        assert!(
            many.most_in_flight <= HostSettings::IN_FLIGHT,
            "{} at once",
            many.most_in_flight
        );
        // The goal is 12 (`COCKPIT_KEYS=1000`, a release build); a machine that does other things too
        // is given room.
        assert!(ratio > 4.0, "only {ratio:.1} times as fast");
    });
}
