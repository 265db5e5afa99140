//! The refusal table: what the host says, what a person reads, what the engine can decide on.

use super::{Far, said, text};
use axum::body::Body;
use axum::http::Response;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{GroupSpec, SubscriptionSpec};
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::ports::{HostApi, NewKey, Session};
use serde_json::{Value, json};

/// Which call meets the refusal.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Read,
    Write,
    Login,
    Key,
}

struct Case {
    name: &'static str,
    ask: Ask,
    status: u16,
    body: Value,
    kind: FailureKind,
    reason: &'static str,
    /// Stands in the message.
    says: &'static str,
    /// Stands in the hint.
    hint: &'static str,
    maybe_done: bool,
}

fn env(status: u16, reason: &str, message: &str) -> Value {
    json!({ "code": status, "message": message, "reason": reason })
}

fn outer(code: &str, message: &str) -> Value {
    json!({ "code": code, "message": message })
}

fn spec() -> GroupSpec {
    GroupSpec {
        name: "deepseek".to_owned(),
        platform: "openai".to_owned(),
        subscription_type: "subscription".to_owned(),
        rate_multiplier: 1.0,
        is_exclusive: false,
    }
}

fn session() -> Session {
    Session {
        token: Secret::new("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl"),
        user_id: RemoteId(5),
    }
}

async fn refused(far: &Far, ask: Ask) -> Failure {
    let api = far.api();
    match ask {
        Ask::Read => api.offers().await.unwrap_err(),
        Ask::Write => api.create_group(&spec()).await.unwrap_err(),
        Ask::Login => api
            .login("u@lab", &Secret::new("a long password"))
            .await
            .unwrap_err(),
        Ask::Key => {
            let new = NewKey {
                name: "k".to_owned(),
                group_id: RemoteId(3),
                custom_key: Secret::new("sk-relay-0123456789abcdef"),
            };
            api.create_key(&session(), &new, "once-1")
                .await
                .unwrap_err()
        }
    }
}

