//! Services under a service manager.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// Who keeps services running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// systemd.
    Systemd,
    /// launchd.
    Launchd,
    /// PM2.
    Pm2,
}

/// Services, and how each must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLook {
    /// Who keeps them running.
    pub manager: Manager,
    /// Their names, as the manager lists them: each must run.
    #[serde(default)]
    pub running: Vec<String>,
    /// Name patterns (`*` is any text) of services that must not run.
    #[serde(default)]
    pub banned: Vec<String>,
    /// Whether they must be started with the machine (systemd only).
    #[serde(default)]
    pub enabled: bool,
    /// At most so many restarts (systemd and PM2).
    #[serde(default)]
    pub max_restarts: Option<u64>,
}

impl Kind for ServiceLook {
    const NEEDS: Needs = Needs::Machine;
    const REQUIRED: &'static [&'static str] = &["manager"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        if self.running.is_empty() && self.banned.is_empty() {
            rules.nothing("`running` or `banned`");
        }
        rules.no_blank(self.running.iter().chain(&self.banned));
        if self
            .running
            .iter()
            .any(|name| name.starts_with('-') || name.contains('*'))
        {
            rules.fault(
                "a service is named in full",
                "write its name without `*` and `-` in front",
            );
        }
        if self.enabled && self.manager != Manager::Systemd {
            rules.fault("`enabled` is known of systemd only", "leave it out");
        }
        if self.max_restarts.is_some() && self.manager == Manager::Launchd {
            rules.fault(
                "launchd does not count restarts",
                "leave `max_restarts` out",
            );
        }
    }
}
