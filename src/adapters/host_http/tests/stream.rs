//! The account test's stream, as the host and its forks send it.

use super::{FakeTunnels, Far, admin_key, admin_login, good, host, quick, said, text};
use axum::body::{Body, Bytes};
use axum::http::Response;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::secret::Secret;
use cockpit_engine::ports::{AccountTest, HostApi};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use std::time::Duration;

const ID: RemoteId = RemoteId(7);

fn events(parts: &'static [&'static str]) -> Response<Body> {
    let whole = parts
        .iter()
        .map(|part| Ok::<_, std::io::Error>(Bytes::from_static(part.as_bytes())));
    Response::builder()
        .header("content-type", "text/event-stream")
        .body(Body::from_stream(stream::iter(whole)))
        .unwrap()
}

async fn verdict(answer: impl Fn() -> Response<Body> + Send + Sync + 'static) -> AccountTest {
    let far = Far::answering(move |_| answer());
    let verdict = far.api().test_account(ID, "deepseek-chat").await.unwrap();
    let seen = far.seen();
    assert_eq!(seen[0].body, json!({ "model_id": "deepseek-chat" }));
    assert_eq!(seen.len(), 1);
    verdict
}

#[tokio::test]
async fn a_pass_is_a_pass_and_unknown_events_are_ignored() {
    let verdict = verdict(|| {
        events(&[
            "data: {\"type\":\"test_start\",\"model\":\"m\"}\n\n",
            ": keep-alive\n\ndata: {\"type\":\"status\",\"text\":\"error\"}\n\n",
            "data: {\"type\":\"content\",\"te",
            "xt\":\"好\"}\n\ndata: not json\n\n",
            "data: {\"type\":\"test_complete\",\"success\":true}\n\n",
        ])
    })
    .await;
    assert_eq!(verdict, AccountTest::Passed);
}

#[tokio::test]
async fn the_verdict_does_not_wait_for_the_end_of_the_stream() {
    let far = Far::answering(|_| {
        let first = stream::once(async {
            Ok::<_, std::io::Error>(Bytes::from_static(
                b"data: {\"type\":\"test_complete\",\"success\":true}\n\n",
            ))
        });
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(Body::from_stream(first.chain(stream::pending())))
            .unwrap()
    });
    assert_eq!(
        far.api().test_account(ID, "m").await.unwrap(),
        AccountTest::Passed
    );
}

#[tokio::test]
async fn the_reason_of_an_error_is_the_result_redacted() {
    let verdict = verdict(|| {
        events(
            &[
                "data: {\"type\":\"test_start\",\"model\":\"m\"}\n\n",
                "data: {\"type\":\"error\",\"error\":\"API returned 403: insufficient_user_quota for sk-abcdefghijklmnop1234\"}\n\n",
                "data: {\"type\":\"test_complete\",\"success\":true}\n\n",
            ]
)
    })
    .await;
    let AccountTest::Failed(why) = verdict else {
        panic!("{verdict:?}");
    };
    assert!(why.contains("API returned 403: insufficient_user_quota"));
    assert!(!why.contains("abcdefghijkl"), "{why}");
}

#[tokio::test]
async fn an_error_without_words_still_has_a_reason() {
    for (event, reason) in [
        ("data: {\"type\":\"error\"}\n\n", "the host gave no reason"),
        (
            "data: {\"type\":\"error\",\"error\":\"\",\"code\":\"E1\"}\n\n",
            "E1",
        ),
        (
            "data: {\"type\":\"test_complete\",\"success\":false}\n\n",
            "the host gave no reason",
        ),
    ] {
        let far = Far::answering(move |_| text(200, "text/event-stream", event));
        assert_eq!(
            far.api().test_account(ID, "m").await.unwrap(),
            AccountTest::Failed(reason.to_owned())
        );
    }
}

#[tokio::test]
async fn the_answer_for_a_chat_only_upstream_keeps_its_own_words() {
    let words = "该账号已被探测为不支持 OpenAI Responses API，账号本身可用";
    let line = format!("data: {}\n\n", json!({ "type": "error", "error": words }));
    // Sent before the stream's headers: the type is sniffed, and there is no `test_start`.
    let verdict = verdict(move || text(200, "text/plain; charset=utf-8", &line)).await;
    let AccountTest::Failed(why) = verdict else {
        panic!("{verdict:?}");
    };
    assert!(why.contains("不支持 OpenAI Responses API"));
}

