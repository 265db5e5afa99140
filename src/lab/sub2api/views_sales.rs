//! Rows about time and money as the API shows them: subscriptions, plans, billed requests.

use super::model_sales::{Plan, Subscription, UsageRow};
use super::state::State;
use super::views::{bare_key, plain_group, plain_user, set, time};
use serde_json::{Value, json};

/// A subscription with its user and group, and who assigned it.
pub(super) fn subscription(state: &State, row: &Subscription) -> Value {
    let mut view = own_subscription(state, row);
    if let Some(owner) = state.user(row.user_id) {
        set(&mut view, "user", plain_user(owner));
    }
    if let Some(admin) = state.user(row.assigned_by) {
        set(&mut view, "assigned_by_user", plain_user(admin));
    }
    view
}

/// A subscription with its group and its assignment.
pub(super) fn own_subscription(state: &State, row: &Subscription) -> Value {
    let mut view = used_subscription(state, row);
    set(&mut view, "assigned_by", row.assigned_by);
    set(&mut view, "assigned_at", row.created_at.to_string());
    set(&mut view, "notes", row.notes.as_str());
    view
}

/// A subscription with its group.
pub(super) fn used_subscription(state: &State, row: &Subscription) -> Value {
    let mut view = bare_subscription(state, row);
    if let Some(at) = state.group(row.group_id) {
        set(&mut view, "group", plain_group(state, at));
    }
    view
}

/// A subscription alone.
pub(super) fn bare_subscription(state: &State, row: &Subscription) -> Value {
    let windows: Vec<Option<String>> = row.windows.iter().map(|at| time(*at)).collect();
    json!({
        "id": row.id, "user_id": row.user_id, "group_id": row.group_id,
        "starts_at": row.starts_at.to_string(), "expires_at": row.expires_at.to_string(),
        "status": row.status_at(state.now()), "daily_window_start": windows[0],
        "weekly_window_start": windows[1], "monthly_window_start": windows[2],
        "daily_usage_usd": row.usage[0], "weekly_usage_usd": row.usage[1],
        "monthly_usage_usd": row.usage[2], "created_at": row.created_at.to_string(),
        "updated_at": row.updated_at.to_string(),
    })
}

/// A plan as the ORM prints it: zero values are left out.
pub(super) fn plan(plan: &Plan) -> Value {
    let all = json!({
        "id": plan.id, "group_id": plan.group_id, "name": plan.name,
        "description": plan.description, "price": plan.price,
        "original_price": plan.original_price, "validity_days": plan.validity_days,
        "validity_unit": plan.validity_unit, "features": plan.features,
        "product_name": plan.product_name, "for_sale": plan.for_sale,
        "sort_order": plan.sort_order, "created_at": plan.created_at.to_string(),
        "updated_at": plan.updated_at.to_string(),
    });
    let Value::Object(fields) = all else {
        return all;
    };
    let zero = |value: &Value| match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    };
    Value::Object(
        fields
            .into_iter()
            .filter(|(_, value)| !zero(value))
            .collect(),
    )
}

/// A billed request; the admin sees a little more.
pub(super) fn usage(state: &State, row: &UsageRow, for_admin: bool) -> Value {
    let mut view = json!({
        "id": row.id, "user_id": row.user_id, "api_key_id": row.api_key_id,
        "account_id": row.account_id, "request_id": row.request_id, "model": row.model,
        "group_id": row.group_id, "subscription_id": row.subscription_id,
        "input_tokens": row.input_tokens, "output_tokens": row.output_tokens,
        "cache_creation_tokens": 0, "cache_read_tokens": 0, "cache_creation_5m_tokens": 0,
        "cache_creation_1h_tokens": 0, "cache_creation_cost": 0, "cache_read_cost": 0,
        "cache_ttl_overridden": false, "input_cost": row.actual_cost, "output_cost": 0,
        "total_cost": row.actual_cost, "actual_cost": row.actual_cost,
        "rate_multiplier": row.rate_multiplier, "billing_mode": "token", "billing_type": 0,
        "request_type": if row.stream { "stream" } else { "sync" }, "openai_ws_mode": false,
        "stream": row.stream, "duration_ms": row.duration_ms,
        "first_token_ms": row.first_token_ms, "user_agent": null, "media_type": null,
        "image_count": 0, "image_size": null, "image_size_source": null,
        "image_size_breakdown": null, "image_input_size": null, "image_output_size": null,
        "inbound_endpoint": row.inbound_endpoint, "upstream_endpoint": row.upstream_endpoint,
        "created_at": row.created_at.to_string(),
    });
    if row.subscription_id.is_some() {
        set(&mut view, "billing_type", 1);
    }
    if let Some(owner) = state.users.get(&row.user_id) {
        set(&mut view, "user", plain_user(owner));
    }
    if let Some(key) = state.keys.get(&row.api_key_id) {
        set(&mut view, "api_key", bare_key(key));
    }
    if let Some(at) = state.groups.get(&row.group_id) {
        set(&mut view, "group", plain_group(state, at));
    }
    if let Some(at) = row
        .subscription_id
        .and_then(|id| state.subscriptions.get(&id))
    {
        set(&mut view, "subscription", bare_subscription(state, at));
    }
    if for_admin {
        if row.upstream_model != row.model {
            set(&mut view, "upstream_model", row.upstream_model.as_str());
        }
        if let Some(channel) = row.channel_id {
            set(&mut view, "channel_id", channel);
        }
        if let Some(chain) = &row.mapping_chain {
            set(&mut view, "model_mapping_chain", chain.as_str());
        }
        if let Some(account) = state.accounts.get(&row.account_id) {
            let short = json!({ "id": account.id, "name": account.name });
            set(&mut view, "account", short);
            set(
                &mut view,
                "account_rate_multiplier",
                account.rate_multiplier,
            );
        }
        set(&mut view, "ip_address", "127.0.0.1");
    }
    view
}
