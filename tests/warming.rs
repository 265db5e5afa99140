//! The warming window, from end to end: within it no refusal is a verdict; after it the host's stored
//! state says what no answer of the gateway tells; and a hold stops its countdown.

use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick, until};
use cockpit_domain::batch::{AccessMode, Batch, BatchStatus};
use cockpit_engine::command::Answer;
use cockpit_engine::context::Timing;
use cockpit_lab::scripted::Scripted;
use cockpit_lab::sub2api::state::{Afterwards, State};
use std::time::Duration;

const KEYS: [&str; 2] = ["sk-lab-good-warm-000001", "sk-lab-good-warm-000002"];
const NO_ACCOUNT: &str =
    r#"{"error":{"type":"api_error","message":"No available accounts: none left"}}"#;
const UNAVAILABLE: &str =
    r#"{"error":{"type":"api_error","message":"Service temporarily unavailable"}}"#;
const FORBIDDEN: &str = r#"{"error":{"type":"permission_error","message":"Forbidden"}}"#;
const OLD_LIST: &str = r#"{"object":"list","data":[{"id":"older-model"}]}"#;
const CHAT: &str = "/v1/chat/completions";
const MODELS: &str = "/v1/models";

/// A window that a test can sit through.
fn short() -> Timing {
    Timing {
        warming: Duration::from_millis(1500),
        ..quick()
    }
}

fn says(inside: &Inside, path: &str, status: u16, body: &str, times: u32) {
    let line = Scripted {
        method: "*".to_owned(),
        path: path.to_owned(),
        key: None,
        after: 0,
        times,
        status,
        content_type: "application/json".to_owned(),
        body: body.to_owned(),
    };
    inside.with(|state| state.scripted.push(line));
}

fn broken(batch: &Batch) -> String {
    let status = batch.batch_status;
    assert_eq!(status, BatchStatus::PartiallySucceeded, "{}", batch.reason);
    assert!(!batch.gateway.completion_ok);
    batch.reason.clone()
}

#[test]
fn within_the_window_no_refusal_is_a_verdict() {
    if !has_ssh() {
        return;
    }
    let cases = [
        ("503 no account", CHAT, 503, NO_ACCOUNT, 3),
        ("503 unavailable", CHAT, 503, UNAVAILABLE, 3),
        ("a first 403", CHAT, 403, FORBIDDEN, 1),
        ("a list that is late", MODELS, 200, OLD_LIST, 3),
    ];
    on_threads(async {
        for (name, path, status, body, times) in cases {
            let inside = Inside::start("accept", quick()).await;
            says(&inside, path, status, body, times);
            let batch = inside.import(&KEYS).await;
            let (ended, why) = (batch.batch_status, &batch.reason);
            assert_eq!(ended, BatchStatus::Succeeded, "{name}: {why}");
            assert!(batch.gateway.tries > times, "{name}: {:?}", batch.gateway);
            assert_eq!(batch.gateway.stored, "", "{name}");
            inside.end().await;
        }
    });
}

#[test]
fn after_the_window_stored_state_says_what_it_was() {
    type Change = fn(&mut State);
    // Each makes the host itself refuse, once the keys were tested and found good.
    let off: Change = |state| {
        for id in [11, 12] {
            if let Some(account) = state.account_mut(id) {
                account.schedulable = false;
            }
        }
    };
    let unbound: Change = |state| {
        for account in 1..=12 {
            for group in state.groups_of(account) {
                state.unbind(account, group);
            }
        }
    };
    let restricted: Change = |state| {
        for channel in state.channels.values_mut() {
            channel.restrict_models = true;
            channel.model_pricing.clear();
        }
    };
    let cases: [(&str, Change, &str); 3] = [
        ("switched off", off, "switched_off"),
        ("unbound", unbound, "no account is bound to group"),
        ("restricted", restricted, "lets only priced models through"),
    ];
    if !has_ssh() {
        return;
    }
    on_threads(async {
        for (name, change, told) in cases {
            let inside = Inside::start("accept", short()).await;
            // The user key is the last write: nothing of ours comes after it.
            let hand = Afterwards {
                method: "POST".to_owned(),
                path_prefix: "/api/v1/keys".to_owned(),
                act: Box::new(change),
            };
            inside.with(|state| state.afterwards.push(hand));
            let batch = inside.import(&KEYS).await;
            let why = broken(&batch);
            assert!(why.contains("stored state: "), "{name}: {why}");
            assert!(batch.gateway.stored.contains(told), "{name}: {why}");
            inside.end().await;
        }
        // Where stored state has no fault the gateway's own log is named, and each body counts.
        for (path, status, body) in [
            (CHAT, 503, NO_ACCOUNT),
            (CHAT, 503, UNAVAILABLE),
            (MODELS, 200, OLD_LIST),
        ] {
            let inside = Inside::start("accept", short()).await;
            says(&inside, path, status, body, u32::MAX);
            let batch = inside.import(&KEYS).await;
            let why = broken(&batch);
            assert!(
                why.contains("only the host's log tells why"),
                "{body}: {why}"
            );
            inside.end().await;
        }
        // A second 403 is a verdict at once: no window is sat through.
        let inside = Inside::start("accept", quick()).await;
        says(&inside, CHAT, 403, FORBIDDEN, u32::MAX);
        let batch = inside.import(&KEYS).await;
        let rows = inside.writes().into_iter();
        let refused = rows.filter(|row| row.path == CHAT && row.status == 403);
        assert_eq!(refused.count(), 2, "{}", broken(&batch));
        assert_eq!(batch.gateway.stored, "");
        inside.end().await;
    });
}

#[test]
fn a_hold_stops_the_countdown_of_the_window() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("accept", short()).await;
        let planned = inside.plan_import(AccessMode::Subscription, &KEYS).await;
        says(&inside, CHAT, 503, NO_ACCOUNT, u32::MAX);
        let handle = inside.engine().clone();
        let started = handle.send(inside.apply(&planned, 0));
        let id = started.id;
        let warming = || {
            let snapshot = handle.watch().borrow().clone();
            let mut jobs = snapshot.jobs.iter().filter(|job| job.id == id);
            jobs.any(|job| {
                job.progress
                    .as_ref()
                    .is_some_and(|at| at.until_ms.is_some())
            })
        };
        until("it warms", Duration::from_mins(1), warming).await;
        handle.hold(id, true);
        let asked = || {
            let rows = inside.writes().into_iter();
            rows.filter(|row| row.path == CHAT).count()
        };
        // Held for longer than the whole window, it asks no more and has come to no verdict.
        let begun = std::time::Instant::now();
        let (mut seen, mut quiet) = (asked(), std::time::Instant::now());
        until(
            "nothing is asked for a window",
            Duration::from_mins(1),
            || {
                if asked() != seen {
                    (seen, quiet) = (asked(), std::time::Instant::now());
                }
                quiet.elapsed() > short().warming * 2
            },
        )
        .await;
        assert!(
            begun.elapsed() > short().warming,
            "it was held for too short a time"
        );
        // The host is well again by the time it goes on: there is window left to see that.
        inside.with(|state| state.scripted.clear());
        handle.hold(id, false);
        let Answer::Batch(batch) = started.answer().await.expect("a batch") else {
            panic!("no batch")
        };
        let (ended, why) = (batch.batch_status, &batch.reason);
        assert_eq!(ended, BatchStatus::Succeeded, "{why}");
        inside.end().await;
    });
}