#[tokio::test]
async fn an_early_error_without_a_line_end_is_read() {
    let verdict = verdict(|| {
        text(
            200,
            "text/plain",
            "data: {\"type\":\"error\",\"error\":\"Account not found\"}",
        )
    })
    .await;
    assert_eq!(verdict, AccountTest::Failed("Account not found".to_owned()));
}

#[tokio::test]
async fn a_stream_without_a_verdict_is_unfinished_and_says_what_it_saw() {
    let verdict = verdict(|| {
        events(&[
            "data: {\"type\":\"test_start\"}\n\n",
            "data: {\"type\":\"content\",\"text\":\"Hel\"}\n\n",
        ])
    })
    .await;
    assert_eq!(
        verdict,
        AccountTest::Unfinished(
            "the stream ended early; the last event was `content`, the text so far: Hel".to_owned()
        )
    );
}

#[tokio::test]
async fn a_stream_that_is_cut_is_unfinished() {
    let events = "data: {\"type\":\"test_start\"}\n\ndata: {\"ty";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked";
    let reply = format!("{head}\r\n\r\n{:x}\r\n{events}\r\n", events.len());
    let rude = super::lost::Rude::saying(&reply, false);
    let api = host(FakeTunnels::to(&rude.socket), admin_key(), quick());
    let verdict = api.test_account(ID, "m").await.unwrap();
    let AccountTest::Unfinished(why) = verdict else {
        panic!("{verdict:?}");
    };
    assert!(why.contains("cut") && why.contains("`test_start`"), "{why}");
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_unfinished() {
    let far = Far::answering(|_| {
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(Body::from_stream(stream::pending::<
                Result<Bytes, std::io::Error>,
            >()))
            .unwrap()
    });
    let mut limits = quick();
    limits.test_silence = Duration::from_millis(50);
    let api = host(FakeTunnels::to(&far.socket), admin_key(), limits);
    let verdict = api.test_account(ID, "m").await.unwrap();
    assert_eq!(
        verdict,
        AccountTest::Unfinished("nothing more came for 0.05 s; no event came".to_owned())
    );
}

#[tokio::test]
async fn a_plain_text_that_is_no_event_is_kept() {
    let verdict = verdict(|| text(200, "text/plain", "upstream\nsays no")).await;
    let AccountTest::Unfinished(why) = verdict else {
        panic!("{verdict:?}");
    };
    assert!(
        why.ends_with("no event came, the text so far: upstream says no"),
        "{why}"
    );
}

#[tokio::test]
async fn refusals_before_the_stream_are_failures() {
    for (status, body, maybe_done) in [
        (
            400,
            json!({"code":400,"message":"Invalid account ID"}),
            false,
        ),
        (
            401,
            json!({"code":"INVALID_ADMIN_KEY","message":"x"}),
            false,
        ),
        (502, json!({"message":"bad gateway"}), true),
    ] {
        let far = Far::saying(status, &body);
        let failure = far.api().test_account(ID, "m").await.unwrap_err();
        assert_eq!(failure.status(), status);
        assert_eq!(failure.maybe_done, maybe_done, "{status}");
        assert!(failure.doing.starts_with("testing account 7 with `m`"));
    }
}

#[tokio::test]
async fn a_test_renews_a_login_that_ran_out() {
    let far = Far::answering(|seen| match seen.path.as_str() {
        "/api/v1/auth/login" => {
            good(&json!({ "access_token": "first token", "refresh_token": "rt_1" }))
        }
        "/api/v1/auth/refresh" => good(&json!({ "access_token": "second token" })),
        _ if seen.header("authorization") == Some("Bearer second token") => text(
            200,
            "text/event-stream",
            "data: {\"type\":\"test_complete\",\"success\":true}\n\n",
        ),
        _ => said(401, &json!({ "code": "TOKEN_EXPIRED", "message": "x" })),
    });
    let credential = match admin_login() {
        super::Credential::Login { email, .. } => super::Credential::Login {
            email,
            password: Secret::new("another password"),
        },
        key @ super::Credential::AdminKey(_) => key,
    };
    let api = far.api_as(credential);
    assert_eq!(
        api.test_account(ID, "m").await.unwrap(),
        AccountTest::Passed
    );
}
