//! Operations: availability, the error list with its hiding default, and figures that are mocks.

use super::model::Account;
use super::model_sales::OpsError;
use super::reply::{Reply, paged};
use super::req::Req;
use super::state::State;
use super::views::time;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// `GET /ops/account-availability`.
pub(super) fn availability(state: &State, req: &Req) -> Reply {
    let now = state.now();
    let group = req
        .filter("group_id")
        .and_then(|text| text.parse::<i64>().ok());
    let accounts: Vec<&Account> = state
        .accounts
        .values()
        .filter(|row| {
            row.deleted_at.is_none()
                && req
                    .filter("platform")
                    .is_none_or(|platform| row.platform == platform)
                && group.is_none_or(|group| state.account_groups.contains_key(&(row.id, group)))
        })
        .collect();
    let mut by_platform = Map::new();
    let mut by_group = Map::new();
    let mut by_account = Map::new();
    for row in &accounts {
        tally(
            &mut by_platform,
            &row.platform,
            json!({ "platform": row.platform }),
            row,
            now,
        );
        let groups = state.groups_of(row.id);
        for at in &groups {
            let Some(group) = state.group(*at) else {
                continue;
            };
            let head =
                json!({ "group_id": at, "group_name": group.name, "platform": group.platform });
            tally(&mut by_group, &at.to_string(), head, row, now);
        }
        let first = groups.first().and_then(|id| state.group(*id));
        by_account.insert(
            row.id.to_string(),
            account_view(row, first.map(|group| (group.id, group.name.clone())), now),
        );
    }
    Reply::ok(json!({
        "enabled": true, "platform": by_platform, "group": by_group, "account": by_account,
        "timestamp": now.to_string(),
    }))
}

fn tally(into: &mut Map<String, Value>, key: &str, head: Value, row: &Account, now: Timestamp) {
    let slot = into.entry(key.to_owned()).or_insert_with(|| {
        let mut slot = head;
        for name in [
            "total_accounts",
            "available_count",
            "rate_limit_count",
            "error_count",
        ] {
            slot[name] = json!(0);
        }
        slot
    });
    let mut count = |name: &str, hit: bool| {
        let old = slot[name].as_i64().unwrap_or_default();
        slot[name] = json!(old + i64::from(hit));
    };
    count("total_accounts", true);
    count("available_count", available(row, now));
    count("rate_limit_count", later(row.rate_limit_reset_at, now));
    count("error_count", row.status == "error");
}

fn account_view(row: &Account, group: Option<(i64, String)>, now: Timestamp) -> Value {
    let left = |at: Option<Timestamp>| {
        at.filter(|at| *at > now)
            .map(|at| at.duration_since(now).as_secs())
    };
    let (group_id, group_name) = group.unwrap_or_default();
    let mut view = json!({
        "account_id": row.id, "account_name": row.name, "platform": row.platform,
        "group_id": group_id, "group_name": group_name, "status": row.status,
        "is_available": available(row, now),
        "is_rate_limited": later(row.rate_limit_reset_at, now),
        "is_overloaded": later(row.overload_until, now), "has_error": row.status == "error",
        "rate_limit_reset_at": time(row.rate_limit_reset_at),
        "rate_limit_remaining_sec": left(row.rate_limit_reset_at),
        "overload_until": time(row.overload_until),
        "overload_remaining_sec": left(row.overload_until), "error_message": row.error_message,
    });
    if let Some(until) = row.temp_unschedulable_until {
        view["temp_unschedulable_until"] = json!(until.to_string());
    }
    view
}

/// A time that has not come yet.
pub(super) fn later(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at > now)
}

/// The scheduler's own predicate, binding and quota apart.
pub(super) fn available(row: &Account, now: Timestamp) -> bool {
    row.deleted_at.is_none()
        && row.status == "active"
        && row.schedulable
        && !(row.auto_pause_on_expired && row.expires_at.is_some_and(|at| at <= now))
        && !later(row.rate_limit_reset_at, now)
        && !later(row.overload_until, now)
        && !later(row.temp_unschedulable_until, now)
}

