//! Reading pasted or filed keys: one a line, blank lines and `#` comments skipped. Every bad line
//! is named before anything is sent; a bad line's content is never repeated.

use crate::secret::{Fingerprint, Secret};
use std::collections::BTreeMap;

/// A good key and where it stood.
#[derive(Debug, Clone)]
pub struct KeyLine {
    /// Line, from 1.
    pub line: usize,
    /// The key.
    pub key: Secret,
}

/// A line that is no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadKeyLine {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it, without its content.
    pub why: String,
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

const SHORTEST: usize = 8;
const LONGEST: usize = 512;

/// Reads key lines. A byte order mark and `\r` are forgiven.
pub fn read_keys(text: &str) -> KeyInput {
    let mut input = KeyInput::default();
    let mut first: BTreeMap<Fingerprint, usize> = BTreeMap::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let number = index + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(why) = trouble(line) {
            input.bad.push(BadKeyLine { line: number, why });
            continue;
        }
        let key = Secret::new(line);
        let fingerprint = key.fingerprint();
        if let Some(earlier) = first.get(&fingerprint) {
            input.duplicates.push((number, *earlier, fingerprint));
        } else {
            first.insert(fingerprint, number);
            input.keys.push(KeyLine { line: number, key });
        }
    }
    input
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
    if length < SHORTEST {
        return Some(format!(
            "has {length} characters; a key has {SHORTEST} or more"
        ));
    }
    (length > LONGEST).then(|| format!("has {length} characters; a key has {LONGEST} or fewer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_lines_repeats_and_bad_lines_are_told_apart() {
        let input = read_keys(
            "\u{feff}# keys\r\nsk-lab-good-0001\r\n\nsk-lab-good-0002\nsk-lab-good-0001\nab\nsk lab\nsk-密钥-0000001\n\"sk-lab-good-3\",",
        );
        let lines: Vec<usize> = input.keys.iter().map(|key| key.line).collect();
        assert_eq!(lines, [2, 4]);
        assert_eq!((input.duplicates[0].0, input.duplicates[0].1), (5, 2));
        let bad: Vec<usize> = input.bad.iter().map(|bad| bad.line).collect();
        assert_eq!(bad, [6, 7, 8, 9]);
    }

    #[test]
    fn a_bad_line_is_never_repeated() {
        let input = read_keys("very secret words");
        assert!(!format!("{:?}", input.bad).contains("secret"));
    }
}
