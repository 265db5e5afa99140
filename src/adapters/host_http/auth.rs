//! The admin credential on the wire: the key as it is, or a login made once and renewed when it
//! ran out. Never both (trap 4).

use super::client::HostHttp;
use super::credential::Credential;
use super::judge::Trouble;
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::{Failure, FailureKind};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use std::sync::atomic::AtomicBool;
use tokio::sync::Mutex;

/// Tokens of a login.
#[derive(Clone)]
pub(super) struct Tokens {
    pub(super) access: Secret,
    pub(super) refresh: Option<Secret>,
    /// UTC ms when they were given, and when the access token runs out.
    at_ms: i64,
    until_ms: Option<i64>,
}

impl Tokens {
    /// Tokens given just now, for so many seconds.
    pub(super) fn new(access: Secret, refresh: Option<Secret>, seconds: Option<i64>) -> Self {
        let at_ms = jiff::Timestamp::now().as_millisecond();
        let until_ms = seconds.map(|seconds| at_ms.saturating_add(seconds.saturating_mul(1000)));
        Self {
            access,
            refresh,
            at_ms,
            until_ms,
        }
    }
}

pub(super) struct Auth {
    pub(super) credential: Credential,
    /// The standing login; held while a new one is made, so that many calls make one.
    tokens: Mutex<Option<Tokens>>,
    /// Whether the host refused the credential.
    pub(super) refused: AtomicBool,
}

impl Auth {
    pub(super) fn new(credential: Credential) -> Self {
        Self {
            credential,
            tokens: Mutex::new(None),
            refused: AtomicBool::new(false),
        }
    }

    /// When the standing login was made and when it runs out, if there is one.
    pub(super) async fn standing_login(&self) -> Option<(i64, Option<i64>)> {
        let held = self.tokens.lock().await;
        held.as_ref().map(|tokens| (tokens.at_ms, tokens.until_ms))
    }
}

/// One credential header.
pub(super) struct Shown {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
    /// The token in it, when it can run out.
    pub(super) token: Option<Secret>,
}

impl Shown {
    fn new(name: HeaderName, text: &str) -> Result<Self, Failure> {
        let mut value = HeaderValue::from_str(text).map_err(|_| {
            Failure::new(
                FailureKind::Config,
                "the credential holds characters no header can carry",
            )
            .hint("check the reference for a stray line end or blank")
        })?;
        value.set_sensitive(true);
        Ok(Self {
            name,
            value,
            token: None,
        })
    }

    pub(super) fn bearer(token: &Secret) -> Result<Self, Failure> {
        Self::new(AUTHORIZATION, &format!("Bearer {}", token.expose()))
    }
}

impl HostHttp {
    /// The admin's header. `spent` is a token the host just called run out.
    pub(super) async fn admin_header(&self, spent: Option<&Secret>) -> Result<Shown, Trouble> {
        let (email, password) = match &self.auth.credential {
            Credential::AdminKey(key) => {
                return Ok(Shown::new(
                    HeaderName::from_static("x-api-key"),
                    key.expose(),
                )?);
            }
            Credential::Login { email, password } => (email, password),
        };
        let mut held = self.auth.tokens.lock().await;
        let tokens = match held.take() {
            // Nobody called it run out, or somebody else renewed it meanwhile.
            Some(tokens) if spent.is_none_or(|spent| *spent != tokens.access) => tokens,
            Some(Tokens {
                refresh: Some(refresh),
                ..
            }) => match self.renew(&refresh).await {
                Ok(tokens) => tokens,
                // Revoked, spent or too old: the password still is what it was.
                Err(_) => self.sign_in(email, password).await?,
            },
            _ => self.sign_in(email, password).await?,
        };
        let shown = Shown::bearer(&tokens.access)?;
        let token = Some(tokens.access.clone());
        *held = Some(tokens);
        Ok(Shown { token, ..shown })
    }
}
