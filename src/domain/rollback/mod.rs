//! Taking a batch back, from its records only (`product.md` 4, rollback). No record: refuse.

mod release;
mod user;

use crate::ids::{BatchId, HostId, PackId, RemoteId};
use crate::import::HostView;
use crate::inventory::{ApiKey, Subscription};
use crate::plan::{Change, Sign, Totals, diff_fields};
use crate::reconcile::stored;
use crate::resource::{BatchResource, Origin, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// What happens to one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoAct {
    /// Ours: deleted.
    Delete,
    /// Corrected: put back to its before-image.
    Restore,
    /// Parked: made schedulable again.
    Unpark,
    /// Nothing to do: gone already, or taken over as it was.
    Leave,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndoStep {
    /// What happens.
    pub act: UndoAct,
    /// The change as shown.
    pub change: Change,
    /// What it is put back to, for restores.
    pub before: Value,
    /// Why it will not be done; `None` when it will.
    pub blocked: Option<String>,
}

impl UndoStep {
    /// Whether this field is put back.
    pub fn differs(&self, field: &str) -> bool {
        self.change.fields.iter().any(|row| row.field == field)
    }
}

/// A rollback plan. Its hash is over this value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollbackPlan {
    /// Host.
    pub host: HostId,
    /// Provider.
    pub provider: PackId,
    /// The batch it takes back.
    pub batch: BatchId,
    /// What was taken over is deleted, where else its records are released. Nothing brings it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete: bool,
    /// Steps in order.
    pub steps: Vec<UndoStep>,
    /// What it will not undo.
    pub will_not_undo: Vec<String>,
    /// Who else writes to this host.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Totals of the steps that will be done.
    pub totals: Totals,
    /// Hash of the recorded resources as the host stores them now.
    pub revision: String,
    /// UTC ms after which it is refused, on production.
    pub expires_ms: Option<i64>,
}

/// What is known when planning.
#[derive(Debug, Clone)]
pub struct RollbackInput<'a> {
    /// Host.
    pub host: &'a HostId,
    /// Provider.
    pub provider: &'a PackId,
    /// The batch.
    pub batch: BatchId,
    /// Its records, not undone.
    pub resources: &'a [BatchResource],
    /// Records of other live batches on this host.
    pub others: &'a [BatchResource],
    /// Stored state.
    pub view: &'a HostView,
    /// Keys bound to our groups and keys of our users.
    pub keys: &'a [ApiKey],
    /// Subscriptions of our groups.
    pub subscriptions: &'a [Subscription],
    /// UTC ms after which the plan is refused.
    pub expires_ms: Option<i64>,
    /// What was taken over is to be deleted: the floor of its groups, as the pack says.
    pub delete: Option<Floor>,
}

/// Accounts that have to stay choosable in every group that stays.
#[derive(Debug, Clone, Copy)]
pub struct Floor {
    /// So many.
    pub floor: usize,
    /// UTC ms: what cools down now is not choosable.
    pub now_ms: i64,
}

/// Makes the plan.
pub fn plan_rollback(input: &RollbackInput<'_>) -> RollbackPlan {
    let keys: Vec<(RemoteId, Value)> = input
        .keys
        .iter()
        .map(|key| (key.id, crate::recorded::of_key(key)))
        .collect();
    let mut steps = Vec::new();
    // Old accounts come back before new ones go, so that the group is never without any.
    for resource in of_origin(input.resources, Origin::Parked) {
        steps.push(step(input, &keys, resource));
    }
    // A caller's key leaves the group before the group goes.
    let (bound, corrected): (Vec<_>, Vec<_>) = of_origin(input.resources, Origin::Corrected)
        .partition(|resource| resource.kind == ResourceKind::Key);
    for resource in bound {
        steps.push(step(input, &keys, resource));
    }
    for kind in ResourceKind::UNDO_ORDER {
        for resource in input
            .resources
            .iter()
            .rev()
            .filter(|r| r.kind == kind && is_deleted(input, r))
        {
            steps.push(step(input, &keys, resource));
        }
    }
    for resource in corrected
        .into_iter()
        .chain(of_origin(input.resources, Origin::Adopted))
        .filter(|resource| !is_deleted(input, resource))
    {
        steps.push(step(input, &keys, resource));
    }
    if let Some(floor) = input.delete {
        release::keep_what_serves(input, floor, &mut steps);
    }
    let doing: Vec<Change> = steps
        .iter()
        .filter(|step| step.blocked.is_none() && step.act != UndoAct::Leave)
        .map(|step| step.change.clone())
        .collect();
    let states: Vec<Value> = input
        .resources
        .iter()
        .map(|r| {
            serde_json::json!([
                r.kind,
                r.host_resource_id,
                stored(input.view, &keys, r.kind, r.host_resource_id)
            ])
        })
        .collect();
    RollbackPlan {
        host: input.host.clone(),
        provider: input.provider.clone(),
        batch: input.batch,
        delete: input.delete.is_some(),
        will_not_undo: will_not_undo(input.delete.is_some()),
        warnings: Vec::new(),
        totals: Totals::of(&doing),
        revision: crate::canonical::hash_of(&states).unwrap_or_default(),
        expires_ms: input.expires_ms,
        steps,
    }
}

