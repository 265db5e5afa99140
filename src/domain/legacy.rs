//! Status words of the tool that came before, and of older rows of a host, in ours. The one table of
//! them: what a word means, and where it was seen. `S1`, `S2` and `P` are the sources as the notes on
//! the predecessor name them (execution board, final board, the project's own pages); `host` is a row
//! of the host itself (`host-contract.md` 4.4 to 4.6, 9).

use crate::batch::{AccessStatus, AccountStatus, BatchStatus, ProviderStatus};
use std::fmt;

/// How something stands that an older tool or a person left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It serves.
    InService,
    /// Somebody took it out.
    OutOfService,
    /// Something broke it.
    Broken,
    /// Its end or its limit took it out.
    Spent,
    /// Nobody looked yet.
    Unknown,
}

impl fmt::Display for Stands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InService => "in service",
            Self::OutOfService => "out of service",
            Self::Broken => "broken",
            Self::Spent => "run out",
            Self::Unknown => "nobody knows how it stands",
        })
    }
}

/// What a word is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// An account: its row on the host, or `matched_account_state` and `account_resolution` of an item.
    Account,
    /// A user.
    User,
    /// A user's key.
    Key,
}

/// Words of accounts, users and keys.
const STANDS: [(Of, &str, Stands, &str); 22] = [
    (Of::Account, "active", Stands::InService, "host, P:api"),
    (
        Of::Account,
        "created",
        Stands::InService,
        "P:api account_resolution",
    ),
    (
        Of::Account,
        "reused",
        Stands::InService,
        "P:api account_resolution",
    ),
    (
        Of::Account,
        "reactivated",
        Stands::InService,
        "P:api account_resolution",
    ),
    (Of::Account, "inactive", Stands::OutOfService, "host"),
    (
        Of::Account,
        "disabled",
        Stands::OutOfService,
        "host (old rows), P:api",
    ),
    (
        Of::Account,
        "deprecated",
        Stands::OutOfService,
        "P:api matched_account_state",
    ),
    (
        Of::Account,
        "replaced",
        Stands::OutOfService,
        "P:api account_resolution",
    ),
    (Of::Account, "error", Stands::Broken, "host"),
    (
        Of::Account,
        "broken",
        Stands::Broken,
        "P:api matched_account_state",
    ),
    (
        Of::Account,
        "failed",
        Stands::Broken,
        "P:imp account_status",
    ),
    (
        Of::Account,
        "none",
        Stands::Unknown,
        "P:api matched_account_state",
    ),
    (Of::Account, "unknown", Stands::Unknown, "P:api"),
    (Of::User, "active", Stands::InService, "host"),
    (Of::User, "inactive", Stands::OutOfService, "host"),
    (Of::User, "disabled", Stands::OutOfService, "host"),
    (Of::Key, "active", Stands::InService, "host"),
    (Of::Key, "inactive", Stands::OutOfService, "host"),
    (Of::Key, "disabled", Stands::OutOfService, "host (old rows)"),
    (
        Of::Key,
        "paused",
        Stands::OutOfService,
        "P: pause of a portal key",
    ),
    (Of::Key, "quota_exhausted", Stands::Spent, "host"),
    (Of::Key, "expired", Stands::Spent, "host"),
];

fn stands(of: Of, word: &str) -> Stands {
    let mut rows = STANDS.iter();
    let row = rows.find(|(kind, known, ..)| *kind == of && *known == word);
    // What nobody ever wrote down is not taken for well.
    row.map_or(Stands::Broken, |(_, _, stands, _)| *stands)
}

/// How an account stands.
pub fn account(word: &str) -> Stands {
    stands(Of::Account, word)
}

/// How a user stands.
pub fn user(word: &str) -> Stands {
    stands(Of::User, word)
}

/// How a key stands.
pub fn key(word: &str) -> Stands {
    stands(Of::Key, word)
}

