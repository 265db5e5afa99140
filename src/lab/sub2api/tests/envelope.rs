//! Envelope, paging, authentication, login, static routes.

use super::{ADMIN, Kit};
use crate::sub2api::model::{Group, User};
use serde_json::{Value, json};

#[tokio::test]
async fn a_group_without_multiplier_is_a_bare_500() {
    // trap 1
    let kit = Kit::new().await;
    let heard = kit.admin("POST", "/groups", json!({ "name": "g" })).await;
    assert_eq!(heard.status, 500);
    assert_eq!(
        heard.json,
        json!({ "code": 500, "message": "internal error" })
    );
}

#[tokio::test]
async fn an_odd_page_size_silently_becomes_twenty() {
    // trap 2
    let kit = Kit::new().await;
    kit.host.with(|state| {
        for number in 0..44 {
            state.add_group(Group::new(&format!("g{number}"), "openai"));
        }
    });
    for (asked, got, pages) in [("5000", 20, 3), ("0", 20, 3), ("x", 20, 3), ("1000", 45, 1)] {
        let path = format!("/groups?page_size={asked}");
        let data = &kit.admin("GET", &path, Value::Null).await.json["data"];
        assert_eq!(data["items"].as_array().unwrap().len(), got, "{asked}");
        assert_eq!(data["pages"], json!(pages), "{asked}");
        assert_eq!(data["total"], json!(45));
    }
    let last = kit
        .admin("GET", "/groups?page=3&limit=20", Value::Null)
        .await;
    assert_eq!(last.json["data"]["items"].as_array().unwrap().len(), 5);
    let none = kit
        .admin("GET", "/groups?search=nothing", Value::Null)
        .await;
    assert_eq!(none.json["data"]["pages"], json!(1));
}

#[tokio::test]
async fn codes_are_ints_in_the_envelope_and_texts_in_layers() {
    // trap 3
    let kit = Kit::new().await;
    let missing = kit.admin("GET", "/groups/99", Value::Null).await;
    assert_eq!((missing.status, &missing.json["code"]), (404, &json!(404)));
    assert_eq!(missing.json["reason"], "GROUP_NOT_FOUND");
    let layer = kit
        .send("GET", "/api/v1/admin/groups", &[], &Value::Null)
        .await
        .unwrap();
    assert_eq!(
        (layer.status, &layer.json["code"]),
        (401, &json!("UNAUTHORIZED"))
    );
    let binding = kit.admin("POST", "/groups", json!({ "name": 5 })).await;
    assert_eq!(binding.status, 400);
    assert!(
        binding.text.contains("Invalid request: "),
        "{}",
        binding.text
    );
}

#[tokio::test]
async fn a_wrong_admin_key_beats_a_right_session() {
    // trap 4
    let kit = Kit::new().await;
    let token = format!("Bearer {}", kit.token("admin@lab", "admin-password").await);
    let path = "/api/v1/admin/groups";
    let session = [("authorization", token.as_str())];
    assert_eq!(
        kit.send("GET", path, &session, &Value::Null)
            .await
            .unwrap()
            .status,
        200
    );
    let both = [("authorization", token.as_str()), ("x-api-key", "wrong")];
    let heard = kit.send("GET", path, &both, &Value::Null).await.unwrap();
    assert_eq!(
        (heard.status, &heard.json["code"]),
        (401, &json!("INVALID_ADMIN_KEY"))
    );
    kit.host
        .with(|state| state.add_user(User::new("u@lab", "password")));
    let plain = kit.token("u@lab", "password").await;
    let heard = kit.user(&plain, "GET", "/admin/groups", Value::Null).await;
    assert_eq!(
        (heard.status, &heard.json["code"]),
        (403, &json!("FORBIDDEN"))
    );
}

