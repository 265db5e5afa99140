//! Deleting what is parked and asking an account again: the plans, their confirmation, and what
//! they came to.

use super::batches::every_batch;
use super::fleet::{ago, armed, batch, checks, chinese, host, hosts, judged, read, shows};
use super::picture::{Album, Screen};
use super::plans::planned;
use cockpit_domain::batch::{AccountStatus, Batch};
use cockpit_domain::ids::{BatchId, PackId, PlanId, RemoteId};
use cockpit_domain::plan::{Change, FieldChange, Sign};
use cockpit_domain::pool::{HostSide, Now, Pairing, PrunePlan, Reason, RecoverPlan, WhyNot};
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use cockpit_domain::split::SplitReport;
use cockpit_engine::command::Answer;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::pool::{Held, PlannedPrune, PlannedRecover, Pruned, Recovered, Resources};
use cockpit_engine::probe::Split;
use cockpit_engine::supervisor::Snapshot;
use serde_json::{Value, json};

const HASH: &str = "566e3fb5dcf8d2f2abedb3f4c0ffee00";

fn fleet() -> Snapshot {
    let mut board = judged(&checks());
    hosts(&mut board);
    board.batches = every_batch();
    armed(shows(board), "accept")
}

fn row(sign: &str, id: i64, name: &str, reason: &str) -> Value {
    json!({"sign": sign, "type": "account", "name": name, "host_resource_id": id.to_string(), "reason": reason})
}

fn prune(stand: &Value, blockers: &[&str]) -> Answer {
    let doomed: Vec<Value> = (1..=3)
        .map(|id| {
            row(
                "-",
                id,
                &format!("vendor.00000000000{id}"),
                "parked by batch/3",
            )
        })
        .collect();
    let kept = [
        row(
            "=",
            4,
            "vendor.000000000004",
            "switched on again since it was parked",
        ),
        row(
            "=",
            9,
            "vendor-old-9",
            "its name matches, but no batch of ours parked it: never touched",
        ),
        row(
            "=",
            21,
            "vendor.0123456789ab",
            "in service, held by batch/3",
        ),
    ];
    let rows = [doomed.as_slice(), kept.as_slice()].concat();
    let plan: PrunePlan = read(json!({
        "host": "accept", "provider": "vendor", "doomed": [], "stands": [stand],
        "changes": rows,
        "totals": {"create": 0, "change": 0, "remove": 3, "attention": 0},
        "blockers": blockers,
        "warnings": ["taking batch/3 back will no longer wake what is deleted here"],
        "revision": "", "expires_ms": null,
    }));
    Answer::Prune(Box::new(PlannedPrune {
        id: PlanId(40),
        hash: HASH.to_owned(),
        plan,
    }))
}

fn good() -> Answer {
    let stand = json!({
        "group": "3", "name": "relay-vendor", "choosable": 2, "floor": 1,
        "served": "vendor.0123456789ab #21 served `small` at 2026-11-21T09:10:42Z (usage row 77)",
    });
    prune(&stand, &[])
}

fn blocked() -> Answer {
    let stand = json!({
        "group": "3", "name": "relay-vendor", "choosable": 1, "floor": 2, "served": null,
    });
    let below = "group `relay-vendor` has 1 account(s) that would be chosen, its floor is 2: what is parked is its reserve";
    let nobody = "no completion was served by a new account of group `relay-vendor` yet: let a user call the model, or run `cockpit access status`";
    prune(&stand, &[below, nobody])
}

fn cooling() -> WhyNot {
    WhyNot {
        reason: Reason::CoolingDown,
        said: "user quota is not enough, remaining quota: 0".to_owned(),
        by: "the host, after an answer of the upstream".to_owned(),
        next_try: Some(
            jiff::Timestamp::from_millisecond(ago(-10))
                .unwrap()
                .to_string(),
        ),
        fix: "wait, or ask it again now (`recover`): a good answer clears it".to_owned(),
    }
}

fn recover() -> Answer {
    let asked = "asked again by the host's own test: one short answer of `vendor/small`, about 20 tokens of this key";
    let mut change = row(
        "~",
        7,
        "relay-main",
        "only if the answer is good; a bad one leaves it as it is",
    );
    change["fields"] = json!([
        {"field": "temp_unschedulable_until", "from": "2026-11-21T09:30:00Z", "to": null},
        {"field": "schedulable", "from": false, "to": true},
    ]);
    let plan: RecoverPlan = read(json!({
        "host": "accept", "provider": "vendor", "group": "relay-vendor", "account": "7",
        "name": "relay-main", "why": [cooling()], "ask": "test", "model": "small",
        "cost": "one short answer of `vendor/small`, about 20 tokens of this key",
        "reset": false, "switch_on": true,
        "changes": [row("!", 7, "relay-main", asked), change],
        "totals": {"create": 0, "change": 1, "remove": 0, "attention": 1},
        "blockers": [], "warnings": [], "revision": "", "expires_ms": null,
    }));
    Answer::Recover(Box::new(PlannedRecover {
        id: PlanId(40),
        hash: HASH.to_owned(),
        plan,
    }))
}

