//! Holds one HTTP answer against what a pack expects of it.

use super::judgement::Judgement;
use crate::pack::HttpLook;
use crate::text::shorten;
use serde_json::Value;

/// An answer, as far as judging needs it.
#[derive(Debug, Clone, Copy)]
pub struct HttpSeen<'a> {
    /// Status.
    pub status: u16,
    /// Content type, lower case, without parameters.
    pub content_type: &'a str,
    /// Body text.
    pub body: &'a str,
}

/// Judges an answer. A wrong status is named first: a body under it means nothing.
pub fn judge_http(look: &HttpLook, seen: HttpSeen<'_>) -> Judgement {
    let faults: Vec<String> = [
        status_fault(look, seen),
        content_type_fault(look, seen),
        body_fault(look, seen),
    ]
    .into_iter()
    .flatten()
    .collect();
    let evidence = format!(
        "{} {} -> {} {}\n{}",
        look.method,
        look.url,
        seen.status,
        seen.content_type,
        shorten(seen.body.trim(), 1500)
    );
    let good = format!("{}{}", seen.status, said(seen));
    Judgement::of_faults(expectation(look), &faults, &good, &evidence)
}

pub(super) fn expectation(look: &HttpLook) -> String {
    let mut parts = vec![look.status.to_string()];
    if let Some(kind) = &look.content_type {
        parts.push(kind.clone());
    }
    parts.extend(
        look.json
            .iter()
            .map(|(path, value)| format!("{path} = {value}")),
    );
    if let Some(text) = &look.body_equals {
        parts.push(format!("body `{text}`"));
    }
    if let Some(text) = &look.body_contains {
        parts.push(format!("body with `{text}`"));
    }
    parts.join(", ")
}

/// The short of what came, after the status.
fn said(seen: HttpSeen<'_>) -> String {
    let code = serde_json::from_str::<Value>(seen.body)
        .ok()
        .and_then(|body| at_path(&body, "code").or_else(|| at_path(&body, "error.message")));
    match code {
        Some(code) => format!(" {}", shorten(&code, 120)),
        None if seen.body.trim().is_empty() => String::new(),
        None => {
            let line = seen.body.trim().lines().next().unwrap_or_default();
            let line = page_title(seen.body).unwrap_or(line);
            format!(" `{}`", shorten(line, 80))
        }
    }
}

/// The title of a page, which says more than its first line.
fn page_title(body: &str) -> Option<&str> {
    let start = body.find("<title>")? + "<title>".len();
    let title = body[start..].split("</title>").next()?.trim();
    (!title.is_empty()).then_some(title)
}

fn status_fault(look: &HttpLook, seen: HttpSeen<'_>) -> Option<String> {
    (seen.status != look.status)
        .then(|| format!("{}{}, expected {}", seen.status, said(seen), look.status))
}

fn content_type_fault(look: &HttpLook, seen: HttpSeen<'_>) -> Option<String> {
    let expected = look.content_type.as_ref()?;
    (seen.content_type != expected.to_lowercase()).then(|| {
        format!(
            "content type `{}`, expected `{expected}`",
            seen.content_type
        )
    })
}

