//! The pool behind a group: every account that serves it or should, whether the
//! scheduler would choose it, and if not, why, who did it, until when, and what to do
//! (`product.md` 4, four truths; predicate: `host-contract.md` 7.7 and 8).

mod held;
mod matrix;
mod prune;
mod recover;
mod serving;
#[cfg(test)]
mod tests;
mod unserved;
mod why;

pub use held::{HostSide, Now};
pub use matrix::{Pairing, Proof, matrix};
pub use prune::{Doomed, PruneInput, PrunePlan, Stand, below_floor, plan_prune, witnesses};
pub use recover::{Ask, RecoverInput, RecoverPlan, plan_recover};
pub use serving::{Because, Served, Serving};
pub use unserved::unserved;
pub use why::{Reason, WhyNot, whole_seconds, why_not};

use crate::batch::{AccessMode, AccountStatus, Item};
use crate::ids::{BatchId, HostId, PackId, RemoteId};
use crate::import::{HostView, Leftovers, is_own_name};
use crate::inventory::{Account, Channel, Group};
use crate::pack::{ProviderPack, upstream_root};
use crate::resource::{BatchResource, Origin, ResourceKind};
use serde::{Deserialize, Serialize};

/// What a pool is made of. `probed` are items of standing batches, newest batch first.
pub struct PoolInput<'a> {
    /// Host.
    pub host: &'a HostId,
    /// Provider: its group, its model, its accounts. `None` takes every group of the host, whoever
    /// made it, and judges no model.
    pub pack: Option<&'a ProviderPack>,
    /// The host's stored state.
    pub view: &'a HostView,
    /// What our batches hold there and have not undone.
    pub records: &'a [BatchResource],
    /// Our keys there and how each fared when it was judged.
    pub probed: &'a [Item],
    /// Accounts that were asked again on their own, newest first.
    pub recovered: &'a [Asked],
    /// UTC ms.
    pub now_ms: i64,
}

/// The pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pool {
    /// Host.
    pub host: HostId,
    /// Provider, where one was named.
    pub provider: Option<PackId>,
    /// The model that seats are judged by, where a provider was named.
    pub smoke_model: Option<String>,
    /// The group, `None` when the host has none of the pack's name.
    pub group: Option<RemoteId>,
    /// Its name, there or wanted.
    pub group_name: String,
    /// Accounts that the scheduler would choose now.
    pub choosable: usize,
    /// Who serves now, and who did last.
    pub serving: Serving,
    /// What is wrong with group or channel, so that no account can help.
    pub blockers: Vec<String>,
    /// Accounts, the ones that would be chosen first.
    pub seats: Vec<Seat>,
}

impl Pool {
    /// Serves, and goes on serving when one account falls out.
    pub fn is_well(&self) -> bool {
        self.blockers.is_empty() && self.choosable > 1
    }

    /// Serves now.
    pub fn serves(&self) -> bool {
        self.blockers.is_empty() && self.choosable > 0
    }
}

/// One account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seat {
    /// Host id.
    pub account: RemoteId,
    /// Name there.
    pub name: String,
    /// Lower is chosen first.
    pub priority: i64,
    /// When it was chosen last, RFC 3339.
    pub last_used_at: Option<String>,
    /// Parallel requests; 0 is unlimited.
    pub concurrency: i64,
    /// Whose it is.
    pub owner: Owner,
    /// Truth 1, declared: what pack and record say of it; empty when they agree with the host.
    pub declared: Vec<String>,
    /// Truths 2 and 3, stored and scheduled: why it is not chosen; empty when it is.
    pub why_not: Vec<WhyNot>,
    /// The batch that parked it, if one did.
    pub parked_by: Option<BatchId>,
    /// Truth 4, probed: how its key fared when it was judged last.
    pub probed: Option<Probed>,
}

impl Seat {
    /// Whether the scheduler would choose it.
    pub fn is_choosable(&self) -> bool {
        self.why_not.is_empty()
    }
}

/// Whose an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A batch of ours holds it.
    Batch(BatchId),
    /// Its name is one of ours or of an older tool, but no batch holds it.
    Leftover,
    /// Somebody else's.
    Other,
}

