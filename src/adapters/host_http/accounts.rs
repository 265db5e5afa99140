//! Accounts (`host-contract.md` 4.3).

use super::call::{Call, Effect};
use super::client::HostHttp;
use super::wire::or_default;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{Account, NewAccount, ResponsesMode};
use cockpit_engine::failure::Outcome;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Deserialize)]
struct WireAccount {
    id: RemoteId,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    platform: String,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: String,
    #[serde(default)]
    credentials: Value,
    #[serde(default)]
    extra: Value,
    #[serde(default, deserialize_with = "or_default")]
    concurrency: i64,
    #[serde(default, deserialize_with = "or_default")]
    priority: i64,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    error_message: String,
    #[serde(default, deserialize_with = "or_default")]
    schedulable: bool,
    #[serde(default)]
    temp_unschedulable_until: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    temp_unschedulable_reason: String,
    #[serde(default)]
    last_used_at: Option<String>,
    #[serde(default)]
    rate_limit_reset_at: Option<String>,
    #[serde(default)]
    overload_until: Option<String>,
    #[serde(default)]
    expires_at: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    auto_pause_on_expired: bool,
    #[serde(default, deserialize_with = "or_default")]
    group_ids: Vec<RemoteId>,
}

#[derive(Deserialize)]
struct WireModels {
    #[serde(default, deserialize_with = "or_default")]
    models: Vec<String>,
}

fn responses_mode(word: Option<&str>) -> ResponsesMode {
    [
        ResponsesMode::ForceResponses,
        ResponsesMode::ForceChatCompletions,
    ]
    .into_iter()
    .find(|mode| word == Some(mode.as_str()))
    .unwrap_or_default()
}

impl HostHttp {
    fn account_of(&self, wire: WireAccount) -> Account {
        let text = |value: &Value| self.line(value.as_str().unwrap_or_default());
        let time = |time: Option<String>| {
            time.filter(|time| !time.is_empty())
                .map(|time| self.line(&time))
        };
        Account {
            id: wire.id,
            name: self.line(&wire.name),
            platform: self.line(&wire.platform),
            kind: self.line(&wire.kind),
            base_url: text(&wire.credentials["base_url"]),
            model_mapping: self.lines(&wire.credentials["model_mapping"]),
            responses_mode: responses_mode(wire.extra["openai_responses_mode"].as_str()),
            responses_supported: wire.extra["openai_responses_supported"].as_bool(),
            concurrency: wire.concurrency,
            priority: wire.priority,
            status: self.line(&wire.status),
            error_message: self.line(&wire.error_message),
            schedulable: wire.schedulable,
            temp_unschedulable_until: time(wire.temp_unschedulable_until),
            temp_unschedulable_reason: self.line(&wire.temp_unschedulable_reason),
            last_used_at: time(wire.last_used_at),
            rate_limit_reset_at: time(wire.rate_limit_reset_at),
            overload_until: time(wire.overload_until),
            expires_at: wire.expires_at,
            auto_pause_on_expired: wire.auto_pause_on_expired,
            quota_limit: wire.extra["quota_limit"].as_f64().unwrap_or(0.0),
            quota_used: wire.extra["quota_used"].as_f64().unwrap_or(0.0),
            group_ids: wire.group_ids,
        }
    }

    pub(super) async fn list_accounts(&self, group: Option<RemoteId>) -> Outcome<Vec<Account>> {
        let call = match group {
            None => Call::read("/accounts", "reading the accounts"),
            Some(group) => Call::read(
                "/accounts",
                format!("reading the accounts of group {group}"),
            )
            .query("group", group),
        };
        let rows = self.paged::<WireAccount>(call).await?;
        Ok(rows.into_iter().map(|row| self.account_of(row)).collect())
    }

    pub(super) async fn accounts_by_name(&self, name: &str) -> Outcome<Vec<Account>> {
        // The search finds parts of names; it cuts long words, which finds more, never less.
        let call = Call::read("/accounts", format!("looking for accounts named `{name}`"))
            .query("search", name);
        let rows = self.paged::<WireAccount>(call).await?;
        Ok(rows
            .into_iter()
            .filter(|row| row.name == name)
            .map(|row| self.account_of(row))
            .collect())
    }

