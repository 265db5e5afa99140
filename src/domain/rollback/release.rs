//! Deleting what was taken over: it was there before us, so what others came to depend on stays whole.
//! A group that stays keeps the accounts it needs and the channel over it.

use super::{Floor, RollbackInput, UndoAct, UndoStep};
use crate::ids::RemoteId;
use crate::inventory::Account;
use crate::pool::why_not;
use crate::resource::ResourceKind;
use std::collections::BTreeSet;

/// Blocks the steps that would leave a group that stays with less than it needs.
pub(super) fn keep_what_serves(input: &RollbackInput<'_>, floor: Floor, steps: &mut [UndoStep]) {
    let going = |kind, steps: &[UndoStep]| -> BTreeSet<RemoteId> {
        let doing = steps.iter().filter(|step| {
            step.act == UndoAct::Delete && step.blocked.is_none() && step.change.kind == kind
        });
        doing
            .filter_map(|step| step.change.host_resource_id)
            .collect()
    };
    let groups = going(ResourceKind::Group, steps);
    let accounts = going(ResourceKind::Account, steps);
    for step in steps.iter_mut().filter(|step| step.blocked.is_none()) {
        let Some(id) = step.change.host_resource_id else {
            continue;
        };
        if step.act != UndoAct::Delete {
            continue;
        }
        step.blocked = match step.change.kind {
            ResourceKind::Account => below_floor(input, floor, id, &groups, &accounts),
            ResourceKind::Channel => over_one_that_stays(input, id, &groups),
            _ => None,
        };
    }
}

/// The group that an account serves, that stays, and that would have too few without all that go.
fn below_floor(
    input: &RollbackInput<'_>,
    floor: Floor,
    id: RemoteId,
    groups: &BTreeSet<RemoteId>,
    going: &BTreeSet<RemoteId>,
) -> Option<String> {
    let accounts = &input.view.accounts;
    let account = accounts.iter().find(|account| account.id == id)?;
    if !why_not(account, floor.now_ms).is_empty() {
        // It serves nobody now.
        return None;
    }
    let stays = |group: &&RemoteId| !groups.contains(group);
    account.group_ids.iter().filter(stays).find_map(|group| {
        let serves = |account: &&Account| {
            account.group_ids.contains(group)
                && !going.contains(&account.id)
                && why_not(account, floor.now_ms).is_empty()
        };
        let left = accounts.iter().filter(serves).count();
        (left < floor.floor).then(|| {
            format!(
                "group #{group} stays and would have {left} account(s) that would be chosen, its floor is {}",
                floor.floor
            )
        })
    })
}

/// The group that stays under a channel: without it its prices and models are gone.
fn over_one_that_stays(
    input: &RollbackInput<'_>,
    id: RemoteId,
    groups: &BTreeSet<RemoteId>,
) -> Option<String> {
    let channel = input
        .view
        .channels
        .iter()
        .find(|channel| channel.id == id)?;
    let mut over = channel.spec.group_ids.iter();
    let stays = over.find(|group| !groups.contains(group))?;
    Some(format!("group #{stays} stays and is called through it"))
}
