//! Channels: pricing and model policy over groups (`host-contract.md` 5). Their timestamps are
//! local time with a false `Z` (trap 28) and are not read at all.

use crate::ids::RemoteId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A stored channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Host id.
    pub id: RemoteId,
    /// Fields the cockpit sets.
    #[serde(flatten)]
    pub spec: ChannelSpec,
    /// `active` or `disabled`.
    pub status: String,
}

/// What we want a channel to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelSpec {
    /// Globally unique.
    pub name: String,
    /// Groups it lies over; a group is in at most one channel.
    pub group_ids: Vec<RemoteId>,
    /// Prices; a restriction passes only models with an entry of the group's platform.
    pub model_pricing: Vec<PricingEntry>,
    /// Platform to (requested to target).
    pub model_mapping: BTreeMap<String, BTreeMap<String, String>>,
    /// `requested`, `upstream` or `channel_mapped`.
    pub billing_model_source: String,
    /// Whether only priced models may be used.
    pub restrict_models: bool,
}

/// One price row. Prices in USD per token; `None` is the host's default price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PricingEntry {
    /// Must equal the group's platform, else it blocks instead of pricing (trap 25).
    pub platform: String,
    /// Exact names or `prefix*`.
    pub models: Vec<String>,
    /// `token`, `per_request` or `image`.
    pub billing_mode: String,
    /// Price of an input token.
    pub input_price: Option<f64>,
    /// Price of an output token.
    pub output_price: Option<f64>,
}
