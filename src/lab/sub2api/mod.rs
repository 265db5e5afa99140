//! A simulated sub2api 0.1.129: the admin and user API, the gateway and the log, from one state.
//! This file is the door: faults, the request log and the background work of each request.

mod account_lists;
mod account_test;
mod account_writes;
mod accounts;
mod auth;
mod channel_rules;
mod channels;
mod export;
mod gateway;
mod groups;
mod idempotency;
mod keys;
pub mod log_lines;
pub mod model;
pub mod model_sales;
mod ops;
mod plans;
mod probe;
mod reply;
mod req;
mod routes;
pub mod state;
mod subscriptions;
mod tables;
#[cfg(test)]
mod tests;
mod upstream_call;
mod usage;
mod users;
mod views;
mod views_sales;

use crate::net::AddressTable;
use crate::request_log::{RequestLog, SeenRequest};
use crate::scripted;
use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::response::Response;
use cockpit_domain::secret::Secret;
use jiff::fmt::rfc2822::DateTimePrinter;
use log_lines::LogLines;
use model::User;
use reply::{Content, Reply};
use req::Req;
use serde_json::{Value, json};
use state::{Afterwards, DropRule, State, When};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longer than any lab runs.
const NEVER: Duration = Duration::from_hours(1_000);

/// What a host is made from.
#[derive(Clone)]
pub struct HostOptions {
    /// Names the host in the request log: `host:<id>`.
    pub id: String,
    /// The machine it runs on: upstream names are looked up from there.
    pub machine: String,
    /// The admin key it begins with.
    pub admin_key: String,
    /// The first admin's login.
    pub admin_email: String,
    /// The first admin's password.
    pub admin_password: String,
    /// Where upstreams answer.
    pub table: AddressTable,
    /// Where every request is noted.
    pub log: RequestLog,
    /// How long the background look at a new account's `/responses` takes.
    pub probe_delay: Duration,
    /// Makes generated keys and tokens repeatable.
    pub seed: u64,
}

/// A simulated host; cloning shares it.
#[derive(Clone)]
pub struct SimHost {
    inner: Arc<Inner>,
}

struct Inner {
    options: HostOptions,
    state: Mutex<State>,
    lines: LogLines,
    client: Option<reqwest::Client>,
}

impl SimHost {
    /// A fresh host: one admin, one admin key, the group `default`.
    pub fn new(options: HostOptions) -> Self {
        let lines = LogLines::default();
        let mut state = State::new(options.seed, lines.clone());
        let mut admin = User::new(&options.admin_email, &options.admin_password);
        "admin".clone_into(&mut admin.role);
        state.add_user(admin);
        state.admin_key = Some(options.admin_key.clone());
        Self {
            inner: Arc::new(Inner {
                options,
                state: Mutex::new(state),
                lines,
                client: upstream_call::client(),
            }),
        }
    }

    /// The host as a router; every path goes through one door.
    pub fn router(&self) -> Router {
        let host = self.clone();
        Router::new().fallback(move |request: Request| {
            let host = host.clone();
            async move { host.answer(request).await }
        })
    }

