//! `Idempotency-Key` as the host does it, with its weak points: a record whose request never came to
//! an end stays in progress for a day and is never taken over.

use super::reply::{Content, Reply};
use super::req::Req;
use super::state::State;
use cockpit_domain::secret::sha256_hex;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// How long a record is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What became of one idempotency key.
#[derive(Debug, Clone)]
pub(super) struct Record {
    fingerprint: String,
    stage: Stage,
}

#[derive(Debug, Clone)]
enum Stage {
    Running { until: Timestamp, locked: Timestamp },
    Done { body: Value, until: Timestamp },
    Failed { until: Timestamp },
}

impl State {
    /// Whether a request under a key has begun and not ended.
    #[cfg(test)]
    pub(super) fn is_at_work(&mut self) -> bool {
        let records = self.idempotency.values();
        records
            .into_iter()
            .any(|record| matches!(record.stage, Stage::Running { .. }))
    }
}

/// The right to execute, to be given back with the outcome.
pub(super) struct Claim {
    at: (String, String),
    fingerprint: String,
}

/// Claims a request's key. `Ok(None)` means there is no key, so nothing is kept.
pub(super) fn begin(
    state: &mut State,
    req: &Req,
    scope: &str,
    actor: &str,
) -> Result<Option<Claim>, Reply> {
    let Some(key) = req.header("idempotency-key") else {
        if state.settings.idempotency_required {
            let text = "idempotency key is required";
            return Err(Reply::fail(400, "IDEMPOTENCY_KEY_REQUIRED", text));
        }
        return Ok(None);
    };
    let printable = key.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if !(1..=128).contains(&key.len()) || !printable {
        let text = "idempotency key is invalid";
        return Err(Reply::fail(400, "IDEMPOTENCY_KEY_INVALID", text));
    }
    // The payload is compared as it was read: blanks and the order of fields play no part.
    let read = serde_json::from_slice::<Value>(&req.body).map(|body| body.to_string());
    let payload = read.unwrap_or_else(|_| String::from_utf8_lossy(&req.body).into_owned());
    let fingerprint = sha256_hex(&format!("{actor}\n{}\n{}\n{payload}", req.method, req.path));
    let at = (format!("{scope}/{actor}"), key.to_owned());
    let now = state.now();
    if let Some(record) = state.idempotency.get(&at) {
        if record.fingerprint != fingerprint {
            let text = "idempotency key reused with different payload";
            return Err(Reply::fail(409, "IDEMPOTENCY_KEY_CONFLICT", text));
        }
        match &record.stage {
            Stage::Done { body, until } if *until > now => return Err(replay(body)),
            // Until the record itself ends, however long ago its own time was over.
            Stage::Running { until, locked } if *until > now => {
                return Err(wait("IDEMPOTENCY_IN_PROGRESS", *locked, now));
            }
            Stage::Failed { until } if *until > now => {
                return Err(wait("IDEMPOTENCY_RETRY_BACKOFF", *until, now));
            }
            Stage::Done { .. } | Stage::Running { .. } | Stage::Failed { .. } => {}
        }
    }
    let record = Record {
        fingerprint: fingerprint.clone(),
        stage: Stage::Running {
            until: now + KEPT,
            locked: now + span(state.settings.idempotency_lock),
        },
    };
    state.idempotency.insert(at.clone(), record);
    Ok(Some(Claim { at, fingerprint }))
}

/// Writes the outcome of a claimed request.
pub(super) fn finish(state: &mut State, claim: Claim, reply: &Reply) {
    if reply.unbound {
        state.idempotency.remove(&claim.at);
        return;
    }
    let now = state.now();
    let outcome = match &reply.content {
        Content::Json(body) if reply.status < 300 => Stage::Done {
            body: redacted(&body["data"]),
            until: now + KEPT,
        },
        _ => Stage::Failed {
            until: now + span(state.settings.idempotency_backoff),
        },
    };
    let record = Record {
        fingerprint: claim.fingerprint,
        stage: outcome,
    };
    state.idempotency.insert(claim.at, record);
}

fn replay(body: &Value) -> Reply {
    let mut reply = Reply::ok(body.clone());
    reply
        .headers
        .push(("x-idempotency-replayed", "true".to_owned()));
    reply
}

fn wait(reason: &str, until: Timestamp, now: Timestamp) -> Reply {
    let seconds = until.duration_since(now).as_secs().max(1).to_string();
    let text = match reason {
        "IDEMPOTENCY_IN_PROGRESS" => "idempotent request is still processing",
        _ => "idempotent request is in retry backoff window",
    };
    let mut reply = Reply::fail_with(409, reason, text, json!({ "retry_after": seconds }));
    reply.headers.push(("retry-after", seconds));
    reply
}

/// The stored answer hides a few names; a user key's `key` is not among them.
fn redacted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, inner)| {
                let secret = matches!(name.as_str(), "password" | "access_token" | "code");
                let inner = if secret {
                    json!("***")
                } else {
                    redacted(inner)
                };
                (name.clone(), inner)
            })
            .collect(),
        Value::Array(items) => items.iter().map(redacted).collect(),
        other => other.clone(),
    }
}

fn span(duration: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or_default()
}
