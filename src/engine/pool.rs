//! The pools of a host: reads stored state and our records, asks no model.

use crate::context::Job;
use crate::failure::{Failure, Outcome};
use crate::view::read_view;
use cockpit_domain::batch::{BatchKind, BatchStatus};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_domain::import::HostView;
use cockpit_domain::pool::{Pool, PoolInput, pools};

/// Looks at the pool of a provider, or at those of every group of the host.
pub async fn status(job: &Job, host: &HostId, provider: Option<&PackId>) -> Outcome<Vec<Pool>> {
    let doing = format!("looking at the accounts of `{host}`");
    job.host(host)?;
    let pack = provider
        .map(|provider| job.provider(provider))
        .transpose()?;
    let store = &job.ports.store;
    let (mut records, mut probed) = (Vec::new(), Vec::new());
    for batch in store.batches(Some(host)).await? {
        let stands = batch.kind == BatchKind::Import
            && batch.batch_status != BatchStatus::RolledBack
            && provider.is_none_or(|provider| batch.provider == *provider);
        if stands {
            records.extend(store.resources(batch.id).await?);
            probed.extend(store.items(batch.id).await?);
        }
    }
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
        .map_err(|failure: Failure| failure.doing(doing))?;
    Ok(pools(&PoolInput {
        host,
        pack: pack.as_ref(),
        view: &view,
        records: &records,
        probed: &probed,
        now_ms: job.now_ms(),
    }))
}
