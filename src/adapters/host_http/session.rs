//! Logins: of the managed users, and of the admin where the credential is a login
//! (`host-contract.md` 2.2).

use super::auth::Tokens;
use super::call::Call;
use super::client::HostHttp;
use super::hints;
use super::judge;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::{Failure, FailureKind, Outcome, RemoteAnswer};
use cockpit_engine::ports::Session;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use std::sync::atomic::Ordering;

#[derive(Deserialize)]
struct WireLogin {
    #[serde(default)]
    requires_2fa: bool,
    #[serde(default)]
    access_token: Option<Secret>,
    #[serde(default)]
    refresh_token: Option<Secret>,
    /// Seconds.
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    user: Option<WireOwner>,
}

#[derive(Deserialize)]
struct WireOwner {
    id: RemoteId,
}

impl HostHttp {
    async fn tokens(
        &self,
        email: &str,
        password: &Secret,
        doing: String,
    ) -> Outcome<(Tokens, Option<RemoteId>)> {
        self.redactor.learn(password);
        let call = Call::open(Method::POST, "/api/v1/auth/login", doing)
            .body(json!({ "email": email, "password": password.expose() }));
        let login: WireLogin = self.get(&call).await?;
        let Some(access) = login
            .access_token
            .filter(|token| !token.expose().is_empty())
        else {
            let failure = if login.requires_2fa {
                let answer = RemoteAnswer {
                    status: 200,
                    reason: "REQUIRES_2FA".to_owned(),
                    ..RemoteAnswer::default()
                };
                Failure::new(
                    FailureKind::Denied,
                    "this user logs in with a second factor",
                )
                .hint(hints::next_step(200, &answer, &call))
                .answer(answer)
            } else {
                judge::unreadable(&self.redactor, "the login has no token", &call)
            };
            return Err(self.name(&call, failure));
        };
        self.redactor.learn(&access);
        let refresh = login.refresh_token;
        if let Some(refresh) = &refresh {
            self.redactor.learn(refresh);
        }
        let tokens = Tokens::new(access, refresh, login.expires_in);
        Ok((tokens, login.user.map(|user| user.id)))
    }

    /// The admin's own login. Boxed, since a call as admin may need one and is itself a call.
    pub(super) fn sign_in<'a>(
        &'a self,
        email: &'a str,
        password: &'a Secret,
    ) -> BoxFuture<'a, Outcome<Tokens>> {
        async move {
            let doing = format!("logging in as admin `{email}`");
            let login = self.tokens(email, password, doing).await;
            if matches!(&login, Err(failure) if failure.kind == FailureKind::Denied) {
                self.auth.refused.store(true, Ordering::Relaxed);
            }
            login.map(|(tokens, _)| tokens)
        }
        .boxed()
    }

    /// A new pair for a login that ran out; the old refresh token is spent by it.
    pub(super) fn renew<'a>(&'a self, refresh: &'a Secret) -> BoxFuture<'a, Outcome<Tokens>> {
        self.refreshed(refresh).boxed()
    }

    async fn refreshed(&self, refresh: &Secret) -> Outcome<Tokens> {
        let call = Call::open(Method::POST, "/api/v1/auth/refresh", "renewing the login")
            .body(json!({ "refresh_token": refresh.expose() }));
        let login: WireLogin = self.get(&call).await?;
        let Some(access) = login.access_token else {
            let failure = judge::unreadable(&self.redactor, "the renewal has no token", &call);
            return Err(self.name(&call, failure));
        };
        self.redactor.learn(&access);
        if let Some(refresh) = &login.refresh_token {
            self.redactor.learn(refresh);
        }
        Ok(Tokens::new(access, login.refresh_token, login.expires_in))
    }

    /// A managed user's login.
    pub(super) async fn log_in(&self, email: &str, password: &Secret) -> Outcome<Session> {
        let doing = format!("logging in as user `{email}`");
        let (tokens, user) = self.tokens(email, password, doing.clone()).await?;
        let Some(user_id) = user else {
            let failure = Failure::new(FailureKind::Remote, "the login does not say whose it is")
                .hint("check whether this host's version is a known one");
            return Err(failure.doing(format!("{doing} on `{}`", self.host)));
        };
        Ok(Session {
            token: tokens.access,
            user_id,
        })
    }
}
