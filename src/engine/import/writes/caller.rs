//! The caller's own key: bound to the group, and put back. Only an admin's bind is used: it changes
//! the key's group and nothing else of it (`host-contract.md` 4.5, trap 30).

use crate::basis::{Basis, reread};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use crate::ports::HostApi;
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::ApiKey;
use cockpit_domain::journal::StepKind;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use serde_json::{Value, json};

/// Binds the caller's key to the group of the import.
pub(crate) struct BindKey<'a> {
    pub(crate) scene: &'a Scene,
    /// The key as it was found first.
    pub(crate) key: &'a ApiKey,
    pub(crate) group: RemoteId,
    /// What it was bound to before this batch touched it.
    pub(crate) before: Value,
}

/// The name a key's binding has in the journal.
pub(crate) fn target(key: &ApiKey) -> String {
    format!("{} #{}", key.name, key.id)
}

async fn stored(api: &dyn HostApi, user: RemoteId, id: RemoteId) -> Outcome<Option<ApiKey>> {
    let keys = api.user_keys(user).await?;
    Ok(keys.into_iter().find(|row| row.id == id))
}

#[async_trait]
impl RemoteWrite for BindKey<'_> {
    type Made = ApiKey;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::BindKey,
            resource: ResourceKind::Key,
            target: target(self.key),
            request: json!([self.key.id, self.group]),
            before: self.before.clone(),
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        let (api, was) = (self.scene.api.as_ref(), &self.before);
        let now = reread(api, ResourceKind::Key, self.key.id, was).await?;
        Ok(Some(Basis::of(was.clone(), now)))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<ApiKey>> {
        let api = self.scene.api.as_ref();
        let row = stored(api, self.key.user_id, self.key.id).await?;
        Ok(row.filter(|row| row.group_id == Some(self.group)))
    }

    async fn send(&self, _key: &str) -> Outcome<ApiKey> {
        let api = self.scene.api.as_ref();
        api.bind_key(self.key.id, Some(self.group)).await?;
        self.look("").await?.ok_or_else(|| {
            Failure::new(
                FailureKind::Remote,
                format!(
                    "key #{} is not bound to group #{} although the host said so",
                    self.key.id, self.group
                ),
            )
            .hint("look at the key in the host's panel, then resume")
        })
    }

    fn record(&self, made: &ApiKey) -> Option<BatchResource> {
        Some(self.scene.corrected(
            (ResourceKind::Key, made.id),
            &made.name,
            recorded::of_key(made),
            &self.before,
        ))
    }

    fn answer(&self, made: &ApiKey) -> String {
        format!(
            "key #{} {} bound to #{}",
            made.id,
            made.key.masked(),
            self.group
        )
    }
}

/// Puts the binding of a caller's key back to what it was.
pub(crate) struct RestoreKey<'a> {
    pub(crate) api: &'a dyn HostApi,
    pub(crate) id: RemoteId,
    pub(crate) name: String,
    pub(crate) user: RemoteId,
    pub(crate) was: Option<RemoteId>,
}

impl<'a> RestoreKey<'a> {
    /// Out of a before-image.
    pub(crate) fn of(api: &'a dyn HostApi, id: RemoteId, name: &str, before: &Value) -> Self {
        let number = |field: &str| recorded::id_in(before, field);
        Self {
            api,
            id,
            name: name.to_owned(),
            user: number("user_id").unwrap_or(RemoteId(0)),
            was: number("group_id"),
        }
    }
}

#[async_trait]
impl RemoteWrite for RestoreKey<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::Restore,
            resource: ResourceKind::Key,
            target: format!("{} #{}", self.name, self.id),
            request: json!([self.id, self.was]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        // A key that is gone has no binding to put back.
        let row = stored(self.api, self.user, self.id).await?;
        Ok(row.is_none_or(|row| row.group_id == self.was).then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.api.bind_key(self.id, self.was).await
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}
