//! Accounts: create (not atomic), update (its two kinds of replacing), delete.

use super::account_lists::living;
use super::model::Account;
use super::reply::{Answer, Reply};
use super::req::{Input, Req, id};
use super::state::State;
use super::views;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

const KINDS: [&str; 6] = [
    "oauth",
    "setup-token",
    "apikey",
    "upstream",
    "bedrock",
    "service_account",
];

pub(super) fn create(state: &mut State, req: &Req) -> Answer {
    create_from(state, &req.input()?)
}

/// Creates from one body; also used by the batch.
pub(super) fn create_from(state: &mut State, input: &Input) -> Answer {
    input.all_required(&["name", "platform", "type", "credentials"])?;
    let name = input.required_text("name")?;
    let platform = input.required_text("platform")?;
    let kind = input
        .one_of("type", &KINDS)?
        .ok_or_else(|| Reply::binding_field("type", "required"))?;
    let credentials = input
        .object("credentials")?
        .ok_or_else(|| Reply::binding_field("credentials", "required"))?;
    let mut groups = input.ids("group_ids")?.unwrap_or_default();
    let mut account = Account::apikey(&name, &platform, "", "");
    account.kind = kind;
    account.credentials = credentials;
    // Left out, both are 0: unlimited, and before everybody else.
    account.concurrency = 0;
    account.priority = 0;
    fill(input, &mut account)?;
    let extra = input.object("extra")?;
    let no_extra = extra.is_none();
    account.extra = extra.unwrap_or_default();
    if name.chars().count() > 100 {
        return Err(Reply::internal());
    }
    if groups.is_empty() {
        let default = format!("{platform}-default");
        let mut rows = state.groups.values();
        let found = rows
            .find(|row| row.deleted_at.is_none() && row.status == "active" && row.name == default);
        groups.extend(found.map(|row| row.id));
    }
    if !input
        .flag("confirm_mixed_channel_risk")?
        .unwrap_or_default()
    {
        mixed(state, &platform, &groups)?;
    }
    account.created_at = state.now();
    account.updated_at = account.created_at;
    let at = state.add_account(account);
    // The row is in: a group that never existed fails now and leaves it behind, unbound.
    if groups.iter().any(|group| !state.groups.contains_key(group)) {
        return Err(Reply::internal());
    }
    for group in groups {
        state.bind_by_api(at, group);
    }
    want_probe(state, at);
    let row = state.account(at).ok_or_else(Reply::internal)?;
    let mut view = views::bare_account(row);
    if no_extra {
        view["extra"] = Value::Null;
    }
    Ok(Reply::ok(view))
}

pub(super) fn update(state: &mut State, req: &Req, text: &str) -> Answer {
    let at = id(text, "account")?;
    let input = req.input()?;
    let mut account = living(state, text)?.clone();
    let groups = input.ids("group_ids")?;
    let missing = |group: &i64| state.group(*group).is_none();
    if groups
        .as_ref()
        .is_some_and(|groups| groups.iter().any(missing))
    {
        return Err(Reply::missing("GROUP"));
    }
    if let Some(name) = input.text("name")?.filter(|name| !name.is_empty()) {
        account.name = name;
    }
    if let Some(kind) = input.one_of("type", &KINDS)? {
        account.kind = kind;
    }
    if let Some(status) = input.one_of("status", &["active", "inactive", "error"])? {
        account.status = status;
    }
    fill(&input, &mut account)?;
    let mut new_credentials = false;
    if let Some(credentials) = input
        .object("credentials")?
        .filter(|given| !given.is_empty())
    {
        account.credentials = keeping_secrets(&account.credentials, credentials);
        new_credentials = true;
    }
    if let Some(extra) = input.object("extra")? {
        account.extra = keeping_quota_use(&account.extra, extra);
    }
    if let Some(groups) = &groups
        && !input
            .flag("confirm_mixed_channel_risk")?
            .unwrap_or_default()
    {
        mixed(state, &account.platform, groups)?;
    }
    account.updated_at = state.now();
    state.accounts.insert(at, account);
    if let Some(groups) = groups {
        state
            .account_groups
            .retain(|(account, group), _| *account != at || groups.contains(group));
        for group in groups {
            state.bind_by_api(at, group);
        }
    }
    if new_credentials {
        want_probe(state, at);
    }
    let row = living(state, text)?;
    Ok(Reply::ok(views::account(state, row)))
}

