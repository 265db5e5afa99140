//! Applying a repair plan, and going on with one that was stopped.

use super::plan::{KIND, draft, unknown};
use super::prove::{Proof, prove};
use super::write::RepairBinding;
use crate::approval::{Approval, changed_since};
use crate::baseline::{self, BaselineReport};
use crate::batches::{self, begun};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::lease;
use crate::journal::Journal;
use crate::ports::{HostApi, SavedPlan};
use crate::rollback;
use crate::view::read_view;
use cockpit_domain::batch::{Batch, BatchEvent, BatchKind, BatchStatus};
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
    let doing = format!("applying {id}");
    let (saved, plan) = load(job, id, approval, &doing).await?;
    job.may_write(&saved.host)?;
    let _lease = lease(job, &saved.host, &saved.provider, &doing).await?;
    let api = job.ports.hosts.api(&saved.host).await?;
    job.say("reading the host again");
    let (pack, _) = baseline::meant(job, Some(&plan.pack))?;
    let check = pack
        .check(&plan.check)
        .ok_or_else(|| unknown(&pack, &plan.check))?;
    let host = job.host(&saved.host)?.clone();
    let fresh = draft(job, api.as_ref(), &host, &pack, check).await;
    let (now, before) = fresh.map_err(|failure| stale(&plan, &failure.message, &doing))?;
    if now.revision != plan.revision || now.changes != plan.changes {
        let told = changed_since(&lines(&plan.changes), &lines(&now.changes));
        return Err(stale(&plan, &told, &doing));
    }
    let mut batch = begun(
        job,
        BatchKind::Repair,
        &plan.host,
        &plan.pack,
        id,
        &saved.hash,
    );
    batch.id = job.ports.store.create_batch(&batch, &[]).await?;
    let reason = approval.reason.clone().unwrap_or_default();
    let started = format!(
        "{id} {} by {}: {}",
        &saved.hash[..12],
        job.settings.owner,
        plan.check
    );
    event(job, batch.id, "started", started).await?;
    run(job, api.as_ref(), batch, &plan, &before, &reason).await
}

/// Goes on with a repair that was stopped: what was done is found, what was lost is looked up.
pub(crate) async fn resume(job: &Job, id: BatchId) -> Outcome<Batch> {
    let doing = format!("resuming {id}");
    let before = batches::load(job, id).await?;
    job.may_write(&before.host)?;
    let _lease = lease(job, &before.host, &before.provider, &doing).await?;
    let mut batch = batches::load(job, id).await?;
    rollback::may_resume(job, &batch, &doing).await?;
    let saved = job.ports.store.plan(batch.plan).await?.ok_or_else(|| {
        Failure::new(
            FailureKind::Store,
            format!("{} of {id} is gone", batch.plan),
        )
        .doing(doing.clone())
        .hint(format!("roll it back: `cockpit rollback plan {}`", id.0))
    })?;
    let plan = content(&saved, &doing)?;
    let api = job.ports.hosts.api(&batch.host).await?;
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
        .doing(doing)
        .hint(format!(
            "close it with `cockpit rollback plan {}`, then plan the repair again",
            id.0
        )));
    }
    batch.batch_status = BatchStatus::Running;
    batch.reason = String::new();
    batch.owner.clone_from(&job.settings.owner);
    job.ports.store.save_batch(&batch).await?;
    event(job, id, "resumed", format!("by {}", job.settings.owner)).await?;
    let repaired = run(job, api.as_ref(), batch, &plan, &view, "resume").await?;
    Ok(repaired.batch)
}

/// Loads a plan and checks everything that needs no host.
async fn load(
    job: &Job,
    id: PlanId,
    approval: &Approval,
    doing: &str,
) -> Outcome<(SavedPlan, RepairPlan)> {
    let saved = job.ports.store.plan(id).await?.ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("there is no {id}"))
            .doing(doing)
            .hint("`cockpit repair plan --check ID` makes one and prints its id and hash")
    })?;
    if saved.kind != KIND {
        return Err(
            Failure::new(FailureKind::Usage, format!("{id} is no repair plan"))
                .doing(doing)
                .hint(format!("use `cockpit {} apply`", saved.kind)),
        );
    }
    approval.check(&saved, job.host(&saved.host)?)?;
    let plan = content(&saved, doing)?;
    if saved.used_ms.is_some() {
        let by = saved
            .batch
            .map(|batch| format!(", as {batch}"))
            .unwrap_or_default();
        return Err(Failure::new(
            FailureKind::Conflict,
            format!("{id} was applied already{by}"),
        )
        .doing(doing)
        .hint("make a new plan: it sees what is there now"));
    }
    if plan.expires_ms.is_some_and(|end| job.now_ms() > end) {
        return Err(Failure::new(
            FailureKind::Conflict,
            "the plan is older than 15 minutes, too old for production",
        )
        .doing(doing)
        .hint("make the plan again and read it again"));
    }
    if !plan.blockers.is_empty() {
        return Err(
            Failure::new(FailureKind::Conflict, plan.blockers.join("; "))
                .doing(doing)
                .hint("a plan with blockers is never applied; mend what it names and plan again"),
        );
    }
    Ok((saved, plan))
}

fn content(saved: &SavedPlan, doing: &str) -> Outcome<RepairPlan> {
    serde_json::from_value(saved.body.clone()).map_err(|error| {
        Failure::new(
            FailureKind::Store,
            format!("the saved plan cannot be read: {error}"),
        )
        .doing(doing)
        .hint("make the plan again")
    })
}

fn stale(plan: &RepairPlan, told: &str, doing: &str) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        format!("the host changed since the plan was made: {told}"),
    )
    .doing(doing)
    .hint(format!(
        "nothing was written; `cockpit repair plan --check {}` shows it as it is now",
        plan.check
    ))
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
        Err(mut failure) => {
            batch.batch_status = BatchStatus::Interrupted;
            batch.interrupted_by = Some(job.interruption(&failure));
            batch.reason = failure.to_string();
            batch.updated_ms = job.now_ms();
            job.ports.store.save_batch(&batch).await?;
            event(job, batch.id, "interrupted", failure.to_string()).await?;
            let id = batch.id.0;
            // What the host's own layer would have one do by hand, going on does by itself.
            failure.hint = format!(
                "`cockpit batch resume {id}` looks it up and goes on; `cockpit rollback plan {id}` takes it back"
            );
            Err(failure)
        }
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
    batch.batch_status = if proof.unproven.is_empty() {
        BatchStatus::Succeeded
    } else {
        BatchStatus::PartiallySucceeded
    };
    batch.reason = match proof.unproven.as_slice() {
        [] => String::new(),
        rows => format!("written, but not proven: {}", rows.join("; ")),
    };
    batch.updated_ms = job.now_ms();
    job.ports.store.save_batch(&batch).await?;
    let text = format!(
        "baseline {}: {}, {} row(s) not proven",
        plan.pack,
        proof.report.verdict,
        proof.unproven.len()
    );
    event(job, batch.id, "finished", text).await?;
    Ok(Repaired {
        batch,
        check: plan.check.clone(),
        done: 1,
        unproven: proof.unproven,
        disturbed: proof.disturbed,
        report: proof.report,
    })
}

async fn event(job: &Job, batch: BatchId, kind: &str, text: String) -> Outcome<()> {
    let event = BatchEvent {
        at_ms: job.now_ms(),
        item: None,
        kind: kind.to_owned(),
        text,
    };
    job.ports.store.add_event(batch, &event).await
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
