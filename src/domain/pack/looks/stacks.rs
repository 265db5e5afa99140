//! Temporary stacks on a machine, as the config and we know them.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// No stack on the machine is over, and nginx there sends nobody to one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StacksLook {
    /// Whether the effective nginx configuration there may not name a stack's port or container.
    #[serde(default)]
    pub unrouted: bool,
}

impl Kind for StacksLook {
    const NEEDS: Needs = Needs::Machine;

    fn rules(&self, _rules: &mut Rules<'_, '_>) {}
}
