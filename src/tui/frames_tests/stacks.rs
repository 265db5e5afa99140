//! The deploy gate and temporary stacks.

use super::fleet::{ago, armed, checks, chinese, host, hosts, judged, mono, now, read, shows};
use super::picture::{Album, Screen};
use cockpit_domain::gate::{GateChange, GatePhase, GatePlan, GateRow, GateState};
use cockpit_domain::ids::{PackId, PlanId};
use cockpit_domain::stack::{CleanRow, Stack, StackState};
use cockpit_engine::command::Answer;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::gate::{GateReport, GateVerdict, PlannedGate};
use cockpit_engine::stacks::{StackLook, StackSeen};
use cockpit_engine::supervisor::Snapshot;
use serde_json::json;

const HASH: &str = "566e3fb5dcf8d2f2abedb3f4c0ffee00";

fn fleet() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    shows(board)
}

fn row(id: &str, kind: &str, title: (&str, &str), state: GateState, found: &str) -> GateRow {
    GateRow {
        id: id.to_owned(),
        title: title.0.to_owned(),
        title_zh: Some(title.1.to_owned()),
        kind: kind.to_owned(),
        state,
        found: found.to_owned(),
        next_step: if state == GateState::Failed {
            "Mend the line that is named.".to_owned()
        } else {
            String::new()
        },
        lines: Vec::new(),
    }
}

fn rows(reload: GateState, no_key: GateState) -> Vec<GateRow> {
    use GateState::Passed;
    let answer = match no_key {
        Passed => "401 API_KEY_REQUIRED",
        _ => "502 Bad Gateway, expected 401",
    };
    let behind = |id, kind, title, state, found| match state {
        GateState::NotDone => row(id, kind, title, state, "not done yet"),
        _ => row(id, kind, title, state, found),
    };
    vec![
        row(
            "effective",
            "lines",
            ("The effective configuration", "生效配置"),
            Passed,
            "11 lines kept",
        ),
        row(
            "test",
            "run",
            ("The configuration can be loaded", "配置可以加载"),
            Passed,
            "ended with 0",
        ),
        behind(
            "reload",
            "do",
            ("Reload the entry", "重新加载入口"),
            reload,
            "done",
        ),
        behind(
            "no-key",
            "check",
            ("No key: 401", "无密钥返回 401"),
            no_key,
            answer,
        ),
    ]
}

fn report(phase: GatePhase, verdict: GateVerdict, rows: Vec<GateRow>) -> GateReport {
    GateReport {
        pack: PackId::new("stable").unwrap(),
        host: host("prod"),
        phase,
        verdict,
        at_ms: ago(1),
        before_ms: (phase == GatePhase::After).then(|| ago(42)),
        rows,
        changes: Vec::new(),
        faults: Vec::new(),
        plan: None,
    }
}

fn before() -> Answer {
    let rows = rows(GateState::NotDone, GateState::Passed);
    Answer::Gate(Box::new(report(
        GatePhase::Before,
        GateVerdict::Passed,
        rows,
    )))
}

fn changed() -> GateChange {
    GateChange {
        step: "effective".to_owned(),
        was: None,
        now: None,
        lines: vec![
            "~ proxy_pass http://127.0.0.1:8080; -> proxy_pass http://127.0.0.1:8090;".to_owned(),
        ],
    }
}

/// The process died at the reload.
fn unseen() -> Answer {
    let mut rows = rows(GateState::Unseen, GateState::NotDone);
    rows[2].found = "begun: systemctl reload nginx on edge-1".to_owned();
    Answer::Gate(Box::new(report(GatePhase::After, GateVerdict::Asks, rows)))
}

fn waiting() -> Answer {
    let rows = rows(GateState::NotDone, GateState::NotDone);
    let mut waiting = report(GatePhase::After, GateVerdict::Waiting, rows);
    waiting.changes = vec![changed()];
    waiting.plan = Some(PlannedGate {
        id: PlanId(9),
        hash: HASH.to_owned(),
        plan: read::<GatePlan>(json!({
            "host": "prod", "pack": "stable", "fingerprint": "", "machine": "edge-1", "before_ms": ago(42),
            "does": [{"step": "reload", "title": "Reload the entry", "argv": ["systemctl", "reload", "nginx"]}],
            "changed": [], "blockers": [], "expires_ms": now() + 840_000,
        })),
    });
    Answer::Gate(Box::new(waiting))
}

