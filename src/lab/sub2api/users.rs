//! Users as admins manage them, and the one admin act on a key: binding its group.

use super::model::User;
use super::reply::{Answer, Reply, paged, search};
use super::req::{Input, Req, id};
use super::state::State;
use super::views;
use super::views_sales;
use serde_json::{Value, json};

pub(super) fn list(state: &State, req: &Req) -> Reply {
    let wanted = search(req);
    let has_key = |user: &User, text: &str| {
        let mut keys = state.keys.values();
        keys.any(|key| {
            key.user_id == user.id
                && key.deleted_at.is_none()
                && key.key.to_lowercase().contains(text)
        })
    };
    let rows = state.users.values().filter(|row| {
        row.deleted_at.is_none()
            && req
                .filter("status")
                .is_none_or(|status| row.status == status)
            && req.filter("role").is_none_or(|role| row.role == role)
            && wanted.as_ref().is_none_or(|text| {
                [&row.email, &row.username, &row.notes]
                    .iter()
                    .any(|field| field.to_lowercase().contains(text))
                    || has_key(row, text)
            })
    });
    let rows = rows.map(|row| {
        let mut view = views::user(row);
        views::set(&mut view, "current_concurrency", 0);
        let now = state.now();
        let mine = state.subscriptions.values().filter(|at| {
            at.user_id == row.id && at.deleted_at.is_none() && at.status_at(now) == "active"
        });
        let mine: Vec<Value> = mine
            .map(|at| views_sales::used_subscription(state, at))
            .collect();
        if !mine.is_empty() {
            views::set(&mut view, "subscriptions", mine);
        }
        view
    });
    paged(rows.collect(), req, "created_at", "desc")
}

pub(super) fn get(state: &State, text: &str) -> Answer {
    let row = state.user(id(text, "user")?);
    Ok(Reply::ok(views::user(
        row.ok_or_else(|| Reply::missing("USER"))?,
    )))
}

pub(super) fn create(state: &mut State, req: &Req) -> Answer {
    let input = req.input()?;
    let email = email_of(&input)?.ok_or_else(|| Reply::binding_field("email", "required"))?;
    let password =
        password_of(&input)?.ok_or_else(|| Reply::binding_field("password", "required"))?;
    free_email(state, &email, 0)?;
    let mut user = User::new(&email, &password);
    user.balance = input.float("balance")?.unwrap_or_default();
    user.created_at = state.now();
    user.concurrency = 0;
    fill(&input, &mut user)?;
    user.updated_at = user.created_at;
    let allowed = input.given("allowed_groups").cloned().unwrap_or_default();
    let at = state.add_user(user);
    let row = state.user(at).ok_or_else(Reply::internal)?;
    Ok(Reply::ok(views::new_user(row, &allowed)))
}

pub(super) fn update(state: &mut State, req: &Req, text: &str) -> Answer {
    let at = id(text, "user")?;
    let input = req.input()?;
    let mut user = state
        .user(at)
        .ok_or_else(|| Reply::missing("USER"))?
        .clone();
    if let Some(email) = email_of(&input)? {
        free_email(state, &email, at)?;
        user.email = email;
    }
    if let Some(password) = password_of(&input)? {
        user.password = password;
        user.token_version += 1;
    }
    if let Some(status) = input.one_of("status", &["active", "disabled"])? {
        user.status = status;
    }
    // `balance` is a field of the request and is ignored.
    fill(&input, &mut user)?;
    if let Some(rates) = input.object("group_rates")? {
        for (group, rate) in rates {
            let Ok(group) = group.parse() else { continue };
            match rate.as_f64() {
                Some(rate) => user.group_rates.insert(group, rate),
                None => user.group_rates.remove(&group),
            };
        }
    }
    user.updated_at = state.now();
    state.users.insert(at, user);
    get(state, text)
}

pub(super) fn delete(state: &mut State, text: &str) -> Answer {
    let at = id(text, "user")?;
    let now = state.now();
    let Some(user) = state
        .users
        .get_mut(&at)
        .filter(|row| row.deleted_at.is_none())
    else {
        return Err(Reply::missing("USER"));
    };
    if user.role == "admin" {
        return Err(Reply::internal());
    }
    // Keys and subscriptions stay as rows.
    user.deleted_at = Some(now);
    Ok(Reply::message("User deleted successfully"))
}

pub(super) fn balance(state: &mut State, req: &Req, text: &str) -> Answer {
    let at = id(text, "user")?;
    let input = req.input()?;
    let amount = input.float("balance")?.filter(|amount| *amount > 0.0);
    // 0 fails `required`, so a balance can never be set to 0.
    let amount = amount.ok_or_else(|| Reply::binding_field("balance", "required"))?;
    let operation = input
        .one_of("operation", &["set", "add", "subtract"])?
        .ok_or_else(|| Reply::binding_field("operation", "required"))?;
    let now = state.now();
    let Some(user) = state
        .users
        .get_mut(&at)
        .filter(|row| row.deleted_at.is_none())
    else {
        return Err(Reply::missing("USER"));
    };
    let next = match operation.as_str() {
        "add" => user.balance + amount,
        "subtract" => user.balance - amount,
        _ => amount,
    };
    if next < 0.0 {
        return Err(Reply::internal());
    }
    user.balance = next;
    user.updated_at = now;
    get(state, text)
}

