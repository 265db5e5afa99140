//! Applying exactly the plan that was approved, and what a stop in the middle leaves behind.

use super::plan::{draft, step_lines};
use super::prove::prove;
use super::steps::carry_out;
use super::{RolledBack, STARTED};
use crate::approval::{Approval, changed_since};
use crate::batches;
use crate::context::Job;
use crate::failure::{Failure, Outcome};
use crate::import::Scene;
use crate::journal::Journal;
use crate::late;
use crate::planned::{self, Open, ROLLBACK, event};
use cockpit_domain::batch::{AccessStatus, Batch, BatchKind, BatchStatus};
use cockpit_domain::ids::PlanId;
use cockpit_domain::resource::BatchResource;
use cockpit_domain::rollback::RollbackPlan;

/// Applies exactly this plan and proves the end by listing.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval) -> Outcome<RolledBack> {
    let open: Open<RollbackPlan> = planned::open(job, ROLLBACK, id, approval).await?;
    let (saved, plan, api) = (&open.saved, &open.plan, open.api.as_ref());
    let batch_id = plan.batch;
    let mut batch = batches::load(job, batch_id).await?;
    let drafted = draft(job, api, &batch, plan.expires_ms, plan.delete).await?;
    let now = &drafted.plan;
    if now.revision != plan.revision || now.steps != plan.steps {
        let told = changed_since(&step_lines(plan), &step_lines(now));
        return Err(open.stale("the host or the batch", &told).hint(format!(
            "`cockpit rollback plan {}` shows it as it is now",
            batch_id.0
        )));
    }
    job.ports.store.use_plan(id, job.now_ms()).await?;
    record(job, &drafted.found).await?;
    let journal = Journal::open(job, batch_id, &saved.host, &saved.hash, &open.reason).await?;
    event(
        job,
        batch_id,
        STARTED,
        format!("{id} by {}", job.settings.owner),
    )
    .await?;
    // From here on it is no longer what it was: a stop in the middle has to be seen.
    let stood = (batch.batch_status, std::mem::take(&mut batch.reason));
    batch.batch_status = BatchStatus::Running;
    job.ports.store.save_batch(&batch).await?;
    let worked = async {
        let done = carry_out(job, api, &journal, &batch, &drafted).await?;
        let proof = prove(job, api, &batch, plan, &drafted.view).await?;
        Ok((done, proof))
    };
    let (done, proof) = match worked.await {
        Ok(worked) => worked,
        Err(failure) => return Err(half_taken_back(job, batch, failure).await?),
    };
    (batch.batch_status, batch.reason) = stood;
    let blocked: Vec<String> = plan
        .steps
        .iter()
        .filter_map(|step| {
            step.blocked
                .as_ref()
                .map(|why| format!("{}: {why}", step.change.line()))
        })
        .collect();
    if blocked.is_empty() && proof.remains.is_empty() {
        batch.batch_status = BatchStatus::RolledBack;
        job.ports.store.wipe_plan_keys(batch.plan).await?;
    }
    if batch.kind == BatchKind::Import {
        batch.latest_access_status = Some(AccessStatus::Broken);
    }
    batch.updated_ms = job.now_ms();
    job.ports.store.save_batch(&batch).await?;
    event(
        job,
        batch_id,
        "rollback_finished",
        format!(
            "{done} step(s) done, {} blocked, {} left",
            blocked.len(),
            proof.remains.len()
        ),
    )
    .await?;
    Ok(RolledBack {
        batch,
        done,
        blocked,
        remains: proof.remains,
        disturbed: proof.disturbed,
        will_not_undo: plan.will_not_undo.clone(),
    })
}

/// Writes down that a rollback stopped in the middle.
async fn half_taken_back(job: &Job, mut batch: Batch, failure: Failure) -> Outcome<Failure> {
    batch.batch_status = BatchStatus::Interrupted;
    batch.interrupted_by = Some(job.interruption(&failure));
    batch.reason = format!("its rollback stopped in the middle: {failure}");
    batch.updated_ms = job.now_ms();
    job.ports.store.save_batch(&batch).await?;
    event(job, batch.id, "rollback_interrupted", failure.to_string()).await?;
    let hint = format!("plan the rest: `cockpit rollback plan {}`", batch.id.0);
    Ok(failure.hint(hint))
}

/// Undoes what a failing import made itself; used inside the import, under its lease.
pub(crate) async fn undo_own(scene: &Scene) -> Outcome<()> {
    let on_their_way = late::on_their_way(&scene.job, &scene.batch).await?;
    late::settle(&scene.job, &on_their_way).await?;
    let api = scene.api.as_ref();
    let drafted = draft(&scene.job, api, &scene.batch, None, false).await?;
    record(&scene.job, &drafted.found).await?;
    carry_out(&scene.job, api, &scene.journal, &scene.batch, &drafted).await?;
    Ok(())
}

/// Writes down what lost answers left, before it is undone: a stop in the middle finds it again.
async fn record(job: &Job, found: &[BatchResource]) -> Outcome<()> {
    for resource in found {
        job.ports.store.record(resource).await?;
    }
    Ok(())
}
