//! Reading the envelope: HTTP status decides, `code` may be a number, a word or missing (trap 3),
//! and a web page is no answer (trap 35).

use super::call::{As, Call};
use super::hints;
use cockpit_domain::text::{Redactor, shorten};
use cockpit_engine::failure::{Failure, FailureKind, RemoteAnswer};
use serde_json::Value;

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) location: Option<String>,
    pub(super) date: Option<String>,
    pub(super) retry_after: Option<u64>,
    pub(super) body: Vec<u8>,
}

impl Raw {
    fn is_page(&self) -> bool {
        let start = self.body.trim_ascii_start();
        self.content_type.to_ascii_lowercase().contains("html") || start.starts_with(b"<")
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// A failure, and whether a read may be sent again because of it.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) failure: Failure,
    pub(super) again: bool,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            again: false,
        }
    }
}

/// What an error body says, whatever its shape.
#[derive(Default)]
struct Said {
    reason: String,
    message: String,
    /// Whether the reason stands in `code`: the answer of a layer before the application.
    is_outer: bool,
}

fn said(raw: &Raw) -> Said {
    let Some(body) = raw.json() else {
        return Said::default();
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let error = &body["error"];
    let mut said = Said {
        reason: text(&body["reason"]),
        message: text(&body["message"]),
        is_outer: false,
    };
    if said.reason.is_empty() && body["code"].is_string() {
        said.reason = text(&body["code"]);
        said.is_outer = true;
    }
    if said.reason.is_empty() {
        said.reason = text(error);
    }
    if said.message.is_empty() {
        said.message = text(&error["message"]);
    }
    if let Some(why) = body["metadata"]["conflict_reason"].as_str() {
        said.message = format!("{} ({why})", said.message);
    }
    said
}

/// Whether the answer says that an admin's login ran out.
pub(super) fn login_ran_out(raw: &Raw) -> bool {
    raw.status == 401
        && ["TOKEN_EXPIRED", "TOKEN_REVOKED", "INVALID_TOKEN"].contains(&said(raw).reason.as_str())
}

/// Whether the host, and not some path of it, said that there is no such thing.
pub(super) fn is_absent(failure: &Failure) -> bool {
    failure
        .answer
        .as_ref()
        .is_some_and(|answer| answer.status == 404 && answer.reason.ends_with("_NOT_FOUND"))
}

/// Lets a good answer through.
pub(super) fn accept(raw: Raw, call: &Call<'_>, redactor: &Redactor) -> Result<Raw, Trouble> {
    let status = raw.status;
    if (200..300).contains(&status) {
        if raw.is_page() {
            return Err(page(&raw).into());
        }
        return Ok(raw);
    }
    Err(Trouble {
        failure: refusal(&raw, call, redactor),
        again: matches!(status, 429 | 502..=504),
    })
}

fn page(raw: &Raw) -> Failure {
    Failure::new(
        FailureKind::Remote,
        "this address answers with a web page, not the API",
    )
    .hint("check the host's address and port: a path the host does not know is its web page too")
    .answer(RemoteAnswer {
        status: raw.status,
        ..RemoteAnswer::default()
    })
}

fn refusal(raw: &Raw, call: &Call<'_>, redactor: &Redactor) -> Failure {
    let said = said(raw);
    let status = raw.status;
    let answer = RemoteAnswer {
        status,
        reason: shorten(&one_line(redactor, &said.reason), 80),
        message: one_line(redactor, &said.message),
        retry_after: raw.retry_after,
    };
    let message = words(raw, &answer, call, redactor);
    let mut failure = Failure::new(kind(status, &said, call), message)
        .hint(hints::next_step(status, &answer, call))
        .answer(answer);
    let may_have_run = status >= 500
        || status == 408
        // An earlier sending under this key is, or was, at work.
        || ["IDEMPOTENCY_IN_PROGRESS", "IDEMPOTENCY_RETRY_BACKOFF"].contains(&said.reason.as_str());
    if call.is_write() && may_have_run {
        failure = failure.maybe_done();
    }
    failure
}

fn words(raw: &Raw, answer: &RemoteAnswer, call: &Call<'_>, redactor: &Redactor) -> String {
    let status = raw.status;
    if (300..400).contains(&status) {
        let place = raw.location.as_deref().unwrap_or("nowhere");
        let place = one_line(redactor, place);
        return format!("this address answers {status} with a redirect to `{place}`, not the API");
    }
    if raw.is_page() {
        return format!("something in front of the host answers {status} with a web page");
    }
    let mut words = format!("the host answers {status}");
    if !answer.reason.is_empty() {
        words = format!("{words} {}", answer.reason);
    }
    if !answer.message.is_empty() {
        return format!("{words}: {}", answer.message);
    }
    if status == 404 && answer.reason.is_empty() {
        return format!("{words}: it does not know {} {}", call.method, call.path);
    }
    let text = String::from_utf8_lossy(&raw.body[..raw.body.len().min(4096)]);
    let text = shorten(one_line(redactor, &text).trim(), 200);
    if answer.reason.is_empty() && !text.is_empty() {
        words = format!("{words}: {text}");
    }
    words
}

fn kind(status: u16, said: &Said, call: &Call<'_>) -> FailureKind {
    match status {
        401 | 423 => FailureKind::Denied,
        // Before the application, at login, or of the admin itself it is about who we are; the
        // reasons of the application, such as GROUP_NOT_ALLOWED, are about what was asked.
        403 if said.is_outer
            || said.reason.is_empty()
            || matches!(call.speaker, As::Nobody)
            || said.reason == "FORBIDDEN"
            || said.reason == "BACKEND_MODE_ADMIN_ONLY" =>
        {
            FailureKind::Denied
        }
        _ => FailureKind::Remote,
    }
}

/// The `data` of a good answer; null when there is none.
pub(super) fn data(raw: &Raw, call: &Call<'_>, redactor: &Redactor) -> Result<Value, Failure> {
    let Some(mut body) = raw.json() else {
        let what = if raw.body.trim_ascii().is_empty() {
            "it is empty"
        } else {
            "it is no JSON"
        };
        return Err(unreadable(redactor, what, call));
    };
    if let Some(data) = body.get_mut("data") {
        return Ok(data.take());
    }
    if body.get("code").is_some() {
        return Ok(Value::Null);
    }
    Err(unreadable(
        redactor,
        "it has neither `data` nor `code`",
        call,
    ))
}

/// The host said yes in words we do not understand.
pub(super) fn unreadable(redactor: &Redactor, why: &str, call: &Call<'_>) -> Failure {
    let failure = Failure::new(
        FailureKind::Remote,
        format!(
            "the host's answer cannot be read: {}",
            one_line(redactor, why)
        ),
    );
    if call.is_write() {
        failure
            .maybe_done()
            .hint("the host said yes: look at it before sending this again")
    } else {
        failure.hint("check the address, and whether this host's version is a known one")
    }
}

/// Remote words inside a message: one line, redacted, not endless.
pub(super) fn one_line(redactor: &Redactor, text: &str) -> String {
    shorten(&redactor.admit(&text.replace(['\r', '\n'], " ")), 400)
}
