//! The gateway: model list, chat, responses and messages for a user's key, with failover.

mod access;
mod errors;
mod penalty;
pub(super) mod protocol;
mod pulse;
mod records;
mod select;

use super::SimHost;
use super::reply::{Answer, Reply};
use super::req::Req;
use super::upstream_call::{Said, Unheard};
use access::{Caller, admit};
use protocol::{Client, Speech};
use records::handler;
use select::Choice;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Instant;

/// Failover stops after so many switches.
const SWITCHES: usize = 10;

/// One gateway request on its way.
struct Call {
    client: Client,
    caller: Caller,
    body: Value,
    model: String,
    stream: bool,
    conversation: String,
    started: Instant,
}

/// What came of one account.
enum Outcome {
    Served {
        reply: Reply,
        speech: Speech,
        upstream: &'static str,
    },
    /// Worth another account.
    Failed(Said),
    /// An error that ends the request.
    Ended(Reply),
}

impl SimHost {
    /// Everything below `/v1`.
    pub(super) async fn gateway(&self, req: &Req, tail: &[&str]) -> Reply {
        let client = match (req.method.as_str(), tail) {
            ("GET", ["models"]) => {
                let admitted = self
                    .with(|state| admit(state, req).map(|caller| select::models(state, &caller)));
                return admitted.unwrap_or_else(|refusal| refusal);
            }
            ("POST", ["chat", "completions"]) => Client::Chat,
            ("POST", ["responses"]) => Client::Responses,
            ("POST", ["messages"]) => Client::Messages,
            ("POST", ["messages", "count_tokens"]) => {
                let text = "Token counting is not supported for this platform";
                let refused = self.with(|state| admit(state, req).err());
                return refused.unwrap_or_else(|| {
                    errors::error(Client::Messages, 404, "not_found_error", text)
                });
            }
            _ => return Reply::no_route(),
        };
        let call = match self.read(req, client) {
            Ok(call) => call,
            Err(refusal) => return refusal,
        };
        self.forward(&call).await
    }

    fn read(&self, req: &Req, client: Client) -> Result<Call, Reply> {
        let caller = self.with(|state| admit(state, req))?;
        let bad = |text: &str| errors::error(client, 400, "invalid_request_error", text);
        if client == Client::Messages
            && caller.group.platform == "openai"
            && caller.group.more.get("allow_messages_dispatch") != Some(&json!(true))
        {
            let text = "This group does not allow /v1/messages dispatch";
            return Err(errors::error(client, 403, "permission_error", text));
        }
        let body: Value = serde_json::from_slice(&req.body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| bad("Failed to parse request body"))?;
        let model = body["model"].as_str().filter(|model| !model.is_empty());
        let model = model.ok_or_else(|| bad("model is required"))?.to_owned();
        if client == Client::Responses {
            if !matches!(body["stream"], Value::Null | Value::Bool(_)) {
                return Err(bad("invalid stream field type"));
            }
            if body["previous_response_id"].is_string() {
                let text = "previous_response_id is only supported on Responses WebSocket v2";
                return Err(bad(text));
            }
        }
        Ok(Call {
            client,
            caller,
            stream: body["stream"] == json!(true),
            conversation: select::conversation(req, client, &body),
            body,
            model,
            started: Instant::now(),
        })
    }

    /// Account after account, until one serves or nothing is left.
    async fn forward(&self, call: &Call) -> Reply {
        let openai = call.caller.group.platform == "openai";
        let mut tried = BTreeSet::new();
        let mut last: Option<(i64, Said)> = None;
        loop {
            let chosen = self.with(|state| {
                select::choose(state, &call.caller, &call.model, &tried, &call.conversation)
            });
            let choice = match chosen {
                Ok(choice) if tried.len() <= SWITCHES => choice,
                Ok(_) => return self.give_up(call, openai, last.as_ref(), &tried, "switch limit"),
                Err(reason) => return self.give_up(call, openai, last.as_ref(), &tried, &reason),
            };
            let at = choice.account.id;
            match self.attempt(call, &choice).await {
                Outcome::Served {
                    reply,
                    speech,
                    upstream,
                } => {
                    self.served(call, &choice, &speech, upstream);
                    return reply;
                }
                Outcome::Ended(reply) => {
                    self.failed_row(call, &reply, Some(at), None);
                    return reply;
                }
                Outcome::Failed(said) => {
                    tried.insert(at);
                    self.note_switch(call, at, &said, tried.len());
                    last = Some((at, said));
                }
            }
        }
    }

    /// One account; pool mode asks the same one again before giving it up.
    async fn attempt(&self, call: &Call, choice: &Choice) -> Outcome {
        let mut left = if penalty::pooled(&choice.account) {
            penalty::pool_retries(&choice.account)
        } else {
            0
        };
        loop {
            let outcome = self.ask(call, choice).await;
            match &outcome {
                Outcome::Failed(said) if left > 0 && matches!(said.status, 401 | 403 | 429) => {
                    left -= 1;
                    let fields = json!({ "account_id": choice.account.id,
                        "upstream_status": said.status, "retry_count": left });
                    let openai = choice.account.platform == "openai";
                    let (name, component) = handler(call.client, openai);
                    let text = format!("{name}.pool_mode_same_account_retry");
                    self.with(|state| state.note("WARN", component, &text, fields));
                }
                _ => return outcome,
            }
        }
    }

