//! Fixed states of a fleet: what the engine would show, with fixed times, ids and names.

use crate::setup::Setup;
use crate::words::Lang;
use cockpit_domain::baseline::CheckResult;
use cockpit_domain::batch::Batch;
use cockpit_domain::host::{HostSettings, Role};
use cockpit_domain::ids::{HostId, JobId, MachineId, PackId};
use cockpit_engine::arming::Armed;
use cockpit_engine::board::{
    BatchSeen, Board, HostSeen, Known, MachineSeen, MachineState, Tally, Trouble,
};
use cockpit_engine::failure::FailureKind;
use cockpit_engine::supervisor::{JobState, JobView, Snapshot};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// Ten past three in the morning.
pub(super) fn now() -> i64 {
    let at: jiff::Timestamp = "2026-03-14T03:10:00Z".parse().unwrap();
    at.as_millisecond()
}

/// So many minutes before it.
pub(super) fn ago(minutes: i64) -> i64 {
    now() - minutes * 60_000
}

pub(super) fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub(super) fn host(name: &str) -> HostId {
    HostId::new(name).unwrap()
}

fn settings(name: &str, machine: &str, role: Role) -> HostSettings {
    HostSettings {
        baseline: (role == Role::Production).then(|| PackId::new("stable").unwrap()),
        ..HostSettings::new(
            host(name),
            MachineId::new(machine).unwrap(),
            "127.0.0.1:8080",
            role,
        )
    }
}

pub(crate) fn setup() -> Setup {
    Setup {
        hosts: vec![
            settings("accept", "edge-2", Role::Acceptance),
            settings("prod", "edge-1", Role::Production),
        ],
        machines: vec![
            MachineId::new("edge-1").unwrap(),
            MachineId::new("edge-2").unwrap(),
        ],
        providers: vec![
            (PackId::new("vendor").unwrap(), "A vendor".to_owned()),
            (PackId::new("other").unwrap(), "Another vendor".to_owned()),
        ],
        config: "/home/oncall/config.toml".to_owned(),
        first_run: None,
        lab: false,
        zone: TimeZone::UTC,
        lang: Lang::En,
        theme: "dark".to_owned(),
        own_themes: Vec::new(),
        color: true,
        ascii: false,
        slow: false,
        notices: Vec::new(),
    }
}

pub(super) fn chinese(setup: &mut Setup) {
    setup.lang = Lang::ZhCn;
}

pub(super) fn mono(setup: &mut Setup) {
    setup.color = false;
    setup.ascii = true;
}

pub(super) fn check(id: &str, verdict: &str, found: &str) -> CheckResult {
    let layer = id.split_once('.').map_or("host", |(layer, _)| layer);
    read(json!({
        "id": id, "layer": layer, "level": "must", "verdict": verdict,
        "title": format!("What `{id}` is about"), "title_zh": format!("`{id}` 所看的内容"),
        "expected": "200, body ok", "found": found,
        "why": "Users are served through it.", "why_zh": "用户经由它得到服务。",
        "next_step": "Read the log of the service, then ask its owner.",
        "next_step_zh": "先看该服务的日志,再问负责人。",
        "evidence": "GET /v1/models -> 503 application/json",
        "duration_ms": 12, "at_ms": ago(3), "origin": "live",
    }))
}

/// A row of every verdict, as a pack would order them.
pub(super) fn checks() -> Vec<CheckResult> {
    let mut lost = check(
        "binding.account-7-group-3",
        "fail",
        "account 7 is not bound to group 3 (bound: 4)",
    );
    lost.repair = true;
    lost.since_ms = Some(ago(47));
    let mut muted = check("upstream.smoke", "not_judged", "");
    muted.muted_by = Some("binding.account-7-group-3".to_owned());
    vec![
        check("entry.no-key", "ok", "401 API_KEY_REQUIRED"),
        check("entry.certificate", "warn", "ends in 9 days"),
        check("portal.page", "ok", "200"),
        check("control-plane.healthz", "unreachable", "no answer in 5 s"),
        check("host.containers", "unknown", "docker is not in the path"),
        lost,
        muted,
        check("hygiene.leftovers", "waived", "1 container of an old test"),
    ]
}

