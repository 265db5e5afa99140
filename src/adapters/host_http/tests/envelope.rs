//! Every shape an answer may have.

use super::{Far, good, said, text};
use axum::body::Body;
use axum::http::Response;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{Account, ResponsesMode};
use cockpit_engine::failure::FailureKind;
use cockpit_engine::ports::HostApi;
use serde_json::{Value, json};

const ID: RemoteId = RemoteId(7);

async fn account_from(answer: fn() -> Response<Body>) -> Account {
    let far = Far::answering(move |_| answer());
    far.api().account(ID).await.unwrap().unwrap()
}

fn row() -> Value {
    json!({ "id": 7, "name": "a" })
}

#[tokio::test]
async fn the_status_decides_over_any_code() {
    for code in [json!(0), json!(500), json!("ODD"), Value::Null] {
        let far = Far::saying(200, &json!({ "code": code, "data": row() }));
        assert!(far.api().account(ID).await.unwrap().is_some(), "{code}");
    }
    let far = Far::saying(200, &json!({ "data": row() }));
    assert!(far.api().account(ID).await.unwrap().is_some());
    // And the other way round: a code of success with a status of refusal.
    let far = Far::saying(409, &json!({ "code": 0, "data": row() }));
    let failure = far.api().account(ID).await.unwrap_err();
    assert_eq!(failure.status(), 409);
}

#[tokio::test]
async fn missing_and_null_fields_are_defaults_and_unknown_ones_are_ignored() {
    let bare = account_from(|| good(&row())).await;
    let nulls = account_from(|| {
        good(&json!({
            "id": "7", "name": "a", "platform": null, "type": null, "credentials": null,
            "extra": null, "group_ids": null, "error_message": null, "schedulable": null,
            "temp_unschedulable_until": null, "brand_new_field": { "x": [1] },
        }))
    })
    .await;
    assert_eq!(bare, nulls);
    assert_eq!(bare.responses_mode, ResponsesMode::Auto);
    assert_eq!(bare.responses_supported, None);
    assert!(bare.group_ids.is_empty());
}

#[tokio::test]
async fn an_account_is_read_whole() {
    let account = account_from(|| {
        good(&json!({
            "id": 7, "name": "a", "platform": "openai", "type": "apikey",
            "credentials": {
                "base_url": "https://up.lab/v1", "model_mapping": { "m": "M", "odd": 3 },
            },
            "extra": {
                "openai_responses_mode": "force_chat_completions",
                "openai_responses_supported": false,
            },
            "concurrency": 10, "priority": 1, "status": "error",
            "error_message": "Authentication failed (401): key sk-abcdefghijklmnop1234\u{1b}[2J",
            "schedulable": true, "temp_unschedulable_until": "2026-01-01T00:00:00Z",
            "temp_unschedulable_reason": "{\"matched_keyword\":\"insufficient_user_quota\"}",
            "rate_limit_reset_at": "", "overload_until": "2026-01-02T00:00:00Z",
            "group_ids": [3, 4],
        }))
    })
    .await;
    assert_eq!(account.base_url, "https://up.lab/v1");
    assert_eq!(account.model_mapping["m"], "M");
    assert_eq!(account.model_mapping.len(), 1, "an odd entry is skipped");
    assert_eq!(account.responses_mode, ResponsesMode::ForceChatCompletions);
    assert_eq!(account.responses_supported, Some(false));
    assert_eq!(account.group_ids, [RemoteId(3), RemoteId(4)]);
    assert_eq!(account.rate_limit_reset_at, None);
    assert!(
        account
            .temp_unschedulable_reason
            .contains("insufficient_user_quota")
    );
    assert!(!account.error_message.contains("abcdefghijkl"));
    assert!(!account.error_message.contains('\u{1b}'));
    assert_eq!(
        (account.concurrency, account.priority, account.schedulable),
        (10, 1, true)
    );
}

#[tokio::test]
async fn a_web_page_is_no_answer_even_with_200() {
    let page = "<!doctype html><title>sub2api</title>";
    for kind in ["text/html; charset=utf-8", "text/plain"] {
        let far = Far::answering(move |_| text(200, kind, page));
        let api = far.api();
        let read = api.groups().await.unwrap_err();
        assert_eq!(read.kind, FailureKind::Remote);
        assert_eq!(
            read.to_string(),
            "reading the groups on `accept`: this address answers with a web page, not the API"
        );
        assert!(!read.hint.is_empty());
        let write = api.delete_group(ID).await.unwrap_err();
        assert!(write.message.contains("web page"));
        assert!(!write.maybe_done, "a page deletes nothing");
        let test = api.test_account(ID, "m").await;
        assert!(test.is_err() || kind == "text/plain");
    }
}

