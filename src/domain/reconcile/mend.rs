//! What of a drift can be put back through the host's API, and what is left to a person, with its
//! way out. Nothing is ever taken away: a binding that somebody added stays (`product.md` 4).

use super::{ReconcileInput, stored};
use crate::ids::{BatchId, RemoteId};
use crate::inventory::{Account, ChannelSpec};
use crate::plan::{Change, FieldChange, Sign, diff_fields};
use crate::recorded;
use crate::resource::{BatchResource, Origin, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Which write mends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MendAct {
    /// The fields of a channel, all of them: the host replaces them whole.
    Fields,
    /// The groups of an account.
    Bind,
    /// An account switched on for scheduling.
    Switch,
}

/// One write of a repair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mend {
    /// Which write.
    pub act: MendAct,
    /// Kind of what it changes.
    #[serde(rename = "type")]
    pub kind: ResourceKind,
    /// Its id.
    pub host_resource_id: RemoteId,
    /// Its name.
    pub name: String,
    /// What it is: a channel whole, of an account every field that this repair changes.
    pub before: Value,
    /// What this write makes of it.
    pub to: Value,
    /// The call, as the host's API names it.
    pub call: String,
}

impl Mend {
    /// Whether what the host stores (in recorded form) is what this write makes true. More groups
    /// than an account was given are no less.
    pub fn holds(&self, now: &Value) -> bool {
        match self.act {
            MendAct::Bind => {
                let has = ids(&now["group_ids"]);
                ids(&self.to["group_ids"]).iter().all(|id| has.contains(id))
            }
            MendAct::Fields | MendAct::Switch => differs(now, &self.to).is_empty(),
        }
    }

    /// Whether the fields that it changes are as they were when it was planned.
    pub fn is_untouched(&self, now: &Value) -> bool {
        let touched = differs(now, &self.before);
        touched
            .iter()
            .all(|field| self.to.get(&field.field).is_none())
    }

    /// One line for people, and for comparing two plans.
    pub fn line(&self) -> String {
        format!(
            "{} {} #{}: {}",
            self.kind, self.name, self.host_resource_id, self.call
        )
    }
}

/// The fields of `image` that are other in `now`.
fn differs(now: &Value, image: &Value) -> Vec<FieldChange> {
    let mut fields = diff_fields(now, image);
    fields.retain(|field| image.get(&field.field).is_some());
    fields
}

/// What a plan makes of what was found.
pub(super) struct Mending {
    /// `~` what is put back, `!` what is left to a person.
    pub(super) changes: Vec<Change>,
    /// The writes, in order.
    pub(super) mends: Vec<Mend>,
}

/// What is looked up for each finding: there may be thousands.
struct Known<'a> {
    input: &'a ReconcileInput<'a>,
    records: BTreeMap<(ResourceKind, RemoteId), &'a BatchResource>,
    accounts: BTreeMap<RemoteId, &'a Account>,
    /// What a batch of ours made or changed.
    ours: BTreeSet<(ResourceKind, RemoteId)>,
    /// Accounts that another batch took out of scheduling.
    parked: BTreeMap<RemoteId, BatchId>,
}

impl<'a> Known<'a> {
    fn of(input: &'a ReconcileInput<'a>) -> Self {
        let key = |row: &BatchResource| (row.kind, row.host_resource_id);
        let own = |row: &&BatchResource| matches!(row.origin, Origin::Created | Origin::Corrected);
        let all = input.resources.iter().chain(input.others);
        let parked = input
            .others
            .iter()
            .filter(|row| row.origin == Origin::Parked);
        Self {
            input,
            records: input.resources.iter().map(|row| (key(row), row)).collect(),
            accounts: input
                .view
                .accounts
                .iter()
                .map(|row| (row.id, row))
                .collect(),
            ours: all.filter(own).map(key).collect(),
            parked: parked
                .map(|row| (row.host_resource_id, row.batch))
                .collect(),
        }
    }

    /// What the host stores of a record.
    fn stored(&self, resource: &BatchResource) -> Option<Value> {
        let (kind, id) = (resource.kind, resource.host_resource_id);
        match kind {
            ResourceKind::Account => self.accounts.get(&id).map(|row| recorded::of_account(row)),
            _ => stored(self.input.view, self.input.keys, kind, id),
        }
    }
}

