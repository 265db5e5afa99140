//! The deploy gate's rules: what was seen before a deployment against what is seen after it, and
//! what keeps the gate shut.

use crate::baseline::{CheckResult, Verdict};
use crate::batch::words;
use crate::ids::{HostId, MachineId, PackId};
use crate::pack::{Gate, GateAct};
use crate::plan::LIFE_MS;
use crate::text::shorten;
use regex::Regex;
use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Most lines kept of one step.
const MOST_LINES: usize = 2000;

words! {
    /// On which side of a deployment.
    GatePhase {
        /// Before it.
        Before = "before",
        /// After it.
        After = "after",
    }
}

words! {
    /// What a step came to.
    GateState {
        /// As it should be, or done.
        Passed = "passed",
        /// Not as it should be.
        Failed = "failed",
        /// It could not be looked at.
        CouldNotLook = "could_not_look",
        /// It was left out.
        NotDone = "not_done",
        /// It was begun, and nobody saw its end: a person says whether it was done.
        Unseen = "unseen",
    }
}

/// One step as it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRow {
    /// The step.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// The same in Chinese, if the pack has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_zh: Option<String>,
    /// `lines`, `run`, `check` or `do`.
    pub kind: String,
    /// What it came to.
    pub state: GateState,
    /// What was found, in a line or two.
    pub found: String,
    /// What to do next; empty when it passed.
    pub next_step: String,
    /// Lines that were kept, of a step that keeps some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
}

impl GateRow {
    /// A step that has come to something.
    pub fn of(
        step: &crate::pack::GateStep,
        state: GateState,
        found: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Self {
        Self {
            id: step.id.clone(),
            title: step.title.clone(),
            title_zh: step.title_zh.clone(),
            kind: step.act.kind().to_owned(),
            state,
            found: found.into(),
            next_step: next_step.into(),
            lines: Vec::new(),
        }
    }

    /// Its name in the reader's language.
    pub fn title_in(&self, chinese: bool) -> &str {
        match &self.title_zh {
            Some(title) if chinese => title,
            _ => &self.title,
        }
    }

    /// A step that the check engine looked at.
    pub fn judged(step: &crate::pack::GateStep, row: &CheckResult) -> Self {
        let state = match row.verdict {
            Verdict::Ok | Verdict::Warn | Verdict::Waived => GateState::Passed,
            Verdict::Fail => GateState::Failed,
            _ => GateState::CouldNotLook,
        };
        let next = if state == GateState::Passed {
            ""
        } else {
            &row.next_step
        };
        Self::of(step, state, row.found.clone(), next)
    }
}

/// One side of a deployment, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRecord {
    /// The pack.
    pub pack: PackId,
    /// Its fingerprint then.
    pub fingerprint: String,
    /// The host it judges.
    pub host: HostId,
    /// Where its commands ran.
    pub machine: MachineId,
    /// Which side.
    pub phase: GatePhase,
    /// UTC ms.
    pub at_ms: i64,
    /// The steps, in order.
    pub rows: Vec<GateRow>,
    /// Changed lines that a person approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved: Vec<String>,
}

impl GateRecord {
    /// A step of it.
    pub fn row(&self, id: &str) -> Option<&GateRow> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// Where the step stands whose end nobody saw.
    pub fn unseen(&self) -> Option<usize> {
        self.rows
            .iter()
            .position(|row| row.state == GateState::Unseen)
    }
}

/// What is different about one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateChange {
    /// The step.
    pub step: String,
    /// What it came to before, when that is different.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<GateState>,
    /// What it comes to now, when that is different.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<GateState>,
    /// Lines that differ: `+ new`, `- gone`, `~ old -> new`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
}

/// The lines of an output that some expression finds, white space around them left out.
pub fn kept_lines(output: &str, find: &[String]) -> Vec<String> {
    // The pack's rules have refused what is no expression.
    let find: Vec<Regex> = find
        .iter()
        .filter_map(|text| Regex::new(text).ok())
        .collect();
    output
        .lines()
        .map(str::trim)
        .filter(|line| find.iter().any(|find| find.is_match(line)))
        .take(MOST_LINES)
        .map(|line| shorten(line, 400))
        .collect()
}

