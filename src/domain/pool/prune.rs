//! Deleting parked accounts: a later act of its own, after a completion was served by what took
//! their place, and never below a group's floor (`product.md` 4.6). Only what our records say we
//! parked is ever deleted; what merely looks alike is named and left.

use super::{Pool, PoolInput, pools};
use crate::batch::{Batch, BatchKind, BatchStatus};
use crate::canonical::hash_of;
use crate::host::Role;
use crate::ids::{BatchId, HostId, PackId, RemoteId};
use crate::import::{HostView, Leftovers};
use crate::inventory::{Account, UsageRow};
use crate::pack::ProviderPack;
use crate::plan::{Change, Sign, Totals, expiry};
use crate::recorded;
use crate::resource::{BatchResource, Origin, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An account that would be deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Doomed {
    /// Host id.
    pub account: RemoteId,
    /// Name there.
    pub name: String,
    /// The batches that parked it: their records of it end with it.
    pub parked_by: Vec<BatchId>,
    /// What it was, without its key: nothing brings it back.
    pub before: Value,
}

/// What a group stands on without the accounts that would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// Group id.
    pub group: RemoteId,
    /// Its name.
    pub name: String,
    /// Accounts that the scheduler would choose now.
    pub choosable: usize,
    /// How many it has to have.
    pub floor: usize,
    /// A completion that a new account served, as the host's usage row tells it.
    pub served: Option<String>,
}

/// A plan. Its hash is over this value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrunePlan {
    /// Host.
    pub host: HostId,
    /// Provider.
    pub provider: PackId,
    /// What would go, in the order of ids.
    pub doomed: Vec<Doomed>,
    /// What the groups stand on.
    pub stands: Vec<Stand>,
    /// The same as rows: what goes, and what stays with its reason.
    pub changes: Vec<Change>,
    /// Totals of the rows.
    pub totals: Totals,
    /// Why it cannot be carried out; empty when it can.
    pub blockers: Vec<String>,
    /// Who else writes to this host, and what is given up.
    pub warnings: Vec<String>,
    /// Hash of what would go.
    pub revision: String,
    /// UTC ms after which it is refused, on production.
    pub expires_ms: Option<i64>,
}

/// What is known when planning.
pub struct PruneInput<'a> {
    /// Host.
    pub host: &'a HostId,
    /// Its role decides expiry.
    pub role: Role,
    /// Provider.
    pub pack: &'a ProviderPack,
    /// Stored state.
    pub view: &'a HostView,
    /// What batches of the provider hold there and have not undone.
    pub records: &'a [BatchResource],
    /// Those batches.
    pub batches: &'a [Batch],
    /// The newest usage row of each account that has one.
    pub usage: &'a BTreeMap<RemoteId, UsageRow>,
    /// UTC ms.
    pub now_ms: i64,
}

/// Accounts whose usage rows decide: held by a batch of ours, and choosable now.
pub fn witnesses(
    view: &HostView,
    records: &[BatchResource],
    pack: &ProviderPack,
    host: &HostId,
    now_ms: i64,
) -> BTreeSet<RemoteId> {
    let seen = pools_of(host, pack, view, records, now_ms);
    let choosable = seen.iter().flat_map(|pool| {
        let seats = pool.seats.iter().filter(|seat| seat.is_choosable());
        seats.map(|seat| seat.account)
    });
    let made = |id: &RemoteId| held(records, *id).next().is_some();
    choosable.filter(made).collect()
}

/// The group among these that has fewer choosable accounts than its floor, in words.
pub fn below_floor(
    host: &HostId,
    pack: &ProviderPack,
    view: &HostView,
    stands: &[Stand],
    now_ms: i64,
) -> Option<String> {
    let pools = pools_of(host, pack, view, &[], now_ms);
    stands.iter().find_map(|stand| {
        let pool = pools.iter().find(|pool| pool.group == Some(stand.group));
        let choosable = pool.map_or(0, |pool| pool.choosable);
        (choosable < stand.floor).then(|| {
            format!(
                "group `{}` is down to {choosable} account(s) that would be chosen, its floor is {}",
                stand.name, stand.floor
            )
        })
    })
}

