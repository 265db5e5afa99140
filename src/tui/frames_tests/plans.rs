//! A plan to be read, one of its changes, and what applying it came to.

use super::batches::every_batch;
use super::fleet::{
    self, ago, armed, batch, check, checks, chinese, hosts, judged, merge, mono, read, shows,
};
use super::picture::{Album, Screen};
use cockpit_domain::ids::{PackId, PlanId};
use cockpit_domain::pack::Pack;
use cockpit_domain::plan::{Change, Sign, Totals};
use cockpit_domain::resource::ResourceKind;
use cockpit_engine::command::Answer;
use cockpit_engine::context::Progress;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::import::PlannedImport;
use cockpit_engine::reconcile::{Mended, PlannedReconcile, Reconciled};
use cockpit_engine::repair::{PlannedRepair, Repaired};
use cockpit_engine::rollback::{PlannedRollback, RolledBack};
use cockpit_engine::supervisor::{JobState, Snapshot};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const HASH: &str = "9a4023be509f5ad29863b3a1a1e5c0c94d3f";

pub(super) fn provider() -> cockpit_domain::pack::ProviderPack {
    let text = include_str!("../../../tests/data/packs/valid/provider-full.toml");
    let id = PackId::new("vendor").unwrap();
    match cockpit_domain::pack::read(&id, "pack.toml", text, &BTreeMap::new()).unwrap() {
        Pack::Provider(pack) => *Box::new(pack),
        _ => panic!("a provider"),
    }
}

/// One change of every sign; the last with fields.
pub(super) fn changes() -> Vec<Change> {
    let mut parked = Change::new(
        Sign::Remove,
        ResourceKind::Account,
        "vendor.b0d68d4032eb",
        "older account of this provider in the group: parked, not deleted",
    );
    parked.host_resource_id = Some(read(json!("11")));
    let mut channel = Change::new(
        Sign::Change,
        ResourceKind::Channel,
        "relay-vendor",
        "is not as the pack wants it",
    );
    channel.host_resource_id = Some(read(json!("3")));
    channel.fields = vec![read(json!({
        "field": "model_pricing", "from": {}, "to": {"big": {"input": 0.0}, "small": {"input": 1.5}},
    }))];
    vec![
        Change::new(
            Sign::Keep,
            ResourceKind::Group,
            "relay-vendor",
            "is there and fits",
        ),
        Change::new(
            Sign::Create,
            ResourceKind::Account,
            "vendor.000000000001",
            "new key",
        ),
        parked,
        Change::new(
            Sign::Attention,
            ResourceKind::Account,
            "somebody-made-this-account-by-hand-last-year",
            "looks like one of ours, no record of it",
        ),
        channel,
    ]
}

pub(super) fn import(change: Value) -> Answer {
    let changes = changes();
    let mut plan = json!({
        "request": {"host": "accept", "role": "acceptance", "pack": provider(), "mode": "partial",
                    "access": "subscription", "user_key": null},
        "host_version": "0.1.130", "items": [], "changes": changes, "totals": Totals::of(&changes),
        "blockers": [], "warnings": [], "revision": "r", "expires_ms": null,
    });
    merge(&mut plan, change);
    Answer::Import(Box::new(PlannedImport {
        id: PlanId(4),
        hash: HASH.to_owned(),
        plan: read(plan),
    }))
}

/// Of taking the repair `batch/7` back.
fn rollback_of_repair() -> Answer {
    match rollback() {
        Answer::Rollback(mut plan) => {
            plan.plan.host = fleet::host("prod");
            plan.plan.batch = cockpit_domain::ids::BatchId(7);
            plan.plan.steps.truncate(1);
            plan.plan.steps[0].change = changes().split_off(4).remove(0);
            plan.plan.will_not_undo.clear();
            plan.plan.totals = Totals::of(&[plan.plan.steps[0].change.clone()]);
            Answer::Rollback(plan)
        }
        other => other,
    }
}

/// The same on a host that wants no name typed.
fn repair_of_accept() -> Answer {
    match repair() {
        Answer::Repair(mut plan) => {
            plan.plan.host = fleet::host("accept");
            Answer::Repair(plan)
        }
        other => other,
    }
}

fn repair() -> Answer {
    let changes = changes().split_off(4);
    Answer::Repair(Box::new(PlannedRepair {
        id: PlanId(14),
        hash: HASH.to_owned(),
        plan: read(json!({
            "host": "prod", "pack": "stable", "check": "binding.account-7-group-3",
            "found": "account 7 is not bound to group 3", "changes": changes, "call": "PUT /x",
            "rebind": null, "totals": Totals::of(&changes), "blockers": [],
            "warnings": ["who else writes here: 127.0.0.1:18190 other-plane[2417]: another control plane listens beside this host"],
            "revision": "r", "expires_ms": fleet::now() + 15 * 60_000,
        })),
    }))
}

/// Of comparing one batch.
fn one(plan: PlannedReconcile) -> Answer {
    Answer::Reconcile(Box::new(Reconciled {
        plans: vec![plan],
        left_out: Vec::new(),
    }))
}