pub(super) fn keys(state: &State, req: &Req, text: &str) -> Answer {
    let at = id(text, "user")?;
    let rows = state.keys.values();
    let rows = rows.filter(|row| row.deleted_at.is_none() && row.user_id == at);
    let rows = rows.map(|row| views::key(state, row)).collect();
    Ok(paged(rows, req, "created_at", "desc"))
}

pub(super) fn subscriptions(state: &State, text: &str) -> Answer {
    let at = id(text, "user")?;
    let rows = state.subscriptions.values();
    let rows = rows.filter(|row| row.deleted_at.is_none() && row.user_id == at);
    Ok(Reply::ok(
        rows.map(|row| views_sales::own_subscription(state, row))
            .collect(),
    ))
}

/// `GET /users/:id/usage`: zeros that look real.
pub(super) fn mock_usage() -> Reply {
    Reply::ok(json!({
        "period": "month", "total_requests": 0, "total_tokens": 0, "total_cost": 0.0,
        "avg_duration_ms": 0,
    }))
}

/// `PUT /admin/api-keys/:id`: binds a key's group, and grants what the bind needs.
pub(super) fn bind_key(state: &mut State, req: &Req, text: &str) -> Answer {
    let at = id(text, "API key")?;
    let input = req.input()?;
    let key = state
        .key(at)
        .ok_or_else(|| Reply::missing("API_KEY"))?
        .clone();
    // Read before the bind: its new grant does not show.
    let owner = state.user(key.user_id).map(views::plain_user);
    let mut granted = None;
    if let Some(group_id) = input.int("group_id")? {
        if group_id < 0 {
            let text = "group_id must not be negative";
            return Err(Reply::fail(400, "INVALID_GROUP_ID", text));
        }
        if group_id > 0 {
            granted = allow(state, key.user_id, group_id)?;
        }
        let now = state.now();
        if let Some(row) = state.keys.get_mut(&at) {
            row.group_id = Some(group_id).filter(|group| *group > 0);
            row.updated_at = now;
        }
    }
    let row = state.key(at).ok_or_else(|| Reply::missing("API_KEY"))?;
    let mut body = json!({
        "api_key": views::key(state, row), "auto_granted_group_access": granted.is_some(),
    });
    if let Some(owner) = owner {
        body["api_key"]["user"] = owner;
    }
    if let Some((group, name)) = granted {
        body["granted_group_id"] = json!(group);
        body["granted_group_name"] = json!(name);
    }
    Ok(Reply::ok(body))
}

/// Checks an admin's bind; an exclusive standard group is added to the user's grants.
fn allow(state: &mut State, user: i64, group: i64) -> Result<Option<(i64, String)>, Reply> {
    let row = state
        .group(group)
        .ok_or_else(|| Reply::missing("GROUP"))?
        .clone();
    if row.status != "active" {
        return Err(Reply::fail(
            400,
            "GROUP_NOT_ACTIVE",
            "target group is not active",
        ));
    }
    if row.subscription_type == "subscription" {
        if state.active_subscription(user, group).is_none() {
            let text = "user has no active subscription of this group";
            return Err(Reply::fail(400, "SUBSCRIPTION_REQUIRED", text));
        }
        return Ok(None);
    }
    let owner = state.users.get_mut(&user).filter(|_| row.is_exclusive);
    let new = owner.is_some_and(|owner| owner.allowed_groups.insert(group));
    Ok(new.then_some((group, row.name)))
}

fn email_of(input: &Input) -> Result<Option<String>, Reply> {
    match input.text("email")?.filter(|text| !text.is_empty()) {
        Some(email) if !email.contains('@') => Err(Reply::binding_field("email", "email")),
        other => Ok(other),
    }
}

fn password_of(input: &Input) -> Result<Option<String>, Reply> {
    match input.text("password")?.filter(|text| !text.is_empty()) {
        Some(password) if password.chars().count() < 6 => {
            Err(Reply::binding_field("password", "min"))
        }
        other => Ok(other),
    }
}

fn free_email(state: &State, email: &str, except: i64) -> Result<(), Reply> {
    let taken = state.users.values().any(|row| {
        row.deleted_at.is_none() && row.email.eq_ignore_ascii_case(email) && row.id != except
    });
    if taken {
        return Err(Reply::fail(409, "EMAIL_EXISTS", "email already exists"));
    }
    Ok(())
}

fn fill(input: &Input, user: &mut User) -> Result<(), Reply> {
    if let Some(text) = input.text("username")? {
        user.username = text;
    }
    if let Some(text) = input.text("notes")? {
        user.notes = text;
    }
    user.concurrency = input.int("concurrency")?.unwrap_or(user.concurrency);
    user.rpm_limit = input.int("rpm_limit")?.unwrap_or(user.rpm_limit);
    if input.given("allowed_groups").is_some_and(Value::is_array) {
        // Present is a full replacement.
        let groups = input.ids("allowed_groups")?.unwrap_or_default();
        user.allowed_groups = groups.into_iter().collect();
    }
    Ok(())
}