    /// Looks at or changes the state: seeding, faults, assertions.
    pub fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        let state = self.inner.state.lock();
        act(&mut state.unwrap_or_else(PoisonError::into_inner))
    }

    /// The host's log.
    pub fn log_lines(&self) -> LogLines {
        self.inner.lines.clone()
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let method = parts.method.to_string();
        // 16 MiB is far above any lab request; a longer body reads as empty.
        let bytes = axum::body::to_bytes(body, 16 << 20)
            .await
            .unwrap_or_default();
        let (rule, delay) = self.with(|state| {
            state.in_flight += 1;
            state.most_in_flight = state.most_in_flight.max(state.in_flight);
            (take_rule(state, &method, &path), state.delay)
        });
        let _inside = Inside(self.clone());
        let late = match rule {
            Some(When::CommitAfter(late)) => Some(late),
            Some(When::Stuck) => Some(NEVER),
            Some(When::BeforeCommit | When::AfterCommit) | None => None,
        };
        let req = Req::new(parts, bytes, late);
        let row = self.row(&req);
        let started = Instant::now();
        if rule == Some(When::BeforeCommit) {
            self.inner.options.log.add(row);
            return Reply::cut().into_response();
        }
        // In a task of its own: a client that leaves does not undo what it asked for.
        let host = self.clone();
        let work = tokio::spawn(async move {
            let reply = match host.scripted(&req) {
                Some(reply) => reply,
                None => host.route(&req).await,
            };
            host.with(|state| somebody_else(state, &req.method, &req.path));
            host.start_probes();
            host.access_line(&req, &reply, started);
            reply
        });
        let reply = if late.is_some() {
            Reply::cut()
        } else {
            work.await.unwrap_or_else(|_| Reply::internal())
        };
        let reply = match rule {
            Some(_) => Reply::cut(),
            None => reply,
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        self.inner.options.log.add(SeenRequest {
            status: reply.status,
            ..row
        });
        let mut response = reply.into_response();
        let now = self.with(|state| state.now());
        if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&now)
            && let Ok(date) = date.parse()
        {
            response.headers_mut().insert(header::DATE, date);
        }
        response
    }

    /// What a test put into this host's mouth.
    fn scripted(&self, req: &Req) -> Option<Reply> {
        let key = req.presented();
        let line =
            self.with(|state| scripted::take(&mut state.scripted, &req.method, &req.path, key))?;
        Some(Reply::raw(line.status, &line.content_type, line.body))
    }

    fn row(&self, req: &Req) -> SeenRequest {
        let presented = req.presented();
        let body: Value = serde_json::from_slice(&req.body).unwrap_or(Value::Null);
        let query: Vec<String> = req
            .query
            .iter()
            .map(|(name, value)| match name.as_str() {
                "key" | "api_key" => format!("{name}=***"),
                _ => format!("{name}={value}"),
            })
            .collect();
        let mut path = req.path.clone();
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        SeenRequest {
            no: 0,
            service: format!("host:{}", self.inner.options.id),
            method: req.method.clone(),
            path,
            status: 0,
            key_fingerprint: if presented.is_empty() {
                String::new()
            } else {
                Secret::new(presented).fingerprint().as_str().to_owned()
            },
            model: body["model"].as_str().unwrap_or_default().to_owned(),
        }
    }

    fn access_line(&self, req: &Req, reply: &Reply, started: Instant) {
        if req.path == "/health" || matches!(reply.content, Content::Cut) {
            return;
        }
        let taken = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let fields = json!({
            "status_code": reply.status, "latency_ms": taken, "client_ip": "127.0.0.1",
            "protocol": "HTTP/1.1", "method": req.method, "path": req.path,
        });
        self.with(|state| state.note("INFO", "http.access", "http request completed", fields));
    }

    fn start_probes(&self) {
        let accounts = self.with(|state| std::mem::take(&mut state.pending_probes));
        for account in accounts {
            let host = self.clone();
            // Nobody waits for the probe: that is the warm-up window.
            drop(tokio::spawn(async move { host.probe(account).await }));
        }
    }
}

/// Counts a request as being answered while it lives, also when its client goes away.
struct Inside(SimHost);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.with(|state| state.in_flight -= 1);
    }
}

/// Does what a test wants done between two requests.
fn somebody_else(state: &mut State, method: &str, path: &str) {
    let fits = |hand: &Afterwards| {
        (hand.method == "*" || hand.method == method) && path.starts_with(&hand.path_prefix)
    };
    if let Some(at) = state.afterwards.iter().position(fits) {
        let hand = state.afterwards.remove(at);
        (hand.act)(state);
    }
}

fn take_rule(state: &mut State, method: &str, path: &str) -> Option<When> {
    let fits = |rule: &DropRule| {
        (rule.method == "*" || rule.method == method) && path.starts_with(&rule.path_prefix)
    };
    if state.drop_next.as_ref().is_some_and(fits) {
        return state.drop_next.take().map(|rule| rule.when);
    }
    let losing = state.losing.as_mut()?;
    losing(method, path)
}
