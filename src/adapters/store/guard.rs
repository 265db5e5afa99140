//! The last gate before the disk: no secret gets past it. Prose is redacted; content that is read
//! back by the program is refused instead, since a silently changed value would be acted upon.

use super::error::failure;
use cockpit_domain::ids::PackId;
use cockpit_domain::secret::Fingerprint;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::Outcome;
use serde_json::Value;

/// Names of fields whose text is secret whatever it looks like.
const SECRET_FIELDS: [&str; 10] = [
    "api_key",
    "apikey",
    "authorization",
    "password",
    "passwd",
    "secret",
    "token",
    "access_token",
    "refresh_token",
    "x-api-key",
];

/// Fields of ours that hold ids and hashes: a slug such as `ak-upstream-cn` only looks like a key.
const ID_FIELDS: [&str; 8] = [
    "host",
    "machine",
    "provider",
    "pack",
    "account_name",
    "fingerprint",
    "key_fingerprint",
    "plan_hash",
];

/// The gate.
#[derive(Clone)]
pub(super) struct Guard {
    redactor: Redactor,
}

impl Guard {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor }
    }

    /// Prose with its secrets cut out.
    pub(super) fn prose(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    /// JSON with the secrets cut out of every text in it; its shape stays.
    pub(super) fn json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.prose(text)),
            Value::Array(values) => values.iter().map(|value| self.json(value)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (self.prose(name), self.field(name, value)))
                .collect(),
            other => other.clone(),
        }
    }

    fn field(&self, name: &str, value: &Value) -> Value {
        match value {
            Value::String(_) if is_id_field(name) => value.clone(),
            Value::String(text) if is_secret_field(name) && !is_masked(text) => {
                Value::String("..".to_owned())
            }
            _ => self.json(value),
        }
    }

    /// Lets JSON pass that will be acted upon later, if there is no secret in it.
    ///
    /// # Errors
    /// Names the field, never the value.
    pub(super) fn exact_json(&self, what: &str, value: &Value) -> Outcome<String> {
        match self.leak(value, what) {
            None => Ok(value.to_string()),
            Some(path) => Err(refused(&path)),
        }
    }

    /// Lets a name pass that will be looked up later, if it is no secret.
    pub(super) fn exact(&self, what: &str, text: &str) -> Outcome<String> {
        if is_account_name(text) || self.prose(text) == text {
            Ok(text.to_owned())
        } else {
            Err(refused(what))
        }
    }

    /// Path of the first text that would not survive redaction.
    fn leak(&self, value: &Value, path: &str) -> Option<String> {
        match value {
            Value::String(text) => (self.prose(text) != *text).then(|| path.to_owned()),
            Value::Array(values) => values
                .iter()
                .enumerate()
                .find_map(|(index, value)| self.leak(value, &format!("{path}[{index}]"))),
            Value::Object(fields) => fields.iter().find_map(|(name, value)| {
                if self.prose(name) != *name {
                    return Some(format!("a field name of {path}"));
                }
                let path = format!("{path}.{name}");
                if self.field(name, value) == *value {
                    None
                } else if value.is_string() {
                    Some(path)
                } else {
                    self.leak(value, &path)
                }
            }),
            _ => None,
        }
    }
}

fn is_secret_field(name: &str) -> bool {
    SECRET_FIELDS.contains(&name.to_ascii_lowercase().as_str())
}

fn is_id_field(name: &str) -> bool {
    ID_FIELDS.contains(&name)
}

/// `{provider}.{fingerprint}`: ours by its form, however the provider's slug looks.
fn is_account_name(text: &str) -> bool {
    text.rsplit_once('.')
        .is_some_and(|(provider, fingerprint)| {
            PackId::new(provider).is_ok() && Fingerprint::parse(fingerprint).is_some()
        })
}

fn is_masked(text: &str) -> bool {
    text.is_empty()
        || text.chars().all(|c| c == '*')
        || (text.len() <= 12
            && ["..", "sk-..", "admin-.."]
                .iter()
                .any(|head| text.starts_with(head)))
}

fn refused(path: &str) -> cockpit_engine::failure::Failure {
    failure(format!(
        "`{path}` looks like a secret and would lie in the store in the clear"
    ))
    .hint("nothing was written; rename that field or value where it comes from")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cockpit_domain::secret::Secret;
    use serde_json::json;

    fn guard() -> Guard {
        let redactor = Redactor::new();
        redactor.learn(&Secret::new("correct horse battery"));
        Guard::new(redactor)
    }

    #[test]
    fn json_keeps_its_shape_and_loses_its_secrets() {
        let body = json!({
            "host": "lab", "provider": "ak-upstream-cn", "n": 7, "on": true, "none": null,
            "said": ["bad key sk-abcdefgh12345678", {"deep": "correct horse battery"}],
            "password": "short", "api_key": "sk-..5678",
        });
        assert_eq!(
            guard().json(&body),
            json!({
                "host": "lab", "provider": "ak-upstream-cn", "n": 7, "on": true, "none": null,
                "said": ["bad key sk-..5678", {"deep": "..tery"}],
                "password": "..", "api_key": "sk-..5678",
            })
        );
    }

    #[test]
    fn content_that_is_acted_upon_is_refused_by_path_and_never_changed() {
        let clean = json!({"name": "ok", "rows": [{"id": "7"}]});
        assert_eq!(
            guard().exact_json("before", &clean).unwrap(),
            clean.to_string()
        );
        let dirty = json!({"rows": [{}, {"note": "sk-abcdefgh12345678"}]});
        let refused = guard().exact_json("before", &dirty).unwrap_err();
        assert!(refused.message.contains("`before.rows[1].note`"));
        assert!(!refused.message.contains("abcdefgh"));
        let ours = "ak-upstream-cn.0123456789ab";
        assert_eq!(guard().exact("target", ours).unwrap(), ours);
        assert!(guard().exact("target", "correct horse battery").is_err());
        assert_eq!(
            guard().exact("target", "lab.0123456789ab").unwrap(),
            "lab.0123456789ab"
        );
    }
}
