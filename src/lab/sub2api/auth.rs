//! Who is asking: the admin key, sessions, login with its switches and its limit.

use super::model::User;
use super::reply::{Answer, Reply};
use super::req::Req;
use super::state::{Session, State};
use super::views;
use jiff::SignedDuration;
use serde_json::json;

/// The admin behind a request. A wrong `x-api-key` fails even beside a good session.
pub(super) fn admin(state: &State, req: &Req) -> Result<i64, Reply> {
    if let Some(key) = req.header("x-api-key").filter(|key| !key.is_empty()) {
        if state.admin_key.as_deref() != Some(key) {
            return Err(Reply::layer(
                401,
                "INVALID_ADMIN_KEY",
                "Invalid admin API key",
            ));
        }
        let first = state
            .users
            .values()
            .find(|user| user.role == "admin" && user.deleted_at.is_none());
        return first
            .map(|user| user.id)
            .ok_or_else(|| Reply::layer(500, "INTERNAL_ERROR", "No admin user found"));
    }
    if req.bearer().is_none_or(str::is_empty) {
        return Err(Reply::layer(401, "UNAUTHORIZED", "Authorization required"));
    }
    let user = session_user(state, req)?;
    if user.role != "admin" {
        return Err(Reply::layer(403, "FORBIDDEN", "Admin access required"));
    }
    Ok(user.id)
}

/// The user behind a session, for the user-facing routes.
pub(super) fn user(state: &State, req: &Req) -> Result<i64, Reply> {
    let Some(header) = req.header("authorization") else {
        let text = "Authorization header is required";
        return Err(Reply::layer(401, "UNAUTHORIZED", text));
    };
    let Some(token) = header.strip_prefix("Bearer ") else {
        let text = "Authorization header format must be 'Bearer {token}'";
        return Err(Reply::layer(401, "INVALID_AUTH_HEADER", text));
    };
    if token.trim().is_empty() {
        return Err(Reply::layer(401, "EMPTY_TOKEN", "Token cannot be empty"));
    }
    let user = session_user(state, req)?;
    if state.settings.backend_mode && user.role != "admin" {
        let text = "Backend mode is active. User self-service is disabled.";
        return Err(Reply::json(403, json!({ "code": 403, "message": text })));
    }
    Ok(user.id)
}

fn session_user<'a>(state: &'a State, req: &Req) -> Result<&'a User, Reply> {
    let invalid = || Reply::layer(401, "INVALID_TOKEN", "Invalid token");
    let token = req.bearer().ok_or_else(invalid)?;
    let session = state.sessions.get(token).ok_or_else(invalid)?;
    if session.expires_at <= state.now() {
        return Err(Reply::layer(401, "TOKEN_EXPIRED", "Token has expired"));
    }
    let Some(user) = state.user(session.user_id) else {
        return Err(Reply::layer(401, "USER_NOT_FOUND", "User not found"));
    };
    if user.status != "active" {
        let text = "User account is not active";
        return Err(Reply::layer(401, "USER_INACTIVE", text));
    }
    if user.token_version != session.token_version {
        let text = "Token has been revoked (password changed)";
        return Err(Reply::layer(401, "TOKEN_REVOKED", text));
    }
    Ok(user)
}

/// `POST /auth/login`.
pub(super) fn login(state: &mut State, req: &Req) -> Answer {
    limit(state)?;
    let input = req.input()?;
    let email = input.required_text("email")?.trim().to_lowercase();
    let password = input.required_text("password")?;
    let token = input.text("turnstile_token")?.unwrap_or_default();
    if state.settings.captcha && token.is_empty() {
        let text = "turnstile verification failed";
        return Err(Reply::fail(400, "TURNSTILE_VERIFICATION_FAILED", text));
    }
    let found = state
        .users
        .values()
        .find(|user| user.deleted_at.is_none() && user.email.to_lowercase() == email);
    let Some(user) = found.filter(|user| user.password == password).cloned() else {
        let text = "invalid email or password";
        return Err(Reply::fail(401, "INVALID_CREDENTIALS", text));
    };
    if user.status != "active" {
        return Err(Reply::fail(403, "USER_NOT_ACTIVE", "user is not active"));
    }
    if state.settings.backend_mode && user.role != "admin" {
        let text = "only admins can log in while backend mode is active";
        return Err(Reply::fail(403, "BACKEND_MODE_ADMIN_ONLY", text));
    }
    if user.two_factor {
        let temp = state.random_hex("2fa");
        return Ok(Reply::ok(json!({
            "requires_2fa": true, "temp_token": temp, "user_email_masked": "***",
        })));
    }
    let access = format!("eyJ{}", state.random_hex("session"));
    let refresh = format!("rt_{}", state.random_hex("refresh"));
    let session = Session {
        user_id: user.id,
        token_version: user.token_version,
        expires_at: state.now() + SignedDuration::from_hours(24),
    };
    state.sessions.insert(access.clone(), session);
    let now = state.now();
    if let Some(row) = state.users.get_mut(&user.id) {
        row.last_active_at = Some(now);
    }
    Ok(Reply::ok(json!({
        "access_token": access, "refresh_token": refresh, "expires_in": 86_400,
        "token_type": "Bearer", "user": views::plain_user(&user),
    })))
}

