//! The gateway's own error answers, in the shape the called protocol has.

use super::protocol::Client;
use crate::sub2api::reply::Reply;
use crate::sub2api::upstream_call::Said;
use serde_json::json;

/// `{"error":{"type","message"}}`, or Anthropic's shape on `/v1/messages`.
pub(super) fn error(client: Client, status: u16, kind: &str, message: &str) -> Reply {
    let inner = json!({ "type": kind, "message": message });
    Reply::json(
        status,
        match client {
            Client::Messages => json!({ "type": "error", "error": inner }),
            Client::Chat | Client::Responses => json!({ "error": inner }),
        },
    )
}

/// As `error`, from the handler of the other platforms: on `/v1/responses` the type is a code.
fn other_error(client: Client, status: u16, kind: &str, message: &str) -> Reply {
    if client != Client::Responses {
        return error(client, status, kind, message);
    }
    let inner = json!({ "code": kind, "message": message });
    Reply::json(status, json!({ "error": inner }))
}

/// Nothing to choose from at the first selection.
pub(super) fn no_account(client: Client, openai: bool, reason: &str) -> Reply {
    if openai {
        let text = "Service temporarily unavailable";
        return error(client, 503, "api_error", text);
    }
    let text = format!("No available accounts: {reason}");
    other_error(client, 503, "api_error", &text)
}

/// All tried accounts failed; the last upstream answer decides.
pub(super) fn exhausted(client: Client, openai: bool, last: &Said) -> Reply {
    if !openai && client != Client::Messages {
        // The raw upstream status: a 401 here is not the client's key.
        let text = "All available accounts exhausted";
        let name = if client == Client::Chat {
            "type"
        } else {
            "code"
        };
        let inner = json!({ name: "server_error", "message": text });
        return Reply::json(last.status, json!({ "error": inner }));
    }
    let upstream = "upstream_error";
    let (status, kind, text) = match last.status {
        401 => (
            502,
            upstream,
            "Upstream authentication failed, please contact administrator",
        ),
        403 => (
            502,
            upstream,
            "Upstream access forbidden, please contact administrator",
        ),
        429 => (
            429,
            "rate_limit_error",
            "Upstream rate limit exceeded, please retry later",
        ),
        529 if openai => (
            503,
            upstream,
            "Upstream service overloaded, please retry later",
        ),
        529 => (
            503,
            "overloaded_error",
            "Upstream service overloaded, please retry later",
        ),
        500 | 502 | 503 | 504 => (502, upstream, "Upstream service temporarily unavailable"),
        _ => (502, upstream, "Upstream request failed"),
    };
    error(client, status, kind, text)
}

/// An upstream 4xx that is not worth another account.
pub(super) fn passed_on(client: Client, openai: bool, said: &Said, unlisted: bool) -> Reply {
    if !openai && client != Client::Messages {
        return other_error(client, said.status, "server_error", &said.message());
    }
    if unlisted {
        let kind = if client == Client::Responses {
            "upstream_error"
        } else {
            "api_error"
        };
        return error(client, 500, kind, "Upstream gateway error");
    }
    if client == Client::Responses {
        return error(client, 502, "upstream_error", "Upstream request failed");
    }
    let kind = match said.status {
        400 => "invalid_request_error",
        404 => "not_found_error",
        _ => "api_error",
    };
    error(client, said.status, kind, &said.message())
}
