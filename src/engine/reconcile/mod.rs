//! Reconcile: records against a host, per host and batch. Reads stored state, the upstream's model
//! list through each account, and at most one completion; the account test is never run here. Its
//! report is the plan of a repair as well, carried out in `apply.rs`.

mod apply;
mod write;

pub(crate) use apply::{KIND, resume};
pub use apply::{Mended, apply};

use crate::access::{GatewayLook, own_accounts, prove, told};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::neighbours;
use crate::ports::{HostApi, KeptResult, NewPlan, ResultKind};
use crate::view::{read_view_of, whose};
use cockpit_domain::batch::{AccessMode, AccessStatus, Batch, BatchKind, BatchStatus};
use cockpit_domain::canonical::hash_of;
use cockpit_domain::host::{HostSettings, Role};
use cockpit_domain::ids::{HostId, PackId, PlanId, RemoteId};
use cockpit_domain::import::{HostView, usd};
use cockpit_domain::inventory::ApiKey;
use cockpit_domain::pack::ProviderPack;
use cockpit_domain::reconcile::{ReconcileInput, ReconcileReport, ReconcileSummary, reconcile};
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use futures_util::StreamExt;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// A reconcile with its plan's id and hash.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedReconcile {
    /// Store id.
    pub id: PlanId,
    /// Hash of the report.
    pub hash: String,
    /// The report.
    pub report: ReconcileReport,
}

/// Life of the plan of a repair, on production.
const PRODUCTION_PLAN_MS: i64 = 15 * 60 * 1000;

/// Reconciles the newest batch of a provider on a host that is not rolled back.
pub async fn plan(job: &Job, host: &HostId, provider: &PackId) -> Outcome<PlannedReconcile> {
    let doing = format!("reconciling `{provider}` on `{host}`");
    job.host(host)?;
    job.provider(provider)?;
    let batch = standing(job, host, provider).await?.ok_or_else(|| {
        Failure::new(
            FailureKind::Conflict,
            format!("no batch of `{provider}` stands on `{host}`"),
        )
        .doing(doing.clone())
        .hint("nothing is recorded, so nothing can be compared; `cockpit batch list` shows what is")
    })?;
    job.say(format!("reading `{host}`"));
    let api = job.ports.hosts.api(host).await?;
    let (report, _) = compare(job, &api, &batch, Probes::Now)
        .await
        .map_err(|failure| failure.doing(doing))?;
    save(job, report, &batch).await
}

/// The newest import of a provider on a host that is not taken back.
async fn standing(job: &Job, host: &HostId, provider: &PackId) -> Outcome<Option<Batch>> {
    let batches = job.ports.store.batches(Some(host)).await?;
    Ok(batches.into_iter().find(|batch| {
        batch.kind == BatchKind::Import
            && batch.provider == *provider
            && batch.batch_status != BatchStatus::RolledBack
            && batch.batch_status != BatchStatus::Failed
    }))
}

/// Which probes go with a comparison.
#[derive(Debug, Clone, Copy)]
enum Probes {
    /// None: stored state only.
    None,
    /// As it is now.
    Now,
    /// After a write at this time: what the host may not have noticed yet is asked again.
    Since(i64),
}

/// Compares the records of a batch with its host; with what was read.
async fn compare(
    job: &Job,
    api: &Arc<dyn HostApi>,
    batch: &Batch,
    probes: Probes,
) -> Outcome<(ReconcileReport, HostView)> {
    let (host, provider) = (&batch.host, &batch.provider);
    let settings = job.host(host)?.clone();
    let pack = job.provider(provider)?;
    let all = job.ports.store.host_resources(host, provider).await?;
    let (resources, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|resource| resource.batch == batch.id);
    let view = read_view_of(api.as_ref(), provider, whose(provider, &resources)).await?;
    let stored = user_keys(api.as_ref(), &resources).await?;
    let mut probe_notes = Vec::new();
    let mut latest = batch.latest_access_status;
    if !matches!(probes, Probes::None) {
        probe_notes = account_probes(job, api, &resources, &view).await?;
        let look = Completion {
            job,
            api: api.as_ref(),
            host: &settings,
            batch,
            pack: &pack,
        };
        if let Some(note) = look.run(&resources, &stored, probes).await? {
            probe_notes.push(match broke(batch, &view) {
                Some(why) => format!("{note}; {why}"),
                None => note,
            });
            latest = Some(AccessStatus::Broken);
        }
    }
    let keys: Vec<(RemoteId, Value)> = stored
        .iter()
        .map(|key| (key.id, recorded::of_key(key)))
        .collect();
    let mut report = reconcile(ReconcileInput {
        host,
        pack: &pack,
        batch: batch.id,
        resources: &resources,
        others: &others,
        view: &view,
        keys: &keys,
        probe_notes,
        summary: ReconcileSummary {
            access_status: batch.access_status,
            latest_access_status: latest,
        },
    });
    if !report.mends.is_empty() && matches!(probes, Probes::Now) {
        report.warnings = neighbours::warnings(job, &settings, &view).await;
        report.expires_ms =
            (settings.role == Role::Production).then_some(job.now_ms() + PRODUCTION_PLAN_MS);
    }
    Ok((report, view))
}

