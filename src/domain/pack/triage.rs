//! What a triage pack says: rules that turn what was seen into where to look first.

use super::baseline::Layer;
use crate::baseline::Verdict;
use crate::batch::words;
use crate::ids::PackId;
use serde::{Deserialize, Serialize};

/// A set of triage rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TriagePack {
    /// Folder name below `packs/`.
    pub id: PackId,
    /// Name for people.
    pub title: String,
    /// SHA-256 of the pack text, 64 hex digits.
    pub fingerprint: String,
    /// The rules, in the order of the file.
    pub rules: Vec<TriageRule>,
}

words! {
    /// How far a request gets. The lowest rung that is broken is looked at first.
    Rung {
        /// The public entry does not reach the host.
        Entry = "502",
        /// The host is reached and refuses.
        Key = "401",
        /// A key is taken, the list of models is wrong.
        Models = "models",
        /// The list is there, a completion fails.
        Completion = "completion",
        /// No user's request passes here.
        Beside = "beside",
    }
}

words! {
    /// What a finding is.
    Sort {
        /// Something that can be mended.
        Cause = "cause",
        /// What a cause looks like from elsewhere; leads only while no cause is known.
        Symptom = "symptom",
        /// A look that is still to be made.
        Step = "step",
    }
}

words! {
    /// A command of ours that is the next step.
    NextAct {
        /// Plan the repair of the check.
        Repair = "repair",
        /// Judge the environment again.
        Baseline = "baseline",
        /// See which accounts would be chosen, and why not.
        Pool = "pool",
        /// Read the log.
        Log = "log",
        /// Compare records with the host.
        Reconcile = "reconcile",
        /// Probe the path.
        Probe = "probe",
        /// Ask why a key fails.
        ExplainKey = "explain-key",
        /// Open the batch.
        Batch = "batch",
        /// Look at every hop.
        Doctor = "doctor",
    }
}

words! {
    /// What a rule looks at.
    Seen {
        /// A row of a baseline.
        Check = "check",
        /// A line of a log.
        Log = "log",
        /// A look that failed.
        Error = "error",
        /// An account that is not chosen.
        Account = "account",
        /// A batch, or one key of it.
        Batch = "batch",
        /// What access of a batch came to.
        Access = "access",
        /// A probe.
        Probe = "probe",
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TriageRule {
    /// Unique in the pack.
    pub id: String,
    /// How far a request gets.
    pub rung: Rung,
    /// Whose fault it is.
    pub layer: Layer,
    /// What the finding is.
    pub sort: Sort,
    /// What it comes to, one sentence.
    pub judgement: String,
    /// The same in Chinese, if the pack has it.
    pub judgement_zh: Option<String>,
    /// What to do next.
    pub next_step: String,
    /// The same in Chinese, if the pack has it.
    pub next_step_zh: Option<String>,
    /// The command that does it.
    pub action: Option<NextAct>,
    /// The runbook that leads through it: `NAME`, or `PACK/NAME`.
    pub runbook: Option<String>,
    /// Rules whose findings this one explains.
    pub explains: Vec<String>,
    /// Any of these brings the finding.
    pub when: Vec<When>,
}

/// What brings a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct When {
    /// What is looked at.
    pub seen: Seen,
    /// Name of the check, `*` is any text; empty for anything but a check.
    pub name: String,
    /// Verdicts that count; of checks only.
    pub verdicts: Vec<Verdict>,
    /// Regular expression that the text has to have somewhere, in whatever case.
    pub pattern: Option<String>,
}

impl When {
    /// Longest pattern.
    pub const LONGEST: usize = 300;
    /// Bytes that a compiled pattern may take.
    const MEMORY: usize = 1 << 18;

    /// Compiles a pattern, bounded, in whatever case.
    ///
    /// # Errors
    /// What is wrong with it, or that it takes too much.
    pub fn compile(text: &str) -> Result<regex::Regex, regex::Error> {
        regex::RegexBuilder::new(text)
            .case_insensitive(true)
            .size_limit(Self::MEMORY)
            .dfa_size_limit(Self::MEMORY)
            .build()
    }
}
