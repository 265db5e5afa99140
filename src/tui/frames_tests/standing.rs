//! How checks stand over time: the newest looks, turns, waivers, maintenance, and a history.

use super::fleet::{ago, check, chinese, judged, mono, read, shows};
use super::picture::{Album, Screen};
use crate::msg::{Msg, NewDraft};
use cockpit_domain::baseline::{CheckResult, Verdict, Waiver};
use cockpit_domain::siblings::Comparison;
use cockpit_engine::baseline::{Histories, Waivers};
use cockpit_engine::command::Answer;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::supervisor::Snapshot;
use serde_json::{Value, json};

fn waiver(subject: &str, minutes_left: i64) -> Waiver {
    read(json!({
        "subject": subject, "reason": "the vendor mends it this week", "owner": "ann",
        "since_ms": ago(600), "until_ms": ago(-minutes_left),
    }))
}

/// What a glyph of a history stands for.
fn verdicts(marks: &str) -> Vec<Value> {
    marks
        .chars()
        .map(|mark| match mark {
            'x' => json!("fail"),
            '/' => json!("unreachable"),
            '~' => json!("warn"),
            _ => json!("ok"),
        })
        .collect()
}

fn seen(id: &str, verdict: &str, found: &str, marks: &str, flaps: usize) -> CheckResult {
    let mut row = json!(check(id, verdict, found));
    row["history"] = json!({"recent": verdicts(marks), "flaps": flaps});
    row["machine"] = json!("edge-1");
    read(row)
}

fn rows() -> Vec<CheckResult> {
    vec![
        seen("entry.no-key", "ok", "401", "++++++++++++++++", 0),
        seen(
            "entry.certificate",
            "warn",
            "ends in 9 days",
            "++++++++~~~~~~~~",
            1,
        ),
        seen(
            "host.containers",
            "fail",
            "sub2api-canary runs",
            "+x+x+x+x+x+x+x+x",
            15,
        ),
        seen(
            "host.leftover",
            "fail",
            "an old test stack",
            "xxxxxxxxxxxxxxxx",
            0,
        ),
        seen("hygiene.example", "fail", "port 18169", "xx", 0),
        seen(
            "upstream.smoke",
            "unreachable",
            "no answer in 5 s",
            "+++//",
            1,
        ),
    ]
}

fn fleet(waivers: Vec<Waiver>) -> Snapshot {
    let mut board = judged(&rows());
    for known in board.baselines.values_mut() {
        known.value.attach(&waivers);
    }
    board.waivers = waivers;
    shows(board)
}

fn waived() -> Snapshot {
    fleet(vec![
        waiver("check/stable/host.leftover", 60 * 40),
        waiver("check/stable/hygiene.example", -90),
    ])
}

fn maintained() -> Snapshot {
    fleet(vec![waiver("machine/edge-1", 50)])
}

fn told() -> Answer {
    let stretch = |verdict: &str, found: &str, from: i64, to: i64, looks: u64| json!({"verdict": verdict, "found": found, "from_ms": ago(from), "to_ms": ago(to), "looks": looks});
    let histories: Histories = Histories {
        pack: read(json!("stable")),
        since_ms: ago(60 * 24 * 7),
        checks: vec![read(json!({
            "pack": "stable", "check": "host.containers", "verdict": "fail",
            "since_ms": ago(47), "at_ms": ago(3), "turned_ms": ago(47), "flaps": 3,
            "recent": verdicts("+++xx+xx"),
            "stretches": [
                stretch("fail", "sub2api-canary runs", 47, 3, 9),
                stretch("ok", "1 container", 70, 50, 4),
                stretch("fail", "sub2api does not run\nnor does its database", 95, 75, 4),
                stretch("ok", "1 container", 60 * 24 * 9, 100, 2_411),
            ],
        }))],
    };
    Answer::History(Box::new(histories))
}

#[test]
fn checks_are_shown_with_their_newest_looks_and_what_is_put_aside() {
    let album = Album::default()
        .add(
            "waived, and a waiver that ran out",
            &Screen::new((80, 24), waived()),
        )
        .add("the same, larger", &Screen::new((160, 45), waived()))
        .add("中文", &Screen::with((160, 45), waived(), chinese))
        .add("under maintenance", &Screen::new((120, 30), maintained()))
        .add("no colour, ASCII", &Screen::with((120, 30), waived(), mono))
        .add(
            "the window is over an hour later",
            &Screen::new((120, 30), maintained()).later(14).later(50),
        );
    insta::assert_snapshot!("standing", album.text());
}

