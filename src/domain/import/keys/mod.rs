//! Reading pasted or filed keys: one a line, a table with a column of keys, or JSON. Every bad line
//! is named, with its field, before anything is sent; its content is never repeated.

mod json;
#[cfg(test)]
mod properties;
mod table;
#[cfg(test)]
mod tests;

use crate::secret::{Fingerprint, Secret};
use std::collections::BTreeMap;
use std::fmt;

/// A good key and where it stood.
#[derive(Debug, Clone)]
pub struct KeyLine {
    /// Line, from 1.
    pub line: usize,
    /// The key.
    pub key: Secret,
}

/// A line that is no key. Shown as `line 3, field `key`: why`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadKeyLine {
    /// Line, from 1.
    pub line: usize,
    /// The column or field, where the input has such.
    pub field: Option<&'static str>,
    /// What is wrong with it, without its content.
    pub why: String,
}

impl fmt::Display for BadKeyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(field) = self.field {
            write!(f, ", field `{field}`")?;
        }
        write!(f, ": {}", self.why)
    }
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct KeyInput {
    /// Distinct keys in input order.
    pub keys: Vec<KeyLine>,
    /// Repeats: line, line of the first, fingerprint.
    pub duplicates: Vec<(usize, usize, Fingerprint)>,
    /// Lines that are no keys.
    pub bad: Vec<BadKeyLine>,
}

/// Names of the column or field that holds the key.
const FIELDS: [&str; 3] = ["key", "api_key", "apikey"];
const SHORTEST: usize = 8;
const LONGEST: usize = 512;

/// Reads keys: JSON where the text begins like it, a table where its first line names a column of
/// keys, else one key a line with blank lines and `#` comments skipped. A byte order mark and `\r` are
/// forgiven.
pub fn read_keys(text: &str) -> KeyInput {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['[', '{']) {
        return json::read(text);
    }
    if let Some(shape) = table::shape(text) {
        return table::read(text, shape);
    }
    let mut found = Found::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            found.take(index + 1, None, line);
        }
    }
    found.input
}

/// The known name that a column or field has, in any case.
fn field_named(name: &str) -> Option<&'static str> {
    let name = name.trim();
    FIELDS
        .into_iter()
        .find(|field| field.eq_ignore_ascii_case(name))
}

/// What was found so far.
#[derive(Default)]
struct Found {
    input: KeyInput,
    first: BTreeMap<Fingerprint, usize>,
}

impl Found {
    /// Takes what stands where a key is wanted.
    fn take(&mut self, line: usize, field: Option<&'static str>, text: &str) {
        if let Some(why) = trouble(text) {
            self.bad(line, field, why);
            return;
        }
        let key = Secret::new(text);
        let fingerprint = key.fingerprint();
        if let Some(earlier) = self.first.get(&fingerprint) {
            self.input.duplicates.push((line, *earlier, fingerprint));
        } else {
            self.first.insert(fingerprint, line);
            self.input.keys.push(KeyLine { line, key });
        }
    }

    fn bad(&mut self, line: usize, field: Option<&'static str>, why: impl Into<String>) {
        let why = why.into();
        self.input.bad.push(BadKeyLine { line, field, why });
    }
}

fn trouble(line: &str) -> Option<String> {
    let length = line.chars().count();
    if line.contains(char::is_whitespace) {
        return Some("holds a blank in the middle; write one key a line".to_owned());
    }
    if let Some(at) = line.chars().position(|c| !c.is_ascii_graphic()) {
        return Some(format!("character {} is not printable ASCII", at + 1));
    }
    if let Some(at) = line
        .chars()
        .position(|c| matches!(c, '"' | '\'' | ',' | ';' | '{' | '}'))
    {
        return Some(format!(
            "character {} is punctuation no key has; write the bare key",
            at + 1
        ));
    }
    if length == 0 {
        return Some("is empty; give the key or take the row out".to_owned());
    }
    if length < SHORTEST {
        return Some(format!(
            "has {length} characters; a key has {SHORTEST} or more"
        ));
    }
    (length > LONGEST).then(|| format!("has {length} characters; a key has {LONGEST} or fewer"))
}