/// Words of batches: of the first control plane, and of the runs of its second.
const BATCHES: [(&str, BatchStatus, &str); 9] = [
    ("running", BatchStatus::Running, "P:imp, P:tdd"),
    ("succeeded", BatchStatus::Succeeded, "P:imp"),
    ("completed", BatchStatus::Succeeded, "P:tdd run state"),
    (
        "partially_succeeded",
        BatchStatus::PartiallySucceeded,
        "P:imp",
    ),
    (
        "completed_with_warnings",
        BatchStatus::PartiallySucceeded,
        "P:tdd run state",
    ),
    (
        "warning",
        BatchStatus::PartiallySucceeded,
        "P:api, a page's label",
    ),
    ("failed", BatchStatus::Failed, "P:imp, P:tdd"),
    ("cancelled", BatchStatus::Interrupted, "P:tdd run state"),
    ("rolled_back", BatchStatus::RolledBack, "P:imp"),
];

/// A batch's word in ours; `None` for one that was never seen.
pub fn batch(word: &str) -> Option<BatchStatus> {
    let mut rows = BATCHES.iter();
    rows.find(|(known, ..)| *known == word)
        .map(|(_, status, _)| *status)
}

/// Words of access. The second control plane says `active` where the first named the mode.
const ACCESS: [(&str, AccessStatus, &str); 6] = [
    (
        "subscription_ready",
        AccessStatus::SubscriptionReady,
        "P:imp",
    ),
    (
        "self_service_ready",
        AccessStatus::SelfServiceReady,
        "P:imp, S1",
    ),
    ("fully_ready", AccessStatus::FullyReady, "P:imp, S1"),
    ("active", AccessStatus::FullyReady, "O2 item"),
    (
        "degraded",
        AccessStatus::Broken,
        "O2 item: advisory, proves nothing",
    ),
    ("broken", AccessStatus::Broken, "P:imp, O2"),
];

/// A word of access in ours; `None` for `unknown` and for one that was never seen.
pub fn access(word: &str) -> Option<AccessStatus> {
    let mut rows = ACCESS.iter();
    rows.find(|(known, ..)| *known == word)
        .map(|(_, status, _)| *status)
}

/// A provider's word in ours; `partially_succeeded` was printed for one, once (S1, a slip).
pub fn provider(word: &str) -> Option<ProviderStatus> {
    match word {
        "active" => Some(ProviderStatus::Active),
        "degraded" | "partially_succeeded" => Some(ProviderStatus::Degraded),
        "failed" => Some(ProviderStatus::Failed),
        _ => None,
    }
}

/// A validation's word in ours: `probe_advisory` makes a warning of it.
pub fn validation(word: &str) -> Option<AccountStatus> {
    match word {
        "passed" | "confirmed" => Some(AccountStatus::Passed),
        "warning" | "advisory" => Some(AccountStatus::Warning),
        "failed" | "timed_out" => Some(AccountStatus::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_source_and_stands_once() {
        let mut seen = Vec::new();
        for (of, word, stands, source) in STANDS {
            assert!(!source.is_empty() && !seen.contains(&(of, word)), "{word}");
            assert_eq!(super::stands(of, word), stands, "{word}");
            seen.push((of, word));
        }
        let sources = BATCHES.map(|row| row.2).into_iter();
        assert!(
            sources
                .chain(ACCESS.map(|row| row.2))
                .all(|source| !source.is_empty())
        );
    }

    #[test]
    fn our_own_words_mean_themselves_and_unknown_ones_are_never_well() {
        for status in BatchStatus::ALL {
            let known = batch(status.as_str());
            assert!(known.is_none_or(|known| known == *status), "{status}");
        }
        for status in AccessStatus::ALL {
            assert_eq!(access(status.as_str()), Some(*status));
        }
        for status in ProviderStatus::ALL {
            assert_eq!(provider(status.as_str()), Some(*status));
        }
        for status in AccountStatus::ALL {
            assert_eq!(validation(status.as_str()), Some(*status));
        }
        assert_eq!(account("shiny"), Stands::Broken);
        assert_eq!((batch("shiny"), access("unknown")), (None, None));
    }
}