#[test]
fn a_check_says_who_put_it_aside_and_its_history_is_a_key_away() {
    let album = Album::default()
        .add(
            "a waived check",
            &Screen::new((80, 24), waived()).keys("jjjj\r"),
        )
        .add(
            "its waiver ran out",
            &Screen::new((80, 24), waived()).keys("j\r"),
        )
        .add(
            "history, before it is read",
            &Screen::new((80, 24), waived()).keys("\rH"),
        )
        .add(
            "history",
            &Screen::new((80, 24), waived())
                .keys("\rH")
                .answer(Ok(told())),
        )
        .add(
            "history, larger",
            &Screen::new((160, 45), waived())
                .keys("H")
                .answer(Ok(told())),
        )
        .add(
            "history, 中文",
            &Screen::with((80, 24), waived(), chinese)
                .keys("H")
                .answer(Ok(told())),
        );
    insta::assert_snapshot!("check_standing", album.text());
}

#[test]
fn putting_aside_wants_a_time_and_a_reason() {
    let made = Answer::Waivers(Box::new(Waivers {
        made: Some(waiver("check/stable/host.containers", 60 * 24)),
        cleared: None,
        waivers: Vec::new(),
        at_ms: ago(0),
    }));
    let asked = || Screen::new((80, 24), fleet(Vec::new())).keys("w").read();
    let album = Album::default()
        .add("asked", &asked())
        .add("without a reason", &asked().keys("\r\ry"))
        .add(
            "with a time that makes no sense",
            &asked().keys("known\rsoon\ry"),
        )
        .add("done", &asked().keys("known\r\ry").answer(Ok(made)))
        .add(
            "a host is maintained",
            &Screen::with((80, 24), fleet(Vec::new()), chinese).keys(":maintenance prod\r"),
        );
    let window = Answer::Waivers(Box::new(Waivers {
        made: Some(waiver("machine/edge-1", 60 * 24)),
        cleared: None,
        waivers: Vec::new(),
        at_ms: ago(0),
    }));
    let machine = || Screen::new((80, 24), fleet(Vec::new())).keys("m").read();
    let album = album
        .add("the machine of a check is maintained", &machine())
        .add(
            "and it is done",
            &machine().keys("a new disk\r\ry").answer(Ok(window)),
        );
    insta::assert_snapshot!("waive", album.text());
}

#[test]
fn every_mark_of_a_history_is_that_of_its_verdict() {
    for verdict in Verdict::ALL {
        let row = seen("host.x", verdict.as_str(), "f", "+", 0);
        let text = Album::default()
            .add("", &Screen::new((120, 20), shows(judged(&[row]))))
            .text();
        assert!(text.contains("host.x"), "{text}");
    }
}

#[test]
fn siblings_stand_beside_each_other_with_what_differs_first() {
    let beside = |kind: &str, name: &str, a: Option<&str>, b: Option<&str>| json!({"kind": kind, "name": name, "a": a, "b": b, "same": a == b});
    let told: Comparison = read(json!({
        "a": "prod", "b": "accept", "differences": 3,
        "rows": [
            beside("version", "sub2api", Some("1.4.2"), Some("1.5.0")),
            beside("port", "18190", Some("control-plane"), None),
            beside("location", "relay.example /kimi-v1/", None, Some("proxy_pass http://127.0.0.1:8080/v1")),
            beside("container", "sub2api", Some("up"), Some("up")),
        ],
        "unseen": [["accept", "service", "`systemctl` is not there on `edge-2`"]],
    }));
    let answer = || Ok(Answer::Diff(Box::new(told.clone())));
    let asked = |size| Screen::new(size, fleet(Vec::new())).keys(":siblings prod accept\r");
    let album = Album::default()
        .add("looking", &asked((80, 24)))
        .add("compared", &asked((80, 24)).answer(answer()))
        .add("larger", &asked((160, 45)).answer(answer()))
        .add(
            "中文",
            &Screen::with((120, 30), fleet(Vec::new()), chinese)
                .keys(":siblings prod accept\r")
                .answer(answer()),
        );
    let draft = NewDraft {
        path: "/home/ann/prod-baseline.toml".to_owned(),
        text: String::new(),
        checks: 12,
        left_out: 2,
    };
    let there = Failure::new(
        FailureKind::Usage,
        "`prod-baseline.toml`: File exists (os error 17)",
    )
    .doing("writing the draft")
    .hint("nothing was written over; `:draft NAME FILE` names another file");
    let beside = || asked((100, 24)).answer(answer()).keys("d");
    let drafted = || beside().tell(Msg::DraftWritten(Ok(draft.clone())));
    let album = album
        .add("being drafted", &beside())
        .add("drafted", &drafted())
        .add(
            "the file is there already",
            &beside().tell(Msg::DraftWritten(Err(there))),
        );
    insta::assert_snapshot!("siblings", album.text());
}
