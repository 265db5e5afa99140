//! The predecessor's control plane, as far as the outside can tell: it is healthy, and everything
//! behind its API wants a login.

use crate::request_log::{RequestLog, SeenRequest};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The process on port 18190.
pub(crate) fn router(log: RequestLog) -> Router {
    Router::new().fallback(move |request: Request| {
        let log = log.clone();
        async move { answer(&log, &request) }
    })
}

fn answer(log: &RequestLog, request: &Request) -> Response {
    let path = request.uri().path();
    let (status, kind, body) = match path {
        "/healthz" => (StatusCode::OK, "text/plain; charset=utf-8", "ok"),
        path if path.starts_with("/api/") => (
            StatusCode::UNAUTHORIZED,
            "application/json",
            r#"{"error":{"code":"UNAUTHORIZED","message":"login required"}}"#,
        ),
        _ => (
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            "404 page not found\n",
        ),
    };
    log.add(SeenRequest {
        no: 0,
        service: "crm:remote43".to_owned(),
        method: request.method().to_string(),
        path: path.to_owned(),
        status: status.as_u16(),
        key_fingerprint: String::new(),
        model: String::new(),
    });
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// An old acceptance stack: a host that knows no key.
pub(crate) fn leftover_router() -> Router {
    Router::new().fallback(|| async {
        (
            StatusCode::UNAUTHORIZED,
            [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
            r#"{"code":"INVALID_API_KEY","message":"Invalid API key"}"#,
        )
    })
}
