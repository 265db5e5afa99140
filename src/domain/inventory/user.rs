//! Users, their subscriptions and keys (`host-contract.md` 4.4 to 4.6, 6).

use crate::ids::RemoteId;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};

/// A stored user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Host id.
    pub id: RemoteId,
    /// Unique among living users.
    pub email: String,
    /// `user` or `admin`.
    pub role: String,
    /// `active` or `disabled`.
    pub status: String,
    /// USD.
    pub balance: f64,
    /// Exclusive groups the user may bind.
    pub allowed_groups: Vec<RemoteId>,
}

/// A user to create.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Deterministic e-mail.
    pub email: String,
    /// Derived, never typed.
    pub password: Secret,
    /// USD; > 0 where the group is a standard one.
    pub balance: f64,
    /// Exclusive groups it may bind.
    pub allowed_groups: Vec<RemoteId>,
}

/// A stored subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Host id.
    pub id: RemoteId,
    /// Owner.
    pub user_id: RemoteId,
    /// Subscription group.
    pub group_id: RemoteId,
    /// `active`, `expired`, ...; the date decides, not this word.
    pub status: String,
    /// RFC 3339.
    pub starts_at: String,
    /// RFC 3339. An assign of an expired row answers 200 with that row (trap 7).
    pub expires_at: String,
    /// Notes given at assignment; compared by the host on a repeat.
    pub notes: String,
}

/// What a subscription is worth now (`host-contract.md` 4.6, trap 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Gives the right.
    Alive,
    /// Its date is over: an assign would answer 200 and change nothing, an extension revives it.
    Over,
    /// The host says that it is over, and its date lies ahead by our clock: the two clocks differ, and
    /// the host's is the one that counts. An extension revives it as well.
    OverThere,
    /// Somebody suspended it: no extension revives it, and an assign is a conflict.
    Suspended,
}

impl Subscription {
    /// Its end for people: to the second, or in the host's own words.
    pub fn until(&self) -> String {
        let end = self.expires_at.parse::<jiff::Timestamp>();
        end.map_or_else(|_| self.expires_at.clone(), |end| format!("{end:.0}"))
    }

    /// Until when, where it is over by the host's clock and not by ours.
    pub fn over_there(&self) -> String {
        format!(
            "is over by the host's clock, though it says {}",
            self.until()
        )
    }

    /// What it is worth at a time; `None` when the host's date cannot be read. Over is what either
    /// clock says: the host serves nobody whose right it calls `expired`, and brings the word up to
    /// date late.
    pub fn standing(&self, now_ms: i64) -> Option<Standing> {
        let end: jiff::Timestamp = self.expires_at.parse().ok()?;
        Some(
            if !matches!(self.status.as_str(), "active" | "expired" | "") {
                Standing::Suspended
            } else if end.as_millisecond() <= now_ms {
                Standing::Over
            } else if self.status == "expired" {
                Standing::OverThere
            } else {
                Standing::Alive
            },
        )
    }
}

/// A subscription to assign. Days and notes are constant, so that a repeat is the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionSpec {
    /// Owner.
    pub user_id: RemoteId,
    /// Subscription group.
    pub group_id: RemoteId,
    /// Days of validity.
    pub validity_days: i64,
    /// Notes.
    pub notes: String,
}

/// A stored user key. The host lists keys in clear (4.4); here it is a [`Secret`] at once.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKey {
    /// Host id.
    pub id: RemoteId,
    /// Owner.
    pub user_id: RemoteId,
    /// Name.
    pub name: String,
    /// The key.
    pub key: Secret,
    /// Bound group.
    pub group_id: Option<RemoteId>,
    /// `active`, `inactive`, ...
    pub status: String,
}