fn ended(kind: &str, status: &str) -> Batch {
    batch(5, status, json!({"kind": kind, "plan": 40})).batch
}

fn pruned() -> Answer {
    Answer::Pruned(Box::new(Pruned {
        batch: ended("prune", "partially_succeeded"),
        done: 2,
        kept: vec!["- account vendor.000000000003 #3: was switched on again meanwhile".to_owned()],
        remains: Vec::new(),
        disturbed: Vec::new(),
    }))
}

fn answered(status: AccountStatus, why_not: Vec<WhyNot>) -> Answer {
    let said = match status {
        AccountStatus::Failed => "API returned 403: user quota is not enough, remaining quota: 0",
        _ => "answered `small` when it was asked again",
    };
    Answer::Recovered(Box::new(Recovered {
        batch: ended("recover", "succeeded"),
        account: RemoteId(7),
        name: "relay-main".to_owned(),
        group: "relay-vendor".to_owned(),
        account_status: status,
        account_probe_summary: said.to_owned(),
        chosen: why_not.is_empty(),
        next_try: None,
        why_not,
    }))
}

/// Typed and said yes to, then answered.
fn done(plan: Answer, named: bool, answer: Answer) -> Screen {
    let confirmed = planned((80, 24), fleet(), "R", plan).keys("a").read();
    let confirmed = if named {
        confirmed.keys("accept\tspring cleaning\t")
    } else {
        confirmed
    };
    confirmed.keys("y").answer(Ok(answer))
}

fn split() -> Answer {
    let call = |name: &str, status: u16, kind: &str| {
        json!({
            "name": name, "vantage": "web1", "request": "", "sent": null, "status": status,
            "content_type": kind, "answer": "", "duration_ms": 96, "at": "",
        })
    };
    let report: SplitReport = read(json!({
        "host": "accept", "host_version": "0.1.129", "provider": "vendor",
        "upstream": "https://api.vendor.example/v1", "model": "small",
        "upstream_model": "vendor/small", "key": "sk-..9f3a", "fingerprint": "0123456789ab",
        "served_by": null, "same_key": null,
        "completion_classification": "upstream_key_quota_issue", "first_bad_hop": "upstream",
        "stored": ["account relay-main #7, cooling_down until 2026-11-21T03:20:00Z: user quota is not enough, remaining quota: 0"],
        "calls": [
            call("models direct", 200, "application/json"),
            call("chat direct", 403, "application/json"),
            call("chat via host", 502, "application/json"),
        ],
        "made_by": "cockpit 0.1.0",
    }));
    let folder =
        "/data/kim/.local/state/relay-cockpit/evidence/20261121T031000Z_split_accept_vendor";
    Answer::Split(Box::new(Split {
        report,
        folder: folder.to_owned(),
    }))
}

fn pairings() -> Answer {
    let pair = |provider: &str, host: &str, proof: &str, minutes: i64, found: &str| {
        json!({
            "provider": provider, "host": host, "proof": proof,
            "at_ms": if minutes > 0 { ago(minutes) } else { 0 },
            "by": if minutes > 0 { "batch/5" } else { "" }, "found": found,
        })
    };
    let pairs: Vec<Pairing> = read(json!([
        pair("vendor-a-main", "accept", "never", 0, ""),
        pair(
            "vendor-with-long-name",
            "prod",
            "key_at_fault",
            90,
            "upstream_rate_limited"
        ),
        pair("vendor", "accept", "proven", 30, ""),
        pair("vendor", "prod", "broken", 3000, "host_compatibility_gap"),
    ]));
    Answer::Matrix(pairs)
}

#[test]
fn every_pack_on_every_host_with_its_last_live_call() {
    let open = |size| Screen::new(size, fleet()).keys("M");
    let album = Album::default()
        .add("being read", &open((80, 24)))
        .add("read", &open((80, 24)).answer(Ok(pairings())))
        .add("side by side", &open((160, 45)).answer(Ok(pairings())))
        .add(
            "中文",
            &Screen::with((80, 24), fleet(), chinese)
                .keys("M")
                .answer(Ok(pairings())),
        );
    insta::assert_snapshot!("matrix", album.text());
}

