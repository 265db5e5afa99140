//! Closing access: managed user, subscription, managed key, and what would prevent it.

use super::ImportRequest;
use crate::batch::AccessMode;
use crate::import::HostView;
use crate::import::balance::{STARTING_BALANCE, is_enough, usd};
use crate::import::names::{managed_email, managed_key_name};
use crate::inventory::Group;
use crate::plan::{Change, FieldChange, Sign};
use crate::resource::ResourceKind;
use serde_json::json;

pub(super) fn plan_access(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    changes: &mut Vec<Change>,
    blockers: &mut Vec<String>,
) {
    if let Some(fingerprint) = &request.user_key {
        changes.push(Change::new(
            Sign::Change,
            ResourceKind::Key,
            format!("caller's key {fingerprint}"),
            "its owner is subscribed, this key is bound to the group and proves access; no managed key is made",
        ));
        return;
    }
    // Named beforehand: after the accounts are made it would be too late (`host-contract.md` 2.2).
    if view.captcha {
        blockers.push(
            "the host wants a captcha on login, so the managed user cannot log in; switch it off in the host's settings for the import".to_owned(),
        );
    }
    if view.backend_mode {
        blockers.push(
            "the host is in backend mode: only admins log in, so no managed key can be made; switch it off for the import".to_owned(),
        );
    }
    let email = managed_email(&request.pack.id);
    match &view.user {
        Some(user) if user.role != "user" || user.status != "active" => blockers.push(format!(
            "user `{email}` #{} is {} and {}; the managed user must be an active ordinary user",
            user.id, user.role, user.status
        )),
        Some(user) => changes.push(
            Change::new(
                Sign::Keep,
                ResourceKind::User,
                &email,
                "managed user is there",
            )
            .at(user.id),
        ),
        None => changes.push(Change::new(
            Sign::Create,
            ResourceKind::User,
            &email,
            "managed user of this provider",
        )),
    }
    if request.access == AccessMode::Subscription {
        let row = group.and_then(|group| {
            view.subscriptions
                .iter()
                .find(|row| row.group_id == group.id)
        });
        changes.push(match row {
            Some(row) => Change::new(
                Sign::Keep,
                ResourceKind::Subscription,
                &email,
                format!(
                    "is there until {}; extended if it has run out",
                    row.expires_at
                ),
            )
            .at(row.id),
            None => Change::new(
                Sign::Create,
                ResourceKind::Subscription,
                &email,
                "the managed user needs it to bind a key",
            ),
        });
    }
    if request.access == AccessMode::SelfService {
        changes.extend(plan_balance(&email, view));
    }
    changes.push(Change::new(
        Sign::Create,
        ResourceKind::Key,
        managed_key_name(&request.pack.id),
        "managed key (sk-relay-..): the proof is made with it",
    ));
}

/// The one write of money: set, never added, so that a repeat does no harm.
fn plan_balance(email: &str, view: &HostView) -> Option<Change> {
    let balance = view.user.as_ref().map_or(0.0, |user| user.balance);
    if is_enough(balance) {
        return None;
    }
    let reason = format!(
        "balance set from {} to {}: a standard group serves only who can pay",
        usd(balance),
        usd(STARTING_BALANCE)
    );
    let change = Change::new(Sign::Change, ResourceKind::User, email, reason);
    let change = change.fields(vec![FieldChange {
        field: "balance".to_owned(),
        from: json!(balance),
        to: json!(STARTING_BALANCE),
    }]);
    Some(match &view.user {
        Some(user) => change.at(user.id),
        None => change,
    })
}