/// What is different after a deployment, step by step. A `do` step has no before.
pub fn compare(before: &GateRecord, rows: &[GateRow]) -> Vec<GateChange> {
    rows.iter()
        .filter_map(|row| {
            let was = before.row(&row.id)?;
            let lines = differences(&was.lines, &row.lines);
            let left_out = [was.state, row.state].contains(&GateState::NotDone);
            let moved = !left_out && was.state != row.state;
            (moved || (!lines.is_empty() && !left_out)).then(|| GateChange {
                step: row.id.clone(),
                was: moved.then_some(was.state),
                now: moved.then_some(row.state),
                lines,
            })
        })
        .collect()
}

/// Lines that differ, in the order of the text.
fn differences(was: &[String], now: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, was, now) {
        let (gone, new) = match op {
            DiffOp::Equal { .. } => continue,
            _ => (&was[op.old_range()], &now[op.new_range()]),
        };
        let paired = gone.len().min(new.len());
        out.extend(
            gone.iter()
                .zip(new)
                .map(|(old, new)| format!("~ {old} -> {new}")),
        );
        out.extend(gone[paired..].iter().map(|line| format!("- {line}")));
        out.extend(new[paired..].iter().map(|line| format!("+ {line}")));
    }
    out
}

/// The lines that a deployment changed, over all steps.
pub fn changed_lines(changes: &[GateChange]) -> Vec<String> {
    let lines = changes.iter().flat_map(|change| &change.lines);
    lines.cloned().collect()
}

/// Why the look before a deployment cannot be compared with; empty when it can.
pub fn before_faults(
    gate: &Gate,
    fingerprint: &str,
    before: Option<&GateRecord>,
    now_ms: i64,
) -> Vec<String> {
    let Some(before) = before else {
        return vec!["nothing was recorded before the deployment".to_owned()];
    };
    let mut faults = Vec::new();
    let age = (now_ms - before.at_ms).max(0) / 1000;
    if u64::try_from(age).is_ok_and(|age| age > gate.max_age_s) {
        faults.push(format!(
            "what was recorded before is {} h old, {} h at most",
            age / 3600,
            gate.max_age_s / 3600
        ));
    }
    if before.fingerprint != fingerprint {
        faults.push("the pack was changed since the record before".to_owned());
    }
    for step in &gate.steps {
        let taken = before.row(&step.id).map(|row| row.state);
        let is_do = matches!(step.act, GateAct::Do(_));
        if !is_do && matches!(taken, None | Some(GateState::NotDone)) {
            faults.push(format!("step `{}` was left out before", step.id));
        }
    }
    faults
}

/// Why the gate is not passed: a step failed, was left out or is missing, or lines changed that
/// nobody has approved. Empty when it is passed.
pub fn gate_faults(
    gate: &Gate,
    rows: &[GateRow],
    changes: &[GateChange],
    approved: &[String],
) -> Vec<String> {
    let mut faults = Vec::new();
    for step in &gate.steps {
        match rows.iter().find(|row| row.id == step.id) {
            None => faults.push(format!("step `{}` is missing", step.id)),
            Some(row) => match row.state {
                GateState::Passed => {}
                GateState::Failed => {
                    faults.push(format!("step `{}` failed: {}", row.id, row.found));
                }
                GateState::CouldNotLook => faults.push(format!(
                    "step `{}` could not be looked at: {}",
                    row.id, row.found
                )),
                GateState::NotDone => faults.push(format!("step `{}` was left out", row.id)),
                GateState::Unseen => faults.push(format!(
                    "step `{}` was begun and nobody saw its end: {}",
                    row.id, row.found
                )),
            },
        }
    }
    for line in changed_lines(changes) {
        if !approved.contains(&line) {
            faults.push(format!("changed and not approved: {line}"));
        }
    }
    faults
}

/// What is approved before the gate does anything. Its hash is over this value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatePlan {
    /// The host it judges.
    pub host: HostId,
    /// The pack.
    pub pack: PackId,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Where its commands run.
    pub machine: MachineId,
    /// UTC ms of the record it compares with.
    pub before_ms: Option<i64>,
    /// What it would run, in order.
    pub does: Vec<GateDo>,
    /// Lines that the deployment changed: approved with the plan.
    pub changed: Vec<String>,
    /// Why it cannot be carried out; empty when it can.
    pub blockers: Vec<String>,
    /// UTC ms after which it is refused.
    pub expires_ms: i64,
}

/// A command of a gate's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateDo {
    /// The step.
    pub step: String,
    /// Its name for people.
    pub title: String,
    /// The command, word by word.
    pub argv: Vec<String>,
}

impl GatePlan {
    /// When a plan made now is too old.
    pub fn expiry(now_ms: i64) -> i64 {
        now_ms + LIFE_MS
    }
}

#[cfg(test)]
mod tests;