fn pools_of(
    host: &HostId,
    pack: &ProviderPack,
    view: &HostView,
    records: &[BatchResource],
    now_ms: i64,
) -> Vec<Pool> {
    pools(&PoolInput {
        host,
        pack: Some(pack),
        view,
        records,
        probed: &[],
        recovered: &[],
        now_ms,
    })
}

/// Records of an account that is new: made, taken over or bound by a batch of ours, not parked.
fn held(records: &[BatchResource], id: RemoteId) -> impl Iterator<Item = &BatchResource> {
    of_account(records, id).filter(|record| record.origin != Origin::Parked)
}

fn of_account(records: &[BatchResource], id: RemoteId) -> impl Iterator<Item = &BatchResource> {
    records.iter().filter(move |record| {
        record.kind == ResourceKind::Account && record.host_resource_id == id && !record.undone
    })
}

/// Makes the plan.
pub fn plan_prune(input: &PruneInput<'_>) -> PrunePlan {
    let pools = pools_of(
        input.host,
        input.pack,
        input.view,
        input.records,
        input.now_ms,
    );
    let groups: BTreeMap<RemoteId, &Pool> = pools
        .iter()
        .filter_map(|pool| Some((pool.group?, pool)))
        .collect();
    let (mut doomed, mut kept) = (Vec::new(), Vec::new());
    let mut accounts: Vec<&Account> = input.view.accounts.iter().collect();
    accounts.sort_by_key(|account| account.id);
    let leftovers = Leftovers::of(input.pack);
    for account in accounts {
        let parked: Vec<&BatchResource> = of_account(input.records, account.id)
            .filter(|record| record.origin == Origin::Parked)
            .collect();
        let change = |sign, reason: String| {
            Change::new(sign, ResourceKind::Account, &account.name, reason).at(account.id)
        };
        if parked.is_empty() {
            if let Some(why) = not_ours(input, account, &leftovers) {
                kept.push(change(Sign::Keep, why));
            }
            continue;
        }
        match why_kept(input, account, &parked, &groups) {
            Some(why) => kept.push(change(Sign::Keep, why)),
            None => doomed.push((
                change(Sign::Remove, parked_by(&parked)),
                Doomed {
                    account: account.id,
                    name: account.name.clone(),
                    parked_by: parked.iter().map(|record| record.batch).collect(),
                    before: recorded::of_account(account),
                },
                account,
            )),
        }
    }
    let stands = stands(input, &groups, &doomed);
    let mut blockers: Vec<String> = stands.iter().flat_map(Stand::blockers).collect();
    if doomed.is_empty() {
        blockers.push(format!(
            "no parked account of `{}` can be deleted on `{}`",
            input.pack.id, input.host
        ));
    }
    let (mut changes, mut going) = (Vec::new(), Vec::new());
    for (change, one, _) in doomed {
        changes.push(change);
        going.push(one);
    }
    changes.extend(kept);
    PrunePlan {
        host: input.host.clone(),
        provider: input.pack.id.clone(),
        totals: Totals::of(&changes),
        changes,
        warnings: given_up(&going),
        revision: hash_of(&(&going, input.pack.floor)).unwrap_or_default(),
        doomed: going,
        stands,
        blockers,
        expires_ms: expiry(input.role, input.now_ms),
    }
}

impl Stand {
    fn blockers(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.choosable < self.floor {
            found.push(format!(
                "group `{}` has {} account(s) that would be chosen, its floor is {}: what is parked is its reserve",
                self.name, self.choosable, self.floor
            ));
        }
        if self.served.is_none() {
            found.push(format!(
                "no completion was served by a new account of group `{}` yet: let a user call the model, or run `cockpit access status`",
                self.name
            ));
        }
        found
    }
}

fn parked_by(parked: &[&BatchResource]) -> String {
    let names: Vec<String> = parked.iter().map(|row| row.batch.to_string()).collect();
    format!("parked by {}", names.join(", "))
}

/// What deleting gives up beside the accounts.
fn given_up(going: &[Doomed]) -> Vec<String> {
    let batches: BTreeSet<BatchId> = going
        .iter()
        .flat_map(|one| one.parked_by.iter().copied())
        .collect();
    batches
        .into_iter()
        .map(|batch| format!("taking {batch} back will no longer wake what is deleted here"))
        .collect()
}

