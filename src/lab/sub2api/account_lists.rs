//! Reading accounts: the list with its odd status filter, models, cooldowns, figures.

use super::model::Account;
use super::ops::{available, later};
use super::reply::{Answer, Content, Reply, page_of, paged, search};
use super::req::{Req, id};
use super::state::State;
use super::views;
use cockpit_domain::secret::sha256_hex;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Whether an account passes the list's filters; shared with bulk-update.
pub(super) fn passes(
    state: &State,
    row: &Account,
    filter: impl Fn(&str) -> Option<String>,
) -> bool {
    let equal = |name: &str, value: &str| filter(name).is_none_or(|wanted| wanted == value);
    let text = |value: Option<String>| value.filter(|value| !value.is_empty());
    row.deleted_at.is_none()
        && equal("platform", &row.platform)
        && equal("type", &row.kind)
        && text(filter("status")).is_none_or(|status| status_passes(state, row, &status))
        && text(filter("group")).is_none_or(|group| match group.parse::<i64>() {
            Ok(group) => state.account_groups.contains_key(&(row.id, group)),
            Err(_) => group != "ungrouped" || state.groups_of(row.id).is_empty(),
        })
        && text(filter("privacy_mode"))
            .is_none_or(|mode| row.extra.get("privacy_mode") == Some(&json!(mode)))
}

/// `active` demands more than the column; three words are computed; the rest is the column.
fn status_passes(state: &State, row: &Account, status: &str) -> bool {
    let now = state.now();
    let limited = later(row.rate_limit_reset_at, now);
    let paused = later(row.temp_unschedulable_until, now);
    let column = row.status == "active";
    match status {
        "active" => column && row.schedulable && !limited && !paused,
        "rate_limited" => column && limited && !paused,
        "temp_unschedulable" => column && paused,
        "unschedulable" => column && !row.schedulable && !limited && !paused,
        other => row.status == other,
    }
}

pub(super) fn list(state: &State, req: &Req) -> Reply {
    let wanted = search(req);
    let filter = |name: &str| req.filter(name).map(str::to_owned);
    let rows = state.accounts.values().filter(|row| {
        passes(state, row, filter)
            && wanted
                .as_ref()
                .is_none_or(|text| row.name.to_lowercase().contains(text))
    });
    let mut reply = if req.filter("sort_by").is_none() && req.filter("sort_order").is_none() {
        // What most callers ask for, on hosts with thousands of accounts.
        let mut rows: Vec<&Account> = rows.collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
        page_of(rows, req, |row| views::account(state, row))
    } else {
        let rows = rows.map(|row| views::account(state, row)).collect();
        paged(rows, req, "name", "asc")
    };
    let Content::Json(body) = &reply.content else {
        return reply;
    };
    let tag = format!("\"{}\"", &sha256_hex(&body.to_string())[..32]);
    if req.header("if-none-match") == Some(tag.as_str()) {
        return Reply::raw(304, "application/json", "");
    }
    reply.headers.push(("etag", tag));
    reply
}

pub(super) fn get(state: &State, text: &str) -> Answer {
    let row = living(state, text)?;
    Ok(Reply::ok(views::account(state, row)))
}

/// `GET /accounts/:id/models`: keys of the mapping, or the platform's own list without one.
pub(super) fn models(state: &State, text: &str) -> Answer {
    let row = living(state, text)?;
    let mapping = row
        .credentials
        .get("model_mapping")
        .and_then(Value::as_object);
    let rows: Vec<Value> = match mapping.filter(|pairs| !pairs.is_empty()) {
        Some(pairs) => pairs
            .keys()
            .map(|name| model_row(&row.platform, name))
            .collect(),
        None => default_models(&row.platform)
            .iter()
            .map(|name| default_row(&row.platform, name))
            .collect(),
    };
    Ok(Reply::ok(rows.into()))
}

