//! The table of paths. Idempotent routes are claimed here, and late effects wait here.

use super::reply::{Answer, Reply};
use super::req::Req;
use super::state::State;
use super::{
    SimHost, account_lists, account_writes, accounts, auth, channels, export, groups, idempotency,
    keys, ops, plans, subscriptions, usage, users,
};
use serde_json::json;

/// Paths the web page does not swallow.
const NOT_PAGE: [&str; 7] = [
    "/api/",
    "/v1/",
    "/v1beta/",
    "/backend-api/",
    "/antigravity/",
    "/setup/",
    "/responses",
];

const PAGE: &str = "<!doctype html><html><head><title>Sub2API</title></head><body><div id=\"app\"></div></body></html>";

impl SimHost {
    /// Finds the handler of a request.
    pub(super) async fn route(&self, req: &Req) -> Reply {
        let path = req.path.clone();
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        match segments.as_slice() {
            ["health"] => Reply::json(200, json!({ "status": "ok" })),
            ["setup", "status"] => Reply::json(
                200,
                json!({ "code": 0, "data": { "needs_setup": false, "step": "completed" } }),
            ),
            ["api", "event_logging", "batch"] => Reply::json(200, json!({})),
            ["api", "v1", tail @ ..] => self.api(req, tail).await,
            ["v1", "usage"] if req.method == "GET" => flat(self.key_usage(req)),
            ["v1", tail @ ..] if !tail.is_empty() => {
                self.late(req).await;
                self.gateway(req, tail).await
            }
            ["responses"] => self.gateway(req, &["responses"]).await,
            _ if NOT_PAGE.iter().any(|head| path.starts_with(head)) => Reply::no_route(),
            // A mistyped path is a 200 page, for any method.
            _ => Reply::raw(200, "text/html; charset=utf-8", PAGE),
        }
    }

    async fn api(&self, req: &Req, tail: &[&str]) -> Reply {
        match (req.method.as_str(), tail) {
            ("GET", ["settings", "public"]) => self.with(|state| auth::public_settings(state)),
            ("POST", ["auth", "login"]) => {
                flat(self.with(|state| auth::login(state, req))).naming("LoginRequest")
            }
            (_, ["admin", tail @ ..]) => match self.with(|state| auth::admin(state, req)) {
                Ok(admin) => self.admin(req, tail, admin).await,
                Err(refusal) => refusal,
            },
            (_, tail) if user_path(tail) => match self.with(|state| auth::user(state, req)) {
                Ok(user) => {
                    let scope = (tail == ["keys"] && req.method == "POST").then_some("user.keys");
                    let actor = format!("user:{user}");
                    let act = |state: &mut State| user_route(state, req, tail, user);
                    self.guarded(req, scope, &actor, act).await
                }
                Err(refusal) => refusal,
            },
            _ => Reply::no_route(),
        }
    }

    async fn admin(&self, req: &Req, tail: &[&str], admin: i64) -> Reply {
        match (req.method.as_str(), tail) {
            ("POST", ["accounts", at, "test"]) => {
                self.late(req).await;
                flat(self.test_account(req, at))
            }
            ("POST", ["accounts", at, "models", "sync-upstream"]) => {
                flat(self.sync_models(at).await)
            }
            ("GET", ["system", "version" | "check-updates"]) => {
                // Both ask the release page, which hangs where it cannot be reached.
                let wait = self.with(|state| state.settings.version_check);
                tokio::time::sleep(wait).await;
                Reply::ok(json!({ "version": "0.1.129" }))
            }
            (method, tail) => {
                let scope = scope_of(method, tail);
                let actor = format!("admin:{admin}");
                let act = |state: &mut State| {
                    let resources = resource_route(state, req, tail);
                    resources.unwrap_or_else(|| people_route(state, req, tail))
                };
                self.guarded(req, scope, &actor, act).await
            }
        }
    }

    /// Runs a handler under its idempotency record, where the route has one.
    async fn guarded(
        &self,
        req: &Req,
        scope: Option<&str>,
        actor: &str,
        act: impl FnOnce(&mut State) -> Answer,
    ) -> Reply {
        let claim = match scope {
            None => None,
            Some(scope) => match self.with(|state| idempotency::begin(state, req, scope, actor)) {
                Ok(claim) => claim,
                Err(answer) => return answer,
            },
        };
        self.late(req).await;
        self.with(|state| {
            let reply = flat(act(state)).naming(request_name(req));
            if let Some(claim) = claim {
                idempotency::finish(state, claim, &reply);
            }
            reply
        })
    }

    async fn late(&self, req: &Req) {
        if let Some(late) = req.late {
            tokio::time::sleep(late).await;
        }
    }
}

