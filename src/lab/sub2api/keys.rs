//! Keys as their owner manages them, and the groups an owner may bind.

use super::model::{ApiKey, Group};
use super::reply::{Answer, Reply, paged, search};
use super::req::{Input, Req, id};
use super::state::State;
use super::{usage, views};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

pub(super) fn list(state: &State, req: &Req, user: i64) -> Reply {
    let wanted = search(req);
    let group = req
        .filter("group_id")
        .and_then(|text| text.parse::<i64>().ok());
    let rows = state.keys.values().filter(|row| {
        row.deleted_at.is_none()
            && row.user_id == user
            && req
                .filter("status")
                .is_none_or(|status| row.status == status)
            && group.is_none_or(|group| row.group_id == Some(group))
            && wanted.as_ref().is_none_or(|text| {
                row.name.to_lowercase().contains(text) || row.key.to_lowercase().contains(text)
            })
    });
    let rows = rows.map(|row| views::key(state, row)).collect();
    paged(rows, req, "created_at", "desc")
}

pub(super) fn get(state: &State, user: i64, text: &str) -> Answer {
    let row = state.key(id(text, "key")?);
    let row = row.ok_or_else(|| Reply::missing("API_KEY"))?;
    if row.user_id != user {
        let text = "Not authorized to access this key";
        return Err(Reply::json(403, json!({ "code": 403, "message": text })));
    }
    let mut view = views::key(state, row);
    if let Some(owner) = state.user(user) {
        views::set(&mut view, "user", views::plain_user(owner));
    }
    Ok(Reply::ok(view))
}

pub(super) fn create(state: &mut State, req: &Req, user: i64) -> Answer {
    let input = req.input()?;
    let name = input.required_text("name")?;
    let (white, black) = addresses(&input)?;
    let group = input.int("group_id")?.filter(|group| *group > 0);
    if let Some(group) = group {
        may_bind(state, user, group)?;
    }
    let custom = input.text("custom_key")?.filter(|text| !text.is_empty());
    let text = match custom {
        Some(text) => {
            check_custom(state, user, &text)?;
            text
        }
        None => format!("sk-{}", state.random_hex("user key")),
    };
    let now = state.now();
    let mut key = ApiKey::new(user, &text, group);
    key.name = name;
    key.ip_whitelist = white;
    key.ip_blacklist = black;
    key.quota = input.float("quota")?.unwrap_or_default();
    if let Some(days) = input.int("expires_in_days")?.filter(|days| *days > 0) {
        key.expires_at = Some(now + SignedDuration::from_hours(24 * days.min(36_500)));
    }
    read_limits(&input, &mut key)?;
    key.created_at = now;
    key.updated_at = now;
    // The gateway forgets that it did not know this key.
    state.negative_keys.remove(&key.key);
    let at = state.add_key(key);
    let row = state.key(at).ok_or_else(Reply::internal)?;
    Ok(Reply::ok(views::bare_key(row)))
}

pub(super) fn update(state: &mut State, req: &Req, user: i64, text: &str) -> Answer {
    let mut key = own(state, user, text)?.clone();
    let input = req.input()?;
    if let Some(name) = input.text("name")?.filter(|name| !name.is_empty()) {
        key.name = name;
    }
    if let Some(group) = input.int("group_id")? {
        if group > 0 {
            may_bind(state, user, group)?;
        }
        key.group_id = Some(group).filter(|group| *group > 0);
    }
    if let Some(status) = input.one_of("status", &["active", "inactive"])? {
        key.status = status;
    }
    // Absent lists are cleared.
    (key.ip_whitelist, key.ip_blacklist) = addresses(&input)?;
    key.quota = input.float("quota")?.unwrap_or(key.quota);
    if let Some(until) = input.text("expires_at")? {
        key.expires_at = if until.is_empty() {
            None
        } else {
            let read: Result<Timestamp, _> = until.parse();
            Some(read.map_err(|_| Reply::bad_request("Invalid expires_at format"))?)
        };
    }
    if input.flag("reset_quota")?.unwrap_or_default() {
        key.quota_used = 0.0;
        if key.status == "quota_exhausted" {
            "active".clone_into(&mut key.status);
        }
    }
    read_limits(&input, &mut key)?;
    key.updated_at = state.now();
    state.keys.insert(key.id, key);
    get(state, user, text)
}

