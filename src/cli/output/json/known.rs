//! What is known already, as JSON: every value with the moment it was found.

use super::{answer, put, timed};
use cockpit_domain::baseline::BaselineReport;
use cockpit_engine::board::{Board, Known, Trouble};
use cockpit_engine::command::Answer;
use cockpit_engine::context::Settings;
use cockpit_engine::ports::AuditRow;
use serde_json::{Value, json};

fn age_ms(at_ms: i64, now_ms: i64) -> i64 {
    (now_ms - at_ms).max(0)
}

fn trouble(known: Option<&Known<Trouble>>) -> Value {
    known.map_or(Value::Null, |known| {
        let mut value = json!(known.value);
        put(&mut value, "at_ms", json!(known.at_ms));
        timed(value)
    })
}

/// The report as a run prints it, with its age and why a newer run came to nothing.
pub(crate) fn last_baseline(
    run: &Known<BaselineReport>,
    newer: Option<&Known<Trouble>>,
    now_ms: i64,
) -> Value {
    let mut value = answer(&Answer::Baseline(run.value.clone()));
    put(&mut value, "age_ms", json!(age_ms(run.at_ms, now_ms)));
    put(&mut value, "trouble", trouble(newer));
    value
}

/// The hosts of the config, each with the last look at it.
pub(crate) fn hosts(settings: &Settings, board: &Board, now_ms: i64) -> Value {
    let rows = settings.hosts.values().map(|host| {
        let seen = board.hosts.get(&host.id);
        let probe = seen.and_then(|seen| seen.probe.as_ref());
        json!({
            "id": host.id,
            "role": host.role,
            "machine": host.machine,
            "address": host.address,
            "baseline": host.baseline,
            "last": probe.map(|known| timed(json!({
                "at_ms": known.at_ms,
                "age_ms": age_ms(known.at_ms, now_ms),
                "version": known.value.identity.version,
                "round_trip_ms": known.value.identity.round_trip_ms,
                "machine_round_trip_ms": known.value.machine_round_trip_ms,
            }))),
            "trouble": trouble(seen.and_then(|seen| seen.trouble.as_ref())),
        })
    });
    json!({"hosts": rows.collect::<Vec<_>>()})
}

/// The machines of the config, each with the last check of it.
pub(crate) fn machines(board: &Board, now_ms: i64) -> Value {
    let rows = board.machines.iter().map(|(id, seen)| {
        json!({
            "id": id,
            "last": seen.check.as_ref().map(|known| {
                let mut value = json!(known.value);
                put(&mut value, "at_ms", json!(known.at_ms));
                put(&mut value, "age_ms", json!(age_ms(known.at_ms, now_ms)));
                timed(value)
            }),
            "trouble": trouble(seen.trouble.as_ref()),
        })
    });
    json!({"machines": rows.collect::<Vec<_>>()})
}

/// The last probes, each with the moment of its run.
pub(crate) fn last_probes(board: &Board, now_ms: i64) -> Value {
    let rows = board.probes.values().flat_map(|known| {
        known.value.iter().map(|row| {
            let mut value = json!(row);
            put(&mut value, "at_ms", json!(known.at_ms));
            put(&mut value, "age_ms", json!(age_ms(known.at_ms, now_ms)));
            timed(value)
        })
    });
    json!({"probes": rows.collect::<Vec<_>>()})
}

/// Lines of the audit, newest first.
pub(crate) fn audit(rows: &[AuditRow]) -> Value {
    timed(json!({"audit": rows}))
}