pub(super) fn trouble(kind: FailureKind, message: &str, hint: &str) -> Trouble {
    Trouble {
        kind,
        doing: "looking at `prod`".to_owned(),
        message: message.to_owned(),
        hint: hint.to_owned(),
    }
}

pub(super) fn known<T>(minutes: i64, value: T) -> Known<T> {
    Known {
        at_ms: ago(minutes),
        value,
    }
}

/// A board that shows these rows.
pub(super) fn judged(rows: &[CheckResult]) -> Board {
    let mut board = Board::default();
    let report = read(json!({
        "pack": "stable", "title": "Stable", "fingerprint": "00", "host": "prod", "verdict": "fail",
        "started_ms": ago(3), "duration_ms": 900, "cancelled": false, "results": rows,
    }));
    let pack = PackId::new("stable").unwrap();
    board.baselines.insert(pack, known(3, report));
    board
}

/// Both hosts and machines, well.
pub(super) fn hosts(board: &mut Board) {
    for (name, machine, version) in [
        ("accept", "edge-2", "0.1.130"),
        ("prod", "edge-1", "0.1.129"),
    ] {
        let probe = read(json!({
            "host": name, "machine_round_trip_ms": 4,
            "identity": {"version": version, "round_trip_ms": 9, "captcha": false,
                         "backend_mode": false, "credential": "admin key"},
        }));
        let seen = HostSeen {
            probe: Some(known(1, probe)),
            trouble: None,
        };
        board.hosts.insert(host(name), seen);
        let state = MachineState {
            round_trip_ms: 4,
            system: "Linux".to_owned(),
            reconnects: 0,
        };
        let seen = MachineSeen {
            check: Some(known(1, state)),
            trouble: None,
        };
        board
            .machines
            .insert(MachineId::new(machine).unwrap(), seen);
    }
}

pub(super) fn batch(id: i64, status: &str, change: Value) -> BatchSeen {
    let mut value = json!({
        "id": id, "kind": "import", "host": "accept", "provider": "vendor", "plan": id,
        "plan_hash": "9a4023be509f", "mode": "partial", "access_mode": "subscription",
        "status": status, "reason": "", "provider_status_from_import": null,
        "access_status": null, "latest_access_status": null,
        "gateway": {"status_code": 0, "models_ok": false, "completion_ok": false,
                    "completion_status": 0, "completion_type": "", "completion_preview": "",
                    "served_by_account": null, "served_by_ours": false, "tries": 0},
        "upstream": {"upstream_models_status": 0, "upstream_chat_status": 0,
                     "upstream_chat_type": "", "upstream_chat_preview": ""},
        "completion_classification": null, "effective_key_source": "managed_subscription",
        "key_fingerprint": null, "last_write_ms": 0, "created_ms": ago(30),
        "updated_ms": ago(12), "owner": "kim@laptop pid 4711",
    });
    merge(&mut value, change);
    let batch: Batch = read(value);
    BatchSeen {
        batch,
        tally: Tally {
            total: 3,
            done: 3,
            passed: 1,
            warning: 1,
            failed: 1,
        },
        foreign: false,
    }
}

/// Writes the fields of one object over another's.
pub(super) fn merge(value: &mut Value, change: Value) {
    if let (Value::Object(fields), Value::Object(change)) = (value, change) {
        fields.extend(change);
    }
}

pub(super) fn job(id: i64, name: &'static str, subject: &str, state: JobState) -> JobView {
    JobView {
        id: JobId(id),
        name,
        writes: false,
        subject: subject.to_owned(),
        command_line: format!("cockpit {name} {subject}"),
        state,
        progress: None,
        started_ms: ago(2),
        stage_since_ms: ago(1),
        counting_since_ms: None,
        held_since_ms: None,
        ended_ms: None,
        failure: None,
    }
}

pub(super) fn shows(board: Board) -> Snapshot {
    Snapshot {
        jobs: Vec::new(),
        board: Arc::new(board),
        armed: None,
    }
}

/// With a host that may be written to.
pub(super) fn armed(mut snapshot: Snapshot, name: &str) -> Snapshot {
    snapshot.armed = Some(Armed {
        host: host(name),
        until_ms: now() + 9 * 60_000 + 41_000,
    });
    snapshot
}
