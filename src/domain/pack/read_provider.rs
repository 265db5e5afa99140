//! Reads a provider pack: shape first, then the rules of `provider_rules.rs`, then defaults.

use super::provider::{ProviderPack, SubscriptionTemplate, least_floor};
use super::provider_rules::Rules;
use super::shape::read_shape;
use crate::finding::{Finding, Source};
use crate::ids::PackId;
use crate::inventory::ResponsesMode;
use crate::secret::sha256_hex;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const REQUIRED: [&str; 6] = [
    "title",
    "base_url",
    "models",
    "smoke_model",
    "kind",
    "schema",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(rename = "schema")]
    _schema: i64,
    #[serde(rename = "kind")]
    _kind: String,
    pub(super) title: Spanned<String>,
    pub(super) base_url: Spanned<String>,
    pub(super) platform: Option<Spanned<String>>,
    pub(super) models: Spanned<Vec<Spanned<String>>>,
    pub(super) smoke_model: Spanned<String>,
    #[serde(default)]
    pub(super) model_mapping: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) responses_mode: Option<Spanned<ResponsesMode>>,
    #[serde(default)]
    pub(super) price: RawPrice,
    pub(super) concurrency: Option<Spanned<i64>>,
    pub(super) priority: Option<Spanned<i64>>,
    pub(super) floor: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) subscription: RawSubscription,
    #[serde(default)]
    pub(super) legacy_account_patterns: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) to_be_confirmed: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrice {
    pub(super) input: Option<Spanned<f64>>,
    pub(super) output: Option<Spanned<f64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSubscription {
    pub(super) group: Option<Spanned<String>>,
    pub(super) channel: Option<Spanned<String>>,
    pub(super) plan: Option<Spanned<String>>,
    pub(super) rate_multiplier: Option<Spanned<f64>>,
    pub(super) price: Option<Spanned<f64>>,
    pub(super) validity_days: Option<Spanned<i64>>,
}

/// Reads the pack; `None` when a finding was added.
pub(super) fn read(
    id: &PackId,
    source: Source<'_>,
    table: Spanned<DeTable<'_>>,
    findings: &mut Vec<Finding>,
) -> Option<ProviderPack> {
    let span = table.span();
    let value = Spanned::new(span, DeValue::Table(table.into_inner()));
    let raw: Raw = read_shape(source, value, &REQUIRED, findings)?;
    let mut rules = Rules { source, findings };
    rules.check(&raw);
    let text = |value: Option<Spanned<String>>, default: &str| {
        value.map_or_else(|| default.to_owned(), Spanned::into_inner)
    };
    let models: Vec<String> = raw
        .models
        .into_inner()
        .into_iter()
        .map(Spanned::into_inner)
        .collect();
    let mut model_mapping: BTreeMap<String, String> = models
        .iter()
        .map(|model| (model.clone(), model.clone()))
        .collect();
    model_mapping.extend(
        raw.model_mapping
            .into_iter()
            .map(|(from, to)| (from.into_inner(), to.into_inner())),
    );
    Some(ProviderPack {
        id: id.clone(),
        title: raw.title.into_inner(),
        fingerprint: sha256_hex(source.text),
        base_url: raw.base_url.into_inner().trim_end_matches('/').to_owned(),
        platform: text(raw.platform, "openai"),
        models,
        smoke_model: raw.smoke_model.into_inner(),
        model_mapping,
        responses_mode: raw
            .responses_mode
            .map_or_else(ResponsesMode::default, Spanned::into_inner),
        input_price: raw.price.input.map(Spanned::into_inner),
        output_price: raw.price.output.map(Spanned::into_inner),
        concurrency: raw.concurrency.map_or(10, Spanned::into_inner),
        priority: raw.priority.map_or(1, Spanned::into_inner),
        floor: raw
            .floor
            .and_then(|floor| usize::try_from(floor.into_inner()).ok())
            .unwrap_or_else(least_floor),
        subscription: SubscriptionTemplate {
            group: text(raw.subscription.group, &format!("relay-{id}")),
            channel: text(raw.subscription.channel, &format!("relay-{id}")),
            plan: text(raw.subscription.plan, &format!("relay-{id}-monthly")),
            rate_multiplier: raw
                .subscription
                .rate_multiplier
                .map_or(1.0, Spanned::into_inner),
            price: raw.subscription.price.map_or(1.0, Spanned::into_inner),
            validity_days: raw
                .subscription
                .validity_days
                .map_or(30, Spanned::into_inner),
        },
        legacy_account_patterns: raw
            .legacy_account_patterns
            .into_iter()
            .map(Spanned::into_inner)
            .collect(),
        to_be_confirmed: raw
            .to_be_confirmed
            .into_iter()
            .map(Spanned::into_inner)
            .collect(),
    })
}
