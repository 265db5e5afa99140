//! A host as the user's config names it. The credential itself is a reference; only the secrets
//! adapter turns it into a [`Secret`](crate::secret::Secret).

use crate::ids::{HostId, MachineId, PackId};
use serde::{Deserialize, Serialize};

/// What a host is for. Every non-production host on a production machine is `temporary`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Carries live traffic. Writing wants the host's name and a reason.
    Production,
    /// Stands for acceptance runs on a machine of its own.
    Acceptance,
    /// Short-lived, with an expiry.
    Temporary,
}

impl Role {
    /// The word in config, JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Acceptance => "acceptance",
            Self::Temporary => "temporary",
        }
    }
}

/// One `[host.NAME]` of the config, without its credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// The config's name.
    pub id: HostId,
    /// Where it runs; its address is as seen from there.
    pub machine: MachineId,
    /// `127.0.0.1:8080` as seen from the machine, or a public `https://` URL.
    pub address: String,
    /// What it is for.
    pub role: Role,
    /// Baseline pack to judge it by.
    pub baseline: Option<PackId>,
    /// Calls to it in flight at most.
    pub in_flight: usize,
    /// Calls to it begun in one second at most; as fast as it answers when nothing is said.
    pub calls_per_second: Option<usize>,
    /// Addresses on its machine where another control plane may listen.
    pub neighbours: Vec<String>,
    /// Container of its PostgreSQL, for looks that must prove their database.
    pub db_container: Option<String>,
    /// Container of its Redis.
    pub redis_container: Option<String>,
}

impl HostSettings {
    /// Calls in flight, where the config says nothing: what a small host still answers at once.
    pub const IN_FLIGHT: usize = 24;

    /// A host of which the config says no more than where it is and what it is for.
    pub fn new(id: HostId, machine: MachineId, address: &str, role: Role) -> Self {
        Self {
            id,
            machine,
            address: address.to_owned(),
            role,
            baseline: None,
            in_flight: Self::IN_FLIGHT,
            calls_per_second: None,
            neighbours: Vec::new(),
            db_container: None,
            redis_container: None,
        }
    }

    /// The base URL requests are made for. A bare `host:port` speaks plain HTTP inside the tunnel.
    pub fn base_url(&self) -> String {
        if self.address.contains("://") {
            self.address.trim_end_matches('/').to_owned()
        } else {
            format!("http://{}", self.address.trim_end_matches('/'))
        }
    }
}

/// What the config says of a host beside how it is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostTerms {
    /// Container of the host itself.
    pub container: Option<String>,
    /// Its environment file, as a path on the machine.
    pub env_file: Option<String>,
    /// Set for temporary hosts.
    pub stay: Option<Stay>,
}

/// Why a temporary host stands where it stands, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// Why.
    pub reason: String,
    /// The port it takes on its machine.
    pub port: u16,
    /// Last day it may stand, `2027-01-31`.
    pub until: String,
}

/// What a host says of itself, asked without side effects (`host-contract.md` 0).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostIdentity {
    /// `version` of the public settings; empty when the host does not say.
    pub version: String,
    /// Round trip of the health call in milliseconds.
    pub round_trip_ms: u64,
    /// Captcha on login: a managed user cannot log in.
    pub captcha: bool,
    /// Only admins can log in: no managed user keys are possible.
    pub backend_mode: bool,
    /// Whether people may register themselves.
    #[serde(default)]
    pub registration: bool,
    /// UTC ms when the login that opens the host was made; `None` for an admin key.
    #[serde(default)]
    pub login_at_ms: Option<i64>,
    /// UTC ms when that login runs out; it is renewed by itself.
    #[serde(default)]
    pub login_until_ms: Option<i64>,
    /// Which credential the host took: `admin key` or `login`.
    pub credential: String,
    /// How far its clock is ahead of ours, to half a second; `None` when its answers have no date.
    #[serde(default)]
    pub clock_ahead_ms: Option<i64>,
}
