//! What every act on a pool shares: a saved plan that may be carried out, the batch that records
//! it, its events, and its end when it was stopped in the middle.

use crate::approval::Approval;
use crate::batches::begun;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::SavedPlan;
use cockpit_domain::batch::{Batch, BatchEvent, BatchKind, BatchStatus};
use cockpit_domain::ids::{BatchId, PlanId};
use serde::de::DeserializeOwned;

/// What decides whether a plan may be carried out, whatever it is about.
pub(crate) trait Applicable: DeserializeOwned {
    /// The word of these plans in the store and on the command line.
    const KIND: &'static str;

    /// Why it cannot be carried out; empty when it can.
    fn blockers(&self) -> &[String];

    /// UTC ms after which it is refused.
    fn expires_ms(&self) -> Option<i64>;
}

/// Loads a plan and checks everything that needs no host.
pub(crate) async fn load<P: Applicable>(
    job: &Job,
    id: PlanId,
    approval: &Approval,
    doing: &str,
) -> Outcome<(SavedPlan, P)> {
    let kind = P::KIND;
    let refuse = |what: FailureKind, message: String, hint: String| {
        Err(Failure::new(what, message).doing(doing).hint(hint))
    };
    let Some(saved) = job.ports.store.plan(id).await? else {
        let hint = format!("`cockpit {kind} plan` makes one and prints its id and hash");
        return refuse(FailureKind::Usage, format!("there is no {id}"), hint);
    };
    if saved.kind != kind {
        let hint = format!("use `cockpit {} apply`", saved.kind);
        return refuse(FailureKind::Usage, format!("{id} is no {kind} plan"), hint);
    }
    approval.check(&saved, job.host(&saved.host)?)?;
    let plan: P = content(&saved, doing)?;
    if saved.used_ms.is_some() {
        let by = saved.batch.map(|batch| format!(", as {batch}"));
        let message = format!("{id} was applied already{}", by.unwrap_or_default());
        let hint = "make a new plan: it sees what is there now".to_owned();
        return refuse(FailureKind::Conflict, message, hint);
    }
    if plan.expires_ms().is_some_and(|end| job.now_ms() > end) {
        let message = "the plan is older than 15 minutes, too old for production".to_owned();
        let hint = "make the plan again and read it again".to_owned();
        return refuse(FailureKind::Conflict, message, hint);
    }
    if !plan.blockers().is_empty() {
        let hint = "a plan with blockers is never applied; mend what it names and plan again";
        let message = plan.blockers().join("; ");
        return refuse(FailureKind::Conflict, message, hint.to_owned());
    }
    Ok((saved, plan))
}

/// The content of a saved plan.
pub(crate) fn content<P: DeserializeOwned>(saved: &SavedPlan, doing: &str) -> Outcome<P> {
    serde_json::from_value(saved.body.clone()).map_err(|error| {
        let message = format!("the saved plan cannot be read: {error}");
        Failure::new(FailureKind::Store, message)
            .doing(doing)
            .hint("make the plan again")
    })
}

/// The plan of a batch that is gone on with.
pub(crate) async fn plan_of<P: DeserializeOwned>(
    job: &Job,
    batch: &Batch,
    doing: &str,
) -> Outcome<P> {
    let Some(saved) = job.ports.store.plan(batch.plan).await? else {
        let message = format!("{} of {} is gone", batch.plan, batch.id);
        return Err(Failure::new(FailureKind::Store, message).doing(doing));
    };
    content(&saved, doing)
}

/// A batch that records an act on a pool: it has no keys and gives nobody access.
pub(crate) async fn begin(
    job: &Job,
    kind: BatchKind,
    saved: &SavedPlan,
    what: &str,
) -> Outcome<Batch> {
    let mut batch = begun(
        job,
        kind,
        &saved.host,
        &saved.provider,
        saved.id,
        &saved.hash,
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

/// Marks a batch as at work again.
pub(crate) async fn again(job: &Job, batch: &mut Batch) -> Outcome<()> {
    batch.batch_status = BatchStatus::Running;
    batch.reason = String::new();
    batch.owner.clone_from(&job.settings.owner);
    job.ports.store.save_batch(batch).await?;
    let text = format!("by {}", job.settings.owner);
    event(job, batch.id, "resumed", text).await
}

/// Writes down that it stopped in the middle.
pub(crate) async fn stopped(job: &Job, mut batch: Batch, mut failure: Failure) -> Outcome<Failure> {
    batch.batch_status = BatchStatus::Interrupted;
    batch.interrupted_by = Some(job.interruption(&failure));
    batch.reason = failure.to_string();
    batch.updated_ms = job.now_ms();
    job.ports.store.save_batch(&batch).await?;
    event(job, batch.id, "interrupted", failure.to_string()).await?;
    // What the host's own layer would have one do by hand, going on does by itself.
    failure.hint = format!(
        "`cockpit batch resume {}` looks up what was done and goes on",
        batch.id.0
    );
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
