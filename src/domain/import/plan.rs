//! Planning an import: from a pack, keys and what a host stores to signed changes. Pure; reading
//! the host and carrying the plan out is the engine's work.

use super::keys::KeyInput;
use super::names::{account_name, is_leftover, is_own_name, managed_email};
use super::view::HostView;
use crate::batch::{AccessMode, ImportMode};
use crate::host::Role;
use crate::ids::{HostId, RemoteId};
use crate::inventory::{Channel, ChannelSpec, Group, GroupSpec, PricingEntry};
use crate::pack::ProviderPack;
use crate::plan::{Change, Sign, Totals, diff_fields};
use crate::resource::ResourceKind;
use crate::secret::Fingerprint;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportRequest {
    /// Host.
    pub host: HostId,
    /// Its role decides expiry and confirmation.
    pub role: Role,
    /// The pack, whole: what was approved is what is carried out, even if the file changes.
    pub pack: ProviderPack,
    /// Strict or partial.
    pub mode: ImportMode,
    /// Access mode.
    pub access: AccessMode,
    /// Fingerprint of the caller's own key, when that is to be proven instead of a managed one.
    pub user_key: Option<Fingerprint>,
}

/// How a key stands before the import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Nobody we know of has it.
    New,
    /// The host has our account for it.
    Same,
    /// The host has our account for it, but not bound to the group.
    Unbound,
    /// We know it on another host or under another provider.
    KnownElsewhere,
}

/// What the store knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFact {
    /// Which key.
    pub fingerprint: Fingerprint,
    /// Where else: `host accept, provider lab, batch/3`.
    pub elsewhere: Vec<String>,
}

/// One key of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanItem {
    /// Line of the input.
    pub line: usize,
    /// The key as shown.
    pub key: String,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The account it becomes.
    pub account_name: String,
    /// How it stands.
    pub state: KeyState,
    /// Remarks: where else it is known, that it was repeated.
    pub notes: Vec<String>,
}

/// A whole import plan. Its hash is over this value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportPlan {
    /// What was asked for.
    pub request: ImportRequest,
    /// `version` of the host it was made against.
    pub host_version: String,
    /// Keys in input order.
    pub items: Vec<PlanItem>,
    /// What would be done, in order.
    pub changes: Vec<Change>,
    /// Their totals.
    pub totals: Totals,
    /// Why it cannot be carried out; empty when it can.
    pub blockers: Vec<String>,
    /// Revision of what it read.
    pub revision: String,
    /// UTC ms after which it is refused; production plans age (`product.md` 11).
    pub expires_ms: Option<i64>,
}

/// Life of a plan on production.
const PRODUCTION_PLAN_MS: i64 = 15 * 60 * 1000;

impl ImportRequest {
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

/// Makes the plan. `facts` has a row for each key the store knows.
pub fn plan_import(
    request: ImportRequest,
    keys: &KeyInput,
    facts: &[KeyFact],
    view: &HostView,
    now_ms: i64,
) -> ImportPlan {
    let mut changes = Vec::new();
    let mut blockers = Vec::new();
    let group = plan_group(&request, view, &mut changes, &mut blockers);
    plan_channel(&request, view, group, &mut changes, &mut blockers);
    plan_offer(&request, view, group, &mut changes);
    let items = plan_items(
        &request,
        keys,
        facts,
        view,
        group,
        &mut changes,
        &mut blockers,
    );
    plan_parking(&request, &items, view, group, &mut changes);
    plan_access(&request, view, group, &mut changes, &mut blockers);
    if !request.pack.to_be_confirmed.is_empty() {
        blockers.push(format!(
            "pack `{}` leaves to be confirmed: {}; confirm them in your own copy of the pack",
            request.pack.id,
            request.pack.to_be_confirmed.join(", ")
        ));
    }
    let template = &request.pack.subscription;
    ImportPlan {
        host_version: view.version.clone(),
        totals: Totals::of(&changes),
        revision: view.revision(&template.group, &template.channel, &template.plan),
        expires_ms: (request.role == Role::Production).then_some(now_ms + PRODUCTION_PLAN_MS),
        items,
        changes,
        blockers,
        request,
    }
}

fn plan_group<'a>(
    request: &ImportRequest,
    view: &'a HostView,
    changes: &mut Vec<Change>,
    blockers: &mut Vec<String>,
) -> Option<&'a Group> {
    let wanted = request.group_spec();
    let Some(found) = view.group(&wanted.name) else {
        changes.push(Change::new(
            Sign::Create,
            ResourceKind::Group,
            &wanted.name,
            "not on the host",
        ));
        return None;
    };
    for (field, is, want) in [
        ("platform", &found.spec.platform, &wanted.platform),
        (
            "subscription_type",
            &found.spec.subscription_type,
            &wanted.subscription_type,
        ),
    ] {
        if is != want {
            blockers.push(format!(
                "group `{}` #{} has {field} `{is}`, this import needs `{want}`; choose another group name in the pack or mend the group",
                found.spec.name, found.id
            ));
        }
    }
    if found.status != "active" {
        blockers.push(format!(
            "group `{}` #{} is {}; activate it first",
            found.spec.name, found.id, found.status
        ));
    }
    changes.push(
        Change::new(
            Sign::Keep,
            ResourceKind::Group,
            &found.spec.name,
            "is there and fits",
        )
        .at(found.id),
    );
    Some(found)
}

