//! What a vendor says: chat, responses and messages bodies, plain and streamed, and errors.

use super::respond;
use axum::response::Response;
use serde_json::{Value, json};
use std::fmt::Write as _;

const SSE: &str = "text/event-stream";
const JSON: &str = "application/json";

/// An error in the shape OpenAI-compatible relays use.
pub(super) fn error(status: u16, kind: &str, code: &str, message: &str) -> Response {
    let mut error = json!({ "message": message, "type": kind });
    if !code.is_empty() {
        error["code"] = json!(code);
    }
    respond(status, JSON, json!({ "error": error }).to_string())
}

/// The page a proxy shows for a dead backend.
pub(super) fn bad_gateway_page() -> Response {
    let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    respond(502, "text/html", page.to_owned())
}

/// The model list.
/// What a login wall or a parked name answers to everything.
pub(super) fn login_page() -> Response {
    let page = "<!doctype html><html><head><title>Sign in</title></head><body>Please sign in to continue</body></html>";
    respond(200, "text/html; charset=utf-8", page.to_owned())
}

pub(super) fn models(models: &[String]) -> Response {
    let data: Vec<Value> = models
        .iter()
        .map(|id| json!({ "id": id, "object": "model", "created": 1_700_000_000, "owned_by": "lab" }))
        .collect();
    let body = json!({ "object": "list", "data": data });
    respond(200, JSON, body.to_string())
}

/// `/v1/chat/completions`, as one object or as chunks.
pub(super) fn chat(no: u64, model: &str, request: &Value, stream: bool) -> Response {
    let answer = answer_to(&last_text(&request["messages"]));
    let usage = chat_usage(request, answer);
    let id = format!("chatcmpl-lab-{no}");
    if !stream {
        let body = json!({
            "id": id, "object": "chat.completion", "created": 1_700_000_000, "model": model,
            "choices": [{ "index": 0, "message": { "role": "assistant", "content": answer },
                "finish_reason": "stop" }],
            "usage": usage,
        });
        return respond(200, JSON, body.to_string());
    }
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": id, "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": model, "choices": choices,
        });
        if !usage.is_null() {
            chunk["usage"] = usage;
        }
        chunk
    };
    let delta = |delta: Value, finish: Value| json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
    let mut chunks = vec![
        chunk(
            delta(json!({ "role": "assistant", "content": "" }), Value::Null),
            Value::Null,
        ),
        chunk(
            delta(json!({ "content": answer }), Value::Null),
            Value::Null,
        ),
        chunk(delta(json!({}), json!("stop")), Value::Null),
    ];
    if request["stream_options"]["include_usage"] == json!(true) {
        chunks.push(chunk(json!([]), usage));
    }
    let mut body = String::new();
    for chunk in chunks {
        let _ = write!(body, "data: {chunk}\n\n");
    }
    body.push_str("data: [DONE]\n\n");
    respond(200, SSE, body)
}

/// `/v1/responses`, as one object or as typed events.
pub(super) fn responses(no: u64, model: &str, request: &Value, stream: bool) -> Response {
    let answer = answer_to(&last_text(&request["input"]));
    let object = response_object(no, model, answer, "completed");
    if !stream {
        return respond(200, JSON, object.to_string());
    }
    let item = format!("msg_lab_{no}");
    let events = [
        json!({ "type": "response.created",
            "response": response_object(no, model, "", "in_progress") }),
        json!({ "type": "response.output_text.delta", "item_id": item, "output_index": 0,
            "content_index": 0, "delta": answer }),
        json!({ "type": "response.output_text.done", "item_id": item, "output_index": 0,
            "content_index": 0, "text": answer }),
        json!({ "type": "response.completed", "response": object }),
    ];
    let mut body = String::new();
    for event in events {
        let name = event["type"].as_str().unwrap_or_default();
        let _ = write!(body, "event: {name}\ndata: {event}\n\n");
    }
    respond(200, SSE, body)
}

/// `/v1/messages`, never streamed here.
pub(super) fn messages(no: u64, model: &str, request: &Value) -> Response {
    let answer = answer_to(&last_text(&request["messages"]));
    let body = json!({
        "id": format!("msg_lab_{no}"), "type": "message", "role": "assistant", "model": model,
        "content": [{ "type": "text", "text": answer }], "stop_reason": "end_turn",
        "usage": { "input_tokens": 9, "output_tokens": words(answer) },
    });
    respond(200, JSON, body.to_string())
}

fn response_object(no: u64, model: &str, answer: &str, status: &str) -> Value {
    let output = if answer.is_empty() {
        json!([])
    } else {
        json!([{ "type": "message", "id": format!("msg_lab_{no}"), "role": "assistant",
            "status": status, "content": [{ "type": "output_text", "text": answer }] }])
    };
    json!({
        "id": format!("resp_lab_{no}"), "object": "response", "created_at": 1_700_000_000,
        "status": status, "model": model, "output": output,
        "usage": { "input_tokens": 9, "output_tokens": words(answer),
            "total_tokens": 9 + words(answer) },
    })
}

fn chat_usage(request: &Value, answer: &str) -> Value {
    let asked = 7 + words(&last_text(&request["messages"]));
    let told = words(answer);
    json!({ "prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told })
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The smoke prompt gets its word; nothing else is echoed, so a secret in a prompt stays there.
fn answer_to(prompt: &str) -> &'static str {
    if prompt.trim().eq_ignore_ascii_case("reply with pong only") {
        "pong"
    } else {
        "The lab vendor heard you."
    }
}

/// The last text of a chat or responses input, in any of the shapes clients send.
fn last_text(input: &Value) -> String {
    match input {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.last().map(last_text).unwrap_or_default(),
        Value::Object(item) => match item.get("content").or_else(|| item.get("text")) {
            Some(inner) => last_text(inner),
            None => String::new(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}
