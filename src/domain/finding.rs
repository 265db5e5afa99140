//! What is wrong in a file people write, and where: shared by config and packs. Turns the parser's
//! words into a sentence with the nearest valid name; never repeats a value, which may be a secret.

use crate::text::{Redactor, clean_line, shorten};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::Range;

/// One fault in a file: `file:line:col: message (hint)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// File as it is shown to people.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong: one sentence without a full stop.
    pub message: String,
    /// What to write instead; empty if there is nothing sensible to say.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Finding {}

/// A text and the name of its file: places findings in it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// File as it is shown to people.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl<'a> Source<'a> {
    /// A named text.
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text }
    }

    /// A finding at a byte range of the text, such as `toml::Spanned::span` gives.
    pub fn at(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Finding {
        let (line, column) = self.position(span.start);
        Finding {
            file: clean_line(self.file),
            line,
            column,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// A finding about the file as a whole, shown at its first character.
    pub fn whole(&self, message: impl Into<String>, hint: impl Into<String>) -> Finding {
        self.at(0..0, message, hint)
    }

    /// Line and column of a byte offset, both counted from 1.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }

    /// The finding that says what a TOML error says.
    pub fn toml_error(&self, error: &toml::de::Error) -> Finding {
        let (message, hint) = explain(error.message());
        self.at(error.span().unwrap_or(0..0), message, hint)
    }

    /// Reads the whole text as TOML.
    ///
    /// # Errors
    /// The first fault of syntax or shape.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Finding> {
        toml::from_str(self.text).map_err(|error| self.toml_error(&error))
    }
}

/// The valid word nearest to a wrong one, if one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, valid: &[&'a str]) -> Option<&'a str> {
    let wrong_folded = wrong.to_lowercase().replace('-', "_");
    valid
        .iter()
        .map(|word| {
            let folded = word.to_lowercase().replace('-', "_");
            (strsim::jaro_winkler(&wrong_folded, &folded), *word)
        })
        .filter(|(likeness, _)| *likeness >= 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, word)| word)
}

/// "did you mean `x`" or the list of what is valid.
pub fn suggest(wrong: &str, valid: &[&str]) -> String {
    match nearest(wrong, valid) {
        Some(word) => format!("did you mean `{word}`?"),
        None if valid.is_empty() => String::new(),
        None => format!("valid here: {}", valid.join(", ")),
    }
}

/// Message and hint for a word that is none of the valid ones.
pub(crate) fn unknown(noun: &str, wrong: &str, valid: &[&str]) -> (String, String) {
    let wrong = shorten(&clean_line(&Redactor::new().admit(wrong)), 60);
    let hint = suggest(&wrong, valid);
    (format!("unknown {noun} `{wrong}`"), hint)
}

/// Message and hint for the words of serde or the TOML parser.
fn explain(raw: &str) -> (String, String) {
    let first_line = raw.lines().next().unwrap_or_default();
    for (head, noun) in [("unknown field `", "key"), ("unknown variant `", "value")] {
        if let Some(rest) = first_line.strip_prefix(head)
            && let Some((wrong, rest)) = rest.split_once('`')
        {
            return unknown(noun, wrong, &quoted_words(rest));
        }
    }
    if let Some(name) = first_line
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        return (format!("`{name}` is missing"), format!("add `{name} = ..`"));
    }
    if let Some(rest) = first_line.strip_prefix("invalid type: ")
        && let Some((found, expected)) = rest.rsplit_once(", expected ")
    {
        let (expected, hint) = expectation(found, expected);
        return (format!("{} where {expected} belongs", kind_of(found)), hint);
    }
    if first_line == "duplicate key" || first_line.starts_with("duplicate field") {
        return (
            "this key stands here twice".to_owned(),
            "keep one of the two".to_owned(),
        );
    }
    (
        shorten(&Redactor::new().admit(first_line), 240),
        String::new(),
    )
}

/// The words between backticks.
fn quoted_words(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// serde's word for a found value, without the value itself.
fn kind_of(found: &str) -> &'static str {
    match found.split_whitespace().next().unwrap_or_default() {
        "string" | "character" => "a text",
        "integer" => "a whole number",
        "floating" => "a number",
        "boolean" => "true or false",
        "sequence" => "a list",
        "map" => "a table",
        _ => "something else",
    }
}

