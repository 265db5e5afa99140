//! Faults that can be switched here: drills and tests over hosts that were made to fail. Real
//! installations have no such board, and faces only learn that faults can be switched.

use crate::failure::Outcome;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// One fault and whether it is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultState {
    /// Its name, as it is switched.
    pub name: String,
    /// Whether it is on.
    pub on: bool,
    /// What it breaks: one sentence.
    pub what: String,
}

/// One request that reached a far end, as that end saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRequest {
    /// Counts from 1 over all far ends.
    pub no: u64,
    /// Who answered.
    pub service: String,
    /// HTTP method.
    pub method: String,
    /// Path with query, without secrets.
    pub path: String,
    /// Status answered.
    pub status: u16,
    /// Fingerprint of the key it carried, empty if it carried none.
    #[serde(default)]
    pub key_fingerprint: String,
    /// Model named in the body, empty if none.
    #[serde(default)]
    pub model: String,
}

/// Where faults are switched.
///
/// # Errors
/// `Unreachable` when nobody listens, `Usage` for an unknown fault, `Remote` for an answer that
/// cannot be read.
#[async_trait]
pub trait FaultBoard: Send + Sync {
    /// Every fault there is.
    async fn faults(&self) -> Outcome<Vec<FaultState>>;
    /// Switches a fault on.
    async fn set(&self, name: &str) -> Outcome<()>;
    /// Switches a fault off.
    async fn clear(&self, name: &str) -> Outcome<()>;
    /// The requests seen after number `after`, 0 for all.
    async fn requests(&self, after: u64) -> Outcome<Vec<SeenRequest>>;
}
