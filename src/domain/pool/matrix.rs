//! Packs beside hosts: what the last live call of a provider through a host came to. Old evidence is
//! shown with its age and never made better than it was.

use crate::batch::{Batch, BatchStatus, CompletionClass, words};
use crate::ids::{BatchId, HostId, PackId};
use serde::{Deserialize, Serialize};

words! {
    /// What the last live call came to.
    Proof {
        /// A completion was served by an account of ours.
        Proven = "proven",
        /// Host and template are fine; the vendor refused the key or asked to slow down.
        KeyAtFault = "key_at_fault",
        /// The call failed otherwise.
        Broken = "broken",
        /// There was none.
        Never = "never",
    }
}

/// One pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// Provider.
    pub provider: PackId,
    /// Host.
    pub host: HostId,
    /// What the last live call came to.
    pub proof: Proof,
    /// UTC ms of it; 0 for never.
    pub at_ms: i64,
    /// What tells it: `batch/7` or `probe`.
    pub by: String,
    /// In short: the class of a failure, or that what was proven is taken back.
    pub found: String,
}

impl Pairing {
    /// A pair that was never called.
    pub fn never(provider: &PackId, host: &HostId) -> Self {
        Self {
            provider: provider.clone(),
            host: host.clone(),
            proof: Proof::Never,
            at_ms: 0,
            by: String::new(),
            found: String::new(),
        }
    }

    /// What an import tells; `None` when it came to no call.
    pub fn of_batch(batch: &Batch) -> Option<Self> {
        let class = batch.completion_classification;
        let served = batch.gateway.completion_ok && batch.gateway.served_by_ours;
        let proof = match class {
            _ if served => Proof::Proven,
            Some(class) => of_class(class),
            None => return None,
        };
        let mut found = match class {
            Some(class) if !served => class.to_string(),
            _ => String::new(),
        };
        if batch.batch_status == BatchStatus::RolledBack {
            "taken back since".clone_into(&mut found);
        }
        let at = batch.last_write_ms;
        Some(Self {
            provider: batch.provider.clone(),
            host: batch.host.clone(),
            proof,
            at_ms: if at > 0 { at } else { batch.created_ms },
            by: name(batch.id),
            found,
        })
    }
}

fn name(batch: BatchId) -> String {
    batch.to_string()
}

/// Whose fault a failed completion is, for the template of the pack.
fn of_class(class: CompletionClass) -> Proof {
    match class {
        CompletionClass::UpstreamKeyQuotaIssue
        | CompletionClass::UpstreamAuthFailed
        | CompletionClass::UpstreamRateLimited => Proof::KeyAtFault,
        // The upstream answered; that nobody of ours served it is no proof.
        CompletionClass::Ok
        | CompletionClass::HostCompatibilityGap
        | CompletionClass::UpstreamUnreachable
        | CompletionClass::UpstreamUnexpected => Proof::Broken,
    }
}

/// The newest of what is known of each pair, every pair once: by provider, then host.
pub fn matrix(providers: &[PackId], hosts: &[HostId], known: &[Pairing]) -> Vec<Pairing> {
    providers
        .iter()
        .flat_map(|provider| hosts.iter().map(move |host| (provider, host)))
        .map(|(provider, host)| {
            known
                .iter()
                .filter(|pair| pair.provider == *provider && pair.host == *host)
                .max_by_key(|pair| pair.at_ms)
                .cloned()
                .unwrap_or_else(|| Pairing::never(provider, host))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_call_counts_and_a_pair_without_one_says_never() {
        let id = |text: &str| PackId::new(text).unwrap();
        let host = HostId::new("edge").unwrap();
        let pair = |proof, at_ms| Pairing {
            proof,
            at_ms,
            ..Pairing::never(&id("a"), &host)
        };
        let known = [pair(Proof::Proven, 5), pair(Proof::KeyAtFault, 9)];
        let made = matrix(&[id("a"), id("b")], std::slice::from_ref(&host), &known);
        let told: Vec<_> = made.iter().map(|pair| (pair.proof, pair.at_ms)).collect();
        assert_eq!(told, [(Proof::KeyAtFault, 9), (Proof::Never, 0)]);
        assert_eq!(
            of_class(CompletionClass::UpstreamRateLimited),
            Proof::KeyAtFault
        );
        assert_eq!(
            of_class(CompletionClass::HostCompatibilityGap),
            Proof::Broken
        );
    }
}
