//! Accounts: their rows, lists, switches and the account test.

use super::{Kit, account_body, forced, plain, until};
use crate::sub2api::model::Group;
use crate::upstream::VendorKind;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn put_replaces_extra_and_drops_omitted_credentials_but_keeps_secrets() {
    // trap 12
    let kit = Kit::new().await;
    let at = kit
        .host
        .with(|state| state.add_account(forced("a", "good", "sk-lab-good-1")));
    let path = format!("/accounts/{at}");
    let body = json!({ "extra": { "x": 1 }, "credentials": { "user_agent": "u" } });
    let heard = kit.admin("PUT", &path, body).await.json["data"].clone();
    assert_eq!(heard["extra"], json!({ "x": 1 }));
    assert_eq!(heard["credentials"], json!({ "user_agent": "u" }));
    let secret = kit
        .host
        .with(|state| state.accounts[&at].credentials["api_key"].clone());
    assert_eq!(secret, "sk-lab-good-1");
    let bulk = json!({ "account_ids": [at, 999], "extra": { "y": 2 },
        "credentials": { "base_url": "http://good.upstream.lab" } });
    let heard = kit.admin("POST", "/accounts/bulk-update", bulk).await.json["data"].clone();
    assert_eq!(
        (&heard["success_ids"], &heard["failed_ids"]),
        (&json!([at]), &json!([999]))
    );
    let read = kit.admin("GET", &path, Value::Null).await.json["data"].clone();
    assert_eq!(read["extra"]["x"], json!(1));
    assert_eq!(read["extra"]["y"], json!(2));
    assert_eq!(read["credentials"]["user_agent"], "u");
}

#[tokio::test]
async fn a_key_never_comes_back_except_by_the_export() {
    // trap 13
    let kit = Kit::new().await;
    let at = kit
        .host
        .with(|state| state.add_account(plain("a", "good", "sk-lab-good-1")));
    for path in [format!("/accounts/{at}"), "/accounts".to_owned()] {
        let heard = kit.admin("GET", &path, Value::Null).await;
        assert!(!heard.text.contains("sk-lab-good-1"), "{path}");
        assert!(heard.text.contains("\"has_api_key\":true"), "{path}");
    }
    let export = kit.admin("GET", "/accounts/data", Value::Null).await;
    let account = &export.json["data"]["accounts"][0];
    assert_eq!(account["credentials"]["api_key"], "sk-lab-good-1");
}

#[tokio::test]
async fn a_create_with_an_unknown_group_leaves_an_orphan_behind() {
    // trap 14
    let kit = Kit::new().await;
    let mut body = account_body("a", "good", "sk-lab-good-1");
    body["group_ids"] = json!([4711]);
    let heard = kit.admin("POST", "/accounts", body).await;
    assert_eq!(
        (heard.status, heard.json["message"].as_str()),
        (500, Some("internal error"))
    );
    let list = kit
        .admin("GET", "/accounts?group=ungrouped", Value::Null)
        .await;
    assert_eq!(list.json["data"]["total"], json!(1));
    for _ in 0..2 {
        let body = account_body("same", "good", "sk-lab-good-1");
        let made = kit.admin("POST", "/accounts", body).await;
        assert_eq!(made.status, 200);
        assert!(made.json["data"].get("group_ids").is_none());
    }
    let twice = kit.admin("GET", "/accounts?search=same", Value::Null).await;
    assert_eq!(twice.json["data"]["total"], json!(2));
    let path = format!("/accounts/{}", list.json["data"]["items"][0]["id"]);
    let heard = kit
        .admin("PUT", &path, json!({ "group_ids": [4711] }))
        .await;
    assert_eq!(
        (heard.status, &heard.json["reason"]),
        (404, &json!("GROUP_NOT_FOUND"))
    );
}

#[tokio::test]
async fn an_account_without_groups_joins_the_platform_default() {
    // trap 15
    let kit = Kit::new().await;
    let fresh = kit.admin("GET", "/groups/1", Value::Null).await.json["data"].clone();
    assert_eq!(
        (&fresh["name"], &fresh["platform"]),
        (&json!("default"), &json!("anthropic"))
    );
    let group = kit
        .host
        .with(|state| state.add_group(Group::new("openai-default", "openai")));
    let made = kit
        .admin(
            "POST",
            "/accounts",
            account_body("a", "good", "sk-lab-good-1"),
        )
        .await;
    let id = made.json["data"]["id"].as_i64().unwrap();
    assert_eq!(kit.host.with(|state| state.groups_of(id)), [group]);
}

#[tokio::test]
async fn omitted_concurrency_is_unlimited_and_omitted_priority_is_first() {
    // trap 29
    let kit = Kit::new().await;
    let made = kit
        .admin(
            "POST",
            "/accounts",
            account_body("a", "good", "sk-lab-good-1"),
        )
        .await;
    assert_eq!(made.json["data"]["concurrency"], json!(0));
    assert_eq!(made.json["data"]["priority"], json!(0));
}

