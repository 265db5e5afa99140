//! What an import (and a reconcile) reads of a host before it plans, and the revision: the hash
//! of the fields that do not change by themselves.

use super::names::managed_key_name;
use crate::canonical::hash_of;
use crate::ids::{PackId, RemoteId};
use crate::inventory::{Account, ApiKey, Channel, Group, Offer, Subscription, User};
use serde_json::json;

/// Stored state of a host, read through its API.
#[derive(Debug, Clone, Default)]
pub struct HostView {
    /// `version` of the host.
    pub version: String,
    /// Captcha on login: a managed user cannot log in.
    pub captcha: bool,
    /// Only admins can log in: a managed key is not possible.
    pub backend_mode: bool,
    /// Whether people may register themselves.
    pub registration: bool,
    /// All groups.
    pub groups: Vec<Group>,
    /// All channels.
    pub channels: Vec<Channel>,
    /// All sale offers.
    pub offers: Vec<Offer>,
    /// All accounts.
    pub accounts: Vec<Account>,
    /// The managed user, if it exists; the owner of the caller's key where that is to be proven.
    pub user: Option<User>,
    /// Its subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Keys of the managed user; none where somebody else's access is looked at.
    pub managed_keys: Vec<ApiKey>,
    /// The caller's own key as the host stores it, where that is to be proven.
    pub caller_key: Option<ApiKey>,
}

impl HostView {
    /// The group with exactly this name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.spec.name == name)
    }

    /// The channel with exactly this name.
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels
            .iter()
            .find(|channel| channel.spec.name == name)
    }

    /// The sale offer with this name for this group.
    pub fn offer(&self, name: &str, group: RemoteId) -> Option<&Offer> {
        self.offers
            .iter()
            .find(|offer| offer.spec.name == name && offer.spec.group_id == group)
    }

    /// The managed user's key that an earlier import of the provider left for this group: the oldest
    /// that is active.
    pub fn managed_key(&self, provider: &PackId, group: RemoteId) -> Option<&ApiKey> {
        let name = managed_key_name(provider);
        let keys = self.managed_keys.iter();
        keys.filter(|key| key.name == name && key.group_id == Some(group))
            .filter(|key| key.status == "active")
            .min_by_key(|key| key.id)
    }

    /// Accounts with exactly this name; more than one is trouble.
    pub fn accounts_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Account> {
        self.accounts
            .iter()
            .filter(move |account| account.name == name)
    }

    /// Hash of what a plan depends on: what matters for this group and channel name, without the
    /// fields that traffic changes (status, cooldowns, usage).
    pub fn revision(&self, group_name: &str, channel_name: &str, plan_name: &str) -> String {
        let group = self.group(group_name);
        let group_id = group.map(|group| group.id);
        let mut accounts: Vec<_> = self
            .accounts
            .iter()
            .filter(|account| group_id.is_some_and(|id| account.group_ids.contains(&id)))
            .map(|a| {
                let mut groups = a.group_ids.clone();
                groups.sort();
                json!([
                    a.id,
                    a.name,
                    a.platform,
                    a.base_url,
                    a.model_mapping,
                    a.schedulable,
                    a.responses_mode,
                    groups
                ])
            })
            .collect();
        accounts.sort_by_key(ToString::to_string);
        let channels: Vec<_> = self
            .channels
            .iter()
            .filter(|channel| {
                channel.spec.name == channel_name
                    || group_id.is_some_and(|id| channel.spec.group_ids.contains(&id))
            })
            .collect();
        let offers: Vec<_> = self
            .offers
            .iter()
            .filter(|offer| offer.spec.name == plan_name)
            .collect();
        let user = self
            .user
            .as_ref()
            .map(|user| json!([user.id, user.email, user.role, user.status]));
        let subscriptions: Vec<_> = self
            .subscriptions
            .iter()
            .filter(|row| Some(row.group_id) == group_id)
            .map(|row| json!([row.id, row.expires_at, row.notes, row.status]))
            .collect();
        let caller = self.caller_key.as_ref();
        let caller = caller.map(|key| json!([key.id, key.user_id, key.group_id, key.status]));
        hash_of(&json!({
            "caller": caller,
            "group": group, "channels": channels, "offers": offers,
            "accounts": accounts, "user": user, "subscriptions": subscriptions,
        }))
        .unwrap_or_default()
    }
}
