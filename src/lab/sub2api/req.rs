//! One request as the host reads it, and the reading of JSON bodies the way gin binds them:
//! unknown fields are ignored, a wrong type or a missing required field is a 400.

use super::reply::Reply;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use bytes::Bytes;
use serde_json::{Map, Value};
use std::time::Duration;

/// A request with its path cut into segments.
pub(super) struct Req {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Set by a drop rule: the effect happens this much later.
    pub(super) late: Option<Duration>,
}

impl Req {
    pub(super) fn new(parts: Parts, body: Bytes, late: Option<Duration>) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        // Url decodes the pairs; the base is only there to make it parse.
        let query = reqwest::Url::parse(&format!("http://host/?{query}"))
            .map(|url| url.query_pairs().into_owned().collect())
            .unwrap_or_default();
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query,
            headers: parts.headers,
            body,
            late,
        }
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A filter of a list: absent and empty are the same.
    pub(super) fn filter(&self, name: &str) -> Option<&str> {
        self.query(name).filter(|value| !value.is_empty())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn bearer(&self) -> Option<&str> {
        self.header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(str::trim)
    }

    /// The key or token presented, for the request log only.
    pub(super) fn presented(&self) -> &str {
        self.header("x-api-key")
            .or_else(|| self.bearer())
            .or_else(|| self.header("x-goog-api-key"))
            .unwrap_or_default()
    }

    /// The body as an object; an empty or broken one is a binding error.
    pub(super) fn input(&self) -> Result<Input, Reply> {
        if self.body.is_empty() {
            return Err(Reply::binding("EOF"));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(fields)) => Ok(Input { fields }),
            Ok(_) => Err(Reply::binding(
                "json: cannot unmarshal value into Go value of type object",
            )),
            Err(_) => Err(Reply::binding("invalid character in JSON body")),
        }
    }

    /// As `input`, for handlers whose body is optional.
    pub(super) fn input_or_empty(&self) -> Input {
        self.input()
            .unwrap_or_else(|_| Input { fields: Map::new() })
    }
}

/// The fields of a JSON body.
pub(super) struct Input {
    pub(super) fields: Map<String, Value>,
}

impl Input {
    /// Present and not `null`.
    pub(super) fn given(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Reply> {
        self.typed(name, "string", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn int(&self, name: &str) -> Result<Option<i64>, Reply> {
        self.typed(name, "int64", Value::as_i64)
    }

    pub(super) fn float(&self, name: &str) -> Result<Option<f64>, Reply> {
        self.typed(name, "float64", Value::as_f64)
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Reply> {
        self.typed(name, "bool", Value::as_bool)
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, Reply> {
        self.typed(name, "map[string]interface {}", |value| {
            value.as_object().cloned()
        })
    }

    pub(super) fn ids(&self, name: &str) -> Result<Option<Vec<i64>>, Reply> {
        self.typed(name, "[]int64", |value| {
            value.as_array()?.iter().map(Value::as_i64).collect()
        })
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Reply> {
        self.typed(name, "[]string", |value| {
            let items = value.as_array()?.iter();
            items.map(|item| item.as_str().map(str::to_owned)).collect()
        })
    }

    /// Names every field that is missing, as gin does, in one answer.
    pub(super) fn all_required(&self, names: &[&str]) -> Result<(), Reply> {
        let missing = |name: &&&str| match self.given(name) {
            None => true,
            Some(value) => value.as_str() == Some(""),
        };
        let missing: Vec<(&str, &str)> = names
            .iter()
            .filter(missing)
            .map(|name| (*name, "required"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Reply::binding_fields(&missing))
    }

    /// A required text; empty counts as missing, as with gin's `required`.
    pub(super) fn required_text(&self, name: &str) -> Result<String, Reply> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Reply::binding_field(name, "required"))
    }

    /// A required number; 0 counts as missing, as with gin's `required`.
    pub(super) fn required_int(&self, name: &str) -> Result<i64, Reply> {
        self.int(name)?
            .filter(|number| *number != 0)
            .ok_or_else(|| Reply::binding_field(name, "required"))
    }

    /// A text out of a closed list.
    pub(super) fn one_of(&self, name: &str, allowed: &[&str]) -> Result<Option<String>, Reply> {
        match self.text(name)? {
            Some(text) if text.is_empty() => Ok(None),
            Some(text) if !allowed.contains(&text.as_str()) => {
                Err(Reply::binding_field(name, "oneof"))
            }
            other => Ok(other),
        }
    }

    fn typed<T>(
        &self,
        name: &str,
        kind: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Reply> {
        let Some(value) = self.given(name) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(Reply::binding(&format!(
                "json: cannot unmarshal {} into Go struct field Request.{name} of type {kind}",
                json_kind(value)
            ))),
        }
    }
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Reads a path id; a bad one is a 400 in the envelope.
pub(super) fn id(text: &str, what: &str) -> Result<i64, Reply> {
    text.parse()
        .map_err(|_| Reply::bad_request(&format!("Invalid {what} ID")))
}
