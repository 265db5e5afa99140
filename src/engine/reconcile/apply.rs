//! Carrying out the repairs of a reconcile report, and going on with one that was stopped. A repair
//! is a batch of its own, without keys: the import it mends keeps its records, and what the repair
//! changed is taken back alone.

use super::compare::Reader;
use super::write::MendWrite;
use super::{PlannedReconcile, Probes, save, why_not};
use crate::approval::{Approval, changed_since};
use crate::batches::{self, begun};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::lease;
use crate::journal::Journal;
use crate::ports::{HostApi, SavedPlan};
use crate::rollback;
use crate::view::read_view;
use cockpit_domain::batch::{Batch, BatchEvent, BatchKind, BatchStatus};
use cockpit_domain::ids::{BatchId, PlanId, RemoteId};
use cockpit_domain::import::HostView;
use cockpit_domain::plan::{Change, Sign};
use cockpit_domain::reconcile::{Mend, ReconcileReport, mended_now, recorded_after};
use cockpit_domain::recorded::{listing, listing_changes};
use serde::Serialize;
use std::sync::Arc;

/// The word of these plans in the store.
pub(crate) const KIND: &str = "reconcile";

/// What the repair of a drift came to.
#[derive(Debug, Clone, Serialize)]
pub struct Mended {
    /// The batch that records it: `rollback plan` takes it back.
    #[serde(flatten)]
    pub batch: Batch,
    /// Writes done.
    pub done: usize,
    /// What should be well now and is not; empty when the repair is proven.
    pub unproven: Vec<String>,
    /// What it left to a person, with the way out.
    pub left: Vec<String>,
    /// What changed on the host beside these writes; empty when all is well.
    pub disturbed: Vec<String>,
    /// Reconciled again after the writes.
    pub report: ReconcileReport,
}

/// Carries out exactly this plan and proves it by reconciling again.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval) -> Outcome<Mended> {
    let doing = format!("applying {id}");
    let (saved, plan) = load(job, id, approval, &doing).await?;
    job.may_write(&saved.host)?;
    let _lease = lease(job, &saved.host, &saved.provider, &doing).await?;
    let import = import_of(job, &plan, &doing).await?;
    job.say("reading the host again");
    let api = job.ports.hosts.api(&saved.host).await?;
    let (now, before) = Reader::of(&api).compare(job, &import, Probes::None).await?;
    if now.mends != plan.mends || now.changes != plan.changes {
        let told = changed_since(&lines(&plan), &lines(&now));
        return Err(Failure::new(
            FailureKind::Conflict,
            format!("the host changed since the plan was made: {told}"),
        )
        .doing(doing)
        .hint(format!(
            "nothing was written; `cockpit reconcile plan --batch {}` shows it as it is now",
            plan.batch_id.0
        )));
    }
    let mut batch = begun(
        job,
        BatchKind::Repair,
        &plan.host,
        &plan.provider,
        id,
        &saved.hash,
    );
    batch.id = job.ports.store.create_batch(&batch, &[]).await?;
    let started = format!(
        "{id} {} by {}: the drift of {}",
        &saved.hash[..12],
        job.settings.owner,
        plan.batch_id
    );
    event(job, batch.id, "started", started).await?;
    let reason = approval.reason.clone().unwrap_or_default();
    run(job, &api, batch, &plan, &before, &reason).await
}

/// Goes on with a repair that was stopped: what was done is found, what was lost is looked up.
pub(crate) async fn resume(job: &Job, id: BatchId) -> Outcome<Batch> {
    let doing = format!("resuming {id}");
    let stopped = batches::load(job, id).await?;
    job.may_write(&stopped.host)?;
    let _lease = lease(job, &stopped.host, &stopped.provider, &doing).await?;
    let mut batch = batches::load(job, id).await?;
    rollback::may_resume(job, &batch, &doing).await?;
    let saved = job.ports.store.plan(batch.plan).await?.ok_or_else(|| {
        let message = format!("{} of {id} is gone", batch.plan);
        Failure::new(FailureKind::Store, message)
            .doing(doing.clone())
            .hint(format!("roll it back: `cockpit rollback plan {}`", id.0))
    })?;
    let plan = content(&saved, &doing)?;
    import_of(job, &plan, &doing).await?;
    let api = job.ports.hosts.api(&batch.host).await?;
    let view = read_view(api.as_ref(), &batch.provider).await?;
    batch.batch_status = BatchStatus::Running;
    batch.reason = String::new();
    batch.owner.clone_from(&job.settings.owner);
    job.ports.store.save_batch(&batch).await?;
    event(job, id, "resumed", format!("by {}", job.settings.owner)).await?;
    let mended = run(job, &api, batch, &plan, &view, "resume").await?;
    Ok(mended.batch)
}

