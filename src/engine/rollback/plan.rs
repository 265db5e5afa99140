//! Planning: records, journal and host are read, and what would be done is saved.

use super::PlannedRollback;
use crate::batches;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::late::{self, Search};
use crate::neighbours;
use crate::planned::{self, ROLLBACK};
use crate::ports::HostApi;
use crate::view::{read_view_of, whose};
use cockpit_domain::batch::{Batch, BatchKind, BatchStatus};
use cockpit_domain::ids::BatchId;
use cockpit_domain::import::HostView;
use cockpit_domain::inventory::{ApiKey, Subscription};
use cockpit_domain::plan::expiry;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use cockpit_domain::rollback::{Floor, RollbackInput, RollbackPlan, UndoStep, plan_rollback};

/// Plans and saves.
pub async fn plan(job: &Job, id: BatchId, delete: bool) -> Outcome<PlannedRollback> {
    let doing = format!("planning the rollback of {id}");
    let batch = batches::load(job, id).await?;
    if delete && batch.kind != BatchKind::Adopt {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("{id} took nothing over: only what was adopted is deleted on request"),
        )
        .doing(doing)
        .hint(format!(
            "`cockpit rollback plan {}` deletes what the batch made itself",
            id.0
        )));
    }
    let host = job.host(&batch.host)?.clone();
    if let Some(why) = batch.kind.why_final() {
        let hint = match batch.batch_status {
            BatchStatus::Interrupted => format!("go on with it: `cockpit batch resume {}`", id.0),
            _ => format!("`cockpit batch show {}` tells what it did", id.0),
        };
        return Err(Failure::new(FailureKind::Conflict, format!("{id}: {why}"))
            .doing(doing)
            .hint(hint));
    }
    if batch.batch_status == BatchStatus::Running {
        return Err(Failure::new(
            FailureKind::Busy,
            format!("{id} is running, owned by {}", batch.owner),
        )
        .doing(doing)
        .hint("wait for it or stop it first"));
    }
    let api = job.ports.hosts.api(&batch.host).await?;
    late::settle(job, &late::on_their_way(job, &batch).await?).await?;
    let expires = expiry(host.role, job.now_ms());
    let Draft { mut plan, view, .. } = draft(job, api.as_ref(), &batch, expires, delete).await?;
    plan.warnings = neighbours::warnings(job, &host, &view).await;
    planned::save_with(job, ROLLBACK, plan, Some(batch.id), Vec::new()).await
}

pub(super) fn step_lines(plan: &RollbackPlan) -> Vec<String> {
    let line = |step: &UndoStep| match &step.blocked {
        Some(why) => format!("{}: {why}", step.change.line()),
        None => step.change.line(),
    };
    plan.steps.iter().map(line).collect()
}

/// A plan with what it was made from.
pub(super) struct Draft {
    pub(super) plan: RollbackPlan,
    pub(super) view: HostView,
    /// Keys that depend on what the batch holds, ours among them.
    pub(super) keys: Vec<ApiKey>,
    /// What the batch made without ever learning so.
    pub(super) found: Vec<BatchResource>,
}

/// Reads records, journal and host, and plans.
pub(super) async fn draft(
    job: &Job,
    api: &dyn HostApi,
    batch: &Batch,
    expires_ms: Option<i64>,
    delete: bool,
) -> Outcome<Draft> {
    let store = &job.ports.store;
    let records = store.resources(batch.id).await?;
    // A repair put back what the import had made: it does not need that to stay.
    let mut repairs = Vec::new();
    if matches!(batch.kind, BatchKind::Import | BatchKind::Adopt) {
        let batches = store.batches(Some(&batch.host)).await?;
        let of_drift = batches.iter().filter(|row| row.kind == BatchKind::Repair);
        repairs.extend(of_drift.map(|row| row.id));
    }
    let others: Vec<BatchResource> = store
        .host_resources(&batch.host, &batch.provider)
        .await?
        .into_iter()
        .filter(|resource| resource.batch != batch.id && !repairs.contains(&resource.batch))
        .collect();
    let view = read_view_of(api, &batch.provider, whose(&batch.provider, &records)).await?;
    let search = Search {
        job,
        api,
        batch,
        records: &records,
        others: &others,
        view: &view,
    };
    let found = search.run(&late::doubtful(job, batch).await?).await?;
    let resources: Vec<BatchResource> = records
        .into_iter()
        .filter(|resource| !resource.undone)
        // What was adopted and, as it turns out, changed as well is put back.
        .filter(|resource| !found.iter().any(|lost| late::is_same(lost, resource)))
        .chain(found.iter().cloned())
        .collect();
    // A batch that stopped before its first effect can be closed; nothing is deleted for that.
    if resources.is_empty() && batch.batch_status != BatchStatus::Interrupted {
        return Err(Failure::new(FailureKind::Conflict, format!("{} holds no recorded resource", batch.id))
            .doing(format!("planning the rollback of {}", batch.id))
            .hint("nothing is ever deleted by guessing names; if it is rolled back already there is nothing to do"));
    }
    let floor = if delete {
        Some(Floor {
            floor: job.provider(&batch.provider)?.floor,
            now_ms: job.now_ms(),
        })
    } else {
        None
    };
    let (keys, subscriptions) = dependents(api, &resources, &view).await?;
    let plan = plan_rollback(&RollbackInput {
        host: &batch.host,
        provider: &batch.provider,
        batch: batch.id,
        resources: &resources,
        others: &others,
        view: &view,
        keys: &keys,
        subscriptions: &subscriptions,
        expires_ms,
        delete: floor,
    });
    Ok(Draft {
        plan,
        view,
        keys,
        found,
    })
}

/// Keys and subscriptions that may depend on what the batch holds.
async fn dependents(
    api: &dyn HostApi,
    resources: &[BatchResource],
    view: &HostView,
) -> Outcome<(Vec<ApiKey>, Vec<Subscription>)> {
    let mut keys: Vec<ApiKey> = Vec::new();
    let mut subscriptions = Vec::new();
    let ids = |kind| {
        resources
            .iter()
            .filter(move |r| r.kind == kind)
            .map(|r| r.host_resource_id)
    };
    for group in ids(ResourceKind::Group).filter(|id| view.groups.iter().any(|row| row.id == *id)) {
        keys.extend(api.group_keys(group).await?);
        subscriptions.extend(api.group_subscriptions(group).await?);
    }
    for user in
        ids(ResourceKind::User).filter(|id| view.user.as_ref().is_some_and(|row| row.id == *id))
    {
        for key in api.user_keys(user).await? {
            if !keys.iter().any(|known| known.id == key.id) {
                keys.push(key);
            }
        }
    }
    Ok((keys, subscriptions))
}