/// How a key fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// `passed`, `warning` or `failed`.
    pub status: AccountStatus,
    /// What was said.
    pub summary: String,
    /// By which batch.
    pub batch: BatchId,
}

/// An account that was asked again on its own, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The account.
    pub account: RemoteId,
    /// How it answered.
    pub probed: Probed,
}

/// Makes the pools out of what was read: one for each access mode of the provider that stands
/// there, or one a group.
pub fn pools(input: &PoolInput<'_>) -> Vec<Pool> {
    match input.pack {
        Some(pack) => {
            let names = group_names(pack);
            let stands = |name: &&String| input.view.group(name).is_some();
            let mut there: Vec<&String> = names.iter().filter(stands).collect();
            if there.is_empty() {
                there.push(&names[0]);
            }
            there
                .into_iter()
                .map(|name| pool(input, name, input.view.group(name)))
                .collect()
        }
        None => {
            let groups = input.view.groups.iter();
            groups
                .map(|group| pool(input, &group.spec.name, Some(group)))
                .collect()
        }
    }
}

fn pool(input: &PoolInput<'_>, name: &str, group: Option<&Group>) -> Pool {
    let channel = group.and_then(|group| channel_over(input.view, group.id));
    let mut seats: Vec<Seat> = input
        .view
        .accounts
        .iter()
        .filter(|account| belongs(input, account, group))
        .map(|account| seat(input, account, group))
        .collect();
    seats.sort_by_key(|seat| (!seat.is_choosable(), seat.priority, seat.account));
    let blockers = blockers(input.pack, name, group, channel);
    Pool {
        host: input.host.clone(),
        provider: input.pack.map(|pack| pack.id.clone()),
        smoke_model: input.pack.map(|pack| pack.smoke_model.clone()),
        group: group.map(|group| group.id),
        group_name: name.to_owned(),
        choosable: seats.iter().filter(|seat| seat.is_choosable()).count(),
        serving: serving::serving(&seats, !blockers.is_empty()),
        blockers,
        seats,
    }
}

fn channel_over(view: &HostView, group: RemoteId) -> Option<&Channel> {
    view.channels
        .iter()
        .find(|channel| channel.spec.group_ids.contains(&group))
}

/// Bound to the group, recorded in it, or ours by record or name and in no other group of the
/// provider: the access modes of a provider have a pool each.
fn belongs(input: &PoolInput<'_>, account: &Account, group: Option<&Group>) -> bool {
    let bound = |id: &RemoteId| account.group_ids.contains(id);
    if group.is_some_and(|group| bound(&group.id)) {
        return true;
    }
    let Some(pack) = input.pack else {
        return false;
    };
    let mut recorded = input
        .records
        .iter()
        .filter(|record| record.host_resource_id == account.id && !record.undone)
        .filter(|record| record.kind == ResourceKind::Account)
        .filter_map(|record| record.recorded["group_ids"].as_array())
        .flatten()
        .filter_map(|id| serde_json::from_value::<RemoteId>(id.clone()).ok())
        .peekable();
    if recorded.peek().is_some() {
        return group.is_none_or(|group| recorded.any(|id| id == group.id));
    }
    let ours =
        record_of(input.records, account.id).is_some() || Leftovers::of(pack).holds(&account.name);
    let names = group_names(pack);
    let elsewhere = names
        .iter()
        .filter_map(|name| input.view.group(name))
        .any(|other| bound(&other.id));
    ours && !elsewhere
}

/// The groups of a provider's access modes.
fn group_names(pack: &ProviderPack) -> [String; 2] {
    let name = |access| pack.clone().for_access(access).subscription.group;
    [AccessMode::Subscription, AccessMode::SelfService].map(name)
}

/// The newest record of an account that was not undone.
fn record_of(records: &[BatchResource], account: RemoteId) -> Option<&BatchResource> {
    records
        .iter()
        .filter(|record| {
            record.kind == ResourceKind::Account
                && record.host_resource_id == account
                && !record.undone
        })
        .max_by_key(|record| record.batch)
}

