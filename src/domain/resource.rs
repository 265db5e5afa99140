//! Managed resources: what we made or took over on a host, unique on (host, kind, host id).

use crate::ids::{BatchId, RemoteId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of resource the cockpit manages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A group of accounts that user keys are bound to.
    Group,
    /// A pricing and model policy over groups.
    Channel,
    /// A sale offer of a subscription group.
    Plan,
    /// One upstream key.
    Account,
    /// An ordinary user.
    User,
    /// A user's right to a subscription group.
    Subscription,
    /// A user's key.
    Key,
}

impl ResourceKind {
    /// Every kind, in the order things are made.
    pub const ALL: [Self; 7] = [
        Self::Group,
        Self::Channel,
        Self::Plan,
        Self::Account,
        Self::User,
        Self::Subscription,
        Self::Key,
    ];

    /// Rollback order (`product.md` 4): keys, subscriptions, accounts, channel, plan, group, user.
    pub const UNDO_ORDER: [Self; 7] = [
        Self::Key,
        Self::Subscription,
        Self::Account,
        Self::Channel,
        Self::Plan,
        Self::Group,
        Self::User,
    ];

    /// The word in the store, in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Channel => "channel",
            Self::Plan => "plan",
            Self::Account => "account",
            Self::User => "user",
            Self::Subscription => "subscription",
            Self::Key => "key",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a resource came into a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// We made it; rollback deletes it.
    Created,
    /// It was there and right; rollback leaves it.
    Adopted,
    /// It was there and we changed it; rollback restores the before-image.
    Corrected,
    /// An older account we made unschedulable; rollback makes it schedulable again.
    Parked,
}

impl Origin {
    /// The word in the store, in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Adopted => "adopted",
            Self::Corrected => "corrected",
            Self::Parked => "parked",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Created, Self::Adopted, Self::Corrected, Self::Parked]
            .into_iter()
            .find(|origin| origin.as_str() == word)
    }
}

/// One resource as one batch holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BatchResource {
    /// The batch that holds it.
    #[serde(skip)]
    pub batch: BatchId,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: ResourceKind,
    /// The host's id of it.
    pub host_resource_id: RemoteId,
    /// Its name there (an e-mail for users, a note for subscriptions).
    pub name: String,
    /// How it came into this batch.
    pub origin: Origin,
    /// What we hold it to be, field by field, for reconcile. Never a secret.
    pub recorded: serde_json::Value,
    /// What it was before we changed it (`corrected`, `parked`), else null.
    pub before: serde_json::Value,
    /// Whether rollback has dealt with it.
    pub undone: bool,
}

impl BatchResource {
    /// A record that a batch holds from now on, of something that was not there before or is as it was.
    pub fn held(
        batch: BatchId,
        (kind, id): (ResourceKind, RemoteId),
        name: &str,
        origin: Origin,
        recorded: serde_json::Value,
    ) -> Self {
        Self {
            batch,
            kind,
            host_resource_id: id,
            name: name.to_owned(),
            origin,
            recorded,
            before: serde_json::Value::Null,
            undone: false,
        }
    }

    /// A record of something of others that a batch changed; `before` is what it was.
    pub fn corrected(
        batch: BatchId,
        of: (ResourceKind, RemoteId),
        name: &str,
        recorded: serde_json::Value,
        before: serde_json::Value,
    ) -> Self {
        Self {
            before,
            ..Self::held(batch, of, name, Origin::Corrected, recorded)
        }
    }
}
