//! The proof of a repair: the same checks again, and a listing before and after.

use crate::baseline::{self, BaselineReport};
use crate::context::Job;
use crate::failure::Outcome;
use crate::ports::HostApi;
use crate::view::read_view;
use cockpit_domain::baseline::{CheckResult, Verdict};
use cockpit_domain::ids::HostId;
use cockpit_domain::import::HostView;
use cockpit_domain::pack::{BaselinePack, Look};
use cockpit_domain::recorded::{listing, listing_changes};
use cockpit_domain::repair::{Rebind, RepairPlan, may_be_warming};
use std::time::Duration;

/// What was seen after the write.
pub(super) struct Proof {
    /// The whole baseline, run again.
    pub(super) report: BaselineReport,
    /// Rows that should be well now and are not.
    pub(super) unproven: Vec<String>,
    /// What changed on the host beside the write.
    pub(super) disturbed: Vec<String>,
}

/// Runs the baseline until the repaired check and the smokes over its groups are well, or until
/// the window after a write is over in which the host need not have noticed it yet.
pub(super) async fn prove(
    job: &Job,
    api: &dyn HostApi,
    pack: &BaselinePack,
    plan: &RepairPlan,
    rebind: &Rebind,
    before: &HostView,
) -> Outcome<Proof> {
    job.say("proving by listing");
    let after = read_view(api, &pack.id).await?;
    let mut report = until_proven(job, &plan.host, pack, plan, rebind).await;
    baseline::keep_report(job, &mut report).await;
    let unproven = report
        .results
        .iter()
        .filter(|row| is_about(pack, row, plan, rebind))
        .filter(|row| !matches!(row.verdict, Verdict::Ok | Verdict::Warn | Verdict::Waived))
        .map(|row| format!("{}: {} ({})", row.id, row.verdict, row.found))
        .collect();
    Ok(Proof {
        report,
        unproven,
        disturbed: disturbed(rebind, before, &after),
    })
}

async fn until_proven(
    job: &Job,
    host: &HostId,
    pack: &BaselinePack,
    plan: &RepairPlan,
    rebind: &Rebind,
) -> BaselineReport {
    let window = i64::try_from(job.settings.timing.warming.as_millis()).unwrap_or(i64::MAX);
    let end = job.now_ms().saturating_add(window);
    let mut wait = job.settings.timing.first_wait;
    loop {
        let report = baseline::run_for(job, pack, Some(host.clone())).await;
        let warming = report.results.iter().any(|row| {
            is_about(pack, row, plan, rebind)
                && row.id != plan.check
                && row.verdict == Verdict::Fail
                && may_be_warming(&row.found)
        });
        let left = end - job.now_ms();
        if !warming || left <= 0 || job.cancel.is_cancelled() {
            return report;
        }
        job.say(format!(
            "the host has not noticed yet, asked again for {} s",
            left / 1000 + 1
        ));
        job.pause(wait).await;
        wait = (wait * 2).min(Duration::from_secs(4));
    }
}

/// The check itself, and every smoke through a group it gave back.
fn is_about(pack: &BaselinePack, row: &CheckResult, plan: &RepairPlan, rebind: &Rebind) -> bool {
    row.id == plan.check
        || pack.check(&row.id).is_some_and(|check| match &check.look {
            Look::Smoke(smoke) => rebind.groups.iter().any(|group| group.0 == smoke.group),
            _ => false,
        })
}

/// Everything but the groups of the one thing that was repaired.
fn disturbed(rebind: &Rebind, before: &HostView, after: &HostView) -> Vec<String> {
    let expected = format!(
        "~ {} {} #{} [group_ids]",
        rebind.kind, rebind.name, rebind.id
    );
    let mut lines = listing_changes(&listing(before), &listing(after));
    lines.retain(|line| *line != expected);
    lines
}
