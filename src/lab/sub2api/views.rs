//! Rows as the API shows them.

use super::model::{Account, ApiKey, Channel, Group, User};
use super::state::State;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// Credential keys that never come back from a read.
pub(super) const SECRET_KEYS: [&str; 10] = [
    "api_key",
    "access_token",
    "refresh_token",
    "id_token",
    "session_key",
    "cookie",
    "aws_secret_access_key",
    "aws_session_token",
    "service_account_json",
    "private_key",
];

/// The defaults of group fields this lab only stores.
pub(super) fn group_defaults() -> Map<String, Value> {
    let fields = json!({
        "allow_image_generation": false, "image_rate_independent": false,
        "image_rate_multiplier": 1.0, "image_price_1k": null, "image_price_2k": null,
        "image_price_4k": null, "claude_code_only": false, "fallback_group_id": null,
        "fallback_group_id_on_invalid_request": null, "model_routing": {},
        "model_routing_enabled": false, "mcp_xml_inject": true, "supported_model_scopes": null,
        "allow_messages_dispatch": false, "default_mapped_model": "",
        "messages_dispatch_model_config": {}, "require_oauth_only": false,
        "require_privacy_set": false, "rpm_limit": 0,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Fields of a group that only the group routes of admins show.
const ADMIN_ONLY: [&str; 10] = [
    "model_routing",
    "model_routing_enabled",
    "mcp_xml_inject",
    "supported_model_scopes",
    "default_mapped_model",
    "messages_dispatch_model_config",
    "sort_order",
    "account_count",
    "active_account_count",
    "rate_limited_account_count",
];

/// A group as part of another row, and as its users see it.
pub(super) fn plain_group(state: &State, row: &Group) -> Value {
    let mut view = group(state, row);
    if let Value::Object(fields) = &mut view {
        fields.retain(|name, _| !ADMIN_ONLY.contains(&name.as_str()));
    }
    view
}

/// A group as its create answer shows it: what was not given is not there yet.
pub(super) fn new_group(state: &State, row: &Group) -> Value {
    let mut view = group(state, row);
    if !row.more.contains_key("model_routing") {
        view["model_routing"] = Value::Null;
    }
    view
}

/// A group as admins see it.
pub(super) fn group(state: &State, group: &Group) -> Value {
    let mut view = group_defaults();
    view.extend(group.more.clone());
    let mut view = Value::Object(view);
    set(&mut view, "id", group.id);
    set(&mut view, "name", group.name.as_str());
    set(&mut view, "description", group.description.as_str());
    set(&mut view, "platform", group.platform.as_str());
    set(&mut view, "rate_multiplier", group.rate_multiplier);
    set(&mut view, "is_exclusive", group.is_exclusive);
    set(
        &mut view,
        "subscription_type",
        group.subscription_type.as_str(),
    );
    set(&mut view, "daily_limit_usd", group.limits[0]);
    set(&mut view, "weekly_limit_usd", group.limits[1]);
    set(&mut view, "monthly_limit_usd", group.limits[2]);
    set(&mut view, "status", group.status.as_str());
    set(&mut view, "sort_order", group.sort_order);
    set(&mut view, "created_at", group.created_at.to_string());
    set(&mut view, "updated_at", group.updated_at.to_string());
    let now = state.now();
    let bound: Vec<&Account> = state
        .account_groups
        .keys()
        .filter(|(_, at)| *at == group.id)
        .filter_map(|(account, _)| state.account(*account))
        .collect();
    let limited = |account: &&&Account| account.rate_limit_reset_at.is_some_and(|at| at > now);
    let active = |account: &&&Account| account.status == "active" && account.schedulable;
    // Counts are absent when zero.
    for (name, count) in [
        ("account_count", bound.len()),
        ("active_account_count", bound.iter().filter(active).count()),
        (
            "rate_limited_account_count",
            bound.iter().filter(limited).count(),
        ),
    ] {
        if count > 0 {
            set(&mut view, name, count);
        }
    }
    view
}

/// A channel. Its times are local ones with a `Z` that lies.
pub(super) fn channel(channel: &Channel) -> Value {
    let mut view = json!({
        "features_config": {}, "apply_pricing_to_account_stats": false,
        "account_stats_pricing_rules": [],
    });
    for (name, value) in &channel.more {
        set(&mut view, name, value.clone());
    }
    set(&mut view, "id", channel.id);
    set(&mut view, "name", channel.name.as_str());
    set(&mut view, "description", channel.description.as_str());
    set(&mut view, "features", channel.features.as_str());
    set(&mut view, "status", channel.status.as_str());
    set(&mut view, "group_ids", channel.group_ids.clone());
    set(&mut view, "model_pricing", channel.model_pricing.clone());
    set(&mut view, "model_mapping", channel.model_mapping.clone());
    set(
        &mut view,
        "billing_model_source",
        channel.billing_model_source.as_str(),
    );
    set(&mut view, "restrict_models", channel.restrict_models);
    set(&mut view, "created_at", false_zulu(channel.created_at));
    set(&mut view, "updated_at", false_zulu(channel.updated_at));
    view
}

fn false_zulu(at: Timestamp) -> String {
    let local = at + SignedDuration::from_hours(8);
    local.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An account with its secrets taken out.
pub(super) fn account(state: &State, account: &Account) -> Value {
    let mut view = bare_account(account);
    let groups = state.groups_of(account.id);
    let rows: Vec<Value> = groups
        .iter()
        .filter_map(|id| state.group(*id))
        .map(|row| plain_group(state, row))
        .collect();
    let links: Vec<Value> = groups
        .iter()
        .zip(1..)
        .map(|(id, priority)| {
            let since = state.account_groups.get(&(account.id, *id)).copied();
            let mut link = json!({ "account_id": account.id, "group_id": id,
                "priority": priority, "created_at": time(since) });
            if let Some(row) = state.group(*id) {
                set(&mut link, "group", plain_group(state, row));
            }
            link
        })
        .collect();
    if !groups.is_empty() {
        set(&mut view, "account_groups", links);
        set(&mut view, "group_ids", groups);
        // A dead group is still an id, and no row any more.
        if !rows.is_empty() {
            set(&mut view, "groups", rows);
        }
    }
    view
}

/// An account as its create answer shows it: no group in it.
pub(super) fn bare_account(account: &Account) -> Value {
    let mut credentials = account.credentials.clone();
    let mut status = Map::new();
    for name in SECRET_KEYS {
        if let Some(value) = credentials.remove(name) {
            let there = value.as_str().is_some_and(|text| !text.is_empty());
            status.insert(format!("has_{name}"), json!(there));
        }
    }
    let mut view = json!({
        "id": account.id, "name": account.name, "notes": account.notes,
        "platform": account.platform, "type": account.kind, "credentials": credentials,
        "extra": account.extra, "proxy_id": account.proxy_id,
        "concurrency": account.concurrency, "priority": account.priority,
        "rate_multiplier": account.rate_multiplier, "status": account.status,
        "error_message": account.error_message,
        "last_used_at": time(account.last_used_at),
        "expires_at": account.expires_at.map(Timestamp::as_second),
        "auto_pause_on_expired": account.auto_pause_on_expired,
        "created_at": account.created_at.to_string(),
        "updated_at": account.updated_at.to_string(), "schedulable": account.schedulable,
        "rate_limited_at": time(account.rate_limited_at),
        "rate_limit_reset_at": time(account.rate_limit_reset_at),
        "overload_until": time(account.overload_until),
        "temp_unschedulable_until": time(account.temp_unschedulable_until),
        "temp_unschedulable_reason": account.temp_unschedulable_reason,
        "session_window_start": null, "session_window_end": null,
        "session_window_status": "", "current_concurrency": 0,
    });
    if !status.is_empty() {
        set(&mut view, "credentials_status", status);
    }
    if let Some(factor) = account.load_factor {
        set(&mut view, "load_factor", factor);
    }
    view
}

/// A user as part of another row, and as they see themselves.
pub(super) fn plain_user(user: &User) -> Value {
    let allowed = if user.allowed_groups.is_empty() {
        Value::Null
    } else {
        json!(user.allowed_groups)
    };
    let mut view = json!({
        "id": user.id, "email": user.email, "username": user.username, "role": user.role,
        "balance": user.balance, "concurrency": user.concurrency, "status": user.status,
        "allowed_groups": allowed, "created_at": user.created_at.to_string(),
        "updated_at": user.updated_at.to_string(), "balance_notify_enabled": true,
        "balance_notify_threshold_type": "fixed", "balance_notify_threshold": null,
        "balance_notify_extra_emails": null, "total_recharged": 0.0,
        "rpm_limit": user.rpm_limit,
    });
    if let Some(at) = user.last_active_at {
        set(&mut view, "last_active_at", at.to_string());
    }
    view
}

/// A user as admins see it.
pub(super) fn user(user: &User) -> Value {
    let mut view = plain_user(user);
    set(&mut view, "notes", user.notes.as_str());
    set(&mut view, "last_used_at", time(user.last_used_at));
    if !user.group_rates.is_empty() {
        let rates = user.group_rates.iter();
        let rates: Map<String, Value> = rates
            .map(|(id, rate)| (id.to_string(), json!(rate)))
            .collect();
        set(&mut view, "group_rates", rates);
    }
    view
}

/// A user as its create answer shows it: before the table filled its defaults in.
pub(super) fn new_user(row: &User, allowed: &Value) -> Value {
    let mut view = user(row);
    set(&mut view, "allowed_groups", allowed.clone());
    set(&mut view, "balance_notify_enabled", false);
    set(&mut view, "balance_notify_threshold_type", "");
    view
}

/// A key, always in clear, with its group.
pub(super) fn key(state: &State, key: &ApiKey) -> Value {
    let mut view = bare_key(key);
    if let Some(row) = key.group_id.and_then(|id| state.group(id)) {
        set(&mut view, "group", plain_group(state, row));
    }
    view
}

/// A key as its create answer shows it.
pub(super) fn bare_key(key: &ApiKey) -> Value {
    let list = |list: &[String]| match list {
        [] => Value::Null,
        list => json!(list),
    };
    json!({
        "id": key.id, "user_id": key.user_id, "key": key.key, "name": key.name,
        "group_id": key.group_id, "status": key.status, "ip_whitelist": list(&key.ip_whitelist),
        "ip_blacklist": list(&key.ip_blacklist), "last_used_at": time(key.last_used_at),
        "quota": key.quota, "quota_used": key.quota_used, "expires_at": time(key.expires_at),
        "created_at": key.created_at.to_string(), "updated_at": key.updated_at.to_string(),
        "rate_limit_5h": key.rate_limits[0], "rate_limit_1d": key.rate_limits[1],
        "rate_limit_7d": key.rate_limits[2], "usage_5h": 0.0, "usage_1d": 0.0, "usage_7d": 0.0,
        "window_5h_start": null, "window_1d_start": null, "window_7d_start": null,
    })
}

pub(super) fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

pub(super) fn set(view: &mut Value, name: &str, value: impl Into<Value>) {
    view[name] = value.into();
}