fn will_not_undo(delete: bool) -> Vec<String> {
    let final_word = "what was taken over and is deleted cannot be brought back: keys of accounts have to be imported again";
    let lines = [
        "quota and tokens already spent stay spent; usage rows stay",
        "keys given to people outside this batch are not revoked",
        "leftovers of older imports and of other tools stay as they are",
    ];
    let first = delete.then_some(final_word);
    first.into_iter().chain(lines).map(str::to_owned).collect()
}

/// Whether a record is one to be deleted: made by the batch, or taken over where that was asked for.
fn is_deleted(input: &RollbackInput<'_>, resource: &BatchResource) -> bool {
    match resource.origin {
        Origin::Created => true,
        Origin::Adopted => input.delete.is_some(),
        Origin::Corrected | Origin::Parked => false,
    }
}

fn of_origin(resources: &[BatchResource], origin: Origin) -> impl Iterator<Item = &BatchResource> {
    resources
        .iter()
        .filter(move |resource| resource.origin == origin)
}

fn step(
    input: &RollbackInput<'_>,
    keys: &[(RemoteId, Value)],
    resource: &BatchResource,
) -> UndoStep {
    let (kind, id, name) = (resource.kind, resource.host_resource_id, &resource.name);
    let now = stored(input.view, keys, kind, id);
    let change = |sign, reason: &str| Change::new(sign, kind, name, reason).at(id);
    let leave = |reason: &str| UndoStep {
        act: UndoAct::Leave,
        change: change(Sign::Keep, reason),
        before: Value::Null,
        blocked: None,
    };
    let Some(now) = now else {
        return leave("is gone already");
    };
    match resource.origin {
        Origin::Adopted if input.delete.is_some() => UndoStep {
            act: UndoAct::Delete,
            change: change(
                Sign::Remove,
                "was taken over by this batch: deleted for good",
            ),
            before: now,
            blocked: blocker(input, resource),
        },
        Origin::Adopted => leave("was there before this batch; its record is released, it stays"),
        Origin::Created => UndoStep {
            act: UndoAct::Delete,
            change: change(Sign::Remove, "made by this batch"),
            before: Value::Null,
            blocked: blocker(input, resource),
        },
        Origin::Parked if now.get("schedulable") == Some(&Value::Bool(true)) => {
            leave("is schedulable again already")
        }
        Origin::Parked => UndoStep {
            act: UndoAct::Unpark,
            change: change(
                Sign::Change,
                "was parked by this batch: made schedulable again",
            ),
            before: resource.before.clone(),
            blocked: held_by_other(input, resource),
        },
        Origin::Corrected if kind == ResourceKind::User => user::step(input, resource),
        Origin::Corrected if kind == ResourceKind::Subscription => {
            extended_step(input, resource, &now)
        }
        Origin::Corrected => {
            let mut fields = diff_fields(&now, &resource.before);
            // A before-image may hold only the fields that were changed.
            fields.retain(|field| resource.before.get(&field.field).is_some());
            if fields.is_empty() {
                return leave("is as it was before the import already");
            }
            let touched = diff_fields(&now, &resource.recorded)
                .into_iter()
                .any(|field| {
                    let ours = resource.recorded.get(&field.field).is_some();
                    // Of accounts and keys only the groups are put back: the rest may have moved since.
                    let partly = matches!(kind, ResourceKind::Account | ResourceKind::Key);
                    let back = !partly || resource.before.get(&field.field).is_some();
                    ours && back
                });
            UndoStep {
                act: UndoAct::Restore,
                change: change(Sign::Change, "corrected by this batch: put back").fields(fields),
                before: resource.before.clone(),
                blocked: held_by_other(input, resource).or_else(|| lost_group(input, resource)).or_else(|| {
                    touched.then(|| "somebody changed it after this batch; putting it back would undo their work".to_owned())
                }),
            }
        }
    }
}