/// Loads a plan and checks everything that needs no host.
async fn load(
    job: &Job,
    id: PlanId,
    approval: &Approval,
    doing: &str,
) -> Outcome<(SavedPlan, ReconcileReport)> {
    let saved = job.ports.store.plan(id).await?.ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("there is no {id}"))
            .doing(doing)
            .hint("`cockpit reconcile plan` makes one and prints its id and hash")
    })?;
    if saved.kind != KIND {
        let message = format!("{id} is no plan of a reconcile");
        return Err(Failure::new(FailureKind::Usage, message)
            .doing(doing)
            .hint(format!("use `cockpit {} apply`", saved.kind)));
    }
    approval.check(&saved, job.host(&saved.host)?)?;
    let plan = content(&saved, doing)?;
    let refuse = |message: String, hint: &str| {
        Err(Failure::new(FailureKind::Conflict, message)
            .doing(doing)
            .hint(hint))
    };
    if saved.used_ms.is_some() {
        let by = saved
            .batch
            .map(|batch| format!(", as {batch}"))
            .unwrap_or_default();
        return refuse(
            format!("{id} was applied already{by}"),
            "make a new plan: it sees what is there now",
        );
    }
    if plan.expires_ms.is_some_and(|end| job.now_ms() > end) {
        return refuse(
            "the plan is older than 15 minutes, too old for production".to_owned(),
            "make the plan again and read it again",
        );
    }
    if plan.mends.is_empty() {
        return refuse(
            format!("{id} holds nothing that can be put back"),
            "what it says of each row is the way out; a plan that puts something back prints the line that applies it",
        );
    }
    Ok((saved, plan))
}

fn content(saved: &SavedPlan, doing: &str) -> Outcome<ReconcileReport> {
    serde_json::from_value(saved.body.clone()).map_err(|error| {
        let message = format!("the saved plan cannot be read: {error}");
        Failure::new(FailureKind::Store, message)
            .doing(doing)
            .hint("make the plan again")
    })
}

/// The batch whose drift this is: it has to stand, whole.
async fn import_of(job: &Job, plan: &ReconcileReport, doing: &str) -> Outcome<Batch> {
    let id = plan.batch_id;
    let batch = batches::load(job, id).await?;
    let refuse = |message: String, hint: String| {
        Err(Failure::new(FailureKind::Conflict, message)
            .doing(doing)
            .hint(hint))
    };
    if why_not(&batch).is_some() {
        return refuse(
            format!("{id}, whose drift this is, does not stand any more"),
            "there is nothing left to repair".to_owned(),
        );
    }
    if batch.batch_status == BatchStatus::Interrupted {
        return refuse(
            format!("{id}, whose drift this is, was stopped in the middle"),
            format!(
                "go on with it first: `cockpit batch resume {}`, then reconcile again",
                id.0
            ),
        );
    }
    Ok(batch)
}

/// A plan by its lines, for telling what changed since.
fn lines(plan: &ReconcileReport) -> Vec<String> {
    let mut lines = Vec::new();
    for change in &plan.changes {
        let fields: Vec<String> = change
            .fields
            .iter()
            .map(|field| format!("{} is {}, recorded {}", field.field, field.from, field.to))
            .collect();
        let mut line = change.line();
        if !fields.is_empty() {
            line = format!("{line} ({})", fields.join("; "));
        }
        lines.push(line);
    }
    lines
}