#[tokio::test]
async fn deleting_an_unknown_account_is_a_200() {
    // trap 16
    let kit = Kit::new().await;
    let heard = kit.admin("DELETE", "/accounts/4711", Value::Null).await;
    assert_eq!(heard.status, 200);
    assert_eq!(
        heard.json["data"]["message"],
        "Account deleted successfully"
    );
}

#[tokio::test]
async fn the_active_filter_demands_more_than_the_column() {
    // trap 19
    let kit = Kit::new().await;
    let at = kit
        .host
        .with(|state| state.add_account(plain("a", "good", "sk-lab-good-1")));
    let count = async |status: &str| {
        let path = format!("/accounts?status={status}");
        kit.admin("GET", &path, Value::Null).await.json["data"]["total"].clone()
    };
    assert_eq!(count("active").await, json!(1));
    let path = format!("/accounts/{at}/schedulable");
    let off = kit
        .admin("POST", &path, json!({ "schedulable": false }))
        .await;
    assert_eq!(off.json["data"]["status"], "active");
    assert_eq!(count("active").await, json!(0));
    assert_eq!(count("unschedulable").await, json!(1));
    kit.admin("POST", &format!("/accounts/{at}/clear-error"), Value::Null)
        .await;
    assert_eq!(
        count("active").await,
        json!(0),
        "clear-error leaves schedulable alone"
    );
    kit.host.with(|state| {
        let until = state.now() + jiff::SignedDuration::from_mins(5);
        let row = state.account_mut(at).unwrap();
        row.schedulable = true;
        row.temp_unschedulable_until = Some(until);
        row.temp_unschedulable_reason = json!({ "status_code": 403 }).to_string();
    });
    assert_eq!(count("temp_unschedulable").await, json!(1));
    let path = format!("/accounts/{at}/temp-unschedulable");
    let state = kit.admin("GET", &path, Value::Null).await.json["data"].clone();
    assert_eq!(
        (&state["active"], &state["state"]["status_code"]),
        (&json!(true), &json!(403))
    );
    kit.admin("DELETE", &path, Value::Null).await;
    assert_eq!(count("active").await, json!(1));
}

#[tokio::test]
async fn an_account_test_passes_and_heals_the_account() {
    // trap 20
    let kit = Kit::new().await;
    let at = kit.host.with(|state| {
        let mut account = plain("a", "good", "sk-lab-good-1");
        "error".clone_into(&mut account.status);
        state.add_account(account)
    });
    let path = format!("/accounts/{at}/test");
    let body = json!({ "model_id": "lab-chat", "prompt": "reply with pong only" });
    let heard = kit.admin("POST", &path, body).await;
    assert_eq!(heard.status, 200);
    assert_eq!(heard.kind, "text/event-stream");
    assert_eq!(
        events(&heard.text),
        [
            json!({ "type": "test_start", "model": "lab-chat" }),
            json!({ "type": "content", "text": "pong" }),
            json!({ "type": "test_complete", "success": true }),
        ]
    );
    assert_eq!(
        kit.host.with(|state| state.accounts[&at].status.clone()),
        "active"
    );
    // Without `model_id` the host asks for its own default model.
    let heard = kit
        .admin("POST", &path, json!({ "model": "lab-chat" }))
        .await;
    assert_eq!(events(&heard.text)[0]["model"], "gpt-5.4");
}

#[tokio::test]
async fn a_dead_key_makes_the_test_set_the_account_to_error() {
    // traps 20 and 22
    let kit = Kit::new().await;
    let at = kit
        .host
        .with(|state| state.add_account(plain("a", "good", "sk-lab-bad-1")));
    let heard = kit
        .admin("POST", &format!("/accounts/{at}/test"), Value::Null)
        .await;
    assert_eq!(heard.status, 200);
    let last = events(&heard.text).pop().unwrap();
    assert!(
        last["error"]
            .as_str()
            .unwrap()
            .starts_with("API returned 401: {")
    );
    let row = kit.host.with(|state| state.accounts[&at].clone());
    assert_eq!(row.status, "error");
    assert!(
        row.error_message
            .starts_with("Authentication failed (401): ")
    );
}