fn plan_channel(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    changes: &mut Vec<Change>,
    blockers: &mut Vec<String>,
) {
    let name = &request.pack.subscription.channel;
    if let Some(group) = group {
        let other = view.channels.iter().find(|channel| {
            channel.spec.name != *name && channel.spec.group_ids.contains(&group.id)
        });
        if let Some(other) = other {
            blockers.push(format!(
                "group `{}` is in channel `{}` #{} already; a group is in one channel only",
                group.spec.name, other.spec.name, other.id
            ));
        }
    }
    let Some(found) = view.channel(name) else {
        changes.push(Change::new(
            Sign::Create,
            ResourceKind::Channel,
            name,
            "not on the host",
        ));
        return;
    };
    // A group that is yet to be made has no id to compare with; the channel then gets it.
    let group_id = group.map_or(RemoteId(0), |group| group.id);
    let wanted = request.corrected_channel(found, group_id);
    let fields = diff_fields(
        &serde_json::to_value(&found.spec).unwrap_or_default(),
        &serde_json::to_value(&wanted).unwrap_or_default(),
    );
    let change = if fields.is_empty() {
        Change::new(Sign::Keep, ResourceKind::Channel, name, "is there and fits")
    } else {
        Change::new(
            Sign::Change,
            ResourceKind::Channel,
            name,
            "is not as the pack wants it; its before-image is kept",
        )
    };
    changes.push(change.at(found.id).fields(fields));
}

fn plan_offer(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    changes: &mut Vec<Change>,
) {
    if request.access != AccessMode::Subscription {
        return;
    }
    let name = &request.pack.subscription.plan;
    match group.and_then(|group| view.offer(name, group.id)) {
        Some(found) => {
            changes
                .push(Change::new(Sign::Keep, ResourceKind::Plan, name, "is there").at(found.id));
        }
        None => changes.push(Change::new(
            Sign::Create,
            ResourceKind::Plan,
            name,
            "not on the host; not for sale",
        )),
    }
}

fn plan_items(
    request: &ImportRequest,
    keys: &KeyInput,
    facts: &[KeyFact],
    view: &HostView,
    group: Option<&Group>,
    changes: &mut Vec<Change>,
    blockers: &mut Vec<String>,
) -> Vec<PlanItem> {
    keys.keys
        .iter()
        .map(|line| {
            let fingerprint = line.key.fingerprint();
            let name = account_name(&request.pack.id, &fingerprint);
            let mut notes: Vec<String> = facts
                .iter()
                .filter(|fact| fact.fingerprint == fingerprint)
                .flat_map(|fact| fact.elsewhere.iter().map(|place| format!("known: {place}")))
                .collect();
            let repeats: Vec<String> = keys
                .duplicates
                .iter()
                .filter(|(_, _, repeated)| *repeated == fingerprint)
                .map(|(at, _, _)| at.to_string())
                .collect();
            if !repeats.is_empty() {
                notes.push(format!("repeated on line {}", repeats.join(", ")));
            }
            let on_host: Vec<_> = view.accounts_named(&name).collect();
            let state = match on_host.as_slice() {
                [] if notes.iter().any(|note| note.starts_with("known")) => {
                    KeyState::KnownElsewhere
                }
                [] => KeyState::New,
                [one] if group.is_some_and(|group| one.group_ids.contains(&group.id)) => {
                    KeyState::Same
                }
                [_] => KeyState::Unbound,
                many => {
                    blockers.push(format!(
                        "{} accounts are called `{name}`; delete all but one first",
                        many.len()
                    ));
                    KeyState::Same
                }
            };
            let change = match state {
                KeyState::New => Change::new(Sign::Create, ResourceKind::Account, &name, "new key"),
                KeyState::KnownElsewhere => Change::new(
                    Sign::Create,
                    ResourceKind::Account,
                    &name,
                    format!("new here; {}", notes.join("; ")),
                ),
                KeyState::Same => Change::new(
                    Sign::Keep,
                    ResourceKind::Account,
                    &name,
                    "the host has this key's account",
                ),
                KeyState::Unbound => Change::new(
                    Sign::Change,
                    ResourceKind::Account,
                    &name,
                    "the host has this key's account, not bound to the group",
                ),
            };
            changes.push(match on_host.first() {
                Some(account) => change.at(account.id),
                None => change,
            });
            PlanItem {
                line: line.line,
                key: line.key.masked(),
                fingerprint,
                account_name: name,
                state,
                notes,
            }
        })
        .collect()
}

