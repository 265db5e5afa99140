//! nginx at work: takes a real request, routes it by the site as it is now, proxies or serves.

use super::NginxLogs;
use super::logs::Logged;
use super::route::Route;
use crate::machine::Machine;
use crate::request_log::{RequestLog, SeenRequest};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use cockpit_domain::secret::Secret;
use std::sync::Arc;

/// `client_max_body_size 50m`.
const LARGEST_BODY: usize = 50 * 1024 * 1024;

/// Headers that belong to one connection and are not passed on.
const HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::HOST,
];

/// What the nginx of a machine works with.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) machine: Arc<Machine>,
    pub(crate) logs: NginxLogs,
    pub(crate) seen: RequestLog,
    pub(crate) client: reqwest::Client,
}

/// The nginx as a service.
pub(crate) fn router(front: Front) -> Router {
    Router::new().fallback(answer).with_state(front)
}

async fn answer(State(front): State<Front>, request: Request) -> Response {
    let method = request.method().to_string();
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let agent = text_of(request.headers(), header::USER_AGENT);
    let host = text_of(request.headers(), header::HOST);
    let fingerprint = text_of(request.headers(), header::AUTHORIZATION)
        .strip_prefix("Bearer ")
        .map(|key| Secret::new(key).fingerprint().to_string())
        .unwrap_or_default();
    let site = front.machine.site();
    let logged = Logged {
        method: &method,
        path: &path,
        agent: if agent.is_empty() { "-" } else { &agent },
        server: site.as_ref().map_or("_", |site| site.server_name),
        host: host.split(':').next().unwrap_or_default(),
    };
    let route = site
        .as_ref()
        .map_or(Route::NotFound, |site| site.route(&path));
    let response = match route {
        Route::File { name, text } => file(name, text),
        Route::NotFound => page(StatusCode::NOT_FOUND),
        Route::Redirect(to) => {
            let mut response = page(StatusCode::MOVED_PERMANENTLY);
            if let Ok(to) = HeaderValue::from_str(&to) {
                response.headers_mut().insert(header::LOCATION, to);
            }
            response
        }
        Route::Upstream { name, port, path } => {
            let target = Target {
                url: format!("http://{name}:{port}{path}"),
                at: front.machine.reach(&name, port),
                path,
            };
            proxy(&front, &logged, target, request).await
        }
    };
    let bytes = text_of(response.headers(), header::CONTENT_LENGTH)
        .parse()
        .unwrap_or(0);
    let status = response.status().as_u16();
    front.logs.access(&logged, status, bytes);
    front.seen.add(SeenRequest {
        no: 0,
        service: format!("nginx:{}", front.machine.name()),
        path: path.split('?').next().unwrap_or_default().to_owned(),
        status,
        key_fingerprint: fingerprint,
        model: String::new(),
        method,
    });
    response
}

fn text_of(headers: &HeaderMap, name: HeaderName) -> String {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

struct Target {
    /// As the configuration names it, for the error log.
    url: String,
    /// What answers there, if anything listens.
    at: Option<std::net::SocketAddr>,
    path: String,
}

async fn proxy(front: &Front, logged: &Logged<'_>, target: Target, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return page(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let Some(at) = target.at else {
        front.logs.refused(logged, &target.url);
        return page(StatusCode::BAD_GATEWAY);
    };
    let mut headers = head.headers;
    for name in HOP {
        headers.remove(name);
    }
    headers.remove(header::CONTENT_LENGTH);
    for (name, value) in [
        ("host", logged.host),
        ("x-real-ip", "127.0.0.1"),
        ("x-forwarded-for", "127.0.0.1"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let mut outward = front
        .client
        .request(head.method, format!("http://{at}{}", target.path))
        .headers(headers);
    if !body.is_empty() {
        outward = outward.body(body);
    }
    if let Ok(answer) = outward.send().await {
        passed_on(answer)
    } else {
        front.logs.refused(logged, &target.url);
        page(StatusCode::BAD_GATEWAY)
    }
}

fn passed_on(answer: reqwest::Response) -> Response {
    let status = answer.status();
    let mut headers = answer.headers().clone();
    for name in HOP {
        headers.remove(name);
    }
    headers.insert(header::SERVER, SERVER);
    let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

const SERVER: HeaderValue = HeaderValue::from_static("nginx/1.24.0 (Ubuntu)");

fn file(name: &str, text: &'static str) -> Response {
    let kind = match name.rsplit('.').next() {
        Some("js") => "application/javascript",
        _ => "text/html",
    };
    with_text(StatusCode::OK, kind, text.to_owned())
}

/// nginx's own page for a status.
fn page(status: StatusCode) -> Response {
    let title = format!(
        "{} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default()
    );
    with_text(
        status,
        "text/html",
        format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
             <hr><center>nginx/1.24.0 (Ubuntu)</center>\r\n</body>\r\n</html>\r\n"
        ),
    )
}

fn with_text(status: StatusCode, kind: &'static str, text: String) -> Response {
    let length = text.len();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::SERVER, SERVER);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}