fn flat(answer: Answer) -> Reply {
    answer.unwrap_or_else(|refusal| refusal)
}

/// The routes that honour `Idempotency-Key`; everywhere else the header is ignored.
fn scope_of(method: &str, tail: &[&str]) -> Option<&'static str> {
    match (method, tail) {
        ("POST", ["accounts"]) => Some("admin.accounts.create"),
        ("POST", ["accounts", "batch"]) => Some("admin.accounts.batch"),
        ("POST", ["accounts", "data"]) => Some("admin.accounts.import"),
        ("POST", ["users", _, "balance"]) => Some("admin.users.balance"),
        ("POST", ["subscriptions", _, "extend"]) => Some("admin.subscriptions.extend"),
        _ => None,
    }
}

/// What the host's source calls the body of a route; it shows in binding errors.
fn request_name(req: &Req) -> &'static str {
    let path = req
        .path
        .trim_start_matches("/api/v1/")
        .trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    let head = path.trim_start_matches("admin/").split('/').next();
    match (req.method.as_str(), head.unwrap_or_default(), last) {
        ("POST", "groups", _) => "CreateGroupRequest",
        ("PUT", "groups", _) => "UpdateGroupRequest",
        ("POST", "channels", _) => "createChannelRequest",
        ("PUT", "channels", _) => "updateChannelRequest",
        ("POST", "accounts", "bulk-update") => "BulkUpdateAccountsRequest",
        ("POST", "accounts", _) => "CreateAccountRequest",
        ("PUT", "accounts", _) => "UpdateAccountRequest",
        ("POST", "users", "balance") => "UpdateBalanceRequest",
        ("POST", "users", _) => "CreateUserRequest",
        ("PUT", "users", _) => "UpdateUserRequest",
        ("POST", "subscriptions", "assign") => "AssignSubscriptionRequest",
        ("POST", "subscriptions", "extend") => "AdjustSubscriptionRequest",
        ("POST", "keys", _) => "CreateAPIKeyRequest",
        ("PUT", "keys", _) => "UpdateAPIKeyRequest",
        _ => "Request",
    }
}

/// Groups, channels, accounts and plans; `None` if the path is none of theirs.
fn resource_route(state: &mut State, req: &Req, tail: &[&str]) -> Option<Answer> {
    Some(match (req.method.as_str(), tail) {
        ("GET", ["groups"]) => Ok(groups::list(state, req)),
        ("POST", ["groups"]) => groups::create(state, req),
        ("GET", ["groups", "all"]) => Ok(groups::all(state, req)),
        ("GET", ["groups", _, "stats"]) => Ok(groups::mock_stats()),
        ("GET", ["groups", at, "api-keys"]) => groups::keys(state, req, at),
        ("GET", ["groups", at, "subscriptions"]) => groups::subscriptions(state, req, at),
        ("GET", ["groups", at]) => groups::get(state, at),
        ("PUT", ["groups", at]) => groups::update(state, req, at),
        ("DELETE", ["groups", at]) => groups::delete(state, at),
        ("GET", ["channels"]) => Ok(channels::list(state, req)),
        ("POST", ["channels"]) => channels::create(state, req),
        ("GET", ["channels", at]) => channels::get(state, at),
        ("PUT", ["channels", at]) => channels::update(state, req, at),
        ("DELETE", ["channels", at]) => channels::delete(state, at),
        ("GET", ["payment", "plans"]) => Ok(plans::list(state)),
        ("POST", ["payment", "plans"]) => plans::create(state, req),
        ("PUT", ["payment", "plans", at]) => plans::update(state, req, at),
        ("DELETE", ["payment", "plans", at]) => plans::delete(state, at),
        (_, ["accounts", tail @ ..]) => return account_route(state, req, tail),
        _ => return None,
    })
}

fn account_route(state: &mut State, req: &Req, tail: &[&str]) -> Option<Answer> {
    Some(match (req.method.as_str(), tail) {
        ("GET", []) => Ok(account_lists::list(state, req)),
        ("POST", []) => accounts::create(state, req),
        ("GET", ["data"]) => Ok(export::export(state, req)),
        ("POST", ["data"]) => export::import(state, req),
        ("POST", ["batch"]) => account_writes::batch(state, req),
        ("POST", ["bulk-update"]) => account_writes::bulk_update(state, req),
        ("POST", ["batch-clear-error"]) => account_writes::batch_clear(state, req),
        ("POST", ["check-mixed-channel"]) => accounts::check_mixed(state, req),
        ("GET", [at]) => account_lists::get(state, at),
        ("PUT", [at]) => accounts::update(state, req, at),
        ("DELETE", [at]) => accounts::delete(state, at),
        ("GET", [at, "models"]) => account_lists::models(state, at),
        ("GET", [at, "stats" | "usage" | "today-stats"]) => account_lists::figures(state, at),
        ("GET", [at, "temp-unschedulable"]) => account_lists::cooldown(state, at),
        ("DELETE", [at, "temp-unschedulable"]) => account_writes::clear_cooldown(state, at),
        ("POST", [at, "schedulable"]) => account_writes::schedulable(state, req, at),
        ("POST", [at, "clear-error" | "recover-state"]) => account_writes::clear_error(state, at),
        ("POST", [at, "clear-rate-limit"]) => account_writes::clear_rate_limit(state, at),
        ("POST", [at, "reset-quota"]) => account_writes::reset_quota(state, at),
        _ => return None,
    })
}