/// Why an account that no batch parked stays, where its name looks as if it might go.
fn not_ours(
    input: &PruneInput<'_>,
    account: &Account,
    leftovers: &Leftovers<'_>,
) -> Option<String> {
    match held(input.records, account.id).next() {
        Some(record) if account.schedulable => {
            Some(format!("in service, held by {}", record.batch))
        }
        Some(record) => Some(format!(
            "{} made it and switched it off: taking that back deletes it",
            record.batch
        )),
        None => leftovers
            .holds(&account.name)
            .then(|| "its name matches, but no batch of ours parked it: never touched".to_owned()),
    }
}

/// Why a parked account stays; `None` when it may go.
fn why_kept(
    input: &PruneInput<'_>,
    account: &Account,
    parked: &[&BatchResource],
    groups: &BTreeMap<RemoteId, &Pool>,
) -> Option<String> {
    if account.schedulable {
        return Some("switched on again since it was parked".to_owned());
    }
    if let Some(record) = parked.iter().find(|record| record.name != account.name) {
        return Some(format!("renamed since: it was `{}`", record.name));
    }
    if let Some(record) = held(input.records, account.id).next() {
        return Some(format!(
            "{} holds it too: take that back first",
            record.batch
        ));
    }
    let open = parked.iter().find_map(|record| {
        let mut batches = input.batches.iter();
        let batch = batches.find(|batch| batch.id == record.batch)?;
        let ended = matches!(
            batch.batch_status,
            BatchStatus::Succeeded | BatchStatus::PartiallySucceeded
        );
        (!ended || batch.kind != BatchKind::Import)
            .then(|| format!("{} is {}: end that first", batch.id, batch.batch_status))
    });
    if open.is_some() {
        return open;
    }
    let others: Vec<String> = account
        .group_ids
        .iter()
        .filter(|group| !groups.contains_key(group))
        .map(
            |group| match input.view.groups.iter().find(|row| row.id == *group) {
                Some(row) => format!("`{}` #{group}", row.spec.name),
                None => format!("#{group}"),
            },
        )
        .collect();
    (!others.is_empty()).then(|| format!("bound to group {} as well", others.join(", ")))
}

/// What each group that would lose accounts stands on without them.
fn stands(
    input: &PruneInput<'_>,
    groups: &BTreeMap<RemoteId, &Pool>,
    doomed: &[(Change, Doomed, &Account)],
) -> Vec<Stand> {
    let mut newest: BTreeMap<RemoteId, BatchId> = BTreeMap::new();
    for (_, one, account) in doomed {
        let by = one.parked_by.iter().max().copied().unwrap_or(BatchId(0));
        for group in &account.group_ids {
            let at = newest.entry(*group).or_insert(by);
            *at = by.max(*at);
        }
    }
    newest
        .into_iter()
        .filter_map(|(id, parked)| {
            let pool = groups.get(&id)?;
            let seats = pool.seats.iter().filter(|seat| seat.is_choosable());
            let served = seats.clone().find_map(|seat| {
                let row = input.usage.get(&seat.account)?;
                let fresh = held(input.records, seat.account)
                    .any(|record| record.batch >= parked && is_after(input, record, row));
                fresh.then(|| {
                    format!(
                        "{} #{} served `{}` at {} (usage row {})",
                        seat.name, seat.account, row.model, row.created_at, row.id
                    )
                })
            });
            Some(Stand {
                group: id,
                name: pool.group_name.clone(),
                choosable: seats.count(),
                floor: input.pack.floor,
                served,
            })
        })
        .collect()
}

/// Whether a row speaks of the time since the batch: always for what the batch made itself.
fn is_after(input: &PruneInput<'_>, record: &BatchResource, row: &UsageRow) -> bool {
    if record.origin == Origin::Created {
        return true;
    }
    let begun = input.batches.iter().find(|batch| batch.id == record.batch);
    let served = row.created_at.parse::<jiff::Timestamp>();
    match (begun, served) {
        (Some(batch), Ok(at)) => at.as_millisecond() >= batch.created_ms,
        _ => false,
    }
}
