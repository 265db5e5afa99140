//! What a provider pack says. Reading and checking the text is in `read.rs`; this is the value
//! the rules work with.

use crate::ids::PackId;
use crate::inventory::ResponsesMode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An upstream model vendor or relay, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderPack {
    /// Folder name below `packs/`, and head of account names.
    pub id: PackId,
    /// Name for people.
    pub title: String,
    /// SHA-256 of the pack text, 64 hex digits: part of every plan.
    pub fingerprint: String,
    /// Upstream base URL, https (or any in the lab).
    pub base_url: String,
    /// Platform of group, accounts and prices.
    pub platform: String,
    /// Models clients may ask for.
    pub models: Vec<String>,
    /// The model every proof uses; one of `models`.
    pub smoke_model: String,
    /// Requested to upstream name for every model; identity unless the pack says otherwise.
    pub model_mapping: BTreeMap<String, String>,
    /// Set at account creation (`host-contract.md` 7.6).
    pub responses_mode: ResponsesMode,
    /// USD per token of input, `None` for the host's default price.
    pub input_price: Option<f64>,
    /// USD per token of output.
    pub output_price: Option<f64>,
    /// Account concurrency; 0 is unlimited.
    pub concurrency: i64,
    /// Account priority; lower wins.
    pub priority: i64,
    /// Accounts of a group that have to be choosable before parked ones may be deleted.
    #[serde(default = "least_floor")]
    pub floor: usize,
    /// Names and numbers for the subscription access mode.
    pub subscription: SubscriptionTemplate,
    /// Anchored regular expressions of account names that older tools gave to this provider.
    pub legacy_account_patterns: Vec<String>,
    /// Field paths the sources do not give; a plan outside the lab refuses until overridden.
    pub to_be_confirmed: Vec<String>,
}

/// An address as the host takes it: with or without its version (`host-contract.md` 7.6).
pub fn upstream_root(base_url: &str) -> &str {
    let url = base_url.trim_end_matches('/');
    url.strip_suffix("/v1").unwrap_or(url)
}

/// The floor of a pack that says nothing: somebody serves.
pub(crate) fn least_floor() -> usize {
    1
}

/// Templates of the subscription mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionTemplate {
    /// Group name on the host.
    pub group: String,
    /// Channel name on the host.
    pub channel: String,
    /// Sale offer name on the host.
    pub plan: String,
    /// Group price factor.
    pub rate_multiplier: f64,
    /// Offer price in USD.
    pub price: f64,
    /// Days of offer and of the managed subscription.
    pub validity_days: i64,
}