/// What the host's own list says of an openai model: when it was made, and its shown name.
const OPENAI: [(&str, i64, &str); 9] = [
    ("gpt-5.5", 1_776_873_600, "GPT-5.5"),
    ("gpt-5.4", 1_738_368_000, "GPT-5.4"),
    ("gpt-5.4-mini", 1_738_368_000, "GPT-5.4 Mini"),
    ("gpt-5.3-codex", 1_735_689_600, "GPT-5.3 Codex"),
    ("gpt-5.3-codex-spark", 1_735_689_600, "GPT-5.3 Codex Spark"),
    ("gpt-5.2", 1_733_875_200, "GPT-5.2"),
    ("gpt-image-1", 1_733_875_200, "GPT Image 1"),
    ("gpt-image-1.5", 1_735_689_600, "GPT Image 1.5"),
    ("gpt-image-2", 1_738_368_000, "GPT Image 2"),
];

/// One row of a list made from a mapping: nothing is known of it but its name.
pub(super) fn model_row(platform: &str, name: &str) -> Value {
    if platform == "openai" {
        return json!({ "id": name, "object": "model", "created": 0, "owned_by": "",
            "type": "model", "display_name": name });
    }
    json!({ "id": name, "type": "model", "display_name": name,
        "created_at": "2024-01-01T00:00:00Z" })
}

/// One row of the platform's own list.
pub(super) fn default_row(platform: &str, name: &str) -> Value {
    let mut row = model_row(platform, name);
    let known = OPENAI.iter().find(|(known, ..)| *known == name);
    if let Some((_, created, shown)) = known.filter(|_| platform == "openai") {
        row["created"] = json!(created);
        row["owned_by"] = json!("openai");
        row["display_name"] = json!(shown);
    }
    row
}

/// The list a platform shows when no account says otherwise.
pub(super) fn default_models(platform: &str) -> Vec<String> {
    if platform == "openai" {
        return OPENAI.iter().map(|(name, ..)| (*name).to_owned()).collect();
    }
    [
        "claude-opus-4-5-20251101",
        "claude-sonnet-4-5-20250929",
        "claude-haiku-4-5-20251001",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// `GET /accounts/:id/temp-unschedulable`.
pub(super) fn cooldown(state: &State, text: &str) -> Answer {
    let row = living(state, text)?;
    if !later(row.temp_unschedulable_until, state.now()) {
        return Ok(Reply::ok(json!({ "active": false })));
    }
    let reason = row.temp_unschedulable_reason.as_str();
    // A reason that is no JSON is shown as the message of an otherwise empty state.
    let known: Value = serde_json::from_str(reason).unwrap_or_else(|_| {
        json!({
            "until_unix": row.temp_unschedulable_until.map(Timestamp::as_second),
            "triggered_at_unix": 0, "status_code": 0, "matched_keyword": "", "rule_index": 0,
            "error_message": reason,
        })
    });
    Ok(Reply::ok(json!({ "active": true, "state": known })))
}

/// `GET /accounts/:id/stats`, `/usage` and `/today-stats`, from the usage rows.
pub(super) fn figures(state: &State, text: &str) -> Answer {
    let row = living(state, text)?;
    let rows: Vec<_> = state
        .usage
        .iter()
        .filter(|usage| usage.account_id == row.id)
        .collect();
    let tokens: i64 = rows
        .iter()
        .map(|usage| usage.input_tokens + usage.output_tokens)
        .sum();
    let cost: f64 = rows.iter().map(|usage| usage.actual_cost).sum();
    Ok(Reply::ok(
        json!({ "requests": rows.len(), "tokens": tokens, "cost": cost }),
    ))
}

/// The account a path names, if it lives.
pub(super) fn living<'a>(state: &'a State, text: &str) -> Result<&'a Account, Reply> {
    let at = id(text, "account")?;
    state.account(at).ok_or_else(|| Reply::missing("ACCOUNT"))
}

/// `lite=1` would skip this: whether the scheduler could choose the account now.
pub(super) fn schedulable_now(state: &State, row: &Account) -> bool {
    available(row, state.now()) && !over_quota(row)
}

/// Quota limits live in `extra` and only count for some types.
fn over_quota(row: &Account) -> bool {
    let number = |name: &str| {
        row.extra
            .get(name)
            .and_then(Value::as_f64)
            .unwrap_or_default()
    };
    ["quota", "quota_daily", "quota_weekly"].iter().any(|name| {
        let limit = number(&format!("{name}_limit"));
        limit > 0.0 && number(&format!("{name}_used")) >= limit
    })
}
