//! Standing conditions of what a host has stored behind some groups.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// Groups, and what must hold of every channel and account behind them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredLook {
    /// Host ids of the groups.
    pub groups: Vec<i64>,
    /// Every channel over them has prices of the group's platform: without them a restricted channel
    /// passes no model.
    #[serde(default)]
    pub channels_priced: bool,
    /// Every channel over them maps models of the group's platform.
    #[serde(default)]
    pub channels_mapped: bool,
    /// Every open account maps models: without that the host lists models of its own.
    #[serde(default)]
    pub accounts_mapped: bool,
    /// No two open accounts of one name: a request fails over to the stale one.
    #[serde(default)]
    pub no_duplicates: bool,
}

impl Kind for StoredLook {
    const NEEDS: Needs = Needs::Host;
    const REQUIRED: &'static [&'static str] = &["groups"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        if self.groups.is_empty() {
            rules.fault("no group is named", "add the ids of groups");
        }
        let says = self.channels_priced
            || self.channels_mapped
            || self.accounts_mapped
            || self.no_duplicates;
        if !says {
            rules.nothing(
                "`channels_priced`, `channels_mapped`, `accounts_mapped` or `no_duplicates`",
            );
        }
    }
}
