//! Findings, and what they come to together.

use super::{Evidence, TriageInput};
use crate::baseline::{Origin, Verdict};
use crate::batch::words;
use crate::pack::{Layer, Level, NextAct, Rung, Seen, Sort, TriageRule};
use serde::{Deserialize, Serialize};

/// Pieces of evidence that are kept of a finding; the count says how many there were.
const KEPT: usize = 12;

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriageFinding {
    /// The rule, or the check itself where no rule knows it.
    pub rule: String,
    /// How far a request gets.
    pub rung: Rung,
    /// Whose fault it is.
    pub layer: Layer,
    /// What it is.
    pub sort: Sort,
    /// How much it weighs: as much as the heaviest piece of evidence.
    pub level: Level,
    /// What it comes to.
    pub judgement: String,
    /// The same in Chinese, if the pack has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement_zh: Option<String>,
    /// What to do next.
    pub next_step: String,
    /// The same in Chinese, if the pack has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step_zh: Option<String>,
    /// The command of ours that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<NextAct>,
    /// The line to type for it.
    #[serde(default)]
    pub command: String,
    /// The runbook that leads through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Where the evidence comes from; anything but `live` judges nothing.
    pub origin: Origin,
    /// Since when, UTC ms: the oldest piece of evidence.
    pub since_ms: i64,
    /// Symptoms that are this one thing.
    pub count: usize,
    /// What it rests on, the heaviest first.
    pub evidence: Vec<Evidence>,
    /// Rules whose findings are a part of this one.
    pub folded: Vec<String>,
    /// Rules that this one explains.
    #[serde(skip)]
    pub explains: Vec<String>,
}

impl TriageFinding {
    /// What a rule says of the evidence that fits it; there is some.
    pub(super) fn of_rule(rule: &TriageRule, evidence: Vec<Evidence>) -> Self {
        Self {
            rule: rule.id.clone(),
            rung: rule.rung,
            layer: rule.layer,
            sort: rule.sort,
            level: heaviest(&evidence),
            judgement: rule.judgement.clone(),
            judgement_zh: rule.judgement_zh.clone(),
            next_step: rule.next_step.clone(),
            next_step_zh: rule.next_step_zh.clone(),
            action: rule.action,
            command: String::new(),
            runbook: rule.runbook.clone(),
            origin: evidence.first().map_or(Origin::Live, |first| first.origin),
            since_ms: 0,
            count: evidence.iter().map(|at| at.times).sum(),
            evidence,
            folded: Vec::new(),
            explains: rule.explains.clone(),
        }
    }

    /// A red row that no rule knows.
    pub(super) fn of_check(evidence: &Evidence) -> Self {
        let layer = evidence.layer.unwrap_or(Layer::Hygiene);
        Self {
            rule: evidence.subject.clone(),
            rung: rung_of(layer),
            layer,
            sort: Sort::Cause,
            level: evidence.level,
            judgement: evidence.found.clone(),
            judgement_zh: None,
            next_step: evidence.next_step.clone(),
            next_step_zh: None,
            action: Some(NextAct::Baseline),
            command: String::new(),
            runbook: None,
            origin: evidence.origin,
            since_ms: 0,
            count: 1,
            evidence: vec![evidence.clone()],
            folded: Vec::new(),
            explains: Vec::new(),
        }
    }

    /// What is looked at first is the least: what was seen now before what was not, then by how far a
    /// request gets; looks that are still to be made come last.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        (
            distance(self.origin),
            self.sort == Sort::Step,
            std::cmp::Reverse(self.level == Level::Must),
            self.rung,
            self.sort,
            std::cmp::Reverse((self.level, self.count)),
            self.rule.clone(),
        )
    }

    /// Takes in what this one explains.
    pub(super) fn take_in(&mut self, part: Self) {
        self.folded.push(part.rule);
        self.folded.extend(part.folded);
        for at in part.evidence {
            if !self.evidence.contains(&at) {
                self.count += at.times;
                self.evidence.push(at);
            }
        }
    }

    /// Puts the evidence in order and keeps the head of it.
    pub(super) fn settle(&mut self) {
        self.since_ms = self.evidence.iter().map(|at| at.at_ms).min().unwrap_or(0);
        self.level = self.level.max(heaviest(&self.evidence));
        // What was judged comes before what that explains, and checks before lines.
        self.evidence
            .sort_by_key(|at| (at.muted_by.is_some(), std::cmp::Reverse(at.level), at.seen));
        self.evidence.truncate(KEPT);
    }

    /// Whether it says that something could not be looked at, and nothing that was.
    pub fn is_blind(&self) -> bool {
        let blind = |at: &Evidence| match at.verdict {
            // What a blind row explains was not judged either.
            Some(verdict) => matches!(
                verdict,
                Verdict::Unreachable | Verdict::Unknown | Verdict::NotJudged
            ),
            None => at.seen == Seen::Error,
        };
        !self.evidence.is_empty() && self.evidence.iter().all(blind)
    }

    /// What it adds to the whole; what was not seen live adds nothing.
    fn gate(&self) -> Option<Verdict> {
        if self.origin != Origin::Live || self.sort == Sort::Step {
            return None;
        }
        Some(match self.level {
            _ if self.is_blind() => {
                let unknown = |at: &Evidence| at.verdict == Some(Verdict::Unknown);
                if self.evidence.iter().any(unknown) {
                    Verdict::Unknown
                } else {
                    Verdict::Unreachable
                }
            }
            Level::Must => Verdict::Fail,
            Level::Should | Level::Info => Verdict::Warn,
        })
    }
}

