//! HTTP as somebody at a vantage sees it: user-level model calls, upstream looks, and the plain
//! requests of baseline checks.

use crate::failure::Outcome;
use async_trait::async_trait;
use cockpit_domain::ids::MachineId;
use cockpit_domain::secret::Secret;
use std::time::Duration;

/// Where a request starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vantage {
    /// This computer.
    Here,
    /// A machine: the connection is made there, through its tunnel.
    Machine(MachineId),
}

/// One HTTP request. Redirects are never followed, no proxy is used.
#[derive(Debug, Clone)]
pub struct WebRequest {
    /// Where it starts from.
    pub vantage: Vantage,
    /// `GET`, `HEAD`, `POST`.
    pub method: &'static str,
    /// Absolute URL.
    pub url: String,
    /// Sent as `Authorization: Bearer`; the only place an ordinary key may stand.
    pub bearer: Option<Secret>,
    /// JSON body.
    pub json: Option<serde_json::Value>,
    /// Longest wait for the whole answer.
    pub time_limit: Duration,
    /// Most body bytes kept.
    pub byte_limit: usize,
}

impl WebRequest {
    /// A GET with the usual limits: 10 s, 1 MiB.
    pub fn get(vantage: Vantage, url: impl Into<String>) -> Self {
        Self {
            vantage,
            method: "GET",
            url: url.into(),
            bearer: None,
            json: None,
            time_limit: Duration::from_secs(10),
            byte_limit: 1 << 20,
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAnswer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, lower case, without parameters; empty if none.
    pub content_type: String,
    /// Header names (lower case) and values, redacted.
    pub headers: Vec<(String, String)>,
    /// Body text, redacted and made harmless.
    pub body: String,
    /// When the certificate of a TLS answer ends, UTC milliseconds.
    pub tls_until_ms: Option<i64>,
    /// Whether the body was longer than the limit.
    pub truncated: bool,
    /// How long it took.
    pub took: Duration,
}

/// Makes HTTP requests from a vantage.
///
/// # Errors
/// `Unreachable` when no HTTP answer came (name, connection, TLS, time), with the layer named in
/// the message; `Denied`/`Config` from the tunnel. Every HTTP status is an answer, not an error.
#[async_trait]
pub trait Web: Send + Sync {
    /// Sends one request.
    async fn fetch(&self, request: &WebRequest) -> Outcome<WebAnswer>;
}
