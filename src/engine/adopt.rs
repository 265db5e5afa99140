//! Taking over what stands on a host: plan, apply exactly that plan. Nothing is written to the host;
//! what is recorded as adopted can be reconciled from then on, and taking it back releases it.

use crate::approval::{Approval, changed_since};
use crate::context::Job;
use crate::failure::Outcome;
use crate::neighbours;
use crate::planned::{
    self, ADOPT, Open, Planned, Taken, again, begin, ended, event, stopped, take_up,
};
use crate::ports::{AuditRow, HostApi};
use crate::view::read_view;
use cockpit_domain::adopt::{AdoptInput, AdoptPlan, Adoption, plan_adopt};
use cockpit_domain::batch::{Batch, BatchKind, BatchStatus};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::{BatchId, HostId, PackId, PlanId};
use cockpit_domain::import::HostView;
use cockpit_domain::pack::ProviderPack;
use cockpit_domain::plan::Change;
use cockpit_domain::resource::{BatchResource, Origin};
use serde::Serialize;

/// A plan with its id and hash.
pub type PlannedAdopt = Planned<AdoptPlan>;

/// What adopting came to.
#[derive(Debug, Clone, Serialize)]
pub struct Adopted {
    /// The batch that holds the records: `rollback plan` releases them.
    #[serde(flatten)]
    pub batch: Batch,
    /// Resources recorded.
    pub done: usize,
}

/// Plans and saves. Reads only.
pub async fn plan(job: &Job, host: &HostId, provider: &PackId) -> Outcome<PlannedAdopt> {
    let doing = format!("planning what of `{provider}` is taken over on `{host}`");
    let settings = job.host(host)?.clone();
    let pack = job.provider(provider)?;
    job.say(format!("reading `{host}`"));
    let api = job.ports.hosts.api(host).await?;
    let drafted = draft(job, api.as_ref(), &settings, &pack).await;
    let (mut plan, view) = drafted.map_err(|failure| failure.doing(doing))?;
    plan.warnings = neighbours::warnings(job, &settings, &view).await;
    planned::save(job, ADOPT, plan).await
}

/// Records exactly what the plan names, if it still stands as it was read.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval) -> Outcome<Adopted> {
    let open: Open<AdoptPlan> = planned::open(job, ADOPT, id, approval).await?;
    let (saved, plan) = (&open.saved, &open.plan);
    let pack = job.provider(&saved.provider)?;
    let (now, _) = draft(job, open.api.as_ref(), &open.host, &pack).await?;
    if now.revision != plan.revision {
        let what = "the host or our records";
        return Err(open.stale(what, &changed_since(&lines(plan), &lines(&now))).hint(format!(
            "nothing was recorded; `cockpit adopt plan --host {} --provider {}` shows it as it is now",
            saved.host, saved.provider
        )));
    }
    let what = format!("{} resource(s) taken over", plan.adoptions.len());
    let batch = begin(job, BatchKind::Adopt, saved, &what).await?;
    to_its_end(job, batch, plan, &open.reason).await
}

/// Goes on with one that was stopped: what is recorded stays recorded.
pub(crate) async fn resume(job: &Job, id: BatchId) -> Outcome<Batch> {
    let mut taken: Taken<AdoptPlan> = take_up(job, id).await?;
    again(job, &mut taken.batch).await?;
    let done = to_its_end(job, taken.batch, &taken.plan, "resume").await?;
    Ok(done.batch)
}

/// A plan by its lines, with what would be written down of each.
fn lines(plan: &AdoptPlan) -> Vec<String> {
    let of = |change: &Change| {
        let id = change.host_resource_id;
        let taken = plan
            .adoptions
            .iter()
            .find(|row| row.kind == change.kind && Some(row.host_resource_id) == id);
        let recorded = taken.map(|row: &Adoption| format!(" {}", row.recorded));
        format!("{}{}", change.line(), recorded.unwrap_or_default())
    };
    plan.changes.iter().map(of).collect()
}

async fn draft(
    job: &Job,
    api: &dyn HostApi,
    host: &HostSettings,
    pack: &ProviderPack,
) -> Outcome<(AdoptPlan, HostView)> {
    let store = &job.ports.store;
    let mut records = Vec::new();
    // Of every provider: two packs may have patterns for one account.
    for batch in store.batches(Some(&host.id)).await? {
        let held = store.resources(batch.id).await?.into_iter();
        records.extend(held.filter(|row| !row.undone));
    }
    let view = read_view(api, &pack.id).await?;
    let plan = plan_adopt(&AdoptInput {
        host: &host.id,
        role: host.role,
        pack,
        view: &view,
        records: &records,
        now_ms: job.now_ms(),
    });
    Ok((plan, view))
}

async fn to_its_end(
    job: &Job,
    mut batch: Batch,
    plan: &AdoptPlan,
    reason: &str,
) -> Outcome<Adopted> {
    match record(job, &batch, plan, reason).await {
        Ok(()) => {
            let done = plan.adoptions.len();
            let told = format!("{done} resource(s) are ours to reconcile");
            ended(job, &mut batch, BatchStatus::Succeeded, String::new(), told).await?;
            Ok(Adopted { batch, done })
        }
        Err(failure) => Err(stopped(job, batch, failure).await?),
    }
}

async fn record(job: &Job, batch: &Batch, plan: &AdoptPlan, reason: &str) -> Outcome<()> {
    let total = plan.adoptions.len();
    for (at, row) in plan.adoptions.iter().enumerate() {
        job.check_cancel()?;
        job.count(format!("{} {}", row.kind, row.name), at, total);
        job.ports
            .store
            .record(&BatchResource::held(
                batch.id,
                (row.kind, row.host_resource_id),
                &row.name,
                Origin::Adopted,
                row.recorded.clone(),
            ))
            .await?;
    }
    let audit = AuditRow {
        batch: Some(batch.id),
        plan_hash: batch.plan_hash.clone(),
        reason: reason.to_owned(),
        ..job.audit_row(
            &batch.host,
            format!("adopt {total} resource(s) of {}", batch.provider),
            "recorded; nothing was written to the host",
        )
    };
    job.ports.store.add_audit(&audit).await?;
    event(job, batch.id, "adopted", format!("{total} resource(s)")).await
}