/// Turns findings into a plan.
pub(super) fn plan_mends(input: &ReconcileInput<'_>, found: Vec<Change>) -> Mending {
    let mut plan = Mending {
        changes: Vec::new(),
        mends: Vec::new(),
    };
    if found.is_empty() {
        return plan;
    }
    let known = Known::of(input);
    for change in found {
        let id = change.host_resource_id;
        let resource = id.and_then(|id| known.records.get(&(change.kind, id)));
        match (change.sign, resource) {
            (Sign::Create, _) => plan.changes.push(gone(input, change)),
            (Sign::Change, Some(resource)) => {
                plan.split(&change, mend(&known, resource, &change.fields));
            }
            _ => plan.changes.push(change),
        }
    }
    plan
}

impl Mending {
    /// One finding becomes what is put back and what is not.
    fn split(&mut self, change: &Change, part: Part) {
        let row = |sign, reason: &str, fields: Vec<FieldChange>| Change {
            sign,
            reason: reason.to_owned(),
            fields,
            ..change.clone()
        };
        if !part.put_back.is_empty() {
            let reason = format!("{}: put back", change.reason);
            let back = row(Sign::Change, &reason, part.put_back);
            self.changes.push(back);
        }
        for (why, fields) in part.left {
            let reason = format!("{}; left: {why}", change.reason);
            self.changes.push(row(Sign::Attention, &reason, fields));
        }
        self.mends.extend(part.mends);
    }
}

/// What becomes of the fields of one resource.
#[derive(Default)]
struct Part {
    put_back: Vec<FieldChange>,
    left: Vec<(String, Vec<FieldChange>)>,
    mends: Vec<Mend>,
}

impl Part {
    fn leave(&mut self, why: impl Into<String>, field: FieldChange) {
        let why = why.into();
        match self.left.iter_mut().find(|(known, _)| *known == why) {
            Some((_, fields)) => fields.push(field),
            None => self.left.push((why, vec![field])),
        }
    }
}

/// What is not there any more is made by an import only.
fn gone(input: &ReconcileInput<'_>, mut change: Change) -> Change {
    let why = match change.kind {
        ResourceKind::Account => "its key is gone with it, import that key again",
        _ => "a repair makes nothing anew, an import does",
    };
    change.sign = Sign::Attention;
    change.reason = format!(
        "{}: {why}: `cockpit import plan --host {} --provider {} --keys FILE`",
        change.reason, input.host, input.pack.id
    );
    change
}

const BY_HAND: &str = "nothing here sets it, put it back in the host's own pages";

fn mend(known: &Known<'_>, resource: &BatchResource, fields: &[FieldChange]) -> Part {
    let (kind, id) = (resource.kind, resource.host_resource_id);
    let leave_all = |why: &str| {
        let mut part = Part::default();
        for field in fields {
            part.leave(why, field.clone());
        }
        part
    };
    if resource.origin == Origin::Parked {
        return leave_all("somebody switched an older account on again, theirs to decide");
    }
    if !known.ours.contains(&(kind, id)) {
        return leave_all("it was there before us, its owner decides");
    }
    let Some(now) = known.stored(resource) else {
        return leave_all(BY_HAND);
    };
    match kind {
        ResourceKind::Channel => channel(known.input, resource, &now, fields),
        ResourceKind::Account => account(known, resource, &now, fields),
        _ => leave_all(BY_HAND),
    }
}

fn channel(
    input: &ReconcileInput<'_>,
    resource: &BatchResource,
    now: &Value,
    fields: &[FieldChange],
) -> Part {
    let id = resource.host_resource_id;
    let mut part = Part::default();
    let mut to = now.clone();
    for field in fields {
        match field.field.as_str() {
            // The one recorded field that is no part of what is sent.
            "status" => part.leave(BY_HAND, field.clone()),
            "group_ids" => {
                let taken = |group: RemoteId| {
                    let mut others = input.view.channels.iter();
                    let other =
                        others.find(|row| row.id != id && row.spec.group_ids.contains(&group))?;
                    Some(format!(
                        "group {group} is in channel `{}` #{} now, a group is in one channel only",
                        other.spec.name, other.id
                    ))
                };
                if let Some(groups) = regroup(input, field, &mut part, taken) {
                    to["group_ids"] = json!(groups);
                }
            }
            name => {
                to[name] = field.to.clone();
                part.put_back.push(field.clone());
            }
        }
    }
    if part.put_back.is_empty() {
        return part;
    }
    if serde_json::from_value::<ChannelSpec>(to.clone()).is_err() {
        // A record of another version of this program: nothing is sent that cannot be read.
        for field in std::mem::take(&mut part.put_back) {
            part.leave(BY_HAND, field);
        }
        return part;
    }
    let names: Vec<&str> = part.put_back.iter().map(|row| row.field.as_str()).collect();
    let call = format!(
        "PUT /api/v1/admin/channels/{id} {} and its other fields as they are",
        names.join(", ")
    );
    part.mends.push(Mend {
        act: MendAct::Fields,
        kind: resource.kind,
        host_resource_id: id,
        name: resource.name.clone(),
        before: now.clone(),
        to,
        call,
    });
    part
}

