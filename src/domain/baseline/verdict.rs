//! The seven words a check can come to.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a look came to. "Could not look" is never "broken".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Judged, and as expected.
    Ok,
    /// Judged: works, but not as it should.
    Warn,
    /// Judged, and not as expected.
    Fail,
    /// Was there, but could not see: tool or right missing, output unreadable, not fresh.
    Unknown,
    /// Could not get there: no answer from machine, tunnel or address in time.
    Unreachable,
    /// Explained by a failed parent.
    NotJudged,
    /// Put aside by a person until a date.
    Waived,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Warn,
        Self::Fail,
        Self::Unknown,
        Self::Unreachable,
        Self::NotJudged,
        Self::Waived,
    ];

    /// Its glyph (`ux.md` 3.2): plain ASCII, the same everywhere.
    pub fn glyph(self) -> char {
        match self {
            Self::Ok => '+',
            Self::Warn => '~',
            Self::Fail => 'x',
            Self::Unknown => '?',
            Self::Unreachable => '/',
            Self::NotJudged => '.',
            Self::Waived => '=',
        }
    }

    /// The word in the store, in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Unreachable => "unreachable",
            Self::NotJudged => "not_judged",
            Self::Waived => "waived",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.as_str() == word)
    }

    /// Whether the look took place and could be held against the expectation.
    pub fn is_judged(self) -> bool {
        matches!(self, Self::Ok | Self::Warn | Self::Fail)
    }

    /// Order of trouble for a whole: failed beats unreachable beats unknown beats warn.
    pub(super) fn weight(self) -> u8 {
        match self {
            Self::Fail => 5,
            Self::Unreachable => 4,
            Self::Unknown => 3,
            Self::Warn => 2,
            Self::Ok | Self::Waived => 1,
            Self::NotJudged => 0,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
