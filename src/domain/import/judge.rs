//! Judging one key by itself, and the batch by its keys and the gateway (`product.md` 4.5, 4.9).

use crate::batch::{
    AccessMode, AccessStatus, AccountStatus, BatchStatus, ImportMode, ProviderStatus,
    UpstreamEvidence,
};

/// Words in an upstream's refusal that are about quota.
const QUOTA_WORDS: [&str; 6] = [
    "insufficient_user_quota",
    "insufficient_quota",
    "quota",
    "balance",
    "余额",
    "额度",
];
/// Words about the credential.
const AUTH_WORDS: [&str; 7] = [
    "invalid api key",
    "invalid_api_key",
    "incorrect api key",
    "unauthorized",
    "authentication",
    "api key is disabled",
    "无效的令牌",
];
/// What this host version says of an account it knows to be chat-only: inconclusive, not broken
/// (`host-contract.md` 4.3.5).
const RESPONSES_UNSUPPORTED: &str = "不支持 OpenAI Responses API";

/// Whether a text speaks of quota.
pub(super) fn speaks_of_quota(text: &str) -> bool {
    let text = text.to_lowercase();
    QUOTA_WORDS.iter().any(|word| text.contains(word))
}

/// Whether a text speaks of a refused credential.
pub(super) fn speaks_of_auth(text: &str) -> bool {
    let text = text.to_lowercase();
    AUTH_WORDS.iter().any(|word| text.contains(word))
}

/// What came out for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyJudgement {
    /// Passed, warning, failed.
    pub status: AccountStatus,
    /// Whether the host's own test passed.
    pub probe_ok: bool,
    /// Whether a failed test is forgiven.
    pub probe_advisory: bool,
    /// One sentence, never empty.
    pub summary: String,
}

/// Judges a key. `test` is the host's account test with the smoke model: `None` passed, else its
/// reason. `direct` is what the upstream said to *this* key, asked directly.
pub fn judge_key(test: Option<&str>, direct: &UpstreamEvidence) -> KeyJudgement {
    let Some(reason) = test else {
        return KeyJudgement {
            status: AccountStatus::Passed,
            probe_ok: true,
            probe_advisory: false,
            summary: "the host's account test passed with the smoke model".to_owned(),
        };
    };
    let direct_good = direct.upstream_chat_status == 200;
    let inconclusive = reason.contains(RESPONSES_UNSUPPORTED);
    let first_403 =
        reason.contains("API returned 403") && !speaks_of_quota(reason) && !speaks_of_auth(reason);
    let advisory = (inconclusive || first_403) && direct_good;
    let reason = if reason.trim().is_empty() {
        "the host's account test ended without a reason"
    } else {
        reason
    };
    let told = format!(
        "asked directly the upstream answers {}",
        direct.upstream_chat_status
    );
    if advisory {
        let what = if inconclusive {
            "the host's account test cannot judge chat-only upstreams"
        } else {
            "the host's account test met a first 403"
        };
        KeyJudgement {
            status: AccountStatus::Warning,
            probe_ok: false,
            probe_advisory: true,
            summary: format!("{what}; {told}"),
        }
    } else {
        KeyJudgement {
            status: AccountStatus::Failed,
            probe_ok: false,
            probe_advisory: false,
            summary: if direct.upstream_chat_status == 0 {
                reason.to_owned()
            } else {
                format!("{reason}; {told}")
            },
        }
    }
}

/// The words a batch ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinalWords {
    /// Batch status.
    pub batch: BatchStatus,
    /// Provider status; `None` is "as before the import".
    pub provider: Option<ProviderStatus>,
    /// Access status.
    pub access: AccessStatus,
    /// Whether our own work has to be undone.
    pub undo: bool,
}

