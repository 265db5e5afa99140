//! Closing access: managed user or caller's own key, subscription or balance, and what would
//! prevent it.

use super::ImportRequest;
use crate::batch::AccessMode;
use crate::import::HostView;
use crate::import::balance::{STARTING_BALANCE, usd};
use crate::import::names::{managed_email, managed_key_name};
use crate::import::preconditions::{Holds, preconditions};
use crate::inventory::{Group, Standing};
use crate::plan::{Change, FieldChange, Sign};
use crate::resource::ResourceKind;
use serde_json::json;

/// Preconditions that the frame of the plan has said already.
const SAID: [&str; 2] = ["group", "allowed_groups"];

pub(super) fn plan_access(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    now_ms: i64,
    changes: &mut Vec<Change>,
    blockers: &mut Vec<String>,
) {
    // Named beforehand: after the accounts are made it would be too late (`host-contract.md` 2.2).
    let rows = preconditions(request, view, now_ms);
    blockers.extend(
        rows.iter()
            .filter(|row| matches!(row.holds, Holds::No | Holds::Unknown))
            .filter(|row| !SAID.contains(&row.name.as_str()))
            .map(|row| format!("{}; {}", row.found, row.next)),
    );
    if request.user_key.is_some() {
        plan_caller(request, view, group, now_ms, changes);
        return;
    }
    let email = managed_email(&request.pack.id);
    match &view.user {
        Some(user) if user.role != "user" || user.status != "active" => {}
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
    match request.access {
        AccessMode::Subscription => {
            let why = "the managed user needs it to bind a key";
            changes.push(plan_subscription(request, view, group, now_ms, &email, why));
        }
        AccessMode::SelfService => {
            changes.extend(plan_user_fields(request, view, group, &email));
        }
    }
    let name = managed_key_name(&request.pack.id);
    changes.push(match request.managed_key(view) {
        Some(key) => {
            let shown = key.key.masked();
            let reason =
                format!("managed key {shown} of an earlier import: it proves this one too");
            Change::new(Sign::Keep, ResourceKind::Key, name, reason).at(key.id)
        }
        None => {
            let reason = "managed key (sk-relay-..): the proof is made with it";
            Change::new(Sign::Create, ResourceKind::Key, name, reason)
        }
    });
}

/// A right of the user to the group: kept, extended, replaced or assigned.
fn plan_subscription(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    now_ms: i64,
    email: &str,
    why: &str,
) -> Change {
    let row = group.and_then(|group| {
        let mut rows = view.subscriptions.iter();
        rows.find(|row| row.group_id == group.id)
    });
    let Some(row) = row else {
        return Change::new(Sign::Create, ResourceKind::Subscription, email, why);
    };
    let days = request.pack.subscription.validity_days;
    let until = row.until();
    let (sign, reason) = match row.standing(now_ms) {
        Some(Standing::Over) => (
            Sign::Change,
            format!("ran out at {until}: extended by {days} days"),
        ),
        Some(Standing::OverThere) => (
            Sign::Change,
            format!("{}: extended by {days} days", row.over_there()),
        ),
        Some(Standing::Suspended) => (
            Sign::Change,
            format!("is {}: revoked, and a new one assigned", row.status),
        ),
        Some(Standing::Alive) | None => (
            Sign::Keep,
            format!("is there until {until}; extended if it has run out"),
        ),
    };
    Change::new(sign, ResourceKind::Subscription, email, reason).at(row.id)
}

/// The caller's own key: its owner is subscribed, this very key is bound and proves. No managed key
/// is made, whatever happens.
fn plan_caller(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    now_ms: i64,
    changes: &mut Vec<Change>,
) {
    let (Some(user), Some(key)) = (&view.user, &view.caller_key) else {
        return;
    };
    let reason = "owner of the caller's key; no managed user is made";
    changes.push(Change::new(Sign::Keep, ResourceKind::User, &user.email, reason).at(user.id));
    if request.access == AccessMode::SelfService {
        changes.extend(plan_user_fields(request, view, group, &user.email));
    } else {
        let why = "the owner of the caller's key needs it";
        changes.push(plan_subscription(
            request,
            view,
            group,
            now_ms,
            &user.email,
            why,
        ));
    }
    let name = &request.pack.subscription.group;
    let shown = key.key.masked();
    if group.is_some_and(|group| key.group_id == Some(group.id)) {
        let reason = format!("the caller's own key {shown} is bound already; it proves access");
        changes.push(Change::new(Sign::Keep, ResourceKind::Key, &key.name, reason).at(key.id));
        return;
    }
    let leaves = key.group_id.map_or_else(String::new, |id| {
        let was = view.groups.iter().find(|group| group.id == id);
        let was = was.map_or_else(
            || format!("#{id}"),
            |group| format!("`{}`", group.spec.name),
        );
        format!("; until the rollback it no longer calls group {was}")
    });
    let reason = format!(
        "the caller's own key {shown} is bound to group `{name}` and proves access{leaves}"
    );
    let to = group.map_or_else(|| json!(name), |group| json!(group.id));
    let field = FieldChange {
        field: "group_id".to_owned(),
        from: json!(key.group_id),
        to,
    };
    changes.push(
        Change::new(Sign::Change, ResourceKind::Key, &key.name, reason)
            .at(key.id)
            .fields(vec![field]),
    );
}

/// What the user lacks in a standard group: leave to bind a key to an exclusive one, and money. The
/// balance is set, never added, so that a repeat does no harm.
fn plan_user_fields(
    request: &ImportRequest,
    view: &HostView,
    group: Option<&Group>,
    email: &str,
) -> Option<Change> {
    let user = view.user.as_ref();
    let mut reasons = Vec::new();
    let mut fields = Vec::new();
    let held = user.map_or(&[][..], |user| &user.allowed_groups);
    let shut = group.filter(|group| group.spec.is_exclusive && !held.contains(&group.id));
    if let Some(group) = shut.filter(|_| request.prepare) {
        reasons.push(format!(
            "is allowed in group `{}`, which is exclusive",
            group.spec.name
        ));
        let with: Vec<_> = held.iter().copied().chain([group.id]).collect();
        fields.push(FieldChange {
            field: "allowed_groups".to_owned(),
            from: json!(held),
            to: json!(with),
        });
    }
    let balance = user.map_or(0.0, |user| user.balance);
    // Other people's money is given by a plan that prepares access only.
    let gives = request.prepare || request.user_key.is_none();
    if gives && !request.can_pay(balance) {
        reasons.push(format!(
            "balance set from {} to {}: a standard group serves only who can pay",
            usd(balance),
            usd(STARTING_BALANCE)
        ));
        fields.push(FieldChange {
            field: "balance".to_owned(),
            from: json!(balance),
            to: json!(STARTING_BALANCE),
        });
    }
    if fields.is_empty() {
        return None;
    }
    let change = Change::new(Sign::Change, ResourceKind::User, email, reasons.join("; "));
    let change = change.fields(fields);
    Some(match user {
        Some(user) => change.at(user.id),
        None => change,
    })
}
