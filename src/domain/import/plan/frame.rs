//! The frame of an import: group, channel, sale offer. Made, taken over, or corrected.

use super::ImportRequest;
use crate::batch::AccessMode;
use crate::ids::RemoteId;
use crate::import::HostView;
use crate::import::names::managed_email;
use crate::inventory::Group;
use crate::plan::{Change, Sign, diff_fields};
use crate::resource::ResourceKind;

pub(super) fn plan_group<'a>(
    request: &ImportRequest,
    view: &'a HostView,
    changes: &mut Vec<Change>,
    blockers: &mut Vec<String>,
) -> Option<&'a Group> {
    let wanted = request.group_spec();
    let Some(found) = view.group(&wanted.name) else {
        changes.push(Change::new(
            Sign::Create,
            ResourceKind::Group,
            &wanted.name,
            match request.access {
                AccessMode::Subscription => "not on the host",
                AccessMode::SelfService => {
                    "not on the host; standard: any user of the host may bind a key to it and pays from the balance"
                }
            },
        ));
        return None;
    };
    for (field, is, want) in [
        ("platform", &found.spec.platform, &wanted.platform),
        (
            "subscription_type",
            &found.spec.subscription_type,
            &wanted.subscription_type,
        ),
    ] {
        if is != want {
            blockers.push(format!(
                "group `{}` #{} has {field} `{is}`, this import needs `{want}`; choose another group name in the pack or mend the group",
                found.spec.name, found.id
            ));
        }
    }
    let open = |id| {
        let user = view.user.as_ref();
        user.is_some_and(|user| user.allowed_groups.contains(id))
    };
    let shut = request.access == AccessMode::SelfService && found.spec.is_exclusive;
    if shut && !request.prepare && !open(&found.id) {
        blockers.push(format!(
            "group `{}` #{} is exclusive and the {} user is not allowed in it; open the group, or allow user `{}` in it: `cockpit access prepare plan` does",
            found.spec.name,
            found.id,
            if request.user_key.is_some() { "key's" } else { "managed" },
            view.user.as_ref().map_or_else(|| managed_email(&request.pack.id), |user| user.email.clone())
        ));
    }
    if found.status != "active" {
        blockers.push(format!(
            "group `{}` #{} is {}; activate it first",
            found.spec.name, found.id, found.status
        ));
    }
    changes.push(
        Change::new(
            Sign::Keep,
            ResourceKind::Group,
            &found.spec.name,
            "is there and fits",
        )
        .at(found.id),
    );
    Some(found)
}

pub(super) fn plan_channel(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    changes: &mut Vec<Change>,
    blockers: &mut Vec<String>,
) {
    let name = &request.pack.subscription.channel;
    if let Some(group) = group {
        let other = view.channels.iter().find(|channel| {
            channel.spec.name != *name && channel.spec.group_ids.contains(&group.id)
        });
        if let Some(other) = other {
            blockers.push(format!(
                "group `{}` is in channel `{}` #{} already; a group is in one channel only",
                group.spec.name, other.spec.name, other.id
            ));
        }
    }
    let Some(found) = view.channel(name) else {
        changes.push(Change::new(
            Sign::Create,
            ResourceKind::Channel,
            name,
            "not on the host",
        ));
        return;
    };
    // A group that is yet to be made has no id to compare with; the channel then gets it.
    let group_id = group.map_or(RemoteId(0), |group| group.id);
    let wanted = request.corrected_channel(found, group_id);
    let fields = diff_fields(
        &serde_json::to_value(&found.spec).unwrap_or_default(),
        &serde_json::to_value(&wanted).unwrap_or_default(),
    );
    let change = if fields.is_empty() {
        Change::new(Sign::Keep, ResourceKind::Channel, name, "is there and fits")
    } else {
        Change::new(
            Sign::Change,
            ResourceKind::Channel,
            name,
            "is not as the pack wants it; its before-image is kept",
        )
    };
    changes.push(change.at(found.id).fields(fields));
}

pub(super) fn plan_offer(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    changes: &mut Vec<Change>,
) {
    if request.access != AccessMode::Subscription {
        return;
    }
    let name = &request.pack.subscription.plan;
    match group.and_then(|group| view.offer(name, group.id)) {
        Some(found) => {
            changes
                .push(Change::new(Sign::Keep, ResourceKind::Plan, name, "is there").at(found.id));
        }
        None => changes.push(Change::new(
            Sign::Create,
            ResourceKind::Plan,
            name,
            "not on the host; not for sale",
        )),
    }
}