/// Why a standard group refuses the managed user, if it is the money.
fn broke(batch: &Batch, view: &HostView) -> Option<String> {
    let user = view.user.as_ref()?;
    let empty = batch.access_mode == AccessMode::SelfService && user.balance <= 0.0;
    empty.then(|| {
        format!(
            "the managed user `{}` #{} has a balance of {}: a standard group serves only who can pay",
            user.email,
            user.id,
            usd(user.balance)
        )
    })
}

async fn save(job: &Job, report: ReconcileReport, batch: &Batch) -> Outcome<PlannedReconcile> {
    let hash =
        hash_of(&report).map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
    let body = serde_json::to_value(&report).unwrap_or_default();
    let kept = KeptResult {
        at_ms: job.now_ms(),
        body: body.clone(),
    };
    job.ports
        .store
        .keep(ResultKind::Reconcile, &batch.id.to_string(), &kept)
        .await?;
    let id = job
        .ports
        .store
        .save_plan(&NewPlan {
            kind: KIND,
            host: report.host.clone(),
            provider: report.provider.clone(),
            batch: Some(batch.id),
            hash: hash.clone(),
            body,
            keys: Vec::new(),
            created_ms: job.now_ms(),
        })
        .await?;
    Ok(PlannedReconcile { id, hash, report })
}

async fn user_keys(api: &dyn HostApi, resources: &[BatchResource]) -> Outcome<Vec<ApiKey>> {
    match resources
        .iter()
        .find(|resource| resource.kind == ResourceKind::User)
    {
        Some(user) => api.user_keys(user.host_resource_id).await,
        None => Ok(Vec::new()),
    }
}

/// Asks the upstream's list through each live account of ours: changes nothing, costs nothing.
async fn account_probes(
    job: &Job,
    api: &Arc<dyn HostApi>,
    resources: &[BatchResource],
    view: &HostView,
) -> Outcome<Vec<String>> {
    let ours = own_accounts(resources);
    let live = view
        .accounts
        .iter()
        .filter(|account| ours.contains(&account.id));
    let mut notes = Vec::new();
    let mut asked = Vec::new();
    for account in live {
        if account.status != "active" {
            notes.push(format!(
                "account {} #{} is {}: {}",
                account.name, account.id, account.status, account.error_message
            ));
        } else if let Some(until) = &account.temp_unschedulable_until {
            notes.push(format!(
                "account {} #{} is cooling down until {until}: {}",
                account.name, account.id, account.temp_unschedulable_reason
            ));
        } else {
            asked.push((account.id, account.name.clone()));
        }
    }
    let total = asked.len();
    let looks: Vec<_> = asked
        .into_iter()
        .map(|row| upstream_look(Arc::clone(api), row))
        .collect();
    let mut probes =
        futures_util::stream::iter(looks).buffered(job.settings.timing.items_in_flight.max(1));
    let mut done = 0;
    while let Some((id, name, result)) = probes.next().await {
        done += 1;
        job.count(format!("upstream list through {name}"), done, total);
        match result {
            Ok(_) => {}
            // Without the tunnel nothing can be judged; that is no finding about the key.
            Err(failure) if failure.kind == FailureKind::Unreachable => return Err(failure),
            Err(failure) => notes.push(format!("account {name} #{id}: {}", failure.message)),
        }
    }
    Ok(notes)
}

async fn upstream_look(
    api: Arc<dyn HostApi>,
    (id, name): (RemoteId, String),
) -> (RemoteId, String, Outcome<Vec<String>>) {
    let listed = api.upstream_models(id).await;
    (id, name, listed)
}

/// At most one completion that is judged.
struct Completion<'a> {
    job: &'a Job,
    api: &'a dyn HostApi,
    host: &'a HostSettings,
    batch: &'a Batch,
    pack: &'a ProviderPack,
}

impl Completion<'_> {
    /// What was wrong with it. Without waiting for a warm-up that ended long ago.
    async fn run(
        &self,
        resources: &[BatchResource],
        keys: &[ApiKey],
        probes: Probes,
    ) -> Outcome<Option<String>> {
        let held = resources
            .iter()
            .find(|resource| resource.kind == ResourceKind::Key);
        let Some(key) =
            held.and_then(|held| keys.iter().find(|key| key.id == held.host_resource_id))
        else {
            return Ok(None);
        };
        self.job.say("one completion with the managed key");
        let mut settings = (*self.job.settings).clone();
        let last_write_ms = match probes {
            Probes::Since(at_ms) => at_ms,
            Probes::None | Probes::Now => {
                settings.timing.warming = Duration::ZERO;
                self.batch.last_write_ms
            }
        };
        let paced = Job {
            settings: Arc::new(settings),
            ..self.job.clone()
        };
        let ours = own_accounts(resources);
        let evidence = prove(&GatewayLook {
            job: &paced,
            api: self.api,
            host: self.host,
            key,
            model: &self.pack.smoke_model,
            ours: &ours,
            last_write_ms,
            conversations: 0,
        })
        .await?;
        // Whoever serves it: after a partial import the older accounts still do, and rightly so.
        let well = evidence.models_ok && evidence.completion_ok;
        Ok((!well).then(|| told(&evidence)))
    }
}