/// What belongs there in the user's words, and how to write it.
fn expectation(found: &str, expected: &str) -> (String, String) {
    let found_text = found.starts_with("string");
    let (word, hint) = match expected {
        "a string" | "a borrowed string" | "string" => {
            ("a text", "put it in quotes: \"..\"".to_owned())
        }
        "a boolean" => ("true or false", "write true or false, no quotes".to_owned()),
        "f32" | "f64" => ("a number", "write a number, no quotes".to_owned()),
        "a sequence" => ("a list", "write a list: [\"..\"]".to_owned()),
        "a map" => ("a table", "write a table: { name = \"..\" }".to_owned()),
        other if other.starts_with("struct ") || other.starts_with("internally tagged") => {
            ("a table", "write a table: { name = \"..\" }".to_owned())
        }
        other
            if other.len() <= 5
                && other.starts_with(['i', 'u'])
                && (other[1..].parse::<u8>().is_ok() || other.ends_with("size")) =>
        {
            let hint = if found_text {
                "write the number without quotes"
            } else {
                "write a whole number"
            };
            ("a whole number", hint.to_owned())
        }
        other => return (clean_line(other), String::new()),
    };
    (word.to_owned(), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the shape is under test")]
    struct Shape {
        base_url: String,
        #[serde(default)]
        models: Vec<String>,
        #[serde(default)]
        concurrency: i64,
        #[serde(default)]
        on: bool,
        #[serde(default)]
        level: Option<Level>,
        #[serde(default)]
        key: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Level {
        Must,
        Should,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the shape is under test")]
    struct Inner {
        env: String,
    }

    #[test]
    fn every_fault_names_its_place_and_the_way_out() {
        let rows = [
            (
                "base_url = \"x\"\nmodel = []\n",
                "f:2:1: unknown key `model` (did you mean `models`?)",
            ),
            (
                "base-url = \"x\"\n",
                "f:1:1: unknown key `base-url` (did you mean `base_url`?)",
            ),
            (
                "base_url = \"x\"\nzzz = 1\n",
                "f:2:1: unknown key `zzz` (valid here: base_url, models, concurrency, on, level, key)",
            ),
            (
                "base_url = \"x\"\nlevel = \"most\"\n",
                "f:2:9: unknown value `most` (did you mean `must`?)",
            ),
            (
                "models = []\n",
                "f:1:1: `base_url` is missing (add `base_url = ..`)",
            ),
            (
                "base_url = \"宿\"\nmodels = \"a\"\n",
                "f:2:10: a text where a list belongs (write a list: [\"..\"])",
            ),
            (
                "base_url = 7\n",
                "f:1:12: a whole number where a text belongs (put it in quotes: \"..\")",
            ),
            (
                "base_url = \"x\"\nconcurrency = \"3\"\n",
                "f:2:15: a text where a whole number belongs (write the number without quotes)",
            ),
            (
                "base_url = \"x\"\non = \"yes\"\n",
                "f:2:6: a text where true or false belongs (write true or false, no quotes)",
            ),
            (
                "base_url = \"x\"\nbase_url = \"y\"\n",
                "f:2:1: this key stands here twice (keep one of the two)",
            ),
            (
                "base_url = \"x\"\nkey = \"hunter2\"\n",
                "f:2:7: a text where a table belongs (write a table: { name = \"..\" })",
            ),
        ];
        for (text, expected) in rows {
            let finding = Source::new("f", text).parse::<Shape>().unwrap_err();
            assert_eq!(finding.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_value_is_never_repeated() {
        for text in [
            "base_url = \"x\"\nkey = \"hunter2hunter2\"\n",
            "base_url = \"x\"\nlevel = \"sk-abcdefgh12345678\"\n",
        ] {
            let shown = Source::new("f", text)
                .parse::<Shape>()
                .unwrap_err()
                .to_string();
            assert!(
                !shown.contains("hunter2") && !shown.contains("efgh"),
                "{shown}"
            );
        }
    }

    #[test]
    fn columns_count_characters() {
        let source = Source::new("f", "a = 1\n宿主 = 2 x");
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position("a = 1\n宿主".len()), (2, 3));
        assert_eq!(source.position(999), (2, 9));
    }

    #[test]
    fn syntax_errors_stay_one_line() {
        let finding = Source::new("f", "a = \n").parse::<Shape>().unwrap_err();
        assert_eq!((finding.line, finding.message.contains('\n')), (1, false));
        assert!(!finding.message.is_empty());
    }
}
