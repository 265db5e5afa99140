//! Listening TCP ports.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// What `ss -ltnp` must say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListeningLook {
    /// Ports somebody must listen on.
    #[serde(default)]
    pub expect: Vec<ExpectedPort>,
    /// Ports nobody may listen on.
    #[serde(default)]
    pub banned_ports: Vec<u16>,
}

/// A port somebody must listen on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedPort {
    /// TCP port.
    pub port: u16,
    /// Process name patterns (`*` is any text), one of which must hold it; empty for any. Linux
    /// shows the first 15 characters of a name only.
    #[serde(default)]
    pub process: Vec<String>,
}

impl Kind for ListeningLook {
    const NEEDS: Needs = Needs::Machine;

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        if self.expect.is_empty() && self.banned_ports.is_empty() {
            rules.nothing("`expect` or `banned_ports`");
        }
        for port in &self.expect {
            if self.banned_ports.contains(&port.port) {
                rules.fault(
                    format!("port {} is expected and banned", port.port),
                    "decide for one",
                );
            }
            rules.no_blank(port.process.iter());
        }
    }
}