/// A key cannot go back to a group that is gone.
fn lost_group(input: &RollbackInput<'_>, resource: &BatchResource) -> Option<String> {
    if resource.kind != ResourceKind::Key {
        return None;
    }
    let was = crate::recorded::id_in(&resource.before, "group_id")?;
    let there = input.view.groups.iter().any(|group| group.id == was);
    (!there).then(|| {
        format!("its group #{was} is gone since; bind the key to another one in the host's panel")
    })
}

/// A right that had run out and was extended by this batch goes again. The host cannot make one run
/// out, so it is revoked: its owner can call no more and no less than before.
fn extended_step(input: &RollbackInput<'_>, resource: &BatchResource, now: &Value) -> UndoStep {
    let was = resource.before["expires_at"].as_str().unwrap_or_default();
    let is = now["expires_at"].as_str().unwrap_or_default();
    let reason = format!("had run out at {was} and was extended to {is} by this batch: revoked");
    let moved = now.get("expires_at") != resource.recorded.get("expires_at");
    UndoStep {
        act: UndoAct::Delete,
        change: Change::new(Sign::Remove, resource.kind, &resource.name, reason)
            .at(resource.host_resource_id),
        before: resource.before.clone(),
        blocked: held_by_other(input, resource).or_else(|| {
            moved.then(|| {
                "somebody changed its end after this batch; revoking it would undo their work"
                    .to_owned()
            })
        }),
    }
}

fn held_by_other(input: &RollbackInput<'_>, resource: &BatchResource) -> Option<String> {
    input
        .others
        .iter()
        .find(|other| {
            other.kind == resource.kind
                && other.host_resource_id == resource.host_resource_id
                && other.batch != resource.batch
                // What an earlier batch made or changed is put back to what that one left: changes
                // go back in the order opposite to the one they were made in.
                && !(resource.origin == Origin::Corrected && other.batch < resource.batch)
                // The batch that made an account does not need it parked, and the one that parked
                // it does not need it at all: only holds of one sort stand in each other's way.
                && (other.origin == Origin::Parked) == (resource.origin == Origin::Parked)
        })
        .map(|other| format!("{} uses it; roll that back first", other.batch))
}

/// Why deleting one of ours would hurt somebody else.
fn blocker(input: &RollbackInput<'_>, resource: &BatchResource) -> Option<String> {
    if let Some(reason) = held_by_other(input, resource) {
        return Some(reason);
    }
    let ours: BTreeSet<(ResourceKind, RemoteId)> = input
        .resources
        .iter()
        .map(|r| (r.kind, r.host_resource_id))
        .collect();
    let id = resource.host_resource_id;
    match resource.kind {
        ResourceKind::Group => {
            let keys: Vec<String> = input
                .keys
                .iter()
                .filter(|key| {
                    key.group_id == Some(id) && !ours.contains(&(ResourceKind::Key, key.id))
                })
                .map(|key| format!("key #{}", key.id))
                .collect();
            let rights: Vec<String> = input
                .subscriptions
                .iter()
                .filter(|row| {
                    row.group_id == id && !ours.contains(&(ResourceKind::Subscription, row.id))
                })
                .map(|row| format!("subscription #{}", row.id))
                .collect();
            let accounts: Vec<String> = input
                .view
                .accounts
                .iter()
                .filter(|account| {
                    account.group_ids.contains(&id)
                        && !ours.contains(&(ResourceKind::Account, account.id))
                })
                .map(|account| format!("account #{}", account.id))
                .collect();
            depends("the group", &[keys, rights, accounts].concat())
        }
        ResourceKind::User => {
            let keys: Vec<String> = input
                .keys
                .iter()
                .filter(|key| key.user_id == id && !ours.contains(&(ResourceKind::Key, key.id)))
                .map(|key| format!("key #{}", key.id))
                .collect();
            depends("the user", &keys)
        }
        ResourceKind::Channel => {
            let groups: Vec<String> = input
                .view
                .channels
                .iter()
                .filter(|channel| channel.id == id)
                .flat_map(|channel| &channel.spec.group_ids)
                .filter(|group| !ours.contains(&(ResourceKind::Group, **group)))
                .map(|group| format!("group #{group}"))
                .collect();
            depends("the channel", &groups)
        }
        _ => None,
    }
}

fn depends(what: &str, users: &[String]) -> Option<String> {
    (!users.is_empty()).then(|| format!("others came to depend on {what}: {}", users.join(", ")))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
