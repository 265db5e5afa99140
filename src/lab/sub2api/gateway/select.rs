//! Which account serves a request: the predicate, the model lists, the order, the stickiness.

use super::access::Caller;
use super::protocol::{Client, flat};
use crate::sub2api::account_lists::{default_models, default_row, model_row, schedulable_now};
use crate::sub2api::channel_rules::{channel_of, look_up, mapped, maps, priced};
use crate::sub2api::model::{Account, Group};
use crate::sub2api::reply::Reply;
use crate::sub2api::req::Req;
use crate::sub2api::state::State;
use cockpit_domain::secret::sha256_hex;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A chosen account with the names it is asked by.
pub(super) struct Choice {
    pub(super) account: Account,
    pub(super) upstream_model: String,
    pub(super) channel: Option<i64>,
    /// The client's name and what the channel's mapping made of it.
    pub(super) chain: Option<String>,
    /// The scheduler sees the probe's flag.
    pub(super) flag_visible: bool,
}

/// Accounts of a group the scheduler may choose from, whatever the model.
fn candidates<'a>(state: &'a State, group: &'a Group) -> impl Iterator<Item = &'a Account> {
    let now = state.now();
    let bound = state
        .account_groups
        .iter()
        .filter(move |((_, at), seen)| *at == group.id && **seen <= now);
    bound
        .filter_map(|((account, _), _)| state.account(*account))
        .filter(move |row| row.platform == group.platform && schedulable_now(state, row))
}

/// The account that would serve a group now, whatever the model.
pub(super) fn first_of(state: &State, group: &Group) -> Option<i64> {
    candidates(state, group)
        .min_by_key(|row| (row.priority, row.last_used_at, row.id))
        .map(|row| row.id)
}

fn mapping(account: &Account) -> Option<&Map<String, Value>> {
    let pairs = account.credentials.get("model_mapping")?.as_object()?;
    Some(pairs).filter(|pairs| !pairs.is_empty())
}

/// Chooses, or says why it cannot in the host's words.
pub(super) fn choose(
    state: &State,
    caller: &Caller,
    model: &str,
    tried: &BTreeSet<i64>,
    conversation: &str,
) -> Result<Choice, String> {
    let group = &caller.group;
    let channel = channel_of(state, group.id);
    let target = mapped(channel, &group.platform, model);
    let restricting = channel.filter(|channel| channel.restrict_models);
    let upstream = |row: &Account| {
        let own = mapping(row).and_then(|pairs| look_up(pairs, &target));
        own.unwrap_or(&target).to_owned()
    };
    let allowed = |row: &Account| {
        restricting.is_none_or(|channel| match channel.billing_model_source.as_str() {
            "requested" => priced(channel, &group.platform, model),
            "upstream" => priced(channel, &group.platform, &upstream(row)),
            _ => priced(channel, &group.platform, &target),
        })
    };
    // Chosen by the client's name; the channel's target plays no part yet.
    let supports = |row: &Account| mapping(row).is_none_or(|pairs| look_up(pairs, model).is_some());
    let all: Vec<&Account> = candidates(state, group).collect();
    let fit: Vec<&Account> = all
        .iter()
        .copied()
        .filter(|row| supports(row) && allowed(row) && !tried.contains(&row.id))
        .collect();
    let stuck = state
        .sticky
        .get(&(group.id, conversation.to_owned()))
        .filter(|(_, until)| *until > state.now())
        .and_then(|(account, _)| fit.iter().find(|row| row.id == *account));
    // Never used comes before used long ago.
    let next = stuck.or_else(|| {
        fit.iter()
            .min_by_key(|row| (row.priority, row.last_used_at, row.id))
    });
    let Some(row) = next else {
        // Where the checked name does not depend on the account, it is checked before any.
        let unpriced = restricting.is_some_and(|channel| {
            let platform = &group.platform;
            match channel.billing_model_source.as_str() {
                "requested" => !priced(channel, platform, model),
                "upstream" => !all.is_empty() && !all.iter().any(|row| allowed(row)),
                _ => !priced(channel, platform, &target),
            }
        });
        let kind = if group.platform == "openai" {
            "OpenAI accounts"
        } else {
            "accounts"
        };
        return Err(if unpriced {
            format!("no available accounts supporting model: {model} (channel pricing restriction)")
        } else if all.is_empty() {
            "no available accounts".to_owned()
        } else {
            format!("no available {kind} supporting model: {model}")
        });
    };
    Ok(Choice {
        account: (*row).clone(),
        upstream_model: upstream(row),
        channel: channel.map(|channel| channel.id),
        chain: channel
            .filter(|channel| maps(channel, &group.platform, model))
            .map(|_| format!("{model}→{target}")),
        flag_visible: row.probe_visible_at.is_none_or(|at| at <= state.now()),
    })
}

/// What marks a conversation: session headers, a cache key, or the first message.
pub(super) fn conversation(req: &Req, client: Client, body: &Value) -> String {
    let header = req
        .header("session_id")
        .or_else(|| req.header("conversation_id"));
    let mark = header.or_else(|| body["prompt_cache_key"].as_str());
    let first = match client {
        Client::Responses => match &body["input"] {
            Value::Array(items) => items.first().map(|item| flat(&item["content"])),
            input => Some(flat(input)),
        },
        Client::Chat | Client::Messages => Some(flat(&body["messages"][0]["content"])),
    };
    sha256_hex(&mark.map(str::to_owned).or(first).unwrap_or_default())
}

/// Keeps a conversation with the account that answered it.
pub(super) fn stick(state: &mut State, group: i64, conversation: &str, account: i64) {
    let ttl = SignedDuration::try_from(state.settings.sticky_ttl).unwrap_or_default();
    let until = state.now() + ttl;
    if ttl.is_positive() {
        let at = (group, conversation.to_owned());
        state.sticky.insert(at, (account, until));
    }
}

/// `GET /v1/models`: mapping keys of the group's accounts, or the platform's list without any.
pub(super) fn models(state: &mut State, caller: &Caller) -> Reply {
    let group = &caller.group;
    let at = (group.id, group.platform.clone());
    let now = state.now();
    if let Some((until, body)) = state.models_cache.get(&at)
        && *until > now
    {
        return Reply::json(200, body.clone());
    }
    let names: BTreeSet<String> = candidates(state, group)
        .filter_map(mapping)
        .flat_map(|pairs| pairs.keys().cloned())
        .collect();
    let data: Vec<Value> = if names.is_empty() {
        let defaults = default_models(&group.platform);
        defaults
            .iter()
            .map(|name| default_row(&group.platform, name))
            .collect()
    } else {
        // Named models have the same shape on every platform.
        names.iter().map(|name| model_row("", name)).collect()
    };
    let body = json!({ "object": "list", "data": data });
    let ttl = SignedDuration::try_from(state.settings.models_ttl).unwrap_or_default();
    state.models_cache.insert(at, (now + ttl, body.clone()));
    Reply::json(200, body)
}