pub(super) fn delete(state: &mut State, user: i64, text: &str) -> Answer {
    let at = own(state, user, text)?.id;
    let now = state.now();
    if let Some(row) = state.keys.get_mut(&at) {
        row.deleted_at = Some(now);
    }
    Ok(Reply::message("API key deleted successfully"))
}

/// `GET /groups/available`.
pub(super) fn available_groups(state: &State, user: i64) -> Reply {
    let rows = state.groups.values().filter(|row| {
        row.deleted_at.is_none() && row.status == "active" && bindable(state, user, row)
    });
    Reply::ok(rows.map(|row| views::plain_group(state, row)).collect())
}

/// `GET /usage` of the user.
pub(super) fn own_usage(state: &State, req: &Req, user: i64) -> Reply {
    usage::page(state, req, Some(user))
}

fn own<'a>(state: &'a State, user: i64, text: &str) -> Result<&'a ApiKey, Reply> {
    let at = id(text, "key")?;
    let row = state.key(at).ok_or_else(|| Reply::missing("API_KEY"))?;
    if row.user_id != user {
        let text = "insufficient permissions";
        return Err(Reply::fail(403, "INSUFFICIENT_PERMISSIONS", text));
    }
    Ok(row)
}

fn may_bind(state: &State, user: i64, group: i64) -> Result<(), Reply> {
    let row = state.group(group).ok_or_else(|| Reply::missing("GROUP"))?;
    if !bindable(state, user, row) {
        let text = "user is not allowed to bind this group";
        return Err(Reply::fail(403, "GROUP_NOT_ALLOWED", text));
    }
    Ok(())
}

/// The group's status plays no part here.
fn bindable(state: &State, user: i64, group: &Group) -> bool {
    if group.subscription_type == "subscription" {
        return state.active_subscription(user, group.id).is_some();
    }
    !group.is_exclusive
        || state
            .user(user)
            .is_some_and(|user| user.allowed_groups.contains(&group.id))
}

fn check_custom(state: &mut State, user: i64, text: &str) -> Result<(), Reply> {
    if text.len() < 16 {
        let message = "api key must be at least 16 characters";
        return Err(Reply::fail(400, "API_KEY_TOO_SHORT", message));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !text.bytes().all(plain) {
        let message = "api key can only contain letters, numbers, underscores, and hyphens";
        return Err(Reply::fail(400, "API_KEY_INVALID_CHARS", message));
    }
    let now = state.now();
    state
        .key_collisions
        .retain(|(_, at)| now.duration_since(*at).as_secs() < 3600);
    let mine = state
        .key_collisions
        .iter()
        .filter(|(owner, _)| *owner == user);
    if mine.count() >= 20 {
        let message = "too many failed attempts, please try again later";
        return Err(Reply::fail(429, "API_KEY_RATE_LIMITED", message));
    }
    // A deleted row gives its text up.
    let mut living = state.keys.values().filter(|row| row.deleted_at.is_none());
    if living.any(|row| row.key == text) {
        state.key_collisions.push((user, now));
        return Err(Reply::fail(409, "API_KEY_EXISTS", "api key already exists"));
    }
    Ok(())
}

fn addresses(input: &Input) -> Result<(Vec<String>, Vec<String>), Reply> {
    let white = input.texts("ip_whitelist")?.unwrap_or_default();
    let black = input.texts("ip_blacklist")?.unwrap_or_default();
    let good = |text: &String| {
        let (address, width) = text.split_once('/').unwrap_or((text, "0"));
        address.parse::<std::net::IpAddr>().is_ok() && width.parse::<u8>().is_ok()
    };
    if !white.iter().chain(&black).all(good) {
        let text = "invalid IP or CIDR pattern";
        return Err(Reply::fail(400, "INVALID_IP_PATTERN", text));
    }
    Ok((white, black))
}

fn read_limits(input: &Input, key: &mut ApiKey) -> Result<(), Reply> {
    let names = ["rate_limit_5h", "rate_limit_1d", "rate_limit_7d"];
    for (slot, name) in key.rate_limits.iter_mut().zip(names) {
        *slot = input.float(name)?.unwrap_or(*slot);
    }
    Ok(())
}
