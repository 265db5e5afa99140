//! Groups: create, update, soft deletion and what it leaves behind.

use super::model::Group;
use super::reply::{Answer, Reply, paged, paged_or_none, search};
use super::req::{Input, Req, id};
use super::state::State;
use super::views;
use super::views_sales;
use serde_json::{Value, json};

const PLATFORMS: [&str; 4] = ["anthropic", "openai", "gemini", "antigravity"];
const KINDS: [&str; 2] = ["standard", "subscription"];
const LIMITS: [&str; 3] = ["daily_limit_usd", "weekly_limit_usd", "monthly_limit_usd"];

pub(super) fn list(state: &State, req: &Req) -> Reply {
    let wanted = search(req);
    let exclusive = req.filter("is_exclusive").map(|text| text == "true");
    let rows = state.groups.values().filter(|row| {
        row.deleted_at.is_none()
            && req
                .filter("platform")
                .is_none_or(|platform| row.platform == platform)
            && req
                .filter("status")
                .is_none_or(|status| row.status == status)
            && exclusive.is_none_or(|exclusive| row.is_exclusive == exclusive)
            && wanted.as_ref().is_none_or(|text| {
                row.name.to_lowercase().contains(text)
                    || row.description.to_lowercase().contains(text)
            })
    });
    let rows = rows.map(|row| views::group(state, row)).collect();
    paged(rows, req, "sort_order", "asc")
}

pub(super) fn all(state: &State, req: &Req) -> Reply {
    let rows = state.groups.values().filter(|row| {
        row.deleted_at.is_none()
            && row.status == "active"
            && req
                .filter("platform")
                .is_none_or(|platform| row.platform == platform)
    });
    Reply::ok(rows.map(|row| views::group(state, row)).collect())
}

pub(super) fn get(state: &State, text: &str) -> Answer {
    let row = state.group(id(text, "group")?);
    let row = row.ok_or_else(|| Reply::missing("GROUP"))?;
    Ok(Reply::ok(views::group(state, row)))
}

pub(super) fn create(state: &mut State, req: &Req) -> Answer {
    let input = req.input()?;
    let name = input.required_text("name")?;
    let platform = input.one_of("platform", &PLATFORMS)?;
    let mut group = Group::new(&name, platform.as_deref().unwrap_or("anthropic"));
    group.description = input.text("description")?.unwrap_or_default();
    group.is_exclusive = input.flag("is_exclusive")?.unwrap_or_default();
    if let Some(kind) = input.one_of("subscription_type", &KINDS)? {
        group.subscription_type = kind;
    }
    read_limits(&input, &mut group)?;
    // The multiplier has no default: leaving it out is 0, and 0 is a plain error.
    group.rate_multiplier = input.float("rate_multiplier")?.unwrap_or_default();
    if group.rate_multiplier <= 0.0 {
        return Err(Reply::internal());
    }
    free_name(state, &name, 0)?;
    keep_more(&input, &mut group);
    group.more.remove("model_routing_enabled");
    group.created_at = state.now();
    group.updated_at = group.created_at;
    let created = state.add_group(group);
    copy_accounts(state, &input, created)?;
    let row = state.group(created).ok_or_else(Reply::internal)?;
    Ok(Reply::ok(views::new_group(state, row)))
}

pub(super) fn update(state: &mut State, req: &Req, text: &str) -> Answer {
    let at = id(text, "group")?;
    let input = req.input()?;
    let mut group = state
        .group(at)
        .ok_or_else(|| Reply::missing("GROUP"))?
        .clone();
    if let Some(name) = input.text("name")?.filter(|name| !name.is_empty()) {
        free_name(state, &name, at)?;
        group.name = name;
    }
    if let Some(text) = input.text("description")?.filter(|text| !text.is_empty()) {
        group.description = text;
    }
    if let Some(platform) = input.one_of("platform", &PLATFORMS)? {
        group.platform = platform;
    }
    if let Some(rate) = input.float("rate_multiplier")? {
        if rate <= 0.0 {
            return Err(Reply::internal());
        }
        group.rate_multiplier = rate;
    }
    if let Some(flag) = input.flag("is_exclusive")? {
        group.is_exclusive = flag;
    }
    if let Some(status) = input.one_of("status", &["active", "inactive"])? {
        group.status = status;
    }
    if let Some(kind) = input.one_of("subscription_type", &KINDS)? {
        group.subscription_type = kind;
    }
    // Absent limits are cleared, unlike every other field.
    read_limits(&input, &mut group)?;
    keep_more(&input, &mut group);
    group.updated_at = state.now();
    state.groups.insert(at, group);
    if input.given("copy_accounts_from_group_ids").is_some() {
        state.account_groups.retain(|(_, group), _| *group != at);
        copy_accounts(state, &input, at)?;
    }
    get(state, text)
}