fn cases() -> Vec<Case> {
    use Ask::{Key, Login, Read, Write};
    use FailureKind::{Denied, Remote};
    let case = |name, ask, status, body, kind, reason, says, hint, maybe_done| Case {
        name,
        ask,
        status,
        body,
        kind,
        reason,
        says,
        hint,
        maybe_done,
    };
    vec![
        case(
            "wrong admin key",
            Read,
            401,
            outer("INVALID_ADMIN_KEY", "Invalid admin API key"),
            Denied,
            "INVALID_ADMIN_KEY",
            "Invalid admin API key",
            "regenerated",
            false,
        ),
        case(
            "wrong admin key at a write",
            Write,
            401,
            outer("INVALID_ADMIN_KEY", "Invalid admin API key"),
            Denied,
            "INVALID_ADMIN_KEY",
            "401",
            "regenerated",
            false,
        ),
        case(
            "login ran out",
            Key,
            401,
            outer("TOKEN_EXPIRED", "Token has expired"),
            Denied,
            "TOKEN_EXPIRED",
            "TOKEN_EXPIRED",
            "log in again",
            false,
        ),
        case(
            "not an admin",
            Read,
            403,
            outer("FORBIDDEN", "Admin access required"),
            Denied,
            "FORBIDDEN",
            "403",
            "no admin",
            false,
        ),
        case(
            "bare 500 of a write",
            Write,
            500,
            json!({"code":500,"message":"internal error"}),
            Remote,
            "",
            "internal error",
            "does not exist",
            true,
        ),
        case(
            "bare 500 of a read",
            Read,
            500,
            json!({"code":500,"message":"internal error"}),
            Remote,
            "",
            "500",
            "log",
            false,
        ),
        case(
            "group exists",
            Write,
            409,
            env(409, "GROUP_EXISTS", "group name already exists"),
            Remote,
            "GROUP_EXISTS",
            "already exists",
            "adopt",
            false,
        ),
        case(
            "another thing exists",
            Write,
            409,
            env(409, "PROXY_EXISTS", "x"),
            Remote,
            "PROXY_EXISTS",
            "409",
            "look it up",
            false,
        ),
        case(
            "group not allowed",
            Key,
            403,
            env(
                403,
                "GROUP_NOT_ALLOWED",
                "user is not allowed to bind this group",
            ),
            Remote,
            "GROUP_NOT_ALLOWED",
            "not allowed",
            "active subscription first",
            false,
        ),
        case(
            "assign conflict",
            Write,
            409,
            json!({"code":409,"message":"conflict","reason":"SUBSCRIPTION_ASSIGN_CONFLICT","metadata":{"conflict_reason":"notes_mismatch"}}),
            Remote,
            "SUBSCRIPTION_ASSIGN_CONFLICT",
            "notes_mismatch",
            "extend it",
            false,
        ),
        case(
            "captcha",
            Login,
            400,
            env(
                400,
                "TURNSTILE_VERIFICATION_FAILED",
                "turnstile verification failed",
            ),
            Remote,
            "TURNSTILE_VERIFICATION_FAILED",
            "turnstile",
            "captcha",
            false,
        ),
        case(
            "captcha without secret",
            Login,
            503,
            env(503, "TURNSTILE_NOT_CONFIGURED", "x"),
            Remote,
            "TURNSTILE_NOT_CONFIGURED",
            "503",
            "captcha",
            false,
        ),
        case(
            "backend mode at login",
            Login,
            403,
            env(403, "BACKEND_MODE_ADMIN_ONLY", "only admins"),
            Denied,
            "BACKEND_MODE_ADMIN_ONLY",
            "only admins",
            "backend mode",
            false,
        ),
        case(
            "backend mode on a user route",
            Key,
            403,
            json!({"code":403,"message":"Backend mode is active. User self-service is disabled."}),
            Denied,
            "",
            "Backend mode",
            "backend mode",
            false,
        ),
        case(
            "wrong password",
            Login,
            401,
            env(401, "INVALID_CREDENTIALS", "invalid email or password"),
            Denied,
            "INVALID_CREDENTIALS",
            "invalid email",
            "set the password anew",
            false,
        ),
        case(
            "second factor",
            Login,
            200,
            json!({"code":0,"data":{"requires_2fa":true,"temp_token":"t","user_email_masked":"u***"}}),
            Denied,
            "REQUIRES_2FA",
            "second factor",
            "admin key",
            false,
        ),
        case(
            "too many logins",
            Login,
            429,
            json!({"error":"rate limit exceeded","message":"Too many requests, please try again later"}),
            Remote,
            "rate limit exceeded",
            "Too many requests",
            "wait a minute",
            false,
        ),
        case(
            "too many calls",
            Write,
            429,
            outer("RATE_LIMITED", "slow down"),
            Remote,
            "RATE_LIMITED",
            "slow down",
            "wait",
            false,
        ),
        case(
            "compliance note",
            Read,
            423,
            outer("ADMIN_COMPLIANCE_ACK_REQUIRED", "acknowledge first"),
            Denied,
            "ADMIN_COMPLIANCE_ACK_REQUIRED",
            "acknowledge",
            "web page",
            false,
        ),
        case(
            "page of a proxy",
            Write,
            502,
            Value::Null,
            Remote,
            "",
            "web page",
            "container",
            true,
        ),
        case(
            "gateway timeout in JSON",
            Write,
            504,
            json!({"message":"upstream timed out"}),
            Remote,
            "",
            "timed out",
            "down or too slow",
            true,
        ),
        case(
            "request timeout of a proxy",
            Write,
            408,
            Value::Null,
            Remote,
            "",
            "408",
            "",
            true,
        ),
        case(
            "binding error",
            Write,
            400,
            json!({"code":400,"message":"Invalid request: Name is required"}),
            Remote,
            "",
            "Name is required",
            "does not take these values",
            false,
        ),
        case(
            "mixed channel",
            Write,
            409,
            json!({"error":"mixed_channel_warning","message":"mixed"}),
            Remote,
            "mixed_channel_warning",
            "mixed",
            "platform",
            false,
        ),
        case(
            "same idempotency key, other body",
            Key,
            409,
            env(409, "IDEMPOTENCY_KEY_CONFLICT", "x"),
            Remote,
            "IDEMPOTENCY_KEY_CONFLICT",
            "409",
            "another body",
            false,
        ),
        case(
            "first sending still at work",
            Key,
            409,
            env(409, "IDEMPOTENCY_IN_PROGRESS", "x"),
            Remote,
            "IDEMPOTENCY_IN_PROGRESS",
            "409",
            "still at work",
            true,
        ),
        case(
            "first sending failed",
            Key,
            409,
            env(409, "IDEMPOTENCY_RETRY_BACKOFF", "x"),
            Remote,
            "IDEMPOTENCY_RETRY_BACKOFF",
            "409",
            "blocked for some seconds",
            true,
        ),
        case(
            "idempotency store away",
            Key,
            503,
            env(503, "IDEMPOTENCY_STORE_UNAVAILABLE", "x"),
            Remote,
            "IDEMPOTENCY_STORE_UNAVAILABLE",
            "503",
            "cannot replay",
            true,
        ),
        case(
            "key text used before",
            Key,
            409,
            env(409, "API_KEY_EXISTS", "api key already exists"),
            Remote,
            "API_KEY_EXISTS",
            "already exists",
            "derive another",
            false,
        ),
    ]
}

fn answer(status: u16, body: &Value) -> Response<Body> {
    if body.is_null() {
        return text(status, "text/html", "<html>nginx</html>");
    }
    said(status, body)
}

