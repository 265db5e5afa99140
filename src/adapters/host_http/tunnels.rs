//! What this adapter wants of a tunnel: a UNIX socket that leads to an address as a machine sees
//! it. The ssh adapter gives it; tests give sockets of their own.

use async_trait::async_trait;
use cockpit_domain::ids::MachineId;
use cockpit_engine::failure::{Failure, Outcome};
use std::path::Path;
use std::sync::Arc;

/// An open forward. It stays open while somebody holds this.
#[async_trait]
pub trait TunnelGuard: Send + Sync {
    /// The local UNIX socket that leads there.
    fn path(&self) -> &Path;

    /// Whether the connection under it stands, as far as is known here.
    fn is_open(&self) -> bool {
        true
    }

    /// Looks end to end again and says why nobody is there, if so. For the moment in which a
    /// request over the socket ended without a word, as it does in front of a closed port.
    async fn trouble(&self) -> Option<Failure> {
        None
    }
}

/// Opens forwards, or gives the one that is open already. Asking again after a broken connection
/// makes it anew. Never asked about the local machine.
#[async_trait]
pub trait Tunnels: Send + Sync {
    /// The way to `host:port` as the machine sees it.
    async fn socket(
        &self,
        machine: &MachineId,
        host: &str,
        port: u16,
    ) -> Outcome<Arc<dyn TunnelGuard>>;
}
