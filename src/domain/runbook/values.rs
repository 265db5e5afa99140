//! Values of a run: what stands for `{{name}}`, and what may be a value at all.

use regex::Regex;
use std::collections::BTreeMap;

/// Longest value.
const LONGEST: usize = 200;
/// What a value looks like when the runbook does not say: names, paths, addresses.
const USUAL: &str = r"[A-Za-z0-9_/.][A-Za-z0-9_/.:@+=,-]*";

/// Puts values into a text; the error is the name of one that is not known.
pub fn fill(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    crate::pack::filled(text, values)
}

/// The same for a text that is only read: a value that nobody found is a dash.
pub fn fill_known(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut known = values.clone();
    for name in placeholders(text) {
        known
            .entry(name.to_owned())
            .or_insert_with(|| "–".to_owned());
    }
    fill(text, &known).unwrap_or_else(|_| text.to_owned())
}

/// The names a text wants.
pub fn placeholders(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        names.push(rest[start + 2..start + length].trim());
        rest = &rest[start + length + 2..];
    }
    names
}

/// Whether a text may be a value. It never begins with `-`, so that it is no option of a command, and
/// holds nothing that a terminal would not show.
pub fn is_value(text: &str, matches: Option<&str>) -> bool {
    let plain = !text.is_empty()
        && text.chars().count() <= LONGEST
        && !text.starts_with('-')
        && crate::text::Redactor::new().admit(text) == text;
    plain && whole(matches.unwrap_or(USUAL)).is_some_and(|rule| rule.is_match(text))
}

/// The first group of the first match; `None` when nothing matches or it may be no value.
pub fn take_value(expression: &str, text: &str) -> Option<String> {
    let rule = Regex::new(expression).ok()?;
    let found = rule.captures(text)?;
    let value = found.get(1).or_else(|| found.get(0))?.as_str();
    is_value(value, None).then(|| value.to_owned())
}

/// The expression of a whole text.
pub(super) fn whole(expression: &str) -> Option<Regex> {
    Regex::new(&format!(r"\A(?:{expression})\z")).ok()
}
