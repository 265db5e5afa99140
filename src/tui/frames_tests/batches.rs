//! Import batches, one batch, one key.

use super::fleet::{ago, batch, chinese, merge, mono, read, shows};
use super::picture::{Album, Screen};
use crate::setup::Setup;
use cockpit_domain::batch::Item;
use cockpit_domain::ids::{BatchId, RemoteId, StepId};
use cockpit_domain::journal::{JournalRow, StepKind, StepState};
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use cockpit_engine::batches::BatchDetail;
use cockpit_engine::board::{BatchSeen, Board};
use cockpit_engine::command::Answer;
use cockpit_engine::supervisor::Snapshot;
use serde_json::{Value, json};

pub(super) fn item(line: usize, stage: &str, status: &Value, summary: &str) -> Item {
    let mut value = json!({
        "id": line, "line": line, "fingerprint": format!("{line:012x}"),
        "key": format!("sk-..{line:04}"), "account_name": format!("vendor.{line:012x}"),
        "account_id": null, "stage": stage, "account_status": status, "probe_ok": false,
        "probe_advisory": false, "validation_status": "pending",
        "account_probe_summary": summary,
        "upstream_models_status": 200, "upstream_chat_status": 200,
        "upstream_chat_type": "application/json", "upstream_chat_preview": "pong",
    });
    if stage == "done" {
        merge(&mut value, json!({"account_id": 40 + line}));
    }
    if status == "passed" {
        // A key that is good at the host is not asked at the vendor for a chat.
        let none = json!({"upstream_chat_status": 0, "upstream_chat_type": "", "upstream_chat_preview": ""});
        merge(&mut value, none);
    }
    read(value)
}

pub(super) fn proven() -> Value {
    json!({
        "access_status": "subscription_ready", "latest_access_status": "fully_ready",
        "gateway": {"status_code": 200, "models_ok": true, "completion_ok": true,
                    "completion_status": 200, "completion_type": "application/json",
                    "completion_preview": "pong", "served_by_account": 41,
                    "served_by_ours": true, "tries": 1},
        "upstream": {"upstream_models_status": 200, "upstream_chat_status": 200,
                     "upstream_chat_type": "", "upstream_chat_preview": ""},
        "completion_classification": "ok",
    })
}

/// A batch of every status, a repair, and one of another process.
pub(super) fn every_batch() -> Vec<BatchSeen> {
    let mut foreign = batch(9, "running", json!({"host": "prod"}));
    foreign.foreign = true;
    foreign.tally.done = 1;
    let mut partly = proven();
    merge(&mut partly, json!({"reason": "1 of 3 key(s) failed"}));
    vec![
        foreign,
        batch(
            8,
            "interrupted",
            json!({"reason": "the answer of step 12 was lost"}),
        ),
        batch(
            7,
            "succeeded",
            json!({"kind": "repair", "provider": "stable", "host": "prod"}),
        ),
        batch(6, "partially_succeeded", partly),
        batch(5, "succeeded", proven()),
        batch(
            4,
            "failed",
            json!({"reason": "no key passed; own work undone"}),
        ),
        batch(3, "rolled_back", proven()),
    ]
}

pub(super) fn listed(batches: Vec<BatchSeen>) -> Snapshot {
    shows(Board {
        batches,
        ..Board::default()
    })
}

fn resource(
    kind: ResourceKind,
    id: i64,
    name: &str,
    origin: Origin,
    undone: bool,
) -> BatchResource {
    BatchResource {
        batch: BatchId(6),
        kind,
        host_resource_id: RemoteId(id),
        name: name.to_owned(),
        origin,
        recorded: Value::Null,
        before: Value::Null,
        undone,
    }
}

fn step(id: i64, state: StepState, answer: &str) -> JournalRow {
    JournalRow {
        id: StepId(id),
        kind: StepKind::CreateAccount,
        resource: ResourceKind::Account,
        target: format!("vendor.{id:012x}"),
        state,
        host_resource_id: None,
        idempotency_key: String::new(),
        request_digest: String::new(),
        before: Value::Null,
        answer: answer.to_owned(),
        at_ms: ago(14),
        sends: 1,
        lost_ms: None,
    }
}

pub(super) fn detail(seen: &BatchSeen) -> Answer {
    let quota = "the host's account test failed: 403 insufficient_user_quota: the vendor's own words go on \
                 for a while";
    Answer::Detail(Box::new(BatchDetail {
        batch: seen.batch.clone(),
        resources: vec![
            resource(
                ResourceKind::Group,
                2,
                "relay-vendor",
                Origin::Adopted,
                false,
            ),
            resource(
                ResourceKind::Account,
                41,
                "vendor.000000000001",
                Origin::Created,
                false,
            ),
            resource(
                ResourceKind::Account,
                43,
                "vendor.000000000003",
                Origin::Created,
                true,
            ),
            resource(
                ResourceKind::Account,
                1,
                "vendor.old",
                Origin::Parked,
                false,
            ),
        ],
        items: vec![
            item(
                1,
                "done",
                &json!("passed"),
                "the host's account test passed",
            ),
            item(
                2,
                "done",
                &json!("warning"),
                "inconclusive at the host, good when asked directly",
            ),
            item(3, "done", &json!("failed"), quota),
            item(4, "confirm", &json!(null), ""),
        ],
        events: vec![
            read(
                json!({"at_ms": ago(15), "item": null, "kind": "started", "text": "plan/6 by kim"}),
            ),
            read(
                json!({"at_ms": ago(14), "item": 1, "kind": "account_created", "text": "vendor.000000000001 is #41"}),
            ),
        ],
        journal: vec![
            step(1, StepState::Done, "201 id 41"),
            step(2, StepState::Unknown, "no answer in 30 s"),
        ],
        reconcile_runs: Vec::new(),
    }))
}

