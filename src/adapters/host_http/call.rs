//! One request to the host, described before it is sent.

use cockpit_domain::ids::RemoteId;
use cockpit_domain::secret::Secret;
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;

/// Whom the request speaks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum As<'a> {
    /// The cockpit's own admin credential.
    Admin,
    /// A user's session.
    User(&'a Secret),
    /// Nobody: health, public settings, login.
    Nobody,
}

/// What sending it twice, or losing its answer, means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Changes nothing; sent again by itself when the way or a proxy fails.
    Read,
    /// Changes nothing we must look up, but is not sent again by itself: it is limited or slow.
    Look,
    /// Changes the host. Sent once; a lost answer is `maybe_done`.
    Write,
}

/// What may stand in a query.
pub(super) struct QueryValue(String);

impl From<&str> for QueryValue {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<u64> for QueryValue {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl From<RemoteId> for QueryValue {
    fn from(id: RemoteId) -> Self {
        Self(id.to_string())
    }
}

#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Below the base URL, begins with `/`.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) speaker: As<'a>,
    pub(super) effect: Effect,
    pub(super) idempotency_key: Option<&'a str>,
    /// "reading the groups"; the host's name is added.
    pub(super) doing: String,
    /// When the usual limit does not fit.
    pub(super) time_limit: Option<Duration>,
}

impl<'a> Call<'a> {
    fn new(method: Method, path: String, effect: Effect, doing: String) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            speaker: As::Admin,
            effect,
            idempotency_key: None,
            doing,
            time_limit: None,
        }
    }

    /// A read below `/api/v1/admin`.
    pub(super) fn read(path: impl AsRef<str>, doing: impl Into<String>) -> Self {
        let path = format!("/api/v1/admin{}", path.as_ref());
        Self::new(Method::GET, path, Effect::Read, doing.into())
    }

    /// A write below `/api/v1/admin`.
    pub(super) fn write(method: Method, path: impl AsRef<str>, doing: impl Into<String>) -> Self {
        let path = format!("/api/v1/admin{}", path.as_ref());
        Self::new(method, path, Effect::Write, doing.into())
    }

    /// A request nobody speaks for, at a full path.
    pub(super) fn open(method: Method, path: &str, doing: impl Into<String>) -> Self {
        let effect = if method == Method::GET {
            Effect::Read
        } else {
            Effect::Look
        };
        let mut call = Self::new(method, path.to_owned(), effect, doing.into());
        call.speaker = As::Nobody;
        call
    }

    /// A write below `/api/v1` as a user.
    pub(super) fn user(
        method: Method,
        path: impl AsRef<str>,
        token: &'a Secret,
        doing: impl Into<String>,
    ) -> Self {
        let path = format!("/api/v1{}", path.as_ref());
        let mut call = Self::new(method, path, Effect::Write, doing.into());
        call.speaker = As::User(token);
        call
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<QueryValue>) -> Self {
        self.query.push((name, value.into().0));
        self
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn once(mut self, key: &'a str) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    pub(super) fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    pub(super) fn within(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    pub(super) fn is_write(&self) -> bool {
        self.effect == Effect::Write
    }
}
