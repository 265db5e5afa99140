//! What differs from our records: nothing compared yet, several batches, one whole.

use super::batches::every_batch;
use super::fleet::{ago, armed, checks, chinese, hosts, judged, merge, mono, read, shows};
use super::picture::{Album, Screen};
use super::plans::changes;
use cockpit_domain::ids::PlanId;
use cockpit_domain::plan::Totals;
use cockpit_engine::adopt::{Adopted, PlannedAdopt};
use cockpit_engine::board::{DriftSeen, Known};
use cockpit_engine::command::Answer;
use cockpit_engine::reconcile::{LeftOut, Looked, Paused, PlannedReconcile, Reconciled};
use cockpit_engine::supervisor::Snapshot;
use serde_json::{Value, json};

fn planned(id: i64, change: Value) -> PlannedReconcile {
    let mut report = json!({
        "host": "accept", "provider": "vendor", "batch_id": 5, "access_mode": "subscription",
        "status": "active", "missing_count": 0, "changed_count": 0, "extra_count": 0,
        "raw_extra_count": 15, "stale_noise_count": 15, "probe_failures": 0, "probe_notes": [],
        "summary": {"access_status": "fully_ready"}, "changes": [], "totals": Totals::of(&[]),
    });
    merge(&mut report, change);
    PlannedReconcile {
        id: PlanId(id),
        hash: "9a4023be509f5ad29863b3a1a1e5c0c94d3f".to_owned(),
        report: read(report),
    }
}

fn several() -> Vec<PlannedReconcile> {
    let found = changes().split_off(3);
    let mend = json!({
        "act": "fields", "type": "channel", "host_resource_id": "3", "name": "relay-vendor",
        "before": {}, "to": {}, "call": "PUT /x",
    });
    let since = json!([
        {"since_ms": ago(150), "last_good_ms": null},
        {"since_ms": ago(12), "last_good_ms": ago(20)},
    ]);
    vec![
        planned(
            21,
            json!({
                "batch_id": 6, "access_mode": "self_service", "status": "degraded",
                "probe_failures": 1, "probe_notes": ["completion: 503 no available accounts"],
            }),
        ),
        planned(
            22,
            json!({
                "status": "drifted", "changed_count": 1, "extra_count": 1, "changes": found,
                "since": since, "totals": Totals::of(&found), "mends": [mend],
            }),
        ),
        planned(
            23,
            json!({"host": "prod", "batch_id": 4, "provider": "lab-with-a-long-name"}),
        ),
    ]
}

fn compared() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    board.batches = every_batch();
    for (at, plan) in several().iter().enumerate() {
        let at_ms = ago(i64::try_from(at).unwrap_or_default() * 7);
        let value = DriftSeen::of(&plan.report);
        board.drift.insert(value.batch, Known { at_ms, value });
    }
    shows(board)
}

fn answer() -> Answer {
    Answer::Reconcile(Box::new(Reconciled {
        plans: several(),
        left_out: vec![LeftOut {
            batch: cockpit_domain::ids::BatchId(3),
            why: "me@desk is at work on it".to_owned(),
        }],
    }))
}

fn take_over() -> Answer {
    let found = changes();
    Answer::Adopt(Box::new(PlannedAdopt {
        id: PlanId(31),
        hash: "9a4023be509f5ad29863b3a1a1e5c0c94d3f".to_owned(),
        plan: read(json!({
            "host": "accept", "provider": "vendor", "changes": found,
            "totals": Totals::of(&found), "adoptions": [], "blockers": [],
            "warnings": [], "revision": "r", "expires_ms": null,
        })),
    }))
}

fn taken_over() -> Answer {
    let mut done = json!(every_batch()[0].batch);
    merge(
        &mut done,
        json!({"kind": "adopt", "status": "succeeded", "id": 9}),
    );
    Answer::Adopted(Box::new(Adopted {
        batch: read(done),
        done: 4,
    }))
}

