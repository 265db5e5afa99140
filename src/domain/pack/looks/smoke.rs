//! A user's model calls with an active key of the host.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

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
    }
}
