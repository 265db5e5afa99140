//! Accounts: one upstream key each (`host-contract.md` 4.3). Reads never carry the key (trap 13).

use crate::ids::RemoteId;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The operator's choice about `/responses`, `extra.openai_responses_mode` (7.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponsesMode {
    /// The host's own probe decides.
    #[default]
    Auto,
    /// Always `/responses`.
    ForceResponses,
    /// Always `/chat/completions`: for chat-only upstreams, set at creation so that there is no
    /// warm-up window.
    ForceChatCompletions,
}

impl ResponsesMode {
    /// The host's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::ForceResponses => "force_responses",
            Self::ForceChatCompletions => "force_chat_completions",
        }
    }
}

/// A stored account. Times are RFC 3339 texts as the host wrote them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Host id.
    pub id: RemoteId,
    /// Not unique on the host (trap 14).
    pub name: String,
    /// Must equal the group's platform to be chosen.
    pub platform: String,
    /// `apikey`, `oauth`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// `credentials.base_url`.
    pub base_url: String,
    /// `credentials.model_mapping`: the whitelist, and what `/v1/models` shows.
    pub model_mapping: BTreeMap<String, String>,
    /// `extra.openai_responses_mode`.
    pub responses_mode: ResponsesMode,
    /// `extra.openai_responses_supported`; `None` while the host's probe has not answered.
    pub responses_supported: Option<bool>,
    /// 0 is unlimited.
    pub concurrency: i64,
    /// Lower wins.
    pub priority: i64,
    /// `active`, `inactive`, `error`.
    pub status: String,
    /// Why it is in `error`, redacted.
    pub error_message: String,
    /// The operator's switch.
    pub schedulable: bool,
    /// Cooling down until, RFC 3339.
    pub temp_unschedulable_until: Option<String>,
    /// Why, redacted. After a gateway call it holds the upstream's message in plain text, not its
    /// code (seen on 0.1.129).
    pub temp_unschedulable_reason: String,
    /// When it was chosen last, RFC 3339.
    pub last_used_at: Option<String>,
    /// Rate limited until, RFC 3339.
    pub rate_limit_reset_at: Option<String>,
    /// Overloaded until, RFC 3339.
    pub overload_until: Option<String>,
    /// Unix seconds of its end, if it has one.
    pub expires_at: Option<i64>,
    /// Whether its end takes it out of scheduling.
    pub auto_pause_on_expired: bool,
    /// Its own limit of spending in USD; 0 is unlimited.
    pub quota_limit: f64,
    /// What it has spent of it.
    pub quota_used: f64,
    /// Groups it is bound to; only complete on single reads and on lists, not on the create
    /// answer (trap 14).
    pub group_ids: Vec<RemoteId>,
}

/// What we want an account to be at creation. Every field is sent: omitted ones mean unlimited
/// and highest (trap 29).
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Deterministic name.
    pub name: String,
    /// Platform of the group.
    pub platform: String,
    /// Upstream base URL.
    pub base_url: String,
    /// The key itself.
    pub api_key: Secret,
    /// Requested to upstream model.
    pub model_mapping: BTreeMap<String, String>,
    /// See [`ResponsesMode`].
    pub responses_mode: ResponsesMode,
    /// Groups to bind.
    pub group_ids: Vec<RemoteId>,
    /// Parallel requests.
    pub concurrency: i64,
    /// Lower wins.
    pub priority: i64,
}
