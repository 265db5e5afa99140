//! Simulated upstream vendors: OpenAI-compatible endpoints that judge a key by its prefix, so a
//! drill can choose an outcome by choosing a key. The answers themselves live in `answers.rs`.

mod answers;
#[cfg(test)]
mod tests;

use crate::request_log::{RequestLog, SeenRequest};
use crate::scripted::{self, Scripted};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use cockpit_domain::secret::Secret;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How a vendor's endpoints behave, whatever the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendorKind {
    /// `/v1/models`, `/v1/chat/completions` and `/v1/responses`.
    Good,
    /// As `Good`, and `/v1/messages` besides.
    Full,
    /// No `/responses` (404); chat streams unless `stream` is `false`.
    ChatOnly,
    /// As `ChatOnly`, but unknown paths answer 401 instead of 404.
    ChatOnlyWalled,
    /// As `ChatOnly`, but `/responses` answers 500.
    ChatOnlyBroken,
    /// Every path answers a 502 HTML page, as a dead backend behind a proxy does.
    Dead,
}

/// What ails every key of a vendor on model calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ailment {
    /// 403 `insufficient_user_quota`.
    Quota,
    /// 429 `rate_limit_exceeded`.
    RateLimited,
    /// 401 `invalid_api_key`.
    KeyRefused,
    /// 200 with a web page: a login wall or a parked name.
    Page,
    /// `/responses` answers 500, the rest goes on.
    NoResponses,
}

/// One vendor; cloning shares it.
#[derive(Clone)]
pub struct Vendor {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    kind: VendorKind,
    models: Vec<String>,
    log: RequestLog,
    ailments: Mutex<BTreeSet<Ailment>>,
    mood: Mutex<Mood>,
    served: AtomicU64,
    slow: Mutex<Duration>,
    forbidden_once: Mutex<BTreeSet<String>>,
    scripted: Mutex<Vec<Scripted>>,
}

/// How a vendor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As its kind is.
    Well,
    /// Every call of a model ends at its proxy.
    Down,
    /// It answers, but never what it was asked.
    Babbling,
}

/// What a vendor endpoint is, after the path was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Models,
    Chat,
    Responses,
    Messages,
}

