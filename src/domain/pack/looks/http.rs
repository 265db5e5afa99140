//! One HTTP request and the answer it must get.

use super::fields::FieldRule;
use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

fn get() -> String {
    "GET".to_owned()
}

/// One HTTP request and the answer it must get.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpLook {
    /// `GET`, `HEAD` or `POST`.
    #[serde(default = "get")]
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Expected status.
    pub status: u16,
    /// Text the body must hold.
    #[serde(default)]
    pub body_contains: Option<String>,
    /// The whole body, white space around it ignored.
    #[serde(default)]
    pub body_equals: Option<String>,
    /// Expected content type, without parameters.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Fields of a JSON body, dotted path to value as text: `code = "API_KEY_REQUIRED"`.
    #[serde(default)]
    pub json: BTreeMap<String, String>,
    /// More of the same: bounds, ages, every one of a list.
    #[serde(default)]
    pub fields: Vec<FieldRule>,
    /// Headers and the value each must have (`*` is any text).
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Headers that must not be there.
    #[serde(default)]
    pub no_headers: Vec<String>,
    /// Days that the certificate must still be good for.
    #[serde(default)]
    pub tls_days: Option<u16>,
}

impl HttpLook {
    /// Whether its body must be read.
    pub fn wants_body(&self) -> bool {
        self.body_contains.is_some()
            || self.body_equals.is_some()
            || !self.json.is_empty()
            || !self.fields.is_empty()
    }
}

impl Kind for HttpLook {
    const NEEDS: Needs = Needs::Anywhere;
    const REQUIRED: &'static [&'static str] = &["url", "status"];
    const FACTS: &'static [&'static str] = &["status", "body", "header.*", "field.*"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        rules.url("url", &self.url);
        if !matches!(self.method.as_str(), "GET" | "HEAD" | "POST") {
            rules.fault(
                format!("method `{}` is not offered to checks", self.method),
                "GET, HEAD or POST",
            );
        }
        if !(100..=599).contains(&self.status) {
            rules.fault("`status` is no HTTP status", "100 to 599");
        }
        FieldRule::rules(&self.fields, rules);
        let names = self.headers.keys().chain(&self.no_headers);
        for name in names.filter(|name| !is_token(name)) {
            rules.fault(
                format!("`{name}` is no name of a header"),
                "letters, digits and `-`, such as \"Location\"",
            );
        }
        if self.tls_days.is_some() && !self.url.starts_with("https:") {
            rules.fault("only https has a certificate", "leave `tls_days` out");
        }
        if self.method == "HEAD" && self.wants_body() {
            rules.fault("an answer to HEAD has no body to compare", "use GET");
        }
    }
}

/// Whether a text can be the name of a header.
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}