#[tokio::test]
async fn regenerating_the_admin_key_kills_the_old_one() {
    // trap 5
    let kit = Kit::new().await;
    let look = kit
        .admin("GET", "/settings/admin-api-key", Value::Null)
        .await;
    assert_eq!(
        look.json["data"],
        json!({ "exists": true, "masked_key": "admin-lab-...-key" })
    );
    let heard = kit
        .admin("POST", "/settings/admin-api-key/regenerate", Value::Null)
        .await;
    let new = heard.json["data"]["key"].as_str().unwrap().to_owned();
    assert_ne!(new, ADMIN);
    assert_eq!(kit.admin("GET", "/groups", Value::Null).await.status, 401);
    let path = "/api/v1/admin/groups";
    let headers = [("x-api-key", new.as_str())];
    assert_eq!(
        kit.send("GET", path, &headers, &Value::Null)
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn login_has_a_limit_and_switches_that_block_it() {
    // trap 6
    let kit = Kit::new().await;
    kit.host
        .with(|state| state.add_user(User::new("u@lab", "password")));
    let wrong = kit.login("u@lab", "nope").await;
    assert_eq!(
        (wrong.status, &wrong.json["reason"]),
        (401, &json!("INVALID_CREDENTIALS"))
    );
    kit.host.with(|state| state.settings.captcha = true);
    let captcha = kit.login("u@lab", "password").await;
    assert_eq!(captcha.json["reason"], "TURNSTILE_VERIFICATION_FAILED");
    kit.host.with(|state| {
        state.settings.captcha = false;
        state.settings.backend_mode = true;
    });
    let closed = kit.login("u@lab", "password").await;
    assert_eq!(
        (closed.status, &closed.json["reason"]),
        (403, &json!("BACKEND_MODE_ADMIN_ONLY"))
    );
    kit.host.with(|state| {
        state.settings.backend_mode = false;
        for user in state.users.values_mut() {
            user.two_factor = true;
        }
    });
    let second = kit.login("u@lab", "password").await;
    assert_eq!(
        (second.status, &second.json["data"]["requires_2fa"]),
        (200, &json!(true))
    );
    assert!(second.json["data"]["access_token"].is_null());
    for _ in 0..16 {
        assert_eq!(kit.login("u@lab", "nope").await.status, 401);
    }
    let limited = kit.login("u@lab", "nope").await;
    assert_eq!(
        (limited.status, &limited.json["error"]),
        (429, &json!("rate limit exceeded"))
    );
    // trap 3: this body has no code at all
    assert!(limited.json.get("code").is_none());
    kit.host
        .with(|state| state.advance(std::time::Duration::from_secs(61)));
    assert_eq!(kit.login("u@lab", "nope").await.status, 401);
}

#[tokio::test]
async fn a_password_change_revokes_sessions() {
    let kit = Kit::new().await;
    let id = kit
        .host
        .with(|state| state.add_user(User::new("u@lab", "password")));
    let token = kit.token("u@lab", "password").await;
    assert_eq!(
        kit.user(&token, "GET", "/auth/me", Value::Null)
            .await
            .status,
        200
    );
    kit.admin(
        "PUT",
        &format!("/users/{id}"),
        json!({ "password": "another" }),
    )
    .await;
    let heard = kit.user(&token, "GET", "/auth/me", Value::Null).await;
    assert_eq!(
        (heard.status, &heard.json["code"]),
        (401, &json!("TOKEN_REVOKED"))
    );
}

#[tokio::test]
async fn figures_that_look_real_stay_zero() {
    // trap 33
    let kit = Kit::new().await;
    for path in ["/groups/1/stats", "/users/1/usage", "/dashboard/realtime"] {
        let data = kit.admin("GET", path, Value::Null).await.json["data"].clone();
        let mut fields = data.as_object().unwrap().iter();
        assert!(
            fields.all(|(name, n)| name == "period" || n.as_f64() == Some(0.0)),
            "{path} {data}"
        );
    }
}

#[tokio::test]
async fn the_version_is_in_the_public_settings_and_slow_elsewhere() {
    // trap 34
    let kit = Kit::new().await;
    let public = kit
        .send("GET", "/api/v1/settings/public", &[], &Value::Null)
        .await
        .unwrap();
    assert_eq!(public.json["data"]["version"], "0.1.129");
    kit.host
        .with(|state| state.settings.version_check = std::time::Duration::from_mins(1));
    let slow = kit.admin("GET", "/system/version", Value::Null);
    let waited = tokio::time::timeout(std::time::Duration::from_millis(100), slow).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn a_mistyped_path_is_a_page_outside_the_api_and_a_404_text_inside() {
    // trap 35
    let kit = Kit::new().await;
    let page = kit
        .send("POST", "/chat/completions", &[], &json!({}))
        .await
        .unwrap();
    assert_eq!(page.status, 200);
    assert!(page.kind.starts_with("text/html"));
    for path in ["/api/v2/x", "/v1/nothing", "/api/v1/admin/nothing"] {
        let heard = kit
            .send("GET", path, &[("x-api-key", ADMIN)], &Value::Null)
            .await
            .unwrap();
        assert_eq!(
            (heard.status, heard.text.as_str()),
            (404, "404 page not found"),
            "{path}"
        );
    }
    let health = kit.send("GET", "/health", &[], &Value::Null).await.unwrap();
    assert_eq!(health.json, json!({ "status": "ok" }));
}