/// Older accounts of the provider in the group are parked, never deleted, and only when every new
/// key is good (`product.md` 4.6).
fn plan_parking(
    request: &ImportRequest,
    items: &[PlanItem],
    view: &HostView,
    group: Option<&Group>,
    changes: &mut Vec<Change>,
) {
    let Some(group) = group else { return };
    let new: BTreeSet<&str> = items
        .iter()
        .map(|item| item.account_name.as_str())
        .collect();
    for account in &view.accounts {
        let older = account.group_ids.contains(&group.id)
            && account.schedulable
            && !new.contains(account.name.as_str())
            && is_leftover(&request.pack, &account.name);
        if older {
            let how = if is_own_name(&request.pack.id, &account.name) {
                "older account of this provider"
            } else {
                "matches a legacy pattern of the pack"
            };
            changes.push(
                Change::new(
                    Sign::Remove,
                    ResourceKind::Account,
                    &account.name,
                    format!("{how}: parked if every new key is good, un-parked if the gateway verdict fails"),
                )
                .at(account.id),
            );
        }
    }
}

fn plan_access(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    changes: &mut Vec<Change>,
    blockers: &mut Vec<String>,
) {
    if let Some(fingerprint) = &request.user_key {
        changes.push(Change::new(
            Sign::Change,
            ResourceKind::Key,
            format!("caller's key {fingerprint}"),
            "its owner is subscribed, this key is bound to the group and proves access; no managed key is made",
        ));
        return;
    }
    // Named beforehand: after the accounts are made it would be too late (`host-contract.md` 2.2).
    if view.captcha {
        blockers.push(
            "the host wants a captcha on login, so the managed user cannot log in; switch it off in the host's settings for the import".to_owned(),
        );
    }
    if view.backend_mode {
        blockers.push(
            "the host is in backend mode: only admins log in, so no managed key can be made; switch it off for the import".to_owned(),
        );
    }
    let email = managed_email(&request.pack.id);
    match &view.user {
        Some(user) if user.role != "user" || user.status != "active" => blockers.push(format!(
            "user `{email}` #{} is {} and {}; the managed user must be an active ordinary user",
            user.id, user.role, user.status
        )),
        Some(user) => changes.push(
            Change::new(
                Sign::Keep,
                ResourceKind::User,
                &email,
                "managed user is there",
            )
            .at(user.id),
        ),
        None => changes.push(Change::new(
            Sign::Create,
            ResourceKind::User,
            &email,
            "managed user of this provider",
        )),
    }
    if request.access == AccessMode::Subscription {
        let row = group.and_then(|group| {
            view.subscriptions
                .iter()
                .find(|row| row.group_id == group.id)
        });
        changes.push(match row {
            Some(row) => Change::new(
                Sign::Keep,
                ResourceKind::Subscription,
                &email,
                format!(
                    "is there until {}; extended if it has run out",
                    row.expires_at
                ),
            )
            .at(row.id),
            None => Change::new(
                Sign::Create,
                ResourceKind::Subscription,
                &email,
                "the managed user needs it to bind a key",
            ),
        });
    }
    changes.push(Change::new(
        Sign::Create,
        ResourceKind::Key,
        super::names::managed_key_name(&request.pack.id),
        "managed key (sk-relay-..): the proof is made with it",
    ));
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
