//! A user's model calls with an active key of the host.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The user smoke: an active key of a group, taken from the host at run time, lists the models and
/// gets the expected answer from each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmokeLook {
    /// Base of the public address, without `/v1`.
    pub base: String,
    /// Group whose key is used.
    pub group: i64,
    /// Models that must be listed and must answer.
    pub models: Vec<String>,
    /// The user's words.
    pub prompt: String,
    /// The answer, white space around it ignored.
    pub expect: String,
    /// Accounts that may have served it, by the host's own usage rows; none named: any.
    #[serde(default)]
    pub accounts: Vec<i64>,
    /// The channel that it must have gone through.
    #[serde(default)]
    pub channel: Option<i64>,
    /// What the upstream must have been asked for, by model.
    #[serde(default)]
    pub upstream: BTreeMap<String, String>,
}

impl Kind for SmokeLook {
    const NEEDS: Needs = Needs::Host;
    const REQUIRED: &'static [&'static str] = &["base", "group", "models", "prompt", "expect"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        rules.url("base", &self.base);
        if self.models.is_empty() {
            rules.nothing("`models`");
        }
        if self.prompt.trim().is_empty() || self.expect.trim().is_empty() {
            rules.fault(
                "`prompt` or `expect` is empty",
                "such as \"reply with pong only\" and \"pong\"",
            );
        }
        for model in self.upstream.keys().filter(|it| !self.models.contains(it)) {
            rules.fault(
                format!("`upstream` names `{model}`, which is not asked"),
                "name it in `models` as well",
            );
        }
    }
}