#[test]
fn taking_over_what_stands_there() {
    let fleet = || armed(compared(), "accept");
    let planned = |screen: Screen| screen.keys("3R").answer(Ok(take_over()));
    let album = Album::default()
        .add("the plan", &planned(Screen::new((80, 24), fleet())))
        .add(
            "the plan, 中文",
            &planned(Screen::with((80, 24), fleet(), chinese)),
        )
        .add(
            "its confirmation",
            &planned(Screen::new((80, 24), fleet())).keys("a").read(),
        )
        .add(
            "done",
            &planned(Screen::new((80, 24), fleet()))
                .keys("a")
                .read()
                .keys("y")
                .answer(Ok(taken_over())),
        );
    insta::assert_snapshot!("adopt", album.text());
}

#[test]
fn what_differs_batch_by_batch_and_one_of_them() {
    let fleet = || armed(compared(), "accept");
    let nothing = || {
        let mut board = judged(&checks());
        hosts(&mut board);
        shows(board)
    };
    let album = Album::default()
        .add(
            "nothing compared",
            &Screen::new((80, 24), nothing()).keys("C"),
        )
        .add("several", &Screen::new((80, 24), fleet()).keys("C"))
        .add("smallest", &Screen::new((60, 16), fleet()).keys("C"))
        .add("side by side", &Screen::new((160, 45), fleet()).keys("C"))
        .add("one of them", &Screen::new((80, 24), fleet()).keys("C\r"))
        .add("中文", &Screen::with((80, 24), fleet(), chinese).keys("C"))
        .add(
            "one of them, 中文",
            &Screen::with((80, 24), fleet(), chinese).keys("C\r"),
        )
        .add(
            "no colour, ASCII",
            &Screen::with((80, 24), fleet(), mono).keys("C"),
        )
        .add(
            "just compared, one left out",
            &Screen::new((80, 24), fleet())
                .keys("2R")
                .answer(Ok(answer())),
        );
    insta::assert_snapshot!("drift", album.text());
}

fn look(change: Value) -> Answer {
    let mut looked = json!({
        "at_ms": ago(0), "host": "accept", "status": "active", "left_out": [], "paused": null,
    });
    merge(&mut looked, change);
    Answer::Looked(Box::new(Looked {
        at_ms: read(looked["at_ms"].clone()),
        host: read(looked["host"].clone()),
        status: read(looked["status"].clone()),
        batches: several().into_iter().map(|plan| plan.report).collect(),
        left_out: Vec::new(),
        paused: looked["paused"].as_i64().map(|batch| Paused {
            batch: cockpit_domain::ids::BatchId(batch),
            at_ms: i64::MAX,
        }),
    }))
}

#[test]
fn a_host_that_is_watched_shows_what_was_found_and_a_rollback_pauses_it() {
    let on = |screen: Screen| screen.keys(":watch accept\r");
    let begun = |size| on(Screen::new(size, compared())).keys("C");
    let found = |size| on(Screen::new(size, compared())).answer(Ok(look(json!({}))));
    let drifted = |size| {
        found(size)
            .later(3)
            .answer(Ok(look(json!({"status": "drifted"}))))
            .keys("C")
    };
    let paused = |screen: Screen| {
        on(screen)
            .answer(Ok(look(json!({"status": null, "paused": 5}))))
            .keys("C")
    };
    let album = Album::default()
        .add("begun", &begun((80, 24)))
        .add("nothing differs", &found((80, 24)).keys("C"))
        .add("something differs since", &drifted((80, 24)))
        .add("two hosts", &drifted((80, 24)).keys(":watch prod\r"))
        .add("off again", &found((80, 24)).keys(":watch accept\r"))
        .add_looks("paused", &paused(Screen::new((80, 24), compared())))
        .add(
            "paused, smallest",
            &paused(Screen::new((60, 16), compared())),
        )
        .add(
            "on again",
            &paused(Screen::new((80, 24), compared())).keys(":watch accept\r"),
        )
        .add(
            "paused, 中文",
            &paused(Screen::with((80, 24), compared(), chinese)),
        )
        .add(
            "found, 中文",
            &on(Screen::with((80, 24), compared(), chinese)).answer(Ok(look(json!({})))),
        );
    insta::assert_snapshot!("watch", album.text());
}
