//! What the host's log says of requests that were never sent, by the accounts as they are now.

use super::select::first_of;
use crate::sub2api::SimHost;
use crate::sub2api::state::State;
use serde_json::json;

const COMPONENT: &str = "handler.openai_gateway.chat_completions";

impl SimHost {
    /// Writes the lines of a chat completion and gives its status. `refused`: the vendors have no
    /// quota left.
    pub(crate) fn pulse(
        &self,
        group: i64,
        key: i64,
        model: &str,
        refused: bool,
        number: u64,
    ) -> u16 {
        self.with(|state| {
            let account = state
                .groups
                .get(&group)
                .and_then(|row| first_of(state, row));
            let status = match account {
                None => {
                    let fields = json!({
                        "error": "no available accounts", "excluded_account_count": 0,
                        "api_key_id": key, "group_id": group, "model": model, "stream": true,
                    });
                    let text = "openai_chat_completions.account_select_failed";
                    state.note("WARN", COMPONENT, text, fields);
                    503
                }
                Some(at) if refused => {
                    let body = json!({ "error": {
                        "message": "user quota is not enough, remaining quota: 0",
                        "type": "new_api_error", "code": "insufficient_user_quota",
                    }});
                    let text = format!(
                        "[HandleUpstreamErrorRaw] account_id={at} status=403 raw_body={body}"
                    );
                    let fields = json!({ "account_id": at, "status_code": 403 });
                    state.note("WARN", "service.ratelimit", &text, fields);
                    502
                }
                Some(_) => 200,
            };
            completed(
                state,
                "POST",
                "/v1/chat/completions",
                status,
                300 + number * 131 % 1900,
            );
            status
        })
    }

    /// Writes the line of a look at the models.
    pub(crate) fn pulse_models(&self) {
        self.with(|state| completed(state, "GET", "/v1/models", 200, 4));
    }
}

fn completed(state: &State, method: &str, path: &str, status: u16, taken: u64) {
    let fields = json!({
        "status_code": status, "latency_ms": taken, "client_ip": "127.0.0.1",
        "protocol": "HTTP/1.1", "method": method, "path": path,
    });
    state.note("INFO", "http.access", "http request completed", fields);
}