/// The verdict table of `product.md` 4. `gateway_ready` is `None` when it was not asked because
/// nothing usable was left.
pub fn final_words(
    accounts: &[AccountStatus],
    gateway_ready: Option<bool>,
    mode: ImportMode,
    access: AccessMode,
) -> FinalWords {
    let failed = accounts
        .iter()
        .filter(|status| **status == AccountStatus::Failed)
        .count();
    let ready = gateway_ready == Some(true);
    let access_status = match (ready, access) {
        (false, _) => AccessStatus::Broken,
        (true, AccessMode::Subscription) => AccessStatus::SubscriptionReady,
        (true, AccessMode::SelfService) => AccessStatus::SelfServiceReady,
    };
    if failed == accounts.len() {
        return FinalWords {
            batch: BatchStatus::Failed,
            provider: Some(ProviderStatus::Failed),
            access: AccessStatus::Broken,
            undo: true,
        };
    }
    if failed > 0 && mode == ImportMode::Strict {
        return FinalWords {
            batch: BatchStatus::Failed,
            provider: None,
            access: AccessStatus::Broken,
            undo: true,
        };
    }
    let whole = failed == 0 && ready;
    FinalWords {
        batch: if whole {
            BatchStatus::Succeeded
        } else {
            BatchStatus::PartiallySucceeded
        },
        provider: Some(if whole {
            ProviderStatus::Active
        } else {
            ProviderStatus::Degraded
        }),
        access: access_status,
        undo: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AccountStatus::{Failed, Passed, Warning};

    fn direct(status: u16) -> UpstreamEvidence {
        UpstreamEvidence {
            upstream_chat_status: status,
            ..UpstreamEvidence::default()
        }
    }

    #[test]
    fn the_verdict_table_row_by_row() {
        use {BatchStatus as B, ProviderStatus as P};
        let rows: [(
            &str,
            &[AccountStatus],
            Option<bool>,
            ImportMode,
            B,
            Option<P>,
            bool,
        ); 8] = [
            (
                "all good, ready",
                &[Passed, Warning],
                Some(true),
                ImportMode::Strict,
                B::Succeeded,
                Some(P::Active),
                false,
            ),
            (
                "all good, ready",
                &[Passed],
                Some(true),
                ImportMode::Partial,
                B::Succeeded,
                Some(P::Active),
                false,
            ),
            (
                "all good, broken",
                &[Passed],
                Some(false),
                ImportMode::Strict,
                B::PartiallySucceeded,
                Some(P::Degraded),
                false,
            ),
            (
                "some failed, ready, partial",
                &[Passed, Failed],
                Some(true),
                ImportMode::Partial,
                B::PartiallySucceeded,
                Some(P::Degraded),
                false,
            ),
            (
                "some failed, broken, partial",
                &[Passed, Failed],
                Some(false),
                ImportMode::Partial,
                B::PartiallySucceeded,
                Some(P::Degraded),
                false,
            ),
            (
                "some failed, strict",
                &[Passed, Failed],
                Some(true),
                ImportMode::Strict,
                B::Failed,
                None,
                true,
            ),
            (
                "none usable, partial",
                &[Failed, Failed],
                None,
                ImportMode::Partial,
                B::Failed,
                Some(P::Failed),
                true,
            ),
            (
                "none usable, strict",
                &[Failed],
                None,
                ImportMode::Strict,
                B::Failed,
                Some(P::Failed),
                true,
            ),
        ];
        for (name, accounts, gateway, mode, batch, provider, undo) in rows {
            let words = final_words(accounts, gateway, mode, AccessMode::Subscription);
            assert_eq!(
                (words.batch, words.provider, words.undo),
                (batch, provider, undo),
                "{name}"
            );
        }
    }

    #[test]
    fn models_alone_never_make_access_ready() {
        let words = final_words(
            &[Passed],
            Some(false),
            ImportMode::Partial,
            AccessMode::SelfService,
        );
        assert_eq!(words.access, AccessStatus::Broken);
    }

    #[test]
    fn a_key_is_forgiven_only_with_a_good_direct_look() {
        let chat_only = "该账号探测为不支持 OpenAI Responses API, 本身可用";
        let rows = [
            ("passed", None, 0, Passed),
            ("chat-only, direct good", Some(chat_only), 200, Warning),
            ("chat-only, direct refused", Some(chat_only), 401, Failed),
            (
                "first 403, direct good",
                Some("API returned 403: Forbidden"),
                200,
                Warning,
            ),
            (
                "first 403, direct 403",
                Some("API returned 403: Forbidden"),
                403,
                Failed,
            ),
            (
                "403 with quota words",
                Some("API returned 403: insufficient_user_quota"),
                200,
                Failed,
            ),
            (
                "401",
                Some("API returned 401: Invalid API key"),
                200,
                Failed,
            ),
            (
                "402",
                Some("API returned 402: Payment required"),
                200,
                Failed,
            ),
            ("empty reason", Some(""), 200, Failed),
        ];
        for (name, test, status, expected) in rows {
            let judgement = judge_key(test, &direct(status));
            assert_eq!(judgement.status, expected, "{name}");
            assert!(!judgement.summary.is_empty(), "{name}");
            assert_eq!(judgement.probe_advisory, expected == Warning, "{name}");
        }
    }
}
