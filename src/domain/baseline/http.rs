//! Holds one HTTP answer against what a pack expects of it.

use super::fields::{self, field_faults};
use super::glob::matches_glob;
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
    /// Header names (lower case) and values.
    pub headers: &'a [(String, String)],
    /// Body text.
    pub body: &'a str,
    /// When the certificate ends, UTC milliseconds; `None` without TLS.
    pub tls_until_ms: Option<i64>,
    /// Now, UTC milliseconds.
    pub now_ms: i64,
}

/// Judges an answer. A wrong status is named first: a body under it means nothing.
pub fn judge_http(look: &HttpLook, seen: HttpSeen<'_>) -> Judgement {
    let mut faults: Vec<String> = [
        status_fault(look, seen),
        content_type_fault(look, seen),
        body_fault(look, seen),
        tls_fault(look, seen),
    ]
    .into_iter()
    .flatten()
    .collect();
    faults.extend(header_faults(look, seen));
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
    parts.extend(fields::expectations(&look.fields));
    parts.extend(
        look.headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    parts.extend(look.no_headers.iter().map(|name| format!("no {name}")));
    parts.extend(
        look.tls_days
            .map(|days| format!("a certificate for {days} days")),
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
    if look.json.is_empty() && look.fields.is_empty() {
        return None;
    }
    let Ok(body) = serde_json::from_str::<Value>(seen.body) else {
        return Some("the body is no JSON".to_owned());
    };
    let mut wrong: Vec<String> = look
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
    wrong.extend(field_faults(&look.fields, &body, seen.now_ms));
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

fn header_faults(look: &HttpLook, seen: HttpSeen<'_>) -> Vec<String> {
    let values = |name: &str| -> Vec<&str> {
        let same = seen
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.as_str()).collect()
    };
    let wrong = look.headers.iter().filter_map(|(name, pattern)| {
        let found = values(name);
        let good = found.iter().any(|value| matches_glob(pattern, value));
        (!good).then(|| match found.first() {
            Some(value) => format!("{name} is `{}`, expected `{pattern}`", shorten(value, 120)),
            None => format!("{name} is missing, expected `{pattern}`"),
        })
    });
    let there = look.no_headers.iter().filter_map(|name| {
        let value = values(name).first().copied()?;
        Some(format!("{name} is there: `{}`", shorten(value, 120)))
    });
    wrong.chain(there).collect()
}

/// A certificate that ends within the days that are asked for. Without one there is no answer.
fn tls_fault(look: &HttpLook, seen: HttpSeen<'_>) -> Option<String> {
    const DAY: i64 = 86_400_000;
    let days = i64::from(look.tls_days?);
    match seen.tls_until_ms {
        None => Some("no certificate was seen".to_owned()),
        Some(until) => {
            let left = until.saturating_sub(seen.now_ms).div_euclid(DAY);
            (left < days).then(|| format!("the certificate ends in {left} days, expected {days}"))
        }
    }
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
            ..HttpLook::default()
        }
    }

    fn seen<'a>(status: u16, content_type: &'a str, body: &'a str) -> HttpSeen<'a> {
        HttpSeen {
            status,
            content_type,
            headers: &[],
            body,
            tls_until_ms: None,
            now_ms: 0,
        }
    }

    #[test]
    fn headers_fields_and_the_certificate_are_judged_too() {
        let headers = [(
            "location".to_owned(),
            "https://example.com/wechat".to_owned(),
        )];
        let answer = HttpSeen {
            headers: &headers,
            tls_until_ms: Some(10 * 86_400_000 + 5),
            ..seen(301, "application/json", r#"{"workers": 3}"#)
        };
        let with = |change: &dyn Fn(&mut HttpLook)| {
            let mut look = look(301);
            change(&mut look);
            judge_http(&look, answer)
        };
        let header = |value: &str| BTreeMap::from([("Location".to_owned(), value.to_owned())]);
        let found = |change: &dyn Fn(&mut HttpLook)| with(change).found;
        assert_eq!(
            with(&|look| look.headers = header("https://*")).verdict,
            Verdict::Ok
        );
        assert_eq!(
            found(&|look| look.headers = header("http://*")),
            "Location is `https://example.com/wechat`, expected `http://*`"
        );
        assert_eq!(
            found(&|look| look.no_headers = vec!["location".to_owned()]),
            "location is there: `https://example.com/wechat`"
        );
        assert_eq!(with(&|look| look.tls_days = Some(10)).verdict, Verdict::Ok);
        assert_eq!(
            found(&|look| look.tls_days = Some(11)),
            "the certificate ends in 10 days, expected 11"
        );
        let rule = crate::pack::FieldRule {
            path: "workers".to_owned(),
            min: Some(4.0),
            ..crate::pack::FieldRule::default()
        };
        assert_eq!(
            found(&|look| look.fields = vec![rule.clone()]),
            "workers is 3, expected at least 4"
        );
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
            let judgement = judge_http(&look, seen(status, content_type, body));
            assert_eq!(judgement.verdict, verdict, "{name}");
            assert_eq!(judgement.found, found, "{name}");
        }
    }

    #[test]
    fn a_key_in_a_body_does_not_reach_the_row() {
        let body = "boom sk-abcdefgh12345678 boom";
        let judgement = judge_http(&look(200), seen(500, "text/plain", body));
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
