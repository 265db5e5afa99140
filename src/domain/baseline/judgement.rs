//! What one look came to, before it becomes a row.

use super::compare::Facts;
use super::provenance::Provenance;
use super::verdict::Verdict;
use crate::text::{Redactor, shorten};

/// Most characters of evidence a row keeps.
const MOST_EVIDENCE: usize = 4000;
/// Most characters of a one-line finding.
const MOST_FOUND: usize = 600;

/// A verdict with what was expected, what was found and the far end's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// One sentence.
    pub expected: String,
    /// One sentence, or one fault a line.
    pub found: String,
    /// The far end's own words, redacted and cut.
    pub evidence: String,
    /// What to do about a look that could not be taken; replaces the pack's next step.
    pub fix: Option<String>,
    /// Whether what is wrong can be repaired through the host's API.
    pub repair: bool,
    /// Whether it is bad, and has not been so for as long as the check says.
    pub pending: bool,
    /// Which way the answers took, where that was looked at.
    pub provenance: Option<Box<Provenance>>,
    /// What it found that other checks compare; never kept.
    pub facts: Option<Box<Facts>>,
}

impl Judgement {
    /// A judgement. `found` and `evidence` are redacted, made harmless and cut here.
    pub fn new(verdict: Verdict, expected: impl Into<String>, found: &str, evidence: &str) -> Self {
        let redactor = Redactor::new();
        Self {
            verdict,
            expected: expected.into(),
            found: shorten(&redactor.admit(found), MOST_FOUND),
            evidence: shorten(&redactor.admit(evidence), MOST_EVIDENCE),
            fix: None,
            repair: false,
            pending: false,
            provenance: None,
            facts: None,
        }
    }

    /// Ok when there is no fault, else fail with one fault a line.
    pub fn of_faults(
        expected: impl Into<String>,
        faults: &[String],
        when_good: &str,
        evidence: &str,
    ) -> Self {
        if faults.is_empty() {
            Self::new(Verdict::Ok, expected, when_good, evidence)
        } else {
            Self::new(Verdict::Fail, expected, &faults.join("\n"), evidence)
        }
    }

    /// Was there but could not see: with the exact fix.
    pub fn unknown(found: &str, evidence: &str, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..Self::new(Verdict::Unknown, "", found, evidence)
        }
    }

    /// Could not get there: with the way to find out why.
    pub fn unreachable(found: &str, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..Self::new(Verdict::Unreachable, "", found, "")
        }
    }

    /// Bad, but not for long enough: neither green nor red, with what is left to wait for. `told` is
    /// such as `for 20 s of 60 s`.
    #[must_use]
    pub fn pending(self, told: &str, fix: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Unknown,
            found: format!("bad {told}: {}", self.found),
            fix: Some(fix.into()),
            repair: false,
            pending: true,
            ..self
        }
    }

    /// Says that what is wrong can be repaired through the host's API, when something is.
    #[must_use]
    pub fn repairable(mut self, can: bool) -> Self {
        self.repair = can && self.verdict == Verdict::Fail;
        self
    }

    /// Says what it found that other checks compare.
    #[must_use]
    pub fn finding(mut self, facts: Facts) -> Self {
        self.facts = Some(Box::new(facts));
        self
    }

    /// Says which way the answers took.
    #[must_use]
    pub fn tracing(mut self, provenance: Option<Provenance>) -> Self {
        self.provenance = provenance.map(Box::new);
        self
    }

    /// Fills in what was expected, where the look did not get far enough to say so.
    #[must_use]
    pub fn expecting(mut self, expected: impl Into<String>) -> Self {
        if self.expected.is_empty() {
            self.expected = expected.into();
        }
        self
    }
}
