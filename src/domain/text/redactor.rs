//! Cuts secrets out of text. Every remote text comes this way, logs too, so what holds no secret
//! has to pass in nanoseconds: see [`hints`].

use super::{cleaned, hints};
use crate::secret::{Secret, mask};
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

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

/// Secrets by their text. Of each only the first letters stand in a search: the rest stays where
/// it is wiped.
#[derive(Default)]
struct Known {
    /// The longest first: a secret within another one must not leave the rest of that.
    secrets: Vec<Secret>,
    heads: BTreeSet<String>,
    /// Finds the head of any.
    any: Option<Regex>,
    /// Heads of those that no hint of a shape leads to.
    bare_heads: BTreeSet<String>,
    bare: Option<Regex>,
    /// Whether one of them has several lines.
    any_of_lines: bool,
}

impl Known {
    fn learn(&mut self, secret: &Secret) {
        if self.secrets.contains(secret) {
            return;
        }
        let text = secret.expose();
        let longer = |known: &Secret| known.expose().len() >= text.len();
        let at = self.secrets.partition_point(longer);
        self.secrets.insert(at, secret.clone());
        self.any_of_lines |= text.contains('\n');
        let head: String = text.chars().take(4).collect();
        if hints::next(&hints::lower(text), 0).is_none() && self.bare_heads.insert(head.clone()) {
            self.bare = hints::any_of(self.bare_heads.iter().cloned());
        }
        if self.heads.insert(head) {
            self.any = hints::any_of(self.heads.iter().cloned());
        }
    }

    /// A walk over a text.
    fn walk<'t>(&self, text: &'t str) -> Walk<'_, 't> {
        Walk {
            known: self,
            text,
            lower: hints::lower(text),
            hint: Ahead::Unknown,
            bare: Ahead::Unknown,
        }
    }

    /// Cuts the known ones, without asking for hints first.
    fn cut_known<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        let mut text = text;
        if self.any.as_ref().is_some_and(|heads| heads.is_match(&text)) {
            for secret in &self.secrets {
                if text.contains(secret.expose()) {
                    text = Cow::Owned(text.replace(secret.expose(), &secret.masked()));
                }
            }
        }
        text
    }

    /// Cuts, without asking for hints first.
    fn cut<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = self.cut_known(Cow::Borrowed(text));
        for shape in SHAPES.iter() {
            let masked = shape.replace_all(&text, |found: &Captures<'_>| mask_shape(&found[0]));
            if let Cow::Owned(masked) = masked {
                text = Cow::Owned(masked);
            }
        }
        text
    }
}

/// Goes from place to place where a secret may stand. Each of the two searches is ahead as far as
/// its next find, so that a text is read once, however many there are of the other.
struct Walk<'k, 't> {
    known: &'k Known,
    text: &'t str,
    lower: String,
    hint: Ahead,
    bare: Ahead,
}

impl Walk<'_, '_> {
    /// The first place from `from` on, which must not go back.
    fn next(&mut self, from: usize) -> Option<usize> {
        let bare = || Some(self.known.bare.as_ref()?.find_at(self.text, from)?.start());
        let hint = self.hint.next(from, || hints::next(&self.lower, from));
        match (hint, self.bare.next(from, bare)) {
            (Some(hint), Some(bare)) => Some(hint.min(bare)),
            (hint, bare) => hint.or(bare),
        }
    }
}

/// How far a search has come.
#[derive(Clone, Copy)]
enum Ahead {
    /// It has to look.
    Unknown,
    /// It found this place.
    At(usize),
    /// There are no more.
    End,
}

impl Ahead {
    fn next(&mut self, from: usize, search: impl FnOnce() -> Option<usize>) -> Option<usize> {
        if let Self::At(at) = *self
            && at < from
        {
            *self = Self::Unknown;
        }
        if let Self::Unknown = *self {
            *self = search().map_or(Self::End, Self::At);
        }
        match *self {
            Self::At(at) => Some(at),
            Self::Unknown | Self::End => None,
        }
    }
}

