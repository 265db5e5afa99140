//! Taking a batch back: plan from records, apply step by step, prove by listing (`product.md` 4).

use crate::access::log_in_patiently;
use crate::approval::{Approval, changed_since};
use crate::batches;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::{Restore, RestoreBalance, RestoreKey, Scene, UnparkAccount, deletion, lease};
use crate::journal::Journal;
use crate::late::{self, Search};
use crate::neighbours;
use crate::ports::{HostApi, NewPlan, Session};
use crate::repair::{RestoreBinding, RestoreSwitch};
use crate::view::{Whose, read_view_of, whose};
use cockpit_domain::batch::{AccessStatus, Batch, BatchEvent, BatchKind, BatchStatus};
use cockpit_domain::canonical::hash_of;
use cockpit_domain::host::Role;
use cockpit_domain::ids::{BatchId, PlanId, RemoteId};
use cockpit_domain::import::{HostView, managed_email, managed_password};
use cockpit_domain::inventory::{ApiKey, ChannelSpec, Subscription};
use cockpit_domain::recorded::{listing, listing_changes};
use cockpit_domain::resource::{BatchResource, ResourceKind};
use cockpit_domain::rollback::{RollbackInput, RollbackPlan, UndoAct, UndoStep, plan_rollback};
use serde::Serialize;

/// A rollback plan with its id and hash.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedRollback {
    /// Store id.
    pub id: PlanId,
    /// Hash of the content.
    pub hash: String,
    /// The content.
    pub plan: RollbackPlan,
}

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

const PRODUCTION_PLAN_MS: i64 = 15 * 60 * 1000;

/// Plans and saves.
pub async fn plan(job: &Job, id: BatchId) -> Outcome<PlannedRollback> {
    let doing = format!("planning the rollback of {id}");
    let batch = batches::load(job, id).await?;
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
    late::settle(job, &late::doubtful(job, &batch).await?).await?;
    let expires = (host.role == Role::Production).then_some(job.now_ms() + PRODUCTION_PLAN_MS);
    let Draft { mut plan, view, .. } = draft(job, api.as_ref(), &batch, expires).await?;
    plan.warnings = neighbours::warnings(job, &host, &view).await;
    let hash =
        hash_of(&plan).map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
    let id = job
        .ports
        .store
        .save_plan(&NewPlan {
            kind: "rollback",
            host: batch.host.clone(),
            provider: batch.provider.clone(),
            batch: Some(batch.id),
            hash: hash.clone(),
            body: serde_json::to_value(&plan).unwrap_or_default(),
            keys: Vec::new(),
            created_ms: job.now_ms(),
        })
        .await?;
    Ok(PlannedRollback { id, hash, plan })
}

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
    let Draft {
        plan: now,
        view: before,
        found,
    } = draft(job, api.as_ref(), &batch, plan.expires_ms).await?;
    if now.revision != plan.revision || now.steps != plan.steps {
        let told = changed_since(&step_lines(&plan), &step_lines(&now));
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
    record(job, &found).await?;
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
        let done = carry_out(job, api.as_ref(), &journal, &batch, &plan.steps).await?;
        let proof = prove(job, api.as_ref(), &batch, &plan, &before).await?;
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
    let doubtful = late::doubtful(&scene.job, &scene.batch).await?;
    late::settle(&scene.job, &doubtful).await?;
    let Draft { plan, found, .. } =
        draft(&scene.job, scene.api.as_ref(), &scene.batch, None).await?;
    record(&scene.job, &found).await?;
    carry_out(
        &scene.job,
        scene.api.as_ref(),
        &scene.journal,
        &scene.batch,
        &plan.steps,
    )
    .await?;
    Ok(())
}

fn step_lines(plan: &RollbackPlan) -> Vec<String> {
    let line = |step: &UndoStep| match &step.blocked {
        Some(why) => format!("{}: {why}", step.change.line()),
        None => step.change.line(),
    };
    plan.steps.iter().map(line).collect()
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

async fn event(job: &Job, batch: BatchId, kind: &str, text: String) -> Outcome<()> {
    let event = BatchEvent {
        at_ms: job.now_ms(),
        item: None,
        kind: kind.to_owned(),
        text,
    };
    job.ports.store.add_event(batch, &event).await
}

/// Writes down what lost answers left, before it is undone: a stop in the middle finds it again.
async fn record(job: &Job, found: &[BatchResource]) -> Outcome<()> {
    for resource in found {
        job.ports.store.record(resource).await?;
    }
    Ok(())
}

/// A plan with what it was made from.
struct Draft {
    plan: RollbackPlan,
    view: HostView,
    /// What the batch made without ever learning so.
    found: Vec<BatchResource>,
}

/// Reads records, journal and host, and plans.
async fn draft(
    job: &Job,
    api: &dyn HostApi,
    batch: &Batch,
    expires_ms: Option<i64>,
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
    });
    Ok(Draft { plan, view, found })
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

