//! Selection, failover, state changes, and what the gateway answers and records.

use super::{Kit, forced, plain, smoke};
use crate::upstream::VendorKind;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_chat_is_answered_billed_and_recorded() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let at = kit.seed_account(group, "a", "sk-lab-good-1");
    let heard = kit.pong().await;
    assert_eq!(heard.status, 200);
    assert_eq!(heard.json["choices"][0]["message"]["content"], "pong");
    let usage = kit
        .admin("GET", &format!("/usage?account_id={at}"), Value::Null)
        .await;
    let row = &usage.json["data"]["items"][0];
    assert_eq!(
        (&row["account_id"], &row["model"]),
        (&json!(at), &json!("lab-chat"))
    );
    assert_eq!(row["upstream_endpoint"], "/v1/chat/completions");
    assert!(kit.host.with(|state| state.users[&2].balance) < 5.0);
    let token = kit.token("u@lab", "user-password").await;
    let own = kit.user(&token, "GET", "/usage", Value::Null).await;
    assert_eq!(own.json["data"]["total"], json!(1));
    let streamed = kit.gateway("/v1/chat/completions", smoke(true)).await;
    assert_eq!(streamed.kind, "text/event-stream");
    assert!(streamed.text.contains("pong") && streamed.text.ends_with("data: [DONE]\n\n"));
    assert!(
        streamed.text.contains("\"usage\""),
        "usage is forced on streams"
    );
}

#[tokio::test]
async fn lower_priority_goes_first_then_the_least_recently_used() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let first = kit.seed_account(group, "a", "sk-lab-good-1");
    let second = kit.seed_account(group, "b", "sk-lab-good-2");
    let mut late = forced("c", "good", "sk-lab-good-3");
    late.priority = 9;
    kit.seed(group, late);
    for _ in 0..4 {
        assert_eq!(kit.pong().await.status, 200);
    }
    assert_eq!(kit.served_by(), [first, second, first, second]);
}

#[tokio::test]
async fn a_conversation_stays_with_its_account() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    kit.host
        .with(|state| state.settings.sticky_ttl = Duration::from_hours(1));
    let first = kit.seed_account(group, "a", "sk-lab-good-1");
    let second = kit.seed_account(group, "b", "sk-lab-good-2");
    kit.pong().await;
    kit.pong().await;
    kit.host
        .with(|state| state.account_mut(first).unwrap().schedulable = false);
    kit.pong().await;
    assert_eq!(kit.served_by(), [first, first, second]);
}

#[tokio::test]
async fn a_dead_key_behind_ten_good_ones_is_hidden_by_failover() {
    // trap 22
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let dead = kit.seed_account(group, "new", "sk-lab-bad-1");
    let old: Vec<i64> = (0..10)
        .map(|number| {
            kit.seed_account(
                group,
                &format!("old{number}"),
                &format!("sk-lab-good-{number}"),
            )
        })
        .collect();
    let heard = kit.pong().await;
    assert_eq!(heard.status, 200, "nobody outside sees the dead key");
    assert_eq!(kit.served_by(), [old[0]]);
    let row = kit.host.with(|state| state.accounts[&dead].clone());
    assert_eq!(row.status, "error");
    assert!(row.error_message.contains("401"));
    let asked = kit.asked("good").len();
    kit.pong().await;
    assert_eq!(
        kit.asked("good").len(),
        asked + 1,
        "an account in error is not asked again"
    );
    kit.host
        .with(|state| state.advance(Duration::from_hours(24)));
    assert_eq!(
        kit.host.with(|state| state.accounts[&dead].status.clone()),
        "error"
    );
}

#[tokio::test]
async fn failover_ends_after_ten_switches() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    for number in 0..13 {
        kit.seed_account(
            group,
            &format!("a{number}"),
            &format!("sk-lab-bad-{number}"),
        );
    }
    let heard = kit.pong().await;
    assert_eq!(heard.status, 502);
    let text = "Upstream authentication failed, please contact administrator";
    assert_eq!(heard.json["error"]["message"], text);
    assert_eq!(kit.asked("good").len(), 11);
}