fn seat(input: &PoolInput<'_>, account: &Account, group: Option<&Group>) -> Seat {
    let record = record_of(input.records, account.id);
    let parked = record.filter(|record| record.origin == Origin::Parked);
    let mut why = why_not(account, input.now_ms);
    if let Some(parked) = parked {
        for reason in &mut why {
            if reason.reason == Reason::SwitchedOff {
                reason.by = format!("{} parked it", parked.batch);
                reason.fix = format!("rolling {} back switches it on again", parked.batch);
            }
        }
    }
    if let Some(group) = group {
        why.extend(why::of_group(account, group));
    }
    why.extend(
        input
            .pack
            .and_then(|pack| why::of_model(account, &pack.smoke_model)),
    );
    let named_by_us = |pack: &ProviderPack| Leftovers::of(pack).holds(&account.name);
    let owner = match record {
        Some(record) => Owner::Batch(record.batch),
        None if input.pack.is_some_and(named_by_us) => Owner::Leftover,
        None => Owner::Other,
    };
    let judged = input.probed.iter().find_map(|item| {
        (item.account_id == Some(account.id)).then_some(())?;
        Some(Probed {
            status: item.account_status?,
            summary: item.account_probe_summary.clone(),
            batch: item.batch,
        })
    });
    let asked = input.recovered.iter();
    let asked = asked
        .filter(|asked| asked.account == account.id)
        .map(|asked| asked.probed.clone())
        .next();
    let probed = [judged, asked]
        .into_iter()
        .flatten()
        .max_by_key(|probed| probed.batch);
    Seat {
        account: account.id,
        name: account.name.clone(),
        priority: account.priority,
        last_used_at: account.last_used_at.clone(),
        concurrency: account.concurrency,
        owner,
        declared: input
            .pack
            .map(|pack| declared(pack, account, record))
            .unwrap_or_default(),
        why_not: why,
        parked_by: parked.map(|record| record.batch),
        probed,
    }
}

/// Where the pack says other than the host stores, for accounts of ours.
fn declared(pack: &ProviderPack, account: &Account, record: Option<&BatchResource>) -> Vec<String> {
    let ours = record.is_some_and(|record| record.origin != Origin::Parked)
        || is_own_name(&pack.id, &account.name);
    if !ours {
        return Vec::new();
    }
    let mut said = Vec::new();
    let mut differs = |what: &str, declared: &str, stored: &str| {
        if declared != stored {
            said.push(format!("{what}: pack `{declared}`, host `{stored}`"));
        }
    };
    differs(
        "base_url",
        upstream_root(&pack.base_url),
        upstream_root(&account.base_url),
    );
    differs(
        "responses_mode",
        pack.responses_mode.as_str(),
        account.responses_mode.as_str(),
    );
    for model in &pack.models {
        let declared = pack.model_mapping.get(model).unwrap_or(model);
        let stored = account.model_mapping.get(model).map_or("", String::as_str);
        differs(&format!("model_mapping.{model}"), declared, stored);
    }
    said
}

/// What is wrong above the accounts.
fn blockers(
    pack: Option<&ProviderPack>,
    name: &str,
    group: Option<&Group>,
    channel: Option<&Channel>,
) -> Vec<String> {
    let Some(group) = group else {
        return vec![format!("there is no group `{name}`")];
    };
    let mut found = Vec::new();
    if group.status != "active" {
        found.push(format!("group {} is `{}`", group.id, group.status));
    }
    let Some(channel) = channel else {
        return found;
    };
    if channel.status != "active" {
        found.push(format!(
            "channel {} is `{}`: its prices and limits do not hold",
            channel.id, channel.status
        ));
    }
    let platform = &group.spec.platform;
    let model = pack.map(|pack| &pack.smoke_model);
    if let Some(model) = model.filter(|model| why::is_restricted(channel, platform, model)) {
        found.push(format!(
            "channel {} lets only priced models through, and has no price of platform `{platform}` for `{model}`",
            channel.id
        ));
    }
    found
}