fn reconcile(status: &str, changes: &[Change]) -> Answer {
    one(PlannedReconcile {
        id: PlanId(4),
        hash: HASH.to_owned(),
        report: read(json!({
            "host": "accept", "provider": "vendor", "batch_id": 5, "status": status,
            "missing_count": changes.len().min(1), "changed_count": changes.len().min(1),
            "extra_count": 0, "raw_extra_count": 15,
            "stale_noise_count": 15, "probe_failures": 1,
            "probe_notes": ["completion: 503 no available accounts"],
            "summary": {"access_status": "fully_ready"},
            "changes": changes, "totals": Totals::of(changes),
        })),
    })
}

/// What a channel edited by hand and a deleted account come to; `host` wants no name typed.
fn drift(host: &str) -> PlannedReconcile {
    let changes = changes().split_off(3);
    let mend = json!({
        "act": "fields", "type": "channel", "host_resource_id": "3", "name": "relay-vendor",
        "before": {}, "to": {}, "call": "PUT /x",
    });
    PlannedReconcile {
        id: PlanId(4),
        hash: HASH.to_owned(),
        report: read(json!({
            "host": host, "provider": "vendor", "batch_id": 5, "status": "drifted",
            "missing_count": 1, "changed_count": 1, "extra_count": 0, "raw_extra_count": 0,
            "stale_noise_count": 0, "probe_failures": 0, "probe_notes": [],
            "summary": {"access_status": "fully_ready"},
            "changes": changes, "totals": Totals::of(&changes), "mends": [mend],
            "warnings": ["who else writes here: 127.0.0.1:18190 other-plane[2417]"],
            "expires_ms": fleet::now() + 15 * 60_000,
        })),
    }
}

fn drift_of(host: &str) -> Answer {
    one(drift(host))
}

fn rollback() -> Answer {
    let steps: Vec<Value> = changes()
        .into_iter()
        .enumerate()
        .map(|(at, change)| {
            let blocked = (at == 1).then_some("a key of a person depends on it");
            json!({"act": "delete", "change": change, "before": null, "blocked": blocked})
        })
        .collect();
    Answer::Rollback(Box::new(PlannedRollback {
        id: PlanId(14),
        hash: HASH.to_owned(),
        plan: read(json!({
            "host": "accept", "provider": "vendor", "batch": 6, "steps": steps,
            "will_not_undo": ["quota that was spent", "keys that were issued to people"],
            "warnings": [], "totals": Totals::of(&changes()), "revision": "r", "expires_ms": null,
        })),
    }))
}

fn fleet_with_batches() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    board.batches = every_batch();
    shows(board)
}

/// The plan's page: the key that asks for it is pressed on a batch.
pub(super) fn planned(size: (u16, u16), snapshot: Snapshot, key: &str, answer: Answer) -> Screen {
    Screen::new(size, snapshot)
        .keys("3jjj")
        .keys(key)
        .answer(Ok(answer))
}

#[test]
fn plans_of_every_kind() {
    let blocked = || {
        import(json!({
            "blockers": ["pack `vendor` leaves to be confirmed: models, smoke_model, responses_mode, and three more fields"],
        }))
    };
    let nothing = || import(json!({"changes": [], "totals": Totals::of(&[])}));
    let fleet = fleet_with_batches;
    let ready = || armed(fleet(), "accept");
    let album = Album::default()
        .add(
            "import, read-only",
            &planned((80, 24), fleet(), "R", import(json!({}))),
        )
        .add(
            "import, armed",
            &planned((80, 24), ready(), "R", import(json!({}))),
        )
        .add(
            "smallest",
            &planned((60, 16), ready(), "R", import(json!({}))),
        )
        .add(
            "larger",
            &planned((120, 40), ready(), "R", import(json!({}))),
        )
        .add(
            "side by side",
            &planned((160, 45), ready(), "R", import(json!({}))).keys("jjjj"),
        )
        .add(
            "one change",
            &planned((80, 24), ready(), "R", import(json!({}))).keys("jjjj\r"),
        )
        .add("blocked", &planned((80, 24), ready(), "R", blocked()))
        .add("nothing to do", &planned((80, 24), ready(), "R", nothing()))
        .add(
            "expired",
            &planned(
                (80, 24),
                ready(),
                "R",
                import(json!({"expires_ms": ago(1)})),
            ),
        )
        .add(
            "repair of production, with a neighbour",
            &planned((80, 24), fleet(), "R", repair()),
        )
        .add("rollback", &planned((80, 24), ready(), "R", rollback()))
        .add(
            "rollback, smallest",
            &planned((60, 12), ready(), "R", rollback()),
        )
        .add(
            "rollback, smallest, further down",
            &planned((60, 12), ready(), "R", rollback()).keys("jjj"),
        )
        .add(
            "rollback of a repair of production",
            &planned((80, 24), armed(fleet(), "prod"), "R", rollback_of_repair()),
        )
        .add(
            "rollback of a repair of production, to be confirmed",
            &planned((80, 24), armed(fleet(), "prod"), "R", rollback_of_repair()).keys("a"),
        )
        .add(
            "reconcile, drifted",
            &planned((80, 24), fleet(), "R", reconcile("drifted", &changes())),
        )
        .add(
            "reconcile of production, with something to put back",
            &planned((80, 24), fleet(), "R", drift_of("prod")),
        )
        .add(
            "and its confirmation",
            &planned((80, 24), armed(fleet(), "prod"), "R", drift_of("prod"))
                .keys("a")
                .read(),
        )
        .add(
            "reconcile, degraded",
            &planned((80, 24), fleet(), "R", reconcile("degraded", &[])),
        )
        .add(
            "中文",
            &Screen::with((80, 24), ready(), chinese)
                .keys("3jjjR")
                .answer(Ok(import(json!({})))),
        )
        .add(
            "no colour, ASCII",
            &Screen::with((80, 24), ready(), mono)
                .keys("3jjjR")
                .answer(Ok(rollback())),
        );
    insta::assert_snapshot!("plans", album.text());
}

