//! An import that a person leads: a canary first, held and let go on, what it waits for.

use super::batches::listed;
use super::fleet::{ago, armed, batch, chinese, job, shows};
use super::picture::{Album, Screen};
use super::plans::{import, planned};
use cockpit_engine::board::{BatchSeen, Board};
use cockpit_engine::command::Answer;
use cockpit_engine::context::Progress;
use cockpit_engine::supervisor::{JobState, JobView, Snapshot};
use serde_json::{Value, json};

fn items(count: usize) -> Value {
    let item = |line: usize| {
        json!({
            "line": line, "key": format!("sk-..{line:04}"), "fingerprint": format!("{line:012x}"),
            "account_name": format!("vendor.{line:012x}"), "state": "new", "notes": [],
        })
    };
    (1..=count).map(item).collect()
}

fn confirm(size: (u16, u16), keys: usize) -> Screen {
    let answer: Answer = import(json!({"items": items(keys)}));
    let fleet = armed(listed(vec![batch(5, "succeeded", json!({}))]), "accept");
    planned(size, fleet, "R", answer).keys("a").read()
}

fn through() -> BatchSeen {
    let mut seen = batch(
        8,
        "interrupted",
        json!({
            "interrupted_by": "canary", "canary": 3, "provider_status_from_import": "active",
            "reason": "canary: 3 of 3 key(s) good, the completion was served by our account #41; 117 key(s) wait",
        }),
    );
    seen.tally.total = 120;
    seen.tally.passed = 3;
    seen.tally.warning = 0;
    seen.tally.failed = 0;
    seen
}

fn paused() -> BatchSeen {
    let reason = json!({"interrupted_by": "paused", "reason": "stopped by request"});
    batch(7, "interrupted", reason)
}

#[test]
fn a_canary_goes_first_when_a_person_says_so() {
    let waiting = || armed(listed(vec![through(), paused()]), "accept");
    let album = Album::default()
        .add("few keys: offered", &confirm((80, 24), 4))
        .add("many keys: suggested", &confirm((80, 24), 12))
        .add("wanted", &confirm((80, 24), 12).keys("c"))
        .add("wanted, smallest", &confirm((60, 16), 12).keys("c"))
        .add("it is through", &Screen::new((80, 24), waiting()).keys("3"))
        .add(
            "it is through, larger",
            &Screen::new((120, 40), waiting()).keys("3\r"),
        )
        .add(
            "it is through, 中文",
            &Screen::with((80, 24), waiting(), chinese).keys("3"),
        )
        .add(
            "going on",
            &Screen::new((80, 24), waiting()).keys("3c").read(),
        );
    insta::assert_snapshot!("canary", album.text());
}

#[test]
fn failed_keys_are_asked_for_again_and_a_key_tells_its_way() {
    let partly = || {
        let reason = json!({"reason": "1 of 3 key(s) failed"});
        listed(vec![batch(6, "partially_succeeded", reason)])
    };
    let plan = import(json!({
        "items": items(2),
        "request": {"host": "accept", "role": "acceptance", "pack": super::plans::provider(),
                    "mode": "partial", "access": "subscription", "user_key": null, "retry_of": 6},
    }));
    let again = Screen::new((80, 24), partly()).keys("3t");
    let album = Album::default()
        .add("a part failed", &Screen::new((80, 24), partly()).keys("3"))
        .add("asked for again", &again)
        .add(
            "asked for again, 中文",
            &Screen::with((80, 24), partly(), chinese).keys("3t"),
        )
        .add("the plan", &planned((80, 24), partly(), "R", plan))
        .add("a key that was tried before", &tried_before());
    insta::assert_snapshot!("retry", album.text());
}

/// A key in its second batch.
fn tried_before() -> Screen {
    let mut item = super::batches::item(2, "done", &json!("passed"), "answers `pong`");
    item.attempts = 2;
    item.earlier = vec![super::fleet::read(json!({
        "batch": 5, "item": 9, "account_status": "failed", "summary": "401 invalid_api_key",
    }))];
    let mut seen = batch(6, "succeeded", super::batches::proven());
    seen.tally.failed = 0;
    let mut detail = super::batches::detail(&seen);
    if let Answer::Detail(detail) = &mut detail {
        let about = |kind: &str, text: &str| {
            super::fleet::read(json!({"at_ms": ago(13), "item": 2, "kind": kind, "text": text}))
        };
        detail.events = vec![
            about("account_there", "sk-..0002 is account #42"),
            about("key_again", "sk-..0002 taken up again, attempt 2"),
            about("key_judged", "sk-..0002 passed: answers `pong`"),
        ];
        detail.items = vec![item];
    }
    Screen::new((80, 24), listed(vec![seen]))
        .keys("3\r")
        .answer(Ok(detail))
        .keys("\r")
}

fn at_work(state: JobState, progress: Progress) -> Snapshot {
    let mut running: JobView = job(7, "import apply", "plan/4", state);
    running.writes = true;
    running.counting_since_ms = Some(ago(2));
    running.held_since_ms = (state == JobState::Paused).then(|| ago(1));
    running.progress = Some(progress);
    let mut snapshot = shows(Board::default());
    snapshot.jobs = vec![running];
    snapshot
}

fn counting() -> Progress {
    Progress {
        text: "key sk-..0412 passed".to_owned(),
        done: 412,
        total: 1000,
        steps: 1650,
        until_ms: None,
    }
}

#[test]
fn a_running_import_says_how_fast_it_is_and_what_it_waits_for() {
    let jobs = (crate::place::Place::Jobs.pane().unwrap() + 1).to_string();
    let warming = Progress {
        text: "warming: no verdict yet, 503 Service temporarily unavailable".to_owned(),
        until_ms: Some(ago(0) + 31_000),
        ..Progress::default()
    };
    let screen = |size, state, progress| Screen::new(size, at_work(state, progress)).keys(&jobs);
    let running = screen((80, 24), JobState::Running, counting());
    let album = Album::default()
        .add("counting", &running)
        .add(
            "counting, larger",
            &screen((120, 40), JobState::Running, counting()),
        )
        .add("held", &screen((120, 40), JobState::Paused, counting()))
        .add("held by its key", &running.keys(" "))
        .add(
            "held, one",
            &screen((80, 24), JobState::Paused, counting()).keys("\r"),
        )
        .add(
            "held, 中文",
            &Screen::with((120, 40), at_work(JobState::Paused, counting()), chinese).keys(&jobs),
        )
        .add(
            "warming",
            &screen((120, 40), JobState::Running, warming.clone()),
        )
        .add(
            "warming, smallest",
            &screen((60, 16), JobState::Running, warming),
        );
    insta::assert_snapshot!("leading", album.text());
}
