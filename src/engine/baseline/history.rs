//! The history of checks: what every run adds to it, and what it says of them.

use super::command::only_pack;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::CheckLook;
use cockpit_domain::baseline::{BaselineReport, CheckHistory, FLAPS_MS, Stretch, brief};
use cockpit_domain::ids::PackId;
use cockpit_domain::pack::Pack;
use cockpit_domain::text::shorten;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The window of a history when none is named.
const WINDOW: Duration = Duration::from_hours(7 * 24);
/// Most characters of a finding that a history keeps.
const MOST_FOUND: usize = 240;

/// The history of a pack's checks, or of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Histories {
    /// The pack.
    pub pack: PackId,
    /// Where the window begins, UTC ms.
    pub since_ms: i64,
    /// The checks that were ever looked at, in the order of the pack.
    pub checks: Vec<CheckHistory>,
}

/// What the checks of a pack came to since some time ago.
///
/// # Errors
/// `Usage` when no pack is meant or no such check is known.
pub async fn history(
    job: &Job,
    pack: Option<&PackId>,
    check: Option<&str>,
    since: Option<Duration>,
) -> Outcome<Histories> {
    let pack = match pack {
        Some(pack) => pack.clone(),
        None => only_pack(&job.settings)?,
    };
    let window = i64::try_from(since.unwrap_or(WINDOW).as_millis()).unwrap_or(i64::MAX);
    let since_ms = job.now_ms().saturating_sub(window);
    let by_check = read(job, &pack, check, since_ms).await?;
    // A pack that cannot be read any more has a history all the same.
    let order: Vec<String> = match job.ports.packs.read(&pack) {
        Ok(Pack::Baseline(pack)) => pack.checks.into_iter().map(|check| check.id).collect(),
        _ => Vec::new(),
    };
    if let Some(check) = check
        && !by_check.contains_key(check)
        && !order.iter().any(|id| id == check)
    {
        return Err(no_such_check(&pack, check, &order));
    }
    let mut checks: Vec<CheckHistory> = by_check
        .iter()
        .filter_map(|(check, rows)| CheckHistory::of(&pack, check, rows, since_ms))
        .collect();
    checks.sort_by_key(|row| {
        order
            .iter()
            .position(|id| *id == row.check)
            .unwrap_or(order.len())
    });
    Ok(Histories {
        pack,
        since_ms,
        checks,
    })
}

/// A check that neither the pack nor its history knows.
pub(super) fn no_such_check(pack: &PackId, check: &str, order: &[String]) -> Failure {
    let found = format!("`{pack}` has no check `{check}`");
    let mut known = order
        .iter()
        .take(12)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if order.len() > 12 {
        known.push_str(", ..");
    }
    Failure::new(FailureKind::Usage, found)
        .doing("looking up the check")
        .hint(if known.is_empty() {
            "`cockpit baseline run` shows the checks".to_owned()
        } else {
            format!("its checks: {known}")
        })
}

async fn read(
    job: &Job,
    pack: &PackId,
    check: Option<&str>,
    since_ms: i64,
) -> Outcome<BTreeMap<String, Vec<Stretch>>> {
    let rows = job.ports.store.stretches(pack, check, since_ms).await?;
    let mut by_check: BTreeMap<String, Vec<Stretch>> = BTreeMap::new();
    for (check, stretch) in rows {
        by_check.entry(check).or_default().push(stretch);
    }
    Ok(by_check)
}

/// Adds a whole run to the history, and gives every row its history in few words. A store that cannot
/// costs the words, not the run.
pub(super) async fn remember(job: &Job, report: &mut BaselineReport) {
    if let Err(failure) = add(job, report).await {
        tracing::warn!(%failure, pack = %report.pack, "the history of checks was not kept");
    }
}

async fn add(job: &Job, report: &mut BaselineReport) -> Outcome<()> {
    if !report.cancelled {
        let looks: Vec<CheckLook> = report
            .results
            .iter()
            // A row that stands from the run before is no new look.
            .filter(|row| row.at_ms >= report.started_ms)
            .map(|row| CheckLook {
                check: row.id.clone(),
                verdict: row.judged(),
                found: shorten(&row.found.replace('\n', "; "), MOST_FOUND),
                at_ms: row.at_ms,
            })
            .collect();
        job.ports.store.keep_looks(&report.pack, &looks).await?;
    }
    let now_ms = job.now_ms();
    let by_check = read(job, &report.pack, None, now_ms - FLAPS_MS).await?;
    for row in &mut report.results {
        row.history = by_check.get(&row.id).map(|rows| brief(rows, now_ms));
    }
    Ok(())
}
