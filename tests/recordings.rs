//! The lab against recordings of a real host: the same requests, the same answers. With
//! `cargo xtask record` the same scenarios are played against a running host, and kept.
//!
//! The files, and how to take them again: `tests/data/recordings/README.md`.

mod compare;
mod lab;
mod play;
mod redact;
mod scenario;

use play::Stage;
use scenario::{Scenario, folder};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Runs a test's future as `main` does.
fn on_threads<T>(work: impl Future<Output = T>) -> T {
    // Fails when another test of this process was first; then it is there.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    let threads = threads.worker_threads(2).enable_all().build();
    threads.expect("a runtime").block_on(work)
}

fn file(name: &str) -> PathBuf {
    folder().join(format!("{name}.recorded.json"))
}

/// Records where a host is named, compares with the lab everywhere else.
fn hold(name: &str) {
    let scenario = Scenario::read(name);
    match live() {
        Some(stage) if wanted(name) => record(&scenario, &stage),
        Some(_) => {}
        None => replay(&scenario),
    }
}

/// Whether a scenario is among those to record; no list means all.
fn wanted(name: &str) -> bool {
    let list = std::env::var("COCKPIT_RECORD_ONLY").unwrap_or_default();
    list.is_empty() || list.split(',').any(|one| one == name)
}

fn live() -> Option<Stage> {
    let word = |name: &str| std::env::var(format!("COCKPIT_RECORD_{name}")).ok();
    let key = std::fs::read_to_string(word("ADMIN_KEY_FILE")?).expect("the admin key's file");
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("a clock")
        .as_millis();
    Some(Stage {
        base: word("BASE")?.trim_end_matches('/').to_owned(),
        admin_key: key.trim().to_owned(),
        good: word("UPSTREAM")?,
        chat: word("CHAT_UPSTREAM")?,
        run: format!("rec{now:x}"),
        lab: None,
    })
}

fn record(scenario: &Scenario, stage: &Stage) {
    let answers = on_threads(stage.play(scenario));
    let kept = json!({ "scenario": scenario.name, "answers": answers });
    let text = serde_json::to_string_pretty(&kept).expect("JSON") + "\n";
    let leaks = redact::leaks(&text);
    assert!(
        leaks.is_empty(),
        "{}: not written, it holds {leaks:?}",
        scenario.name
    );
    std::fs::write(file(&scenario.name), text).expect("the recording is written");
}

fn replay(scenario: &Scenario) {
    let name = &scenario.name;
    let text =
        std::fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let kept: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let answers = on_threads(async {
        let stage = lab::stage().await;
        stage.play(scenario).await
    });
    let recorded = kept["answers"].as_array().expect("answers");
    let mut found = Vec::new();
    if recorded.len() != answers.len() {
        found.push("the scenario has other steps than its recording: record it again".to_owned());
    }
    for (recorded, lab) in recorded.iter().zip(&answers) {
        let mut here = Vec::new();
        compare::differences("", recorded, lab, &mut here);
        if !here.is_empty() {
            let (step, ask) = (&lab["step"], &lab["ask"]);
            found.push(format!("step {step}, {ask}\n    {}", here.join("\n    ")));
        }
    }
    assert!(
        found.is_empty(),
        "the lab is not as recorded: {name}\n  {}",
        found.join("\n  ")
    );
}

#[test]
fn the_envelope_and_the_admin_layer_answer_as_recorded() {
    hold("envelope");
}

#[test]
fn the_public_settings_answer_as_recorded() {
    hold("public_settings");
}

#[test]
fn groups_answer_as_recorded() {
    hold("groups");
}

#[test]
fn a_group_that_is_gone_leaves_what_was_recorded() {
    hold("group_gone");
}

#[test]
fn pages_are_cut_as_recorded() {
    hold("paging");
}

#[test]
fn channels_answer_as_recorded() {
    hold("channels");
}

#[test]
fn a_channel_restricts_models_as_recorded() {
    hold("channel_restriction");
}

#[test]
fn plans_answer_as_recorded() {
    hold("plans");
}

#[test]
fn accounts_answer_as_recorded() {
    hold("accounts");
}

#[test]
fn an_account_without_groups_is_bound_as_recorded() {
    hold("account_default_group");
}

#[test]
fn the_background_look_marks_accounts_as_recorded() {
    hold("account_probe");
}

#[test]
fn the_account_test_streams_as_recorded() {
    hold("account_test");
}

#[test]
fn users_answer_as_recorded() {
    hold("users");
}

#[test]
fn logins_answer_as_recorded() {
    hold("login");
}

#[test]
fn logins_are_limited_as_recorded() {
    hold("login_limit");
}

#[test]
fn keys_answer_as_recorded() {
    hold("keys");
}

#[test]
fn subscriptions_answer_as_recorded() {
    hold("subscriptions");
}

#[test]
fn idempotency_keys_work_as_recorded() {
    hold("idempotency");
}

#[test]
fn the_gateway_refuses_keys_as_recorded() {
    hold("gateway_access");
}

#[test]
fn a_key_tried_too_early_is_known_as_recorded() {
    hold("gateway_negative_key");
}

#[test]
fn the_gateway_serves_as_recorded() {
    hold("gateway_chat");
}

#[test]
fn a_chat_only_upstream_serves_as_recorded() {
    hold("gateway_chat_only");
}

#[test]
fn upstream_failures_become_what_was_recorded() {
    hold("gateway_failures");
}

#[test]
fn an_anthropic_group_answers_as_recorded() {
    hold("gateway_anthropic");
}

#[test]
fn figures_and_hidden_errors_are_as_recorded() {
    hold("operations");
}

#[test]
fn the_main_job_runs_as_recorded() {
    hold("main_job");
}

#[test]
fn every_scenario_has_a_recording_and_a_test() {
    let tests = include_str!("recordings.rs");
    for name in scenario::names() {
        let held = format!("hold(\"{name}\")");
        assert!(tests.contains(&held), "no test says `{held}`");
        assert!(
            file(&name).is_file() || live().is_some(),
            "{name} was never recorded"
        );
        let scenario = Scenario::read(&name);
        assert!(!scenario.steps.is_empty(), "{name} has no steps");
        assert!(
            scenario.traps.iter().all(|trap| (1..=37).contains(trap)),
            "{name}"
        );
    }
}

#[test]
fn recordings_hold_no_secret() {
    for name in scenario::names() {
        let text = std::fs::read_to_string(file(&name)).unwrap_or_default();
        assert!(
            redact::leaks(&text).is_empty(),
            "{name}: {:?}",
            redact::leaks(&text)
        );
    }
}
