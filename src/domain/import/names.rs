//! Deterministic names on hosts (`product.md` 11): never a batch id, so that a lookup after a
//! crash finds what a lost answer made.

use crate::ids::{HostId, PackId};
use crate::pack::ProviderPack;
use crate::secret::{Fingerprint, Secret};
use regex::Regex;

/// `{provider}.{fp12}`.
pub fn account_name(provider: &PackId, fingerprint: &Fingerprint) -> String {
    format!("{provider}.{fingerprint}")
}

/// Whether a name is one of ours for this provider: `^{provider}\.[0-9a-f]{12}$`.
pub fn is_own_name(provider: &PackId, name: &str) -> bool {
    name.strip_prefix(provider.as_str())
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|rest| Fingerprint::parse(rest).is_some())
}

/// Names of accounts that are ours or an older tool's, made ready for many names. Patterns are
/// anchored and were checked when the pack was read; one that does not compile matches nothing.
#[derive(Debug, Clone)]
pub struct Leftovers<'p> {
    provider: &'p PackId,
    patterns: Vec<Regex>,
}

impl<'p> Leftovers<'p> {
    /// The names of a pack.
    pub fn of(pack: &'p ProviderPack) -> Self {
        let patterns = pack.legacy_account_patterns.iter();
        Self {
            provider: &pack.id,
            patterns: patterns.filter_map(|text| Regex::new(text).ok()).collect(),
        }
    }

    /// Whether a name is one of them.
    pub fn holds(&self, name: &str) -> bool {
        is_own_name(self.provider, name)
            || self.patterns.iter().any(|pattern| pattern.is_match(name))
    }
}

/// E-mail of the managed user: one per host and provider. `.invalid` can never receive mail.
pub fn managed_email(provider: &PackId) -> String {
    format!("relay-{provider}@cockpit.invalid")
}

/// Password of the managed user, derived so that a replay is byte-equal.
pub fn managed_password(local: &Secret, host: &HostId, provider: &PackId) -> Secret {
    local.derive(&["user-password", host.as_str(), provider.as_str()])
}

/// Name of the managed key.
pub fn managed_key_name(provider: &PackId) -> String {
    format!("relay-{provider}")
}

/// Text of a managed key. Whether a deleted key's text may be used again differs between hosts, so
/// each creation has its own `nonce`: the idempotency key of the step, durable before it is sent.
pub fn managed_key(local: &Secret, host: &HostId, provider: &PackId, nonce: &str) -> Secret {
    let tail = local.derive(&["user-key", host.as_str(), provider.as_str(), nonce]);
    Secret::new(format!("sk-relay-{}", &tail.expose()[..48]))
}

/// Notes of a managed subscription: constant, or a repeat is a conflict (trap 7).
pub fn subscription_notes(provider: &PackId) -> String {
    format!("relay-cockpit {provider}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_shape_is_ours() {
        let provider = PackId::new("lab").unwrap();
        assert!(is_own_name(&provider, "lab.0123456789ab"));
        for other in [
            "lab.0123456789abc",
            "lab.0123456789AB",
            "lab-0123456789ab",
            "xlab.0123456789ab",
            "lab2.0123456789ab",
            "lab.",
        ] {
            assert!(!is_own_name(&provider, other), "{other}");
        }
    }

    #[test]
    fn a_managed_key_is_replayable_and_new_for_a_new_nonce() {
        let (local, host, provider) = (
            Secret::new("k"),
            HostId::new("h").unwrap(),
            PackId::new("p").unwrap(),
        );
        let one = managed_key(&local, &host, &provider, "n1");
        assert_eq!(one, managed_key(&local, &host, &provider, "n1"));
        assert_ne!(one, managed_key(&local, &host, &provider, "n2"));
        assert!(one.expose().starts_with("sk-relay-"));
        assert!(one.expose().len() >= 16);
    }
}
