//! A user that a batch changed: its balance goes back to what it was, and what it was allowed in by
//! this batch it is no more. Nothing else of it is touched.

use super::{RollbackInput, UndoAct, UndoStep, held_by_other};
use crate::import::{STARTING_BALANCE, usd};
use crate::inventory::User;
use crate::plan::{Change, FieldChange, Sign};
use crate::recorded::id_in;
use crate::resource::BatchResource;
use serde_json::{Value, json};

pub(super) fn step(input: &RollbackInput<'_>, resource: &BatchResource) -> UndoStep {
    let id = resource.host_resource_id;
    let user = input.view.user.as_ref().filter(|user| user.id == id);
    let balance = balance(user, &resource.before);
    let group = allowed(user, &resource.before);
    let mut reasons = Vec::new();
    let mut fields = Vec::new();
    let mut blocked = None;
    match balance {
        Some(Balance::Kept(why)) => reasons.push(why),
        Some(Balance::Back(why, field, block)) => {
            reasons.push(why);
            fields.push(field);
            blocked = block;
        }
        None => {}
    }
    if let Some((why, field)) = group {
        reasons.push(why);
        fields.extend(field);
    }
    let change = |sign| Change::new(sign, resource.kind, &resource.name, reasons.join("; ")).at(id);
    if fields.is_empty() {
        return UndoStep {
            act: UndoAct::Leave,
            change: change(Sign::Keep),
            before: Value::Null,
            blocked: None,
        };
    }
    UndoStep {
        act: UndoAct::Restore,
        change: change(Sign::Change).fields(fields),
        before: resource.before.clone(),
        blocked: held_by_other(input, resource).or(blocked),
    }
}

enum Balance {
    /// Nothing is left of what was given.
    Kept(String),
    /// It is put back, unless something stands in the way.
    Back(String, FieldChange, Option<String>),
}

/// The balance that this batch set goes back to what it was, never above what is left of it.
fn balance(user: Option<&User>, before: &Value) -> Option<Balance> {
    let was = before["balance"].as_f64()?.max(0.0);
    let now = user.map_or(0.0, |user| user.balance);
    if now <= was {
        let why = format!("balance is {}, no more than before", usd(now));
        return Some(Balance::Kept(why));
    }
    // What is left of it moves with every call of the user: a plan that named it would be stale
    // before it is read.
    let why = format!(
        "balance was set by this batch: put back from {}, or what is left of it, to {}",
        usd(STARTING_BALANCE),
        usd(was)
    );
    let field = FieldChange {
        field: "balance".to_owned(),
        from: STARTING_BALANCE.into(),
        to: was.into(),
    };
    let blocked = (now > STARTING_BALANCE).then(|| {
        "somebody added to the balance after this batch; putting it back would take their money"
            .to_owned()
    });
    Some(Balance::Back(why, field, blocked))
}

/// The group that this batch allowed the user in, to be left again.
fn allowed(user: Option<&User>, before: &Value) -> Option<(String, Option<FieldChange>)> {
    let group = id_in(before, "granted")?;
    let held = user.map_or(&[][..], |user| &user.allowed_groups);
    if !held.contains(&group) {
        return Some((format!("is not allowed in group #{group} any more"), None));
    }
    let left: Vec<_> = held.iter().filter(|id| **id != group).collect();
    let field = FieldChange {
        field: "allowed_groups".to_owned(),
        from: json!(held),
        to: json!(left),
    };
    let why = format!("was allowed in group #{group} by this batch: no more");
    Some((why, Some(field)))
}
