//! One HTTP request and the answer it must get.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

fn get() -> String {
    "GET".to_owned()
}

/// One HTTP request and the answer it must get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Kind for HttpLook {
    const NEEDS: Needs = Needs::Anywhere;
    const REQUIRED: &'static [&'static str] = &["url", "status"];

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
        let body =
            self.body_contains.is_some() || self.body_equals.is_some() || !self.json.is_empty();
        if self.method == "HEAD" && body {
            rules.fault("an answer to HEAD has no body to compare", "use GET");
        }
    }
}
