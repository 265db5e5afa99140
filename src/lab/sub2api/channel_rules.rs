//! What a channel may hold, and how its mapping and prices match a model name.

use super::model::Channel;
use super::reply::Reply;
use super::state::State;
use serde_json::{Map, Value, json};

const PRICES: [&str; 6] = [
    "input_price",
    "output_price",
    "cache_write_price",
    "cache_read_price",
    "image_output_price",
    "per_request_price",
];

/// Checks and completes pricing entries.
pub(super) fn pricing(state: &mut State, entries: &[Value]) -> Result<Vec<Value>, Reply> {
    let mut done: Vec<Value> = Vec::new();
    for entry in entries {
        let Some(fields) = entry.as_object() else {
            return Err(invalid("model_pricing entries are objects"));
        };
        done.push(entry_of(state, fields)?);
    }
    for (at, entry) in done.iter().enumerate() {
        for other in &done[at..] {
            if entry["platform"] == other["platform"]
                && let Some(words) = conflict(entry, other)
            {
                return Err(refused(entry, &words));
            }
        }
    }
    Ok(done)
}

fn entry_of(state: &mut State, fields: &Map<String, Value>) -> Result<Value, Reply> {
    let mut entry = Value::Object(fields.clone());
    let platform = fields
        .get("platform")
        .and_then(Value::as_str)
        .unwrap_or_default();
    // The default is anthropic, whatever the platform of the channel's groups.
    entry["platform"] = json!(if platform.is_empty() {
        "anthropic"
    } else {
        platform
    });
    // An entry may be without models, and then prices nothing.
    if models_of(&entry).len() > 100 {
        return Err(invalid("models must have at most 100 entries"));
    }
    let mode = fields
        .get("billing_mode")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mode = if mode.is_empty() { "token" } else { mode };
    if !["token", "per_request", "image"].contains(&mode) {
        return Err(invalid("billing_mode"));
    }
    entry["billing_mode"] = json!(mode);
    for name in PRICES {
        let price = entry.get(name).cloned().unwrap_or(Value::Null);
        if price.as_f64().is_some_and(|price| price < 0.0) {
            return Err(Reply::fail(
                400,
                "NEGATIVE_PRICE",
                &format!("{name} must be >= 0"),
            ));
        }
        entry[name] = price;
    }
    let intervals = entry["intervals"].as_array().cloned().unwrap_or_default();
    if mode == "per_request" && entry["per_request_price"].is_null() && intervals.is_empty() {
        let text = "per-request price or intervals required for per_request/image billing mode";
        return Err(Reply::fail(400, "BILLING_MODE_MISSING_PRICE", text));
    }
    let mut numbered = Vec::new();
    for mut interval in intervals {
        let (low, high) = (
            interval["min_tokens"].as_i64(),
            interval["max_tokens"].as_i64(),
        );
        if low.is_none_or(|low| low < 0) || high.is_some_and(|high| Some(high) <= low) {
            let text = "invalid pricing intervals";
            return Err(Reply::fail(400, "INVALID_PRICING_INTERVALS", text));
        }
        if PRICES.iter().all(|name| interval[*name].is_null()) {
            let text = "interval has no price";
            return Err(Reply::fail(400, "INTERVAL_MISSING_PRICE", text));
        }
        interval["id"] = json!(state.take_id("interval", 0));
        numbered.push(interval);
    }
    entry["intervals"] = json!(numbered);
    entry["id"] = json!(state.take_id("pricing", 0));
    Ok(entry)
}

/// Checks a mapping `{platform: {requested: target}}`.
pub(super) fn mapping(value: &Map<String, Value>) -> Result<(), Reply> {
    for pairs in value.values() {
        let Some(pairs) = pairs.as_object() else {
            return Err(Reply::binding("model_mapping"));
        };
        if pairs.values().any(|target| !target.is_string()) {
            return Err(Reply::binding("model_mapping"));
        }
        let names: Vec<&str> = pairs.keys().map(String::as_str).collect();
        for (at, name) in names.iter().enumerate() {
            let lower = name.to_lowercase();
            if names[at + 1..]
                .iter()
                .any(|other| other.to_lowercase() == lower)
            {
                let text = "mapping pattern conflict";
                return Err(Reply::fail(400, "MAPPING_PATTERN_CONFLICT", text));
            }
        }
    }
    Ok(())
}