/// One bucket for all: without trusted proxies every client behind one shares its address.
fn limit(state: &mut State) -> Result<(), Reply> {
    let now = state.now();
    let (since, count) = state.login_window;
    let fresh = since.is_some_and(|since| now.duration_since(since).as_secs() < 60);
    let count = if fresh { count + 1 } else { 1 };
    state.login_window = (if fresh { since } else { Some(now) }, count);
    if count > state.settings.logins_per_minute {
        return Err(Reply::json(
            429,
            json!({ "error": "rate limit exceeded",
                "message": "Too many requests, please try again later" }),
        ));
    }
    Ok(())
}

/// `GET /auth/me`.
pub(super) fn me(state: &State, user: i64) -> Reply {
    let Some(user) = state.user(user) else {
        return Reply::missing("USER");
    };
    let mut view = views::plain_user(user);
    view["run_mode"] = json!("standard");
    Reply::ok(view)
}

/// Public switches that are off on a fresh host.
const OFF: [&str; 25] = [
    "account_quota_notify_enabled",
    "affiliate_enabled",
    "available_channels_enabled",
    "balance_low_notify_enabled",
    "dingtalk_oauth_enabled",
    "email_verify_enabled",
    "force_email_on_third_party_signup",
    "github_oauth_enabled",
    "google_oauth_enabled",
    "hide_ccs_import_button",
    "invitation_code_enabled",
    "linuxdo_oauth_enabled",
    "login_agreement_enabled",
    "oidc_oauth_enabled",
    "password_reset_enabled",
    "payment_enabled",
    "purchase_subscription_enabled",
    "registration_enabled",
    "risk_control_enabled",
    "sora_client_enabled",
    "totp_enabled",
    "wechat_oauth_enabled",
    "wechat_oauth_mobile_enabled",
    "wechat_oauth_mp_enabled",
    "wechat_oauth_open_enabled",
];

/// Public texts that are empty on a fresh host.
const EMPTY: [&str; 8] = [
    "api_base_url",
    "balance_low_notify_recharge_url",
    "contact_info",
    "doc_url",
    "home_content",
    "purchase_subscription_url",
    "site_logo",
    "turnstile_site_key",
];

/// Public lists that are empty on a fresh host.
const NONE: [&str; 4] = [
    "custom_endpoints",
    "custom_menu_items",
    "registration_email_suffix_whitelist",
    "login_agreement_documents",
];

/// `GET /settings/public`: the look without side effects.
pub(super) fn public_settings(state: &State) -> Reply {
    let mut view = json!({
        "turnstile_enabled": state.settings.captcha,
        "backend_mode_enabled": state.settings.backend_mode,
        "login_agreement_revision": "0eff189d66e0af4e",
        "login_agreement_updated_at": "2026-03-31",
        "balance_low_notify_threshold": 0,
        "channel_monitor_default_interval_seconds": 60,
        "channel_monitor_enabled": true,
        "login_agreement_mode": "modal",
        "oidc_oauth_provider_name": "OIDC",
        "promo_code_enabled": true,
        "site_name": "Sub2API",
        "site_subtitle": "Subscription to API Conversion Platform",
        "table_default_page_size": 20,
        "table_page_size_options": [10, 20, 50],
        "version": "0.1.129",
    });
    for name in OFF {
        view[name] = json!(false);
    }
    for name in EMPTY {
        view[name] = json!("");
    }
    for name in NONE {
        view[name] = json!([]);
    }
    Reply::ok(view)
}

/// `GET /admin/settings/admin-api-key`.
pub(super) fn admin_key_look(state: &State) -> Reply {
    let key = state.admin_key.as_deref().unwrap_or_default();
    let masked = match (key.get(..10), key.get(key.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) => format!("{head}...{tail}"),
        _ => String::new(),
    };
    Reply::ok(json!({ "exists": !key.is_empty(), "masked_key": masked }))
}

/// `POST /admin/settings/admin-api-key/regenerate`: the old key dies at once.
pub(super) fn admin_key_regenerate(state: &mut State) -> Reply {
    let key = format!("admin-{}", state.random_hex("admin key"));
    state.admin_key = Some(key.clone());
    Reply::ok(json!({ "key": key }))
}
