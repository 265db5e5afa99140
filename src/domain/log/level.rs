//! How bad a line is.

use serde::Serialize;
use std::fmt;

/// How bad a line is, in the words of the many programs that write logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every step.
    Trace,
    /// For those who mend the program.
    Debug,
    /// All is well.
    Info,
    /// Something to look at; an answer of 4xx.
    Warn,
    /// Something failed; an answer of 5xx.
    Error,
    /// The line does not say, or not in a way that is known.
    Unknown,
}

impl Level {
    /// Every level, the worst last; `Unknown` stands where it ranks.
    pub const ALL: [Self; 6] = [
        Self::Trace,
        Self::Debug,
        Self::Unknown,
        Self::Info,
        Self::Warn,
        Self::Error,
    ];

    /// Greater is worse. A line that does not say ranks with those where all is well: it is not
    /// hidden among steps, and does not fill a look at warnings.
    pub fn rank(self) -> u8 {
        match self {
            Self::Trace => 0,
            Self::Debug => 1,
            Self::Info | Self::Unknown => 2,
            Self::Warn => 3,
            Self::Error => 4,
        }
    }

    /// The word in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word a program wrote, in any case.
    pub fn of_word(word: &[u8]) -> Self {
        // Few words, told apart by their first letters; the rest is looked at only then.
        let is = |full: &str| word.eq_ignore_ascii_case(full.as_bytes());
        match word.first().map(u8::to_ascii_lowercase) {
            Some(b'i') if is("info") => Self::Info,
            Some(b'w') if is("warn") || is("warning") => Self::Warn,
            Some(b'e') if is("error") || is("err") || is("emerg") => Self::Error,
            Some(b'd') if is("debug") => Self::Debug,
            Some(b'd') if is("dpanic") => Self::Error,
            Some(b'n') if is("notice") => Self::Info,
            Some(b't') if is("trace") => Self::Trace,
            Some(b'f') if is("fatal") => Self::Error,
            Some(b'p') if is("panic") => Self::Error,
            Some(b'c') if is("crit") || is("critical") => Self::Error,
            Some(b'a') if is("alert") => Self::Error,
            _ => Self::Unknown,
        }
    }

    /// What an HTTP answer of this status means for whoever gave it.
    pub fn of_status(status: u16) -> Self {
        match status {
            500.. => Self::Error,
            400.. => Self::Warn,
            _ => Self::Info,
        }
    }

    /// The worse of the two.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Level {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match Self::of_word(text.as_bytes()) {
            Self::Unknown => Err(format!(
                "`{}` is no level: trace, debug, info, warn or error",
                crate::text::clean_line(text)
            )),
            level => Ok(level),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_many_programs_are_known_in_any_case() {
        for (word, level) in [
            ("INFO", Level::Info),
            ("warning", Level::Warn),
            ("Err", Level::Error),
            ("emerg", Level::Error),
            ("notice", Level::Info),
            ("DPANIC", Level::Error),
            ("", Level::Unknown),
            ("infos", Level::Unknown),
        ] {
            assert_eq!(Level::of_word(word.as_bytes()), level, "{word}");
        }
        assert_eq!("warn".parse(), Ok(Level::Warn));
        assert!("loud".parse::<Level>().is_err());
    }

    #[test]
    fn levels_are_listed_by_rank_and_read_their_own_words() {
        assert!(
            Level::ALL
                .windows(2)
                .all(|two| two[0].rank() <= two[1].rank())
        );
        for level in Level::ALL {
            assert_eq!(Level::of_word(level.as_str().as_bytes()), level);
        }
    }
}
