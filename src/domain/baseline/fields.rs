//! Fields of a JSON value against what a look expects of each.

use super::glob::matches_glob;
use super::process::span;
use crate::pack::FieldRule;
use crate::text::shorten;
use jiff::{Timestamp, Unit};
use serde_json::Value;

/// Most faults of one rule that are told: a list may be long.
const MOST: usize = 5;

/// What is wrong with the fields of a value.
pub(super) fn field_faults(rules: &[FieldRule], value: &Value, now_ms: i64) -> Vec<String> {
    rules
        .iter()
        .flat_map(|rule| {
            let mut found = Vec::new();
            collect(value, &rule.path, String::new(), &mut found);
            match (rule.absent, found.as_slice()) {
                (true, []) => Vec::new(),
                (true, [(path, _), ..]) => vec![format!("{path} is there")],
                (false, []) => vec![format!("{} is missing", rule.path)],
                (false, some) => some
                    .iter()
                    .filter_map(|(path, value)| {
                        Some(format!("{path} {}", fault(rule, value, now_ms)?))
                    })
                    .take(MOST)
                    .collect(),
            }
        })
        .collect()
}

/// Every value that a path reaches, with the path to it.
fn collect<'v>(value: &'v Value, path: &str, walked: String, found: &mut Vec<(String, &'v Value)>) {
    if path.is_empty() {
        found.push((walked, value));
        return;
    }
    let (part, rest) = path.split_once('.').unwrap_or((path, ""));
    let step = |name: &str| match walked.as_str() {
        "" => name.to_owned(),
        before => format!("{before}.{name}"),
    };
    match value {
        Value::Object(fields) if part.contains('*') => {
            for (name, inner) in fields.iter().filter(|(name, _)| matches_glob(part, name)) {
                collect(inner, rest, step(name), found);
            }
        }
        Value::Array(items) if part == "*" => {
            for (at, inner) in items.iter().enumerate() {
                collect(inner, rest, step(&at.to_string()), found);
            }
        }
        Value::Object(fields) => {
            if let Some(inner) = fields.get(part) {
                collect(inner, rest, step(part), found);
            }
        }
        Value::Array(items) => {
            if let Some(inner) = part.parse().ok().and_then(|at: usize| items.get(at)) {
                collect(inner, rest, step(part), found);
            }
        }
        _ => {}
    }
}

/// A value as text: a string without its quotes.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn fault(rule: &FieldRule, value: &Value, now_ms: i64) -> Option<String> {
    let text = as_text(value);
    let shown = shorten(&text, 120);
    if let Some(wanted) = &rule.equals
        && *wanted != text
    {
        return Some(format!("is `{shown}`, expected `{wanted}`"));
    }
    if !rule.one_of.is_empty() && !rule.one_of.contains(&text) {
        return Some(format!(
            "is `{shown}`, expected one of {}",
            rule.one_of.join(", ")
        ));
    }
    if rule.min.is_some() || rule.max.is_some() {
        let Ok(number) = text.parse::<f64>() else {
            return Some(format!("is `{shown}`, which is no number"));
        };
        if let Some(min) = rule.min.filter(|min| number < *min) {
            return Some(format!("is {number}, expected at least {min}"));
        }
        if let Some(max) = rule.max.filter(|max| number > *max) {
            return Some(format!("is {number}, expected at most {max}"));
        }
    }
    if let Some(most) = rule.max_age_s {
        let Some(at) = time(value, rule.offset.as_deref()) else {
            return Some(format!("is `{shown}`, which is no time"));
        };
        let age = Timestamp::from_millisecond(now_ms)
            .ok()?
            .since((Unit::Second, at))
            .ok()?
            .get_seconds();
        let age = u64::try_from(age).unwrap_or(0);
        if age > most {
            return Some(format!(
                "is {} old, expected at most {}",
                span(age),
                span(most)
            ));
        }
    }
    None
}

