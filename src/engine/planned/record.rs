//! The batch that records what came of a plan: begun, stopped, taken up again, ended.

use super::open::{content, lease};
use crate::batches;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{Lease, SavedPlan};
use crate::rollback;
use cockpit_domain::batch::{Batch, BatchEvent, BatchKind, BatchStatus};
use cockpit_domain::ids::BatchId;
use serde::de::DeserializeOwned;

/// Begins a batch without keys, which uses up its plan.
pub(crate) async fn begin(
    job: &Job,
    kind: BatchKind,
    saved: &SavedPlan,
    what: &str,
) -> Outcome<Batch> {
    let mut batch = Batch::begun(
        kind,
        (&saved.host, &saved.provider),
        (saved.id, &saved.hash),
        &job.settings.owner,
        job.now_ms(),
    );
    batch.id = job.ports.store.create_batch(&batch, &[]).await?;
    let text = format!(
        "{} {} by {}: {what}",
        saved.id,
        &saved.hash[..12],
        job.settings.owner
    );
    event(job, batch.id, "started", text).await?;
    Ok(batch)
}

/// A batch that was stopped, under the one writer's place.
pub(crate) struct Taken<P> {
    /// The batch as it was left.
    pub(crate) batch: Batch,
    /// Its plan.
    pub(crate) plan: P,
    /// What is being done.
    pub(crate) doing: String,
    _lease: Box<dyn Lease>,
}

/// Takes a stopped batch up. Nothing is written down yet: [`again`] does that.
pub(crate) async fn take_up<P: DeserializeOwned>(job: &Job, id: BatchId) -> Outcome<Taken<P>> {
    let doing = format!("resuming {id}");
    let before = batches::load(job, id).await?;
    job.may_write(&before.host)?;
    let held = lease(job, &before.host, &before.provider, &doing).await?;
    // As it is now that nobody else can be at work on it.
    let batch = batches::load(job, id).await?;
    rollback::may_resume(job, &batch, &doing).await?;
    Ok(Taken {
        plan: plan_of(job, &batch, &doing).await?,
        batch,
        doing,
        _lease: held,
    })
}

/// The plan of a batch that is gone on with.
async fn plan_of<P: DeserializeOwned>(job: &Job, batch: &Batch, doing: &str) -> Outcome<P> {
    let Some(saved) = job.ports.store.plan(batch.plan).await? else {
        let message = format!("{} of {} is gone", batch.plan, batch.id);
        let mut failure = Failure::new(FailureKind::Store, message).doing(doing);
        if batch.kind.why_final().is_none() {
            failure = failure.hint(format!(
                "roll it back: `cockpit rollback plan {}`",
                batch.id.0
            ));
        }
        return Err(failure);
    };
    content(&saved, doing)
}

/// Marks a batch as at work again.
pub(crate) async fn again(job: &Job, batch: &mut Batch) -> Outcome<()> {
    batch.batch_status = BatchStatus::Running;
    batch.reason = String::new();
    batch.interrupted_by = None;
    batch.owner.clone_from(&job.settings.owner);
    job.ports.store.save_batch(batch).await?;
    let text = format!("by {}", job.settings.owner);
    event(job, batch.id, "resumed", text).await
}

/// Writes down that a batch stopped in the middle, and why.
pub(crate) async fn interrupted(job: &Job, batch: &mut Batch, failure: &Failure) -> Outcome<()> {
    batch.batch_status = BatchStatus::Interrupted;
    batch.interrupted_by = Some(job.interruption(failure));
    batch.reason = failure.to_string();
    batch.updated_ms = job.now_ms();
    job.ports.store.save_batch(batch).await?;
    event(job, batch.id, "interrupted", failure.to_string()).await
}

/// Writes down that it stopped in the middle, and says how to go on.
pub(crate) async fn stopped(job: &Job, mut batch: Batch, mut failure: Failure) -> Outcome<Failure> {
    interrupted(job, &mut batch, &failure).await?;
    let id = batch.id.0;
    // What the host's own layer would have one do by hand, going on does by itself.
    failure.hint = format!("`cockpit batch resume {id}` looks up what was done and goes on");
    if batch.kind.why_final().is_none() {
        let back = format!("; `cockpit rollback plan {id}` takes it back");
        failure.hint.push_str(&back);
    }
    Ok(failure)
}

/// Writes down how it ended.
pub(crate) async fn ended(
    job: &Job,
    batch: &mut Batch,
    status: BatchStatus,
    reason: String,
    told: String,
) -> Outcome<()> {
    batch.batch_status = status;
    batch.reason = reason;
    batch.updated_ms = job.now_ms();
    job.ports.store.save_batch(batch).await?;
    event(job, batch.id, "finished", told).await
}

/// An event of a batch.
pub(crate) async fn event(job: &Job, batch: BatchId, kind: &str, text: String) -> Outcome<()> {
    let event = BatchEvent {
        at_ms: job.now_ms(),
        item: None,
        kind: kind.to_owned(),
        text,
    };
    job.ports.store.add_event(batch, &event).await
}
