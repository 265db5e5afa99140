//! The user's config file as people edit it: blocks are checked as if they stood there, and printed.
//! Nothing here writes it.

use crate::failure::Outcome;
use async_trait::async_trait;
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::HostId;

/// A block that would be right at the end of the file.
#[derive(Debug, Clone)]
pub struct CheckedBlock {
    /// The file.
    pub file: String,
    /// The host it describes.
    pub settings: HostSettings,
}

/// A host's section in the file.
#[derive(Debug, Clone)]
pub struct Section {
    /// The file.
    pub file: String,
    /// Its first line, from 1.
    pub first: usize,
    /// Its last line.
    pub last: usize,
    /// The lines.
    pub text: String,
}

/// Looks at the config file.
#[async_trait]
pub trait Registrar: Send + Sync {
    /// Checks a block with everything else the file says.
    ///
    /// # Errors
    /// `Config` with every fault it would bring, a line each.
    async fn check(&self, block: &str, host: &HostId) -> Outcome<CheckedBlock>;

    /// Where a host's section stands.
    async fn section(&self, host: &HostId) -> Outcome<Section>;
}
