//! A client's profile: where it sends its requests, and with which key.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// A JSON file of a client on a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileLook {
    /// Absolute path.
    pub path: String,
    /// Where in it the base URL stands: names with dots between.
    pub base_url_at: String,
    /// What it must be, `/` at its end left out.
    pub base_url: String,
    /// Where in it the key stands.
    pub key_at: String,
    /// Group of the host whose active keys it must be one of.
    pub group: i64,
}

impl Kind for ProfileLook {
    const NEEDS: Needs = Needs::Machine;
    const REQUIRED: &'static [&'static str] =
        &["path", "base_url_at", "base_url", "key_at", "group"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        rules.paths([&self.path]);
        rules.url("base_url", &self.base_url);
        for (name, path) in [("base_url_at", &self.base_url_at), ("key_at", &self.key_at)] {
            if path.split('.').any(str::is_empty) {
                rules.fault(
                    format!("`{name}` is no path of a field"),
                    "names with dots between, such as \"models.providers.relay.apiKey\"",
                );
            }
        }
    }
}
