//! The client against scripted far ends: real sockets, real HTTP, answers as the contract has them.

mod credentials;
mod envelope;
mod errors;
mod lost;
mod paging;
mod registry;
mod requests;
mod sim;
mod stage;
mod stream;

use super::{Credential, HostHttp, Limits, TunnelGuard, Tunnels};
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use cockpit_domain::host::{HostSettings, Role};
use cockpit_domain::ids::{HostId, MachineId};
use cockpit_domain::secret::Secret;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UnixListener;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn asks(&self, name: &str) -> Option<String> {
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// A scripted far end on a UNIX socket.
pub(crate) struct Far {
    pub(crate) socket: PathBuf,
    seen: Arc<Mutex<Vec<Seen>>>,
    _folder: tempfile::TempDir,
}

impl Far {
    pub(crate) fn answering<F>(answer: F) -> Self
    where
        F: Fn(&Seen) -> Response<Body> + Send + Sync + 'static,
    {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let noted = seen.clone();
        let answer = Arc::new(answer);
        let router = Router::new().fallback(move |request: Request| {
            let (noted, answer) = (noted.clone(), answer.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                let request = Seen {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    headers: parts.headers,
                    body: serde_json::from_slice(&body).unwrap_or(Value::Null),
                };
                noted.lock().unwrap().push(request.clone());
                answer(&request)
            }
        });
        let (folder, socket) = place();
        let listener = UnixListener::bind(&socket).unwrap();
        drop(tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        }));
        Self {
            socket,
            seen,
            _folder: folder,
        }
    }

    /// Answers every request the same.
    pub(crate) fn saying(status: u16, body: &Value) -> Self {
        let body = body.clone();
        Self::answering(move |_| said(status, &body))
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn api(&self) -> HostHttp {
        host(FakeTunnels::to(&self.socket), admin_key(), quick())
    }

    pub(crate) fn api_as(&self, credential: Credential) -> HostHttp {
        host(FakeTunnels::to(&self.socket), credential, quick())
    }
}

pub(crate) fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    (folder, socket)
}

pub(crate) fn said(status: u16, body: &Value) -> Response<Body> {
    text(status, "application/json", &body.to_string())
}

pub(crate) fn good(data: &Value) -> Response<Body> {
    said(
        200,
        &json!({ "code": 0, "message": "success", "data": data }),
    )
}

pub(crate) fn text(status: u16, kind: &str, body: &str) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", kind)
        .body(Body::from(body.to_owned()))
        .unwrap()
}

/// Gives the sockets in order, the last one for ever.
pub(crate) struct FakeTunnels {
    sockets: Mutex<VecDeque<PathBuf>>,
    asked: Mutex<Vec<String>>,
    words: Option<String>,
}

impl FakeTunnels {
    pub(crate) fn to(socket: &Path) -> Arc<Self> {
        Self::in_order(&[socket])
    }

    pub(crate) fn in_order(sockets: &[&Path]) -> Arc<Self> {
        Self::speaking(sockets, None)
    }

    pub(crate) fn speaking(sockets: &[&Path], words: Option<&str>) -> Arc<Self> {
        Arc::new(Self {
            sockets: Mutex::new(sockets.iter().map(|path| path.to_path_buf()).collect()),
            asked: Mutex::default(),
            words: words.map(ToOwned::to_owned),
        })
    }

    /// What was asked for, as `machine host:port`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

struct FakeGuard(PathBuf, Option<String>);

#[async_trait]
impl TunnelGuard for FakeGuard {
    fn path(&self) -> &Path {
        &self.0
    }

    async fn trouble(&self) -> Option<Failure> {
        let words = self.1.as_ref()?;
        Some(Failure::new(FailureKind::Unreachable, words).hint("start it"))
    }
}

#[async_trait]
impl Tunnels for FakeTunnels {
    async fn socket(
        &self,
        machine: &MachineId,
        host: &str,
        port: u16,
    ) -> Outcome<Arc<dyn TunnelGuard>> {
        let asked = format!("{machine} {host}:{port}");
        self.asked.lock().unwrap().push(asked);
        let mut sockets = self.sockets.lock().unwrap();
        let socket = if sockets.len() > 1 {
            sockets.pop_front()
        } else {
            sockets.front().cloned()
        };
        match socket {
            Some(socket) => Ok(Arc::new(FakeGuard(socket, self.words.clone()))),
            None => Err(Failure::new(FailureKind::Unreachable, "no such machine")),
        }
    }
}

pub(crate) const ADMIN_KEY: &str = "admin-0123456789abcdef0123456789abcdef";

pub(crate) fn admin_key() -> Credential {
    Credential::AdminKey(Secret::new(ADMIN_KEY))
}

pub(crate) fn admin_login() -> Credential {
    Credential::Login {
        email: "root@host.lab".to_owned(),
        password: Secret::new("correct horse battery"),
    }
}

pub(crate) fn quick() -> Limits {
    Limits {
        call: Duration::from_secs(20),
        test: Duration::from_secs(20),
        test_silence: Duration::from_secs(20),
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        ..Limits::default()
    }
}

pub(crate) fn settings() -> HostSettings {
    HostSettings::new(
        HostId::new("accept").unwrap(),
        MachineId::new("far").unwrap(),
        "127.0.0.1:8080",
        Role::Acceptance,
    )
}

pub(crate) fn host(tunnels: Arc<dyn Tunnels>, credential: Credential, limits: Limits) -> HostHttp {
    provide_tls();
    HostHttp::new(&settings(), tunnels, credential, Redactor::new(), limits).unwrap()
}

pub(crate) fn provide_tls() {
    // Somebody else's test may have been first.
    drop(rustls::crypto::ring::default_provider().install_default());
}
