//! Which header a request carries, and how a login is kept alive.

use super::{ADMIN_KEY, Far, Seen, admin_login, good, said};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::FailureKind;
use cockpit_engine::ports::{HostApi, NewKey, Session};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

fn both(seen: &Seen) -> (Option<&str>, Option<&str>) {
    (seen.header("x-api-key"), seen.header("authorization"))
}

fn token(no: usize) -> String {
    format!("eyJhbGciOiJI.eyJzdWIiOiIx{no}.c2ln")
}

/// A host that takes the `good`th token of its logins, and refreshes or not.
fn login_host(good_token: usize, refreshes: bool, reason: &'static str) -> Far {
    let given = AtomicUsize::new(0);
    Far::answering(move |seen| {
        let grant = || {
            let no = given.fetch_add(1, Ordering::SeqCst) + 1;
            good(&json!({
                "access_token": token(no), "refresh_token": format!("rt_{no}"),
                "expires_in": 86400, "token_type": "Bearer", "user": { "id": 1 },
            }))
        };
        match seen.path.as_str() {
            "/api/v1/auth/login" => grant(),
            "/api/v1/auth/refresh" if refreshes => grant(),
            "/api/v1/auth/refresh" => said(401, &json!({"code":401,"reason":"INVALID_TOKEN"})),
            _ if seen.header("authorization") == Some(&format!("Bearer {}", token(good_token))) => {
                good(&json!([]))
            }
            _ => said(401, &json!({ "code": reason, "message": "no" })),
        }
    })
}

fn paths(far: &Far) -> Vec<String> {
    far.seen().iter().map(|seen| seen.path.clone()).collect()
}

const PLANS: &str = "/api/v1/admin/payment/plans";
const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";

#[tokio::test]
async fn an_admin_key_goes_alone_in_its_own_header() {
    let far = Far::saying(200, &json!({ "code": 0, "data": [] }));
    drop(far.api().offers().await.unwrap());
    let seen = far.seen();
    assert_eq!(both(&seen[0]), (Some(ADMIN_KEY), None));
}

#[tokio::test]
async fn a_login_is_made_once_and_goes_alone_as_bearer() {
    let far = login_host(1, true, "TOKEN_EXPIRED");
    let api = far.api_as(admin_login());
    for _ in 0..3 {
        drop(api.offers().await.unwrap());
    }
    assert_eq!(paths(&far), [LOGIN, PLANS, PLANS, PLANS]);
    let seen = far.seen();
    assert_eq!(both(&seen[0]), (None, None), "a login carries nothing");
    assert_eq!(seen[0].body["email"], "root@host.lab");
    let bearer = format!("Bearer {}", token(1));
    assert_eq!(both(&seen[1]), (None, Some(bearer.as_str())));
}

#[tokio::test]
async fn many_calls_at_once_make_one_login() {
    let far = login_host(1, true, "TOKEN_EXPIRED");
    let api = far.api_as(admin_login());
    let calls = (0..12).map(|_| api.offers());
    for outcome in futures_util::future::join_all(calls).await {
        drop(outcome.unwrap());
    }
    assert_eq!(paths(&far).iter().filter(|path| *path == LOGIN).count(), 1);
}

#[tokio::test]
async fn a_login_that_ran_out_is_refreshed_and_the_write_is_sent_again() {
    for reason in ["TOKEN_EXPIRED", "TOKEN_REVOKED", "INVALID_TOKEN"] {
        let far = login_host(2, true, reason);
        let api = far.api_as(admin_login());
        assert!(api.delete_group(RemoteId(1)).await.unwrap());
        let group = "/api/v1/admin/groups/1";
        assert_eq!(paths(&far), [LOGIN, group, REFRESH, group], "{reason}");
    }
}

#[tokio::test]
async fn a_refused_refresh_becomes_a_login() {
    let far = login_host(2, false, "TOKEN_REVOKED");
    drop(far.api_as(admin_login()).offers().await.unwrap());
    assert_eq!(paths(&far), [LOGIN, PLANS, REFRESH, LOGIN, PLANS]);
}

#[tokio::test]
async fn a_login_that_runs_out_at_once_is_renewed_once_only() {
    let far = login_host(99, true, "TOKEN_EXPIRED");
    let failure = far.api_as(admin_login()).offers().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert_eq!(paths(&far), [LOGIN, PLANS, REFRESH, PLANS]);
}

