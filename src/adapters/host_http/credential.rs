//! How the cockpit shows itself to a host's admin API.

use async_trait::async_trait;
use cockpit_domain::ids::HostId;
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::Outcome;

/// What opens a host's admin API. Exactly one of the two is ever sent: a wrong `x-api-key` beats
/// a right Bearer token (trap 4).
#[derive(Debug, Clone)]
pub enum Credential {
    /// The one global admin key, sent as `x-api-key`.
    AdminKey(Secret),
    /// An admin's login; its token is sent as `Authorization: Bearer`.
    Login {
        /// E-mail of the admin.
        email: String,
        /// The password.
        password: Secret,
    },
}

impl Credential {
    /// The word people read.
    pub fn word(&self) -> &'static str {
        match self {
            Self::AdminKey(_) => "admin key",
            Self::Login { .. } => "login",
        }
    }

    pub(super) fn secret(&self) -> &Secret {
        match self {
            Self::AdminKey(key) => key,
            Self::Login { password, .. } => password,
        }
    }
}

/// Resolves the credential reference of a host of the config.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// The credential of this host.
    async fn of(&self, host: &HostId) -> Outcome<Credential>;
    /// Forgets it, after the host refused it: it may have been replaced where its reference points.
    async fn forget(&self, _host: &HostId) {}
}
