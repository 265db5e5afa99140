//! Taking a batch back: plan from records, apply step by step, prove by listing (`product.md` 4).

mod apply;
mod fresh;
mod login;
mod plan;
mod prove;
mod steps;

pub use apply::apply;
pub(crate) use apply::undo_own;
pub use plan::plan;

use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::planned::Planned;
use cockpit_domain::batch::{Batch, BatchStatus};
use cockpit_domain::rollback::RollbackPlan;
use serde::Serialize;

/// A rollback plan with its id and hash.
pub type PlannedRollback = Planned<RollbackPlan>;

/// What a rollback came to.
#[derive(Debug, Clone, Serialize)]
pub struct RolledBack {
    /// The batch after it.
    #[serde(flatten)]
    pub batch: Batch,
    /// Steps done.
    pub done: usize,
    /// Steps not done, with their reasons.
    pub blocked: Vec<String>,
    /// What of ours is still on the host; empty when all is well.
    pub remains: Vec<String>,
    /// What changed on the host that was not ours; empty when all is well.
    pub disturbed: Vec<String>,
    /// What it did not undo.
    pub will_not_undo: Vec<String>,
}

/// Event that begins a rollback: after it a batch is taken back, never resumed.
pub(crate) const STARTED: &str = "rollback_started";

/// Fails unless a batch is one to go on with: interrupted, and not by its own rollback.
pub(crate) async fn may_resume(job: &Job, batch: &Batch, doing: &str) -> Outcome<()> {
    let id = batch.id;
    if batch.batch_status != BatchStatus::Interrupted {
        return Err(Failure::new(
            FailureKind::Conflict,
            format!(
                "{id} is {}, only an interrupted batch can be resumed",
                batch.batch_status
            ),
        )
        .doing(doing)
        .hint(format!("`cockpit batch show {}` tells its story", id.0)));
    }
    let events = job.ports.store.events(id).await?;
    if events.iter().any(|event| event.kind == STARTED) {
        return Err(Failure::new(
            FailureKind::Conflict,
            format!("taking back {id} was begun: what is gone cannot be gone on with"),
        )
        .doing(doing)
        .hint(format!(
            "plan the rest of it: `cockpit rollback plan {}`",
            id.0
        )));
    }
    Ok(())
}
