//! The ssh adapter's forwards as this adapter's tunnels. The one place where the two meet.

use super::tunnels::{TunnelGuard, Tunnels};
use crate::ssh::{Forward, Ssh};
use async_trait::async_trait;
use cockpit_domain::ids::MachineId;
use cockpit_engine::failure::{Failure, Outcome};
use std::path::Path;
use std::sync::Arc;

#[async_trait]
impl TunnelGuard for Forward {
    fn path(&self) -> &Path {
        &self.socket
    }

    fn is_open(&self) -> bool {
        Self::is_open(self)
    }

    async fn trouble(&self) -> Option<Failure> {
        self.check().await.err()
    }
}

#[async_trait]
impl Tunnels for Ssh {
    async fn socket(
        &self,
        machine: &MachineId,
        host: &str,
        port: u16,
    ) -> Outcome<Arc<dyn TunnelGuard>> {
        let forward = self.forward(machine, host, port).await?;
        Ok(Arc::new(forward))
    }
}
