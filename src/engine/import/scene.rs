//! Everything one running import works with.

use crate::context::Job;
use crate::failure::Outcome;
use crate::journal::Journal;
use crate::ports::HostApi;
use cockpit_domain::batch::{Batch, BatchEvent};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::{ItemId, RemoteId};
use cockpit_domain::import::ImportPlan;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use cockpit_domain::secret::Secret;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A batch at work on its host.
pub(crate) struct Scene {
    /// The job.
    pub(crate) job: Job,
    /// The host's API.
    pub(crate) api: Arc<dyn HostApi>,
    /// The journal of the batch.
    pub(crate) journal: Journal,
    /// The host.
    pub(crate) host: HostSettings,
    /// The plan carried out.
    pub(crate) plan: ImportPlan,
    /// Its keys, in item order.
    pub(crate) keys: Vec<Secret>,
    /// The caller's own key, where that is proven.
    pub(crate) caller: Option<Secret>,
    /// Our own derivation key.
    pub(crate) local: Secret,
    /// The batch as it was when the scene was set.
    pub(crate) batch: Batch,
    /// Accounts that the batch held then, once anybody asks.
    pub(crate) held: OnceCell<BTreeSet<RemoteId>>,
}

impl Scene {
    /// Adds an event to the batch's story.
    pub(crate) async fn event(
        &self,
        item: Option<ItemId>,
        kind: &str,
        text: impl Into<String>,
    ) -> Outcome<()> {
        let event = BatchEvent {
            at_ms: self.job.now_ms(),
            item,
            kind: kind.to_owned(),
            text: text.into(),
        };
        self.job.ports.store.add_event(self.batch.id, &event).await
    }

    /// A record of one of this batch's resources.
    pub(crate) fn resource(
        &self,
        kind: ResourceKind,
        id: RemoteId,
        name: &str,
        origin: Origin,
        recorded: Value,
    ) -> BatchResource {
        BatchResource::held(self.batch.id, (kind, id), name, origin, recorded)
    }

    /// A record of something of others that this batch changed; `before` is what it was.
    pub(crate) fn corrected(
        &self,
        of: (ResourceKind, RemoteId),
        name: &str,
        recorded: Value,
        before: &Value,
    ) -> BatchResource {
        BatchResource::corrected(self.batch.id, of, name, recorded, before.clone())
    }

    /// Accounts that this batch held when the scene was set.
    async fn held_before(&self) -> Outcome<&BTreeSet<RemoteId>> {
        self.held
            .get_or_try_init(|| async {
                let held = self.job.ports.store.resources(self.batch.id).await?;
                let accounts = held.iter().filter(|row| row.kind == ResourceKind::Account);
                Ok(accounts.map(|row| row.host_resource_id).collect())
            })
            .await
    }

    /// Records something that was there and fits, unless this batch holds it already.
    pub(crate) async fn adopt(
        &self,
        kind: ResourceKind,
        id: RemoteId,
        name: &str,
        recorded: Value,
    ) -> Outcome<()> {
        // Accounts are many, and each is asked for once in a run: what an earlier run held decides.
        let held = match kind {
            ResourceKind::Account => self.held_before().await?.contains(&id),
            _ => {
                let held = self.job.ports.store.resources(self.batch.id).await?;
                held.iter()
                    .any(|row| row.kind == kind && row.host_resource_id == id)
            }
        };
        if held {
            return Ok(());
        }
        self.job
            .ports
            .store
            .record(&self.resource(kind, id, name, Origin::Adopted, recorded))
            .await
    }
}