#[tokio::test]
async fn each_upstream_status_has_its_answer_and_its_mark() {
    for (key, status, text) in [
        (
            "sk-lab-quota-1",
            502,
            "Upstream access forbidden, please contact administrator",
        ),
        (
            "sk-lab-429-1",
            429,
            "Upstream rate limit exceeded, please retry later",
        ),
        (
            "sk-lab-bad-1",
            502,
            "Upstream authentication failed, please contact administrator",
        ),
    ] {
        let kit = Kit::new().await;
        let group = kit.seed_group();
        let at = kit.seed_account(group, "a", key);
        let heard = kit.pong().await;
        assert_eq!(
            (heard.status, heard.json["error"]["message"].as_str()),
            (status, Some(text))
        );
        let (row, now) = kit
            .host
            .with(|state| (state.accounts[&at].clone(), state.now()));
        match key {
            "sk-lab-quota-1" => {
                let until = row.temp_unschedulable_until.unwrap();
                assert!((590..=600).contains(&until.duration_since(now).as_secs()));
                assert!(
                    row.temp_unschedulable_reason
                        .starts_with("OpenAI 403 temporary cooldown (1/3)")
                );
                assert_eq!(row.status, "active");
            }
            "sk-lab-429-1" => {
                assert!(
                    row.rate_limit_reset_at
                        .unwrap()
                        .duration_since(now)
                        .as_secs()
                        <= 5
                );
            }
            _ => assert_eq!(row.status, "error"),
        }
        // Nothing is left: the next client hears of no upstream at all.
        assert_eq!(kit.pong().await.status, 503);
    }
}

#[tokio::test]
async fn the_third_forbidden_answer_within_three_hours_is_an_error() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let at = kit.seed_account(group, "a", "sk-lab-quota-1");
    for expected in ["active", "active", "error"] {
        assert_eq!(kit.pong().await.status, 502);
        assert_eq!(
            kit.host.with(|state| state.accounts[&at].status.clone()),
            expected
        );
        kit.host
            .with(|state| state.advance(Duration::from_mins(11)));
    }
}

#[tokio::test]
async fn pool_mode_retries_the_same_account_and_never_marks_it() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let mut account = forced("a", "good", "sk-lab-bad-1");
    account
        .credentials
        .insert("pool_mode".to_owned(), json!(true));
    account
        .credentials
        .insert("pool_mode_retry_count".to_owned(), json!(2));
    let at = kit.seed(group, account);
    assert_eq!(kit.pong().await.status, 502);
    assert_eq!(kit.asked("good").len(), 3);
    assert_eq!(
        kit.host.with(|state| state.accounts[&at].status.clone()),
        "active"
    );
}

#[tokio::test]
async fn a_cooldown_rule_matches_words_of_the_body() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let mut account = forced("a", "good", "sk-lab-429-1");
    let rules =
        json!([{ "error_code": 429, "keywords": ["RATE limit reached"], "duration_minutes": 42 }]);
    account
        .credentials
        .insert("temp_unschedulable_enabled".to_owned(), json!(true));
    account
        .credentials
        .insert("temp_unschedulable_rules".to_owned(), rules);
    let at = kit.seed(group, account);
    kit.pong().await;
    let (row, now) = kit
        .host
        .with(|state| (state.accounts[&at].clone(), state.now()));
    let left = row.temp_unschedulable_until.unwrap().duration_since(now);
    assert!((41..=42).contains(&left.as_mins()), "{left:?}");
    assert_eq!(row.rate_limit_reset_at, None);
}

#[tokio::test]
async fn an_account_of_another_platform_is_bound_and_never_chosen() {
    // trap 18
    let kit = Kit::new().await;
    let at = kit
        .admin(
            "POST",
            "/accounts",
            super::account_body("a", "good", "sk-lab-good-1"),
        )
        .await;
    let path = format!("/accounts/{}", at.json["data"]["id"]);
    let bound = kit.admin("PUT", &path, json!({ "group_ids": [1] })).await;
    assert_eq!(
        (bound.status, &bound.json["data"]["group_ids"]),
        (200, &json!([1]))
    );
    kit.seed_group();
    kit.host
        .with(|state| state.keys.get_mut(&1).unwrap().group_id = Some(1));
    let heard = kit.pong().await;
    assert_eq!(heard.status, 503);
    assert!(
        heard.json["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("No available accounts: ")
    );
}

#[tokio::test]
async fn the_model_list_is_no_smoke_test() {
    // trap 23
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let ids = async || {
        let heard = kit.gateway("/v1/models", Value::Null).await;
        assert_eq!(heard.status, 200);
        let rows = heard.json["data"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let default = ids().await;
    assert!(
        default.contains(&"gpt-5.4".to_owned()),
        "a list, though there is no account"
    );
    kit.seed_account(group, "a", "sk-lab-good-1");
    assert_eq!(ids().await, default, "stale for fifteen seconds");
    kit.host
        .with(|state| state.advance(Duration::from_secs(16)));
    assert_eq!(ids().await, ["lab-chat"]);
}

#[tokio::test]
async fn an_unmapped_model_is_a_503_whose_reason_is_only_in_the_log() {
    // traps 24, 36 and 37
    let kit = Kit::new().await;
    let group = kit.seed_group();
    kit.seed_account(group, "a", "sk-lab-good-1");
    let body = json!({ "model": "other", "messages": [{ "role": "user", "content": "x" }] });
    let heard = kit.gateway("/v1/chat/completions", body).await;
    assert_eq!(
        (heard.status, &heard.json["error"]["type"]),
        (503, &json!("api_error"))
    );
    assert_eq!(
        heard.json["error"]["message"],
        "Service temporarily unavailable"
    );
    let lines = kit.host.log_lines().since(0);
    let line = lines
        .iter()
        .find(|line| line.text.contains("account_select_failed"))
        .unwrap();
    assert!(line.stderr, "warnings are on standard error");
    assert!(
        line.text
            .contains("no available OpenAI accounts supporting model: other")
    );
    let count = async |view: &str| {
        let path = format!("/ops/errors{view}");
        kit.admin("GET", &path, Value::Null).await.json["data"]["total"].clone()
    };
    assert_eq!(count("").await, json!(0));
    assert_eq!(count("?view=all").await, json!(1));
    assert_eq!(count("?view=excluded").await, json!(1));
}

#[tokio::test]
async fn only_server_errors_of_an_upstream_are_logged_as_such() {
    // trap 37
    let kit = Kit::new().await;
    kit.vendor("dead", VendorKind::Dead).await;
    let group = kit.seed_group();
    let dead = kit.seed(group, forced("a", "dead", "sk-lab-good-1"));
    kit.seed_account(group, "b", "sk-lab-bad-1");
    assert_eq!(kit.pong().await.status, 502);
    let lines = kit.host.log_lines().since(0);
    let told: Vec<_> = lines
        .iter()
        .filter(|line| line.text.contains("account_upstream_error"))
        .collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].text.contains(&format!("\"account_id\":{dead}")));
}

#[tokio::test]
async fn a_network_error_is_not_failed_over() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    kit.seed(group, forced("a", "nowhere", "sk-lab-good-1"));
    kit.seed_account(group, "b", "sk-lab-good-2");
    let heard = kit.pong().await;
    assert_eq!(
        (heard.status, &heard.json["error"]["message"]),
        (502, &json!("Upstream request failed"))
    );
    assert!(kit.asked("good").is_empty());
}