pub(super) fn delete(state: &mut State, text: &str) -> Answer {
    let at = id(text, "group")?;
    let now = state.now();
    let Some(group) = state
        .groups
        .get_mut(&at)
        .filter(|row| row.deleted_at.is_none())
    else {
        return Err(Reply::missing("GROUP"));
    };
    group.deleted_at = Some(now);
    // Keys, channels and plans keep pointing at the dead id.
    for row in state.subscriptions.values_mut() {
        if row.group_id == at && row.deleted_at.is_none() {
            row.deleted_at = Some(now);
        }
    }
    for user in state.users.values_mut() {
        user.allowed_groups.remove(&at);
    }
    state.account_groups.retain(|(_, group), _| *group != at);
    Ok(Reply::message("Group deleted successfully"))
}

pub(super) fn keys(state: &State, req: &Req, text: &str) -> Answer {
    let at = id(text, "group")?;
    let rows = state.keys.values();
    let rows = rows.filter(|row| row.deleted_at.is_none() && row.group_id == Some(at));
    let rows = rows.map(|row| {
        let mut view = views::bare_key(row);
        if let Some(owner) = state.user(row.user_id) {
            view["user"] = views::plain_user(owner);
        }
        view
    });
    Ok(paged(rows.collect(), req, "id", "desc"))
}

pub(super) fn subscriptions(state: &State, req: &Req, text: &str) -> Answer {
    let at = id(text, "group")?;
    let rows = state.subscriptions.values();
    let rows = rows.filter(|row| row.deleted_at.is_none() && row.group_id == at);
    let rows = rows
        .map(|row| views_sales::subscription(state, row))
        .collect();
    Ok(paged_or_none(rows, req, "created_at", "desc"))
}

fn free_name(state: &State, name: &str, except: i64) -> Result<(), Reply> {
    let taken = state
        .groups
        .values()
        .any(|row| row.deleted_at.is_none() && row.name == name && row.id != except);
    if taken {
        let text = "group name already exists";
        return Err(Reply::fail(409, "GROUP_EXISTS", text));
    }
    Ok(())
}

/// Number, numeric text, `null` or `""` (both stored as 0); negative is no limit.
fn read_limits(input: &Input, group: &mut Group) -> Result<(), Reply> {
    for (slot, name) in group.limits.iter_mut().zip(LIMITS) {
        let read = match input.fields.get(name) {
            None => None,
            Some(Value::Null) => Some(0.0),
            Some(Value::String(text)) if text.is_empty() => Some(0.0),
            Some(Value::String(text)) => match text.trim().parse() {
                Ok(number) => Some(number),
                Err(_) => return Err(Reply::binding(&format!("invalid {name}"))),
            },
            Some(value) => match value.as_f64() {
                Some(number) => Some(number),
                None => return Err(Reply::binding(&format!("invalid {name}"))),
            },
        };
        *slot = read.filter(|limit| *limit >= 0.0);
    }
    Ok(())
}

fn keep_more(input: &Input, group: &mut Group) {
    for name in views::group_defaults().keys() {
        if let Some(value) = input.given(name) {
            group.more.insert(name.clone(), value.clone());
        }
    }
}

fn copy_accounts(state: &mut State, input: &Input, to: i64) -> Result<(), Reply> {
    for from in input
        .ids("copy_accounts_from_group_ids")?
        .unwrap_or_default()
    {
        let platform = |id| state.group(id).map(|row| row.platform.clone());
        if platform(from).is_none() || platform(from) != platform(to) {
            return Err(Reply::internal());
        }
        let bindings: Vec<(i64, i64)> = state.account_groups.keys().copied().collect();
        for (account, _) in bindings.into_iter().filter(|(_, at)| *at == from) {
            state.bind_by_api(account, to);
        }
    }
    Ok(())
}

/// `GET /groups/:id/stats`: zeros that look real.
pub(super) fn mock_stats() -> Reply {
    Reply::ok(json!({
        "total_api_keys": 0, "active_api_keys": 0, "total_requests": 0, "total_cost": 0.0,
    }))
}
