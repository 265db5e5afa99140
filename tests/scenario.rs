//! Stories as files (`tests/scenarios/`): what the host holds and what others answer over time, the
//! commands, what they have to say, and what the host's own lists count at the end. One runner for
//! all of them; `SCENARIO=name cargo test scenario` tells one.

mod format;
mod look;
mod rules;
mod stage;

use crate::support::has_ssh;
use crate::support::inside::{Census, on_threads, until};
use cockpit_lab::sub2api::state::DropRule;
use format::{End, Step, Story};
use serde_json::Value;
use stage::{Stage, named};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// So much of an answer stands in a failure.
const MOST_SAID: usize = 600;
/// Stories told at once: they wait more than they work.
const AT_ONCE: usize = 16;

#[test]
fn every_scenario_comes_out_as_its_file_says() {
    if !has_ssh() {
        return;
    }
    let only = std::env::var("SCENARIO").ok();
    let stories: Vec<Story> = format::all()
        .into_iter()
        .filter(|story| only.as_ref().is_none_or(|name| story.name == *name))
        .collect();
    assert!(!stories.is_empty(), "there is no such scenario");
    let count = stories.len();
    let failed = on_threads(async {
        let gate = Arc::new(Semaphore::new(AT_ONCE));
        let mut told = JoinSet::new();
        for story in stories {
            let gate = Arc::clone(&gate);
            told.spawn(async move {
                let _turn = gate.acquire_owned().await.expect("open");
                let name = format!("{} ({})", story.name, story.about);
                (name, tokio::spawn(tell(story)).await)
            });
        }
        let mut failed = Vec::new();
        while let Some(one) = told.join_next().await {
            let (name, end) = one.expect("a story reports");
            if let Err(error) = end {
                let why = error.into_panic();
                let why = why
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                failed.push(format!("{name}: {}", why.unwrap_or_default()));
            }
        }
        failed.sort();
        failed
    });
    assert!(
        failed.is_empty(),
        "{} of {count} failed:\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

async fn tell(story: Story) {
    let mut stage = Stage::set(&story).await;
    for (number, step) in story.step.iter().enumerate() {
        let at = format!("step {}", number + 1);
        happen(&mut stage, step, &at).await;
    }
    ended(&stage, &story.end);
    stage.inside.end().await;
}

async fn happen(stage: &mut Stage, step: &Step, at: &str) {
    let host = stage.inside.lab.host(stage.host).clone();
    if let Some(words) = &step.run {
        command(stage, step, words, at).await;
    } else if let Some(fault) = &step.r#break {
        stage.inside.lab.set_fault(fault).expect(at);
    } else if let Some(fault) = &step.mend {
        stage.inside.lab.clear_fault(fault).expect(at);
    } else if let Some(ask) = &step.lose {
        let ask = stage.expand(ask);
        let (method, path) = ask.split_once(' ').expect("METHOD path");
        let rule = DropRule {
            method: method.to_owned(),
            path_prefix: path.to_owned(),
            when: stage::when(
                step.when.as_deref().expect("`lose` wants `when`"),
                step.late_ms,
            ),
        };
        host.with(|state| state.drop_next = Some(rule));
    } else if let Some(ask) = &step.by_hand {
        let body = step
            .body
            .as_ref()
            .map(|body| look::wanted(body, &|text| stage.expand(text)));
        let body = body.map(numbers);
        stage.by_hand(&stage.expand(ask), body).await;
    } else if let Some(seconds) = step.passes_s {
        host.with(|state| state.advance(Duration::from_secs(seconds)));
    } else if let Some(notes) = &step.runs_out {
        host.with(|state| {
            let ago = state.now() - jiff::SignedDuration::from_mins(1);
            let mut rows = state.subscriptions.values_mut();
            let row = rows.find(|row| row.deleted_at.is_none() && row.notes == *notes);
            row.unwrap_or_else(|| panic!("{at}: no subscription {notes}"))
                .expires_at = ago;
        });
    } else if let Some(row) = &step.appears {
        let (row, count) = counted(row);
        until(
            &format!("{at}: {row:?} x{count}"),
            Duration::from_secs(20),
            || stage.inside.census().0.get(&row).copied().unwrap_or(0) == count,
        )
        .await;
    } else if step.restart == Some(true) {
        stage.restart().await;
    } else {
        panic!("{at}: nothing happens ({})", step.note);
    }
}

async fn command(stage: &mut Stage, step: &Step, words: &str, at: &str) {
    let words = stage.expand(words);
    let lines: Vec<String> = step.keys.iter().map(|alias| stage::key(alias)).collect();
    let listed = (!lines.is_empty()).then(|| lines.join("\n"));
    let text = step
        .key_text
        .as_ref()
        .map(|text| stage::replace(text, |alias| Some(stage::key(alias))));
    let (code, spoken) = stage.run(&words, text.or(listed).as_deref()).await;
    let said = format!("{}{}", spoken.out, spoken.err);
    let told = serde_json::from_str(&spoken.out)
        .or_else(|_| serde_json::from_str(&spoken.err))
        .unwrap_or(Value::Null);
    let head: String = match std::env::var_os("SCENARIO") {
        Some(_) => said.clone(),
        None => said.chars().take(MOST_SAID).collect(),
    };
    assert_eq!(code, step.exit, "{at}: `{words}` said: {head}");
    for (path, value) in &step.is {
        let path = stage.expand(path);
        let wanted = look::wanted(value, &|text| stage.expand(text));
        let found = look::at(&told, &path);
        assert!(
            found == wanted,
            "{at}: `{path}` of `{words}` is {found} instead of {wanted}, in {head}"
        );
    }
    for (path, text) in &step.has {
        let path = stage.expand(path);
        let found = look::plain(&look::at(&told, &path));
        let text = stage.expand(text);
        assert!(
            found.contains(&text),
            "{at}: `{path}` of `{words}` is {found}, without {text:?}, in {head}"
        );
    }
    for text in &step.lacks {
        assert!(
            !said.contains(text.as_str()),
            "{at}: {text:?} stands in {head}"
        );
    }
    for (name, path) in [("plan", "plan.id"), ("hash", "plan.hash"), ("batch", "id")] {
        let found = look::at(&told, path);
        if !found.is_null() && (name != "batch" || !look::at(&told, "status").is_null()) {
            stage.known.insert(name.to_owned(), look::plain(&found));
        }
    }
}

/// Texts that are whole numbers become numbers: ids put in by name.
fn numbers(value: Value) -> Value {
    match value {
        Value::String(text) => text
            .strip_prefix('#')
            .and_then(|digits| digits.parse::<i64>().ok())
            .map_or(Value::String(text), Value::from),
        Value::Array(rows) => rows.into_iter().map(numbers).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, numbers(value)))
            .collect(),
        other => other,
    }
}

