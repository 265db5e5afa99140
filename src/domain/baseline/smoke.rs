//! The user smoke: what an active key's model list and completions come to.

use super::http::at_path;
use super::judgement::Judgement;
use crate::model_answer::{completion_text, listed_models};
use crate::pack::SmokeLook;
use crate::text::shorten;
use serde_json::Value;
use std::fmt::Write as _;

/// One model call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionSeen {
    /// The model asked.
    pub model: String,
    /// HTTP status, or `None` with the reason in `body` when no answer came.
    pub status: Option<u16>,
    /// Body, redacted.
    pub body: String,
}

/// What the smoke saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmokeSeen {
    /// The key used, masked, for the reader.
    pub key: String,
    /// Status of the model list.
    pub models_status: u16,
    /// Body of the model list, redacted.
    pub models_body: String,
    /// One completion a model; none when the list failed.
    pub completions: Vec<CompletionSeen>,
    /// What answers of the upstream did to the accounts behind it, in the vendor's words, redacted.
    pub stored: Vec<String>,
}

pub(super) fn expectation(look: &SmokeLook) -> String {
    format!(
        "/v1/models 200 with {models}; {models} answer `{}`",
        look.expect,
        models = look.models.join(", ")
    )
}

/// Judges a smoke.
pub fn judge_smoke(look: &SmokeLook, seen: &SmokeSeen) -> Judgement {
    let mut faults = Vec::new();
    let listed = listed_models(&seen.models_body);
    if seen.models_status == 200 {
        match &listed {
            None => faults.push("/v1/models is 200 but no model list".to_owned()),
            Some(listed) => {
                let missing: Vec<&str> = look
                    .models
                    .iter()
                    .filter(|model| !listed.contains(model))
                    .map(String::as_str)
                    .collect();
                if !missing.is_empty() {
                    faults.push(format!("/v1/models lacks {}", missing.join(", ")));
                }
            }
        }
    } else {
        faults.push(format!(
            "/v1/models is {}{}, expected 200",
            seen.models_status,
            reason(&seen.models_body)
        ));
    }
    for completion in &seen.completions {
        faults.extend(completion_fault(look, completion));
    }
    if !faults.is_empty() {
        faults.extend(seen.stored.iter().cloned());
    }
    let mut evidence = format!("key {}\n/v1/models -> {}", seen.key, seen.models_status);
    if let Some(listed) = &listed {
        let _ = write!(evidence, " {}", shorten(&listed.join(" "), 400));
    }
    for completion in &seen.completions {
        let status = completion
            .status
            .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let _ = write!(
            evidence,
            "\n{} -> {status} {}",
            completion.model,
            shorten(completion.body.trim(), 600)
        );
    }
    let expected = expectation(look);
    let good = format!("{} answer `{}`", look.models.join(", "), look.expect);
    Judgement::of_faults(expected, &faults, &good, &evidence)
}

fn completion_fault(look: &SmokeLook, seen: &CompletionSeen) -> Option<String> {
    let model = &seen.model;
    match seen.status {
        None => Some(format!("{model}: {}", shorten(&seen.body, 200))),
        Some(200) => match completion_text(&seen.body) {
            None => Some(format!(
                "{model}: 200 without an answer{}",
                reason(&seen.body)
            )),
            Some(text) if text.trim() == look.expect.trim() => None,
            Some(text) => Some(format!(
                "{model}: answered `{}`, expected `{}`",
                shorten(text.trim(), 80),
                look.expect
            )),
        },
        Some(status) => Some(format!("{model}: {status}{}", reason(&seen.body))),
    }
}

/// The far end's reason, from whichever error shape it has.
fn reason(body: &str) -> String {
    let parsed = serde_json::from_str::<Value>(body).ok();
    let words = parsed.as_ref().and_then(|body| {
        at_path(body, "error.message")
            .or_else(|| at_path(body, "code"))
            .or_else(|| at_path(body, "message"))
    });
    match words {
        Some(words) => format!(" {}", shorten(&words, 160)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Verdict;
    use super::*;

    fn look() -> SmokeLook {
        SmokeLook {
            base: "https://example.com".to_owned(),
            group: 3,
            models: vec!["big".to_owned(), "small".to_owned()],
            prompt: "reply with pong only".to_owned(),
            expect: "pong".to_owned(),
        }
    }

    fn pong(model: &str) -> CompletionSeen {
        CompletionSeen {
            model: model.to_owned(),
            status: Some(200),
            body: r#"{"choices":[{"message":{"content":" pong\n"}}]}"#.to_owned(),
        }
    }

    fn good() -> SmokeSeen {
        SmokeSeen {
            key: "sk-..9f3a".to_owned(),
            models_status: 200,
            models_body: r#"{"data":[{"id":"big"},{"id":"small"},{"id":"more"}]}"#.to_owned(),
            completions: vec![pong("big"), pong("small")],
            stored: Vec::new(),
        }
    }

    type Change = fn(&mut SmokeSeen);

    #[test]
    fn a_list_alone_is_never_enough() {
        let rows: [(&str, Change, Verdict, &str); 7] = [
            (
                "all four steps",
                |_| {},
                Verdict::Ok,
                "big, small answer `pong`",
            ),
            (
                "listed, but nobody serves it",
                |seen| {
                    seen.completions[1].status = Some(503);
                    seen.completions[1].body =
                        r#"{"error":{"type":"api_error","message":"No available accounts"}}"#
                            .to_owned();
                },
                Verdict::Fail,
                "small: 503 No available accounts",
            ),
            (
                "not listed",
                |seen| seen.models_body = r#"{"data":[{"id":"big"}]}"#.to_owned(),
                Verdict::Fail,
                "/v1/models lacks small",
            ),
            (
                "another answer",
                |seen| {
                    seen.completions[0].body =
                        r#"{"choices":[{"message":{"content":"Hello"}}]}"#.to_owned();
                },
                Verdict::Fail,
                "big: answered `Hello`, expected `pong`",
            ),
            (
                "a page instead of the list",
                |seen| seen.models_body = "<html>".to_owned(),
                Verdict::Fail,
                "/v1/models is 200 but no model list",
            ),
            (
                "the key is refused",
                |seen| {
                    seen.models_status = 401;
                    seen.models_body =
                        r#"{"code":"INVALID_API_KEY","message":"Invalid API key"}"#.to_owned();
                    seen.completions.clear();
                },
                Verdict::Fail,
                "/v1/models is 401 INVALID_API_KEY, expected 200",
            ),
            (
                "no answer in time",
                |seen| {
                    seen.completions[0].status = None;
                    seen.completions[0].body = "no answer within 60 s".to_owned();
                },
                Verdict::Fail,
                "big: no answer within 60 s",
            ),
        ];
        for (name, change, verdict, found) in rows {
            let mut seen = good();
            change(&mut seen);
            let judgement = judge_smoke(&look(), &seen);
            assert_eq!(
                (judgement.verdict, judgement.found.as_str()),
                (verdict, found),
                "{name}"
            );
        }
    }
}
