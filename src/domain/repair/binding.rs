//! A lost binding: the missing groups are added, the others stay, and what the host would take
//! without serving anybody is said before anything is written.

use super::{NoRepair, Rebind, RepairInput};
use crate::baseline::{AccountSeen, Judgement, Verdict, judge_account, judge_members, why_closed};
use crate::canonical::hash_of;
use crate::ids::RemoteId;
use crate::import::HostView;
use crate::inventory::{Account, Group};
use crate::pack::BindingLook;
use crate::plan::{Change, FieldChange, Sign};
use crate::resource::ResourceKind;
use serde_json::{Value, json};

/// What a plan is made of.
pub(super) struct Draft {
    pub(super) found: String,
    pub(super) changes: Vec<Change>,
    pub(super) rebind: Option<Rebind>,
    pub(super) blockers: Vec<String>,
    pub(super) revision: String,
}

pub(super) fn plan_account(
    input: &RepairInput<'_>,
    look: &BindingLook,
    id: RemoteId,
) -> Result<Draft, NoRepair> {
    let account = input.view.accounts.iter().find(|row| row.id == id);
    let seen = AccountSeen {
        account,
        now_ms: input.now_ms,
    };
    let judgement = judge_account(look, seen);
    let Some(account) = account else {
        return Ok(gone(&judgement));
    };
    let wanted = groups(input.view, look);
    wrong(&judgement)?;
    let mut draft = rebinding(
        &judgement,
        ResourceKind::Account,
        (account.id, &account.name, &account.group_ids),
        look,
    );
    for (id, group) in &wanted {
        match group {
            None => draft.blockers.push(no_group(*id)),
            Some(group) if !account.group_ids.contains(id) => {
                draft.blockers.extend(never_chosen(account, group));
                draft
                    .blockers
                    .extend(wants_a_word(account, group, input.view));
            }
            Some(_) => {}
        }
    }
    idle_groups(&wanted, &mut draft.changes);
    if look.schedulable
        && let Some(reason) = why_closed(account, input.now_ms)
    {
        let text = format!("{reason}; left as it is, read the reason first");
        let change = Change::new(
            Sign::Attention,
            ResourceKind::Account,
            &account.name,
            // The host's own words may stand in it.
            crate::text::clean_line(&text),
        );
        draft.changes.push(change.at(account.id));
    }
    draft.revision = revision(&json!([
        account.id,
        account.name,
        account.platform,
        account.schedulable,
        sorted(&account.group_ids),
        known(&wanted),
    ]));
    Ok(draft)
}

pub(super) fn plan_channel(
    input: &RepairInput<'_>,
    look: &BindingLook,
    id: RemoteId,
) -> Result<Draft, NoRepair> {
    let channel = input.view.channels.iter().find(|row| row.id == id);
    let members = channel.map(|channel| channel.spec.group_ids.as_slice());
    let judgement = judge_members("channel", id.0, look, members);
    let Some(channel) = channel else {
        return Ok(gone(&judgement));
    };
    let wanted = groups(input.view, look);
    wrong(&judgement)?;
    let spec = &channel.spec;
    let mut draft = rebinding(
        &judgement,
        ResourceKind::Channel,
        (channel.id, &spec.name, &spec.group_ids),
        look,
    );
    for (group, row) in &wanted {
        if row.is_none() {
            draft.blockers.push(no_group(*group));
        }
        let other = input
            .view
            .channels
            .iter()
            .find(|other| other.id != id && other.spec.group_ids.contains(group));
        if let Some(other) = other {
            draft.blockers.push(format!(
                "group {group} is in channel `{}` #{} already; a group is in one channel only",
                other.spec.name, other.id
            ));
        }
    }
    idle_groups(&wanted, &mut draft.changes);
    draft.revision = revision(&json!([channel, known(&wanted)]));
    Ok(draft)
}

/// Only a failed look that names a missing group goes on.
fn wrong(judgement: &Judgement) -> Result<(), NoRepair> {
    match judgement.verdict {
        Verdict::Fail if judgement.repair => Ok(()),
        Verdict::Fail => Err(NoRepair::ForAPerson(judgement.found.clone())),
        _ => Err(NoRepair::NothingWrong(judgement.found.clone())),
    }
}