fn account(
    known: &Known<'_>,
    resource: &BatchResource,
    now: &Value,
    fields: &[FieldChange],
) -> Part {
    let id = resource.host_resource_id;
    let mut part = Part::default();
    let mut writes = Vec::new();
    for field in fields {
        match field.field.as_str() {
            "group_ids" => {
                if let Some(groups) = regroup(known.input, field, &mut part, |_| None) {
                    let path: Vec<i64> = groups.iter().map(|group| group.0).collect();
                    let call = format!("PUT /api/v1/admin/accounts/{id} group_ids {path:?}");
                    writes.push((MendAct::Bind, json!({"group_ids": groups}), call));
                }
            }
            "schedulable" => match stays_off(known, resource, field) {
                Some(why) => part.leave(why, field.clone()),
                None => {
                    part.put_back.push(field.clone());
                    let call = format!("POST /api/v1/admin/accounts/{id}/schedulable true");
                    writes.push((MendAct::Switch, json!({"schedulable": true}), call));
                }
            },
            _ => part.leave(BY_HAND, field.clone()),
        }
    }
    // One image of all that is changed: whichever write came last, all of it goes back.
    let changed = part.put_back.iter().map(|row| &row.field);
    let before: Map<String, Value> = changed
        .map(|name| (name.clone(), now[name].clone()))
        .collect();
    part.mends = writes
        .into_iter()
        .map(|(act, to, call)| Mend {
            act,
            kind: resource.kind,
            host_resource_id: id,
            name: resource.name.clone(),
            before: Value::Object(before.clone()),
            to,
            call,
        })
        .collect();
    part
}

/// The groups something will have: the missing ones, and all that it has. `None` when none can be
/// given back.
fn regroup(
    input: &ReconcileInput<'_>,
    field: &FieldChange,
    part: &mut Part,
    taken: impl Fn(RemoteId) -> Option<String>,
) -> Option<Vec<RemoteId>> {
    let (has, wanted) = (ids(&field.from), ids(&field.to));
    let missing: Vec<RemoteId> = wanted
        .iter()
        .copied()
        .filter(|id| !has.contains(id))
        .collect();
    let refused = missing.iter().find_map(|id| {
        let there = input.view.groups.iter().any(|group| group.id == *id);
        if there {
            taken(*id)
        } else {
            Some(format!("group {id} is not on the host any more"))
        }
    });
    if let Some(why) = refused {
        part.leave(why, field.clone());
        return None;
    }
    if has.iter().any(|id| !wanted.contains(id)) {
        let why = "somebody gave it more groups, a repair takes nothing away";
        part.leave(why, field.clone());
    }
    if missing.is_empty() {
        return None;
    }
    let mut groups = [has, missing].concat();
    groups.sort();
    groups.dedup();
    part.put_back.push(FieldChange {
        to: json!(groups),
        ..field.clone()
    });
    Some(groups)
}

/// Why an account is not switched on; `None` when it is.
fn stays_off(known: &Known<'_>, resource: &BatchResource, field: &FieldChange) -> Option<String> {
    if field.to != Value::Bool(true) {
        return Some("we took it out of scheduling and somebody switched it on".to_owned());
    }
    let id = resource.host_resource_id;
    if let Some(batch) = known.parked.get(&id) {
        return Some(format!("{batch} parked it, its rollback wakes it"));
    }
    let account = known.accounts.get(&id)?;
    // The host's own words change by themselves; its state alone is part of the plan.
    (account.status != "active").then(|| {
        format!(
            "the account is in state `{}`, mend that on the host first",
            crate::text::clean_line(&account.status)
        )
    })
}

fn ids(value: &Value) -> Vec<RemoteId> {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

/// What the host stores of what a write changes.
pub fn mended_now(view: &crate::import::HostView, mend: &Mend) -> Option<Value> {
    stored(view, &[], mend.kind, mend.host_resource_id)
}

/// What is recorded once this write is done: what it and the writes before it made of the thing.
pub fn recorded_after(mends: &[Mend], at: usize) -> Value {
    let Some(mend) = mends.get(at) else {
        return Value::Null;
    };
    let mut all = Map::new();
    for earlier in mends.iter().take(at + 1) {
        if (earlier.kind, earlier.host_resource_id) == (mend.kind, mend.host_resource_id)
            && let Some(fields) = earlier.to.as_object()
        {
            all.extend(fields.clone());
        }
    }
    Value::Object(all)
}
