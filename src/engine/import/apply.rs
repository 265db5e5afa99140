//! Starting and resuming an import: lease, plan, batch, and what a stop leaves behind.

use super::caller::sealed_parts;
use super::execute::execute;
use super::plan::{ACCESS, IMPORT};
use super::policy;
use super::scene::Scene;
use crate::approval::Approval;
use crate::batches::{self, begun};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::journal::Journal;
use crate::ports::{Lease, LeaseInfo};
use crate::rollback;
use cockpit_domain::batch::{
    Batch, BatchKind, BatchStatus, Interruption, Item, ItemStage, UpstreamEvidence,
};
use cockpit_domain::ids::{BatchId, HostId, ItemId, PackId, PlanId};
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
    let doing = format!("applying {id}");
    let stored = if kind == BatchKind::Access {
        ACCESS
    } else {
        IMPORT
    };
    let (saved, plan, sealed) = policy::load(job, stored, id, approval).await?;
    job.may_write(&saved.host)?;
    let _lease = lease(job, &saved.host, &saved.provider, &doing).await?;
    let api = job.ports.hosts.api(&saved.host).await?;
    job.say("reading the host again");
    let view = policy::fresh_view(job, api.as_ref(), &plan, &sealed).await?;
    let (mut batch, items) = new_batch(job, kind, id, &saved.hash, &plan);
    // One that leaves nobody waiting is none.
    batch.canary = if canary < items.len() { canary } else { 0 };
    let batch_id = job.ports.store.create_batch(&batch, &items).await?;
    let reason = approval.reason.clone().unwrap_or_default();
    let scene = Scene {
        journal: Journal::open(job, batch_id, &saved.host, &saved.hash, &reason).await?,
        job: job.clone(),
        api,
        host: job.host(&saved.host)?.clone(),
        plan,
        keys: sealed.0,
        caller: sealed.1,
        local: job.ports.store.local_key().await?,
        batch: batches::load(job, batch_id).await?,
        held: OnceCell::new(),
    };
    scene
        .event(
            None,
            "started",
            format!("{id} {} by {}", &saved.hash[..12], job.settings.owner),
        )
        .await?;
    run(scene, Some(view)).await
}

/// Goes on with an interrupted batch: what was done is found, what was lost is looked up, the
/// rest is done.
pub async fn resume(job: &Job, id: BatchId) -> Outcome<Batch> {
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
        .hint(format!(
            "roll the batch back: `cockpit rollback plan {}`",
            id.0
        ))
    })?;
    let plan: ImportPlan = serde_json::from_value(saved.body.clone()).map_err(|error| {
        Failure::new(FailureKind::Store, error.to_string()).doing(doing.clone())
    })?;
    let keys = job.ports.store.plan_keys(batch.plan).await?;
    let Some((keys, caller)) = sealed_parts(&plan, keys) else {
        return Err(Failure::new(
            FailureKind::Conflict,
            "the sealed keys of this batch were wiped",
        )
        .doing(doing)
        .hint(format!(
            "roll the batch back (`cockpit rollback plan {}`) and import again",
            id.0
        )));
    };
    batch.batch_status = BatchStatus::Running;
    batch.reason = String::new();
    if batch.interrupted_by == Some(Interruption::Canary) {
        // Who goes on after it has seen what it came to.
        batch.canary = 0;
    }
    batch.interrupted_by = None;
    batch.owner.clone_from(&job.settings.owner);
    job.ports.store.save_batch(&batch).await?;
    let scene = Scene {
        journal: Journal::open(job, id, &batch.host, &batch.plan_hash, "resume").await?,
        job: job.clone(),
        api: job.ports.hosts.api(&batch.host).await?,
        host: job.host(&batch.host)?.clone(),
        plan,
        keys,
        caller,
        local: job.ports.store.local_key().await?,
        batch,
        held: OnceCell::new(),
    };
    scene
        .event(None, "resumed", format!("by {}", job.settings.owner))
        .await?;
    run(scene, None).await
}

/// Takes the one writer's place.
pub(crate) async fn lease(
    job: &Job,
    host: &HostId,
    provider: &PackId,
    why: &str,
) -> Outcome<Box<dyn Lease>> {
    let info = LeaseInfo {
        owner: job.settings.owner.clone(),
        reason: why.to_owned(),
        since_ms: job.now_ms(),
    };
    let taken = job.ports.store.lease(host, provider, &info).await;
    taken.map_err(|failure| failure.doing(why))
}

/// Runs the scene and writes down how it ended.
async fn run(scene: Scene, view: Option<cockpit_domain::import::HostView>) -> Outcome<Batch> {
    let id = scene.batch.id;
    let job = scene.job.clone();
    match execute(&scene, view).await {
        Ok(batch) => Ok(batch),
        Err(failure) => {
            let mut batch = batches::load(&job, id).await?;
            batch.batch_status = BatchStatus::Interrupted;
            batch.interrupted_by = Some(job.interruption(&failure));
            batch.reason = failure.to_string();
            batch.updated_ms = job.now_ms();
            job.ports.store.save_batch(&batch).await?;
            scene
                .event(None, "interrupted", failure.to_string())
                .await?;
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
        ..begun(job, kind, &request.host, &request.pack.id, id, hash)
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