fn resources() -> Answer {
    let row = |kind: ResourceKind, id: i64, name: &str, origin: Origin, now: Now| Held {
        provider: PackId::new("vendor").unwrap(),
        batch: BatchId(3),
        since_ms: ago(90),
        resource: BatchResource {
            batch: BatchId(3),
            kind,
            host_resource_id: RemoteId(id),
            name: name.to_owned(),
            origin,
            recorded: Value::Null,
            before: Value::Null,
            undone: false,
        },
        now,
    };
    let state = |state| Now {
        state,
        fields: Vec::new(),
    };
    let moved = Now {
        state: HostSide::Changed,
        fields: vec![FieldChange {
            field: "priority".to_owned(),
            from: json!(77),
            to: json!(1),
        }],
    };
    use {HostSide::AsRecorded, HostSide::Gone, Origin::Created, ResourceKind as K};
    Answer::Resources(Box::new(Resources {
        host: host("accept"),
        provider: PackId::new("vendor").ok(),
        trouble: None,
        resources: vec![
            row(
                K::Group,
                5,
                "relay-vendor",
                Origin::Adopted,
                state(AsRecorded),
            ),
            row(K::Plan, 8, "relay-vendor-monthly", Created, state(Gone)),
            row(K::Account, 21, "vendor.0123456789ab", Created, moved),
            row(K::Key, 31, "relay-vendor", Created, state(AsRecorded)),
        ],
        unrecorded: vec![Change::new(
            Sign::Create,
            K::Account,
            "vendor.00000000000f",
            "has a name of ours, in service",
        )],
    }))
}

#[test]
fn what_batches_hold_of_a_provider_beside_what_stands_there() {
    let open = |size| Screen::new(size, fleet()).keys("M").answer(Ok(pairings()));
    let dark = Failure::new(FailureKind::Unreachable, "no tunnel to `accept`")
        .hint("`cockpit doctor` tests every hop");
    let album = Album::default()
        .add("being read", &open((80, 24)).keys("\r"))
        .add("read", &open((80, 24)).keys("\r").answer(Ok(resources())))
        .add(
            "side by side",
            &open((160, 45)).keys("\r").answer(Ok(resources())),
        )
        .add(
            "only what is broken",
            &open((80, 24)).keys("\r").answer(Ok(resources())).keys("!"),
        )
        .add(
            "could not read",
            &open((80, 24)).keys("\r").answer(Err(dark)),
        )
        .add(
            "中文",
            &Screen::with((80, 24), fleet(), chinese)
                .keys(":resources accept vendor\r")
                .answer(Ok(resources())),
        );
    insta::assert_snapshot!("resources", album.text());
}

#[test]
fn a_split_says_whose_fault_it_is_and_where_it_lies() {
    let asked = |size| Screen::new(size, fleet()).keys(":split accept vendor\r");
    let album = Album::default()
        .add("being made", &asked((80, 24)))
        .add("made", &asked((80, 24)).answer(Ok(split())))
        .add("made, smallest", &asked((60, 16)).answer(Ok(split())));
    insta::assert_snapshot!("split", album.text());
}

#[test]
fn pruning_and_asking_again() {
    let album = Album::default()
        .add("prune", &planned((80, 24), fleet(), "R", good()))
        .add(
            "prune, side by side",
            &planned((160, 45), fleet(), "R", good()),
        )
        .add(
            "prune, blocked",
            &planned((80, 24), fleet(), "R", blocked()),
        )
        .add(
            "prune, to be confirmed on a host that is not production",
            &planned((80, 24), fleet(), "R", good()).keys("a").read(),
        )
        .add("pruned", &done(good(), true, pruned()))
        .add("ask again", &planned((80, 24), fleet(), "R", recover()))
        .add(
            "ask again, to be confirmed",
            &planned((80, 24), fleet(), "R", recover()).keys("a").read(),
        )
        .add(
            "it answered",
            &done(
                recover(),
                false,
                answered(AccountStatus::Passed, Vec::new()),
            ),
        )
        .add(
            "it did not",
            &done(
                recover(),
                false,
                answered(AccountStatus::Failed, vec![cooling()]),
            ),
        )
        .add(
            "中文",
            &Screen::with((80, 24), fleet(), chinese)
                .keys("3jjjR")
                .answer(Ok(good())),
        );
    insta::assert_snapshot!("pool_acts", album.text());
}
