//! What an import wants of group and channel.

use super::ImportRequest;
use crate::batch::AccessMode;
use crate::canonical::hash_of;
use crate::ids::RemoteId;
use crate::import::HostView;
use crate::inventory::{ApiKey, Channel, ChannelSpec, GroupSpec, PricingEntry};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

impl ImportRequest {
    /// Hash of what this import's plan depends on.
    pub fn revision(&self, view: &HostView) -> String {
        let names = &self.pack.subscription;
        let read = view.revision(&names.group, &names.channel, &names.plan);
        let proves = self.managed_key(view).map(|key| key.id);
        let read = hash_of(&json!([read, proves])).unwrap_or_default();
        if self.access == AccessMode::Subscription {
            return read;
        }
        // The amount moves with every proof; whether it has to be set does not.
        let enough = (view.user.as_ref()).map(|user| self.can_pay(user.balance));
        if !self.prepare {
            return hash_of(&json!([read, enough])).unwrap_or_default();
        }
        let allowed = view.user.as_ref().map(|user| &user.allowed_groups);
        hash_of(&json!([read, enough, allowed])).unwrap_or_default()
    }

    /// The managed key of an earlier import, where it proves this one as well.
    pub fn managed_key<'v>(&self, view: &'v HostView) -> Option<&'v ApiKey> {
        let group = view.group(&self.pack.subscription.group)?;
        let managed = self.user_key.is_none();
        let key = managed.then(|| view.managed_key(&self.pack.id, group.id));
        key.flatten()
    }

    /// The models of each account: what the host lists and what it asks the vendor for.
    pub fn account_models(&self) -> BTreeMap<String, String> {
        let pack = &self.pack;
        let of = |model: &String| {
            let asked = pack.model_mapping.get(model).unwrap_or(model);
            (model.clone(), asked.clone())
        };
        pack.models.iter().map(of).collect()
    }

    /// The group this import wants.
    pub fn group_spec(&self) -> GroupSpec {
        GroupSpec {
            name: self.pack.subscription.group.clone(),
            platform: self.pack.platform.clone(),
            subscription_type: match self.access {
                AccessMode::Subscription => "subscription",
                AccessMode::SelfService => "standard",
            }
            .to_owned(),
            rate_multiplier: self.pack.subscription.rate_multiplier,
            is_exclusive: false,
        }
    }

    /// The channel this import wants over a group.
    pub fn channel_spec(&self, group: RemoteId) -> ChannelSpec {
        ChannelSpec {
            name: self.pack.subscription.channel.clone(),
            group_ids: vec![group],
            model_pricing: vec![PricingEntry {
                // With the group's platform: the host's default would block every model (trap 25).
                platform: self.pack.platform.clone(),
                models: self.pack.models.clone(),
                billing_mode: "token".to_owned(),
                input_price: self.pack.input_price,
                output_price: self.pack.output_price,
            }],
            model_mapping: BTreeMap::from([(
                self.pack.platform.clone(),
                self.pack
                    .models
                    .iter()
                    .map(|model| (model.clone(), model.clone()))
                    .collect(),
            )]),
            billing_model_source: "channel_mapped".to_owned(),
            restrict_models: true,
        }
    }

    /// A stored channel brought to what this import wants, leaving other people's groups, prices
    /// and mappings in it alone.
    pub fn corrected_channel(&self, stored: &Channel, group: RemoteId) -> ChannelSpec {
        let mut spec = self.channel_spec(group);
        for id in &stored.spec.group_ids {
            if !spec.group_ids.contains(id) {
                spec.group_ids.push(*id);
            }
        }
        let ours: BTreeSet<&String> = self.pack.models.iter().collect();
        for entry in &stored.spec.model_pricing {
            let foreign = entry.platform != self.pack.platform
                || entry.models.iter().all(|model| !ours.contains(model));
            if foreign {
                spec.model_pricing.push(entry.clone());
            }
        }
        for (platform, rows) in &stored.spec.model_mapping {
            let into = spec.model_mapping.entry(platform.clone()).or_default();
            for (from, to) in rows {
                into.entry(from.clone()).or_insert_with(|| to.clone());
            }
        }
        spec
    }
}