/// `GET /ops/errors`: business-limited rows are hidden unless asked for.
pub(super) fn errors(state: &State, req: &Req) -> Reply {
    let view = req.filter("view").unwrap_or("errors");
    let rows = state.ops_errors.iter().filter(|row| match view {
        "all" => true,
        "excluded" => row.business_limited,
        _ => !row.business_limited,
    });
    let number = |name: &str| req.filter(name).and_then(|text| text.parse::<i64>().ok());
    let (group, account) = (number("group_id"), number("account_id"));
    let rows = rows.filter(|row| {
        group.is_none_or(|group| row.group_id == Some(group))
            && account.is_none_or(|account| row.account_id == Some(account))
            && req.filter("phase").is_none_or(|phase| row.phase == phase)
    });
    let rows = rows.map(|row| error_view(state, row));
    paged(rows.collect(), req, "id", "desc")
}

fn error_view(state: &State, row: &OpsError) -> Value {
    let key = state.keys.get(&row.api_key_id);
    let owner = key.and_then(|key| state.users.get(&key.user_id));
    let group = row.group_id.and_then(|id| state.groups.get(&id));
    let account = row.account_id.and_then(|id| state.accounts.get(&id));
    let platform = group.map_or("", |group| group.platform.as_str());
    let (who, source) = match row.phase.as_str() {
        "upstream" => ("provider", "upstream_http"),
        _ => ("platform", "gateway"),
    };
    let asked = if platform == "openai" {
        "/v1/responses"
    } else {
        "/v1/messages"
    };
    json!({
        "id": row.id, "created_at": row.at.to_string(), "phase": row.phase, "type": row.kind,
        "error_owner": who, "error_source": source, "severity": "P1",
        "status_code": row.status_code, "platform": platform, "model": row.model,
        "requested_model": row.model, "upstream_model": "", "message": row.message,
        "user_id": owner.map(|user| user.id), "user_email": owner.map(|user| user.email.as_str()),
        "api_key_id": row.api_key_id, "account_id": row.account_id,
        "account_name": account.map_or("", |row| row.name.as_str()), "group_id": row.group_id,
        "group_name": group.map_or("", |row| row.name.as_str()), "client_ip": "127.0.0.1",
        "request_id": format!("request-{}", row.id), "client_request_id": format!("client-{}", row.id),
        "request_path": row.inbound_endpoint, "inbound_endpoint": row.inbound_endpoint,
        "upstream_endpoint": asked, "request_type": 1 + i32::from(row.stream),
        "stream": row.stream, "resolved": false, "resolved_at": null,
        "resolved_by_user_id": null, "resolved_by_user_name": "",
    })
}

/// `GET /dashboard/stats`, the figures that are real.
pub(super) fn dashboard(state: &State) -> Reply {
    let now = state.now();
    let living = || {
        state
            .accounts
            .values()
            .filter(|row| row.deleted_at.is_none())
    };
    Reply::ok(json!({
        "total_users": state.users.values().filter(|row| row.deleted_at.is_none()).count(),
        "total_api_keys": state.keys.values().filter(|row| row.deleted_at.is_none()).count(),
        "total_accounts": living().count(),
        "normal_accounts": living().filter(|row| available(row, now)).count(),
        "error_accounts": living().filter(|row| row.status == "error").count(),
        "ratelimit_accounts": living().filter(|row| later(row.rate_limit_reset_at, now)).count(),
        "overload_accounts": living().filter(|row| later(row.overload_until, now)).count(),
        "total_requests": state.usage.len(), "stats_updated_at": now.to_string(),
        "stats_stale": false,
    }))
}

/// `GET /dashboard/realtime`: zeros that look real.
pub(super) fn mock_realtime() -> Reply {
    Reply::ok(json!({
        "active_requests": 0, "requests_per_minute": 0, "average_response_time": 0,
        "error_rate": 0.0,
    }))
}
