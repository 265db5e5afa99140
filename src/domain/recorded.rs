//! What is written down of a resource so that it can be compared and proven later: the fields we
//! set, never one that traffic changes, never a secret.

use crate::ids::RemoteId;
use crate::import::HostView;
use crate::inventory::{Account, ApiKey, Channel, Group, Offer, Subscription, User};
use crate::resource::ResourceKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Recorded fields of a group. Its limits are in the records of a batch since they are read: where an
/// older one has none, nobody knows what they were.
pub fn of_group(group: &Group) -> Value {
    let mut value = with_status(&group.spec, &group.status);
    let limits = serde_json::to_value(group.limits).unwrap_or_default();
    if let (Some(fields), Value::Object(limits)) = (value.as_object_mut(), limits) {
        fields.extend(limits);
    }
    value
}

/// Recorded fields of a channel.
pub fn of_channel(channel: &Channel) -> Value {
    with_status(&channel.spec, &channel.status)
}

/// Recorded fields of a sale offer.
pub fn of_offer(offer: &Offer) -> Value {
    serde_json::to_value(&offer.spec).unwrap_or_default()
}

/// Recorded fields of an account. `status` is left out: one bad answer of the upstream changes it.
pub fn of_account(account: &Account) -> Value {
    json!({
        "name": account.name,
        "platform": account.platform,
        "base_url": account.base_url,
        "model_mapping": account.model_mapping,
        "responses_mode": account.responses_mode,
        "concurrency": account.concurrency,
        "priority": account.priority,
        "schedulable": account.schedulable,
        "group_ids": account.group_ids,
    })
}

/// Recorded fields of a user.
pub fn of_user(user: &User) -> Value {
    json!({"email": user.email, "role": user.role, "status": user.status})
}

/// Recorded fields of a subscription.
pub fn of_subscription(row: &Subscription) -> Value {
    json!({"user_id": row.user_id, "group_id": row.group_id, "notes": row.notes, "expires_at": row.expires_at})
}

/// Recorded fields of a user key: its public name only.
pub fn of_key(key: &ApiKey) -> Value {
    json!({
        "name": key.name, "user_id": key.user_id, "group_id": key.group_id, "status": key.status,
        "fingerprint": key.key.fingerprint(),
    })
}

/// An id in recorded fields: ids are texts there.
pub fn id_in(fields: &Value, name: &str) -> Option<RemoteId> {
    serde_json::from_value(fields[name].clone()).ok()
}

fn with_status<T: serde::Serialize>(spec: &T, status: &str) -> Value {
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("status".to_owned(), json!(status));
    }
    value
}

/// A host's lists as (type, name, id) to recorded fields: what "before" and "after" are compared
/// by (`product.md` 4, rollback).
pub type Listing = BTreeMap<(ResourceKind, String, i64), Value>;

/// The listing of a view.
pub fn listing(view: &HostView) -> Listing {
    let mut rows = Listing::new();
    for group in &view.groups {
        rows.insert(
            (ResourceKind::Group, group.spec.name.clone(), group.id.0),
            of_group(group),
        );
    }
    for channel in &view.channels {
        rows.insert(
            (
                ResourceKind::Channel,
                channel.spec.name.clone(),
                channel.id.0,
            ),
            of_channel(channel),
        );
    }
    for offer in &view.offers {
        rows.insert(
            (ResourceKind::Plan, offer.spec.name.clone(), offer.id.0),
            of_offer(offer),
        );
    }
    for account in &view.accounts {
        rows.insert(
            (ResourceKind::Account, account.name.clone(), account.id.0),
            of_account(account),
        );
    }
    if let Some(user) = &view.user {
        rows.insert(
            (ResourceKind::User, user.email.clone(), user.id.0),
            of_user(user),
        );
    }
    for row in &view.subscriptions {
        rows.insert(
            (ResourceKind::Subscription, row.notes.clone(), row.id.0),
            of_subscription(row),
        );
    }
    rows
}

/// What differs between two listings, one line each: `+` appeared, `-` vanished, `~` changed.
pub fn listing_changes(before: &Listing, after: &Listing) -> Vec<String> {
    let mut lines = Vec::new();
    for (key @ (kind, name, id), fields) in after {
        match before.get(key) {
            None => lines.push(format!("+ {kind} {name} #{id}")),
            Some(was) => {
                let changed: Vec<String> = crate::plan::diff_fields(was, fields)
                    .into_iter()
                    .map(|field| field.field)
                    .collect();
                if !changed.is_empty() {
                    lines.push(format!("~ {kind} {name} #{id} [{}]", changed.join(", ")));
                }
            }
        }
    }
    for (kind, name, id) in before.keys() {
        if !after.contains_key(&(*kind, name.clone(), *id)) {
            lines.push(format!("- {kind} {name} #{id}"));
        }
    }
    lines
}