impl Vendor {
    /// A vendor that knows these models; a request for another one is `model_not_found`.
    pub fn new(
        name: impl Into<String>,
        kind: VendorKind,
        models: Vec<String>,
        log: RequestLog,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                name: name.into(),
                kind,
                models,
                log,
                ailments: Mutex::new(BTreeSet::new()),
                mood: Mutex::new(Mood::Well),
                served: AtomicU64::new(0),
                slow: Mutex::new(Duration::from_secs(3)),
                forbidden_once: Mutex::new(BTreeSet::new()),
                scripted: Mutex::new(Vec::new()),
            }),
        }
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Makes every key fare so on model calls, or ends that.
    pub fn ail(&self, ailment: Ailment, on: bool) {
        let ailments = self.inner.ailments.lock();
        let mut ailments = ailments.unwrap_or_else(PoisonError::into_inner);
        if on {
            ailments.insert(ailment);
        } else {
            ailments.remove(&ailment);
        }
    }

    fn ails(&self, ailment: Ailment) -> bool {
        let ailments = self.inner.ailments.lock();
        let ailments = ailments.unwrap_or_else(PoisonError::into_inner);
        ailments.contains(&ailment)
    }

    /// Puts the vendor into a mood.
    pub(crate) fn set_mood(&self, mood: Mood) {
        *self
            .inner
            .mood
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = mood;
    }

    fn mood(&self) -> Mood {
        *self
            .inner
            .mood
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every key is refused.
    pub(crate) fn refuses_all(&self) -> bool {
        let refusals = [Ailment::Quota, Ailment::RateLimited, Ailment::KeyRefused];
        refusals.into_iter().any(|ailment| self.ails(ailment))
    }

    /// Puts an answer into its mouth.
    pub fn will_say(&self, line: Scripted) {
        let lines = self.inner.scripted.lock();
        lines.unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn scripted(&self, method: &str, path: &str, key: &str) -> Option<Response> {
        let lines = self.inner.scripted.lock();
        let mut lines = lines.unwrap_or_else(PoisonError::into_inner);
        let line = scripted::take(&mut lines, method, path, key)?;
        Some(respond(line.status, &line.content_type, line.body))
    }

    /// Sets how long `sk-lab-slow-…` keys wait (3 s at first).
    pub fn set_slow_delay(&self, delay: Duration) {
        *self
            .inner
            .slow
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = delay;
    }

    /// The vendor as a router; every path goes through one door.
    pub fn router(&self) -> Router {
        let vendor = self.clone();
        Router::new().fallback(move |request: Request| {
            let vendor = vendor.clone();
            async move { vendor.answer(request).await }
        })
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        // 8 MiB is far above any smoke request; a longer body reads as empty and fails as bad JSON.
        let bytes = axum::body::to_bytes(body, 8 << 20)
            .await
            .unwrap_or_default();
        let key = presented_key(&parts.headers);
        let json: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let model = json["model"].as_str().unwrap_or_default().to_owned();
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        let response = match self.scripted(method, path, &key) {
            Some(response) => response,
            None => self.judge(path, &key, &json).await,
        };
        self.inner.log.add(SeenRequest {
            no: 0,
            service: format!("upstream:{}", self.inner.name),
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            status: response.status().as_u16(),
            key_fingerprint: fingerprint(&key),
            model,
        });
        response
    }

    /// Path first, then key, then model: the order of common relays.
    async fn judge(&self, path: &str, key: &str, json: &Value) -> Response {
        if self.inner.kind == VendorKind::Dead {
            return answers::bad_gateway_page();
        }
        let endpoint = match self.endpoint(path) {
            Ok(endpoint) => endpoint,
            Err(response) => return *response,
        };
        if let Some(refusal) = self.refusal(endpoint, key) {
            return refusal;
        }
        if endpoint == Endpoint::Responses && self.ails(Ailment::NoResponses) {
            return answers::error(500, "server_error", "", "not implemented");
        }
        if endpoint != Endpoint::Models && self.ails(Ailment::Page) {
            return answers::login_page();
        }
        if endpoint == Endpoint::Models {
            return answers::models(&self.inner.models);
        }
        let Some(model) = json["model"].as_str() else {
            return answers::error(400, "invalid_request_error", "", "model is required");
        };
        if !self.inner.models.iter().any(|known| known == model) {
            // 400 on /responses: a 404 there would read as "no such endpoint" to a host's probe.
            let status = if endpoint == Endpoint::Responses {
                400
            } else {
                404
            };
            let text =
                format!("The model `{model}` does not exist or you do not have access to it");
            return answers::error(status, "invalid_request_error", "model_not_found", &text);
        }
        if key.starts_with("sk-lab-first403-") && self.first_time(key) {
            return answers::error(403, "forbidden", "", "Forbidden");
        }
        if key.starts_with("sk-lab-slow-") {
            let delay = *self
                .inner
                .slow
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            tokio::time::sleep(delay).await;
        }
        if self.mood() == Mood::Down {
            return answers::bad_gateway_page();
        }
        let babbling = serde_json::json!({ "messages": "", "input": "" });
        let json = match self.mood() {
            Mood::Babbling => &babbling,
            _ => json,
        };
        let no = self.inner.served.fetch_add(1, Ordering::SeqCst) + 1;
        let stream = json["stream"]
            .as_bool()
            .unwrap_or_else(|| self.streams_by_default());
        match endpoint {
            Endpoint::Chat => answers::chat(no, model, json, stream),
            Endpoint::Responses => answers::responses(no, model, json, stream),
            Endpoint::Messages => answers::messages(no, model, json),
            Endpoint::Models => answers::models(&self.inner.models),
        }
    }

    fn endpoint(&self, path: &str) -> Result<Endpoint, Box<Response>> {
        use VendorKind::{ChatOnly, ChatOnlyBroken, ChatOnlyWalled, Dead, Full, Good};
        let kind = self.inner.kind;
        let not_here = || match kind {
            ChatOnlyWalled => answers::error(401, "authentication_error", "", "Unauthorized"),
            Good | Full | ChatOnly | ChatOnlyBroken | Dead => {
                let text = format!("Invalid URL (POST {path})");
                answers::error(404, "invalid_request_error", "", &text)
            }
        };
        let tail = path.trim_end_matches('/');
        if tail.ends_with("/models") {
            Ok(Endpoint::Models)
        } else if tail.ends_with("/chat/completions") {
            Ok(Endpoint::Chat)
        } else if tail.ends_with("/responses") {
            match kind {
                Good | Full => Ok(Endpoint::Responses),
                ChatOnlyBroken => Err(Box::new(answers::error(
                    500,
                    "server_error",
                    "",
                    "not implemented",
                ))),
                ChatOnly | ChatOnlyWalled | Dead => Err(Box::new(not_here())),
            }
        } else if tail.ends_with("/messages") && kind == Full {
            Ok(Endpoint::Messages)
        } else {
            Err(Box::new(not_here()))
        }
    }

    /// The refusal a key earns by its prefix. Quota is not looked at for the model list, as in
    /// relays that charge only when a model is called.
    fn refusal(&self, endpoint: Endpoint, key: &str) -> Option<Response> {
        let calls_a_model = endpoint != Endpoint::Models;
        let quota = || {
            let text = "user quota is not enough, remaining quota: 0";
            answers::error(403, "new_api_error", "insufficient_user_quota", text)
        };
        let known = ["good", "quota", "429", "slow", "first403"]
            .iter()
            .any(|kind| key.starts_with(&format!("sk-lab-{kind}-")));
        if !known {
            // Many vendors tell a refused key back, some of them whole.
            let text = if key.starts_with("sk-lab-echo-") {
                format!("Incorrect API key provided: {key}")
            } else {
                "Incorrect API key provided".to_owned()
            };
            return Some(answers::error(
                401,
                "invalid_request_error",
                "invalid_api_key",
                &text,
            ));
        }
        if !calls_a_model {
            return None;
        }
        if self.ails(Ailment::KeyRefused) {
            let text = format!("Incorrect API key provided: {key}");
            let kind = "invalid_request_error";
            return Some(answers::error(401, kind, "invalid_api_key", &text));
        }
        if self.ails(Ailment::Quota) || key.starts_with("sk-lab-quota-") {
            return Some(quota());
        }
        let limited = self.ails(Ailment::RateLimited) || key.starts_with("sk-lab-429-");
        limited.then(|| {
            let text = "Rate limit reached for requests";
            answers::error(429, "rate_limit_error", "rate_limit_exceeded", text)
        })
    }

    fn first_time(&self, key: &str) -> bool {
        self.inner
            .forbidden_once
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.to_owned())
    }

    fn streams_by_default(&self) -> bool {
        matches!(
            self.inner.kind,
            VendorKind::ChatOnly | VendorKind::ChatOnlyWalled | VendorKind::ChatOnlyBroken
        )
    }
}

fn presented_key(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text(header::AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer "))
        .or_else(|| text("x-api-key"))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn fingerprint(key: &str) -> String {
    if key.is_empty() {
        return String::new();
    }
    Secret::new(key).fingerprint().as_str().to_owned()
}

/// A response from its parts. Building can only fail on an invalid header, and all of ours are
/// constants; the empty 500 is for the type alone.
fn respond(status: u16, content_type: &str, body: String) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body))
        .unwrap_or_default()
}
