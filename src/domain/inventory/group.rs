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
