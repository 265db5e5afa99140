//! What a gateway request leaves behind: usage rows, error rows and log lines.

use super::protocol::{Client, Speech};
use super::select::{self, Choice};
use super::{Call, SWITCHES, errors};
use crate::sub2api::SimHost;
use crate::sub2api::model_sales::{OpsError, UsageRow};
use crate::sub2api::reply::{Content, Reply};
use crate::sub2api::upstream_call::Said;
use crate::sub2api::usage::{book, tokens};
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl SimHost {
    pub(super) fn give_up(
        &self,
        call: &Call,
        openai: bool,
        last: Option<&(i64, Said)>,
        tried: &BTreeSet<i64>,
        reason: &str,
    ) -> Reply {
        let (name, component) = handler(call.client, openai);
        let fields = json!({
            "error": reason, "excluded_account_count": tried.len(),
            "user_id": call.caller.key.user_id, "api_key_id": call.caller.key.id,
            "group_id": call.caller.group.id, "model": call.model, "stream": call.stream,
        });
        self.with(|state| {
            if reason.contains("channel pricing restriction") {
                let fields = json!({ "group_id": call.caller.group.id, "model": call.model });
                state.note(
                    "WARN",
                    "service.gateway",
                    "channel pricing restriction blocked request",
                    fields,
                );
            }
            state.note(
                "WARN",
                component,
                &format!("{name}.account_select_failed"),
                fields,
            );
        });
        match last {
            None => {
                let reply = errors::no_account(call.client, openai, reason);
                self.failed_row(call, &reply, None, None);
                reply
            }
            Some((at, said)) => {
                let reply = errors::exhausted(call.client, openai, said);
                self.failed_row(call, &reply, Some(*at), Some(said.status));
                reply
            }
        }
    }

    pub(super) fn served(
        &self,
        call: &Call,
        choice: &Choice,
        speech: &Speech,
        upstream: &'static str,
    ) {
        let (input_tokens, output_tokens) = tokens(&speech.usage);
        let group = &call.caller.group;
        let taken = i64::try_from(call.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.with(|state| {
            let request_id = state.random_hex("request")[..32].to_owned();
            let row = UsageRow {
                id: 0,
                user_id: call.caller.key.user_id,
                api_key_id: call.caller.key.id,
                account_id: choice.account.id,
                request_id,
                model: call.model.clone(),
                upstream_model: choice.upstream_model.clone(),
                group_id: group.id,
                subscription_id: call.caller.subscription,
                channel_id: choice.channel,
                mapping_chain: choice.chain.clone(),
                input_tokens,
                output_tokens,
                actual_cost: 0.0,
                rate_multiplier: group.rate_multiplier,
                stream: call.stream,
                duration_ms: taken,
                first_token_ms: call.stream.then_some(taken),
                inbound_endpoint: call.client.endpoint().to_owned(),
                upstream_endpoint: upstream.to_owned(),
                created_at: state.now(),
            };
            book(state, row);
            select::stick(state, group.id, &call.conversation, choice.account.id);
        });
    }

    pub(super) fn note_switch(&self, call: &Call, account: i64, said: &Said, count: usize) {
        let (name, component) = handler(call.client, call.caller.group.platform == "openai");
        let fields = json!({ "account_id": account, "upstream_status": said.status,
            "switch_count": count, "max_switches": SWITCHES });
        let text = format!("{name}.upstream_failover_switching");
        self.with(|state| state.note("WARN", component, &text, fields));
    }

    pub(super) fn failed_row(
        &self,
        call: &Call,
        reply: &Reply,
        account_id: Option<i64>,
        upstream: Option<u16>,
    ) {
        // What no account was asked for is marked business-limited, which hides it by default.
        let (phase, business_limited) = match account_id {
            Some(_) => ("upstream", false),
            None => ("routing", true),
        };
        let error = match &reply.content {
            Content::Json(body) => body["error"].clone(),
            _ => Value::Null,
        };
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        self.with(|state| {
            let row = OpsError {
                id: state.take_id("ops error", 0),
                at: state.now(),
                phase: phase.to_owned(),
                status_code: upstream.unwrap_or(reply.status),
                kind: text("type"),
                inbound_endpoint: call.client.endpoint().to_owned(),
                stream: call.stream,
                message: text("message"),
                model: call.model.clone(),
                group_id: Some(call.caller.group.id),
                api_key_id: call.caller.key.id,
                account_id,
                business_limited,
            };
            state.ops_errors.push(row);
        });
    }
}

/// Name and component of the handler in log lines.
pub(super) fn handler(client: Client, openai: bool) -> (&'static str, &'static str) {
    match (client, openai) {
        (Client::Chat, true) => (
            "openai_chat_completions",
            "handler.openai_gateway.chat_completions",
        ),
        (Client::Responses, true) => ("openai", "handler.openai_gateway.responses"),
        (Client::Messages, true) => ("openai_messages", "handler.openai_gateway.messages"),
        (_, false) => ("gateway", "handler.gateway.messages"),
    }
}
