//! Starting and resuming an import: the batch with its items, and what a stop leaves behind.

use super::caller::sealed_parts;
use super::execute::execute;
use super::policy;
use super::scene::Scene;
use crate::approval::Approval;
use crate::batches;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::journal::Journal;
use crate::planned::{self, ACCESS, IMPORT, Open, Taken, again, interrupted, take_up};
use cockpit_domain::batch::{Batch, BatchKind, Interruption, Item, ItemStage, UpstreamEvidence};
use cockpit_domain::ids::{BatchId, ItemId, PlanId};
use cockpit_domain::import::ImportPlan;
use tokio::sync::OnceCell;

/// Carries out exactly this plan. Returns the batch as it ended; a stop or a failure in the
/// middle leaves it `interrupted` with the reason, and is an error only when no batch was begun.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval, canary: usize) -> Outcome<Batch> {
    Box::pin(carry_out(job, BatchKind::Import, id, approval, canary)).await
}

/// Carries out a plan that prepares access: as an import of no keys, and without a proof.
pub async fn apply_access(job: &Job, id: PlanId, approval: &Approval) -> Outcome<Batch> {
    Box::pin(carry_out(job, BatchKind::Access, id, approval, 0)).await
}

async fn carry_out(
    job: &Job,
    kind: BatchKind,
    id: PlanId,
    approval: &Approval,
    canary: usize,
) -> Outcome<Batch> {
    let of = match kind {
        BatchKind::Access => ACCESS,
        _ => IMPORT,
    };
    let open: Open<ImportPlan> = planned::open(job, of, id, approval).await?;
    let sealed = policy::sealed(job, &open).await?;
    let view = policy::fresh_view(job, &open, &sealed).await?;
    let hash = &open.saved.hash;
    let (mut batch, items) = new_batch(job, kind, id, hash, &open.plan);
    // One that leaves nobody waiting is none.
    batch.canary = if canary < items.len() { canary } else { 0 };
    let batch_id = job.ports.store.create_batch(&batch, &items).await?;
    let started = format!("{id} {} by {}", &hash[..12], job.settings.owner);
    let scene = Scene {
        journal: Journal::open(job, batch_id, &open.host.id, hash, &open.reason).await?,
        job: job.clone(),
        api: open.api,
        host: open.host,
        plan: open.plan,
        keys: sealed.0,
        caller: sealed.1,
        local: job.ports.store.local_key().await?,
        batch: batches::load(job, batch_id).await?,
        held: OnceCell::new(),
    };
    scene.event(None, "started", started).await?;
    run(scene, Some(view)).await
}

/// Goes on with an interrupted batch: what was done is found, what was lost is looked up, the
/// rest is done.
pub async fn resume(job: &Job, id: BatchId) -> Outcome<Batch> {
    let mut taken: Taken<ImportPlan> = take_up(job, id).await?;
    let keys = job.ports.store.plan_keys(taken.batch.plan).await?;
    let Some((keys, caller)) = sealed_parts(&taken.plan, keys) else {
        return Err(Failure::new(
            FailureKind::Conflict,
            "the sealed keys of this batch were wiped",
        )
        .doing(&taken.doing)
        .hint(format!(
            "roll the batch back (`cockpit rollback plan {}`) and import again",
            id.0
        )));
    };
    let batch = &mut taken.batch;
    if batch.interrupted_by == Some(Interruption::Canary) {
        // Who goes on after it has seen what it came to.
        batch.canary = 0;
    }
    again(job, batch).await?;
    let scene = Scene {
        journal: Journal::open(job, id, &batch.host, &batch.plan_hash, "resume").await?,
        job: job.clone(),
        api: job.ports.hosts.api(&batch.host).await?,
        host: job.host(&batch.host)?.clone(),
        plan: taken.plan,
        keys,
        caller,
        local: job.ports.store.local_key().await?,
        batch: taken.batch,
        held: OnceCell::new(),
    };
    run(scene, None).await
}

/// Runs the scene and writes down how it ended.
async fn run(scene: Scene, view: Option<cockpit_domain::import::HostView>) -> Outcome<Batch> {
    let id = scene.batch.id;
    let job = scene.job.clone();
    match execute(&scene, view).await {
        Ok(batch) => Ok(batch),
        Err(mut failure) => {
            let mut batch = batches::load(&job, id).await?;
            if failure.kind == FailureKind::Conflict && !failure.hint.is_empty() {
                // What to do about it depends on what changed.
                failure.message = format!("{}; {}", failure.message, failure.hint);
            }
            interrupted(&job, &mut batch, &failure).await?;
            Ok(batch)
        }
    }
}

fn new_batch(
    job: &Job,
    kind: BatchKind,
    id: PlanId,
    hash: &str,
    plan: &ImportPlan,
) -> (Batch, Vec<Item>) {
    let request = &plan.request;
    let batch = Batch {
        mode: request.mode,
        access_mode: request.access,
        ..Batch::begun(
            kind,
            (&request.host, &request.pack.id),
            (id, hash),
            &job.settings.owner,
            job.now_ms(),
        )
    };
    let items = plan
        .items
        .iter()
        .map(|item| Item {
            id: ItemId(0),
            batch: BatchId(0),
            line: item.line,
            fingerprint: item.fingerprint.clone(),
            key: item.key.clone(),
            account_name: item.account_name.clone(),
            account_id: None,
            stage: ItemStage::Probe,
            account_status: None,
            probe_ok: false,
            probe_advisory: false,
            validation_status: "pending".to_owned(),
            account_probe_summary: String::new(),
            upstream: UpstreamEvidence::default(),
            attempts: 0,
            earlier: item.earlier.clone(),
        })
        .collect();
    (batch, items)
}
