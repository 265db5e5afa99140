//! The protocols of the gateway: which one an account speaks, and how requests and answers are
//! turned from one into another.

use crate::sub2api::model::Account;
use crate::sub2api::upstream_call::Said;
use cockpit_domain::secret::sha256_hex;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What the client called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sub2api) enum Client {
    Chat,
    Responses,
    Messages,
}

impl Client {
    pub(super) fn endpoint(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
        }
    }
}

/// Whether an openai account is asked over `/responses`; `None` while nobody knows. The probe's
/// flag counts only where it is visible, the operator's mode always.
pub(in crate::sub2api) fn responses_mode(account: &Account, flag_visible: bool) -> Option<bool> {
    let text = |name: &str| account.extra.get(name).and_then(Value::as_str);
    match text("openai_responses_mode") {
        Some("force_responses") => Some(true),
        Some("force_chat_completions") => Some(false),
        _ if flag_visible => account
            .extra
            .get("openai_responses_supported")
            .and_then(Value::as_bool),
        _ => None,
    }
}

/// A chat body for a raw pass: only the model changes, and streams must report their usage.
pub(super) fn raw_chat(body: &Value, model: &str) -> Value {
    let mut body = body.clone();
    body["model"] = json!(model);
    if body["stream"] == json!(true) {
        if !body["stream_options"].is_object() {
            body["stream_options"] = json!({});
        }
        body["stream_options"]["include_usage"] = json!(true);
    }
    body
}

/// A chat body as a Responses body; upstream is always asked to stream.
pub(super) fn chat_to_responses(body: &Value, model: &str) -> Value {
    let messages = body["messages"].as_array().into_iter().flatten();
    let input: Vec<Value> = messages
        .map(|message| {
            let kind = if message["role"] == "assistant" {
                "output_text"
            } else {
                "input_text"
            };
            json!({ "role": message["role"],
                "content": [{ "type": kind, "text": flat(&message["content"]) }] })
        })
        .collect();
    json!({ "model": model, "input": input, "stream": true, "store": false })
}

/// A Responses body as a chat body. A stream is only mentioned where one was asked for, so an
/// upstream that streams by default does.
pub(super) fn responses_to_chat(body: &Value, model: &str) -> Value {
    let messages = match &body["input"] {
        Value::Array(items) => items
            .iter()
            .map(|item| {
                let role = item["role"].as_str().unwrap_or("user");
                json!({ "role": role, "content": flat(&item["content"]) })
            })
            .collect(),
        input => vec![json!({ "role": "user", "content": flat(input) })],
    };
    let mut chat = json!({ "model": model, "messages": messages });
    if body["stream"] == json!(true) {
        chat["stream"] = json!(true);
    }
    chat
}

/// Any OpenAI body as an Anthropic body, not streamed.
pub(super) fn to_messages(client: Client, body: &Value, model: &str) -> Value {
    let chat = match client {
        Client::Responses => responses_to_chat(body, model),
        Client::Chat | Client::Messages => body.clone(),
    };
    let mut body = json!({ "model": model, "messages": chat["messages"], "stream": false });
    body["max_tokens"] = match &chat["max_tokens"] {
        Value::Null => json!(1024),
        given => given.clone(),
    };
    body
}

/// What a model said, taken out of its protocol.
pub(super) struct Speech {
    /// The upstream's own id of the answer.
    pub(super) id: String,
    pub(super) text: String,
    pub(super) usage: Value,
    /// The upstream's own end mark was seen.
    pub(super) complete: bool,
}

/// Reads an answer of any protocol, plain or streamed.
pub(super) fn hear(said: &Said) -> Speech {
    let mut speech = Speech {
        id: String::new(),
        text: String::new(),
        usage: Value::Null,
        complete: false,
    };
    let events: Vec<Value> = if said.text().trim_start().starts_with('{') {
        vec![said.json()]
    } else {
        let body = said.text();
        let lines = body.lines().filter_map(|line| line.strip_prefix("data:"));
        lines
            .filter_map(|data| serde_json::from_str(data.trim()).ok())
            .collect()
    };
    for event in &events {
        let texts = [
            &event["choices"][0]["delta"]["content"],
            &event["choices"][0]["message"]["content"],
            &event["delta"],
            &event["content"][0]["text"],
            &event["output"][0]["content"][0]["text"],
        ];
        speech
            .text
            .extend(texts.iter().filter_map(|text| text.as_str()));
        for id in [&event["id"], &event["response"]["id"]] {
            if let Some(id) = id.as_str() {
                id.clone_into(&mut speech.id);
            }
        }
        for usage in [&event["usage"], &event["response"]["usage"]] {
            if usage.is_object() {
                speech.usage = usage.clone();
            }
        }
        let terminal = matches!(
            event["type"].as_str(),
            Some("response.completed" | "response.done" | "response.incomplete" | "message")
        );
        let finished = event["choices"][0]["finish_reason"].is_string();
        speech.complete |= terminal || finished || event["object"] == "response";
    }
    speech
}

/// A speech as the client wants it.
pub(super) fn tell(client: Client, speech: &Speech, model: &str, stream: bool) -> String {
    let (asked, told) = crate::sub2api::usage::tokens(&speech.usage);
    match client {
        Client::Chat => {
            let usage = json!({ "prompt_tokens": asked, "completion_tokens": told,
                "total_tokens": asked + told });
            tell_chat(speech, &usage, model, stream)
        }
        Client::Responses => {
            let item = format!("item_{}", &sha256_hex(&speech.id)[..24]);
            let object = json!({
                "id": speech.id, "object": "response", "status": "completed",
                "model": model, "output": [{ "type": "message", "id": item, "role": "assistant",
                    "status": "completed",
                    "content": [{ "type": "output_text", "text": speech.text }] }],
                "usage": { "input_tokens": asked, "output_tokens": told,
                    "total_tokens": asked + told },
            });
            if !stream {
                return object.to_string();
            }
            let delta = json!({ "type": "response.output_text.delta", "delta": speech.text });
            let done = json!({ "type": "response.completed", "response": object });
            let mut body = String::new();
            for event in [delta, done] {
                let name = event["type"].as_str().unwrap_or_default();
                let _ = write!(body, "event: {name}\ndata: {event}\n\n");
            }
            body
        }
        Client::Messages => json!({
            "id": speech.id, "type": "message", "role": "assistant", "model": model,
            "content": [{ "type": "text", "text": speech.text }], "stop_reason": "end_turn",
            "usage": { "input_tokens": asked, "output_tokens": told },
        })
        .to_string(),
    }
}

fn tell_chat(speech: &Speech, usage: &Value, model: &str, stream: bool) -> String {
    let now = Timestamp::now().as_second();
    if !stream {
        return json!({
            "id": speech.id, "object": "chat.completion", "created": now,
            "model": model, "choices": [{ "index": 0, "finish_reason": "stop",
                "message": { "role": "assistant", "content": speech.text } }],
            "usage": usage,
        })
        .to_string();
    }
    let mut body = String::new();
    for (delta, finish) in [
        (json!({ "role": "assistant" }), Value::Null),
        (json!({ "content": speech.text }), Value::Null),
        (json!({ "content": "" }), json!("stop")),
    ] {
        let chunk = json!({
            "id": speech.id, "object": "chat.completion.chunk", "created": now, "model": model,
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
        });
        let _ = write!(body, "data: {chunk}\n\n");
    }
    body.push_str("data: [DONE]\n\n");
    body
}

/// The text of a content that is a text or a list of parts.
pub(super) fn flat(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}