async fn carry_out(
    job: &Job,
    api: &dyn HostApi,
    journal: &Journal,
    batch: &Batch,
    steps: &[UndoStep],
) -> Outcome<usize> {
    let session = session_for_keys(job, api, batch, steps).await?;
    let mut done = 0;
    for (index, step) in steps.iter().enumerate() {
        let Some(id) = step.change.host_resource_id else {
            continue;
        };
        if step.blocked.is_some() {
            continue;
        }
        job.count(step.change.line(), index, steps.len());
        let name = &step.change.name;
        match step.act {
            UndoAct::Leave => {}
            UndoAct::Delete => {
                journal
                    .ensure(&deletion(api, step.change.kind, id, name, session.as_ref()))
                    .await?;
            }
            UndoAct::Unpark => {
                journal
                    .ensure(&UnparkAccount {
                        api,
                        id,
                        name: name.clone(),
                    })
                    .await?;
            }
            UndoAct::Restore if step.change.kind == ResourceKind::Account => {
                restore_account(api, journal, id, step).await?;
            }
            UndoAct::Restore if step.change.kind == ResourceKind::Key => {
                journal
                    .ensure(&RestoreKey::of(api, id, name, &step.before))
                    .await?;
            }
            UndoAct::Restore if step.change.kind == ResourceKind::User => {
                let was = step.before["balance"].as_f64().unwrap_or(0.0).max(0.0);
                let email = name.clone();
                let restore = RestoreBalance {
                    api,
                    id,
                    email,
                    was,
                };
                journal.ensure(&restore).await?;
            }
            UndoAct::Restore => {
                let spec: ChannelSpec = serde_json::from_value(step.before.clone()).map_err(|error| {
                    Failure::new(FailureKind::Store, format!("the before-image of {name} cannot be read: {error}"))
                        .doing("restoring a corrected channel")
                        .hint("put it back by hand from `cockpit batch show`, then plan the rollback again")
                })?;
                journal.ensure(&Restore { api, id, spec }).await?;
            }
        }
        job.ports
            .store
            .mark_undone(batch.id, step.change.kind, id)
            .await?;
        done += usize::from(step.act != UndoAct::Leave);
    }
    Ok(done)
}

/// Puts back what a repair changed of an account, and nothing else of it.
async fn restore_account(
    api: &dyn HostApi,
    journal: &Journal,
    id: RemoteId,
    step: &UndoStep,
) -> Outcome<()> {
    let name = &step.change.name;
    let differs = |field: &str| step.change.fields.iter().any(|row| row.field == field);
    if differs("group_ids") {
        let restore = RestoreBinding::of(api, id, name, &step.before)?;
        journal.ensure(&restore).await?;
    }
    if differs("schedulable") {
        let schedulable = step.before["schedulable"] == serde_json::Value::Bool(true);
        let name = name.clone();
        journal
            .ensure(&RestoreSwitch {
                api,
                id,
                name,
                schedulable,
            })
            .await?;
    }
    Ok(())
}

async fn session_for_keys(
    job: &Job,
    api: &dyn HostApi,
    batch: &Batch,
    steps: &[UndoStep],
) -> Outcome<Option<Session>> {
    let wanted = steps.iter().any(|step| {
        step.change.kind == ResourceKind::Key
            && step.act == UndoAct::Delete
            && step.blocked.is_none()
    });
    if !wanted {
        return Ok(None);
    }
    let local = job.ports.store.local_key().await?;
    let password = managed_password(&local, &batch.host, &batch.provider);
    log_in_patiently(job, api, &managed_email(&batch.provider), &password)
        .await
        .map(Some)
        .map_err(|failure| failure.doing("logging in as the managed user to delete its key"))
}

struct Proof {
    remains: Vec<String>,
    disturbed: Vec<String>,
}

/// Lists again: nothing of ours remains, nothing of others changed (traps 16, 28).
async fn prove(
    job: &Job,
    api: &dyn HostApi,
    batch: &Batch,
    plan: &RollbackPlan,
    before: &HostView,
) -> Outcome<Proof> {
    job.say("proving by listing");
    let whose = match &before.user {
        Some(user) => Whose::User(user.id),
        None => Whose::Managed,
    };
    let after = read_view_of(api, &batch.provider, whose).await?;
    let touched = |kind: ResourceKind, id: RemoteId| {
        plan.steps.iter().any(|step| {
            step.change.kind == kind
                && step.change.host_resource_id == Some(id)
                && step.act != UndoAct::Leave
                && step.blocked.is_none()
        })
    };
    let rows = listing(&after);
    let remains = rows
        .keys()
        .filter(|(kind, _, id)| {
            plan.steps.iter().any(|step| {
                step.act == UndoAct::Delete
                    && step.blocked.is_none()
                    && step.change.kind == *kind
                    && step.change.host_resource_id == Some(RemoteId(*id))
            })
        })
        .map(|(kind, name, id)| format!("{kind} {name} #{id}"))
        .collect();
    let keep = |view: &HostView| {
        let mut rows = listing(view);
        rows.retain(|(kind, _, id), _| !touched(*kind, RemoteId(*id)));
        rows
    };
    Ok(Proof {
        remains,
        disturbed: listing_changes(&keep(before), &keep(&after)),
    })
}