fn gone(judgement: &Judgement) -> Draft {
    Draft {
        found: judgement.found.clone(),
        changes: Vec::new(),
        rebind: None,
        blockers: vec![format!("{}; a repair makes nothing anew", judgement.found)],
        revision: revision(&json!(null)),
    }
}

fn rebinding(
    judgement: &Judgement,
    kind: ResourceKind,
    (id, name, has): (RemoteId, &str, &[RemoteId]),
    look: &BindingLook,
) -> Draft {
    let before = sorted(has);
    let missing: Vec<RemoteId> = look
        .groups
        .iter()
        .map(|id| RemoteId(*id))
        .filter(|id| !before.contains(id))
        .collect();
    let groups = sorted(&[before.clone(), missing.clone()].concat());
    let stay = if before.is_empty() {
        "it has no other".to_owned()
    } else {
        format!("{} kept", list(&before))
    };
    let reason = format!("group {} is missing; {stay}", list(&missing));
    let change = Change::new(Sign::Change, kind, name, reason)
        .at(id)
        .fields(vec![FieldChange {
            field: "group_ids".to_owned(),
            from: json!(before),
            to: json!(groups),
        }]);
    Draft {
        found: judgement.found.clone(),
        changes: vec![change],
        rebind: Some(Rebind {
            kind,
            id,
            name: name.to_owned(),
            before,
            groups,
        }),
        blockers: Vec::new(),
        revision: String::new(),
    }
}

/// The groups a check wants, as the host has them.
fn groups<'a>(view: &'a HostView, look: &BindingLook) -> Vec<(RemoteId, Option<&'a Group>)> {
    look.groups
        .iter()
        .map(|id| RemoteId(*id))
        .map(|id| (id, view.groups.iter().find(|group| group.id == id)))
        .collect()
}

fn no_group(id: RemoteId) -> String {
    format!("there is no group {id} on this host; a repair makes nothing anew")
}

/// The host binds across platforms without a word, and never chooses such an account.
fn never_chosen(account: &Account, group: &Group) -> Option<String> {
    let (of_account, of_group) = (&account.platform, &group.spec.platform);
    (of_account != of_group).then(|| {
        format!(
            "account {} is of `{of_account}`, group `{}` #{} of `{of_group}`: the host would bind it and never choose it",
            account.id, group.spec.name, group.id
        )
    })
}

/// Two platforms that the host mixes in one group only after a confirmation, which we never give.
const CONFIRMED_MIX: [&str; 2] = ["anthropic", "antigravity"];

fn wants_a_word(account: &Account, group: &Group, view: &HostView) -> Option<String> {
    let mixes = |platform: &str| CONFIRMED_MIX.contains(&platform);
    let other = view.accounts.iter().find(|row| {
        row.id != account.id
            && row.group_ids.contains(&group.id)
            && row.platform != account.platform
            && mixes(&row.platform)
            && mixes(&account.platform)
    })?;
    Some(format!(
        "group `{}` #{} holds account {} of `{}`: mixing it with `{}` is confirmed on the host by a person",
        group.spec.name, group.id, other.id, other.platform, account.platform
    ))
}

fn idle_groups(wanted: &[(RemoteId, Option<&Group>)], changes: &mut Vec<Change>) {
    for group in wanted.iter().filter_map(|(_, group)| *group) {
        if group.status != "active" {
            let reason = format!("is {}: it serves nobody, bound or not", group.status);
            let change = Change::new(
                Sign::Attention,
                ResourceKind::Group,
                &group.spec.name,
                reason,
            );
            changes.push(change.at(group.id));
        }
    }
}

fn known(wanted: &[(RemoteId, Option<&Group>)]) -> Value {
    let rows: Vec<Value> = wanted
        .iter()
        .map(|(id, group)| {
            let group = group.map(|group| json!([group.spec.platform, group.status]));
            json!([id, group])
        })
        .collect();
    json!(rows)
}

fn revision(read: &Value) -> String {
    hash_of(&read).unwrap_or_default()
}

fn sorted(ids: &[RemoteId]) -> Vec<RemoteId> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids.dedup();
    ids
}

fn list(ids: &[RemoteId]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}
