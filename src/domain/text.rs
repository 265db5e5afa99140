//! What may be shown: remote text made harmless, secrets cut out of it. Redaction happens where
//! text enters the program (`product.md` 8), so both live here and every adapter calls them.

use crate::secret::{Secret, mask};
use regex::{Captures, Regex};
use std::sync::{Arc, LazyLock, RwLock};

/// Whether a character can move the cursor, reorder or hide text in a terminal.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

/// Makes one line of remote text harmless: control, bidi and zero-width characters become `?`,
/// a tab a blank.
pub fn clean_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if is_hostile(c) => '?',
            c => c,
        })
        .collect()
}

/// Like [`clean_line`] for text of several lines: line feeds stay, `\r\n` becomes `\n`.
pub fn clean_text(text: &str) -> String {
    text.replace("\r\n", "\n")
        .split('\n')
        .map(clean_line)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Cuts to at most `most` characters, marking the cut with `..`.
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(2)).collect();
    format!("{kept}..")
}

static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // Vendor and host keys, by their public prefix.
        r"\b(?:sk|rt|admin|ak|pk)[-_][A-Za-z0-9_-]{8,}",
        // JSON web tokens.
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",
        // Whatever follows an authorisation word.
        r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}",
        // name=value and "name":"value" of secret names.
        r#"(?i)\b(?:api[_-]?key|password|passwd|secret|access_token|refresh_token|token)["']?\s*[:=]\s*["']?[^\s"',;&}]{4,}"#,
    ]
    .iter()
    .filter_map(|shape| Regex::new(shape).ok())
    .collect()
});

/// Cuts secrets out of text: the ones it was told of, letter by letter, and everything that has
/// the shape of a key. Cloning shares the list.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Vec<Secret>>>,
    #[cfg(feature = "unredacted")]
    off: bool,
}

impl Redactor {
    /// A redactor that knows the shapes only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets every secret pass. For the test that has to fail when nothing is redacted; no program
    /// is built with it.
    #[cfg(feature = "unredacted")]
    pub fn off() -> Self {
        Self {
            off: true,
            ..Self::default()
        }
    }

    /// Adds a secret to cut out wherever it appears. Texts under 6 characters are not taken:
    /// they would cut words.
    pub fn learn(&self, secret: &Secret) {
        if secret.expose().len() < 6 {
            return;
        }
        let mut known = match self.known.write() {
            Ok(known) => known,
            Err(poisoned) => poisoned.into_inner(),
        };
        if !known.contains(secret) {
            known.push(secret.clone());
        }
    }

    /// Redacts and makes harmless. This is the way in for every remote text.
    pub fn admit(&self, text: &str) -> String {
        self.redact(&clean_text(text))
    }

    /// Cuts secrets out, leaving everything else as it is.
    pub fn redact(&self, text: &str) -> String {
        #[cfg(feature = "unredacted")]
        if self.off {
            return text.to_owned();
        }
        let mut text = text.to_owned();
        let known = match self.known.read() {
            Ok(known) => known,
            Err(poisoned) => poisoned.into_inner(),
        };
        for secret in known.iter() {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), &secret.masked());
            }
        }
        for shape in SHAPES.iter() {
            text = shape
                .replace_all(&text, |found: &Captures<'_>| mask_shape(&found[0]))
                .into_owned();
        }
        text
    }
}

/// Keeps the name in front of a secret and masks the value.
fn mask_shape(found: &str) -> String {
    let value_at = found
        .rfind([':', '=', '"', '\'', ' '])
        .map_or(0, |at| at + 1);
    // A base64 tail of `=` is no separator.
    if value_at >= found.len() {
        return "..".to_owned();
    }
    let (head, value) = found.split_at(value_at);
    if value.starts_with("..") || value.starts_with("sk-..") || value.starts_with("admin-..") {
        return found.to_owned();
    }
    format!("{head}{}", mask(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_text_cannot_drive_the_terminal() {
        assert_eq!(clean_line("a\x1b[2Jb\u{202e}c\td\u{200b}"), "a?[2Jb?c d?");
        assert_eq!(clean_text("a\r\nb\x07"), "a\nb?");
        assert_eq!(clean_line("宿主 ok"), "宿主 ok");
    }

    #[test]
    fn key_shapes_are_cut_wherever_they_stand() {
        let redactor = Redactor::new();
        for (text, gone) in [
            ("invalid key sk-lab-good-abcdef123456 given", "abcdef123456"),
            ("Authorization: Bearer abcdefgh12345678", "abcdefgh1234"),
            (r#"{"api_key":"hunter2hunter2"}"#, "hunter2hunter2"),
            ("x eyJhbGciOi.eyJzdWIiOiI.c2ln y", "eyJzdWIi"),
            ("password=correcthorse next", "correcthorse"),
        ] {
            let cut = redactor.redact(text);
            assert!(!cut.contains(gone), "{cut}");
        }
        assert_eq!(
            redactor.redact("plain words stay, 127.0.0.1:8080"),
            "plain words stay, 127.0.0.1:8080"
        );
    }

    #[test]
    fn a_known_secret_without_a_shape_is_cut_too_and_twice_changes_nothing() {
        let redactor = Redactor::new();
        redactor.learn(&Secret::new("correct horse battery"));
        let once = redactor.redact("said correct horse battery, sk-abcdefghijklmnop1234");
        assert_eq!(once, "said ..tery, sk-..1234");
        assert_eq!(redactor.redact(&once), once);
    }
}