/// The page of a batch, read from the store.
fn opened(size: (u16, u16), number: usize) -> Screen {
    opened_with(size, number, |_| {})
}

fn opened_with(size: (u16, u16), number: usize, change: impl FnOnce(&mut Setup)) -> Screen {
    let all = every_batch();
    let answer = detail(&all[number]);
    Screen::with(size, listed(all), change)
        .keys(&format!("3{}\r", "j".repeat(number)))
        .answer(Ok(answer))
}

/// An import that met somebody's group in its way, and a repair that left what somebody changed.
fn somebody_else(number: usize) -> Screen {
    let appeared = "reading it again before it is written to: host moved: group relay-vendor: there was none; \
                    now there is relay-vendor id 7, with platform \"anthropic\" (the plan makes \"openai\"); nothing \
                    was sent; `cockpit rollback plan 8` takes back what was done, and a new plan says what it does \
                    with it; where somebody takes it away again, `cockpit batch resume 8` goes on";
    let left = "1 of 3 left as somebody else has it: host moved: account vendor.00000000000c #12: group_ids was \
                [], is [\"1\"] now; `cockpit reconcile plan --batch 5` plans it anew";
    let met = json!({"interrupted_by": "host_changed", "reason": appeared});
    let all = vec![
        batch(8, "interrupted", met),
        batch(
            7,
            "partially_succeeded",
            json!({"kind": "repair", "reason": left}),
        ),
    ];
    let answer = detail(&all[number]);
    Screen::new((80, 24), listed(all))
        .keys(&format!("3{}\r", "j".repeat(number)))
        .answer(Ok(answer))
}

#[test]
fn batches_in_every_state() {
    let all = || listed(every_batch());
    let album = Album::default()
        .add(
            "nothing imported yet",
            &Screen::new((60, 16), listed(Vec::new())).keys("3"),
        )
        .add(
            "a batch of every status",
            &Screen::new((80, 24), all()).keys("3"),
        )
        .add(
            "the same, smallest",
            &Screen::new((60, 16), all()).keys("3"),
        )
        .add("the same, larger", &Screen::new((120, 40), all()).keys("3"))
        .add(
            "details beside it",
            &Screen::new((160, 45), all()).keys("3jjj"),
        )
        .add("中文", &Screen::with((80, 24), all(), chinese).keys("3"))
        .add(
            "no colour, ASCII",
            &Screen::with((80, 24), all(), mono).keys("3"),
        );
    insta::assert_snapshot!("batches", album.text());
}

#[test]
fn one_batch_with_its_sections() {
    let reading = Screen::new((80, 24), listed(every_batch())).keys("3jjj\r");
    let album = Album::default()
        .add("being read", &reading)
        .add("its keys", &opened((80, 24), 3))
        .add("its keys, larger", &opened((120, 40), 3))
        .add("its resources", &opened((80, 24), 3).keys("l"))
        .add("its events", &opened((80, 24), 3).keys("ll"))
        .add("its journal", &opened((80, 24), 3).keys("lll"))
        .add("one key", &opened((80, 24), 3).keys("jj\r"))
        .add("one key that passed", &opened((80, 24), 3).keys("\r"))
        .add(
            "its journal, 中文",
            &opened_with((80, 24), 3, chinese).keys("lll"),
        )
        .add("interrupted", &opened((60, 16), 1))
        .add("somebody made its group meanwhile", &somebody_else(0))
        .add(
            "a repair that left what somebody changed",
            &somebody_else(1),
        )
        .add("a repair", &opened((80, 24), 2))
        .add("taken back", &opened((80, 24), 6));
    insta::assert_snapshot!("batch", album.text());
}

#[test]
fn a_repair_and_a_batch_that_was_taken_back_are_offered_only_what_serves_them() {
    let bar = |screen: &Screen| screen.rows().pop().unwrap();
    let all = || Screen::new((80, 24), listed(every_batch())).keys("3");
    assert!(bar(&all().keys("jjj")).contains("s access"));
    let repair = all().keys("jj");
    assert!(!bar(&repair).contains("access"), "{}", bar(&repair));
    repair.keys("s").row_with("this batch has no keys");
    all()
        .keys(":resume 3\r")
        .row_with("this batch was taken back already");
}
