//! The production baseline and a check.

use super::fleet::{check, checks, chinese, hosts, job, judged, known, mono, read, shows, trouble};
use super::picture::{Album, Screen};
use cockpit_domain::ids::PackId;
use cockpit_engine::board::Board;
use cockpit_engine::context::Progress;
use cockpit_engine::failure::FailureKind;
use cockpit_engine::supervisor::{JobState, Snapshot};
use serde_json::json;

fn usual() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    shows(board)
}

fn well() -> Snapshot {
    shows(judged(&[
        check("entry.no-key", "ok", "401"),
        check("upstream.smoke", "ok", "pong"),
    ]))
}

fn long() -> Snapshot {
    let text = "account `a-very-long-name-of-an-account-that-somebody-made-by-hand` is not bound to \
                group `monthly-subscribers-of-the-second-region`\nand the second line says more";
    let mut rows = vec![
        check(
            "binding.a-check-with-a-name-that-is-much-too-long",
            "fail",
            text,
        ),
        check(
            "entry.生产稳定基线检查项名称很长",
            "warn",
            "证书将在九天后到期,请尽快续期并重新加载入口服务的配置",
        ),
    ];
    for number in 0..40 {
        rows.push(check(&format!("host.disk-{number}"), "ok", "61 %"));
    }
    shows(judged(&rows))
}

/// Something has just turned bad, beside what could not be looked at.
fn pending() -> Snapshot {
    let mut row = check(
        "host.listening",
        "unknown",
        "bad for 20 s of 60 s: nothing listens on 18190",
    );
    row.pending = true;
    let blind = check("host.disk", "unknown", "`df` is not there on `edge-1`");
    shows(judged(&[
        row,
        blind,
        check("entry.no-key", "ok", "401"),
        check("upstream.smoke", "ok", "pong"),
    ]))
}

fn looking() -> Snapshot {
    let mut snapshot = shows(Board::default());
    let mut job = job(1, "baseline run", "stable", JobState::Running);
    job.progress = Some(Progress {
        text: "host.containers".to_owned(),
        done: 3,
        total: 9,
        ..Progress::default()
    });
    snapshot.jobs.push(job);
    snapshot
}

fn failed() -> Snapshot {
    let mut board = Board::default();
    let pack = PackId::new("stable").unwrap();
    let what = trouble(
        FailureKind::Unreachable,
        "machine `edge-1` does not answer: connection timed out",
        "`ssh edge-1 true` shows what ssh says",
    );
    board.baseline_troubles.insert(pack, known(2, what));
    shows(board)
}

#[test]
fn the_baseline_in_every_state() {
    let album = Album::default()
        .add(
            "nothing known yet",
            &Screen::new((60, 16), shows(Board::default())),
        )
        .add(
            "looking for the first time",
            &Screen::new((80, 24), looking()),
        )
        .add("all well", &Screen::new((60, 16), well()))
        .add("a row of every verdict", &Screen::new((80, 24), usual()))
        .add("the same, smallest", &Screen::new((60, 16), usual()))
        .add("the same, larger", &Screen::new((120, 40), usual()))
        .add(
            "the same, details beside it",
            &Screen::new((160, 45), usual()),
        )
        .add("中文", &Screen::with((80, 24), usual(), chinese))
        .add("no colour, ASCII", &Screen::with((80, 24), usual(), mono))
        .add("long names, many rows", &Screen::new((80, 24), long()))
        .add("could not look", &Screen::new((80, 24), failed()))
        .add("stale", &Screen::new((80, 24), usual()).later(20))
        .add(
            "only what is broken, filtered",
            &Screen::new((80, 24), usual()).keys("!/entry\r"),
        )
        .add(
            "frozen, in a few columns",
            &Screen::new((40, 12), usual()).keys("f"),
        )
        .add("one line", &Screen::new((60, 5), usual()));
    insta::assert_snapshot!("baseline", album.text());
}

#[test]
fn layers_are_folded_away_and_what_is_sought_is_shown_wherever_it_stands() {
    let screen = || Screen::new((80, 24), usual());
    let album = Album::default()
        .add("the first layer folded", &screen().keys(" "))
        .add("three of them", &screen().keys(" j j "))
        .add("brought back by Enter", &screen().keys(" \r"))
        .add("sought in what is folded", &screen().keys(" /entry\r"))
        .add("not while something is sought", &screen().keys("/entry\r "))
        .add("all but the last row away", &screen().keys("GkkG "))
        .add(
            "folded, 中文",
            &Screen::with((80, 24), usual(), chinese).keys(" "),
        )
        .add("pending", &Screen::new((80, 24), pending()))
        .add(
            "a pending check",
            &Screen::new((80, 24), pending()).keys("\r"),
        )
        .add(
            "pending, 中文",
            &Screen::with((120, 20), pending(), chinese),
        );
    insta::assert_snapshot!("layers", album.text());
}

#[test]
fn a_check_says_what_to_do_next() {
    let mut row = checks().remove(5);
    row.evidence = "account 7 `main`: groups 4\nstatus active, schedulable true".to_owned();
    let mut muted = json!(checks().remove(6));
    muted["found"] = json!("not looked at: a parent failed");
    let snapshot = || shows(judged(&[row.clone(), read(muted.clone())]));
    let album = Album::default()
        .add(
            "failed, with a repair",
            &Screen::new((80, 24), snapshot()).keys("\r"),
        )
        .add("smallest", &Screen::new((60, 16), snapshot()).keys("\r"))
        .add("not judged", &Screen::new((80, 24), snapshot()).keys("j\r"))
        .add(
            "中文",
            &Screen::with((80, 24), snapshot(), chinese).keys("\r"),
        )
        .add(
            "stale",
            &Screen::new((80, 24), snapshot()).keys("\r").later(20),
        );
    insta::assert_snapshot!("check", album.text());
}
