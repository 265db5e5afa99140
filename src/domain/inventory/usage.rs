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
    /// The group that the key was bound to.
    #[serde(default)]
    pub group_id: Option<RemoteId>,
    /// The channel over that group, where one was in force.
    #[serde(default)]
    pub channel_id: Option<RemoteId>,
    /// The model, as the client named it.
    pub model: String,
    /// What the upstream was asked for, where that is another name.
    #[serde(default)]
    pub upstream_model: Option<String>,
    /// The upstream path used, if the host says so.
    pub upstream_endpoint: String,
    /// RFC 3339.
    pub created_at: String,
}
