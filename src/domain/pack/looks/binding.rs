//! A binding stored on the host.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// A binding on the host: exactly one of account, channel and key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindingLook {
    /// Host id of an account.
    #[serde(default)]
    pub account: Option<i64>,
    /// Host id of a channel.
    #[serde(default)]
    pub channel: Option<i64>,
    /// Host id of a user key.
    #[serde(default)]
    pub key: Option<i64>,
    /// Groups it must be bound to.
    #[serde(default)]
    pub groups: Vec<i64>,
    /// Whether an account must be open for scheduling as well.
    #[serde(default)]
    pub schedulable: bool,
}

/// What a binding binds to its groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// An account.
    Account(i64),
    /// A channel.
    Channel(i64),
    /// A user key.
    Key(i64),
}

impl BindingLook {
    /// The one thing it is about; `None` when it names none or several.
    pub fn bound(&self) -> Option<Bound> {
        match (self.account, self.channel, self.key) {
            (Some(id), None, None) => Some(Bound::Account(id)),
            (None, Some(id), None) => Some(Bound::Channel(id)),
            (None, None, Some(id)) => Some(Bound::Key(id)),
            _ => None,
        }
    }
}

impl Kind for BindingLook {
    const NEEDS: Needs = Needs::Host;

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        if self.bound().is_none() {
            rules.fault(
                "a binding is about exactly one thing",
                "one of account, channel, key",
            );
        }
        if self.groups.is_empty() && !self.schedulable {
            rules.nothing("`groups` or `schedulable`");
        }
        if self.schedulable && self.account.is_none() {
            rules.fault(
                "only an account can be schedulable",
                "leave `schedulable` out",
            );
        }
    }
}
