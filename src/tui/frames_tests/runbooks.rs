//! Runbooks: the list, one runbook, a run at each of its stops, one step, and the dialogs.

use super::fleet::{ago, armed, checks, chinese, hosts, job, judged, mono, now, read, shows};
use super::picture::{Album, Screen};
use cockpit_domain::ids::{PackId, RunId};
use cockpit_domain::runbook::Run;
use cockpit_domain::runbook::RunState;
use cockpit_engine::command::Answer;
use cockpit_engine::context::Progress;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::runbook::{Book, BookRow};
use cockpit_engine::supervisor::{JobState, Snapshot};
use serde_json::{Value, json};

const HASH: &str = "4f0c2a91b3d84e5f4f0c2a91b3d84e5f4f0c2a91b3d84e5f4f0c2a91b3d84e5f";

fn well() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    shows(board)
}

fn row(
    name: &str,
    title: &str,
    zh: &str,
    called: &[&str],
    last: Option<(i64, RunState)>,
) -> BookRow {
    BookRow {
        pack: PackId::new("acme").unwrap(),
        name: name.to_owned(),
        title: title.to_owned(),
        title_zh: Some(zh.to_owned()),
        steps: 9,
        checks: vec!["host.containers".to_owned()],
        called_by: called.iter().map(|check| (*check).to_owned()).collect(),
        last: last.map(|(id, state)| (RunId(id), state)),
    }
}

fn books() -> Answer {
    Answer::Runbooks(vec![
        row(
            "several-hosts",
            "A temporary stack was left",
            "遗留了临时栈",
            &["host.containers", "host.production-set"],
            Some((7, RunState::Confirms)),
        ),
        row(
            "entry-502",
            "502 at the public entry",
            "公网入口 502",
            &[],
            Some((5, RunState::Done)),
        ),
        row("reload-nginx", "Reload nginx", "重载 nginx", &[], None),
    ])
}

fn steps() -> Vec<Value> {
    let plain = |id: &str, title: &str, kind: &str, mark: &str, came_to: &str| {
        json!({"id": id, "title": title, "kind": kind, "mark": mark, "came_to": came_to,
               "at_ms": ago(3)})
    };
    let mut look = plain(
        "seen",
        "What is left",
        "look",
        "bad",
        "fail: `route-lab-9` runs and is banned by `route-lab-*`",
    );
    look["looks_at"] = json!({"check": "host.containers"});
    look["text"] = json!(
        "One production host stands on the machine. What an acceptance run leaves behind takes its ports."
    );
    look["seen"] = json!([{
        "check": "host.containers", "verdict": "fail",
        "found": "`route-lab-9` runs and is banned by `route-lab-*`: Up 2 days 0.0.0.0:18192->80/tcp",
        "next_step": "stop the leftover after its artifact says that it is done",
        "evidence": "NAMES          STATUS\nroute-lab-9    Up 2 days\nsub2api        Up 41 days",
    }]);
    let mut which = plain(
        "which",
        "Which one goes",
        "ask",
        "ok",
        "leftover = route-lab-9",
    );
    which["question"] =
        json!("Name of the container that is left over; the look found {{container}}");
    which["answer"] = json!("value");
    which["value"] = json!("leftover");
    which["said"] = json!("route-lab-9");
    which["zh"] = json!({
        "title": "清理哪一个",
        "text": "绝不能是生产的容器。",
        "question": "残留容器的名称;刚才查到的是 {{container}}",
    });
    look["zh"] = json!({"title": "残留了什么", "text": "机器上只有一套生产宿主。"});
    let mut over = plain("over", "Which one goes", "ask", "ok", "yes");
    over["question"] = json!("Is the run behind {{leftover}} over, so that it may be stopped?");
    over["answer"] = json!("yes");
    over["said"] = json!("yes");
    let mut stop = plain("stop", "Stop it", "do", "todo", "");
    stop["deed"] = json!({"command": {"machine": "edge-1", "argv": ["docker", "stop", "{{leftover}}"], "status": 0, "time_limit_s": 60}});
    let mut gone = plain("gone", "Nothing of it is left", "look", "todo", "");
    gone["looks_at"] = json!({"check": "host.containers"});
    gone["must"] = json!(true);
    let mut quiet = plain("quiet", "Production still serves", "watch", "todo", "");
    quiet["checks"] = json!(["entry.no-key", "control-plane.healthz"]);
    quiet["for_s"] = json!(900);
    quiet["every_s"] = json!(30);
    vec![look, which, over, stop, gone, quiet]
}

