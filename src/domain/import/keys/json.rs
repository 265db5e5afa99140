//! Keys in JSON: a list of texts or of objects, such a list under `keys`, or one object a line.

use super::{FIELDS, Found, KeyInput};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

type Fields<'t> = BTreeMap<String, &'t RawValue>;

/// Reads every value of the text.
pub(super) fn read(text: &str) -> KeyInput {
    let mut reading = Reading {
        text,
        found: Found::default(),
    };
    for value in Deserializer::from_str(text).into_iter::<&RawValue>() {
        match value {
            Ok(value) => reading.value(value),
            Err(error) => {
                let why = format!("is no JSON from column {} on", error.column());
                reading.found.bad(error.line(), None, why);
                break;
            }
        }
    }
    reading.found.input
}

struct Reading<'t> {
    text: &'t str,
    found: Found,
}

impl<'t> Reading<'t> {
    /// A list, an object that holds one, or an item by itself.
    fn value(&mut self, value: &'t RawValue) {
        let list = list_of(value).or_else(|| {
            let fields: Fields<'t> = serde_json::from_str(value.get()).ok()?;
            list_of(fields.get("keys")?)
        });
        match list {
            Some(items) => items.into_iter().for_each(|item| self.item(item)),
            None => self.item(value),
        }
    }

    /// A key by itself, or an object with one.
    fn item(&mut self, item: &'t RawValue) {
        let line = self.line_of(item);
        if let Ok(key) = serde_json::from_str::<String>(item.get()) {
            self.found.take(line, None, key.trim());
            return;
        }
        let Ok(fields) = serde_json::from_str::<Fields<'t>>(item.get()) else {
            let why = "is neither a text nor an object with a field `key`";
            self.found.bad(line, None, why);
            return;
        };
        let named = FIELDS
            .into_iter()
            .find_map(|field| Some((field, *fields.get(field)?)));
        let Some((field, value)) = named else {
            let why = "has no field `key`, `api_key` or `apikey`";
            self.found.bad(line, None, why);
            return;
        };
        let line = self.line_of(value);
        match serde_json::from_str::<String>(value.get()) {
            Ok(key) => self.found.take(line, Some(field), key.trim()),
            Err(_) => {
                let why = "is no text; write the key in quotes";
                self.found.bad(line, Some(field), why);
            }
        }
    }

    /// The line on which a value begins, from 1: values are slices of the text.
    fn line_of(&self, value: &RawValue) -> usize {
        let before = (value.get().as_ptr() as usize)
            .checked_sub(self.text.as_ptr() as usize)
            .and_then(|at| self.text.get(..at))
            .unwrap_or_default();
        1 + before.matches('\n').count()
    }
}

fn list_of(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}
