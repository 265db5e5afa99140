//! Usage rows: the host's own proof of which account served a request.

use crate::ids::RemoteId;
use serde::{Deserialize, Serialize};

/// One billed request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRow {
    /// Host id; larger is newer.
    pub id: RemoteId,
    /// The user key.
    pub api_key_id: RemoteId,
    /// The account that served it.
    pub account_id: RemoteId,
    /// The model billed.
    pub model: String,
    /// The upstream path used, if the host says so.
    pub upstream_endpoint: String,
    /// RFC 3339.
    pub created_at: String,
}
