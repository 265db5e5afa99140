//! Channels: pricing and model policy over groups.

use super::channel_rules::{invalid, mapping, pricing};
use super::model::Channel;
use super::reply::{Answer, Reply, paged, search};
use super::req::{Input, Req, id};
use super::state::State;
use super::views;
use serde_json::Value;

const SOURCES: [&str; 3] = ["requested", "upstream", "channel_mapped"];
const MORE: [&str; 3] = [
    "features_config",
    "apply_pricing_to_account_stats",
    "account_stats_pricing_rules",
];

pub(super) fn list(state: &State, req: &Req) -> Reply {
    let wanted = search(req);
    let rows = state.channels.values().filter(|row| {
        req.filter("status")
            .is_none_or(|status| row.status == status)
            && wanted.as_ref().is_none_or(|text| {
                row.name.to_lowercase().contains(text)
                    || row.description.to_lowercase().contains(text)
            })
    });
    paged(
        rows.map(views::channel).collect(),
        req,
        "created_at",
        "desc",
    )
}

pub(super) fn get(state: &State, text: &str) -> Answer {
    let row = state.channels.get(&id(text, "channel")?);
    let row = row.ok_or_else(|| Reply::missing("CHANNEL"))?;
    Ok(Reply::ok(views::channel(row)))
}

pub(super) fn create(state: &mut State, req: &Req) -> Answer {
    let input = with_reason(req.input())?;
    let name = with_reason(input.required_text("name"))?;
    let mut channel = Channel::new(&name, Vec::new());
    channel.created_at = state.now();
    fill(state, &input, &mut channel)?;
    let at = state.add_channel(channel);
    get(state, &at.to_string())
}

pub(super) fn update(state: &mut State, req: &Req, text: &str) -> Answer {
    let at = id(text, "channel")?;
    let input = with_reason(req.input())?;
    let row = state.channels.get(&at);
    let mut channel = row.ok_or_else(|| Reply::missing("CHANNEL"))?.clone();
    if let Some(name) = with_reason(input.text("name"))?.filter(|name| !name.is_empty()) {
        channel.name = name;
    }
    if let Some(status) = with_reason(input.one_of("status", &["active", "disabled"]))? {
        channel.status = status;
    }
    fill(state, &input, &mut channel)?;
    state.channels.insert(at, channel);
    get(state, text)
}

pub(super) fn delete(state: &mut State, text: &str) -> Answer {
    let gone = state.channels.remove(&id(text, "channel")?);
    gone.ok_or_else(|| Reply::missing("CHANNEL"))?;
    Ok(Reply::message("Channel deleted successfully"))
}

/// Reads what create and update share; absent means keep.
fn fill(state: &mut State, input: &Input, channel: &mut Channel) -> Result<(), Reply> {
    if channel.name.chars().count() > 100 {
        return Err(invalid("name is longer than 100"));
    }
    let same_name = |row: &&Channel| row.name == channel.name && row.id != channel.id;
    if state.channels.values().any(|row| same_name(&row)) {
        let text = "channel name already exists";
        return Err(Reply::fail(409, "CHANNEL_EXISTS", text));
    }
    if let Some(text) = with_reason(input.text("description"))? {
        channel.description = text;
    }
    if let Some(text) = with_reason(input.text("features"))? {
        channel.features = text;
    }
    if let Some(source) = with_reason(input.one_of("billing_model_source", &SOURCES))? {
        channel.billing_model_source = source;
    }
    if let Some(flag) = with_reason(input.flag("restrict_models"))? {
        channel.restrict_models = flag;
    }
    if let Some(pairs) = with_reason(input.object("model_mapping"))? {
        mapping(&pairs)?;
        channel.model_mapping = pairs;
    }
    if let Some(entries) = input.given("model_pricing").and_then(Value::as_array) {
        channel.model_pricing = pricing(state, entries)?;
    }
    for name in MORE {
        if let Some(value) = input.given(name) {
            channel.more.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(groups) = with_reason(input.ids("group_ids"))? {
        take_groups(state, &groups, channel.id)?;
        channel.group_ids = groups;
    }
    channel.updated_at = state.now();
    Ok(())
}

fn take_groups(state: &State, groups: &[i64], channel: i64) -> Result<(), Reply> {
    let mut others = state.channels.values().filter(|row| row.id != channel);
    if others.any(|row| row.group_ids.iter().any(|group| groups.contains(group))) {
        let text = "one or more groups already belong to another channel";
        return Err(Reply::fail(409, "GROUP_ALREADY_IN_CHANNEL", text));
    }
    // A soft-deleted group still satisfies the foreign key.
    if groups.iter().any(|group| !state.groups.contains_key(group)) {
        return Err(Reply::internal());
    }
    Ok(())
}

/// Binding errors of channels carry a reason, unlike everywhere else.
fn with_reason<T>(read: Result<T, Reply>) -> Result<T, Reply> {
    read.map_err(|mut reply| {
        if let super::reply::Content::Json(body) = &mut reply.content {
            views::set(body, "reason", "VALIDATION_ERROR");
            // And they lack the words before the validator's own.
            let text = body["message"].as_str().unwrap_or_default();
            let text = text.trim_start_matches("Invalid request: ").to_owned();
            views::set(body, "message", text);
        }
        reply
    })
}
