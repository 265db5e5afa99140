//! What a baseline pack says: the expectations of one environment, with every variable filled in.

use super::gate::{Gate, GateAct, StackRules};
use super::looks::Look;
use super::pace::Pace;
use crate::ids::{MachineId, PackId};
use crate::runbook::Runbook;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Longest time a check of ours may take.
const OWN_LIMIT: Duration = Duration::from_secs(30);

/// A named set of checks for an environment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BaselinePack {
    /// Folder name below `packs/`.
    pub id: PackId,
    /// Name for people.
    pub title: String,
    /// The same in Chinese, if the pack has it.
    pub title_zh: Option<String>,
    /// SHA-256 of the pack text, 64 hex digits: what trust is given to.
    pub fingerprint: String,
    /// Variables with the values in force.
    pub vars: BTreeMap<String, String>,
    /// The checks, in the order they are shown.
    pub checks: Vec<Check>,
    /// Its runbooks, by name.
    pub runbooks: Vec<Runbook>,
    /// What is looked at before and after every deployment.
    pub gate: Option<Gate>,
    /// How stacks beside it are stopped, and what proves it well afterwards.
    pub stacks: StackRules,
}

impl BaselinePack {
    /// Checks of ours that stand in no pack.
    pub fn own(id: PackId, checks: Vec<Check>) -> Self {
        Self {
            id,
            title: String::new(),
            title_zh: None,
            fingerprint: String::new(),
            vars: BTreeMap::new(),
            checks,
            runbooks: Vec::new(),
            gate: None,
            stacks: StackRules::default(),
        }
    }

    /// The same pack with other checks.
    #[must_use]
    pub fn with_checks(&self, checks: Vec<Check>) -> Self {
        Self {
            checks,
            ..self.clone()
        }
    }

    /// The check with this id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// The runbook of this name.
    pub fn runbook(&self, name: &str) -> Option<&Runbook> {
        self.runbooks.iter().find(|book| book.name == name)
    }

    /// Whether it brings commands or queries of its own, which run only when it is trusted.
    pub fn has_commands(&self) -> bool {
        let mut looks = self.checks.iter().map(|check| &check.look);
        let mut steps = self.gate.iter().flat_map(|gate| &gate.steps);
        looks.any(|look| matches!(look, Look::Command(_) | Look::Sql(_)))
            || self.runbooks.iter().any(Runbook::has_commands)
            || steps.any(|step| !matches!(step.act, GateAct::Check(_)))
            || !self.stacks.stop.is_empty()
    }

    /// The machines its checks look from, each once.
    pub fn machines(&self) -> Vec<&MachineId> {
        let mut machines: Vec<&MachineId> = Vec::new();
        for check in &self.checks {
            if let Place::Machine(machine) = &check.vantage
                && !machines.contains(&machine)
            {
                machines.push(machine);
            }
        }
        machines
    }
}

/// One declared expectation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Unique in the pack, such as `entry.no-key`.
    pub id: String,
    /// The layer it belongs to.
    pub layer: Layer,
    /// What its failure means for the whole.
    pub level: Level,
    /// Where it looks from.
    pub vantage: Place,
    /// Checks whose failure explains this one's.
    pub parents: Vec<String>,
    /// Name for people.
    pub title: String,
    /// The same in Chinese, if the pack has it.
    pub title_zh: Option<String>,
    /// Why it matters.
    pub why: String,
    /// The same in Chinese, if the pack has it.
    pub why_zh: Option<String>,
    /// What to do when it fails.
    pub next_step: String,
    /// The same in Chinese, if the pack has it.
    pub next_step_zh: Option<String>,
    /// Longest time the check may take.
    #[serde(serialize_with = "as_seconds", rename = "time_limit_s")]
    pub time_limit: Duration,
    /// When it is looked at, and how long that stands.
    #[serde(flatten)]
    pub pace: Pace,
    /// How it looks, and what is expected.
    pub look: Look,
}

impl Check {
    /// A check of ours that stands in no pack: nothing above it, and it counts whole.
    pub fn own(
        id: impl Into<String>,
        title: impl Into<String>,
        vantage: Place,
        look: Look,
        next_step: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            layer: Layer::Host,
            level: Level::Must,
            vantage,
            parents: Vec::new(),
            title: title.into(),
            title_zh: None,
            why: String::new(),
            why_zh: None,
            next_step: next_step.into(),
            next_step_zh: None,
            time_limit: OWN_LIMIT,
            pace: Pace::default(),
            look,
        }
    }
}

fn as_seconds<S: serde::Serializer>(limit: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(limit.as_secs())
}

/// Where a check looks from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// This computer.
    Here,
    /// A machine of the config.
    Machine(MachineId),
    /// The machine that the config marks as standing outside.
    Outside,
}

impl Place {
    /// Reads `here`, `outside` or `machine:NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "here" => return Some(Self::Here),
            "outside" => return Some(Self::Outside),
            _ => {}
        }
        let name = text.strip_prefix("machine:")?;
        MachineId::new(name).ok().map(Self::Machine)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => f.write_str("here"),
            Self::Outside => f.write_str("outside"),
            Self::Machine(machine) => write!(f, "machine:{machine}"),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The layers a request passes, from the outside in; then what lies beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The public data-plane address and its proxy.
    Entry,
    /// The static user portal.
    Portal,
    /// The control plane and its proxy.
    ControlPlane,
    /// The host's processes, containers and ports.
    Host,
    /// Channel, group, key and account bindings on the host.
    Binding,
    /// The vendors, seen through a real call.
    Upstream,
    /// Profiles and keys of clients.
    Client,
    /// Leftovers and files that must not matter.
    Hygiene,
}

impl Layer {
    /// Every layer, from the outside in.
    pub const ALL: [Self; 8] = [
        Self::Entry,
        Self::Portal,
        Self::ControlPlane,
        Self::Host,
        Self::Binding,
        Self::Upstream,
        Self::Client,
        Self::Hygiene,
    ];

    /// The word in packs, in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Portal => "portal",
            Self::ControlPlane => "control-plane",
            Self::Host => "host",
            Self::Binding => "binding",
            Self::Upstream => "upstream",
            Self::Client => "client",
            Self::Hygiene => "hygiene",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a failed check means for the whole. Greater gates more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing; it is shown.
    Info,
    /// A warning.
    Should,
    /// The environment is broken.
    Must,
}

impl Level {
    /// The word in packs, in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Should => "should",
            Self::Must => "must",
        }
    }
}