#[tokio::test]
async fn a_yes_that_cannot_be_read_is_maybe_done_for_a_write_only() {
    for body in ["", "{", "\"yes\"", "{\"odd\":1}"] {
        let far = Far::answering(move |_| text(200, "application/json", body));
        let api = far.api();
        let read = api.account(ID).await.unwrap_err();
        assert!(!read.maybe_done, "{body}");
        let write = api.delete_group(ID).await.unwrap_err();
        assert!(write.maybe_done, "{body}");
        assert!(write.hint.contains("look at it before"), "{}", write.hint);
    }
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_does_not_leak_its_values() {
    let far = Far::saying(
        200,
        &json!({ "code": 0, "data": { "id": "sk-abcdefghijklmnop1234", "name": 1 } }),
    );
    let failure = far.api().account(ID).await.unwrap_err();
    assert!(failure.message.contains("cannot be read"));
    assert!(!failure.message.contains("abcdefgh"), "{failure}");
}

#[tokio::test]
async fn not_found_of_the_host_is_none_but_an_unknown_path_is_an_error() {
    let far = Far::saying(
        404,
        &json!({ "code": 404, "message": "account not found", "reason": "ACCOUNT_NOT_FOUND" }),
    );
    assert_eq!(far.api().account(ID).await.unwrap(), None);
    let far = Far::answering(|_| text(404, "text/plain", "404 page not found"));
    let failure = far.api().account(ID).await.unwrap_err();
    assert!(failure.message.contains("GET /api/v1/admin/accounts/7"));
    let failure = far.api().delete_group(ID).await.unwrap_err();
    assert_eq!(failure.status(), 404);
}

#[tokio::test]
async fn offers_are_a_bare_array_without_zero_values_and_null_is_empty() {
    let far = Far::saying(
        200,
        &json!({ "code": 0, "data": [{ "id": 1, "name": "o", "group_id": 3, "price": 1.5, "validity_days": 30 }] }),
    );
    let offers = far.api().offers().await.unwrap();
    assert!(!offers[0].spec.for_sale);
    assert_eq!(offers[0].spec.group_id, RemoteId(3));
    let far = Far::saying(200, &json!({ "code": 0, "message": "success" }));
    assert!(far.api().offers().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_redirect_is_reported_and_never_followed() {
    let far = Far::answering(|seen| {
        if seen.path == "/elsewhere" {
            return good(&json!([]));
        }
        Response::builder()
            .status(302)
            .header("location", "/elsewhere?token=abcdefgh12345678")
            .body(Body::empty())
            .unwrap()
    });
    let failure = far.api().offers().await.unwrap_err();
    assert!(failure.message.contains("redirect"), "{failure}");
    assert!(!failure.message.contains("abcdefgh1234"), "{failure}");
    assert_eq!(far.seen().len(), 1);
}

#[tokio::test]
async fn an_endless_answer_is_given_up() {
    let far = Far::answering(|_| text(200, "application/json", &" ".repeat(9000)));
    let mut limits = super::quick();
    limits.body = 4096;
    let api = super::host(
        super::FakeTunnels::to(&far.socket),
        super::admin_key(),
        limits,
    );
    let failure = api.groups().await.unwrap_err();
    assert!(failure.message.contains("longer than 4096 bytes"));
    assert!(!failure.maybe_done);
    assert!(api.delete_group(ID).await.unwrap_err().maybe_done);
}

#[tokio::test]
async fn an_offer_that_is_not_there_is_told_from_a_refusal_by_the_list() {
    let refusal = || said(500, &json!({ "code": 500, "message": "internal error" }));
    let far = Far::answering(move |seen| match seen.method.as_str() {
        "GET" => good(&json!([{ "id": 8 }])),
        _ => refusal(),
    });
    let api = far.api();
    assert!(!api.delete_offer(ID).await.unwrap(), "7 is not listed");
    let failure = api.delete_offer(RemoteId(8)).await.unwrap_err();
    assert_eq!(failure.status(), 500);
    assert!(!failure.maybe_done, "we looked: it is still there");
    let far = Far::answering(move |_| refusal());
    assert!(far.api().delete_offer(ID).await.unwrap_err().maybe_done);
}

#[tokio::test]
async fn deleting_an_account_is_fine_whether_or_not_it_was_there() {
    let far = Far::saying(
        404,
        &json!({ "code": 404, "message": "x", "reason": "ACCOUNT_NOT_FOUND" }),
    );
    far.api().delete_account(ID).await.unwrap();
}