#[tokio::test]
async fn early_test_errors_are_plain_text_without_a_start() {
    // trap 20
    let kit = Kit::new().await;
    let at = kit
        .host
        .with(|state| state.add_account(forced("a", "chat", "sk-lab-good-1")));
    let chat_only = kit
        .admin("POST", &format!("/accounts/{at}/test"), Value::Null)
        .await;
    let unknown = kit.admin("POST", "/accounts/4711/test", Value::Null).await;
    for (heard, text) in [
        (&chat_only, "不支持 OpenAI Responses API"),
        (&unknown, "Account not found"),
    ] {
        assert_eq!(heard.status, 200);
        assert!(heard.kind.starts_with("text/plain"), "{}", heard.kind);
        let events = events(&heard.text);
        assert_eq!(events.len(), 1);
        assert!(events[0]["error"].as_str().unwrap().contains(text));
    }
    assert!(kit.asked("chat").is_empty());
    assert_eq!(
        kit.admin("POST", "/accounts/x/test", Value::Null)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn plain_http_upstreams_are_refused_at_use_when_the_host_says_so() {
    // trap 27
    let kit = Kit::new().await;
    let group = kit.seed_group();
    kit.host
        .with(|state| state.settings.allow_insecure_http = false);
    let made = kit
        .admin(
            "POST",
            "/accounts",
            account_body("a", "good", "sk-lab-good-1"),
        )
        .await;
    assert_eq!(made.status, 200, "never refused at create");
    let at = made.json["data"]["id"].as_i64().unwrap();
    let heard = kit
        .admin("POST", &format!("/accounts/{at}/test"), Value::Null)
        .await;
    assert!(heard.text.contains("Invalid base URL: "));
    kit.host.with(|state| state.bind(at, group));
    let heard = kit.pong().await;
    assert_eq!(
        (heard.status, &heard.json["error"]["type"]),
        (502, &json!("upstream_error"))
    );
    assert!(kit.asked("good").is_empty());
}

#[tokio::test]
async fn sync_upstream_asks_with_the_accounts_key_and_changes_nothing() {
    let kit = Kit::new().await;
    let (good, bad) = kit.host.with(|state| {
        let good = state.add_account(plain("a", "good", "sk-lab-good-1"));
        (good, state.add_account(plain("b", "good", "sk-lab-bad-1")))
    });
    let path = |at| format!("/accounts/{at}/models/sync-upstream");
    let heard = kit.admin("POST", &path(good), Value::Null).await;
    assert_eq!(heard.json["data"]["models"], json!(["gpt-5.4", "lab-chat"]));
    let heard = kit.admin("POST", &path(bad), Value::Null).await;
    assert_eq!(heard.status, 502);
    assert_eq!(
        heard.json["message"],
        "Upstream model list request failed with HTTP 401"
    );
    assert_eq!(
        kit.host.with(|state| state.accounts[&bad].status.clone()),
        "active"
    );
}

#[tokio::test]
async fn any_answer_but_404_marks_an_upstream_as_speaking_responses() {
    // trap 21
    let kit = Kit::new().await;
    kit.vendor("walled", VendorKind::ChatOnlyWalled).await;
    kit.vendor("broken", VendorKind::ChatOnlyBroken).await;
    for (vendor, supported) in [
        ("good", true),
        ("chat", false),
        ("walled", true),
        ("broken", true),
    ] {
        let body = account_body(vendor, vendor, "sk-lab-good-1");
        let made = kit.admin("POST", "/accounts", body).await;
        let at = made.json["data"]["id"].as_i64().unwrap();
        let flag = || {
            kit.host.with(|s| {
                s.accounts[&at]
                    .extra
                    .get("openai_responses_supported")
                    .cloned()
            })
        };
        until("the probe's flag", || flag().is_some()).await;
        assert_eq!(flag(), Some(json!(supported)), "{vendor}");
        let status = kit.host.with(|state| state.accounts[&at].status.clone());
        assert_eq!(status, "active", "the probe never touches the status");
    }
    let made = kit
        .admin(
            "POST",
            "/accounts",
            account_body("n", "nowhere", "sk-lab-good-1"),
        )
        .await;
    let at = made.json["data"]["id"].as_i64().unwrap();
    let lines = kit.host.log_lines();
    until("the probe's failure", || {
        lines
            .since(0)
            .iter()
            .any(|line| line.text.contains("probe_request_failed"))
    })
    .await;
    assert!(kit.host.with(|state| state.accounts[&at].extra.is_empty()));
}

#[tokio::test]
async fn a_mixed_channel_warning_has_no_envelope() {
    // trap 3
    let kit = Kit::new().await;
    kit.host.with(|state| {
        let mut other = plain("g", "good", "k");
        "antigravity".clone_into(&mut other.platform);
        let other = state.add_account(other);
        state.bind(other, 1);
    });
    let mut body = account_body("a", "good", "sk-lab-good-1");
    body["platform"] = json!("anthropic");
    body["group_ids"] = json!([1]);
    let heard = kit.admin("POST", "/accounts", body.clone()).await;
    assert_eq!(
        (heard.status, &heard.json["error"]),
        (409, &json!("mixed_channel_warning"))
    );
    assert!(heard.json.get("code").is_none());
    body["confirm_mixed_channel_risk"] = json!(true);
    assert_eq!(kit.admin("POST", "/accounts", body).await.status, 200);
}

#[tokio::test]
async fn a_key_that_is_forbidden_once_fails_its_first_test_only() {
    let kit = Kit::with_probe(Duration::from_secs(30)).await;
    let at = kit
        .host
        .with(|state| state.add_account(plain("a", "good", "sk-lab-first403-1")));
    let path = format!("/accounts/{at}/test");
    let body = json!({ "model_id": "lab-chat" });
    let first = kit.admin("POST", &path, body.clone()).await;
    assert!(first.text.contains("API returned 403: "), "{}", first.text);
    let second = kit.admin("POST", &path, body).await;
    assert!(second.text.contains("test_complete"), "{}", second.text);
}

fn events(text: &str) -> Vec<Value> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