    async fn ask(&self, call: &Call, choice: &Choice) -> Outcome {
        let account = &choice.account;
        let model = choice.upstream_model.as_str();
        let mode = protocol::responses_mode(account, choice.flag_visible);
        let (client, body) = (call.client, &call.body);
        // The channel's target is what the account's own mapping was applied to.
        let (tail, sent) = if account.platform != "openai" {
            ("/messages", protocol::to_messages(client, body, model))
        } else if client == Client::Responses && mode != Some(false) {
            let mut native = body.clone();
            native["model"] = json!(model);
            ("/responses", native)
        } else if client == Client::Responses {
            (
                "/chat/completions",
                protocol::responses_to_chat(body, model),
            )
        } else if mode == Some(false) {
            ("/chat/completions", protocol::raw_chat(body, model))
        } else {
            ("/responses", protocol::chat_to_responses(body, model))
        };
        let said = match self.call(account, tail, Some(&sent)).await {
            Ok(said) => said,
            Err(silence) => return self.silent(call, account.id, silence),
        };
        if client == Client::Chat
            && tail == "/responses"
            && mode.is_none()
            && matches!(said.status, 404 | 405)
        {
            let fields = json!({ "account_id": account.id, "upstream_status": said.status,
                "upstream_message": said.message() });
            let text = "openai chat_completions: /responses unsupported, falling back to raw chat completions";
            self.with(|state| {
                let component = "handler.openai_gateway.chat_completions";
                state.note("INFO", component, text, fields);
            });
            let raw = protocol::raw_chat(body, model);
            return match self.call(account, "/chat/completions", Some(&raw)).await {
                Ok(said) => self.judge(call, choice, said, "/v1/chat/completions", true),
                Err(silence) => self.silent(call, account.id, silence),
            };
        }
        let (upstream, native) = match tail {
            "/responses" => ("/v1/responses", client == Client::Responses),
            "/messages" => ("/v1/messages", client == Client::Messages),
            _ => ("/v1/chat/completions", client == Client::Chat),
        };
        self.judge(call, choice, said, upstream, native)
    }

    /// Turns an upstream's answer into an outcome; errors are held against the account.
    fn judge(
        &self,
        call: &Call,
        choice: &Choice,
        said: Said,
        upstream: &'static str,
        native: bool,
    ) -> Outcome {
        if said.status >= 300 {
            let account = &choice.account;
            self.with(|state| penalty::punish(state, account.id, &said));
            if penalty::fails_over(&said) {
                return Outcome::Failed(said);
            }
            let unlisted = penalty::custom_listed(account, said.status) == Some(false);
            let openai = call.caller.group.platform == "openai";
            return Outcome::Ended(errors::passed_on(call.client, openai, &said, unlisted));
        }
        let speech = protocol::hear(&said);
        if upstream == "/v1/responses" && !speech.complete {
            let text = "Upstream stream ended without a terminal response event";
            return Outcome::Ended(errors::error(call.client, 502, "api_error", text));
        }
        // The upstream's content type wins, also over an answer that was turned into plain JSON.
        let kind = if said.content_type.is_empty() {
            "application/json"
        } else {
            &said.content_type
        };
        let reply = if native {
            Reply::raw(200, kind, said.body)
        } else if call.client == Client::Responses && !call.stream && said.is_stream() {
            // A chat that was not asked to stream is read as one object.
            let text = "Failed to parse upstream response";
            return Outcome::Ended(errors::error(call.client, 502, "api_error", text));
        } else {
            let body = protocol::tell(call.client, &speech, &call.model, call.stream);
            Reply::raw(200, kind, body)
        };
        Outcome::Served {
            reply,
            speech,
            upstream,
        }
    }

    /// No answer at all is not worth another account on this host.
    fn silent(&self, call: &Call, account: i64, silence: Unheard) -> Outcome {
        let (Unheard::Refused(why) | Unheard::Network(why)) = silence;
        let (name, component) = handler(call.client, call.caller.group.platform == "openai");
        let fields = json!({ "account_id": account, "error": why,
            "fallback_error_response_written": true });
        self.with(|state| state.note("WARN", component, &format!("{name}.forward_failed"), fields));
        let text = "Upstream request failed";
        Outcome::Ended(errors::error(call.client, 502, "upstream_error", text))
    }

    /// `GET /v1/usage` shows the balance, and skips the checks about money.
    pub(super) fn key_usage(&self, req: &Req) -> Answer {
        let text = req
            .bearer()
            .or_else(|| req.header("x-api-key"))
            .unwrap_or_default();
        self.with(|state| {
            let key = state
                .keys
                .values()
                .find(|row| row.key == text && row.deleted_at.is_none());
            let owner = key.and_then(|key| state.user(key.user_id));
            let owner =
                owner.ok_or_else(|| Reply::layer(401, "INVALID_API_KEY", "Invalid API key"))?;
            Ok(Reply::json(
                200,
                json!({ "remaining": owner.balance, "unit": "USD" }),
            ))
        })
    }
}
