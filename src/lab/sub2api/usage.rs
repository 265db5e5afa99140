//! Billed requests: the lists, and the booking of a new one.

use super::model_sales::UsageRow;
use super::reply::{Reply, paged};
use super::req::Req;
use super::state::State;
use super::views_sales;
use jiff::Timestamp;
use serde_json::{Value, json};

/// USD a token, before the group's multiplier. Small, so that drills never run out of balance.
const PRICE: f64 = 0.000_001;

/// The usage list, newest first; with a user only their rows.
pub(super) fn page(state: &State, req: &Req, user: Option<i64>) -> Reply {
    let number = |name: &str| req.filter(name).and_then(|text| text.parse::<i64>().ok());
    let user_wanted = user.or_else(|| number("user_id"));
    let (key, account, group) = (
        number("api_key_id"),
        number("account_id"),
        number("group_id"),
    );
    let rows = state.usage.iter().filter(|row| {
        user_wanted.is_none_or(|user| row.user_id == user)
            && key.is_none_or(|key| row.api_key_id == key)
            && account.is_none_or(|account| user.is_some() || row.account_id == account)
            && group.is_none_or(|group| row.group_id == group)
            && req.filter("model").is_none_or(|model| row.model == model)
            && req
                .filter("stream")
                .is_none_or(|stream| row.stream.to_string() == stream)
            && in_days(row, req)
    });
    let rows = rows
        .map(|row| views_sales::usage(state, row, user.is_none()))
        .collect();
    paged(rows, req, "id", "desc")
}

/// `start_date` and `end_date` are days, compared as text; both ends belong to the range.
fn in_days(row: &UsageRow, req: &Req) -> bool {
    let day = row.created_at.strftime("%Y-%m-%d").to_string();
    req.filter("start_date")
        .is_none_or(|from| day.as_str() >= from)
        && req.filter("end_date").is_none_or(|to| day.as_str() <= to)
}

/// `GET /usage/search-api-keys`.
pub(super) fn search_keys(state: &State, req: &Req) -> Reply {
    let user = req
        .filter("user_id")
        .and_then(|text| text.parse::<i64>().ok());
    let wanted = req.filter("q").unwrap_or_default().to_lowercase();
    let rows = state.keys.values().filter(|row| {
        row.deleted_at.is_none()
            && user.is_none_or(|user| row.user_id == user)
            && row.name.to_lowercase().contains(&wanted)
    });
    let rows = rows.map(|row| json!({ "id": row.id, "name": row.name, "user_id": row.user_id }));
    Reply::ok(rows.take(30).collect())
}

/// Books a served request: the row, the money, the times of last use.
pub(super) fn book(state: &mut State, row: UsageRow) {
    let mut row = row;
    row.id = state.take_id("usage", 0);
    let now = state.now();
    row.created_at = now;
    let tokens = i32::try_from(row.input_tokens + row.output_tokens).unwrap_or(i32::MAX);
    row.actual_cost = f64::from(tokens) * PRICE * row.rate_multiplier;
    if let Some(account) = state.accounts.get_mut(&row.account_id) {
        account.last_used_at = Some(now);
    }
    if let Some(key) = state.keys.get_mut(&row.api_key_id) {
        key.last_used_at = Some(now);
        if key.quota > 0.0 {
            key.quota_used += row.actual_cost;
            if key.quota_used >= key.quota {
                "quota_exhausted".clone_into(&mut key.status);
            }
        }
    }
    if let Some(at) = row
        .subscription_id
        .and_then(|id| state.subscriptions.get_mut(&id))
    {
        for (window, begun) in at.usage.iter_mut().zip(&mut at.windows) {
            *window += row.actual_cost;
            // Windows begin with the day.
            let day = now.as_second().div_euclid(86_400) * 86_400;
            *begun = begun.or(Timestamp::from_second(day).ok());
        }
    } else if let Some(user) = state.users.get_mut(&row.user_id) {
        user.balance -= row.actual_cost;
    }
    if let Some(user) = state.users.get_mut(&row.user_id) {
        user.last_used_at = Some(now);
    }
    state.usage.push(row);
}

/// Token counts of a chat, responses or messages answer.
pub(super) fn tokens(usage: &Value) -> (i64, i64) {
    let read = |names: [&str; 2]| {
        let mut found = names.iter().filter_map(|name| usage[*name].as_i64());
        found.next().unwrap_or_default()
    };
    (
        read(["prompt_tokens", "input_tokens"]),
        read(["completion_tokens", "output_tokens"]),
    )
}
