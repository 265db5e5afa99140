//! An answer without what differs from host to host: secrets and run names become stand-ins,
//! volatile fields become a word that still says what they are.

use super::scenario::Volatile;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The variables of a run.
#[derive(Debug, Default, Clone)]
pub(super) struct Variables {
    values: BTreeMap<String, Value>,
}

impl Variables {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// A variable as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// Fills `{name}` in; a brace of JSON is never followed by a letter.
    pub(super) fn fill(&self, template: &str) -> String {
        let mut done = String::new();
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            let (head, tail) = rest.split_at(open);
            done.push_str(head);
            let name: String = tail[1..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            let end = name.len() + 1;
            if name.is_empty() || !tail[end..].starts_with('}') {
                done.push('{');
                rest = &tail[1..];
                continue;
            }
            let value = self.text(&name);
            done.push_str(&value.unwrap_or_else(|| panic!("`{name}` was never captured")));
            rest = &tail[end + 1..];
        }
        done + rest
    }

    /// Whether everything a template names is there.
    pub(super) fn can_fill(&self, template: &str) -> bool {
        let names = template.split('{').skip(1);
        let mut names = names.filter_map(|rest| Some(rest.split_once('}')?.0));
        names.all(|name| self.values.contains_key(name))
    }

    /// Texts long enough to be found in an answer, the longest first.
    fn known(&self) -> Vec<(&str, &str)> {
        let texts = self.values.iter();
        let mut known: Vec<(&str, &str)> = texts
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .filter(|(_, text)| text.len() >= 6)
            .collect();
        known.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
        known
    }

    fn scrub(&self, text: &str) -> String {
        let mut text = plain_json(text);
        for (name, value) in self.known() {
            text = text.replace(value, &format!("<{name}>"));
        }
        if text.contains('@') && !text.contains("@cockpit.invalid") {
            "<email>".clone_into(&mut text);
        }
        text
    }

    /// The variable that a reference such as `group_id` points to.
    fn reference(&self, field: &str, value: &Value) -> Option<String> {
        let stem = field.strip_suffix("s").unwrap_or(field);
        let stem = stem.strip_suffix("_id")?;
        let stem = stem.strip_prefix("granted_").unwrap_or(stem);
        let fits = |name: &&String| *name == stem || name.starts_with(&format!("{stem}_"));
        let mut names = self.values.iter().filter(|(_, known)| *known == value);
        names
            .find(|(name, _)| fits(name))
            .map(|(name, _)| format!("<{name}>"))
    }

    /// A whole answer without what may differ.
    pub(super) fn redact(&self, volatile: &Volatile, field: &str, value: &Value) -> Value {
        if volatile.values.contains(field) {
            return token(value);
        }
        match value {
            Value::Object(fields) => {
                let mut done = Map::new();
                for (name, inner) in fields {
                    let inner = self.redact(volatile, name, inner);
                    done.insert(self.key(field, name), inner);
                }
                Value::Object(done)
            }
            Value::Array(items) => {
                let items = items.iter();
                items
                    .map(|item| self.redact(volatile, field, item))
                    .collect()
            }
            Value::Number(number) if volatile.ids.contains(field) => {
                if number.as_i64() == Some(0) {
                    return value.clone();
                }
                json!(self.reference(field, value).unwrap_or("<id>".to_owned()))
            }
            Value::Number(number) => whole(number),
            Value::String(text) if volatile.ids.contains(field) => {
                json!(self.scrub(&made_up(text)))
            }
            Value::String(text) if volatile.times.contains(field) => json!(time(text)),
            Value::String(text) => json!(self.scrub(text)),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    /// Maps by id have ids as names, and are called by what the ids are of.
    fn key(&self, field: &str, name: &str) -> String {
        let Ok(id) = name.parse::<i64>() else {
            return self.scrub(name);
        };
        let known = self.values.iter();
        let mut known = known.filter(|(var, value)| var.starts_with(field) && **value == json!(id));
        known
            .next()
            .map_or("<id>".to_owned(), |(name, _)| format!("<{name}>"))
    }
}

/// 1.0 and 1 are the same to JSON, and to most programs that write it.
fn whole(number: &serde_json::Number) -> Value {
    let float = number.as_f64().unwrap_or_default();
    if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 {
        #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
        return json!(float as i64);
    }
    Value::Number(number.clone())
}

fn token(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => json!("<bool>"),
        Value::Number(_) => json!("<number>"),
        Value::String(text) if text.is_empty() => json!(""),
        Value::String(_) => json!("<text>"),
        Value::Array(_) => json!("<list>"),
        Value::Object(_) => json!("<object>"),
    }
}

/// An upstream's answer inside a text, without what its writer chose: blanks and order.
fn plain_json(text: &str) -> String {
    let found = text.find('{').map(|at| text.split_at(at));
    let read = found.and_then(|(head, tail)| {
        let json: Value = serde_json::from_str(tail).ok()?;
        Some(format!("{head}{json}"))
    });
    read.unwrap_or_else(|| text.to_owned())
}

/// Ids that a vendor or the host counts or draws keep their kind.
fn made_up(text: &str) -> String {
    let kinds = ["chatcmpl-", "resp_", "msg_", "item_"];
    let tail = text.rsplit(['-', '_']).next().unwrap_or_default();
    let drawn = tail.chars().all(|c| c.is_ascii_hexdigit());
    match text.strip_suffix(tail) {
        Some(head) if drawn && kinds.iter().any(|kind| text.starts_with(kind)) => {
            format!("{head}#")
        }
        _ => text.to_owned(),
    }
}

/// A time keeps its shape: parts of a second or none, `Z` or a distance.
fn time(text: &str) -> String {
    let is_time = text.len() >= 20 && text.as_bytes()[10] == b'T';
    if !is_time {
        return text.to_owned();
    }
    let parts = if text.contains('.') {
        "with parts"
    } else {
        "whole seconds"
    };
    let zone = if text.ends_with('Z') { "Z" } else { "distance" };
    format!("<time, {parts}, {zone}>")
}

/// What must never be in a recording.
pub(super) fn leaks(text: &str) -> Vec<&'static str> {
    let long_hex = |head: &str| {
        text.match_indices(head).any(|(at, _)| {
            let tail = text[at + head.len()..].chars();
            tail.take(16).filter(char::is_ascii_hexdigit).count() == 16
        })
    };
    let mail = text
        .match_indices('@')
        .any(|(at, _)| !text[at..].starts_with("@cockpit.invalid"));
    let found = [
        (text.contains("eyJ"), "a token"),
        (long_hex("admin-"), "an admin key"),
        (long_hex("sk-"), "a user key"),
        (long_hex("rt_"), "a refresh token"),
        (text.contains("127.0.0.1:"), "an address with a port"),
        (mail, "an e-mail address"),
    ];
    found
        .into_iter()
        .filter(|(there, _)| *there)
        .map(|(_, what)| what)
        .collect()
}
