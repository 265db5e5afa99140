//! Running containers.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// What `docker ps` must say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainersLook {
    /// Names that must run.
    #[serde(default)]
    pub running: Vec<String>,
    /// Patterns of names or images: what matches and is not in `running` must not run.
    #[serde(default)]
    pub alike: Vec<String>,
    /// Name patterns (`*` is any text) that must not run.
    #[serde(default)]
    pub banned: Vec<String>,
    /// Containers of registered stacks: like production, and there with leave. No pack says them.
    #[serde(skip)]
    pub leave: Vec<String>,
}

impl Kind for ContainersLook {
    const NEEDS: Needs = Needs::Machine;
    const FACTS: &'static [&'static str] = &["image.*"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        if self.running.is_empty() && self.banned.is_empty() {
            rules.nothing("`running` or `banned`");
        }
        rules.no_blank(self.running.iter().chain(&self.banned));
    }
}
