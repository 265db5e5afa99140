//! Secret text: never printed, never serialised, wiped on drop. And its public shadow, the
//! fingerprint. Sealing at rest is an adapter's work.

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// A secret text. `Debug` and `Display` print stars; there is no `Serialize`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The clear text: for the request itself and for sealing, nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// First 12 hex digits of SHA-256 (`product.md` 2).
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(hex(&Sha256::digest(self.0.as_bytes()))[..12].to_owned())
    }

    /// How a key is shown: `sk-..9f3a`. Short texts show no tail at all.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }

    /// Derives a secret that only the holder of this one can derive again, so that a repeated
    /// request is equal byte for byte (`product.md` 11, "names on hosts").
    #[must_use]
    pub fn derive(&self, purpose: &[&str]) -> Self {
        // HMAC takes keys of every length; the type cannot say so.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) else {
            unreachable!("HMAC-SHA256 takes any key length");
        };
        for part in purpose {
            // Length first, so that ("ab","c") and ("a","bc") differ.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Self::new(hex(&mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// The public name of a key: first 12 hex digits of the SHA-256 of its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The 12 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads 12 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let good = text.len() == 12
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        good.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lower-case hex of bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            use fmt::Write as _;
            let _ = write!(out, "{byte:02x}");
            out
        })
}

/// SHA-256 of a text as 64 hex digits.
pub fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Masks one key-like text, keeping its public prefix and four last characters.
pub(crate) fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let prefix = if text.starts_with("sk-") {
        "sk-"
    } else if text.starts_with("admin-") {
        "admin-"
    } else {
        ""
    };
    if chars.len() < prefix.len() + 12 {
        return format!("{prefix}..");
    }
    let tail: String = chars[chars.len() - 4..].iter().collect();
    format!("{prefix}..{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_stars_only() {
        let secret = Secret::new("sk-lab-good-0001");
        assert_eq!(format!("{secret:?} {secret}"), "Secret(***) ***");
        assert_eq!(secret.masked(), "sk-..0001");
        assert_eq!(Secret::new("sk-short").masked(), "sk-..");
    }

    #[test]
    fn fingerprint_is_the_head_of_sha256() {
        // `printf abc | sha256sum` begins with ba7816bf8f01cfea
        assert_eq!(Secret::new("abc").fingerprint().as_str(), "ba7816bf8f01");
    }

    #[test]
    fn derivation_is_repeatable_and_separates_its_parts() {
        let key = Secret::new("local");
        assert_eq!(key.derive(&["ab", "c"]), key.derive(&["ab", "c"]));
        assert_ne!(key.derive(&["ab", "c"]), key.derive(&["a", "bc"]));
    }
}
