//! Answers of the host: the envelope, its odd cases, paging, and answers that are no JSON.

use super::req::Req;
use axum::body::Body;
use axum::http::header;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use std::cmp::Ordering;

/// What is sent.
pub(super) enum Content {
    Json(Value),
    Raw(String, Bytes),
    Stream(&'static str, Body),
    /// The connection closes without a byte.
    Cut,
}

/// One answer, with what the access log wants to know about it.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content: Content,
    pub(super) headers: Vec<(&'static str, String)>,
    /// Refused before the handler proper, so no idempotency record is kept.
    pub(super) unbound: bool,
}

/// A handler's result: both arms are answers.
pub(super) type Answer = Result<Reply, Reply>;

impl Reply {
    pub(super) fn json(status: u16, value: Value) -> Self {
        Self {
            status,
            content: Content::Json(value),
            headers: Vec::new(),
            unbound: false,
        }
    }

    pub(super) fn raw(status: u16, kind: &str, body: impl Into<Bytes>) -> Self {
        Self {
            content: Content::Raw(kind.to_owned(), body.into()),
            ..Self::json(status, Value::Null)
        }
    }

    pub(super) fn cut() -> Self {
        Self {
            content: Content::Cut,
            ..Self::json(0, Value::Null)
        }
    }

    /// 200 in the envelope; `data` is absent when null.
    pub(super) fn ok(data: Value) -> Self {
        let mut body = json!({ "code": 0, "message": "success" });
        if !data.is_null() {
            body["data"] = data;
        }
        Self::json(200, body)
    }

    pub(super) fn created(data: Value) -> Self {
        Self {
            status: 201,
            ..Self::ok(data)
        }
    }

    pub(super) fn message(text: &str) -> Self {
        Self::ok(json!({ "message": text }))
    }

    /// An application error: int code, reason.
    pub(super) fn fail(status: u16, reason: &str, message: &str) -> Self {
        let body = json!({ "code": status, "message": message, "reason": reason });
        Self::json(status, body)
    }

    pub(super) fn fail_with(status: u16, reason: &str, message: &str, metadata: Value) -> Self {
        let mut reply = Self::fail(status, reason, message);
        if let Content::Json(body) = &mut reply.content {
            body["metadata"] = metadata;
        }
        reply
    }

    /// What any plain Go error becomes.
    pub(super) fn internal() -> Self {
        Self::json(500, json!({ "code": 500, "message": "internal error" }))
    }

    pub(super) fn bad_request(text: &str) -> Self {
        Self {
            unbound: true,
            ..Self::json(400, json!({ "code": 400, "message": text }))
        }
    }

    pub(super) fn binding(text: &str) -> Self {
        Self::bad_request(&format!("Invalid request: {text}"))
    }

    pub(super) fn binding_field(name: &str, tag: &str) -> Self {
        Self::binding_fields(&[(name, tag)])
    }

    /// The validator's words, one line a field. The door puts the request's own name in.
    pub(super) fn binding_fields(fields: &[(&str, &str)]) -> Self {
        let lines: Vec<String> = fields
            .iter()
            .map(|(name, tag)| {
                let field = go_name(name);
                format!("Key: 'Request.{field}' Error:Field validation for '{field}' failed on the '{tag}' tag")
            })
            .collect();
        Self::binding(&lines.join("\n"))
    }

    /// Names the request in a binding error as the host's source does.
    pub(super) fn naming(mut self, request: &str) -> Self {
        if let Content::Json(body) = &mut self.content
            && let Some(text) = body["message"].as_str()
            && self.unbound
        {
            let text = text
                .replace("'Request.", &format!("'{request}."))
                .replace("field Request.", &format!("field {request}."));
            body["message"] = json!(text);
        }
        self
    }

    /// Errors of the auth and gateway layers: string code, no envelope.
    pub(super) fn layer(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, json!({ "code": code, "message": message }))
    }

    pub(super) fn missing(what: &str) -> Self {
        let word = what.to_lowercase().replace('_', " ");
        Self::fail(
            404,
            &format!("{what}_NOT_FOUND"),
            &format!("{word} not found"),
        )
    }

    /// What gin says of a path it does not know.
    pub(super) fn no_route() -> Self {
        Self::raw(404, "text/plain", "404 page not found")
    }

    pub(super) fn into_response(self) -> Response {
        let (kind, body) = match self.content {
            Content::Json(value) => (
                "application/json; charset=utf-8".to_owned(),
                Body::from(value.to_string()),
            ),
            Content::Raw(kind, bytes) => (kind, Body::from(bytes)),
            Content::Stream(kind, body) => (kind.to_owned(), body),
            // A body that fails on its first poll ends the connection before the head is flushed.
            Content::Cut => {
                let gone = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                let failing = stream::iter([Err::<Bytes, _>(gone)]);
                return Response::new(Body::from_stream(failing));
            }
        };
        let mut builder = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, kind);
        for (name, value) in self.headers {
            builder = builder.header(name, value);
        }
        builder.body(body).unwrap_or_default()
    }
}

fn go_name(name: &str) -> String {
    let word = |word: &str| match word {
        "id" => "ID".to_owned(),
        word => {
            let (head, tail) = word.split_at(word.len().min(1));
            head.to_uppercase() + tail
        }
    };
    name.split('_').map(word).collect()
}

/// A page of rows: sorted by the asked field, cut by the host's own idea of `page_size`.
pub(super) fn paged(rows: Vec<Value>, req: &Req, sort: &str, order: &str) -> Reply {
    let mut rows = rows;
    let key = req.filter("sort_by").unwrap_or(sort).to_owned();
    let descending = req.filter("sort_order").unwrap_or(order) == "desc";
    rows.sort_by(|a, b| {
        let by_key = compare(&a[&key], &b[&key]).then_with(|| compare(&a["id"], &b["id"]));
        if descending { by_key.reverse() } else { by_key }
    });
    page_of(rows, req, |row| row)
}

/// One page of rows that are in order; only its own rows are made to be seen.
pub(super) fn page_of<T>(rows: Vec<T>, req: &Req, seen: impl Fn(T) -> Value) -> Reply {
    let total = rows.len();
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok());
    let asked = number(req.filter("page_size").or_else(|| req.filter("limit")));
    // Out of range falls back to 20 instead of being clamped.
    let size = asked.filter(|size| (1..=1000).contains(size)).unwrap_or(20);
    let page = number(req.filter("page"))
        .filter(|page| *page > 0)
        .unwrap_or(1);
    let items: Vec<Value> = rows
        .into_iter()
        .skip((page - 1).saturating_mul(size))
        .take(size)
        .map(seen)
        .collect();
    let pages = total.div_ceil(size).max(1);
    Reply::ok(json!({
        "items": items, "total": total, "page": page, "page_size": size,
        "pages": pages,
    }))
}

/// As `paged`; these lists have no pages when they are empty.
pub(super) fn paged_or_none(rows: Vec<Value>, req: &Req, sort: &str, order: &str) -> Reply {
    let empty = rows.is_empty();
    let mut reply = paged(rows, req, sort, order);
    if let Content::Json(body) = &mut reply.content
        && empty
    {
        body["data"]["pages"] = json!(0);
    }
    reply
}

/// A search text as the host uses it: cut to 100 bytes, any case.
pub(super) fn search(req: &Req) -> Option<String> {
    let text = req.filter("search")?.trim().to_lowercase();
    let mut end = text.len().min(100);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(text[..end].to_owned()).filter(|text| !text.is_empty())
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
            a.total_cmp(&b)
        }
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        _ => Ordering::Equal,
    }
}
