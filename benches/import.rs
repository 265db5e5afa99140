//! A thousand keys into one host that answers in 50 ms, beside the same import with one call at a time
//! (`product.md` 10: at least 12 times as fast, never more in flight than the host's limit).
//!
//! `cargo bench --bench import`; `KEYS=200 ALONE=20 ROUNDS=1` make it shorter. Alone, fewer keys go
//! and are compared by the key: a thousand would take minutes and say the same.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints its figures, and ends by panicking when there are none"
)]

#[path = "support/figures.rs"]
mod figures;
#[path = "../tests/support/inside.rs"]
#[expect(
    dead_code,
    reason = "what black-box tests share; a bench needs a part of it"
)]
mod inside;

use cockpit_domain::batch::{AccessMode, BatchStatus};
use cockpit_domain::host::HostSettings;
use cockpit_domain::journal::StepKind;
use figures::{asked, load, spread};
use inside::{Inside, on_threads, quick};
use std::time::{Duration, Instant};

/// How long the host takes for each answer.
const ANSWERS_IN: Duration = Duration::from_millis(50);

/// What one import came to.
struct Run {
    /// From the first account that was asked for to the last key that was judged, by the key.
    per_key: Duration,
    planned: Duration,
    applied: Duration,
    calls: usize,
    most_in_flight: usize,
}

async fn run(what: &str, keys: usize, in_flight: usize) -> Run {
    let mut inside = Inside::start("accept", quick()).await;
    inside.restart_paced(quick(), in_flight).await;
    let keys: Vec<String> = (0..keys)
        .map(|no| format!("sk-lab-good-{what}-{no:06}"))
        .collect();
    let words: Vec<&str> = keys.iter().map(String::as_str).collect();
    inside.with(|state| {
        state.delay = ANSWERS_IN;
        state.most_in_flight = 0;
    });
    let asked = inside.lab.log().since(0).len();
    let begun = Instant::now();
    let planned = inside.plan_import(AccessMode::Subscription, &words).await;
    let planning = begun.elapsed();
    let begun = Instant::now();
    let batch = inside.apply_import(&planned).await;
    let applied = begun.elapsed();
    let succeeded = batch.batch_status == BatchStatus::Succeeded;
    assert!(succeeded, "{what}: {}", batch.reason);
    let calls = inside.lab.log().since(0).len() - asked;
    let detail = inside.show(batch.id).await;
    let first = detail
        .journal
        .iter()
        .filter(|row| row.kind == StepKind::CreateAccount)
        .map(|row| row.at_ms)
        .min();
    let last = detail
        .events
        .iter()
        .filter(|event| event.kind == "key_judged")
        .map(|event| event.at_ms)
        .max();
    let span = last.expect("judged keys") - first.expect("accounts");
    let span = Duration::from_millis(u64::try_from(span).expect("time goes on"));
    let most_in_flight = inside.with(|state| state.most_in_flight);
    inside.end().await;
    Run {
        per_key: span / u32::try_from(keys.len()).expect("a count"),
        planned: planning,
        applied,
        calls,
        most_in_flight,
    }
}

fn main() {
    let (keys, alone, rounds) = (asked("KEYS", 1000), asked("ALONE", 40), asked("ROUNDS", 5));
    let in_flight = asked("IN_FLIGHT", HostSettings::IN_FLIGHT);
    on_threads(async {
        println!(
            "{keys} keys, a host that answers in {ANSWERS_IN:?}, load {}",
            load()
        );
        let (mut ratios, mut many_keys, mut one_key) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let one = run("alone", alone, 1).await;
            let many = run("many", keys, in_flight).await;
            assert_eq!(one.most_in_flight, 1);
            let most = many.most_in_flight;
            assert!(most <= in_flight, "{most} in flight, {in_flight} allowed");
            let ratio = one.per_key.as_secs_f64() / many.per_key.as_secs_f64();
            println!(
                "  round {}: alone {:.1?} a key; together {:.2?} a key, at most {most} of {in_flight} in flight, \
                 {} requests, plan {:.1?}, apply {:.1?}: {ratio:.1} x",
                round + 1,
                one.per_key,
                many.per_key,
                many.calls,
                many.planned,
                many.applied
            );
            ratios.push(ratio);
            many_keys.push(many.per_key.as_secs_f64() * 1000.0);
            one_key.push(one.per_key.as_secs_f64() * 1000.0);
        }
        println!("  alone      {} ms a key", spread(one_key));
        println!("  together   {} ms a key", spread(many_keys));
        println!(
            "  faster by  {} x (goal 12), load {}",
            spread(ratios),
            load()
        );
    });
}