#[tokio::test]
async fn every_refusal_says_what_it_is_and_what_to_do() {
    for case in cases() {
        let (status, body) = (case.status, case.body.clone());
        let far = Far::answering(move |_| answer(status, &body));
        let failure = refused(&far, case.ask).await;
        let name = case.name;
        assert_eq!(failure.kind, case.kind, "{name}: {failure}");
        let got = failure.answer.clone().unwrap_or_default();
        assert_eq!(got.status, case.status, "{name}");
        assert_eq!(got.reason, case.reason, "{name}");
        assert!(failure.message.contains(case.says), "{name}: {failure}");
        assert!(failure.hint.contains(case.hint), "{name}: {}", failure.hint);
        assert_eq!(failure.maybe_done, case.maybe_done, "{name}");
        assert!(failure.doing.ends_with("on `accept`"), "{name}");
    }
}

#[tokio::test]
async fn a_failure_names_the_thing_and_the_host() {
    let far = Far::saying(409, &env(409, "GROUP_EXISTS", "group name already exists"));
    assert_eq!(
        far.api()
            .create_group(&spec())
            .await
            .unwrap_err()
            .to_string(),
        "creating group `deepseek` on `accept`: the host answers 409 GROUP_EXISTS: group name already exists"
    );
}

#[tokio::test]
async fn writes_are_sent_once_whatever_comes_back() {
    for status in [429, 500, 502, 503, 504] {
        let far = Far::saying(status, &json!({ "message": "no" }));
        let api = far.api();
        drop(api.create_group(&spec()).await.unwrap_err());
        drop(api.login("u@lab", &Secret::new("a long password")).await);
        drop(api.upstream_models(RemoteId(1)).await.unwrap_err());
        assert_eq!(far.seen().len(), 3, "{status}");
    }
}

#[tokio::test]
async fn reads_are_sent_again_only_when_a_proxy_or_a_limit_says_no() {
    for (status, times) in [
        (429, 3),
        (502, 3),
        (503, 3),
        (504, 3),
        (500, 1),
        (400, 1),
        (401, 1),
    ] {
        let far = Far::saying(status, &json!({ "message": "no" }));
        drop(far.api().offers().await.unwrap_err());
        assert_eq!(far.seen().len(), times, "{status}");
    }
}

#[tokio::test]
async fn a_read_that_works_the_second_time_is_a_good_read() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let far = Far::answering(move |_| {
        if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            return text(502, "text/html", "<html>");
        }
        super::good(&json!([]))
    });
    assert!(far.api().offers().await.unwrap().is_empty());
    assert_eq!(far.seen().len(), 2);
}

#[tokio::test]
async fn a_long_wait_the_host_asks_for_is_reported_instead_of_sat_out() {
    let far = Far::answering(|_| {
        let mut answer = said(429, &json!({ "code": "PANEL_LIMIT", "message": "slow" }));
        answer
            .headers_mut()
            .insert("retry-after", "37".parse().unwrap());
        answer
    });
    let failure = far.api().offers().await.unwrap_err();
    assert_eq!(failure.answer.unwrap().retry_after, Some(37));
    assert_eq!(far.seen().len(), 1);
}

#[tokio::test]
async fn a_reason_the_upstream_echoes_a_key_in_is_cut() {
    let far = Far::answering(|seen| {
        let key = seen.body["credentials"]["api_key"].as_str();
        let message = format!(
            "upstream said: bad key {}\u{202e}\nx",
            key.unwrap_or("none")
        );
        said(502, &json!({ "code": 502, "message": message }))
    });
    let new = cockpit_domain::inventory::NewAccount {
        name: "a".to_owned(),
        platform: "openai".to_owned(),
        base_url: "https://up.lab".to_owned(),
        api_key: Secret::new("shapeless secret of a vendor"),
        model_mapping: std::collections::BTreeMap::new(),
        responses_mode: cockpit_domain::inventory::ResponsesMode::Auto,
        group_ids: vec![],
        concurrency: 1,
        priority: 1,
    };
    let failure = far.api().create_account(&new, "k1").await.unwrap_err();
    let shown = format!("{failure:?}");
    assert!(shown.contains("upstream said"), "{shown}");
    assert!(!shown.contains("shapeless secret"), "{shown}");
    assert!(!failure.message.contains(['\u{202e}', '\n']));
}

#[tokio::test]
async fn a_conflict_of_an_assignment_names_what_differs() {
    let far = Far::saying(
        409,
        &json!({"code":409,"message":"conflict","reason":"SUBSCRIPTION_ASSIGN_CONFLICT","metadata":{"conflict_reason":"validity_days_mismatch"}}),
    );
    let spec = SubscriptionSpec {
        user_id: RemoteId(1),
        group_id: RemoteId(2),
        validity_days: 30,
        notes: "n".to_owned(),
    };
    let failure = far.api().assign_subscription(&spec).await.unwrap_err();
    assert!(failure.has_reason("SUBSCRIPTION_ASSIGN_CONFLICT"));
    assert!(failure.message.contains("validity_days_mismatch"));
}
