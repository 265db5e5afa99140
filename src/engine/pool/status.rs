//! The pools of a host: reads stored state and our records, asks no model.

use crate::context::Job;
use crate::failure::{Failure, Outcome};
use crate::ports::{HostApi, ResultKind, UsageQuery};
use crate::view::read_view;
use cockpit_domain::batch::{BatchKind, BatchStatus, Item};
use cockpit_domain::ids::{HostId, PackId, RemoteId};
use cockpit_domain::import::HostView;
use cockpit_domain::pool::{Asked, Pool, PoolInput, Served, pools};
use cockpit_domain::resource::{BatchResource, ResourceKind};
use futures_util::future::try_join_all;

/// Looks at the pool of a provider, or at those of every group of the host.
pub async fn status(job: &Job, host: &HostId, provider: Option<&PackId>) -> Outcome<Vec<Pool>> {
    let doing = format!("looking at the accounts of `{host}`");
    job.host(host)?;
    let pack = provider
        .map(|provider| job.provider(provider))
        .transpose()?;
    let known = known(job, host, provider).await?;
    job.say(format!("reading `{host}`"));
    let api = job.ports.hosts.api(host).await?;
    let read = async {
        Ok(match provider {
            Some(provider) => read_view(api.as_ref(), provider).await?,
            None => {
                let (groups, channels, accounts) =
                    tokio::try_join!(api.groups(), api.channels(), api.accounts(None))?;
                HostView {
                    groups,
                    channels,
                    accounts,
                    ..HostView::default()
                }
            }
        })
    };
    let view = read
        .await
        .map_err(|failure: Failure| failure.doing(doing.clone()))?;
    let mut pools = pools(&PoolInput {
        host,
        pack: pack.as_ref(),
        view: &view,
        records: &known.records,
        probed: &known.probed,
        recovered: &known.recovered,
        now_ms: job.now_ms(),
    });
    let served = pools.iter().map(|pool| last_served(api.as_ref(), pool));
    let served = try_join_all(served).await;
    let served = served.map_err(|failure| failure.doing(doing))?;
    for (pool, last) in pools.iter_mut().zip(served) {
        pool.serving.last = last;
    }
    Ok(pools)
}

/// The newest completion that a group served.
async fn last_served(api: &dyn HostApi, pool: &Pool) -> Outcome<Option<Served>> {
    let query = UsageQuery {
        group_id: pool.group,
        most: 1,
        ..UsageQuery::default()
    };
    if query.group_id.is_none() {
        return Ok(None);
    }
    let newest = api.usage(&query).await?.into_iter().next();
    Ok(newest.map(|row| {
        let seat = pool
            .seats
            .iter()
            .find(|seat| seat.account == row.account_id);
        Served {
            account: row.account_id,
            name: seat.map_or_else(String::new, |seat| seat.name.clone()),
            model: row.model,
            at: row.created_at,
        }
    }))
}

/// What we know of the accounts of a host beside what it stores.
#[derive(Default)]
pub(super) struct Known {
    /// What standing imports hold, newest batch first.
    pub(super) records: Vec<BatchResource>,
    /// Their keys.
    pub(super) probed: Vec<Item>,
    /// Accounts that were asked again, newest first.
    pub(super) recovered: Vec<Asked>,
    providers: Vec<(RemoteId, PackId)>,
}

impl Known {
    /// The provider whose batch holds an account, the newest first.
    pub(super) fn provider_of(&self, account: RemoteId) -> Option<&PackId> {
        let mut rows = self.providers.iter();
        rows.find(|(id, _)| *id == account)
            .map(|(_, provider)| provider)
    }
}

/// Reads it from the store.
pub(super) async fn known(job: &Job, host: &HostId, provider: Option<&PackId>) -> Outcome<Known> {
    let store = &job.ports.store;
    let mut known = Known::default();
    for batch in store.batches(Some(host)).await? {
        let stands = batch.batch_status != BatchStatus::RolledBack
            && provider.is_none_or(|provider| batch.provider == *provider);
        if !stands {
            continue;
        }
        match batch.kind {
            BatchKind::Import | BatchKind::Adopt => {
                let records = store.resources(batch.id).await?;
                let accounts = records
                    .iter()
                    .filter(|record| record.kind == ResourceKind::Account)
                    .map(|record| (record.host_resource_id, batch.provider.clone()));
                known.providers.extend(accounts);
                known.records.extend(records);
                known.probed.extend(store.items(batch.id).await?);
            }
            BatchKind::Recover => {
                let subject = batch.id.to_string();
                let kept = store.kept(ResultKind::Recover, &subject, 1).await?;
                let read = |row: crate::ports::KeptResult| serde_json::from_value(row.body).ok();
                known.recovered.extend(kept.into_iter().filter_map(read));
            }
            BatchKind::Repair | BatchKind::Prune | BatchKind::Access => {}
        }
    }
    Ok(known)
}