fn body_fault(look: &HttpLook, seen: HttpSeen<'_>) -> Option<String> {
    if seen.status != look.status {
        return None;
    }
    if let Some(text) = &look.body_equals
        && seen.body.trim() != text.trim()
    {
        return Some(format!(
            "body `{}`, expected `{text}`",
            shorten(seen.body.trim(), 120)
        ));
    }
    if let Some(text) = &look.body_contains
        && !seen.body.contains(text)
    {
        return Some(format!("the body does not hold `{text}`"));
    }
    if look.json.is_empty() {
        return None;
    }
    let Ok(body) = serde_json::from_str::<Value>(seen.body) else {
        return Some("the body is no JSON".to_owned());
    };
    let wrong: Vec<String> = look
        .json
        .iter()
        .filter_map(|(path, expected)| {
            let found = at_path(&body, path);
            (found.as_ref() != Some(expected)).then(|| {
                let found = found.map_or_else(|| "missing".to_owned(), |text| format!("`{text}`"));
                format!("{path} is {found}, expected `{expected}`")
            })
        })
        .collect();
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

/// A field of a JSON value as text; numbers between dots are places in a list.
pub(super) fn at_path(value: &Value, path: &str) -> Option<String> {
    let mut value = value;
    for part in path.split('.') {
        value = match part.parse::<usize>() {
            Ok(index) if value.is_array() => value.get(index)?,
            _ => value.get(part)?,
        };
    }
    Some(match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Verdict;
    use super::*;
    use std::collections::BTreeMap;

    fn look(status: u16) -> HttpLook {
        HttpLook {
            method: "GET".to_owned(),
            url: "https://example.com/x".to_owned(),
            status,
            body_contains: None,
            body_equals: None,
            content_type: None,
            json: BTreeMap::new(),
        }
    }

    #[test]
    fn an_answer_is_held_against_every_expectation() {
        let refusal = r#"{"code":"API_KEY_REQUIRED","message":"API key is required"}"#;
        let code = |code: &str| HttpLook {
            json: BTreeMap::from([("code".to_owned(), code.to_owned())]),
            ..look(401)
        };
        let ok_body = HttpLook {
            body_equals: Some("ok".to_owned()),
            ..look(200)
        };
        let html = HttpLook {
            content_type: Some("text/html".to_owned()),
            ..look(200)
        };
        let rows = [
            (
                "the healthy refusal",
                code("API_KEY_REQUIRED"),
                401,
                "application/json",
                refusal,
                Verdict::Ok,
                "401 API_KEY_REQUIRED",
            ),
            (
                "another refusal",
                code("API_KEY_REQUIRED"),
                401,
                "application/json",
                r#"{"code":"INVALID_API_KEY"}"#,
                Verdict::Fail,
                "code is `INVALID_API_KEY`, expected `API_KEY_REQUIRED`",
            ),
            (
                "a dead upstream",
                code("API_KEY_REQUIRED"),
                502,
                "text/html",
                "<html>\r\n<head><title>502 Bad Gateway</title></head>",
                Verdict::Fail,
                "502 `502 Bad Gateway`, expected 401",
            ),
            (
                "no JSON under the right status",
                code("X"),
                401,
                "text/plain",
                "no",
                Verdict::Fail,
                "the body is no JSON",
            ),
            (
                "white space around ok",
                ok_body.clone(),
                200,
                "text/plain",
                " ok\n",
                Verdict::Ok,
                "200 `ok`",
            ),
            (
                "a page instead of ok",
                ok_body,
                200,
                "text/html",
                "<!doctype html>",
                Verdict::Fail,
                "body `<!doctype html>`, expected `ok`",
            ),
            (
                "a page",
                html.clone(),
                200,
                "text/html",
                "<html>",
                Verdict::Ok,
                "200 `<html>`",
            ),
            (
                "JSON where a page belongs",
                html,
                200,
                "application/json",
                "{}",
                Verdict::Fail,
                "content type `application/json`, expected `text/html`",
            ),
        ];
        for (name, look, status, content_type, body, verdict, found) in rows {
            let judgement = judge_http(
                &look,
                HttpSeen {
                    status,
                    content_type,
                    body,
                },
            );
            assert_eq!(judgement.verdict, verdict, "{name}");
            assert_eq!(judgement.found, found, "{name}");
        }
    }

    #[test]
    fn a_key_in_a_body_does_not_reach_the_row() {
        let judgement = judge_http(
            &look(200),
            HttpSeen {
                status: 500,
                content_type: "text/plain",
                body: "boom sk-abcdefgh12345678 boom",
            },
        );
        assert!(!judgement.found.contains("12345"), "{}", judgement.found);
        assert!(!judgement.evidence.contains("12345"));
    }

    #[test]
    fn paths_reach_into_objects_and_lists() {
        let value = serde_json::json!({"error": {"list": [{"id": 7}]}, "on": true});
        assert_eq!(at_path(&value, "error.list.0.id").as_deref(), Some("7"));
        assert_eq!(at_path(&value, "on").as_deref(), Some("true"));
        assert_eq!(at_path(&value, "error.none"), None);
    }
}