/// Cuts secrets out of text: the ones it was told of, letter by letter, and everything that has
/// the shape of a key. Cloning shares the list.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
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
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.learn(secret);
    }

    /// Redacts and makes harmless. This is the way in for every remote text.
    pub fn admit(&self, text: &str) -> String {
        self.redact(&cleaned(text))
    }

    /// Like [`admit`](Self::admit) for many lines at once, each for itself: what begins on one
    /// line does not end on another. Lines stay lines.
    pub fn admit_lines(&self, text: &str) -> String {
        let text = cleaned(text);
        if self.lets_pass() {
            return text.into_owned();
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let text = if known.any_of_lines {
            known.cut_known(text)
        } else {
            text
        };
        let mut walk = known.walk(&text);
        let Some(mut hit) = walk.next(0) else {
            return text.into_owned();
        };
        let mut cut = String::with_capacity(text.len());
        let mut done = 0;
        loop {
            let begin = text[done..hit].rfind('\n').map_or(done, |at| done + at + 1);
            let end = text[hit..].find('\n').map_or(text.len(), |at| hit + at);
            cut.push_str(&text[done..begin]);
            cut.push_str(&known.cut(&text[begin..end]));
            done = end;
            match walk.next(end) {
                Some(next) => hit = next,
                None => break,
            }
        }
        cut.push_str(&text[done..]);
        cut
    }

    /// Cuts secrets out, leaving everything else as it is.
    pub fn redact(&self, text: &str) -> String {
        if self.lets_pass() {
            return text.to_owned();
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match known.walk(text).next(0) {
            Some(_) => known.cut(text).into_owned(),
            None => text.to_owned(),
        }
    }

    #[cfg(feature = "unredacted")]
    fn lets_pass(&self) -> bool {
        self.off
    }

    #[cfg(not(feature = "unredacted"))]
    #[expect(
        clippy::unused_self,
        reason = "the same call with and without the feature"
    )]
    fn lets_pass(&self) -> bool {
        false
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

    /// Pieces that make up secrets of every shape, halves of them, and what looks alike.
    const PIECES: [&str; 34] = [
        "sk-",
        "SK-",
        "rt_",
        "admin-",
        "ak_",
        "pk-",
        "eyJ",
        "abcdefgh",
        "A1b2C3d4E5f6",
        ".",
        "_",
        "-",
        " ",
        "\"",
        "'",
        ":",
        "=",
        "\n",
        "Bearer ",
        "bEARER\t",
        "basic ",
        "ba\u{17F}ic ",
        "API_KEY",
        "api-\u{212A}ey",
        "apikey",
        "password",
        "pas\u{17F}wd",
        "Secret",
        "access_token",
        "TOKEN",
        "tokens",
        "correct horse",
        "7",
        "宿",
    ];

    #[test]
    fn asking_for_hints_first_changes_nothing_that_is_cut() {
        let redactor = Redactor::new();
        redactor.learn(&Secret::new("correct horse"));
        let known = redactor.known.read().unwrap();
        let (mut state, mut cut) = (7_u64, 0);
        for _ in 0..40_000 {
            let mut text = String::new();
            for _ in 0..6 {
                // A linear congruential generator: the same texts in every run.
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                text.push_str(PIECES[usize::try_from(state >> 33).unwrap() % PIECES.len()]);
            }
            let always = known.cut(&text);
            assert_eq!(redactor.redact(&text), always, "{text:?}");
            cut += usize::from(always != text);
            let lines: Vec<_> = cleaned(&text)
                .split('\n')
                .map(|line| known.cut(line).into_owned())
                .collect();
            assert_eq!(redactor.admit_lines(&text), lines.join("\n"), "{text:?}");
        }
        assert!(cut > 4_000, "only {cut} texts held a secret");
    }

    #[test]
    fn a_secret_that_holds_another_one_leaves_nothing_of_itself() {
        let redactor = Redactor::new();
        redactor.learn(&Secret::new("inner-text"));
        redactor.learn(&Secret::new("begin inner-text end of it"));
        assert_eq!(
            redactor.redact("x begin inner-text end of it y"),
            "x ..f it y"
        );
    }

    #[test]
    fn of_many_lines_each_is_redacted_for_itself() {
        let redactor = Redactor::new();
        let text = "token:\nplainword\r\nsk-abcdefghijklmnop1234\n\npassword=correcthorse\nlast";
        assert_eq!(
            redactor.admit_lines(text),
            "token:\nplainword\nsk-..1234\n\npassword=..orse\nlast"
        );
    }

    #[test]
    fn a_known_secret_of_several_lines_is_cut_from_lines_too() {
        let redactor = Redactor::new();
        redactor.learn(&Secret::new("first half\nsecond half of it"));
        let cut = redactor.admit_lines("a\nfirst half\nsecond half of it\nb");
        assert_eq!(cut, "a\n..f it\nb");
    }
}