/// How far away from here and now something was seen.
fn distance(origin: Origin) -> u8 {
    match origin {
        Origin::Live => 0,
        Origin::OldKey => 1,
        Origin::Acceptance => 2,
        Origin::Historical => 3,
    }
}

fn heaviest<'a>(evidence: impl IntoIterator<Item = &'a Evidence>) -> Level {
    evidence
        .into_iter()
        .map(|at| at.level)
        .max()
        .unwrap_or(Level::Info)
}

/// How far a request gets when a check of this layer fails and no rule says more.
fn rung_of(layer: Layer) -> Rung {
    match layer {
        Layer::Entry | Layer::Host => Rung::Entry,
        Layer::Binding | Layer::Upstream => Rung::Completion,
        Layer::Portal | Layer::ControlPlane | Layer::Client | Layer::Hygiene => Rung::Beside,
    }
}

words! {
    /// How a rung stands.
    RungState {
        /// Nothing that was seen is wrong with it.
        Holds = "holds",
        /// Something that judges is wrong.
        Broken = "broken",
        /// A rung below it is broken: nothing can be said.
        Open = "open",
    }
}

/// A rung, and how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LadderRung {
    /// The rung.
    pub rung: Rung,
    /// How it stands.
    pub state: RungState,
}

/// What was seen, and where to look first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriageReport {
    /// What the findings that judge come to.
    pub verdict: Verdict,
    /// How far a request gets.
    pub ladder: Vec<LadderRung>,
    /// The findings, the first one is to be looked at first.
    pub findings: Vec<TriageFinding>,
    /// Pieces of evidence that were held against the rules.
    pub seen: usize,
    /// UTC ms.
    pub at_ms: i64,
}

impl TriageReport {
    pub(super) fn of(findings: Vec<TriageFinding>, input: &TriageInput<'_>) -> Self {
        let looked = input.evidence.iter().any(|at| {
            at.seen == Seen::Check
                && at.origin == Origin::Live
                && at.verdict.is_some_and(Verdict::is_judged)
        });
        let gates: Vec<Verdict> = findings.iter().filter_map(TriageFinding::gate).collect();
        let has = |verdict| gates.contains(&verdict);
        let verdict = if has(Verdict::Fail) {
            Verdict::Fail
        } else if has(Verdict::Unreachable) {
            Verdict::Unreachable
        } else if has(Verdict::Unknown) {
            Verdict::Unknown
        } else if has(Verdict::Warn) {
            Verdict::Warn
        } else if !looked {
            // Nothing was judged, so nothing is known to be right.
            Verdict::Unknown
        } else {
            Verdict::Ok
        };
        Self {
            verdict,
            ladder: ladder(&findings, looked),
            findings,
            seen: input.evidence.len(),
            at_ms: input.now_ms,
        }
    }
}

fn ladder(findings: &[TriageFinding], looked: bool) -> Vec<LadderRung> {
    let mut fallen = !looked;
    let rungs = Rung::ALL.iter().filter(|rung| **rung != Rung::Beside);
    rungs
        .map(|rung| {
            let broken = findings
                .iter()
                .any(|at| at.rung == *rung && at.gate() == Some(Verdict::Fail));
            let state = match (broken, fallen) {
                (true, _) => RungState::Broken,
                (false, true) => RungState::Open,
                (false, false) => RungState::Holds,
            };
            fallen |= broken;
            LadderRung { rung: *rung, state }
        })
        .collect()
}
