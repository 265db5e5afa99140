//! The frame of every act that is planned: saved under its hash, opened by a person's word for that
//! hash, and recorded in a batch. What is planned and how it is carried out is each act's own.

mod kinds;
mod open;
mod record;

pub(crate) use kinds::{
    ACCESS, ADOPT, GATE, IMPORT, Kind, PRUNE, RECONCILE, RECOVER, REPAIR, ROLLBACK,
};
pub(crate) use open::{Open, lease, load, open};
pub(crate) use record::{Taken, again, begin, ended, event, interrupted, stopped, take_up};

use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::NewPlan;
use cockpit_domain::canonical::hash_of;
use cockpit_domain::ids::{BatchId, PlanId};
use cockpit_domain::plan::PlanBody;
use cockpit_domain::secret::Secret;
use serde::Serialize;

/// A plan with its id and hash.
#[derive(Debug, Clone, Serialize)]
pub struct Planned<P> {
    /// Store id.
    pub id: PlanId,
    /// Hash of the content: what an approval names.
    pub hash: String,
    /// The content.
    pub plan: P,
}

/// Saves a plan.
pub(crate) async fn save<P: PlanBody + Serialize>(
    job: &Job,
    kind: Kind,
    plan: P,
) -> Outcome<Planned<P>> {
    save_with(job, kind, plan, None, Vec::new()).await
}

/// Saves a plan that is about a batch, or that has keys sealed beside it.
pub(crate) async fn save_with<P: PlanBody + Serialize>(
    job: &Job,
    kind: Kind,
    plan: P,
    batch: Option<BatchId>,
    keys: Vec<Secret>,
) -> Outcome<Planned<P>> {
    let internal =
        |error: serde_json::Error| Failure::new(FailureKind::Internal, error.to_string());
    let hash = hash_of(&plan).map_err(internal)?;
    let new = NewPlan {
        kind: kind.word,
        host: plan.host().clone(),
        provider: plan.provider().clone(),
        batch,
        hash: hash.clone(),
        body: serde_json::to_value(&plan).map_err(internal)?,
        keys,
        created_ms: job.now_ms(),
    };
    let id = job.ports.store.save_plan(&new).await?;
    Ok(Planned { id, hash, plan })
}
