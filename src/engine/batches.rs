//! Reading batches, and going on with one.

use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::planned::RECONCILE;
use crate::ports::{KeptResult, ResultKind};
use crate::{adopt, import, pool, reconcile, repair};
use cockpit_domain::batch::{Batch, BatchEvent, BatchKind, Item};
use cockpit_domain::ids::{BatchId, HostId};
use cockpit_domain::journal::JournalRow;
use cockpit_domain::resource::BatchResource;
use serde::Serialize;

/// A batch with everything that hangs on it.
#[derive(Debug, Clone, Serialize)]
pub struct BatchDetail {
    /// The batch.
    #[serde(flatten)]
    pub batch: Batch,
    /// What it holds on the host.
    pub resources: Vec<BatchResource>,
    /// Its keys.
    pub items: Vec<Item>,
    /// Its story.
    pub events: Vec<BatchEvent>,
    /// Its remote writes.
    pub journal: Vec<JournalRow>,
    /// Its own reconcile runs, newest first.
    pub reconcile_runs: Vec<KeptResult>,
}

/// Reconcile runs that a batch shows.
const RUNS: usize = 20;

/// Reads a batch or says that there is none.
pub(crate) async fn load(job: &Job, id: BatchId) -> Outcome<Batch> {
    job.ports.store.batch(id).await?.ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("there is no {id}"))
            .doing("looking up the batch")
            .hint("`cockpit batch list` shows the batches of this store")
    })
}

/// A batch whole.
pub async fn show(job: &Job, id: BatchId) -> Outcome<BatchDetail> {
    let batch = load(job, id).await?;
    let store = &job.ports.store;
    Ok(BatchDetail {
        resources: store.resources(id).await?,
        items: store.items(id).await?,
        events: store.events(id).await?,
        journal: store.journal(id).await?,
        reconcile_runs: store
            .kept(ResultKind::Reconcile, &id.to_string(), RUNS)
            .await?,
        batch,
    })
}

/// Goes on with an interrupted batch, whatever it is a record of.
pub async fn resume(job: &Job, id: BatchId) -> Outcome<Batch> {
    let batch = load(job, id).await?;
    match batch.kind {
        BatchKind::Import | BatchKind::Access => Box::pin(import::resume(job, id)).await,
        BatchKind::Repair => {
            // A check was repaired, or drift: its plan knows.
            let plan = job.ports.store.plan(batch.plan).await?;
            if plan.is_some_and(|plan| plan.kind == RECONCILE.word) {
                reconcile::resume(job, id).await
            } else {
                repair::resume(job, id).await
            }
        }
        BatchKind::Adopt => adopt::resume(job, id).await,
        BatchKind::Prune => pool::resume_prune(job, id).await,
        BatchKind::Recover => pool::resume_recover(job, id).await,
    }
}

/// All batches, newest first.
pub async fn list(job: &Job, host: Option<&HostId>) -> Outcome<Vec<Batch>> {
    if let Some(host) = host {
        job.host(host)?;
    }
    job.ports.store.batches(host).await
}
