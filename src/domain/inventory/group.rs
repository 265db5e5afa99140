//! Groups (`host-contract.md` 4.1).

use crate::ids::RemoteId;
use serde::{Deserialize, Serialize};

/// A stored group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Host id.
    pub id: RemoteId,
    /// Fields the cockpit sets.
    #[serde(flatten)]
    pub spec: GroupSpec,
    /// `active` or `inactive`.
    pub status: String,
    /// What its users may spend. The cockpit sets none and leaves those of others alone.
    #[serde(flatten, default)]
    pub limits: GroupLimits,
}

/// Spending limits of a group for each of its subscriptions, in USD; `None` is none. The host stores
/// 0 as well and does not enforce it: that is none too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupLimits {
    /// In a day.
    #[serde(default)]
    pub daily_limit_usd: Option<f64>,
    /// In a week.
    #[serde(default)]
    pub weekly_limit_usd: Option<f64>,
    /// In a month.
    #[serde(default)]
    pub monthly_limit_usd: Option<f64>,
}

/// What we want a group to be. `rate_multiplier` is always sent: without it the host answers a
/// bare 500 (trap 1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupSpec {
    /// Unique among living groups.
    pub name: String,
    /// `openai`, `anthropic`, `gemini`, `antigravity`.
    pub platform: String,
    /// `standard` or `subscription`.
    pub subscription_type: String,
    /// Price factor, > 0.
    pub rate_multiplier: f64,
    /// Only users with the group in `allowed_groups` may bind it.
    pub is_exclusive: bool,
}
