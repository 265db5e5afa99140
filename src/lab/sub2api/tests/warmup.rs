//! Upstreams that have only chat: the window in which the host does not know it yet.

use super::{Kit, account_body, plain, smoke, until};
use crate::upstream::VendorKind;
use serde_json::{Value, json};
use std::time::Duration;

async fn create(kit: &Kit, group: i64, vendor: &str, mode: Option<&str>) -> i64 {
    let mut body = account_body("a", vendor, "sk-lab-good-1");
    body["group_ids"] = json!([group]);
    if let Some(mode) = mode {
        body["extra"] = json!({ "openai_responses_mode": mode });
    }
    let heard = kit.admin("POST", "/accounts", body).await;
    heard.json["data"]["id"].as_i64().unwrap()
}

fn flag(kit: &Kit, at: i64) -> Option<Value> {
    let name = "openai_responses_supported";
    kit.host
        .with(|state| state.accounts[&at].extra.get(name).cloned())
}

#[tokio::test]
async fn without_a_mode_the_first_request_goes_to_responses_first() {
    let kit = Kit::with_probe(Duration::from_mins(1)).await;
    let group = kit.seed_group();
    create(&kit, group, "chat", None).await;
    until("the probe went out", || kit.asked("chat").len() == 1).await;
    let heard = kit.pong().await;
    assert_eq!(heard.status, 200);
    let expected = ["/v1/responses", "/v1/responses", "/v1/chat/completions"];
    assert_eq!(kit.asked("chat"), expected);
    // /v1/responses has no way back while the state is unknown (trap 21)
    let body = json!({ "model": "lab-chat", "input": "reply with pong only" });
    let heard = kit.gateway("/v1/responses", body).await;
    assert_eq!(
        (heard.status, &heard.json["error"]["message"]),
        (502, &json!("Upstream request failed"))
    );
}

#[tokio::test]
async fn with_the_mode_set_at_creation_there_is_no_window() {
    // trap 21
    let kit = Kit::with_probe(Duration::from_mins(1)).await;
    let group = kit.seed_group();
    create(&kit, group, "chat", Some("force_chat_completions")).await;
    until("the probe went out", || kit.asked("chat").len() == 1).await;
    assert_eq!(kit.pong().await.status, 200);
    assert_eq!(kit.asked("chat"), ["/v1/responses", "/v1/chat/completions"]);
    // Turned into a chat that does not mention a stream, and this upstream streams by default.
    let body = json!({ "model": "lab-chat", "input": "reply with pong only" });
    let heard = kit.gateway("/v1/responses", body).await;
    assert_eq!(
        (heard.status, &heard.json["error"]["message"]),
        (502, &json!("Failed to parse upstream response"))
    );
}

#[tokio::test]
async fn after_the_probe_and_the_snapshot_chat_is_passed_raw() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    kit.host
        .with(|state| state.settings.snapshot_lag = Duration::from_mins(1));
    let at = create(&kit, group, "chat", None).await;
    until("the flag", || flag(&kit, at).is_some()).await;
    assert_eq!(flag(&kit, at), Some(json!(false)));
    kit.pong().await;
    assert_eq!(
        kit.asked("chat").len(),
        3,
        "the scheduler does not see the flag yet"
    );
    kit.host
        .with(|state| state.advance(Duration::from_secs(61)));
    kit.pong().await;
    assert_eq!(kit.asked("chat").len(), 4);
}

#[tokio::test]
async fn a_wall_in_front_of_unknown_paths_kills_the_account_in_the_window() {
    // traps 21 and 22
    let kit = Kit::with_probe(Duration::from_mins(1)).await;
    kit.vendor("walled", VendorKind::ChatOnlyWalled).await;
    let group = kit.seed_group();
    let at = create(&kit, group, "walled", None).await;
    assert_eq!(kit.pong().await.status, 502);
    assert_eq!(
        kit.host.with(|state| state.accounts[&at].status.clone()),
        "error"
    );
}

#[tokio::test]
async fn an_upstream_wrongly_marked_as_speaking_responses_fails_every_chat() {
    let kit = Kit::new().await;
    kit.vendor("broken", VendorKind::ChatOnlyBroken).await;
    let group = kit.seed_group();
    let at = create(&kit, group, "broken", None).await;
    until("the flag", || flag(&kit, at) == Some(json!(true))).await;
    assert_eq!(kit.pong().await.status, 502);
    kit.host
        .with(|state| state.account_mut(at).unwrap().extra.clear());
    let path = format!("/accounts/{at}");
    let extra = json!({ "extra": { "openai_responses_mode": "force_chat_completions" } });
    kit.admin("PUT", &path, extra).await;
    assert_eq!(kit.pong().await.status, 200);
}

#[tokio::test]
async fn a_known_responses_upstream_is_asked_there_and_converted_back() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let account = plain("a", "good", "sk-lab-good-1").with_responses_mode("force_responses");
    kit.seed(group, account);
    let heard = kit.pong().await;
    assert_eq!(heard.json["choices"][0]["message"]["content"], "pong");
    assert_eq!(kit.asked("good"), ["/v1/responses"]);
    let streamed = kit.gateway("/v1/chat/completions", smoke(true)).await;
    assert!(streamed.text.ends_with("data: [DONE]\n\n"));
    let ends = kit.host.with(|state| state.usage.last().cloned()).unwrap();
    assert_eq!(ends.upstream_endpoint, "/v1/responses");
    let body = json!({ "model": "lab-chat", "input": "x", "stream": "yes" });
    let heard = kit.gateway("/v1/responses", body).await;
    assert_eq!(
        (heard.status, &heard.json["error"]["message"]),
        (400, &json!("invalid stream field type"))
    );
}

#[tokio::test]
async fn a_forced_responses_account_of_a_chat_only_upstream_answers_404() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let account = plain("a", "chat", "sk-lab-good-1").with_responses_mode("force_responses");
    kit.seed(group, account);
    let heard = kit.pong().await;
    assert_eq!(
        (heard.status, &heard.json["error"]["type"]),
        (404, &json!("not_found_error"))
    );
}

#[tokio::test]
async fn a_second_account_is_seen_a_snapshot_later() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    kit.host
        .with(|state| state.settings.snapshot_lag = Duration::from_mins(1));
    let first = create(&kit, group, "good", Some("force_chat_completions")).await;
    let second = create(&kit, group, "good", Some("force_chat_completions")).await;
    kit.pong().await;
    kit.pong().await;
    kit.host
        .with(|state| state.advance(Duration::from_secs(61)));
    kit.pong().await;
    assert_eq!(kit.served_by(), [first, first, second]);
}

#[tokio::test]
async fn a_chat_only_vendor_streams_unless_told_not_to() {
    let kit = Kit::new().await;
    let group = kit.seed_group();
    let account = plain("a", "chat", "sk-lab-good-1").with_responses_mode("force_chat_completions");
    kit.seed(group, account);
    let mut body = smoke(false);
    body.as_object_mut().unwrap().remove("stream");
    let heard = kit.gateway("/v1/chat/completions", body).await;
    assert_eq!(
        (heard.status, heard.kind.as_str()),
        (200, "text/event-stream")
    );
    assert_eq!(kit.pong().await.kind, "application/json");
}