fn shut() -> Answer {
    let rows = rows(GateState::Passed, GateState::Failed);
    let mut shut = report(GatePhase::After, GateVerdict::Failed, rows);
    shut.changes = vec![GateChange {
        step: "no-key".to_owned(),
        was: Some(GateState::Passed),
        now: Some(GateState::Failed),
        lines: Vec::new(),
    }];
    shut.faults = vec![
        "what was recorded before is 30 h old, 24 h at most".to_owned(),
        "step `no-key` failed: 502 Bad Gateway, expected 401".to_owned(),
    ];
    Answer::Gate(Box::new(shut))
}

#[test]
fn the_deploy_gate_in_every_state() {
    let gate = |size, answer: Answer| Screen::new(size, fleet()).keys("V").answer(Ok(answer));
    let nothing = report(
        GatePhase::Before,
        GateVerdict::Unknown,
        rows(GateState::NotDone, GateState::NotDone),
    );
    let passed = report(
        GatePhase::After,
        GateVerdict::Passed,
        rows(GateState::Passed, GateState::Passed),
    );
    let mut board = judged(&checks());
    hosts(&mut board);
    let ready = Screen::new((80, 24), armed(shows(board), "prod"));
    let album = Album::default()
        .add("looking", &Screen::new((60, 16), fleet()).keys("V"))
        .add(
            "nothing is recorded",
            &gate((80, 24), Answer::Gate(Box::new(nothing))),
        )
        .add("before a deployment", &gate((80, 24), before()))
        .add(
            "after it, a person approves, not armed",
            &gate((80, 24), waiting()),
        )
        .add("the same, armed", &ready.keys("V").answer(Ok(waiting())))
        .add("its confirmation", &{
            let mut board = judged(&checks());
            hosts(&mut board);
            let armed = Screen::new((80, 24), armed(shows(board), "prod"));
            armed.keys("V").answer(Ok(waiting())).keys("a")
        })
        .add("passed", &gate((80, 24), Answer::Gate(Box::new(passed))))
        .add("shut", &gate((80, 24), shut()))
        .add("the same, wide", &gate((160, 45), shut()))
        .add("a step whose end nobody saw", &gate((80, 24), unseen()))
        .add("its question", &gate((80, 24), unseen()).keys("a"))
        .add(
            "中文, its question",
            &Screen::with((80, 24), fleet(), chinese)
                .keys("V")
                .answer(Ok(unseen()))
                .keys("a"),
        )
        .add(
            "中文",
            &Screen::with((80, 24), fleet(), chinese)
                .keys("V")
                .answer(Ok(waiting())),
        )
        .add("the same, smallest", &gate((60, 16), shut()));
    insta::assert_snapshot!("gate", album.text());
}

fn stack(name: &str, until: &str, keep: bool) -> Stack {
    read(json!({
        "name": name, "machine": "edge-1", "reason": "acceptance of the next version", "port": 18087,
        "container": format!("{name}-host"), "databases": [format!("{name}-postgres")],
        "batch": "accept-7", "files": [{"kind": "env", "path": "/srv/trial/.env"}],
        "until": until, "keep": keep, "source": "registered", "by": "ann@jump pid 7", "created_ms": ago(9000),
    }))
}

fn listed() -> Answer {
    let seen = |name: &str, until: &str, keep, state| StackSeen {
        stack: stack(name, until, keep),
        state,
    };
    Answer::Stacks(vec![
        seen("trial", "2026-03-01", false, StackState::Overdue),
        seen("second", "2026-03-14", false, StackState::Due),
        seen(
            "repro-of-a-long-story",
            "2026-06-30",
            true,
            StackState::Standing,
        ),
    ])
}

