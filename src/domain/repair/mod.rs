//! Repairing a failed check through the host's API (`product.md` 5): which checks can be, and the
//! plan. What decides is the kind of the check. Fields are replaced whole over there, so a plan
//! carries what stays as well as what is added.

mod binding;

use crate::host::Role;
use crate::ids::{HostId, PackId, RemoteId};
use crate::import::HostView;
use crate::pack::{Bound, Check, Look};
use crate::plan::{Change, Totals, expiry};
use crate::resource::ResourceKind;
use binding::{plan_account, plan_channel};
use serde::{Deserialize, Serialize};

/// The one write of a repair: the groups something has to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebind {
    /// An account or a channel.
    #[serde(rename = "type")]
    pub kind: ResourceKind,
    /// Its id.
    pub id: RemoteId,
    /// Its name.
    pub name: String,
    /// Groups it has.
    pub before: Vec<RemoteId>,
    /// Groups it will have: those, and the missing ones.
    pub groups: Vec<RemoteId>,
}

/// A repair plan. Its hash is over this value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepairPlan {
    /// Host.
    pub host: HostId,
    /// The baseline pack.
    pub pack: PackId,
    /// The check it repairs.
    pub check: String,
    /// What the check found.
    pub found: String,
    /// What would be done, with its reasons.
    pub changes: Vec<Change>,
    /// The call it makes, as the host's API names it; `None` when nothing can be done.
    pub call: Option<String>,
    /// The write behind that call.
    pub rebind: Option<Rebind>,
    /// Totals of the changes.
    pub totals: Totals,
    /// Why it cannot be carried out; empty when it can.
    pub blockers: Vec<String>,
    /// Who else writes to this host.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Hash of what it read.
    pub revision: String,
    /// UTC ms after which it is refused, on production.
    pub expires_ms: Option<i64>,
}

/// Why there is no plan at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRepair {
    /// A check of this kind is not about something the host's API sets.
    NotByApi(&'static str),
    /// The check is as it should be.
    NothingWrong(String),
    /// It fails for something a repair must not decide, such as an account somebody switched off.
    ForAPerson(String),
}

/// What is known when planning.
#[derive(Debug, Clone)]
pub struct RepairInput<'a> {
    /// Host.
    pub host: &'a HostId,
    /// Its role decides expiry.
    pub role: Role,
    /// The baseline pack.
    pub pack: &'a PackId,
    /// The check.
    pub check: &'a Check,
    /// Stored state.
    pub view: &'a HostView,
    /// UTC ms.
    pub now_ms: i64,
}

/// Whether checks of this kind can be repaired at all, before anything is looked at.
///
/// # Errors
/// Why they cannot.
pub fn can_repair(check: &Check) -> Result<Bound, NoRepair> {
    let Look::Binding(look) = &check.look else {
        return Err(NoRepair::NotByApi(check.look.kind()));
    };
    match look.bound() {
        Some(Bound::Key(id)) => Err(NoRepair::ForAPerson(format!(
            "key {id} belongs to a user and has one group at a time: binding it here takes it from where it is"
        ))),
        Some(bound) => Ok(bound),
        None => Err(NoRepair::NotByApi(check.look.kind())),
    }
}

/// Makes the plan.
///
/// # Errors
/// Why there is nothing to plan.
pub fn plan_repair(input: &RepairInput<'_>) -> Result<RepairPlan, NoRepair> {
    let bound = can_repair(input.check)?;
    let Look::Binding(look) = &input.check.look else {
        return Err(NoRepair::NotByApi(input.check.look.kind()));
    };
    let draft = match bound {
        Bound::Account(id) => plan_account(input, look, RemoteId(id))?,
        Bound::Channel(id) => plan_channel(input, look, RemoteId(id))?,
        Bound::Key(_) => return Err(NoRepair::NotByApi(input.check.look.kind())),
    };
    Ok(RepairPlan {
        host: input.host.clone(),
        pack: input.pack.clone(),
        check: input.check.id.clone(),
        found: draft.found,
        call: draft.rebind.as_ref().map(call),
        totals: Totals::of(&draft.changes),
        changes: draft.changes,
        rebind: draft.rebind,
        blockers: draft.blockers,
        warnings: Vec::new(),
        revision: draft.revision,
        expires_ms: expiry(input.role, input.now_ms),
    })
}

/// The call as the host's own documents write it: who reads the plan can look it up there.
fn call(rebind: &Rebind) -> String {
    let groups: Vec<i64> = rebind.groups.iter().map(|group| group.0).collect();
    let (path, rest) = match rebind.kind {
        ResourceKind::Channel => ("channels", " and its other fields as they are"),
        _ => ("accounts", ""),
    };
    format!(
        "PUT /api/v1/admin/{path}/{} group_ids {groups:?}{rest}",
        rebind.id
    )
}

/// Whether a smoke that fails so soon after a write may only have been asked too early: the host
/// answers 503, or an older model list, until it has noticed (`product.md` 4.7).
pub fn may_be_warming(found: &str) -> bool {
    found.contains(": 503") || found.contains("is 503") || found.contains("/v1/models lacks")
}

#[cfg(test)]
mod tests;