    pub(super) async fn read_account(&self, id: RemoteId) -> Outcome<Option<Account>> {
        let call = Call::read(format!("/accounts/{id}"), format!("reading account {id}"));
        let found = self.find::<WireAccount>(&call).await?;
        Ok(found.map(|row| self.account_of(row)))
    }

    pub(super) async fn models_of_upstream(&self, id: RemoteId) -> Outcome<Vec<String>> {
        let path = format!("/accounts/{id}/models/sync-upstream");
        let doing = format!("asking the upstream of account {id} for its models");
        // A POST that changes nothing; its 502 is the upstream's answer and not worth a repeat.
        let call = Call::write(Method::POST, path, doing)
            .effect(Effect::Look)
            .within(Duration::from_mins(1));
        let found: WireModels = self.get(&call).await?;
        Ok(found.models.iter().map(|model| self.line(model)).collect())
    }

    pub(super) async fn make_account(
        &self,
        new: &NewAccount,
        idempotency_key: &str,
    ) -> Outcome<Account> {
        self.redactor.learn(&new.api_key);
        let mut extra = json!({});
        if new.responses_mode != ResponsesMode::Auto {
            // In the create call itself, so that there is no window in which the host asks a
            // chat-only upstream for `/responses` (contract 7.6).
            extra["openai_responses_mode"] = json!(new.responses_mode.as_str());
        }
        let doing = format!("creating account `{}`", new.name);
        let call = Call::write(Method::POST, "/accounts", doing)
            .once(idempotency_key)
            .body(json!({
                "name": new.name,
                "platform": new.platform,
                "type": "apikey",
                "credentials": {
                    "base_url": new.base_url,
                    "api_key": new.api_key.expose(),
                    "model_mapping": new.model_mapping,
                },
                "extra": extra,
                "group_ids": numbers(&new.group_ids),
                "concurrency": new.concurrency,
                "priority": new.priority,
            }));
        self.get(&call).await.map(|row| self.account_of(row))
    }

    /// A PUT of `group_ids` alone. All other fields are pointers there, so absent means unchanged:
    /// `extra` (with the probe's flag) and `credentials` are only replaced when sent, and without
    /// `credentials` no new probe runs (contract 4.3.2, trap 12). The bulk update would leave them
    /// alone as well, but answers 200 when a binding failed, and does not name an unknown group.
    pub(super) async fn bind_groups(&self, id: RemoteId, groups: &[RemoteId]) -> Outcome<()> {
        let doing = format!("binding account {id} to its groups");
        let call = Call::write(Method::PUT, format!("/accounts/{id}"), doing)
            .body(json!({ "group_ids": numbers(groups) }));
        self.data(&call).await.map(drop)
    }

    pub(super) async fn switch_account(&self, id: RemoteId, on: bool) -> Outcome<()> {
        let word = if on { "un-parking" } else { "parking" };
        let path = format!("/accounts/{id}/schedulable");
        let call = Call::write(Method::POST, path, format!("{word} account {id}"))
            .body(json!({ "schedulable": on }));
        self.data(&call).await.map(drop)
    }

    pub(super) async fn forget_state(&self, id: RemoteId) -> Outcome<()> {
        let path = format!("/accounts/{id}/recover-state");
        let doing = format!("clearing the state of account {id}");
        self.data(&Call::write(Method::POST, path, doing))
            .await
            .map(drop)
    }

    pub(super) async fn drop_account(&self, id: RemoteId) -> Outcome<()> {
        let path = format!("/accounts/{id}");
        let doing = format!("deleting account {id}");
        // 200 also for a wrong id (trap 16); a version that says 404 means the same.
        self.remove(&Call::write(Method::DELETE, path, doing))
            .await
            .map(drop)
    }
}

pub(super) fn numbers(ids: &[RemoteId]) -> Vec<i64> {
    ids.iter().map(|id| id.0).collect()
}
