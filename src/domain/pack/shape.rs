//! From TOML text to a typed raw value, naming every fault of shape at once: what serde refuses is
//! noted, cut out and read again, until nothing is refused.

use crate::finding::Source;
use crate::finding::{Finding, suggest};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// More faults than this in one table help nobody.
const MOST_FAULTS: usize = 40;

/// Reads a table into `T`, adding every fault to `findings`. `required` are the keys `T` cannot do
/// without.
pub(crate) fn read_shape<T: DeserializeOwned>(
    source: Source<'_>,
    mut value: Spanned<DeValue<'_>>,
    required: &[&str],
    findings: &mut Vec<Finding>,
) -> Option<T> {
    let before = findings.len();
    if let DeValue::Table(table) = value.get_ref() {
        for name in required {
            if !table.contains_key(*name) {
                findings.push(source.at(
                    value.span(),
                    format!("`{name}` is missing"),
                    format!("add `{name} = ..`"),
                ));
            }
        }
    }
    for _ in 0..MOST_FAULTS {
        match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(shaped) => return (findings.len() == before).then_some(shaped),
            Err(error) => {
                let missing = error.message().starts_with("missing field");
                let top = error.span().is_none_or(|span| span == value.span());
                if missing && top {
                    if findings.len() == before {
                        findings.push(source.toml_error(&error));
                    }
                    return None;
                }
                findings.push(source.toml_error(&error));
                let DeValue::Table(table) = value.get_mut() else {
                    return None;
                };
                if !error.span().is_some_and(|span| cut_at(table, span.start)) {
                    return None;
                }
            }
        }
    }
    None
}

/// Removes the innermost entry a byte offset lies in.
fn cut_at(table: &mut DeTable<'_>, offset: usize) -> bool {
    for (_, value) in table.iter_mut() {
        let inner = match value.get_mut() {
            DeValue::Table(inner) => cut_at(inner, offset),
            DeValue::Array(items) => items.iter_mut().any(|item| match item.get_mut() {
                DeValue::Table(inner) => cut_at(inner, offset),
                _ => false,
            }),
            _ => false,
        };
        if inner {
            return true;
        }
    }
    let name = table
        .iter()
        .find(|(key, value)| {
            key.span().contains(&offset)
                || value.span().contains(&offset)
                || holds_item_at(value.get_ref(), offset)
        })
        .map(|(key, _)| key.get_ref().to_string());
    name.is_some_and(|name| table.remove(name.as_str()).is_some())
}

/// Whether an item of a list begins where the offset is: tables made with `[[name]]` lie outside
/// the span of their list.
fn holds_item_at(value: &DeValue<'_>, offset: usize) -> bool {
    match value {
        DeValue::Array(items) => items.iter().any(|item| item.span().contains(&offset)),
        _ => false,
    }
}

/// Puts the values of variables into every string: `{{name}}`. Unknown names become findings.
pub(super) fn fill_in(
    source: Source<'_>,
    value: &mut Spanned<DeValue<'_>>,
    vars: &BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) {
    let span = value.span();
    match value.get_mut() {
        DeValue::String(text) if text.contains("{{") => {
            match filled(text, vars) {
                Ok(new) => *text = new.into(),
                Err(name) => {
                    let names: Vec<&str> = vars.keys().map(String::as_str).collect();
                    findings.push(source.at(
                        span,
                        format!("`{{{{{name}}}}}` is no variable of this pack"),
                        suggest(&name, &names),
                    ));
                    // Keeps the rest of the text from being judged with the hole in it.
                    *text = String::new().into();
                }
            }
        }
        DeValue::Array(items) => {
            for item in items.iter_mut() {
                fill_in(source, item, vars, findings);
            }
        }
        DeValue::Table(table) => {
            for (_, item) in table.iter_mut() {
                fill_in(source, item, vars, findings);
            }
        }
        _ => {}
    }
}

/// The text with its variables filled in, or the name of an unknown one.
pub(crate) fn filled(text: &str, vars: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        out.push_str(&rest[..start]);
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        let name = rest[start + 2..start + length].trim();
        out.push_str(vars.get(name).ok_or_else(|| name.to_owned())?);
        rest = &rest[start + length + 2..];
    }
    out.push_str(rest);
    Ok(out)
}
