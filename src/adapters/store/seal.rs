//! Sealing of keys that must outlive the process: XChaCha20-Poly1305 under a key that lies beside
//! the database, so that a copied database alone gives nothing away.

use super::error::failure;
use super::files::{read_key, read_or_make_key};
use chacha20poly1305::aead::{Aead, AeadCore, KeyInit, OsRng, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use cockpit_domain::ids::PlanId;
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::{Failure, Outcome};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// Seals and opens under one key file.
#[derive(Debug, Clone)]
pub(super) struct Sealer {
    key_file: PathBuf,
    /// Lets a test write clear text, to prove that it would be found.
    #[cfg(test)]
    pub(super) bypassed: bool,
}

impl Sealer {
    /// A sealer for a state folder. The key file is made when something is first sealed.
    pub(super) fn new(state_dir: &Path) -> Self {
        Self {
            key_file: state_dir.join("seal.key"),
            #[cfg(test)]
            bypassed: false,
        }
    }

    /// A cipher for sealing; makes the key file when it is missing.
    pub(super) fn cipher(&self) -> Outcome<Cipher> {
        let key = read_or_make_key(&self.key_file)?;
        self.with(&key)
    }

    /// A cipher for opening only: never makes a key file, since a fresh key opens nothing.
    pub(super) fn opener(&self) -> Outcome<Cipher> {
        match read_key(&self.key_file)? {
            Some(key) => self.with(&key),
            None => Err(failure(format!(
                "`{}` is missing, so the sealed keys cannot be opened",
                self.key_file.display()
            ))
            .hint("put the file back, or make the plan anew with the keys")),
        }
    }

    fn with(&self, key: &Secret) -> Outcome<Cipher> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        for (byte, pair) in bytes.iter_mut().zip(key.expose().as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16).map_err(|_| {
                failure(format!("`{}` does not hold a key", self.key_file.display()))
            })?;
        }
        Ok(Cipher {
            inner: XChaCha20Poly1305::new(bytes.as_ref().into()),
            key_file: self.key_file.clone(),
            #[cfg(test)]
            bypassed: self.bypassed,
        })
    }
}

/// A key file's cipher, in memory while one call needs it.
pub(super) struct Cipher {
    inner: XChaCha20Poly1305,
    key_file: PathBuf,
    #[cfg(test)]
    bypassed: bool,
}

/// What a sealed value belongs to: it opens nowhere else.
fn place(plan: PlanId, index: i64) -> String {
    format!("plan {} key {index}", plan.0)
}

impl Cipher {
    /// Seals a key for its place in a plan.
    pub(super) fn seal(&self, plan: PlanId, index: i64, key: &Secret) -> Outcome<Vec<u8>> {
        #[cfg(test)]
        if self.bypassed {
            return Ok(key.expose().as_bytes().to_vec());
        }
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let place = place(plan, index);
        let payload = Payload {
            msg: key.expose().as_bytes(),
            aad: place.as_bytes(),
        };
        let sealed = self
            .inner
            .encrypt(&nonce, payload)
            .map_err(|_| failure("a key could not be sealed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for this place.
    pub(super) fn open(&self, plan: PlanId, index: i64, sealed: &[u8]) -> Outcome<Secret> {
        let (nonce, body) = sealed
            .split_at_checked(NONCE)
            .ok_or_else(|| self.refused(plan))?;
        let place = place(plan, index);
        let payload = Payload {
            msg: body,
            aad: place.as_bytes(),
        };
        let clear = self
            .inner
            .decrypt(XNonce::from_slice(nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| self.refused(plan))?;
        let text = std::str::from_utf8(&clear).map_err(|_| self.refused(plan))?;
        Ok(Secret::new(text))
    }

    fn refused(&self, plan: PlanId) -> Failure {
        failure(format!(
            "the keys of {plan} were sealed with another key than `{}`, or are damaged",
            self.key_file.display()
        ))
        .hint("put the old `seal.key` back, or make the plan anew with the keys")
    }
}
