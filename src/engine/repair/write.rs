//! The writes of a repair and of its undoing: how each is sent, and how an earlier try is found.

use crate::basis::{Basis, reread};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::journal::{RemoteWrite, Write};
use crate::ports::HostApi;
use async_trait::async_trait;
use cockpit_domain::ids::{BatchId, RemoteId};
use cockpit_domain::inventory::{Channel, ChannelSpec};
use cockpit_domain::journal::StepKind;
use cockpit_domain::recorded;
use cockpit_domain::repair::Rebind;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use serde_json::{Value, json};

/// Gives an account or a channel the groups of a plan. Groups only: everything else is left out of
/// an account's request, which keeps it, and sent as it was read for a channel.
pub(super) struct RepairBinding<'a> {
    pub(super) api: &'a dyn HostApi,
    pub(super) batch: BatchId,
    pub(super) rebind: &'a Rebind,
    /// The channel as it was read; `None` for an account.
    pub(super) channel: Option<Channel>,
}

impl RepairBinding<'_> {
    /// What a channel is to be.
    fn spec(&self) -> Option<ChannelSpec> {
        self.channel.as_ref().map(|channel| ChannelSpec {
            group_ids: self.rebind.groups.clone(),
            ..channel.spec.clone()
        })
    }

    fn before(&self) -> Value {
        match &self.channel {
            Some(channel) => {
                let mut before = recorded::of_channel(channel);
                before["group_ids"] = json!(self.rebind.before);
                before
            }
            None => groups_of(&self.rebind.before),
        }
    }
}

#[async_trait]
impl RemoteWrite for RepairBinding<'_> {
    /// What it is now, as it is recorded.
    type Made = Value;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::RepairBinding,
            resource: self.rebind.kind,
            target: target(&self.rebind.name, self.rebind.id),
            request: match self.spec() {
                Some(spec) => json!(spec),
                None => json!([self.rebind.id, self.rebind.groups]),
            },
            before: self.before(),
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        // Whoever put the same right meanwhile is not overwritten.
        if self.look("").await?.is_some() {
            return Ok(None);
        }
        let was = self.before();
        let now = reread(self.api, self.rebind.kind, self.rebind.id, &was).await?;
        Ok(Some(Basis::of(was, now)))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<Value>> {
        let wanted = &self.rebind.groups;
        let holds = |groups: &[RemoteId]| wanted.iter().all(|group| groups.contains(group));
        if self.rebind.kind == ResourceKind::Channel {
            let channels = self.api.channels().await?;
            let found = channels.iter().find(|row| row.id == self.rebind.id);
            return Ok(found
                .filter(|row| holds(&row.spec.group_ids))
                .map(recorded::of_channel));
        }
        let found = self.api.account(self.rebind.id).await?;
        Ok(found
            .filter(|row| holds(&row.group_ids))
            .map(|row| groups_of(&row.group_ids)))
    }

    async fn send(&self, _key: &str) -> Outcome<Value> {
        match (self.rebind.kind, self.spec()) {
            (ResourceKind::Account, _) => {
                let groups = &self.rebind.groups;
                self.api.bind_account(self.rebind.id, groups).await?;
                Ok(groups_of(groups))
            }
            (ResourceKind::Channel, Some(spec)) => {
                let made = self.api.update_channel(self.rebind.id, &spec).await?;
                Ok(recorded::of_channel(&made))
            }
            (kind, _) => Err(Failure::new(
                FailureKind::Internal,
                format!("a {kind} cannot be bound to groups"),
            )),
        }
    }

    fn record(&self, made: &Value) -> Option<BatchResource> {
        let (of, name) = ((self.rebind.kind, self.rebind.id), &self.rebind.name);
        let (recorded, before) = (made.clone(), self.before());
        Some(BatchResource::corrected(
            self.batch, of, name, recorded, before,
        ))
    }

    fn answer(&self, made: &Value) -> String {
        format!("group_ids {}", made["group_ids"])
    }
}

/// Puts an account's groups back to a before-image.
pub(crate) struct RestoreBinding<'a> {
    pub(crate) api: &'a dyn HostApi,
    pub(crate) id: RemoteId,
    pub(crate) name: String,
    pub(crate) groups: Vec<RemoteId>,
}

impl<'a> RestoreBinding<'a> {
    /// Reads the before-image that a repair kept.
    pub(crate) fn of(
        api: &'a dyn HostApi,
        id: RemoteId,
        name: &str,
        before: &Value,
    ) -> Outcome<Self> {
        let groups = serde_json::from_value(before["group_ids"].clone()).map_err(|error| {
            Failure::new(
                FailureKind::Store,
                format!("the before-image of {name} cannot be read: {error}"),
            )
            .doing("restoring the groups of an account")
            .hint("put them back by hand from `cockpit batch show`, then plan the rollback again")
        })?;
        Ok(Self {
            api,
            id,
            name: name.to_owned(),
            groups,
        })
    }
}

#[async_trait]
impl RemoteWrite for RestoreBinding<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::Restore,
            resource: ResourceKind::Account,
            target: target(&self.name, self.id),
            request: json!([self.id, self.groups]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        // An account that is gone has nothing to put back.
        let account = self.api.account(self.id).await?;
        Ok(account
            .is_none_or(|account| {
                let (mut is, mut was) = (account.group_ids, self.groups.clone());
                is.sort();
                was.sort();
                is == was
            })
            .then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.api.bind_account(self.id, &self.groups).await
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}

/// Switches an account back to what a before-image says.
pub(crate) struct RestoreSwitch<'a> {
    pub(crate) api: &'a dyn HostApi,
    pub(crate) id: RemoteId,
    pub(crate) name: String,
    pub(crate) schedulable: bool,
}

#[async_trait]
impl RemoteWrite for RestoreSwitch<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::Restore,
            resource: ResourceKind::Account,
            // The groups of the same account are another step.
            target: format!("schedulable of {}", target(&self.name, self.id)),
            request: json!([self.id, self.schedulable]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        let account = self.api.account(self.id).await?;
        Ok(account
            .is_none_or(|account| account.schedulable == self.schedulable)
            .then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.api.set_schedulable(self.id, self.schedulable).await
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}

fn groups_of(groups: &[RemoteId]) -> Value {
    json!({ "group_ids": groups })
}

/// Names are not unique over there: the id belongs to it.
fn target(name: &str, id: RemoteId) -> String {
    format!("{name} #{id}")
}
