//! Taking things back: deleting what we made, restoring what we corrected. Status codes lie here
//! (traps 16, 28); the caller proves the end by listing.

use crate::failure::{Failure, FailureKind, Outcome};
use crate::journal::{RemoteWrite, Write};
use crate::ports::{HostApi, Session};
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::ChannelSpec;
use cockpit_domain::journal::StepKind;
use cockpit_domain::plan::diff_fields;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use serde_json::{Value, json};

/// A deletion of one of ours.
pub(crate) struct Deletion<'a> {
    api: &'a dyn HostApi,
    kind: ResourceKind,
    id: RemoteId,
    name: String,
    session: Option<&'a Session>,
}

/// Deletes a resource; keys need their owner's session, since no admin call deletes them (trap 6).
pub(crate) fn deletion<'a>(
    api: &'a dyn HostApi,
    kind: ResourceKind,
    id: RemoteId,
    name: &str,
    session: Option<&'a Session>,
) -> Deletion<'a> {
    Deletion {
        api,
        kind,
        id,
        name: name.to_owned(),
        session,
    }
}

#[async_trait]
impl RemoteWrite for Deletion<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::Delete,
            resource: self.kind,
            target: format!("{} {} #{}", self.kind, self.name, self.id),
            request: json!([self.kind, self.id]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        let gone = match self.kind {
            ResourceKind::Account => self.api.account(self.id).await?.is_none(),
            ResourceKind::Channel => !self
                .api
                .channels()
                .await?
                .iter()
                .any(|row| row.id == self.id),
            ResourceKind::Group => !self.api.groups().await?.iter().any(|row| row.id == self.id),
            ResourceKind::Plan => !self.api.offers().await?.iter().any(|row| row.id == self.id),
            ResourceKind::User => self.api.user(self.id).await?.is_none(),
            // Deleting these again is harmless: a 404 says they are gone.
            ResourceKind::Key | ResourceKind::Subscription => false,
        };
        Ok(gone.then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        match self.kind {
            ResourceKind::Account => self.api.delete_account(self.id).await,
            ResourceKind::Channel => self.api.delete_channel(self.id).await.map(drop),
            ResourceKind::Group => self.api.delete_group(self.id).await.map(drop),
            ResourceKind::Plan => self.api.delete_offer(self.id).await.map(drop),
            ResourceKind::User => self.api.delete_user(self.id).await.map(drop),
            ResourceKind::Subscription => self.api.revoke_subscription(self.id).await.map(drop),
            ResourceKind::Key => match self.session {
                Some(session) => self.api.delete_key(session, self.id).await.map(drop),
                None => Err(Failure::new(FailureKind::Denied, "only its owner can delete a key, and the owner cannot log in")
                    .hint("mend the login (captcha, backend mode, password), then plan the rollback again")),
            },
        }
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}

/// Puts a corrected channel back.
pub(crate) struct Restore<'a> {
    pub(crate) api: &'a dyn HostApi,
    pub(crate) id: RemoteId,
    pub(crate) spec: ChannelSpec,
}

#[async_trait]
impl RemoteWrite for Restore<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::Restore,
            resource: ResourceKind::Channel,
            target: format!("{} #{}", self.spec.name, self.id),
            request: json!(self.spec),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        let found = self
            .api
            .channels()
            .await?
            .into_iter()
            .find(|channel| channel.id == self.id);
        Ok(found
            .is_none_or(|channel| diff_fields(&json!(channel.spec), &json!(self.spec)).is_empty())
            .then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.api.update_channel(self.id, &self.spec).await.map(drop)
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}
