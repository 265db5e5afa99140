//! The one error a face ever gets: what was tried, what was found, what to do next.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What sort of trouble it is. Decides exit code, HTTP status and theme role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The words given to us make no sense.
    Usage,
    /// A file of the user's is wrong or missing.
    Config,
    /// Nobody answered: ssh, tunnel, connection, name.
    Unreachable,
    /// Somebody answered no: credentials, rights, host key.
    Denied,
    /// The world is not as the plan saw it.
    Conflict,
    /// Somebody else is at work there.
    Busy,
    /// A person stopped it.
    Cancelled,
    /// The far end answered with an error or with something unreadable.
    Remote,
    /// Our own database.
    Store,
    /// A defect of ours.
    Internal,
}

impl FailureKind {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 10] = [
        Self::Usage,
        Self::Config,
        Self::Unreachable,
        Self::Denied,
        Self::Conflict,
        Self::Busy,
        Self::Cancelled,
        Self::Remote,
        Self::Store,
        Self::Internal,
    ];

    /// Exit code of the CLI (`product.md` 7): 4 could not reach anything to judge, else 3.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Unreachable => 4,
            _ => 3,
        }
    }

    /// The heading people read.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Config => "configuration",
            Self::Unreachable => "could not reach",
            Self::Denied => "denied",
            Self::Conflict => "conflict",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::Remote => "remote error",
            Self::Store => "store",
            Self::Internal => "internal error",
        }
    }
}

/// What the far end said, when it said anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteAnswer {
    /// HTTP status.
    pub status: u16,
    /// The host's `reason` or string `code`, such as `GROUP_EXISTS`; empty if none.
    pub reason: String,
    /// The host's message, redacted.
    pub message: String,
    /// Seconds the far end asks us to wait.
    pub retry_after: Option<u64>,
}

/// An error with everything a person needs. Built by adapters, given `doing` by the engine,
/// printed by faces.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Kind, see [`FailureKind`].
    pub kind: FailureKind,
    /// What was being done: "reading accounts of `accept`".
    pub doing: String,
    /// What was found: one sentence, redacted.
    pub message: String,
    /// What to do next; empty if there is nothing sensible to say.
    pub hint: String,
    /// The far end's answer, if there was one.
    pub answer: Option<Box<RemoteAnswer>>,
    /// Whether a request may have reached the far end and taken effect although we hold no
    /// answer. Only such a step must be looked up before it is sent again.
    pub maybe_done: bool,
}

/// Result with a [`Failure`].
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure with a kind and what was found.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            doing: String::new(),
            message: message.into(),
            hint: String::new(),
            answer: None,
            maybe_done: false,
        }
    }

    /// Adds what was being done. The innermost word wins: it is the most exact.
    #[must_use]
    pub fn doing(mut self, doing: impl Into<String>) -> Self {
        if self.doing.is_empty() {
            self.doing = doing.into();
        }
        self
    }

    /// Adds what to do next, if nothing was said yet.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if self.hint.is_empty() {
            self.hint = hint.into();
        }
        self
    }

    /// Adds the far end's answer.
    #[must_use]
    pub fn answer(mut self, answer: RemoteAnswer) -> Self {
        self.answer = Some(Box::new(answer));
        self
    }

    /// Marks that the request may have taken effect.
    #[must_use]
    pub fn maybe_done(mut self) -> Self {
        self.maybe_done = true;
        self
    }

    /// HTTP status of the answer, 0 if there was none.
    pub fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }

    /// Whether the host named this reason, such as `GROUP_EXISTS`.
    pub fn has_reason(&self, reason: &str) -> bool {
        self.answer
            .as_ref()
            .is_some_and(|answer| answer.reason == reason)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.doing.is_empty() {
            write!(f, "{}: ", self.doing)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_silence_is_exit_4() {
        for kind in FailureKind::ALL {
            assert_eq!(
                kind.exit_code() == 4,
                kind == FailureKind::Unreachable,
                "{kind:?}"
            );
            assert!(!kind.heading().is_empty());
        }
    }

    #[test]
    fn the_innermost_doing_wins() {
        let failure = Failure::new(FailureKind::Remote, "m")
            .doing("inner")
            .doing("outer");
        assert_eq!(failure.to_string(), "inner: m");
    }
}
