//! Applying exactly the plan that was approved, and what a stop in the middle leaves behind.

use super::plan::{draft, step_lines};
use super::prove::prove;
use super::steps::carry_out;
use super::{RolledBack, STARTED, event};
use crate::approval::{Approval, changed_since};
use crate::batches;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::{Scene, lease};
use crate::journal::Journal;
use crate::late;
use cockpit_domain::batch::{AccessStatus, Batch, BatchKind, BatchStatus};
use cockpit_domain::ids::PlanId;
use cockpit_domain::resource::BatchResource;
use cockpit_domain::rollback::RollbackPlan;

/// Applies exactly this plan and proves the end by listing.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval) -> Outcome<RolledBack> {
    let doing = format!("applying {id}");
    let saved = job.ports.store.plan(id).await?.ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("there is no {id}"))
            .doing(doing.clone())
            .hint("`cockpit rollback plan BATCH` makes one")
    })?;
    let (true, Some(batch_id)) = (saved.kind == "rollback", saved.batch) else {
        return Err(
            Failure::new(FailureKind::Usage, format!("{id} is no rollback plan"))
                .doing(doing)
                .hint(format!("use `cockpit {} apply`", saved.kind)),
        );
    };
    approval.check(&saved, job.host(&saved.host)?)?;
    job.may_write(&saved.host)?;
    if saved.used_ms.is_some() {
        return Err(
            Failure::new(FailureKind::Conflict, format!("{id} was applied already"))
                .doing(doing)
                .hint(format!(
                    "`cockpit batch show {}` tells what it did; what is left wants a new plan",
                    batch_id.0
                )),
        );
    }
    let plan: RollbackPlan = serde_json::from_value(saved.body.clone()).map_err(|error| {
        Failure::new(FailureKind::Store, error.to_string()).doing(doing.clone())
    })?;
    if plan.expires_ms.is_some_and(|end| job.now_ms() > end) {
        return Err(Failure::new(
            FailureKind::Conflict,
            "the plan is older than 15 minutes, too old for production",
        )
        .doing(doing)
        .hint("make the plan again and read it again"));
    }
    let _lease = lease(job, &saved.host, &saved.provider, &doing).await?;
    let api = job.ports.hosts.api(&saved.host).await?;
    let mut batch = batches::load(job, batch_id).await?;
    let drafted = draft(job, api.as_ref(), &batch, plan.expires_ms, plan.delete).await?;
    let now = &drafted.plan;
    if now.revision != plan.revision || now.steps != plan.steps {
        let told = changed_since(&step_lines(&plan), &step_lines(now));
        return Err(Failure::new(
            FailureKind::Conflict,
            format!("the host or the batch changed since the plan was made: {told}"),
        )
        .doing(doing)
        .hint(format!(
            "`cockpit rollback plan {}` shows it as it is now",
            batch_id.0
        )));
    }
    job.ports.store.use_plan(id, job.now_ms()).await?;
    record(job, &drafted.found).await?;
    let reason = approval.reason.clone().unwrap_or_default();
    let journal = Journal::open(job, batch_id, &saved.host, &saved.hash, &reason).await?;
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
        let done = carry_out(job, api.as_ref(), &journal, &batch, &drafted).await?;
        let proof = prove(job, api.as_ref(), &batch, &plan, &drafted.view).await?;
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
        will_not_undo: plan.will_not_undo,
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