pub(super) fn invalid(text: &str) -> Reply {
    let mut reply = Reply::fail(400, "VALIDATION_ERROR", &format!("Invalid request: {text}"));
    reply.unbound = true;
    reply
}

fn models_of(entry: &Value) -> Vec<String> {
    let models = entry["models"].as_array().into_iter().flatten();
    models
        .filter_map(|model| model.as_str().map(str::to_lowercase))
        .collect()
}

/// The first two patterns of two entries (or of one with itself) that name one model twice.
fn conflict(entry: &Value, other: &Value) -> Option<[String; 2]> {
    let (left, right) = (models_of(entry), models_of(other));
    let same = entry["id"] == other["id"];
    left.iter().enumerate().find_map(|(at, model)| {
        let from = if same { at + 1 } else { 0 };
        let mut rest = right.iter().skip(from);
        let hit = rest.find(|pattern| overlap(model, pattern))?;
        Some([model.clone(), hit.clone()])
    })
}

/// Whether two patterns, each exact or `prefix*`, can match one name.
fn overlap(left: &str, right: &str) -> bool {
    match (left.strip_suffix('*'), right.strip_suffix('*')) {
        (None, None) => left == right,
        (Some(head), None) => right.starts_with(head),
        (None, Some(head)) => left.starts_with(head),
        (Some(one), Some(two)) => one.starts_with(two) || two.starts_with(one),
    }
}

fn refused(entry: &Value, [one, two]: &[String; 2]) -> Reply {
    let platform = entry["platform"].as_str().unwrap_or_default();
    let text = format!(
        "model patterns '{one}' and '{two}' conflict in platform '{platform}': overlapping match range"
    );
    Reply::fail(400, "MODEL_PATTERN_CONFLICT", &text)
}

/// The value of the exact key, else of the longest `prefix*` key.
pub(super) fn look_up<'a>(pairs: &'a Map<String, Value>, model: &str) -> Option<&'a str> {
    if let Some(target) = pairs.get(model) {
        return target.as_str();
    }
    let hit = |pattern: &str| {
        pattern
            .strip_suffix('*')
            .is_some_and(|head| model.starts_with(head))
    };
    pairs
        .iter()
        .filter(|(pattern, _)| hit(pattern))
        .max_by_key(|(pattern, _)| pattern.len())
        .and_then(|(_, target)| target.as_str())
}

/// The active channel over a group.
pub(super) fn channel_of(state: &State, group: i64) -> Option<&Channel> {
    state
        .channels
        .values()
        .find(|channel| channel.status == "active" && channel.group_ids.contains(&group))
}

/// The model name after the channel's mapping.
pub(super) fn mapped(channel: Option<&Channel>, platform: &str, model: &str) -> String {
    channel
        .and_then(|channel| channel.model_mapping.get(platform)?.as_object())
        .and_then(|pairs| look_up(pairs, model))
        .unwrap_or(model)
        .to_owned()
}

/// Whether a channel's mapping names the model.
pub(super) fn maps(channel: &Channel, platform: &str, model: &str) -> bool {
    let pairs = channel.model_mapping.get(platform);
    let pairs = pairs.and_then(Value::as_object);
    pairs.is_some_and(|pairs| look_up(pairs, model).is_some())
}

/// Whether a pricing entry *of the group's platform* names the model.
pub(super) fn priced(channel: &Channel, platform: &str, model: &str) -> bool {
    let model = model.to_lowercase();
    channel.model_pricing.iter().any(|entry| {
        entry["platform"] == json!(platform)
            && models_of(entry)
                .iter()
                .any(|pattern| match pattern.strip_suffix('*') {
                    Some(head) => model.starts_with(head),
                    None => *pattern == model,
                })
    })
}
