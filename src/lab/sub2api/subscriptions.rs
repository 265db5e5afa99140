//! Subscriptions, with the rule that a repeated assign never renews.

use super::model_sales::{Subscription, days_long};
use super::reply::{Answer, Reply, paged_or_none};
use super::req::{Req, id};
use super::state::State;
use super::views_sales;
use jiff::Timestamp;
use serde_json::json;

/// 2099-12-31T23:59:59Z.
const LATEST: i64 = 4_102_444_799;

pub(super) fn list(state: &State, req: &Req) -> Reply {
    let number = |name: &str| req.filter(name).and_then(|text| text.parse::<i64>().ok());
    let now = state.now();
    let rows = state.subscriptions.values().filter(|row| {
        row.deleted_at.is_none()
            && number("user_id").is_none_or(|user| row.user_id == user)
            && number("group_id").is_none_or(|group| row.group_id == group)
            && req
                .filter("status")
                .is_none_or(|status| row.status_at(now) == status)
            && req.filter("platform").is_none_or(|platform| {
                state
                    .group(row.group_id)
                    .is_some_and(|group| group.platform == platform)
            })
    });
    let rows = rows
        .map(|row| views_sales::subscription(state, row))
        .collect();
    paged_or_none(rows, req, "created_at", "desc")
}

pub(super) fn get(state: &State, text: &str) -> Answer {
    let row = living(state, id(text, "subscription")?)?;
    Ok(Reply::ok(views_sales::subscription(state, row)))
}

pub(super) fn assign(state: &mut State, req: &Req) -> Answer {
    let input = req.input()?;
    let user = input.required_int("user_id")?;
    let group = input.required_int("group_id")?;
    let days = input.int("validity_days")?.unwrap_or_default();
    if days > 36_500 {
        return Err(Reply::binding_field("validity_days", "max"));
    }
    let days = if days <= 0 { 30 } else { days };
    let notes = input.text("notes")?.unwrap_or_default();
    let row = state.group(group).ok_or_else(|| Reply::missing("GROUP"))?;
    if row.subscription_type != "subscription" {
        let text = "group is not a subscription type";
        return Err(Reply::fail(400, "GROUP_NOT_SUBSCRIPTION_TYPE", text));
    }
    let existing = state
        .subscriptions
        .values()
        .find(|row| row.user_id == user && row.group_id == group && row.deleted_at.is_none());
    // Any living row decides, an expired one too; it is never renewed.
    if let Some(row) = existing {
        let reason = if row.expires_at != row.starts_at + days_long(days) {
            "validity_days_mismatch"
        } else if row.notes != notes {
            "notes_mismatch"
        } else {
            return Ok(Reply::ok(views_sales::own_subscription(state, row)));
        };
        return Err(Reply::fail_with(
            409,
            "SUBSCRIPTION_ASSIGN_CONFLICT",
            "subscription exists but request conflicts with existing assignment semantics",
            json!({ "conflict_reason": reason }),
        ));
    }
    // The unknown user shows up as a foreign key violation.
    if !state.users.contains_key(&user) {
        return Err(Reply::internal());
    }
    let now = state.now();
    let mut row = Subscription::new(user, group, days, &notes);
    row.starts_at = now;
    row.expires_at = now + days_long(days);
    row.created_at = now;
    row.updated_at = now;
    let at = state.add_subscription(row);
    get(state, &at.to_string())
}

pub(super) fn extend(state: &mut State, req: &Req, text: &str) -> Answer {
    let at = id(text, "subscription")?;
    let days = req.input()?.required_int("days")?;
    let now = state.now();
    living(state, at)?;
    let Some(row) = state.subscriptions.get_mut(&at) else {
        return Err(Reply::missing("SUBSCRIPTION"));
    };
    let expired = row.expires_at <= now;
    if expired && days < 0 {
        let text = "cannot shorten an expired subscription";
        return Err(Reply::fail(400, "CANNOT_SHORTEN_EXPIRED", text));
    }
    let from = if expired { now } else { row.expires_at };
    let next = from + days_long(days);
    if next <= now {
        let text = "adjustment would result in expired subscription (remaining days must be > 0)";
        return Err(Reply::fail(400, "ADJUST_WOULD_EXPIRE", text));
    }
    let latest = Timestamp::from_second(LATEST).unwrap_or(next);
    row.expires_at = next.min(latest);
    // A suspended one stays so: only what ran out is revived.
    if row.status == "expired" {
        "active".clone_into(&mut row.status);
    }
    row.updated_at = now;
    get(state, text)
}

pub(super) fn reset_quota(state: &mut State, text: &str) -> Answer {
    let at = id(text, "subscription")?;
    living(state, at)?;
    if let Some(row) = state.subscriptions.get_mut(&at) {
        row.usage = [0.0; 3];
    }
    get(state, text)
}

pub(super) fn delete(state: &mut State, text: &str) -> Answer {
    let at = id(text, "subscription")?;
    living(state, at)?;
    let now = state.now();
    if let Some(row) = state.subscriptions.get_mut(&at) {
        row.deleted_at = Some(now);
    }
    Ok(Reply::message("Subscription revoked successfully"))
}

/// A user's own rows.
pub(super) fn own(state: &State, user: i64, only_active: bool) -> Reply {
    let now = state.now();
    let rows = state.subscriptions.values().filter(|row| {
        row.user_id == user
            && row.deleted_at.is_none()
            && (!only_active || row.status_at(now) == "active")
    });
    Reply::ok(
        rows.map(|row| views_sales::own_subscription(state, row))
            .collect(),
    )
}

fn living(state: &State, at: i64) -> Result<&Subscription, Reply> {
    let row = state.subscriptions.get(&at);
    row.filter(|row| row.deleted_at.is_none())
        .ok_or_else(|| Reply::missing("SUBSCRIPTION"))
}
