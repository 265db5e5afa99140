//! The ladder a key climbs before any handler sees the request, in the host's order.

use crate::sub2api::model::{ApiKey, Group};
use crate::sub2api::reply::Reply;
use crate::sub2api::req::Req;
use crate::sub2api::state::State;
use jiff::SignedDuration;
use serde_json::json;
use std::net::Ipv4Addr;

/// Who calls, after the ladder.
pub(super) struct Caller {
    pub(super) key: ApiKey,
    pub(super) group: Group,
    pub(super) subscription: Option<i64>,
}

/// Climbs the ladder.
pub(super) fn admit(state: &mut State, req: &Req) -> Result<Caller, Reply> {
    if req.query("key").is_some() || req.query("api_key").is_some() {
        let text =
            "API key in query parameter is deprecated. Please use Authorization header instead.";
        return Err(Reply::layer(400, "api_key_in_query_deprecated", text));
    }
    let presented = [
        req.bearer(),
        req.header("x-api-key"),
        req.header("x-goog-api-key"),
    ];
    let mut presented = presented
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty());
    let Some(text) = presented.next() else {
        let text = "API key is required in Authorization header (Bearer scheme), x-api-key header, or x-goog-api-key header";
        return Err(Reply::layer(401, "API_KEY_REQUIRED", text));
    };
    let key = known(state, text)?;
    if !matches!(
        key.status.as_str(),
        "active" | "expired" | "quota_exhausted"
    ) {
        return Err(Reply::layer(401, "API_KEY_DISABLED", "API key is disabled"));
    }
    let listed = |list: &[String]| list.iter().any(|pattern| is_loopback(pattern));
    if listed(&key.ip_blacklist) || !key.ip_whitelist.is_empty() && !listed(&key.ip_whitelist) {
        return Err(Reply::layer(403, "ACCESS_DENIED", "Access denied"));
    }
    let Some(user) = state.user(key.user_id) else {
        return Err(Reply::layer(401, "USER_NOT_FOUND", "User not found"));
    };
    if user.status != "active" {
        let text = "User account is not active";
        return Err(Reply::layer(401, "USER_INACTIVE", text));
    }
    let group = group_of(state, &key)?;
    let subscription = pay(state, &key, group.as_ref())?;
    let Some(group) = group else {
        let text = "API Key is not assigned to any group and cannot be used. Please contact the administrator to assign it to a group.";
        let error = json!({ "type": "permission_error", "message": text });
        return Err(Reply::json(403, json!({ "type": "error", "error": error })));
    };
    Ok(Caller {
        key,
        group,
        subscription,
    })
}

/// The living key of a living owner. A miss is remembered, and outlives the key's creation.
fn known(state: &mut State, text: &str) -> Result<ApiKey, Reply> {
    let invalid = || Reply::layer(401, "INVALID_API_KEY", "Invalid API key");
    let now = state.now();
    if state
        .negative_keys
        .get(text)
        .is_some_and(|until| *until > now)
    {
        return Err(invalid());
    }
    let found = state.keys.values().find(|row| {
        row.key == text && row.deleted_at.is_none() && state.user(row.user_id).is_some()
    });
    if let Some(key) = found {
        return Ok(key.clone());
    }
    let ttl = SignedDuration::try_from(state.settings.negative_key_ttl).unwrap_or_default();
    state.negative_keys.insert(text.to_owned(), now + ttl);
    Err(invalid())
}

fn group_of(state: &State, key: &ApiKey) -> Result<Option<Group>, Reply> {
    let Some(id) = key.group_id else {
        return Ok(None);
    };
    let Some(group) = state.group(id) else {
        let text = "API Key 所属分组已删除";
        return Err(Reply::layer(403, "GROUP_DELETED", text));
    };
    if group.status != "active" {
        let text = "API Key 所属分组已停用";
        return Err(Reply::layer(403, "GROUP_DISABLED", text));
    }
    Ok(Some(group.clone()))
}

/// Subscription, then the key's own end, then limits, then balance.
fn pay(state: &State, key: &ApiKey, group: Option<&Group>) -> Result<Option<i64>, Reply> {
    let by_subscription = group.filter(|group| group.subscription_type == "subscription");
    let subscription = match by_subscription {
        None => None,
        Some(group) => {
            let row = state.active_subscription(key.user_id, group.id);
            Some(row.ok_or_else(|| {
                let text = "No active subscription found for this group";
                Reply::layer(403, "SUBSCRIPTION_NOT_FOUND", text)
            })?)
        }
    };
    let now = state.now();
    if key.status == "quota_exhausted" || key.quota > 0.0 && key.quota_used >= key.quota {
        let text = "API key 额度已用完";
        return Err(Reply::layer(429, "API_KEY_QUOTA_EXHAUSTED", text));
    }
    if key.status == "expired" || key.expires_at.is_some_and(|at| at <= now) {
        return Err(Reply::layer(403, "API_KEY_EXPIRED", "API key 已过期"));
    }
    if let (Some(row), Some(group)) = (subscription, by_subscription) {
        let names = ["DAILY", "WEEKLY", "MONTHLY"];
        for ((used, limit), name) in row.usage.iter().zip(group.limits).zip(names) {
            if limit.is_some_and(|limit| limit > 0.0 && *used >= limit) {
                let text = format!(
                    "error: code=429 reason=\"{name}_LIMIT_EXCEEDED\" message=\"usage limit exceeded\""
                );
                return Err(Reply::layer(429, "USAGE_LIMIT_EXCEEDED", &text));
            }
        }
        return Ok(Some(row.id));
    }
    // Without a group the balance is looked at first, so an empty one hides the missing group.
    if state
        .user(key.user_id)
        .is_none_or(|user| user.balance <= 0.0)
    {
        let text = "Insufficient account balance";
        return Err(Reply::layer(403, "INSUFFICIENT_BALANCE", text));
    }
    Ok(None)
}

/// Every client of the lab is 127.0.0.1.
fn is_loopback(pattern: &str) -> bool {
    let (address, width) = pattern.split_once('/').unwrap_or((pattern, "32"));
    let (Ok(address), Ok(width)) = (address.parse::<Ipv4Addr>(), width.parse::<u32>()) else {
        return false;
    };
    let mask = u32::MAX
        .checked_shl(32_u32.saturating_sub(width))
        .unwrap_or(0);
    address.to_bits() & mask == Ipv4Addr::LOCALHOST.to_bits() & mask
}
