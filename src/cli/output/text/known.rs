//! What is known already, as text: every row with its age.

use super::{baseline::baseline, drawn, plain, put};
use cockpit_domain::baseline::BaselineReport;
use cockpit_domain::ids::PackId;
use cockpit_domain::text::span;
use cockpit_engine::board::{Board, Known, Trouble};
use cockpit_engine::context::Settings;
use cockpit_engine::ports::AuditRow;

/// How long ago it was.
pub(super) fn age(at_ms: i64, now_ms: i64) -> String {
    span(now_ms - at_ms)
}

pub(super) fn moment(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| format!("{at:.0}"))
}

fn trouble_cell(trouble: Option<&Known<Trouble>>, now_ms: i64) -> String {
    trouble.map_or_else(String::new, |known| {
        let age = age(known.at_ms, now_ms);
        let trouble = &known.value;
        format!("{} {age} ago: {}", trouble.kind.heading(), trouble.message)
    })
}

pub(crate) fn last_baseline(
    run: &Known<BaselineReport>,
    trouble: Option<&Known<Trouble>>,
    now_ms: i64,
) -> String {
    let mut text = String::new();
    let (at, age) = (moment(run.at_ms), age(run.at_ms, now_ms));
    put(&mut text, format_args!("last run of {at}, {age} ago"));
    if let Some(known) = trouble {
        let told = trouble_cell(Some(known), now_ms);
        put(
            &mut text,
            format_args!("a newer run came to nothing: {told}"),
        );
        if !known.value.hint.is_empty() {
            put(&mut text, format_args!("  next: {}", known.value.hint));
        }
    }
    text + &baseline(&run.value)
}

/// The hosts of the config.
pub(crate) fn hosts(settings: &Settings, board: &Board, now_ms: i64) -> String {
    if settings.hosts.is_empty() {
        return "no host is configured; README, \"A real host\", shows a block to copy; `--lab` needs none".to_owned();
    }
    let mut table = plain(&[
        "host", "role", "machine", "address", "baseline", "version", "ms", "age", "trouble",
    ]);
    for host in settings.hosts.values() {
        let seen = board.hosts.get(&host.id);
        let probe = seen.and_then(|seen| seen.probe.as_ref());
        let identity = probe.map(|known| &known.value.identity);
        table.add_row([
            host.id.to_string(),
            host.role.as_str().to_owned(),
            host.machine.to_string(),
            host.address.clone(),
            host.baseline
                .as_ref()
                .map(PackId::to_string)
                .unwrap_or_default(),
            identity
                .map(|seen| seen.version.clone())
                .unwrap_or_default(),
            identity
                .map(|seen| seen.round_trip_ms.to_string())
                .unwrap_or_default(),
            probe
                .map(|known| age(known.at_ms, now_ms))
                .unwrap_or_default(),
            trouble_cell(seen.and_then(|seen| seen.trouble.as_ref()), now_ms),
        ]);
    }
    drawn(&table)
}

/// The machines of the config.
pub(crate) fn machines(board: &Board, now_ms: i64) -> String {
    if board.machines.is_empty() {
        return "no machine is configured; README, \"A real host\", shows a block to copy"
            .to_owned();
    }
    let mut table = plain(&["machine", "system", "ms", "age", "trouble"]);
    for (id, seen) in &board.machines {
        let check = seen.check.as_ref();
        table.add_row([
            id.to_string(),
            check
                .map(|known| known.value.system.clone())
                .unwrap_or_default(),
            check
                .map(|known| known.value.round_trip_ms.to_string())
                .unwrap_or_default(),
            check
                .map(|known| age(known.at_ms, now_ms))
                .unwrap_or_default(),
            trouble_cell(seen.trouble.as_ref(), now_ms),
        ]);
    }
    drawn(&table)
}

pub(crate) fn last_probes(board: &Board, now_ms: i64) -> String {
    if board.probes.is_empty() {
        return "nothing was probed yet; `cockpit probe run` does".to_owned();
    }
    let mut table = plain(&[
        "age", "host", "provider", "hop", "protocol", "class", "status", "ms", "found",
    ]);
    for known in board.probes.values() {
        for row in &known.value {
            table.add_row([
                age(known.at_ms, now_ms),
                row.host.to_string(),
                row.provider
                    .as_ref()
                    .map(PackId::to_string)
                    .unwrap_or_default(),
                row.hop.to_string(),
                row.protocol.to_string(),
                super::class_word(row.class),
                row.status.to_string(),
                row.duration_ms.to_string(),
                row.found.clone(),
            ]);
        }
    }
    drawn(&table)
}

/// Lines of the audit, newest first.
pub(crate) fn audit(rows: &[AuditRow]) -> String {
    if rows.is_empty() {
        return "the audit is empty: nothing was written to a host and none was armed".to_owned();
    }
    let mut table = plain(&[
        "at", "who", "host", "batch", "plan", "request", "answer", "reason",
    ]);
    for row in rows {
        table.add_row([
            moment(row.at_ms),
            row.who.clone(),
            row.host.to_string(),
            row.batch.map(|batch| batch.to_string()).unwrap_or_default(),
            row.plan_hash.chars().take(12).collect(),
            row.request.clone(),
            row.answer.clone(),
            row.reason.clone(),
        ]);
    }
    drawn(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_read_at_a_glance() {
        let ages = [5_000, 0, -244_000, -11_092_000, -187_192_000].map(|at| age(at, 8_000));
        assert_eq!(ages, ["3s", "8s", "4m12s", "3h05m", "2d04h"]);
        assert_eq!(age(9_000, 8_000), "0s");
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
    }
}
