//! Reading a parsed file piece by piece, so that every fault in it is found in one go. Values are
//! never repeated in a finding: any of them may be a secret.

use cockpit_domain::finding::{Finding, Source, suggest};
use cockpit_domain::text::Redactor;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How a secret is written instead.
pub(super) const REFERENCE: &str =
    "write { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }";

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// A table with its valid keys already checked.
#[derive(Clone, Copy)]
pub(super) struct Section<'t> {
    pub(super) table: &'t DeTable<'t>,
    /// What it is, for messages: "host `prod`".
    pub(super) what: &'t str,
    /// Where its name stands.
    pub(super) at: &'t Range<usize>,
}

/// Reads and collects findings.
pub(super) struct Reader<'a> {
    source: Source<'a>,
    findings: Vec<Finding>,
    shapes: Redactor,
    /// Folder of the file: relative paths start there.
    base: &'a Path,
    home: Option<&'a Path>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: Source<'a>, base: &'a Path, home: Option<&'a Path>) -> Self {
        Self {
            source,
            findings: Vec::new(),
            shapes: Redactor::new(),
            base,
            home,
        }
    }

    /// What was found, in the order of the file.
    pub(super) fn into_findings(mut self) -> Vec<Finding> {
        self.findings
            .sort_by_key(|finding| (finding.line, finding.column));
        self.findings
    }

    pub(super) fn fault(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.findings
            .push(self.source.at(span.clone(), message, hint));
    }

    /// Line and column where a range begins.
    pub(super) fn place(&self, span: &Range<usize>) -> (usize, usize) {
        self.source.position(span.start)
    }

    /// Names every key that does not belong into the table.
    pub(super) fn known_keys(&mut self, table: &DeTable<'_>, valid: &[&str]) {
        for key in table.keys() {
            let name = key.get_ref();
            if !valid.contains(&name.as_ref()) {
                let shown = self.shapes.admit(name);
                self.fault(
                    &key.span(),
                    format!("unknown key `{shown}`"),
                    suggest(&shown, valid),
                );
            }
        }
    }

    pub(super) fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, wanted: &str, hint: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.fault(
            &value.span(),
            format!("{found} where {wanted} belongs"),
            hint,
        );
    }

    /// The table at a key, if it is there and one.
    pub(super) fn table<'t>(
        &mut self,
        table: &'t DeTable<'t>,
        key: &str,
    ) -> Option<&'t DeTable<'t>> {
        let value = table.get(key)?;
        let inner = value.get_ref().as_table();
        if inner.is_none() {
            self.wrong_type(value, "a table", "write a table: { name = \"..\" }");
        }
        inner
    }

    /// A text as it stands, if it is one and no secret.
    pub(super) fn text_of(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Placed<String>> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(value, "a text", "put it in quotes: \"..\"");
            return None;
        };
        let span = value.span();
        if self.shapes.redact(text) != text {
            self.fault(
                &span,
                "this looks like a secret, and secrets must not stand in this file",
                REFERENCE,
            );
            return None;
        }
        if text.is_empty() || text.chars().any(char::is_control) {
            self.fault(
                &span,
                "this text is empty or holds control characters",
                "write one line of text, or leave the key out",
            );
            return None;
        }
        Some(Placed {
            value: text.to_owned(),
            span,
        })
    }

    /// The text at a key, if the key is there.
    pub(super) fn text(&mut self, table: &DeTable<'_>, key: &str) -> Option<Placed<String>> {
        self.text_of(table.get(key)?)
    }

    /// The text at a key that must be there.
    pub(super) fn wanted_text(
        &mut self,
        section: Section<'_>,
        key: &str,
        example: &str,
    ) -> Option<Placed<String>> {
        if !section.table.contains_key(key) {
            self.missing(section, key, example);
        }
        self.text(section.table, key)
    }

    pub(super) fn missing(&mut self, section: Section<'_>, key: &str, example: &str) {
        self.fault(
            section.at,
            format!("`{key}` of {} is missing", section.what),
            format!("add `{key} = {example}`"),
        );
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        text: Option<Placed<String>>,
        words: &[(&str, T)],
    ) -> Option<Placed<T>> {
        let text = text?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(Placed {
                value: *value,
                span: text.span,
            });
        }
        let valid: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        self.fault(
            &text.span,
            format!("unknown value `{}`", self.shapes.admit(&text.value)),
            suggest(&text.value, &valid),
        );
        None
    }

    /// True or false at a key, if the key is there.
    pub(super) fn flag(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(value, "true or false", "write true or false without quotes");
        }
        flag
    }

    /// A list of texts at a key, if the key is there.
    pub(super) fn texts(&mut self, table: &DeTable<'_>, key: &str) -> Option<Vec<String>> {
        self.texts_of(table.get(key)?)
    }

    /// A list of texts.
    pub(super) fn texts_of(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
        let Some(list) = value.get_ref().as_array() else {
            self.wrong_type(value, "a list", "write a list: [\"..\"]");
            return None;
        };
        Some(
            list.iter()
                .filter_map(|value| self.text_of(value))
                .map(|text| text.value)
                .collect(),
        )
    }

    /// An id: a slug of the domain.
    pub(super) fn id<T>(
        &mut self,
        text: &str,
        span: &Range<usize>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let id = parse(text);
        if id.is_none() {
            self.fault(
                span,
                "this is not a name the cockpit can use",
                "1 to 63 of a-z, 0-9, `-`, `_`, `.`, beginning with a letter or digit",
            );
        }
        id
    }

    /// A path on this computer: `~/` is the home folder, relative ones start at the file's folder.
    pub(super) fn path(&mut self, table: &DeTable<'_>, key: &str) -> Option<PathBuf> {
        let text = self.text(table, key)?;
        if let Some(rest) = text.value.strip_prefix("~/") {
            if let Some(home) = self.home {
                return Some(home.join(rest));
            }
            self.fault(
                &text.span,
                "there is no home folder for `~/`",
                "write the whole path",
            );
            return None;
        }
        if text.value.starts_with('~') {
            self.fault(
                &text.span,
                "only `~/` is understood, for your own home folder",
                "write the whole path",
            );
            return None;
        }
        Some(self.base.join(text.value))
    }
}
