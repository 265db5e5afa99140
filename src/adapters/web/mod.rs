//! HTTP as somebody at a vantage sees it: directly from here, or through a machine's tunnel to
//! the URL's own host and port. No redirects, no proxy, no pool: each look is a look.
//!
//! A TLS provider of `rustls` must be installed in the process before the first client is built.

mod body;
mod certificate;
#[cfg(test)]
mod tests;

use crate::host_http::Tunnels;
use crate::host_http::transport::{Broken, Layer};
use crate::host_http::way::{ClientShape, Route, Way};
use async_trait::async_trait;
use body::Body;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::{Failure, FailureKind, Outcome, RemoteAnswer};
use cockpit_engine::ports::{Vantage, Web, WebAnswer, WebRequest};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use reqwest::{Client, Method, Response, Url};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest wait for a connection, inside the request's own limit.
const CONNECT: Duration = Duration::from_secs(10);
/// More ways than any config needs; then they are made anew.
const MOST_WAYS: usize = 256;

/// Gives the address of a name this computer does not know, such as the lab's.
pub type Names = Arc<dyn Fn(&str, u16) -> Option<SocketAddr> + Send + Sync>;

type WayKey = (Reached, bool);

/// What is reached, from where.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Reached {
    Here,
    Machine(String, String, u16),
}

/// Makes HTTP requests from a vantage.
pub struct WebClient {
    tunnels: Arc<dyn Tunnels>,
    redactor: Redactor,
    names: Option<Names>,
    ways: Mutex<HashMap<WayKey, Arc<Way>>>,
}

/// A request ready to be sent.
struct Prepared {
    method: Method,
    url: Url,
    /// The `Host` to say, where it is not the URL's.
    host: Option<HeaderValue>,
    bearer: Option<HeaderValue>,
}

impl WebClient {
    /// A client over the machines' tunnels.
    pub fn new(tunnels: Arc<dyn Tunnels>, redactor: Redactor) -> Self {
        Self {
            tunnels,
            redactor,
            names: None,
            ways: Mutex::new(HashMap::new()),
        }
    }

    /// Looks up names here first. Only for plain HTTP from this computer.
    #[must_use]
    pub fn with_names(mut self, names: Names) -> Self {
        self.names = Some(names);
        self
    }

    fn prepare(&self, request: &WebRequest) -> Outcome<Prepared> {
        let bad = |why: &str| {
            let shown = self.redactor.admit(&request.url.replace(['\r', '\n'], " "));
            Failure::new(FailureKind::Usage, format!("`{shown}` {why}"))
                .hint("write an absolute http:// or https:// URL")
        };
        let mut url = Url::parse(&request.url).map_err(|_| bad("is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(bad("is no HTTP address"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("carries a login; a key goes in as bearer"));
        }
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| bad("is asked with no HTTP method"))?;
        let mut bearer = None;
        if let Some(key) = &request.bearer {
            self.redactor.learn(key);
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose()))
                .map_err(|_| bad("is asked with a key that holds characters no header carries"))?;
            value.set_sensitive(true);
            bearer = Some(value);
        }
        let mut host = None;
        if request.vantage == Vantage::Here
            && url.scheme() == "http"
            && let Some(names) = &self.names
            && let Some(name) = url.host_str().map(ToOwned::to_owned)
            && let Some(at) = names(&name, url.port_or_known_default().unwrap_or(80))
        {
            let said = url
                .port()
                .map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
            host = HeaderValue::from_str(&said).ok();
            if url.set_ip_host(at.ip()).is_err() || url.set_port(Some(at.port())).is_err() {
                return Err(bad("cannot be reached by its address"));
            }
        }
        Ok(Prepared {
            method,
            url,
            host,
            bearer,
        })
    }

    fn way(&self, vantage: &Vantage, url: &Url) -> Arc<Way> {
        let tls = url.scheme() == "https";
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let (key, route) = match vantage {
            Vantage::Machine(machine) if !machine.is_local() => (
                Reached::Machine(machine.as_str().to_owned(), host.clone(), port),
                Route::Tunnel {
                    tunnels: self.tunnels.clone(),
                    machine: machine.clone(),
                    host,
                    port,
                },
            ),
            _ => (Reached::Here, Route::Direct),
        };
        let shape = ClientShape {
            tls,
            connect: CONNECT,
            idle: 0,
        };
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        if ways.len() >= MOST_WAYS {
            ways.clear();
        }
        ways.entry((key, tls))
            .or_insert_with(|| Arc::new(Way::new(route, shape)))
            .clone()
    }

    async fn head(
        &self,
        way: &Way,
        request: &WebRequest,
        prepared: &Prepared,
    ) -> Outcome<Response> {
        let dialled = way.client().await?;
        let mut sent = send(&dialled.client, request, prepared).await;
        // A refused socket: the tunnel is asked once more, as nothing was sent.
        if sent.as_ref().is_err_and(reqwest::Error::is_connect)
            && let Some(dialled) = way.again(dialled.made).await?
        {
            sent = send(&dialled.client, request, prepared).await;
        }
        let broken = match sent {
            Ok(response) => return Ok(response),
            Err(error) => Broken::of(error),
        };
        if matches!(broken.layer, Layer::Connection | Layer::Http)
            && let Some(said) = way.trouble().await
        {
            return Err(said);
        }
        Err(self.broken(request, &broken))
    }

    fn broken(&self, request: &WebRequest, broken: &Broken) -> Failure {
        let from = match &request.vantage {
            Vantage::Here => "from here".to_owned(),
            Vantage::Machine(machine) => format!("from `{machine}`"),
        };
        let text = format!(
            "no answer {from} ({}): {}",
            broken.layer.word(),
            broken.text
        );
        let text = self.redactor.admit(&text.replace(['\r', '\n'], " "));
        Failure::new(FailureKind::Unreachable, text).hint(match broken.layer {
            Layer::Name => "check the name, and the resolver of this vantage",
            Layer::Tls => "check the certificate, the clock, and that the port speaks https",
            Layer::Connection => "check that something listens there",
            Layer::Time => "check that the service is not stuck, or give it more time",
            Layer::Http if matches!(request.vantage, Vantage::Machine(_)) => {
                "check that something listens there: a closed port looks like this in a tunnel"
            }
            Layer::Http => "check that the port speaks HTTP",
        })
    }

    fn headers(&self, response: &Response) -> Vec<(String, String)> {
        response
            .headers()
            .iter()
            .map(|(name, value)| {
                let text = String::from_utf8_lossy(value.as_bytes());
                let text = match name.as_str() {
                    // A cookie is a session: its name is enough.
                    "set-cookie" => text
                        .split_once('=')
                        .map_or("..".to_owned(), |(name, _)| format!("{name}=..")),
                    _ => text.into_owned(),
                };
                (name.as_str().to_owned(), self.redactor.admit(&text))
            })
            .collect()
    }
}