/// `account good-1 x2` as a row of the census and a count.
fn counted(text: &str) -> ((&'static str, String), usize) {
    let (text, count) = text
        .rsplit_once(" x")
        .and_then(|(text, count)| Some((text, count.parse().ok()?)))
        .unwrap_or((text, 1));
    let (kind, name) = text.split_once(' ').expect("KIND NAME");
    let kinds = [
        "group",
        "channel",
        "plan",
        "account",
        "user",
        "subscription",
        "key",
    ];
    let kind = kinds
        .into_iter()
        .find(|known| *known == kind)
        .unwrap_or_else(|| panic!("`{kind}` is no kind of row"));
    let name = stage::replace(name, |alias| Some(stage::fingerprint(alias)));
    ((kind, named(&name)), count)
}

fn ended(stage: &Stage, end: &End) {
    let mut expected: BTreeMap<(&'static str, String), usize> = stage.begun.0.0.clone();
    for row in &end.new {
        let (row, count) = counted(row);
        *expected.entry(row).or_insert(0) += count;
    }
    for row in &end.gone {
        let (row, count) = counted(row);
        let there = expected.entry(row).or_insert(0);
        *there = there.saturating_sub(count);
    }
    let wrong = stage.inside.census().differences(&Census(expected));
    assert!(wrong.is_empty(), "at the end: {wrong:#?}");
    if let Some(parked) = end.parked {
        assert_eq!(stage.inside.parked(), parked, "accounts switched off");
    }
    if let Some(wanted) = end.in_error {
        let found = stage.inside.lab.host(stage.host).with(|state| {
            let living = state
                .accounts
                .values()
                .filter(|row| row.deleted_at.is_none());
            living.filter(|row| row.status == "error").count()
        });
        assert_eq!(found, wanted, "accounts in error");
    }
    for (ask, count) in &end.requests {
        assert_eq!(stage.asked(ask), *count, "requests {ask}");
    }
    if end.as_before {
        assert_eq!(stage.rows(), stage.begun.1);
    }
}

#[test]
fn an_unknown_word_in_a_scenario_is_refused_with_file_line_and_column() {
    let text = "about = \"a story\"\n[[step]]\nrun = \"batch list\"\nexits = 3\n";
    let fault = format::read("story.toml", text).expect_err("refused");
    assert!(
        fault.starts_with("story.toml:4:1: unknown field `exits`"),
        "{fault}"
    );
    let text = "about = \"a story\"\n[host]\nnane = \"accept\"\n[[step]]\nrun = \"batch list\"\n";
    let fault = format::read("story.toml", text).expect_err("refused");
    assert!(
        fault.starts_with("story.toml:3:1: unknown field `nane`"),
        "{fault}"
    );
}