/// Writes, proves, and writes down how it ended.
async fn run(
    job: &Job,
    api: &Arc<dyn HostApi>,
    mut batch: Batch,
    plan: &ReconcileReport,
    before: &HostView,
    reason: &str,
) -> Outcome<Mended> {
    match work(job, api, &mut batch, plan, reason).await {
        Ok(after) => finish(job, batch, plan, before, after).await,
        Err(mut failure) => {
            batch.batch_status = BatchStatus::Interrupted;
            batch.interrupted_by = Some(job.interruption(&failure));
            batch.reason = failure.to_string();
            batch.updated_ms = job.now_ms();
            job.ports.store.save_batch(&batch).await?;
            event(job, batch.id, "interrupted", failure.to_string()).await?;
            let id = batch.id.0;
            failure.hint = if failure.kind == FailureKind::Conflict {
                format!("close it with `cockpit rollback plan {id}`, then reconcile again")
            } else {
                format!(
                    "`cockpit batch resume {id}` looks it up and goes on; `cockpit rollback plan {id}` takes it back"
                )
            };
            Err(failure)
        }
    }
}

async fn work(
    job: &Job,
    api: &Arc<dyn HostApi>,
    batch: &mut Batch,
    plan: &ReconcileReport,
    reason: &str,
) -> Outcome<(PlannedReconcile, HostView)> {
    let journal = Journal::open(job, batch.id, &batch.host, &batch.plan_hash, reason).await?;
    for (at, mend) in plan.mends.iter().enumerate() {
        job.count(mend.line(), at, plan.mends.len());
        journal
            .ensure(&MendWrite {
                api: api.as_ref(),
                batch: batch.id,
                mend,
                recorded: recorded_after(&plan.mends, at),
            })
            .await?;
        batch.last_write_ms = job.now_ms();
        batch.updated_ms = batch.last_write_ms;
        job.ports.store.save_batch(batch).await?;
        event(job, batch.id, "repaired", mend.line()).await?;
    }
    job.say("proving by reconciling again");
    let import = batches::load(job, plan.batch_id).await?;
    let (report, view) = Reader::of(api)
        .compare(job, &import, Probes::Since(batch.last_write_ms))
        .await?;
    Ok((save(job, report, &import).await?, view))
}

async fn finish(
    job: &Job,
    mut batch: Batch,
    plan: &ReconcileReport,
    before: &HostView,
    (after, view): (PlannedReconcile, HostView),
) -> Outcome<Mended> {
    let report = after.report;
    let mut unproven: Vec<String> = plan
        .mends
        .iter()
        .filter(|mend| !mended_now(&view, mend).is_some_and(|now| mend.holds(&now)))
        .map(|mend| format!("is not as it was written: {}", mend.line()))
        .collect();
    unproven.extend(report.probe_notes.iter().cloned());
    batch.batch_status = if unproven.is_empty() {
        BatchStatus::Succeeded
    } else {
        BatchStatus::PartiallySucceeded
    };
    if !unproven.is_empty() {
        batch.reason = format!("written, but not proven: {}", unproven.join("; "));
    }
    batch.updated_ms = job.now_ms();
    job.ports.store.save_batch(&batch).await?;
    let text = format!(
        "{} is {}, {} row(s) not proven",
        plan.batch_id,
        report.status,
        unproven.len()
    );
    event(job, batch.id, "finished", text).await?;
    let left = report.changes.iter();
    let left = left
        .filter(|row| row.sign == Sign::Attention)
        .map(Change::line)
        .collect();
    Ok(Mended {
        batch,
        done: plan.mends.len(),
        unproven,
        left,
        disturbed: disturbed(plan, before, &view),
        report,
    })
}

/// Everything on the host but what was written to.
fn disturbed(plan: &ReconcileReport, before: &HostView, after: &HostView) -> Vec<String> {
    let keep = |view: &HostView| {
        let mut rows = listing(view);
        rows.retain(|(kind, _, id), _| {
            let ours = |mend: &Mend| (mend.kind, mend.host_resource_id) == (*kind, RemoteId(*id));
            !plan.mends.iter().any(ours)
        });
        rows
    };
    listing_changes(&keep(before), &keep(after))
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
