//! What a host has stored behind some groups, against the conditions that must always hold.

use super::judgement::Judgement;
use crate::ids::RemoteId;
use crate::inventory::{Account, Channel, Group};
use crate::pack::StoredLook;
use std::collections::BTreeMap;

/// What was read of the host.
#[derive(Debug, Clone, Copy)]
pub struct StoredSeen<'a> {
    /// Every group.
    pub groups: &'a [Group],
    /// Every channel.
    pub channels: &'a [Channel],
    /// Every account.
    pub accounts: &'a [Account],
}

/// Judges the conditions.
pub fn judge_stored(look: &StoredLook, seen: StoredSeen<'_>) -> Judgement {
    let mut faults = Vec::new();
    for id in look.groups.iter().copied().map(RemoteId) {
        match seen.groups.iter().find(|group| group.id == id) {
            None => faults.push(format!("group {id} is not there")),
            Some(group) => {
                faults.extend(channel_faults(look, group, seen.channels));
            }
        }
    }
    let behind: Vec<&Account> = seen
        .accounts
        .iter()
        .filter(|account| {
            account
                .group_ids
                .iter()
                .any(|id| look.groups.contains(&id.0))
        })
        .filter(|account| account.status == "active" && account.schedulable)
        .collect();
    if look.accounts_mapped {
        for account in behind
            .iter()
            .filter(|account| account.model_mapping.is_empty())
        {
            faults.push(format!(
                "account {} `{}` maps no model: the host lists models of its own",
                account.id, account.name
            ));
        }
    }
    if look.no_duplicates {
        let mut names: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for account in &behind {
            names
                .entry(&account.name)
                .or_default()
                .push(account.id.to_string());
        }
        for (name, ids) in names.iter().filter(|(_, ids)| ids.len() > 1) {
            faults.push(format!(
                "`{name}` is there {} times: accounts {}",
                ids.len(),
                ids.join(", ")
            ));
        }
    }
    let good = format!(
        "{} open accounts behind {} groups",
        behind.len(),
        look.groups.len()
    );
    let evidence: Vec<String> = behind
        .iter()
        .map(|account| {
            format!(
                "account {} {}: {} models",
                account.id,
                account.name,
                account.model_mapping.len()
            )
        })
        .collect();
    Judgement::of_faults(expectation(look), &faults, &good, &evidence.join("\n"))
}

fn channel_faults(look: &StoredLook, group: &Group, channels: &[Channel]) -> Vec<String> {
    let mut faults = Vec::new();
    for channel in channels
        .iter()
        .filter(|channel| channel.spec.group_ids.contains(&group.id))
    {
        let name = format!("channel {} `{}`", channel.id, channel.spec.name);
        let platform = &group.spec.platform;
        let priced = channel
            .spec
            .model_pricing
            .iter()
            .any(|row| row.platform == *platform && !row.models.is_empty());
        if look.channels_priced && !priced {
            faults.push(format!(
                "{name} has no price of platform {platform} for group {}",
                group.id
            ));
        }
        let mapped = channel
            .spec
            .model_mapping
            .get(platform)
            .is_some_and(|models| !models.is_empty());
        if look.channels_mapped && !mapped {
            faults.push(format!(
                "{name} maps no model of platform {platform} for group {}",
                group.id
            ));
        }
    }
    faults
}

pub(super) fn expectation(look: &StoredLook) -> String {
    let groups: Vec<String> = look.groups.iter().map(i64::to_string).collect();
    let said = [
        (look.channels_priced, "channels have prices"),
        (look.channels_mapped, "channels map models"),
        (look.accounts_mapped, "open accounts map models"),
        (look.no_duplicates, "no open account is there twice"),
    ];
    let said: Vec<&str> = said
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, text)| *text)
        .collect();
    format!("behind groups {}: {}", groups.join(", "), said.join(", "))
}