/// Always 200, whatever the id.
pub(super) fn delete(state: &mut State, text: &str) -> Answer {
    let at = id(text, "account")?;
    let now = state.now();
    if let Some(row) = state.account_mut(at) {
        row.deleted_at = Some(now);
    }
    state
        .account_groups
        .retain(|(account, _), _| *account != at);
    Ok(Reply::message("Account deleted successfully"))
}

/// The warning that an anthropic and an antigravity account would share a group.
fn mixed(state: &State, platform: &str, groups: &[i64]) -> Result<(), Reply> {
    match mix_in(state, platform, groups) {
        None => Ok(()),
        Some((_, name, other)) => Err(Reply::json(
            409,
            json!({
                "error": "mixed_channel_warning",
                "message": format!("mixed_channel_warning: Group '{name}' contains both {other} and {platform} accounts."),
            }),
        )),
    }
}

/// `POST /accounts/check-mixed-channel`.
pub(super) fn check_mixed(state: &State, req: &Req) -> Answer {
    let input = req.input()?;
    let platform = input.required_text("platform")?;
    let groups = input.ids("group_ids")?.unwrap_or_default();
    Ok(Reply::ok(match mix_in(state, &platform, &groups) {
        None => json!({ "has_risk": false }),
        Some((group, name, other)) => json!({
            "has_risk": true, "error": "mixed_channel_warning",
            "message": "mixed_channel_warning",
            "details": { "group_id": group, "group_name": name, "current_platform": platform,
                "other_platform": other },
        }),
    }))
}

fn mix_in(state: &State, platform: &str, groups: &[i64]) -> Option<(i64, String, &'static str)> {
    let other = match platform {
        "anthropic" => "antigravity",
        "antigravity" => "anthropic",
        _ => return None,
    };
    groups.iter().find_map(|group| {
        let mut bound = state.account_groups.keys().filter(|(_, at)| at == group);
        let hit = bound.any(|(account, _)| {
            state
                .account(*account)
                .is_some_and(|row| row.platform == other)
        });
        let name = state.groups.get(group)?.name.clone();
        hit.then_some((*group, name, other))
    })
}

/// Reads what create and update share; absent means keep.
fn fill(input: &Input, account: &mut Account) -> Result<(), Reply> {
    if let Some(notes) = input.text("notes")? {
        account.notes = Some(notes);
    }
    account.proxy_id = input.int("proxy_id")?.or(account.proxy_id);
    account.concurrency = input.int("concurrency")?.unwrap_or(account.concurrency);
    account.priority = input.int("priority")?.unwrap_or(account.priority);
    if let Some(rate) = input.float("rate_multiplier")? {
        if rate < 0.0 {
            return Err(Reply::bad_request("rate_multiplier must be >= 0"));
        }
        account.rate_multiplier = rate;
    }
    if let Some(factor) = input.int("load_factor")? {
        account.load_factor = Some(factor).filter(|factor| (1..=10_000).contains(factor));
    }
    if let Some(seconds) = input.int("expires_at")? {
        account.expires_at = Timestamp::from_second(seconds).ok().filter(|_| seconds > 0);
    }
    if let Some(flag) = input.flag("auto_pause_on_expired")? {
        account.auto_pause_on_expired = flag;
    }
    Ok(())
}

/// PUT replaces everything but the secrets it leaves out.
fn keeping_secrets(old: &Map<String, Value>, new: Map<String, Value>) -> Map<String, Value> {
    let mut merged = new;
    for name in views::SECRET_KEYS {
        if let Some(value) = old.get(name) {
            merged.entry(name).or_insert_with(|| value.clone());
        }
    }
    merged
}

/// PUT replaces `extra` whole; only the counters of used quota survive.
fn keeping_quota_use(old: &Map<String, Value>, new: Map<String, Value>) -> Map<String, Value> {
    let mut merged = new;
    for (name, value) in old {
        if name.starts_with("quota_") && name.ends_with("_used") {
            merged.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    merged
}

/// Asks for the background look at `/responses`, for the accounts that get one.
fn want_probe(state: &mut State, at: i64) {
    let fits = |row: &Account| row.platform == "openai" && row.kind == "apikey";
    if state.account(at).is_some_and(fits) {
        state.pending_probes.push(at);
    }
}
