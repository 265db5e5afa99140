//! `POST /accounts/:id/test`: always HTTP 200, events as lines, early errors as plain text.

use super::SimHost;
use super::account_writes::heal;
use super::channel_rules::look_up;
use super::gateway::protocol::responses_mode;
use super::model::Account;
use super::reply::{Answer, Content, Reply};
use super::req::{Req, id};
use super::upstream_call::{Said, Unheard, credential};
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::convert::Infallible;
use tokio::sync::mpsc;

/// The host's own words for an account it knows to have no `/responses`.
const CHAT_ONLY: &str = "账号已被探测为不支持 OpenAI Responses API（如 DeepSeek/Kimi 等三方兼容上游），账号本身可正常使用，但当前测试接口仅支持 Responses API 路径。请直接通过实际 API 调用验证。";

type Events = mpsc::UnboundedSender<Value>;

impl SimHost {
    /// Starts the test and answers with its events as they come.
    pub(super) fn test_account(&self, req: &Req, text: &str) -> Answer {
        let at = id(text, "account")?;
        let input = req.input_or_empty();
        let asked = input.text("model_id")?.filter(|model| !model.is_empty());
        let prompt = input.text("prompt")?.filter(|prompt| !prompt.is_empty());
        let account = match self.early(at) {
            Ok(account) => account,
            // Sent before the SSE headers are set, so the type is sniffed.
            Err(text) => {
                self.with(|state| {
                    let message = format!("Account test error: {text}");
                    state.note(
                        "ERROR",
                        "stdlog",
                        &message,
                        json!({ "legacy_stdlog": true }),
                    );
                });
                let event = json!({ "type": "error", "error": text });
                let body = format!("data: {event}\n\n");
                return Ok(Reply::raw(200, "text/plain; charset=utf-8", body));
            }
        };
        let (events, queue) = mpsc::unbounded_channel();
        let host = self.clone();
        drop(tokio::spawn(async move {
            host.run_test(account, asked, prompt, &events).await;
        }));
        let lines = stream::unfold(queue, |mut queue: mpsc::UnboundedReceiver<Value>| async {
            let event = queue.recv().await?;
            let line = Bytes::from(format!("data: {event}\n\n"));
            Some((Ok::<_, Infallible>(line), queue))
        });
        Ok(Reply {
            content: Content::Stream("text/event-stream", Body::from_stream(lines)),
            ..Reply::json(200, Value::Null)
        })
    }

    /// What stops a test before it begins.
    fn early(&self, at: i64) -> Result<Account, String> {
        let account = self.with(|state| state.account(at).cloned());
        let account = account.ok_or("Account not found")?;
        if account.kind != "apikey" {
            return Err(format!("Unsupported account type: {}", account.kind));
        }
        if credential(&account, "api_key").is_none() {
            return Err("No API key available".to_owned());
        }
        let base = credential(&account, "base_url").unwrap_or("https://");
        let insecure = self.with(|state| state.settings.allow_insecure_http);
        if !(base.starts_with("https://") || insecure && base.starts_with("http://")) {
            return Err("Invalid base URL: invalid url scheme: http".to_owned());
        }
        // The test reads the row, not the scheduler's snapshot.
        if account.platform == "openai" && responses_mode(&account, true) == Some(false) {
            return Err(CHAT_ONLY.to_owned());
        }
        Ok(account)
    }

    async fn run_test(
        &self,
        account: Account,
        asked: Option<String>,
        prompt: Option<String>,
        events: &Events,
    ) {
        let openai = account.platform == "openai";
        let default = if openai {
            "gpt-5.4"
        } else {
            "claude-sonnet-4-5-20250929"
        };
        let asked = asked.as_deref().unwrap_or(default);
        let mapping = account
            .credentials
            .get("model_mapping")
            .and_then(Value::as_object);
        let model = mapping
            .and_then(|pairs| look_up(pairs, asked))
            .unwrap_or(asked);
        // A send fails only when the client has left; the test then runs on unseen.
        let send = |event: Value| events.send(event).is_ok();
        send(json!({ "type": "test_start", "model": model }));
        let prompt = prompt.unwrap_or_else(|| "hi".to_owned());
        let (tail, body) = if openai {
            let input = json!([{ "role": "user",
                "content": [{ "type": "input_text", "text": prompt }] }]);
            (
                "/responses",
                json!({ "model": model, "input": input, "stream": true }),
            )
        } else {
            let messages = json!([{ "role": "user", "content": prompt }]);
            (
                "/messages",
                json!({ "model": model, "messages": messages, "max_tokens": 1024 }),
            )
        };
        let verdict = match self.call(&account, tail, Some(&body)).await {
            Err(Unheard::Refused(why)) => Err(why),
            Err(Unheard::Network(why)) => Err(format!("Request failed: {why}")),
            Ok(said) if said.status != 200 => {
                self.mark(&account, &said);
                Err(format!("API returned {}: {}", said.status, said.text()))
            }
            Ok(said) if openai => read_responses(&said, events),
            Ok(said) => {
                let text = said.json()["content"][0]["text"].clone();
                send(json!({ "type": "content", "text": text }));
                Ok(())
            }
        };
        self.with(|state| match verdict {
            Ok(()) => {
                if let Some(row) = state.account_mut(account.id) {
                    heal(row);
                }
                send(json!({ "type": "test_complete", "success": true }));
            }
            Err(text) => {
                let message = format!("Account test error: {text}");
                state.note(
                    "ERROR",
                    "stdlog",
                    &message,
                    json!({ "legacy_stdlog": true }),
                );
                send(json!({ "type": "error", "error": text }));
            }
        });
    }

    /// A failed test changes the account's state, too.
    fn mark(&self, account: &Account, said: &Said) {
        let openai = account.platform == "openai";
        let now = self.with(|state| state.now());
        self.with(|state| {
            let Some(row) = state.account_mut(account.id) else {
                return;
            };
            let fatal = if openai { 401 } else { 403 };
            if said.status == fatal {
                "error".clone_into(&mut row.status);
                row.error_message = format!("Authentication failed ({fatal}): {}", said.text());
            }
            if let Some(seconds) = said.retry_after.filter(|_| said.status == 429) {
                row.rate_limited_at = Some(now);
                row.rate_limit_reset_at = Some(now + SignedDuration::from_secs(seconds));
            }
        });
    }
}

/// Reads a Responses stream; only a terminal event is success.
fn read_responses(said: &Said, events: &Events) -> Result<(), String> {
    for line in said.text().lines() {
        let Some(data) = line.strip_prefix("data:") else {
            continue;
        };
        let event: Value = serde_json::from_str(data.trim()).unwrap_or(Value::Null);
        match event["type"].as_str().unwrap_or_default() {
            "response.output_text.delta" => {
                let text = json!({ "type": "content", "text": event["delta"] });
                // The client may have left; the stream is still read to its end.
                let _left = events.send(text).is_err();
            }
            "response.completed" | "response.done" => return Ok(()),
            "response.failed" | "error" => {
                let inner = &event["response"]["error"]["message"];
                let text = inner.as_str().or(event["message"].as_str());
                return Err(text.unwrap_or("response failed").to_owned());
            }
            _ => {}
        }
    }
    Err("Stream ended before response.completed".to_owned())
}
