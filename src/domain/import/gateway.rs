//! When a gateway's refusal is no verdict yet, and whose fault a failure is.

use super::judge::{speaks_of_auth, speaks_of_quota};
use crate::batch::{CompletionClass, UpstreamEvidence};

/// Whether an answer within the warming window is no verdict yet (`product.md` 4.7): a 503 with
/// either body, or the first 403. `refused_before` says that an earlier try was a 403 already.
pub fn is_warming(status: u16, body: &str, refused_before: bool) -> bool {
    match status {
        503 => {
            let body = body.to_lowercase();
            body.contains("no available accounts")
                || body.contains("service temporarily unavailable")
        }
        403 => !refused_before,
        _ => false,
    }
}

/// Host beside upstream: same key, model and payload.
pub fn classify(host_completion_ok: bool, upstream: &UpstreamEvidence) -> CompletionClass {
    let words = &upstream.upstream_chat_preview;
    match upstream.upstream_chat_status {
        // A login wall and a parked name answer 200 to everything.
        200 if upstream.upstream_chat_type.starts_with("text/html") => {
            CompletionClass::UpstreamUnexpected
        }
        200 if host_completion_ok => CompletionClass::Ok,
        200 => CompletionClass::HostCompatibilityGap,
        0 => CompletionClass::UpstreamUnreachable,
        402 => CompletionClass::UpstreamKeyQuotaIssue,
        403 | 429 if speaks_of_quota(words) => CompletionClass::UpstreamKeyQuotaIssue,
        429 => CompletionClass::UpstreamRateLimited,
        401 | 403 => CompletionClass::UpstreamAuthFailed,
        400 if speaks_of_auth(words) => CompletionClass::UpstreamAuthFailed,
        _ => CompletionClass::UpstreamUnexpected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_class() {
        let cases = [
            (200, "", true, CompletionClass::Ok),
            (200, "", false, CompletionClass::HostCompatibilityGap),
            (
                403,
                "insufficient_user_quota",
                false,
                CompletionClass::UpstreamKeyQuotaIssue,
            ),
            (402, "", false, CompletionClass::UpstreamKeyQuotaIssue),
            (403, "Forbidden", false, CompletionClass::UpstreamAuthFailed),
            (401, "", false, CompletionClass::UpstreamAuthFailed),
            (
                429,
                "slow down",
                false,
                CompletionClass::UpstreamRateLimited,
            ),
            (0, "", false, CompletionClass::UpstreamUnreachable),
            (500, "", false, CompletionClass::UpstreamUnexpected),
        ];
        for (status, words, host_ok, class) in cases {
            let evidence = UpstreamEvidence {
                upstream_chat_status: status,
                upstream_chat_preview: words.to_owned(),
                ..UpstreamEvidence::default()
            };
            assert_eq!(classify(host_ok, &evidence), class, "{status} {words}");
        }
        let page = UpstreamEvidence {
            upstream_chat_status: 200,
            upstream_chat_type: "text/html".to_owned(),
            ..UpstreamEvidence::default()
        };
        for host_ok in [true, false] {
            let class = classify(host_ok, &page);
            assert_eq!(class, CompletionClass::UpstreamUnexpected, "{host_ok}");
        }
    }

    #[test]
    fn both_503_bodies_and_a_first_403_warm_and_nothing_else() {
        assert!(is_warming(
            503,
            "{\"error\":{\"message\":\"Service temporarily unavailable\"}}",
            false
        ));
        assert!(is_warming(503, "No available accounts: x", true));
        assert!(!is_warming(503, "nginx is down", false));
        assert!(is_warming(403, "", false));
        assert!(!is_warming(403, "", true));
        assert!(!is_warming(404, "", false));
        assert!(!is_warming(502, "", false));
    }
}