/// Armed, confirmed, under way.
fn applied(answer: Answer) -> Screen {
    planned((80, 24), armed(fleet_with_batches(), "accept"), "R", answer)
        .keys("a")
        .read()
        .keys("y")
        .started(7)
}

fn busy() -> Failure {
    Failure::new(
        FailureKind::Busy,
        "`accept` is held by kim@laptop pid 4711 for 2 min: import apply plan/9",
    )
    .doing("applying plan/4")
    .hint("wait until it has ended, then apply again")
}

#[test]
fn what_applying_came_to() {
    let mut working = armed(fleet_with_batches(), "accept");
    let mut job = fleet::job(7, "import apply", "plan/4", JobState::Running);
    job.writes = true;
    job.progress = Some(Progress {
        text: "waiting for the host to see 2 of 3 accounts".to_owned(),
        done: 1,
        total: 3,
        ..Progress::default()
    });
    working.jobs.push(job);
    let under_way =
        applied(import(json!({}))).tell(crate::msg::Msg::Snapshot(std::sync::Arc::new(working)));
    let failure = Failure::new(
        FailureKind::Conflict,
        "the host is not as the plan saw it: account #11 is gone",
    )
    .doing("applying plan/4")
    .hint("plan again: nothing was written");
    let four = |change: Value| batch(4, "succeeded", change).batch;
    let rolled = |remains: &[&str]| {
        Answer::RolledBack(Box::new(RolledBack {
            batch: four(json!({"status": "rolled_back"})),
            done: 17,
            blocked: Vec::new(),
            remains: remains.iter().map(|&line| line.to_owned()).collect(),
            disturbed: Vec::new(),
            will_not_undo: vec!["quota that was spent".to_owned()],
        }))
    };
    let repaired = |unproven: Vec<String>| {
        Answer::Repaired(Box::new(Repaired {
            batch: four(json!({"kind": "repair"})),
            check: "binding.account-7-group-3".to_owned(),
            done: 1,
            unproven,
            disturbed: Vec::new(),
            report: read(json!({
                "pack": "stable", "title": "Stable", "fingerprint": "00", "host": "prod",
                "verdict": "ok", "started_ms": 0, "duration_ms": 0, "cancelled": false,
                "results": [check("entry.no-key", "ok", "401")],
            })),
        }))
    };
    let put_back = |unproven: &[&str], left: &[&str]| {
        let own = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
        let mut report = drift("accept").report;
        if left.is_empty() {
            report.status = read(json!("active"));
        }
        Answer::Mended(Box::new(Mended {
            batch: four(json!({"kind": "repair"})),
            done: 1,
            unproven: own(unproven),
            left: own(left),
            disturbed: Vec::new(),
            report,
        }))
    };
    let lost = vec!["upstream.smoke: still 503".to_owned()];
    let album = Album::default()
        .add("under way", &under_way)
        .add("refused", &applied(import(json!({}))).answer(Err(failure)))
        .add(
            "refused at the door",
            &applied(import(json!({}))).answer(Err(busy())),
        )
        .add(
            "and begun again when the way is free",
            &applied(import(json!({}))).answer(Err(busy())).keys("\x1ba"),
        )
        .add("taken back", &applied(rollback()).answer(Ok(rolled(&[]))))
        .add(
            "not everything taken back",
            &applied(rollback()).answer(Ok(rolled(&["account #41"]))),
        )
        .add(
            "drift put back",
            &applied(drift_of("accept")).answer(Ok(put_back(&[], &[]))),
        )
        .add(
            "drift put back, something left",
            &applied(drift_of("accept"))
                .answer(Ok(put_back(&[], &["! account lab.1 #7  its key is gone"]))),
        )
        .add(
            "drift put back, not proven",
            &applied(drift_of("accept")).answer(Ok(put_back(&["completion: 503"], &[]))),
        )
        .add(
            "repaired",
            &applied(repair_of_accept()).answer(Ok(repaired(Vec::new()))),
        )
        .add(
            "repaired, not proven",
            &applied(repair_of_accept()).answer(Ok(repaired(lost))),
        );
    insta::assert_snapshot!("outcome", album.text());
}