#[tokio::test]
async fn an_anthropic_group_passes_the_upstreams_status_on() {
    // trap 26
    let kit = Kit::new().await;
    kit.vendor("full", VendorKind::Full).await;
    kit.seed_group();
    kit.host
        .with(|state| state.keys.get_mut(&1).unwrap().group_id = Some(1));
    let account = |key: &str| {
        let mut account = plain("a", "full", key);
        "anthropic".clone_into(&mut account.platform);
        account
    };
    kit.seed(1, account("sk-lab-bad-1"));
    let heard = kit.pong().await;
    assert_eq!(heard.status, 401, "and it is not the client's key");
    assert_eq!(
        heard.json["error"]["message"],
        "All available accounts exhausted"
    );
    assert_eq!(heard.json["error"]["type"], "server_error");
    kit.seed(1, account("sk-lab-good-1"));
    let heard = kit.pong().await;
    assert_eq!(heard.json["choices"][0]["message"]["content"], "pong");
}

#[tokio::test]
async fn a_channel_maps_the_model_after_the_account_was_chosen() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let mut account = forced("a", "good", "sk-lab-good-1");
    let mapping = json!({ "alias": "x", "target": "lab-chat" });
    account
        .credentials
        .insert("model_mapping".to_owned(), mapping);
    kit.seed(group, account);
    let body = json!({ "name": "c", "group_ids": [group], "model_mapping": { "openai": { "alias": "target" } } });
    kit.admin("POST", "/channels", body).await;
    let mut body = smoke(false);
    body["model"] = json!("alias");
    assert_eq!(kit.gateway("/v1/chat/completions", body).await.status, 200);
    let last = kit.host.with(|state| state.usage.last().cloned()).unwrap();
    assert_eq!(
        (last.model.as_str(), last.upstream_model.as_str()),
        ("alias", "lab-chat")
    );
}

#[tokio::test]
async fn availability_shows_what_the_scheduler_sees() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let at = kit.seed_account(group, "a", "sk-lab-bad-1");
    kit.seed_account(group, "b", "sk-lab-good-1");
    kit.pong().await;
    let data = kit
        .admin("GET", "/ops/account-availability", Value::Null)
        .await
        .json["data"]
        .clone();
    assert_eq!(
        data["group"][group.to_string()]["available_count"],
        json!(1)
    );
    assert_eq!(data["group"][group.to_string()]["error_count"], json!(1));
    assert_eq!(data["account"][at.to_string()]["has_error"], json!(true));
}

#[tokio::test]
async fn a_converted_answer_keeps_the_upstreams_content_type() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    kit.seed(
        group,
        plain("a", "good", "sk-lab-good-1").with_responses_mode("force_responses"),
    );
    let heard = kit.pong().await;
    // One JSON object under the type of a stream.
    assert_eq!(
        (heard.status, heard.kind.as_str()),
        (200, "text/event-stream")
    );
    assert_eq!(heard.json["choices"][0]["message"]["content"], "pong");
    assert!(heard.json["id"].as_str().unwrap().starts_with("resp_lab_"));
}
