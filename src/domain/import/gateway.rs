//! Reading what gateway and upstream answer, and saying whose fault a failure is.

use super::judge::{speaks_of_auth, speaks_of_quota};
use crate::batch::{CompletionClass, UpstreamEvidence};
use serde_json::Value;

/// Model ids of a models list, or `None` when the body is no such list.
pub fn models_of(body: &str) -> Option<Vec<String>> {
    let value: Value = serde_json::from_str(body).ok()?;
    let rows = value.get("data")?.as_array()?;
    Some(
        rows.iter()
            .filter_map(|row| row.get("id")?.as_str().map(str::to_owned))
            .collect(),
    )
}

/// The text of a chat answer, plain JSON or a stream of events (some upstreams stream by
/// default, `001_…` 2026-05-21); `None` when it holds no completion.
pub fn chat_text(body: &str) -> Option<String> {
    if let Ok(value) = serde_json::from_str::<Value>(body) {
        let choice = value.get("choices")?.get(0)?;
        let message = choice.get("message")?;
        // Thinking models may spend everything on reasoning; that is alive, too.
        let text = message
            .get("content")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let thought = message
            .get("reasoning_content")
            .and_then(Value::as_str)
            .unwrap_or_default();
        return Some(if text.is_empty() { thought } else { text }.to_owned());
    }
    let mut text = String::new();
    let mut seen = false;
    for line in body.lines() {
        let Some(data) = line.strip_prefix("data:").map(str::trim) else {
            continue;
        };
        let Ok(event) = serde_json::from_str::<Value>(data) else {
            continue;
        };
        if event.get("error").is_some() {
            return None;
        }
        let Some(choice) = event.get("choices").and_then(|choices| choices.get(0)) else {
            continue;
        };
        seen = true;
        let delta = choice.get("delta").or_else(|| choice.get("message"));
        for field in ["content", "reasoning_content"] {
            if let Some(part) = delta
                .and_then(|delta| delta.get(field))
                .and_then(Value::as_str)
            {
                text.push_str(part);
            }
        }
    }
    seen.then_some(text)
}

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
    fn both_shapes_of_a_chat_answer_are_read() {
        let plain = r#"{"choices":[{"message":{"role":"assistant","content":"pong"}}]}"#;
        let stream = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"po\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"ng\"}}]}\n\ndata: [DONE]\n";
        assert_eq!(chat_text(plain).as_deref(), Some("pong"));
        assert_eq!(chat_text(stream).as_deref(), Some("pong"));
        assert_eq!(chat_text("<html>hello</html>"), None);
        assert_eq!(
            chat_text("event: error\ndata: {\"error\":{\"message\":\"x\"}}\n"),
            None
        );
    }

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