#[tokio::test]
async fn another_401_makes_no_new_login() {
    let far = login_host(99, true, "USER_INACTIVE");
    let failure = far.api_as(admin_login()).offers().await.unwrap_err();
    assert!(failure.has_reason("USER_INACTIVE"));
    assert_eq!(paths(&far), [LOGIN, PLANS]);
}

#[tokio::test]
async fn a_refused_admin_login_says_whose_it_is() {
    let far = Far::saying(
        401,
        &json!({"code":401,"message":"invalid email or password","reason":"INVALID_CREDENTIALS"}),
    );
    let failure = far.api_as(admin_login()).offers().await.unwrap_err();
    assert_eq!(
        failure.doing,
        "logging in as admin `root@host.lab` on `accept`"
    );
    assert!(!format!("{failure:?}").contains("battery"));
}

#[tokio::test]
async fn a_user_call_carries_the_users_token_and_never_the_admins_credential() {
    let far = Far::answering(|seen| {
        good(&json!({ "id": 9, "name": "k", "key": seen.body["custom_key"], "group_id": 3 }))
    });
    let api = far.api();
    let session = Session {
        token: Secret::new(token(7)),
        user_id: RemoteId(5),
    };
    let new = NewKey {
        name: "k".to_owned(),
        group_id: RemoteId(3),
        custom_key: Secret::new("sk-relay-0123456789abcdef"),
    };
    let key = api.create_key(&session, &new, "once-1").await.unwrap();
    assert_eq!(key.key, new.custom_key);
    assert_eq!(key.user_id, RemoteId(5));
    assert!(api.delete_key(&session, RemoteId(9)).await.unwrap());
    for seen in far.seen() {
        let bearer = format!("Bearer {}", token(7));
        assert_eq!(both(&seen), (None, Some(bearer.as_str())), "{}", seen.path);
    }
    assert_eq!(far.seen()[0].header("idempotency-key"), Some("once-1"));
}

#[tokio::test]
async fn a_starred_key_in_a_replay_is_the_one_we_derived() {
    let far = Far::saying(
        200,
        &json!({ "code": 0, "data": { "id": 9, "name": "k", "key": "***", "group_id": 0 } }),
    );
    let session = Session {
        token: Secret::new(token(7)),
        user_id: RemoteId(5),
    };
    let new = NewKey {
        name: "k".to_owned(),
        group_id: RemoteId(3),
        custom_key: Secret::new("sk-relay-0123456789abcdef"),
    };
    let key = far.api().create_key(&session, &new, "o").await.unwrap();
    assert_eq!(key.key, new.custom_key);
    assert_eq!(key.group_id, None);
}

#[tokio::test]
async fn a_credential_with_a_line_end_is_refused_before_anything_is_sent() {
    let far = Far::saying(200, &json!({ "code": 0, "data": [] }));
    let key = super::Credential::AdminKey(Secret::new("admin-abc\n"));
    let failure = far.api_as(key).offers().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Config);
    assert!(far.seen().is_empty());
}

#[tokio::test]
async fn keys_and_tokens_that_come_back_are_learnt() {
    let far = Far::answering(|seen| match seen.path.as_str() {
        LOGIN => good(&json!({ "access_token": "plain words token", "user": { "id": 5 } })),
        "/api/v1/admin/users/5/api-keys" => good(&json!({
            "items": [
                { "id": 1, "name": "calls itself custom plain key", "key": "custom plain key" },
            ],
            "total": 1, "page": 1, "page_size": 200, "pages": 1,
        })),
        _ => said(
            500,
            &json!({ "code": 500, "message": "custom plain key and plain words token" }),
        ),
    });
    let api = far.api();
    let session = api.login("u@lab", &Secret::new("longer password")).await;
    assert_eq!(session.unwrap().user_id, RemoteId(5));
    let keys = api.user_keys(RemoteId(5)).await.unwrap();
    assert_eq!(keys[0].key.expose(), "custom plain key");
    assert!(!keys[0].name.contains("custom plain"), "{}", keys[0].name);
    let failure = api.offers().await.unwrap_err();
    assert!(!failure.message.contains("plain"), "{failure}");
}