/// A time: RFC 3339, a date and time at an offset, or seconds or milliseconds since 1970.
fn time(value: &Value, offset: Option<&str>) -> Option<Timestamp> {
    if let Some(number) = value.as_f64() {
        // Milliseconds since 1970 have had twelve digits and more since 1973.
        let seconds = if number.abs() >= 1e11 {
            number / 1000.0
        } else {
            number
        };
        return Timestamp::from_duration(jiff::SignedDuration::try_from_secs_f64(seconds).ok()?)
            .ok();
    }
    let text = value.as_str()?;
    let zoned = format!("{text}{}", offset.unwrap_or("Z"));
    text.parse().or_else(|_| zoned.parse()).ok()
}

/// What rules expect, each in a few words.
pub(super) fn expectations(rules: &[FieldRule]) -> Vec<String> {
    rules.iter().map(expectation).collect()
}

fn expectation(rule: &FieldRule) -> String {
    let mut parts = Vec::new();
    parts.extend(rule.equals.as_ref().map(|text| format!("= {text}")));
    if !rule.one_of.is_empty() {
        parts.push(format!("one of {}", rule.one_of.join(", ")));
    }
    parts.extend(rule.min.map(|min| format!(">= {min}")));
    parts.extend(rule.max.map(|max| format!("<= {max}")));
    parts.extend(rule.max_age_s.map(|age| format!("within {}", span(age))));
    if rule.absent {
        parts.push("absent".to_owned());
    } else if parts.is_empty() {
        parts.push("there".to_owned());
    }
    format!("{} {}", rule.path, parts.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// 2026-05-16T15:00:20Z, which is 23:00:20 in Shanghai.
    const NOW: i64 = 1_778_943_620_000;

    fn told(rule: FieldRule) -> String {
        let value = json!({
            "ticker_running": true,
            "last_tick": "2026-05-16T23:00:00",
            "zoned": "2026-05-16T15:00:00Z",
            "unix": 1_778_943_600,
            "millis": 1_778_943_600_000_i64,
            "projects": {"a": {"size": 10}, "b": {"size": 900}},
            "list": [{"status": "online"}, {"status": "stopped"}],
        });
        field_faults(&[rule], &value, NOW).join("\n")
    }

    fn rule(path: &str) -> FieldRule {
        FieldRule {
            path: path.to_owned(),
            ..FieldRule::default()
        }
    }

    #[test]
    fn every_bound_of_a_field_is_judged() {
        let equals = |path: &str, text: &str| FieldRule {
            equals: Some(text.to_owned()),
            ..rule(path)
        };
        assert_eq!(told(equals("ticker_running", "true")), "");
        assert_eq!(
            told(equals("ticker_running", "false")),
            "ticker_running is `true`, expected `false`"
        );
        assert_eq!(
            told(equals("list.*.status", "online")),
            "list.1.status is `stopped`, expected `online`"
        );
        assert_eq!(told(equals("list.0.status", "online")), "");
        assert_eq!(told(rule("nothing.here")), "nothing.here is missing");
        let max = FieldRule {
            max: Some(100.0),
            ..rule("projects.*.size")
        };
        assert_eq!(told(max), "projects.b.size is 900, expected at most 100");
        let min = FieldRule {
            min: Some(11.0),
            ..rule("projects.a.size")
        };
        assert_eq!(told(min), "projects.a.size is 10, expected at least 11");
        let none = FieldRule {
            min: Some(1.0),
            ..rule("list.0.status")
        };
        assert_eq!(told(none), "list.0.status is `online`, which is no number");
        let absent = FieldRule {
            absent: true,
            ..rule("projects.c")
        };
        assert_eq!(told(absent.clone()), "");
        assert_eq!(
            told(FieldRule {
                path: "projects.a".to_owned(),
                ..absent
            }),
            "projects.a is there"
        );
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        let within = |path: &str, age: u64, offset: Option<&str>| FieldRule {
            max_age_s: Some(age),
            offset: offset.map(str::to_owned),
            ..rule(path)
        };
        for (path, offset) in [
            ("last_tick", Some("+08:00")),
            ("zoned", None),
            ("unix", None),
            ("millis", None),
        ] {
            assert_eq!(told(within(path, 20, offset)), "", "{path}");
            assert_eq!(
                told(within(path, 19, offset)),
                format!("{path} is 20 s old, expected at most 19 s")
            );
        }
        assert_eq!(
            told(within("list.0.status", 1, None)),
            "list.0.status is `online`, which is no time"
        );
    }
}
