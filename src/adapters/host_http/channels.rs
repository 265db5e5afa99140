//! Channels (`host-contract.md` 5).

use super::call::Call;
use super::client::HostHttp;
use super::wire::{or_default, texts};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{Channel, ChannelSpec, PricingEntry};
use cockpit_engine::failure::Outcome;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct WireChannel {
    id: RemoteId,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    group_ids: Vec<RemoteId>,
    #[serde(default, deserialize_with = "or_default")]
    model_pricing: Vec<WirePricing>,
    #[serde(default)]
    model_mapping: Value,
    #[serde(default, deserialize_with = "or_default")]
    billing_model_source: String,
    #[serde(default, deserialize_with = "or_default")]
    restrict_models: bool,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
}

#[derive(Deserialize)]
struct WirePricing {
    #[serde(default, deserialize_with = "or_default")]
    platform: String,
    #[serde(default, deserialize_with = "or_default")]
    models: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    billing_mode: String,
    #[serde(default)]
    input_price: Option<f64>,
    #[serde(default)]
    output_price: Option<f64>,
}

/// Every field of ours, always: in an update an absent one would keep the old value, and an
/// absent platform of a price means `anthropic` (trap 25).
fn body(spec: &ChannelSpec) -> Value {
    let pricing: Vec<Value> = spec
        .model_pricing
        .iter()
        .map(|entry| {
            json!({
                "platform": entry.platform,
                "models": entry.models,
                "billing_mode": entry.billing_mode,
                "input_price": entry.input_price,
                "output_price": entry.output_price,
            })
        })
        .collect();
    json!({
        "name": spec.name,
        "group_ids": spec.group_ids.iter().map(|id| id.0).collect::<Vec<_>>(),
        "model_pricing": pricing,
        "model_mapping": spec.model_mapping,
        "billing_model_source": spec.billing_model_source,
        "restrict_models": spec.restrict_models,
    })
}

/// Gives each price row what the stored row for the same models holds beside the fields of ours:
/// prices of caches, images and requests, tiers.
fn keep_unmodelled(wanted: &mut Value, stored: &Value) {
    let mut left: Vec<&Value> = stored.as_array().into_iter().flatten().collect();
    for row in wanted.as_array_mut().into_iter().flatten() {
        let shared = |other: &Value| {
            if other["platform"] != row["platform"] {
                return 0;
            }
            let models = row["models"].as_array().into_iter().flatten();
            let has = |model: &&Value| {
                other["models"]
                    .as_array()
                    .is_some_and(|all| all.contains(model))
            };
            models.filter(has).count()
        };
        let nearest = (0..left.len()).max_by_key(|at| shared(left[*at]));
        let Some(at) = nearest.filter(|at| shared(left[*at]) > 0) else {
            continue;
        };
        let same = left.swap_remove(at);
        let Some(row) = row.as_object_mut() else {
            continue;
        };
        for (name, value) in same.as_object().into_iter().flatten() {
            // The host numbers its rows anew at each update.
            if name != "id" && !value.is_null() && !row.contains_key(name) {
                row.insert(name.clone(), without_ids(value));
            }
        }
    }
}

fn without_ids(value: &Value) -> Value {
    let mut value = value.clone();
    for tier in value.as_array_mut().into_iter().flatten() {
        if let Some(fields) = tier.as_object_mut() {
            fields.remove("id");
        }
    }
    value
}

impl HostHttp {
    fn channel(&self, wire: WireChannel) -> Channel {
        let mapping = wire.model_mapping.as_object().into_iter().flatten();
        Channel {
            id: wire.id,
            spec: ChannelSpec {
                name: self.line(&wire.name),
                group_ids: wire.group_ids,
                model_pricing: wire
                    .model_pricing
                    .iter()
                    .map(|entry| self.pricing(entry))
                    .collect(),
                model_mapping: mapping
                    .map(|(platform, models)| (self.line(platform), self.lines(models)))
                    .collect(),
                billing_model_source: self.line(&wire.billing_model_source),
                restrict_models: wire.restrict_models,
            },
            status: self.line(&wire.status),
        }
    }

    fn pricing(&self, wire: &WirePricing) -> PricingEntry {
        PricingEntry {
            platform: self.line(&wire.platform),
            models: wire.models.iter().map(|model| self.line(model)).collect(),
            billing_mode: self.line(&wire.billing_mode),
            input_price: wire.input_price,
            output_price: wire.output_price,
        }
    }

    /// The text entries of a remote object, redacted.
    pub(super) fn lines(&self, value: &Value) -> BTreeMap<String, String> {
        texts(value)
            .into_iter()
            .map(|(name, value)| (self.line(&name), self.line(&value)))
            .collect()
    }

    pub(super) async fn list_channels(&self) -> Outcome<Vec<Channel>> {
        let rows = self
            .paged::<WireChannel>(Call::read("/channels", "reading the channels"))
            .await?;
        Ok(rows.into_iter().map(|row| self.channel(row)).collect())
    }

    pub(super) async fn make_channel(&self, spec: &ChannelSpec) -> Outcome<Channel> {
        let doing = format!("creating channel `{}`", spec.name);
        let call = Call::write(Method::POST, "/channels", doing).body(body(spec));
        self.get(&call).await.map(|row| self.channel(row))
    }

    pub(super) async fn change_channel(
        &self,
        id: RemoteId,
        spec: &ChannelSpec,
    ) -> Outcome<Channel> {
        let doing = format!("updating channel `{}`", spec.name);
        let path = format!("/channels/{id}");
        // An update replaces all prices: what we do not model of them goes back as it is.
        let read = Call::read(path.clone(), doing.clone());
        let stored: Option<Value> = self.find(&read).await?;
        let mut wanted = body(spec);
        if let Some(stored) = stored {
            keep_unmodelled(&mut wanted["model_pricing"], &stored["model_pricing"]);
        }
        let call = Call::write(Method::PUT, path, doing).body(wanted);
        self.get(&call).await.map(|row| self.channel(row))
    }

    pub(super) async fn drop_channel(&self, id: RemoteId) -> Outcome<bool> {
        let path = format!("/channels/{id}");
        let doing = format!("deleting channel {id}");
        self.remove(&Call::write(Method::DELETE, path, doing)).await
    }
}
