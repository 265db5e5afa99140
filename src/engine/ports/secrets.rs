//! References to secrets that a person names: `env:NAME`, `file:PATH`.

use crate::failure::Outcome;
use async_trait::async_trait;
use cockpit_domain::secret::Secret;

/// Reads what a reference points at.
#[async_trait]
pub trait SecretRefs: Send + Sync {
    /// The secret.
    ///
    /// # Errors
    /// `Usage` for a text that is no reference, without repeating it: it may be the secret itself.
    /// `Config` naming the reference and the way out when nothing good is there.
    async fn read(&self, reference: &str) -> Outcome<Secret>;
}
