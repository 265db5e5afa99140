//! The user smoke: what an active key's model list and completions come to, and where the answers
//! came from.

use super::http::at_path;
use super::judgement::Judgement;
use super::provenance::Provenance;
use crate::ids::RemoteId;
use crate::inventory::UsageRow;
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

impl CompletionSeen {
    /// Whether the expected answer came.
    pub fn answers(&self, look: &SmokeLook) -> bool {
        completion_fault(look, self).is_none()
    }
}

/// What the smoke saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmokeSeen {
    /// The key used.
    pub key: RemoteId,
    /// The same masked, for the reader.
    pub masked: String,
    /// Status of the model list.
    pub models_status: u16,
    /// Body of the model list, redacted.
    pub models_body: String,
    /// One completion a model; none when the list failed.
    pub completions: Vec<CompletionSeen>,
    /// What answers of the upstream did to the accounts behind it, in the vendor's words, redacted.
    pub stored: Vec<String>,
    /// Usage rows that the key left since the smoke began, or why they cannot be read.
    pub usage: Result<Vec<UsageRow>, String>,
}

pub(super) fn expectation(look: &SmokeLook) -> String {
    let mut expected = format!(
        "/v1/models 200 with {models}; {models} answer `{}`, booked on group {}",
        look.expect,
        look.group,
        models = look.models.join(", ")
    );
    if !look.accounts.is_empty() {
        let accounts: Vec<String> = look.accounts.iter().map(i64::to_string).collect();
        let _ = write!(expected, ", account {}", accounts.join(" or "));
    }
    if let Some(channel) = look.channel {
        let _ = write!(expected, ", channel {channel}");
    }
    for (model, upstream) in &look.upstream {
        let _ = write!(expected, ", {model} by {upstream}");
    }
    expected
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
    let rows = seen.usage.as_deref().unwrap_or_default();
    let traced = seen
        .usage
        .is_ok()
        .then(|| Provenance::trace(look, seen, rows));
    let (provenance, strays) = traced.unzip();
    faults.extend(strays.unwrap_or_default());
    if !faults.is_empty() {
        faults.extend(seen.stored.iter().cloned());
    }
    let mut evidence = format!(
        "key {} (key {})\n/v1/models -> {}",
        seen.masked, seen.key, seen.models_status
    );
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
    if let Some(provenance) = &provenance {
        evidence.push_str(&provenance.evidence());
    }
    let expected = expectation(look);
    let good = format!("{} answer `{}`", look.models.join(", "), look.expect);
    let judgement = match (&provenance, &seen.usage) {
        (None, Err(why)) if faults.is_empty() => Judgement::unknown(
            &format!("{good}, but where the answers came from cannot be read: {why}"),
            &evidence,
            "See whether the host's admin API answers: its usage rows say which account served.",
        )
        .expecting(expected),
        (Some(provenance), _) => {
            let good = format!("{good}: {}", provenance.told());
            Judgement::of_faults(expected, &faults, &good, &evidence)
        }
        (None, _) => Judgement::of_faults(expected, &faults, &good, &evidence),
    };
    judgement.tracing(provenance)
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
    use std::collections::BTreeMap;

    fn look() -> SmokeLook {
        SmokeLook {
            base: "https://example.com".to_owned(),
            group: 3,
            models: vec!["big".to_owned(), "small".to_owned()],
            prompt: "reply with pong only".to_owned(),
            expect: "pong".to_owned(),
            accounts: Vec::new(),
            channel: None,
            upstream: BTreeMap::new(),
        }
    }

    fn booked(id: i64, model: &str, account: i64, channel: Option<i64>) -> UsageRow {
        UsageRow {
            id: RemoteId(id),
            api_key_id: RemoteId(11),
            account_id: RemoteId(account),
            group_id: Some(RemoteId(3)),
            channel_id: channel.map(RemoteId),
            model: model.to_owned(),
            upstream_model: None,
            upstream_endpoint: "/v1/responses".to_owned(),
            created_at: String::new(),
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
            key: RemoteId(11),
            masked: "sk-..9f3a".to_owned(),
            models_status: 200,
            models_body: r#"{"data":[{"id":"big"},{"id":"small"},{"id":"more"}]}"#.to_owned(),
            completions: vec![pong("big"), pong("small")],
            stored: Vec::new(),
            usage: Ok(vec![
                booked(91, "big", 7, Some(1)),
                booked(92, "small", 7, Some(1)),
            ]),
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
                "big, small answer `pong`: key 11 of group 3, account 7, channel 1",
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

    #[test]
    fn an_answer_is_traced_to_the_account_channel_and_model_that_gave_it() {
        let pinned = || SmokeLook {
            accounts: vec![7, 8],
            channel: Some(1),
            upstream: BTreeMap::from([("big".to_owned(), "big-2".to_owned())]),
            ..look()
        };
        let with = |change: fn(&mut Vec<UsageRow>)| {
            let mut seen = good();
            let mut rows = seen.usage.unwrap();
            rows[0].upstream_model = Some("big-2".to_owned());
            change(&mut rows);
            seen.usage = Ok(rows);
            judge_smoke(&pinned(), &seen)
        };
        type Rows = (&'static str, fn(&mut Vec<UsageRow>), Verdict, &'static str);
        let rows: [Rows; 8] = [
            (
                "as the pack says",
                |_| {},
                Verdict::Ok,
                "big, small answer `pong`: key 11 of group 3; big by account 7, channel 1, upstream as big-2; \
                 small by account 7, channel 1",
            ),
            (
                "another account",
                |rows| rows[1].account_id = RemoteId(9),
                Verdict::Fail,
                "small: served by account 9, expected 7 or 8",
            ),
            (
                "another channel",
                |rows| rows[1].channel_id = Some(RemoteId(2)),
                Verdict::Fail,
                "small: went through channel 2, expected channel 1",
            ),
            (
                "no channel",
                |rows| rows[1].channel_id = None,
                Verdict::Fail,
                "small: went through no channel, expected channel 1",
            ),
            (
                "another group",
                |rows| rows[1].group_id = Some(RemoteId(4)),
                Verdict::Fail,
                "small: booked on group 4, expected 3",
            ),
            (
                "another model",
                |rows| rows[0].upstream_model = Some("cheap".to_owned()),
                Verdict::Fail,
                "big: answered by `cheap`, expected `big-2`",
            ),
            (
                "somewhere else",
                |rows| drop(rows.pop()),
                Verdict::Fail,
                "small: answered, and left no usage row on this host: the answer came from elsewhere, or \
                 nothing is booked any more",
            ),
            (
                "the newest row of a model is the one",
                |rows| rows.insert(0, booked(12, "small", 9, None)),
                Verdict::Ok,
                "",
            ),
        ];
        for (name, change, verdict, found) in rows {
            let judgement = with(change);
            assert_eq!(judgement.verdict, verdict, "{name}: {}", judgement.found);
            assert!(
                found.is_empty() || judgement.found == found,
                "{name}: {}",
                judgement.found
            );
        }
        let mut seen = good();
        seen.usage = Err("no answer".to_owned());
        let blind = judge_smoke(&look(), &seen);
        assert_eq!((blind.verdict, blind.provenance), (Verdict::Unknown, None));
        // What failed for itself stays the fault, whatever can be read beside it.
        seen.completions[0].status = Some(503);
        assert_eq!(judge_smoke(&look(), &seen).verdict, Verdict::Fail);
    }
}
