//! What our batches hold on a host, beside what of it stands there now. The records are told also when
//! the host cannot be looked at.

use crate::context::Job;
use crate::failure::Outcome;
use crate::ports::HostApi;
use crate::view::{read_rows, read_view};
use cockpit_domain::adopt::{AdoptInput, plan_adopt};
use cockpit_domain::batch::BatchStatus;
use cockpit_domain::ids::{BatchId, HostId, PackId, RemoteId};
use cockpit_domain::import::HostView;
use cockpit_domain::plan::{Change, Sign};
use cockpit_domain::pool::Now;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One thing on a host that a batch holds.
#[derive(Debug, Clone, Serialize)]
pub struct Held {
    /// Provider.
    pub provider: PackId,
    /// The batch.
    pub batch: BatchId,
    /// UTC ms since when.
    pub since_ms: i64,
    /// What it is, and how it came into the batch.
    #[serde(flatten)]
    pub resource: BatchResource,
    /// How it stands on the host now.
    pub now: Now,
}

/// What batches hold on a host.
#[derive(Debug, Clone, Serialize)]
pub struct Resources {
    /// Host.
    pub host: HostId,
    /// Provider, where one was named.
    pub provider: Option<PackId>,
    /// Why the host could not be looked at.
    pub trouble: Option<String>,
    /// What standing batches hold, oldest batch first.
    pub resources: Vec<Held>,
    /// What stands there by the provider's names and is in no record: `adopt` takes it over.
    pub unrecorded: Vec<Change>,
}

/// What stands on a host, by kind and id.
type Stored = BTreeMap<(ResourceKind, RemoteId), Value>;

/// Reads the records, and the host beside them.
pub async fn resources(job: &Job, host: &HostId, provider: Option<&PackId>) -> Outcome<Resources> {
    job.host(host)?;
    let store = &job.ports.store;
    let (mut held, mut records) = (Vec::new(), Vec::new());
    for batch in store.batches(Some(host)).await?.into_iter().rev() {
        if batch.batch_status == BatchStatus::RolledBack {
            continue;
        }
        let mut rows = store.resources(batch.id).await?;
        rows.retain(|row| !row.undone);
        records.extend(rows.iter().cloned());
        if provider.is_some_and(|provider| batch.provider != *provider) {
            continue;
        }
        held.extend(rows.into_iter().map(|resource| Held {
            provider: batch.provider.clone(),
            batch: batch.id,
            since_ms: batch.created_ms,
            resource,
            now: Now::unknown(),
        }));
    }
    let mut told = Resources {
        host: host.clone(),
        provider: provider.cloned(),
        trouble: None,
        resources: held,
        unrecorded: Vec::new(),
    };
    job.say(format!("reading `{host}`"));
    match look(job, host, provider, &told.resources).await {
        Ok((view, stored)) => {
            for row in &mut told.resources {
                let at = (row.resource.kind, row.resource.host_resource_id);
                row.now = Now::of(&row.resource, stored.get(&at), &records);
            }
            if let Some(provider) = provider {
                told.unrecorded = unrecorded(job, host, provider, &view, &records)?;
            }
        }
        Err(failure) => told.trouble = Some(failure.to_string()),
    }
    Ok(told)
}

async fn look(
    job: &Job,
    host: &HostId,
    provider: Option<&PackId>,
    held: &[Held],
) -> Outcome<(HostView, Stored)> {
    let api = job.ports.hosts.api(host).await?;
    let api = api.as_ref();
    let view = match provider {
        Some(provider) => read_view(api, provider).await?,
        None => read_rows(api).await?,
    };
    let mut stored = Stored::new();
    let mut put = |kind, id, fields| stored.insert((kind, id), fields);
    for row in &view.groups {
        put(ResourceKind::Group, row.id, recorded::of_group(row));
    }
    for row in &view.channels {
        put(ResourceKind::Channel, row.id, recorded::of_channel(row));
    }
    for row in &view.offers {
        put(ResourceKind::Plan, row.id, recorded::of_offer(row));
    }
    for row in &view.accounts {
        put(ResourceKind::Account, row.id, recorded::of_account(row));
    }
    for user in owners(held) {
        people(api, user, &mut stored).await?;
    }
    Ok((view, stored))
}

/// Users that batches hold, and owners of keys and rights that they hold.
fn owners(held: &[Held]) -> BTreeSet<RemoteId> {
    let rows = held.iter().map(|row| &row.resource);
    rows.filter_map(|row| match row.kind {
        ResourceKind::User => Some(row.host_resource_id),
        ResourceKind::Key | ResourceKind::Subscription => recorded::id_in(&row.recorded, "user_id"),
        _ => None,
    })
    .collect()
}

async fn people(api: &dyn HostApi, id: RemoteId, stored: &mut Stored) -> Outcome<()> {
    let Some(user) = api.user(id).await? else {
        return Ok(());
    };
    stored.insert((ResourceKind::User, id), recorded::of_user(&user));
    let (rights, keys) = tokio::try_join!(api.subscriptions(id), api.user_keys(id))?;
    for row in rights {
        let fields = recorded::of_subscription(&row);
        stored.insert((ResourceKind::Subscription, row.id), fields);
    }
    for key in keys {
        stored.insert((ResourceKind::Key, key.id), recorded::of_key(&key));
    }
    Ok(())
}

/// What an adoption would take over.
fn unrecorded(
    job: &Job,
    host: &HostId,
    provider: &PackId,
    view: &HostView,
    records: &[BatchResource],
) -> Outcome<Vec<Change>> {
    let settings = job.host(host)?;
    let pack = job.provider(provider)?;
    let plan = plan_adopt(&AdoptInput {
        host,
        role: settings.role,
        pack: &pack,
        view,
        records,
        now_ms: job.now_ms(),
    });
    let rows = plan.changes.into_iter();
    Ok(rows.filter(|row| row.sign == Sign::Create).collect())
}
