//! Every state is told from every other by characters alone: the rows are compared as text, so
//! that no colour helps.

use super::batches::{detail, item, listed};
use super::fleet::{armed, batch, check, host, hosts, job, judged, known, mono, shows, trouble};
use super::others::probe;
use super::picture::Screen;
use cockpit_domain::baseline::Verdict;
use cockpit_domain::batch::{AccountStatus, BatchStatus, ItemStage};
use cockpit_engine::batches::BatchDetail;
use cockpit_engine::board::Board;
use cockpit_engine::command::Answer;
use cockpit_engine::failure::FailureKind;
use cockpit_engine::supervisor::{JobState, Snapshot};
use serde_json::json;
use std::collections::BTreeMap;

fn mono_screen(snapshot: Snapshot) -> Screen {
    Screen::with((80, 24), snapshot, mono)
}

/// Fails with the two names when two of the texts are equal.
fn all_differ(texts: Vec<(String, String)>) {
    assert!(texts.len() > 1, "nothing to compare");
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (name, text) in texts {
        if let Some(other) = seen.insert(text.clone(), name.clone()) {
            panic!("{name} looks like {other}: {text}");
        }
    }
}

/// What stands in front of a check's name: mark and word, or the mark alone where room is short.
fn in_front(size: (u16, u16), verdict: Verdict, minutes: i64) -> String {
    let rows = [check(
        "host.a-check-with-a-long-name",
        verdict.as_str(),
        "61 %",
    )];
    let screen = Screen::with(size, shows(judged(&rows)), mono).later(minutes);
    let row = screen.row_with("> ");
    row.split("host.").next().unwrap().trim().to_owned()
}

#[test]
fn verdicts_differ_without_colour() {
    for size in [(80, 24), (40, 12)] {
        let mut texts: Vec<_> = Verdict::ALL
            .iter()
            .map(|verdict| (verdict.as_str().to_owned(), in_front(size, *verdict, 0)))
            .collect();
        let with_words = texts[0].1.len() > 3;
        assert_eq!(with_words, size.0 == 80, "{texts:?}");
        // Both say that nothing is known of now: the same mark, another word.
        if with_words {
            texts.push(("stale".to_owned(), in_front(size, Verdict::Ok, 20)));
        }
        all_differ(texts);
    }
}

#[test]
fn batches_and_keys_differ_without_colour() {
    let list = |status: BatchStatus| {
        let all = listed(vec![batch(6, status.as_str(), json!({}))]);
        (
            status.to_string(),
            mono_screen(all).keys("3").row_with("batch/6"),
        )
    };
    all_differ(
        BatchStatus::ALL
            .iter()
            .map(|status| list(*status))
            .collect(),
    );

    let seen = batch(6, "running", json!({}));
    let key = |stage: ItemStage, status: Option<AccountStatus>| {
        let Answer::Detail(known) = detail(&seen) else {
            panic!("a batch page");
        };
        let name = format!("{stage} {status:?}");
        let one = item(1, stage.as_str(), &json!(status), "");
        let page = BatchDetail {
            items: vec![one],
            ..*known
        };
        let screen = mono_screen(listed(vec![seen.clone()])).keys("3\r");
        (
            name,
            screen
                .answer(Ok(Answer::Detail(Box::new(page))))
                .row_with("sk-..0001"),
        )
    };
    let mut keys: Vec<_> = ItemStage::ALL
        .iter()
        .map(|stage| key(*stage, None))
        .collect();
    for status in AccountStatus::ALL {
        keys.push(key(ItemStage::Done, Some(*status)));
    }
    all_differ(keys);
}

#[test]
fn jobs_hosts_and_probes_differ_without_colour() {
    let pane = (crate::place::Place::Jobs.pane().unwrap() + 1).to_string();
    let states = [
        JobState::Running,
        JobState::Paused,
        JobState::Stopping,
        JobState::Done,
        JobState::Failed,
    ];
    let jobs = states.map(|state| {
        let mut snapshot = shows(Board::default());
        snapshot.jobs.push(job(1, "doctor", "everything", state));
        let row = mono_screen(snapshot).keys(&pane).row_with("everything  ");
        (format!("{state:?}"), row)
    });
    all_differ(jobs.into());

    let seen = |kind: Option<FailureKind>| {
        let mut board = Board::default();
        hosts(&mut board);
        if let Some(kind) = kind {
            let seen = board.hosts.get_mut(&host("prod")).unwrap();
            // The same words: the mark alone has to tell.
            seen.trouble = Some(known(1, trouble(kind, "answers", "")));
        }
        mono_screen(shows(board)).keys("2").row_with("prod ")
    };
    all_differ(vec![
        ("well".to_owned(), seen(None)),
        (
            "unreachable".to_owned(),
            seen(Some(FailureKind::Unreachable)),
        ),
        ("refused".to_owned(), seen(Some(FailureKind::Denied))),
    ]);

    let classes = [
        "ok",
        "unreachable",
        "auth",
        "quota",
        "rate_limited",
        "no_account",
        "model_missing",
        "unexpected",
        "skipped",
    ];
    let probes = classes.map(|class| {
        let mut board = Board::default();
        let rows = vec![
            probe("host", "chat", "ok", ""),
            probe("host", "models", class, "said"),
        ];
        board.probes.insert("prod".to_owned(), known(1, rows));
        (
            class.to_owned(),
            mono_screen(shows(board)).keys("4").row_with("models"),
        )
    });
    all_differ(probes.into());
}

#[test]
fn armed_frozen_and_the_open_tab_differ_without_colour() {
    let quiet = || shows(judged(&[check("host.disk", "ok", "61 %")]));
    // Also where there is hardly room: what may be written to is never cut.
    for size in [(40, 12), (60, 16), (80, 24), (160, 45)] {
        let line = |snapshot| Screen::with(size, snapshot, mono).rows()[1].clone();
        let (safe, open) = (line(quiet()), line(armed(quiet(), "prod")));
        assert!(
            safe.contains("read-only") && !safe.contains("ARMED"),
            "{size:?} {safe}"
        );
        assert!(
            open.contains("ARMED prod") && !open.contains("read-only"),
            "{size:?} {open}"
        );
    }
    let line = |keys: &str| mono_screen(quiet()).keys(keys).rows()[1].clone();
    all_differ(
        ["", "f", "2", "3", "4"]
            .map(|keys| (keys.to_owned(), line(keys)))
            .into(),
    );
}
