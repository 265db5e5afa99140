//! The keys of an import, and the older accounts they replace.

use super::{ImportRequest, KeyFact, KeyState, PlanItem};
use crate::batch::Attempt;
use crate::ids::RemoteId;
use crate::import::HostView;
use crate::import::keys::KeyInput;
use crate::import::names::{Leftovers, account_name, is_own_name};
use crate::inventory::{Account, Group};
use crate::pack::upstream_root;
use crate::plan::{Change, FieldChange, Sign, diff_fields};
use crate::resource::ResourceKind;
use crate::secret::Fingerprint;
use serde_json::json;
use std::collections::BTreeSet;

pub(super) fn plan_items(
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
            let on_others = !notes.is_empty();
            let beside = beside(&name, &fingerprint, facts, view);
            notes.extend(beside.iter().map(|place| format!("on this host: {place}")));
            let repeats: Vec<String> = keys
                .duplicates
                .iter()
                .filter(|(_, _, repeated)| *repeated == fingerprint)
                .map(|(at, _, _)| at.to_string())
                .collect();
            if !repeats.is_empty() {
                notes.push(format!("repeated on line {}", repeats.join(", ")));
            }
            let earlier: Vec<Attempt> = facts
                .iter()
                .filter(|fact| fact.fingerprint == fingerprint)
                .flat_map(|fact| fact.earlier.iter().cloned())
                .collect();
            if let Some(last) = earlier.last() {
                notes.push(format!("tried before: {last}"));
            }
            let on_host: Vec<_> = view.accounts_named(&name).collect();
            let otherwise = on_host
                .first()
                .map_or_else(Vec::new, |account| differs(request, account));
            let state = match on_host.as_slice() {
                [] if !beside.is_empty() => KeyState::OtherProvider,
                [] if on_others => KeyState::KnownElsewhere,
                [] => KeyState::New,
                [one] if group.is_some_and(|group| one.group_ids.contains(&group.id)) => {
                    if otherwise.is_empty() {
                        KeyState::Same
                    } else {
                        KeyState::Changed
                    }
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
                KeyState::New | KeyState::OtherProvider => {
                    Change::new(Sign::Create, ResourceKind::Account, &name, "new key")
                }
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
                KeyState::Changed if otherwise.iter().all(|field| field.field == PARKED) => {
                    Change::new(
                        Sign::Change,
                        ResourceKind::Account,
                        &name,
                        "the host has this key's account, parked: it serves again once its key passes",
                    )
                }
                KeyState::Changed => Change::new(
                    Sign::Attention,
                    ResourceKind::Account,
                    &name,
                    "the host has this key's account, not as the pack wants it: it is judged as it stands; delete it there to have it made anew",
                ),
                KeyState::Unbound => Change::new(
                    Sign::Change,
                    ResourceKind::Account,
                    &name,
                    "the host has this key's account, not bound to the group",
                ),
            };
            let change = change.fields(otherwise);
            changes.push(match on_host.first() {
                Some(account) => change.at(account.id),
                None => change,
            });
            // What is made and what is to be thought of are two rows: totals stay true.
            if state == KeyState::OtherProvider {
                let reason = format!(
                    "this host has its key already: {}; both would spend the same quota",
                    beside.join(", ")
                );
                changes.push(Change::new(
                    Sign::Attention,
                    ResourceKind::Account,
                    &name,
                    reason,
                ));
            }
            PlanItem {
                line: line.line,
                key: line.key.masked(),
                fingerprint,
                account_name: name,
                state,
                repeated: !repeats.is_empty(),
                notes,
                earlier,
            }
        })
        .collect()
}

/// Where this host has a key under another provider: by our records, as far as their accounts stand,
/// and by names that only a fingerprint of the same key makes.
fn beside(name: &str, key: &Fingerprint, facts: &[KeyFact], view: &HostView) -> Vec<String> {
    let stands = |id: &RemoteId| view.accounts.iter().any(|account| account.id == *id);
    let facts = facts.iter().filter(|fact| fact.fingerprint == *key);
    let recorded = facts.flat_map(|fact| &fact.beside);
    let recorded = recorded.filter(|(account, _)| account.as_ref().is_some_and(stands));
    let mut told: Vec<String> = recorded
        .clone()
        .map(|(id, place)| match id {
            Some(id) => format!("{place}, account #{id}"),
            None => place.clone(),
        })
        .collect();
    let known: BTreeSet<RemoteId> = recorded.filter_map(|(id, _)| *id).collect();
    let tail = format!(".{key}");
    let named = view.accounts.iter().filter(|account| {
        account.name != name && account.name.ends_with(&tail) && !known.contains(&account.id)
    });
    told.extend(named.map(|account| format!("account `{}` #{}", account.name, account.id)));
    told
}

/// The host's name of the operator's switch.
const PARKED: &str = "schedulable";

/// What is otherwise in a key's account than an import makes it.
fn differs(request: &ImportRequest, account: &Account) -> Vec<FieldChange> {
    let pack = &request.pack;
    let is = json!({
        "platform": account.platform,
        "base_url": upstream_root(&account.base_url),
        "model_mapping": account.model_mapping,
        PARKED: account.schedulable,
    });
    let wanted = json!({
        "platform": pack.platform,
        "base_url": upstream_root(&pack.base_url),
        "model_mapping": request.account_models(),
        PARKED: true,
    });
    diff_fields(&is, &wanted)
}

/// Older accounts of the provider in the group are parked, never deleted, and only when every new
/// key is good (`product.md` 4.6).
pub(super) fn plan_parking(
    request: &ImportRequest,
    items: &[PlanItem],
    view: &HostView,
    group: Option<&Group>,
    changes: &mut Vec<Change>,
) {
    // Without new keys nothing takes the place of the older ones.
    let group = group.filter(|_| !items.is_empty());
    let (Some(group), None) = (group, request.retry_of) else {
        // Keys that are tried again come beside those that passed: they replace nobody.
        return;
    };
    let new: BTreeSet<&str> = items
        .iter()
        .map(|item| item.account_name.as_str())
        .collect();
    let leftovers = Leftovers::of(&request.pack);
    for account in &view.accounts {
        let older = account.group_ids.contains(&group.id)
            && account.schedulable
            && !new.contains(account.name.as_str())
            && leftovers.holds(&account.name);
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
