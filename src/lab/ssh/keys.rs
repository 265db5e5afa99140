//! Key pairs of the lab and the texts OpenSSH reads them from.

use crate::error::LabError;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey, PublicKey};
use std::net::SocketAddr;

/// An ed25519 key pair made for this lab.
pub(crate) struct SshKey(PrivateKey);

impl SshKey {
    pub(crate) fn generate() -> Result<Self, LabError> {
        PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519)
            .map(Self)
            .map_err(|error| LabError::Key(error.to_string()))
    }

    pub(crate) fn private(&self) -> PrivateKey {
        self.0.clone()
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.0.public_key().clone()
    }

    /// The private key as `ssh -i` reads it.
    pub(crate) fn pem(&self) -> Result<String, LabError> {
        self.0
            .to_openssh(LineEnding::LF)
            .map(|pem| pem.to_string())
            .map_err(|error| LabError::Key(error.to_string()))
    }
}

/// The line of `known_hosts` that pins a machine's key.
pub(crate) fn known_hosts_line(at: SocketAddr, key: &SshKey) -> Result<String, LabError> {
    let key = key
        .public()
        .to_openssh()
        .map_err(|error| LabError::Key(error.to_string()))?;
    Ok(format!("[{}]:{} {key}\n", at.ip(), at.port()))
}
