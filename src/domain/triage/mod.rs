//! Where to look first: what was seen, held against triage rules, folded so that many symptoms of one
//! cause are one finding, and ranked by how far a request gets (`product.md` 5).

mod fold;
mod report;

pub use report::{LadderRung, RungState, TriageFinding, TriageReport};

use crate::baseline::{Origin, Verdict, matches_glob};
use crate::ids::{BatchId, PackId, RemoteId};
use crate::pack::{Layer, Level, Seen, Sort, TriagePack, TriageRule, When};
use serde::{Deserialize, Serialize};

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What sort of thing.
    pub seen: Seen,
    /// Which one: a check, a log source, `account 7`, `batch/3`.
    pub subject: String,
    /// What it came to, of a check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What was found, in the far end's words where it has some.
    pub found: String,
    /// More of the far end's words; searched, and shown on the page of the thing itself.
    #[serde(skip)]
    pub more: String,
    /// How often it was seen.
    pub times: usize,
    /// How much it weighs.
    pub level: Level,
    /// Its layer, as far as that is known without a rule.
    #[serde(skip)]
    pub layer: Option<Layer>,
    /// Where it comes from: only what was seen now, on the environment itself, judges it.
    pub origin: Origin,
    /// UTC ms.
    pub at_ms: i64,
    /// The check that explains it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_by: Option<String>,
    /// What leads to it.
    #[serde(skip)]
    pub link: Link,
    /// What the thing itself says to do, where no rule knows better.
    #[serde(skip)]
    pub next_step: String,
}

/// The thing behind a piece of evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Link {
    /// Nothing of ours.
    #[default]
    None,
    /// A check of a pack, and whether it can be repaired through the host's API.
    Check(PackId, String, bool),
    /// A log source.
    Log(String),
    /// A batch.
    Batch(BatchId),
    /// An account in a group of the host, by the group's name.
    Account(String, RemoteId),
    /// A probe: its subject on the board.
    Probe(String),
}

/// Everything that was seen, and by which rules it is judged.
pub struct TriageInput<'a> {
    /// The rules at hand.
    pub packs: &'a [TriagePack],
    /// What was seen.
    pub evidence: &'a [Evidence],
    /// UTC ms.
    pub now_ms: i64,
}

/// A clause with its pattern compiled once.
struct Ready<'a> {
    when: &'a When,
    pattern: Option<regex::Regex>,
}

/// A rule ready to be held against evidence.
struct ReadyRule<'a> {
    rule: &'a TriageRule,
    clauses: Vec<Ready<'a>>,
}

impl ReadyRule<'_> {
    fn fits(&self, evidence: &Evidence) -> bool {
        self.clauses.iter().any(|clause| clause.fits(evidence))
    }
}

impl Ready<'_> {
    fn fits(&self, evidence: &Evidence) -> bool {
        if self.when.seen != evidence.seen {
            return false;
        }
        if evidence.seen == Seen::Check {
            let verdict = evidence
                .verdict
                .is_some_and(|at| self.when.verdicts.contains(&at));
            if !verdict || !matches_glob(&self.when.name, &evidence.subject) {
                return false;
            }
        }
        self.pattern.as_ref().is_none_or(|pattern| {
            pattern.is_match(&evidence.found) || pattern.is_match(&evidence.more)
        })
    }
}

fn ready(packs: &[TriagePack]) -> Vec<ReadyRule<'_>> {
    let rules = packs.iter().flat_map(|pack| &pack.rules);
    rules
        .map(|rule| ReadyRule {
            rule,
            clauses: rule
                .when
                .iter()
                .filter_map(|when| {
                    // Packs were read: a pattern that does not compile is not there.
                    let pattern = match &when.pattern {
                        Some(text) => Some(When::compile(text).ok()?),
                        None => None,
                    };
                    Some(Ready { when, pattern })
                })
                .collect(),
        })
        .collect()
}

/// Judges what was seen: the findings, the one to look at first on top, and what they come to.
pub fn triage(input: &TriageInput<'_>) -> TriageReport {
    let rules = ready(input.packs);
    let mut findings: Vec<TriageFinding> = Vec::new();
    let well_since = well_since(input.evidence);
    for rule in &rules {
        let fits: Vec<Evidence> = input
            .evidence
            .iter()
            .filter(|at| rule.fits(at))
            .map(|at| aged(at, rule.rule.sort, well_since))
            .collect();
        // What is true elsewhere, or was true once, is a finding of its own: it judges nothing here.
        let (live, other): (Vec<_>, Vec<_>) =
            fits.into_iter().partition(|at| at.origin == Origin::Live);
        for evidence in [live, other] {
            if !evidence.is_empty() {
                findings.push(TriageFinding::of_rule(rule.rule, evidence));
            }
        }
    }
    // A red row that no rule knows is not lost: it speaks for itself.
    for evidence in input.evidence {
        let red = matches!(evidence.verdict, Some(Verdict::Fail | Verdict::Warn));
        if red && !rules.iter().any(|rule| rule.fits(evidence)) {
            findings.push(TriageFinding::of_check(evidence));
        }
    }
    let findings = fold::fold(findings, input.evidence);
    TriageReport::of(findings, input)
}

/// Since when nothing that must hold fails; `None` while something does, or nothing was judged.
fn well_since(evidence: &[Evidence]) -> Option<i64> {
    let live = evidence
        .iter()
        .filter(|at| at.seen == Seen::Check && at.origin == Origin::Live);
    let judged = live
        .clone()
        .any(|at| at.verdict.is_some_and(Verdict::is_judged));
    let fails = live
        .clone()
        .any(|at| at.verdict == Some(Verdict::Fail) && at.level == Level::Must);
    live.map(|at| at.at_ms).min().filter(|_| judged && !fails)
}

/// A line that tells of a symptom is of an earlier time once checks were well after it. A line that
/// names a cause stays: what no check looks at may still be there.
fn aged(evidence: &Evidence, sort: Sort, well_since: Option<i64>) -> Evidence {
    let mut at = evidence.clone();
    let passed = well_since.is_some_and(|since| at.at_ms < since);
    if passed && at.seen == Seen::Log && sort == Sort::Symptom && at.origin == Origin::Live {
        at.origin = Origin::Historical;
    }
    at
}

#[cfg(test)]
mod tests;
