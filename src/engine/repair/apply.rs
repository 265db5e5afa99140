//! Applying a repair plan, and going on with one that was stopped.

use super::plan::{draft, unknown};
use super::prove::{Proof, prove};
use super::write::RepairBinding;
use crate::approval::{Approval, changed_since};
use crate::baseline::{self, BaselineReport};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::journal::Journal;
use crate::planned::{self, Open, REPAIR, Taken, again, begin, ended, event, stopped, take_up};
use crate::ports::HostApi;
use crate::view::read_view;
use cockpit_domain::batch::{Batch, BatchKind, BatchStatus};
use cockpit_domain::ids::{BatchId, PlanId};
use cockpit_domain::import::HostView;
use cockpit_domain::plan::Change;
use cockpit_domain::repair::{Rebind, RepairPlan};
use cockpit_domain::resource::ResourceKind;
use serde::Serialize;

/// What a repair came to.
#[derive(Debug, Clone, Serialize)]
pub struct Repaired {
    /// The batch that records it: `rollback plan` takes it back.
    #[serde(flatten)]
    pub batch: Batch,
    /// The check that was repaired.
    pub check: String,
    /// Writes done.
    pub done: usize,
    /// Rows that should be well now and are not; empty when the repair is proven.
    pub unproven: Vec<String>,
    /// What changed on the host beside the write; empty when all is well.
    pub disturbed: Vec<String>,
    /// The baseline, run again after the write.
    pub report: BaselineReport,
}

/// Carries out exactly this plan and proves it with the same checks.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval) -> Outcome<Repaired> {
    let open: Open<RepairPlan> = planned::open(job, REPAIR, id, approval).await?;
    let (plan, api) = (&open.plan, open.api.as_ref());
    let (pack, _) = baseline::meant(job, Some(&plan.pack))?;
    let check = pack
        .check(&plan.check)
        .ok_or_else(|| unknown(&pack, &plan.check))?;
    let stale = |told: &str| {
        open.stale("the host", told).hint(format!(
            "nothing was written; `cockpit repair plan --check {}` shows it as it is now",
            plan.check
        ))
    };
    let fresh = draft(job, api, &open.host, &pack, check).await;
    let (now, before) = fresh.map_err(|failure| stale(&failure.message))?;
    if now.revision != plan.revision || now.changes != plan.changes {
        let told = changed_since(&lines(&plan.changes), &lines(&now.changes));
        return Err(stale(&told));
    }
    let batch = begin(job, BatchKind::Repair, &open.saved, &plan.check).await?;
    run(job, api, batch, plan, &before, &open.reason).await
}

/// Goes on with a repair that was stopped: what was done is found, what was lost is looked up.
pub(crate) async fn resume(job: &Job, id: BatchId) -> Outcome<Batch> {
    let mut taken: Taken<RepairPlan> = take_up(job, id).await?;
    let plan = &taken.plan;
    let api = job.ports.hosts.api(&taken.batch.host).await?;
    let view = read_view(api.as_ref(), &plan.pack).await?;
    // Somebody else's change since must not be overwritten with what was planned before it.
    if let Some(rebind) = &plan.rebind
        && let Some(now) = groups_now(&view, rebind)
        && now != rebind.before
        && now != rebind.groups
    {
        return Err(Failure::new(
            FailureKind::Conflict,
            format!(
                "the groups of {} {} #{} were changed since by somebody else",
                rebind.kind, rebind.name, rebind.id
            ),
        )
        .doing(&taken.doing)
        .hint(format!(
            "close it with `cockpit rollback plan {}`, then plan the repair again",
            id.0
        )));
    }
    again(job, &mut taken.batch).await?;
    let repaired = run(job, api.as_ref(), taken.batch, plan, &view, "resume").await?;
    Ok(repaired.batch)
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(Change::line).collect()
}

/// Writes, proves, and writes down how it ended.
async fn run(
    job: &Job,
    api: &dyn HostApi,
    mut batch: Batch,
    plan: &RepairPlan,
    before: &HostView,
    reason: &str,
) -> Outcome<Repaired> {
    match work(job, api, &mut batch, plan, before, reason).await {
        Ok(proof) => finish(job, batch, plan, proof).await,
        Err(failure) => Err(stopped(job, batch, failure).await?),
    }
}

async fn work(
    job: &Job,
    api: &dyn HostApi,
    batch: &mut Batch,
    plan: &RepairPlan,
    before: &HostView,
    reason: &str,
) -> Outcome<Proof> {
    let rebind = plan.rebind.as_ref().ok_or_else(|| {
        Failure::new(
            FailureKind::Internal,
            "a plan without blockers holds no write",
        )
    })?;
    let journal = Journal::open(job, batch.id, &batch.host, &batch.plan_hash, reason).await?;
    let channel = before
        .channels
        .iter()
        .find(|row| rebind.kind == ResourceKind::Channel && row.id == rebind.id);
    let change = plan.changes.first().map(Change::line).unwrap_or_default();
    job.count(change, 0, 1);
    journal
        .ensure(&RepairBinding {
            api,
            batch: batch.id,
            rebind,
            channel: channel.cloned(),
        })
        .await?;
    batch.last_write_ms = job.now_ms();
    batch.updated_ms = batch.last_write_ms;
    job.ports.store.save_batch(batch).await?;
    let call = plan.call.clone().unwrap_or_default();
    event(job, batch.id, "repaired", call).await?;
    let (pack, _) = baseline::meant(job, Some(&plan.pack))?;
    prove(job, api, &pack, plan, rebind, before).await
}

async fn finish(job: &Job, mut batch: Batch, plan: &RepairPlan, proof: Proof) -> Outcome<Repaired> {
    let (status, reason) = match proof.unproven.as_slice() {
        [] => (BatchStatus::Succeeded, String::new()),
        rows => (
            BatchStatus::PartiallySucceeded,
            format!("written, but not proven: {}", rows.join("; ")),
        ),
    };
    let told = format!(
        "baseline {}: {}, {} row(s) not proven",
        plan.pack,
        proof.report.verdict,
        proof.unproven.len()
    );
    ended(job, &mut batch, status, reason, told).await?;
    Ok(Repaired {
        batch,
        check: plan.check.clone(),
        done: 1,
        unproven: proof.unproven,
        disturbed: proof.disturbed,
        report: proof.report,
    })
}

/// Groups of what a repair is about, in order; `None` when it is gone.
fn groups_now(view: &HostView, rebind: &Rebind) -> Option<Vec<cockpit_domain::ids::RemoteId>> {
    let mut groups = match rebind.kind {
        ResourceKind::Channel => {
            let mut rows = view.channels.iter();
            let found = rows.find(|row| row.id == rebind.id)?;
            found.spec.group_ids.clone()
        }
        _ => {
            let mut rows = view.accounts.iter();
            let found = rows.find(|row| row.id == rebind.id)?;
            found.group_ids.clone()
        }
    };
    groups.sort();
    groups.dedup();
    Some(groups)
}
