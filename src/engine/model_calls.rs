//! Calling a model as an ordinary client does: the list, and a minimal chat. The same two calls
//! prove the gateway and look at an upstream, so that both are judged by the same words.

use crate::failure::Outcome;
use crate::ports::{Vantage, Web, WebAnswer, WebRequest};
use cockpit_domain::secret::Secret;
use serde_json::json;
use std::time::Duration;

/// The prompt of every smoke (`000_…`, user smoke).
pub const SMOKE_PROMPT: &str = "reply with pong only";

/// Time a completion may take.
const CHAT_LIMIT: Duration = Duration::from_secs(30);

/// `GET {base}/models`. `base` ends with its version segment or not; upstreams differ.
pub async fn models(
    web: &dyn Web,
    vantage: &Vantage,
    base: &str,
    key: &Secret,
) -> Outcome<WebAnswer> {
    let mut request = WebRequest::get(vantage.clone(), endpoint(base, "models"));
    request.bearer = Some(key.clone());
    web.fetch(&request).await
}

/// A minimal `POST {base}/chat/completions`, not streamed. Answers that stream anyway are read
/// too. `conversation` 0 is the plain smoke; any other number opens a conversation of its own, for
/// hosts that keep a conversation with one account (`host-contract.md` 7.7).
pub async fn chat(
    web: &dyn Web,
    vantage: &Vantage,
    base: &str,
    key: &Secret,
    model: &str,
    conversation: u32,
) -> Outcome<WebAnswer> {
    let mut request = WebRequest::get(vantage.clone(), endpoint(base, "chat/completions"));
    request.method = "POST";
    request.bearer = Some(key.clone());
    request.time_limit = CHAT_LIMIT;
    request.json = Some(payload(model, conversation));
    web.fetch(&request).await
}

/// What a chat is asked with.
pub fn payload(model: &str, conversation: u32) -> serde_json::Value {
    let mut messages = vec![json!({"role": "user", "content": SMOKE_PROMPT})];
    if conversation > 0 {
        messages.insert(
            0,
            json!({"role": "system", "content": format!("conversation {conversation}")}),
        );
    }
    json!({
        "model": model,
        "messages": messages,
        "max_tokens": 64,
        "stream": false,
    })
}

/// The host's own rule (`host-contract.md` 4.3.6): a base that ends in `/v<digits>` is kept, any
/// other gets `/v1`.
pub fn endpoint(base: &str, path: &str) -> String {
    let base = base.trim_end_matches('/');
    let last = base.rsplit('/').next().unwrap_or_default();
    let versioned = last
        .strip_prefix('v')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    if versioned {
        format!("{base}/{path}")
    } else {
        format!("{base}/v1/{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_versioned_base_is_kept_and_a_bare_one_gets_v1() {
        assert_eq!(
            endpoint("https://a.b/v1", "models"),
            "https://a.b/v1/models"
        );
        assert_eq!(
            endpoint("https://a.b/api/paas/v4/", "models"),
            "https://a.b/api/paas/v4/models"
        );
        assert_eq!(
            endpoint("http://127.0.0.1:8080", "models"),
            "http://127.0.0.1:8080/v1/models"
        );
        assert_eq!(
            endpoint("https://a.b/version", "models"),
            "https://a.b/version/v1/models"
        );
    }
}
