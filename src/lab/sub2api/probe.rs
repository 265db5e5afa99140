//! The background look at a new account's `/responses`, and the foreground look at its models.

use super::SimHost;
use super::account_lists::living;
use super::reply::{Answer, Reply};
use super::upstream_call::{Unheard, credential};
use jiff::SignedDuration;
use serde_json::json;
use std::time::Duration;

impl SimHost {
    /// Marks an account by what `/responses` answers: 404 and 405 are no, anything else is yes,
    /// a 401 too. A network error says nothing.
    pub(super) async fn probe(&self, at: i64) {
        let Some(account) = self.with(|state| state.account(at).cloned()) else {
            return;
        };
        let base = credential(&account, "base_url")
            .unwrap_or_default()
            .to_owned();
        let body = json!({ "model": "gpt-5.4", "input": "hi", "stream": false });
        let call = self.call(&account, "/responses", Some(&body));
        let look = tokio::time::timeout(Duration::from_secs(8), call);
        // The call goes out at once; the configured slowness is the answer's.
        let (said, ()) = tokio::join!(look, tokio::time::sleep(self.inner.options.probe_delay));
        let outcome = said.unwrap_or_else(|_| Err(Unheard::Network("timeout".to_owned())));
        self.with(|state| {
            let note = |level, text: String| {
                state.note(level, "service.openai_probe", &text, json!({}));
            };
            let status = match outcome {
                Ok(said) => said.status,
                Err(Unheard::Refused(why)) if why.starts_with("No API key") => {
                    return note("INFO", format!("probe_skip_no_apikey: account_id={at}"));
                }
                Err(Unheard::Refused(why)) => {
                    return note("WARN", format!("probe_invalid_baseurl: account_id={at} {why}"));
                }
                Err(Unheard::Network(why)) => {
                    return note("WARN", format!("probe_request_failed: account_id={at} {why}"));
                }
            };
            let supported = !matches!(status, 404 | 405);
            note(
                "INFO",
                format!(
                    "probe_done: account_id={at} base_url={base} status={status} supported={supported}"
                ),
            );
            let lag = SignedDuration::try_from(state.settings.snapshot_lag).unwrap_or_default();
            let seen = state.now() + lag;
            if let Some(row) = state.account_mut(at) {
                row.extra
                    .insert("openai_responses_supported".to_owned(), json!(supported));
                row.probe_visible_at = Some(seen);
            }
        });
    }

    /// `POST /accounts/:id/models/sync-upstream`: a real look that changes nothing.
    pub(super) async fn sync_models(&self, text: &str) -> Answer {
        let unknown = |reply: Reply| match reply.status {
            // Its own words, without a reason.
            404 => Reply::json(404, json!({ "code": 404, "message": "Account not found" })),
            _ => reply,
        };
        let account = self.with(|state| living(state, text).cloned());
        let account = account.map_err(unknown)?;
        let failed = |status: u16, text: &str| {
            Reply::json(status, json!({ "code": status, "message": text }))
        };
        match self.call(&account, "/models", None).await {
            Err(Unheard::Refused(why)) if why.starts_with("No API key") => {
                Err(failed(400, "No OpenAI API key is available"))
            }
            Err(Unheard::Refused(why)) => Err(failed(400, &why)),
            Err(Unheard::Network(why)) => Err(failed(
                502,
                &format!("Upstream model list request failed: {why}"),
            )),
            Ok(said) if said.status != 200 => {
                let text = format!(
                    "Upstream model list request failed with HTTP {}",
                    said.status
                );
                Err(failed(502, &text))
            }
            Ok(said) => {
                let list = said.json();
                let rows = list["data"].as_array().into_iter().flatten();
                let mut ids: Vec<&str> = rows.filter_map(|row| row["id"].as_str()).collect();
                ids.sort_unstable();
                Ok(Reply::ok(json!({ "models": ids })))
            }
        }
    }
}
