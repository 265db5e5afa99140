//! What an upstream's error does to the account it came from.

use crate::sub2api::model::Account;
use crate::sub2api::state::State;
use crate::sub2api::upstream_call::Said;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Statuses that send the request on to the next account.
pub(super) fn fails_over(said: &Said) -> bool {
    matches!(said.status, 401 | 402 | 403 | 429 | 500..)
        || said.status == 400
            && said
                .text()
                .to_lowercase()
                .contains("processing your request")
}

fn flag(account: &Account, name: &str) -> bool {
    account.credentials.get(name) == Some(&json!(true))
}

/// Pool mode without custom codes: errors are retried, never held against the account.
pub(super) fn pooled(account: &Account) -> bool {
    flag(account, "pool_mode") && !flag(account, "custom_error_codes_enabled")
}

/// How often pool mode tries the same account again.
pub(super) fn pool_retries(account: &Account) -> i64 {
    let count = account.credentials.get("pool_mode_retry_count");
    count.and_then(Value::as_i64).unwrap_or(3).clamp(0, 10)
}

/// `Some(listed)` when the account has custom error codes.
pub(super) fn custom_listed(account: &Account, status: u16) -> Option<bool> {
    let codes = account.credentials.get("custom_error_codes");
    let listed = codes
        .and_then(Value::as_array)
        .is_some_and(|codes| codes.contains(&json!(status)));
    flag(account, "custom_error_codes_enabled").then_some(listed)
}

/// Changes the account's state and writes the log line that goes with it.
pub(super) fn punish(state: &mut State, at: i64, said: &Said) {
    let Some(account) = state.account(at).cloned() else {
        return;
    };
    let status = said.status;
    let fields = json!({ "account_id": at, "status_code": status });
    let log = |state: &State, level: &str, text: &str, fields: Value| {
        state.note(level, "service.ratelimit", text, fields);
    };
    if pooled(&account) {
        return log(state, "INFO", "pool_mode_error_skipped", fields);
    }
    if custom_listed(&account, status) == Some(false) {
        return log(state, "INFO", "account_error_code_skipped", fields);
    }
    if status == 403 {
        let body: String = said.text().chars().take(1024).collect();
        let text = format!("[HandleUpstreamErrorRaw] account_id={at} status=403 raw_body={body}");
        log(state, "WARN", &text, fields);
    }
    let now = state.now();
    let fallback = SignedDuration::try_from(state.settings.rate_limit_fallback).unwrap_or_default();
    let Some(row) = state.account_mut(at) else {
        return;
    };
    let note = if let Some((minutes, word)) = matching_rule(&account, said) {
        pause(row, now, minutes, status, &word, said);
        ("INFO", "account_temp_unschedulable")
    } else {
        apply(row, now, fallback, said)
    };
    if !note.1.is_empty() {
        let fields = json!({ "account_id": at, "status_code": status, "error": said.message() });
        log(state, note.0, note.1, fields);
    }
}

/// The table of the host: status to state change. Gives level and text of the log line.
fn apply(
    row: &mut Account,
    now: Timestamp,
    fallback: SignedDuration,
    said: &Said,
) -> (&'static str, &'static str) {
    let broken = |row: &mut Account, text: String| {
        "error".clone_into(&mut row.status);
        row.error_message = text;
        ("WARN", "account_disabled_auth_error")
    };
    let words = said.message();
    match said.status {
        401 => broken(row, format!("Authentication failed (401): {words}")),
        402 => broken(row, format!("Payment required (402): {words}")),
        403 if row.platform == "openai" => {
            row.forbidden
                .retain(|at| now.duration_since(*at).as_mins() < 180);
            row.forbidden.push(now);
            if row.forbidden.len() >= 3 {
                return broken(
                    row,
                    format!("Access forbidden (403): {words} | consecutive_403=3/3"),
                );
            }
            let count = row.forbidden.len();
            row.temp_unschedulable_until = Some(now + SignedDuration::from_mins(10));
            // A text, where a rule leaves JSON.
            row.temp_unschedulable_reason = format!(
                "OpenAI 403 temporary cooldown ({count}/3): Access forbidden (403): {words}"
            );
            ("WARN", "openai_403_temp_unschedulable")
        }
        403 => broken(row, format!("Access forbidden (403): {words}")),
        429 => {
            let wait = said.retry_after.map(SignedDuration::from_secs);
            if wait.is_none() && row.platform == "anthropic" {
                return ("INFO", "");
            }
            row.rate_limited_at = Some(now);
            row.rate_limit_reset_at = Some(now + wait.unwrap_or(fallback));
            match wait {
                Some(_) => ("INFO", "account_rate_limited"),
                None => ("WARN", "rate_limit_429_fallback_used"),
            }
        }
        529 => {
            row.overload_until = Some(now + SignedDuration::from_mins(10));
            ("INFO", "account_overloaded")
        }
        _ if custom_listed(row, said.status) == Some(true) => {
            broken(row, format!("Custom error code triggered: {words}"))
        }
        500.. => ("WARN", "account_upstream_error"),
        400 if dead_account(&words, &row.platform) => broken(row, words),
        _ => ("INFO", ""),
    }
}

fn dead_account(words: &str, platform: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("organization has been disabled")
        || words.contains("identity verification is required")
        || platform == "anthropic" && words.contains("credit balance")
}

fn matching_rule(account: &Account, said: &Said) -> Option<(i64, String)> {
    if !flag(account, "temp_unschedulable_enabled") || said.status == 401 {
        return None;
    }
    let body = said.text().to_lowercase();
    let rules = account
        .credentials
        .get("temp_unschedulable_rules")?
        .as_array()?;
    rules.iter().find_map(|rule| {
        let words = rule["keywords"].as_array()?;
        let mut words = words.iter().filter_map(Value::as_str);
        let hit = words.find(|word| body.contains(&word.to_lowercase()))?;
        let fits = rule["error_code"] == json!(said.status);
        fits.then(|| {
            (
                rule["duration_minutes"].as_i64().unwrap_or(10),
                hit.to_owned(),
            )
        })
    })
}

fn pause(row: &mut Account, now: Timestamp, minutes: i64, status: u16, word: &str, said: &Said) {
    let until = now + SignedDuration::from_mins(minutes);
    row.temp_unschedulable_until = Some(until);
    let body: String = said.text().chars().take(1024).collect();
    row.temp_unschedulable_reason = json!({
        "until_unix": until.as_second(), "triggered_at_unix": now.as_second(),
        "status_code": status, "matched_keyword": word, "rule_index": 0, "error_message": body,
    })
    .to_string();
}