fn run(state: &str, change: impl FnOnce(&mut Vec<Value>)) -> Run {
    let mut steps = steps();
    change(&mut steps);
    read(json!({
        "id": 7, "revision": 3, "name": "several-hosts", "title": "A temporary stack was left",
        "title_zh": "遗留了临时栈", "origin": {"pack": {"pack": "acme", "fingerprint": HASH}},
        "pack": "acme", "host": "prod", "machine": "edge-1", "values": {"leftover": "route-lab-9"},
        "state": state, "owner": "kim@jump pid 411", "started_ms": ago(6), "updated_ms": ago(1),
        "steps": steps,
    }))
}

fn planned() -> Run {
    run("confirms", |steps| {
        let line = "on edge-1: docker stop route-lab-9";
        steps[3]["mark"] = json!("planned");
        steps[3]["came_to"] = json!(line);
        steps[3]["plan"] = json!({"id": 12, "plan_hash": HASH, "host": "prod", "wants_name": true, "line": line, "made_ms": ago(1)});
    })
}

fn asking() -> Run {
    run("asks", |steps| {
        steps[1]["mark"] = json!("asked");
        steps[1]["came_to"] =
            json!("Name of the container that is left over; the look found route-lab-9");
        steps[1]["said"] = json!(null);
        steps[2]["mark"] = json!("todo");
        steps[2]["came_to"] = json!("");
    })
}

fn held() -> Run {
    run("held", |steps| {
        steps[3]["mark"] = json!("held");
        steps[3]["came_to"] = json!("exit 1 after 0.2 s, not 0");
        steps[3]["output"] = json!(
            "Error response from daemon: cannot stop container: route-lab-9: permission denied"
        );
    })
}

fn watching() -> Run {
    run("open", |steps| {
        steps[3]["mark"] = json!("ok");
        steps[3]["came_to"] = json!("exit 0 after 1.4 s");
        steps[4]["mark"] = json!("ok");
        steps[4]["came_to"] = json!("ok: 3 running");
        steps[5]["mark"] = json!("looking");
        steps[5]["came_to"] = json!("12 of 31 looks, all good");
        steps[5]["looks"] = json!(12);
    })
}

fn done() -> Run {
    let mut run = watching();
    let last = run.steps.last_mut().unwrap();
    last.set(
        cockpit_domain::runbook::Mark::Ok,
        "all good: 31 looks over 15 min",
        now(),
    );
    run.settle(now());
    run
}

/// The list, read.
fn list(size: (u16, u16), snapshot: Snapshot) -> Screen {
    opened(Screen::new(size, snapshot), size, planned())
}

/// The list with all its answers: on a wide screen the selected runbook is read for the page beside.
fn opened(screen: Screen, size: (u16, u16), run: Run) -> Screen {
    let runs = Ok(Answer::Runs(vec![run]));
    let screen = screen.keys("O").answer_before(Ok(books()));
    if size.0 < 120 {
        return screen.answer(runs);
    }
    screen.answer_before(runs).answer(Ok(book(true)))
}

/// A run's page.
fn page(size: (u16, u16), snapshot: Snapshot, run: Run) -> Screen {
    read_run(Screen::new(size, snapshot), size, run)
}

fn page_zh(run: Run) -> Screen {
    read_run(Screen::with((80, 24), well(), chinese), (80, 24), run)
}

fn read_run(screen: Screen, size: (u16, u16), run: Run) -> Screen {
    opened(screen, size, run.clone())
        .keys("l\r")
        .answer(Ok(Answer::Run(Box::new(run))))
}

