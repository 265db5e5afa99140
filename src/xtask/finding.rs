//! One thing that is not as it has to be.

use std::fmt;

/// What a rule found, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// File, from the root of the repository.
    pub(crate) path: String,
    /// Line from 1; 0 for the file as a whole.
    pub(crate) line: usize,
    /// What is wrong and what to do: one sentence.
    pub(crate) message: String,
}

impl Finding {
    /// About a whole file.
    pub(crate) fn file(path: &str, message: impl Into<String>) -> Self {
        Self::line(path, 0, message)
    }

    /// About one line.
    pub(crate) fn line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}
