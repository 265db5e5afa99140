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