async fn send(
    client: &Client,
    request: &WebRequest,
    prepared: &Prepared,
) -> Result<Response, reqwest::Error> {
    let mut builder = client.request(prepared.method.clone(), prepared.url.clone());
    if let Some(host) = &prepared.host {
        builder = builder.header(HOST, host);
    }
    if let Some(bearer) = &prepared.bearer {
        builder = builder.header(AUTHORIZATION, bearer);
    }
    if let Some(json) = &request.json {
        builder = builder.json(json);
    }
    builder.send().await
}

#[async_trait]
impl Web for WebClient {
    /// An answer whose body does not end within the time limit (a feed, say) is given as far as
    /// it came, with `truncated` set.
    async fn fetch(&self, request: &WebRequest) -> Outcome<WebAnswer> {
        let started = Instant::now();
        let prepared = self.prepare(request)?;
        let way = self.way(&request.vantage, &prepared.url);
        let head = self.head(&way, request, &prepared);
        let late = || self.broken(request, &Broken::late(request.time_limit.as_secs_f64()));
        let outcome = tokio::time::timeout(request.time_limit, head)
            .await
            .unwrap_or_else(|_| Err(late()));
        tracing::debug!(
            method = request.method,
            path = prepared.url.path(),
            status = outcome
                .as_ref()
                .map_or(0, |answer| answer.status().as_u16()),
            ms = started.elapsed().as_millis(),
            "web look"
        );
        let mut response = outcome?;
        let status = response.status().as_u16();
        let headers = self.headers(&response);
        let tls_until_ms = certificate::ends_ms(&response);
        let content_type = response
            .headers()
            .get(CONTENT_TYPE)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default();
        let content_type = self
            .redactor
            .admit(&content_type.trim().to_ascii_lowercase());

        let mut body = Body::new(request.byte_limit);
        while !body.is_full() {
            let left = request.time_limit.saturating_sub(started.elapsed());
            match tokio::time::timeout(left, response.chunk()).await {
                Ok(Ok(Some(bytes))) => body.take(&bytes),
                Ok(Ok(None)) => break,
                Ok(Err(error)) => {
                    let answer = RemoteAnswer {
                        status,
                        ..RemoteAnswer::default()
                    };
                    let mut broken = Broken::of(error);
                    broken.text = format!("{status} began, then {}", broken.text);
                    return Err(self.broken(request, &broken).answer(answer));
                }
                Err(_) => {
                    body.is_cut = true;
                    break;
                }
            }
        }
        let (body, truncated) = body.finish(&self.redactor, request.bearer.as_ref());
        Ok(WebAnswer {
            status,
            content_type,
            headers,
            tls_until_ms,
            body,
            truncated,
            took: started.elapsed(),
        })
    }
}