fn line(id: &str, by: &str, title: &str, verdict: &str, found: &str) -> CleanRow {
    let (argv, ask) = match by {
        "do" => (vec!["docker", "stop", "trial-host"], ""),
        "ask" => (
            Vec::new(),
            "remove /srv/trial/.env, or move it to the archive",
        ),
        _ => (Vec::new(), ""),
    };
    read(json!({
        "id": id, "by": by, "title": title, "argv": argv, "ask": ask, "verdict": verdict, "found": found,
    }))
}

fn look() -> Answer {
    Answer::StackLook(Box::new(StackLook {
        stack: stack("trial", "2026-03-01", false),
        state: StackState::Overdue,
        apart: vec![line(
            "unrouted",
            "look",
            "nginx names neither port 18087 nor trial-host",
            "ok",
            "",
        )],
        gone: vec![
            line(
                "container",
                "do",
                "container trial-host does not run",
                "fail",
                "`trial-host` runs: Up 9 days",
            ),
            line(
                "database-1",
                "do",
                "container trial-postgres does not run",
                "waived",
                "stack `second` of the same batch accept-7 still uses it",
            ),
            line(
                "env-1",
                "ask",
                "env file /srv/trial/.env is gone or archived",
                "fail",
                "/srv/trial/.env is there: 0600",
            ),
            line(
                "nginx",
                "look",
                "nginx names neither port 18087 nor trial-host",
                "unknown",
                "no answer within 30 s",
            ),
            line("proof", "look", "No key: 401", "ok", "401"),
        ],
    }))
}

#[test]
fn temporary_stacks_in_every_state() {
    let stacks = |size, answer: Answer| Screen::new(size, fleet()).keys("K").answer(Ok(answer));
    let failure =
        Failure::new(FailureKind::Store, "the store cannot be read").hint("check the disk");
    let album = Album::default()
        .add("none", &stacks((60, 16), Answer::Stacks(Vec::new())))
        .add("one is over, one is due", &stacks((80, 24), listed()))
        .add("the same, wide", &stacks((160, 45), listed()))
        .add(
            "could not read",
            &Screen::new((80, 24), fleet())
                .keys("K")
                .answer(Err(failure)),
        )
        .add("being looked at", &stacks((80, 24), listed()).keys("\r"))
        .add(
            "one, looked at",
            &stacks((80, 24), listed()).keys("\r").answer(Ok(look())),
        )
        .add(
            "中文",
            &Screen::with((80, 24), fleet(), chinese)
                .keys("K")
                .answer(Ok(listed())),
        )
        .add(
            "中文, looked at",
            &Screen::with((80, 24), fleet(), chinese)
                .keys("K")
                .answer(Ok(listed()))
                .keys("\r")
                .answer(Ok(look())),
        )
        .add(
            "no colour, ASCII",
            &Screen::with((80, 24), fleet(), mono)
                .keys("K")
                .answer(Ok(listed())),
        );
    insta::assert_snapshot!("stacks", album.text());
}

#[test]
fn a_stack_is_registered_in_a_form_that_keeps_what_was_typed() {
    let open = || {
        Screen::new((80, 24), fleet())
            .keys("K")
            .answer(Ok(Answer::Stacks(Vec::new())))
            .keys("a")
    };
    let filled =
        || open().keys("trial\t\tacceptance\t18087\ttrial-host\t2026-03-20\ttrial-postgres");
    let refused = Failure::new(
        FailureKind::Conflict,
        "port 8080 is the one of production host `prod`",
    )
    .hint("give the stack a port of its own");
    let album = Album::default()
        .add("empty", &open())
        .add("filled in", &filled())
        .add(
            "kept, with the file that marks it",
            &filled().keys("\t\t\t\t\t \t/srv/trial/do-not-route-public"),
        )
        .add(
            "not a port",
            &open().keys("trial\t\twhy\tmany\tx\t2026-03-20\t\t\t\t\t\t\t\t\r"),
        )
        .add(
            "refused",
            &filled().keys("\t\t\t\t\t\t\t\r").answer(Err(refused)),
        )
        .add(
            "中文",
            &Screen::with((80, 24), fleet(), chinese)
                .keys("K")
                .answer(Ok(Answer::Stacks(Vec::new())))
                .keys("a"),
        );
    insta::assert_snapshot!("stack-form", album.text());
}