/// Users, keys, subscriptions, settings and figures.
fn people_route(state: &mut State, req: &Req, tail: &[&str]) -> Answer {
    match (req.method.as_str(), tail) {
        ("GET", ["settings", "admin-api-key"]) => Ok(auth::admin_key_look(state)),
        ("POST", ["settings", "admin-api-key", "regenerate"]) => {
            Ok(auth::admin_key_regenerate(state))
        }
        ("DELETE", ["settings", "admin-api-key"]) => {
            state.admin_key = None;
            Ok(Reply::message("Admin API key deleted"))
        }
        ("GET", ["users"]) => Ok(users::list(state, req)),
        ("POST", ["users"]) => users::create(state, req),
        ("GET", ["users", at]) => users::get(state, at),
        ("PUT", ["users", at]) => users::update(state, req, at),
        ("DELETE", ["users", at]) => users::delete(state, at),
        ("POST", ["users", at, "balance"]) => users::balance(state, req, at),
        ("GET", ["users", at, "api-keys"]) => users::keys(state, req, at),
        ("GET", ["users", at, "subscriptions"]) => users::subscriptions(state, at),
        ("GET", ["users", _, "usage"]) => Ok(users::mock_usage()),
        ("PUT", ["api-keys", at]) => users::bind_key(state, req, at),
        ("GET", ["subscriptions"]) => Ok(subscriptions::list(state, req)),
        ("POST", ["subscriptions", "assign"]) => subscriptions::assign(state, req),
        ("GET", ["subscriptions", at]) => subscriptions::get(state, at),
        ("DELETE", ["subscriptions", at]) => subscriptions::delete(state, at),
        ("POST", ["subscriptions", at, "extend"]) => subscriptions::extend(state, req, at),
        ("POST", ["subscriptions", at, "reset-quota"]) => subscriptions::reset_quota(state, at),
        ("GET", ["usage"]) => Ok(usage::page(state, req, None)),
        ("GET", ["usage", "search-api-keys"]) => Ok(usage::search_keys(state, req)),
        ("GET", ["ops", "account-availability"]) => Ok(ops::availability(state, req)),
        ("GET", ["ops", "errors"]) => Ok(ops::errors(state, req)),
        ("GET", ["dashboard", "stats"]) => Ok(ops::dashboard(state)),
        ("GET", ["dashboard", "realtime"]) => Ok(ops::mock_realtime()),
        _ => Ok(Reply::no_route()),
    }
}

fn user_path(tail: &[&str]) -> bool {
    let known = [
        "auth/me",
        "user/profile",
        "groups/available",
        "usage",
        "subscriptions",
        "subscriptions/active",
        "payment/plans",
    ];
    tail.first() == Some(&"keys") || known.contains(&tail.join("/").as_str())
}

fn user_route(state: &mut State, req: &Req, tail: &[&str], user: i64) -> Answer {
    match (req.method.as_str(), tail) {
        ("GET", ["auth", "me"] | ["user", "profile"]) => Ok(auth::me(state, user)),
        ("GET", ["keys"]) => Ok(keys::list(state, req, user)),
        ("POST", ["keys"]) => keys::create(state, req, user),
        ("GET", ["keys", at]) => keys::get(state, user, at),
        ("PUT", ["keys", at]) => keys::update(state, req, user, at),
        ("DELETE", ["keys", at]) => keys::delete(state, user, at),
        ("GET", ["groups", "available"]) => Ok(keys::available_groups(state, user)),
        ("GET", ["usage"]) => Ok(keys::own_usage(state, req, user)),
        ("GET", ["subscriptions"]) => Ok(subscriptions::own(state, user, false)),
        ("GET", ["subscriptions", "active"]) => Ok(subscriptions::own(state, user, true)),
        ("GET", ["payment", "plans"]) => Ok(plans::offers(state)),
        _ => Ok(Reply::no_route()),
    }
}