#[test]
fn the_runbooks_and_their_runs() {
    let runs = list((80, 24), well()).keys("l");
    let zh = Screen::with((80, 24), well(), chinese)
        .keys("O")
        .answer_before(Ok(books()));
    let nothing = Screen::with((80, 12), well(), mono)
        .keys("O")
        .answer_before(Ok(Answer::Runbooks(Vec::new())));
    let album = Album::default()
        .add("being read", &Screen::new((80, 12), well()).keys("O"))
        .add_looks("what is called for comes first", &list((80, 24), well()))
        .add("their runs", &runs)
        .add("wide", &list((160, 45), well()))
        .add("中文", &zh)
        .add("no pack has one", &nothing);
    insta::assert_snapshot!("runbooks", album.text());
}

fn book(trusted: bool) -> Answer {
    let book: cockpit_domain::runbook::Runbook = read(json!({
        "name": "several-hosts", "title": "A temporary stack was left", "title_zh": "遗留了临时栈",
        "checks": ["host.containers", "host.production-set"],
        "text": "The machine keeps one production host.",
        "text_zh": "这台机器上只保留一套生产宿主。",
        "steps": steps(),
    }));
    Answer::Runbook(Box::new(Book {
        pack: PackId::new("acme").unwrap(),
        fingerprint: HASH.to_owned(),
        trusted,
        book,
    }))
}

#[test]
fn one_runbook_with_its_prose() {
    let open = |size, trusted| list(size, well()).keys("\r").answer(Ok(book(trusted)));
    let album = Album::default()
        .add("one runbook", &open((80, 24), true))
        .add("its pack is not trusted", &open((100, 30), false))
        .add(
            "中文",
            &Screen::with((80, 24), well(), chinese)
                .keys("O")
                .answer_before(Ok(books()))
                .keys("\r")
                .answer(Ok(book(true))),
        );
    insta::assert_snapshot!("runbook", album.text());
}

#[test]
fn a_run_at_each_of_its_stops() {
    let mut snapshot = well();
    let mut watch = job(31, "runbook resume", "run/7", JobState::Running);
    watch.progress = Some(Progress {
        text: "Production still serves: 12 of 31 looks, all good".to_owned(),
        until_ms: Some(now() + 570_000),
        ..Progress::default()
    });
    snapshot.jobs.push(watch);
    let album = Album::default()
        .add_looks("it asks", &page((80, 24), well(), asking()))
        .add("it wants approval", &page((80, 24), well(), planned()))
        .add("something went wrong", &page((80, 24), well(), held()))
        .add(
            "a watch, with what is left of it",
            &page((80, 24), snapshot, watching()),
        )
        .add("every step is taken", &page((80, 24), well(), done()))
        .add("中文", &page_zh(planned()))
        .add("中文, it asks", &page_zh(asking()))
        .add(
            "wide: the step beside it",
            &page((160, 45), well(), held()).keys("jjj"),
        );
    insta::assert_snapshot!("run", album.text());
}

#[test]
fn one_step_with_what_was_found() {
    let album = Album::default()
        .add("a look", &page((80, 24), well(), held()).keys("\r"))
        .add(
            "a deed that failed",
            &page((80, 24), well(), held()).keys("jjj\r"),
        );
    insta::assert_snapshot!("run_step", album.text());
}

#[test]
fn what_a_person_is_asked() {
    let ask = page((80, 24), well(), asking())
        .keys("a")
        .keys("route-lab-9");
    let unarmed = page((80, 24), well(), planned()).keys("a");
    let confirm = page((80, 24), armed(well(), "prod"), planned()).keys("a");
    let stop = page((80, 24), well(), planned()).keys("X").keys("tomorrow");
    let wrong = page((80, 24), well(), asking())
        .keys("a")
        .keys("-f\r")
        .answer(Err(Failure::new(
            FailureKind::Usage,
            "this is no answer to the question",
        )
        .doing("answering run/7")
        .hint("a value is a plain name, path or address")));
    let zh = page_zh(asking()).keys("a");
    let album = Album::default()
        .add("its question", &ask)
        .add("what it would do, on a host that is read-only", &unarmed)
        .add("the same on an armed host", &confirm)
        .add("why it is ended", &stop)
        .add("no answer", &wrong)
        .add("中文", &zh);
    insta::assert_snapshot!("run_dialogs", album.text());
}
