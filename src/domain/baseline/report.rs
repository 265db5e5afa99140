//! Rows and what they come to together.

use super::history::Brief;
use super::judgement::Judgement;
use super::provenance::Provenance;
use super::verdict::Verdict;
use super::waiver::Waiver;
use crate::ids::{HostId, MachineId, PackId};
use crate::pack::{BaselinePack, Check, Layer, Level, Pace, Place};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the evidence of a row comes from. Only a live look judges an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Looked at now, at the real thing.
    #[default]
    Live,
    /// From an acceptance run on another stack.
    Acceptance,
    /// From an earlier time.
    Historical,
    /// Seen with a key that may belong to an older host or group.
    OldKey,
}

/// One row: a check and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check.
    pub id: String,
    /// Its layer.
    pub layer: Layer,
    /// Its level.
    pub level: Level,
    /// Name for people.
    pub title: String,
    /// The same in Chinese, if the pack has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_zh: Option<String>,
    /// What it came to.
    pub verdict: Verdict,
    /// What the look came to, where a waiver puts it aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Verdict>,
    /// Waivers about it, also those that have run out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
    /// The machine it looks on or goes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineId>,
    /// What it came to before, in few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<Brief>,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Why it matters.
    pub why: String,
    /// The same in Chinese, if the pack has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_zh: Option<String>,
    /// What to do next.
    pub next_step: String,
    /// The same in Chinese, if the pack has it; `None` where the look itself said what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step_zh: Option<String>,
    /// The far end's own words, redacted.
    pub evidence: String,
    /// Time the look took.
    pub duration_ms: u64,
    /// When it was looked at, UTC milliseconds.
    pub at_ms: i64,
    /// How long it says something of now, in seconds.
    #[serde(default = "usual_freshness")]
    pub fresh_for_s: u64,
    /// Since when the looks come to this verdict, as far as they are kept; UTC milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Where the evidence comes from.
    pub origin: Origin,
    /// Whether `repair plan` can mend it through the host's API.
    #[serde(default)]
    pub repair: bool,
    /// Whether it is bad and `unknown` until it has been so for as long as the check says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
    /// Which way the answers took, where the check follows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Box<Provenance>>,
    /// The parent that explains it, when it is `not_judged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_by: Option<String>,
}

/// Of rows that were kept before rows said it.
fn usual_freshness() -> u64 {
    Pace::default().fresh_for_s
}

impl CheckResult {
    /// Whether it is too old to say how things are.
    pub fn is_stale(&self, now_ms: i64) -> bool {
        let fresh_ms = i64::try_from(self.fresh_for_s)
            .unwrap_or(i64::MAX)
            .saturating_mul(1000);
        now_ms.saturating_sub(self.at_ms) > fresh_ms
    }

    /// The row of a live look.
    pub fn of(check: &Check, judgement: Judgement, at_ms: i64, duration_ms: u64) -> Self {
        let next_step_zh = match &judgement.fix {
            Some(_) => None,
            None => check.next_step_zh.clone(),
        };
        Self {
            id: check.id.clone(),
            layer: check.layer,
            level: check.level,
            title: check.title.clone(),
            title_zh: check.title_zh.clone(),
            verdict: judgement.verdict,
            judged: None,
            waivers: Vec::new(),
            machine: match &check.vantage {
                Place::Machine(machine) => Some(machine.clone()),
                Place::Here | Place::Outside => None,
            },
            history: None,
            expected: judgement.expected,
            found: judgement.found,
            why: check.why.clone(),
            why_zh: check.why_zh.clone(),
            next_step_zh,
            next_step: judgement.fix.unwrap_or_else(|| check.next_step.clone()),
            evidence: judgement.evidence,
            duration_ms,
            at_ms,
            fresh_for_s: check.pace.fresh_for_s,
            since_ms: None,
            origin: Origin::Live,
            repair: judgement.repair,
            pending: judgement.pending,
            provenance: judgement.provenance,
            muted_by: None,
        }
    }

    /// What the row adds to the whole: `should` can only warn, `info` and other origins nothing.
    pub fn gate(&self) -> Option<Verdict> {
        if self.origin != Origin::Live {
            return None;
        }
        match (self.level, self.verdict) {
            (Level::Info, _) | (_, Verdict::NotJudged) => None,
            (Level::Should, Verdict::Fail | Verdict::Unreachable | Verdict::Unknown) => {
                Some(Verdict::Warn)
            }
            (_, verdict) => Some(verdict),
        }
    }
}

/// What the rows come to: a failed `must` is `fail` and beats `unreachable`, that beats `unknown`,
/// that beats `warn`; a failed `should` warns; `info` never counts. Rows that all say nothing are
/// `unknown`: nothing was seen, so nothing is known to be right.
pub fn judge_pack(results: &[CheckResult]) -> Verdict {
    let gates: Vec<Verdict> = results.iter().filter_map(CheckResult::gate).collect();
    let worst = gates.iter().copied().max_by_key(|verdict| verdict.weight());
    match worst {
        Some(Verdict::Ok | Verdict::Waived) => Verdict::Ok,
        Some(verdict) => verdict,
        None if !results.is_empty()
            && results
                .iter()
                .all(|row| row.level == Level::Info && row.origin == Origin::Live) =>
        {
            Verdict::Ok
        }
        None => Verdict::Unknown,
    }
}

/// Marks as `not_judged` every row that a parent's trouble explains: a failed parent explains
/// anything that is not ok, one that could not be reached explains only that its child could not be
/// looked at either. A child that was seen to be fine stays so.
pub fn mute_children(pack: &BaselinePack, results: &mut [CheckResult]) {
    let verdicts: BTreeMap<String, Verdict> = results
        .iter()
        .map(|row| (row.id.clone(), row.verdict))
        .collect();
    for row in results.iter_mut() {
        let mut seen = vec![row.id.as_str()];
        let cause = cause_above(pack, &verdicts, &row.id, row.verdict, &mut seen);
        if let Some(parent) = cause {
            row.next_step = format!("Clear `{parent}` first; this check is judged again then.");
            row.verdict = Verdict::NotJudged;
            row.repair = false;
            row.pending = false;
            row.muted_by = Some(parent);
        }
    }
}

/// The highest ancestor whose trouble explains a verdict.
fn cause_above<'p>(
    pack: &'p BaselinePack,
    verdicts: &BTreeMap<String, Verdict>,
    id: &str,
    verdict: Verdict,
    seen: &mut Vec<&'p str>,
) -> Option<String> {
    if matches!(verdict, Verdict::Ok | Verdict::Waived | Verdict::NotJudged) {
        return None;
    }
    for parent in &pack.check(id)?.parents {
        if seen.contains(&parent.as_str()) {
            continue;
        }
        seen.push(parent);
        let explains = match verdicts.get(parent) {
            Some(Verdict::Fail) => true,
            Some(Verdict::Unreachable) => {
                matches!(verdict, Verdict::Unreachable | Verdict::Unknown)
            }
            _ => false,
        };
        if explains {
            let above = verdicts
                .get(parent)
                .and_then(|own| cause_above(pack, verdicts, parent, *own, seen));
            return Some(above.unwrap_or_else(|| parent.clone()));
        }
    }
    None
}

/// A finished run of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineReport {
    /// The pack.
    pub pack: PackId,
    /// Its name for people.
    pub title: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The host it was run for.
    pub host: Option<HostId>,
    /// What it came to.
    pub verdict: Verdict,
    /// Start, UTC milliseconds.
    pub started_ms: i64,
    /// Time the whole run took.
    pub duration_ms: u64,
    /// Whether a person stopped it before every row was looked at.
    pub cancelled: bool,
    /// The rows, in the order of the pack.
    pub results: Vec<CheckResult>,
}

impl BaselineReport {
    /// Says of every row since when it stands as it does, out of the run before this one.
    pub fn follow(&mut self, before: Option<&Self>) {
        for row in &mut self.results {
            let earlier = before
                .and_then(|report| report.results.iter().find(|other| other.id == row.id))
                .filter(|other| other.verdict == row.verdict);
            let since = earlier.map_or(row.at_ms, |other| other.since_ms.unwrap_or(other.at_ms));
            row.since_ms = Some(since);
        }
    }

    /// The same as it stands now: rows that are too old are `unknown`, and the whole follows.
    #[must_use]
    pub fn at(&self, now_ms: i64) -> Self {
        let mut report = self.clone();
        let mut old = false;
        for row in &mut report.results {
            if row.is_stale(now_ms) && row.verdict != Verdict::NotJudged {
                row.found = format!("was {} when it was last looked at", row.verdict);
                row.verdict = Verdict::Unknown;
                row.repair = false;
                row.pending = false;
                "Run the baseline again.".clone_into(&mut row.next_step);
                old = true;
            }
        }
        if old {
            report.verdict = judge_pack(&report.results);
        }
        report
    }

    /// How many rows came to a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.results
            .iter()
            .filter(|row| row.verdict == verdict)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap as Map;

    fn row(id: &str, level: Level, verdict: Verdict) -> CheckResult {
        CheckResult {
            id: id.to_owned(),
            layer: Layer::Entry,
            level,
            title: String::new(),
            title_zh: None,
            verdict,
            judged: None,
            waivers: Vec::new(),
            machine: None,
            history: None,
            expected: String::new(),
            found: String::new(),
            why: String::new(),
            why_zh: None,
            next_step: "own step".to_owned(),
            next_step_zh: None,
            evidence: String::new(),
            duration_ms: 0,
            at_ms: 0,
            fresh_for_s: 900,
            since_ms: None,
            origin: Origin::Live,
            repair: false,
            pending: false,
            provenance: None,
            muted_by: None,
        }
    }

    /// A name, the rows, and what they come to.
    type Row = (&'static str, &'static [(Level, Verdict)], Verdict);

    #[test]
    fn the_whole_is_the_worst_row_that_may_gate() {
        use Level::{Info, Must, Should};
        use Verdict::{Fail, NotJudged, Ok, Unknown, Unreachable, Waived, Warn};
        let rows: [Row; 14] = [
            ("nothing was looked at", &[], Unknown),
            ("all good", &[(Must, Ok), (Should, Ok)], Ok),
            ("a failed must fails", &[(Must, Ok), (Must, Fail)], Fail),
            ("a failed should warns", &[(Must, Ok), (Should, Fail)], Warn),
            ("info never gates", &[(Must, Ok), (Info, Fail)], Ok),
            (
                "failed beats unreachable",
                &[(Must, Unreachable), (Must, Fail)],
                Fail,
            ),
            (
                "unreachable beats unknown",
                &[(Must, Unknown), (Must, Unreachable)],
                Unreachable,
            ),
            (
                "unknown beats warn",
                &[(Must, Warn), (Must, Unknown)],
                Unknown,
            ),
            (
                "an unreachable should warns",
                &[(Must, Ok), (Should, Unreachable)],
                Warn,
            ),
            ("a waived row counts as good", &[(Must, Waived)], Ok),
            (
                "a muted row counts not",
                &[(Must, Fail), (Must, NotJudged)],
                Fail,
            ),
            (
                "muted rows alone say nothing",
                &[(Must, NotJudged)],
                Unknown,
            ),
            ("a warning must warns", &[(Must, Warn), (Must, Ok)], Warn),
            ("info alone is fine", &[(Info, Fail)], Ok),
        ];
        for (name, rows, expected) in rows {
            let rows: Vec<CheckResult> = rows
                .iter()
                .map(|(level, verdict)| row("x", *level, *verdict))
                .collect();
            assert_eq!(judge_pack(&rows), expected, "{name}");
        }
    }

    #[test]
    fn a_pass_from_elsewhere_does_not_judge_this_environment() {
        for origin in [Origin::Acceptance, Origin::Historical, Origin::OldKey] {
            let mut elsewhere = row("a", Level::Must, Verdict::Fail);
            elsewhere.origin = origin;
            assert_eq!(judge_pack(&[elsewhere.clone()]), Verdict::Unknown);
            let rows = [elsewhere, row("b", Level::Must, Verdict::Ok)];
            assert_eq!(judge_pack(&rows), Verdict::Ok);
        }
    }

    #[test]
    fn what_is_too_old_is_unknown_and_the_whole_follows() {
        let mut report = BaselineReport {
            pack: PackId::new("p").unwrap(),
            title: String::new(),
            fingerprint: String::new(),
            host: None,
            verdict: Verdict::Fail,
            started_ms: 0,
            duration_ms: 0,
            cancelled: false,
            results: vec![
                row("a", Level::Must, Verdict::Fail),
                row("b", Level::Must, Verdict::NotJudged),
                row("c", Level::Must, Verdict::Ok),
            ],
        };
        report.results[0].repair = true;
        report.results[2].at_ms = 500_000;
        assert_eq!(report.at(900_000), report, "fresh to the last second");
        let old = report.at(900_001);
        let verdicts: Vec<Verdict> = old.results.iter().map(|row| row.verdict).collect();
        assert_eq!(
            verdicts,
            [Verdict::Unknown, Verdict::NotJudged, Verdict::Ok]
        );
        assert_eq!(old.verdict, Verdict::Unknown);
        assert!(!old.results[0].repair, "what is not known is not mended");
        assert_eq!(old.results[0].next_step, "Run the baseline again.");
        assert!(old.results[0].found.contains("was fail"), "{old:?}");
    }

    fn family(parents: &[(&str, &[&str])]) -> BaselinePack {
        let checks: Vec<String> = parents
            .iter()
            .map(|(id, parents)| {
                format!(
                    "[[check]]\nid = \"{id}\"\nlayer = \"entry\"\nlevel = \"must\"\nparents = {parents:?}\n\
                     title = \"t\"\nwhy = \"w\"\nnext_step = \"n\"\n\
                     http = {{ url = \"http://x.lab\", status = 200 }}\n"
                )
            })
            .collect();
        let checks = checks.concat();
        let text = format!("schema = 1\nkind = \"baseline\"\ntitle = \"t\"\n{checks}");
        let id = PackId::new("x").unwrap();
        match crate::pack::read(&id, "x", &text, &Map::new()) {
            Ok(crate::pack::Pack::Baseline(pack)) => pack,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_parent_mutes_what_its_trouble_explains_and_nothing_else() {
        use Verdict::{Fail, NotJudged, Ok, Unknown, Unreachable, Warn};
        let pack = family(&[("top", &[]), ("middle", &["top"]), ("leaf", &["middle"])]);
        let rows = [
            (
                "failed explains failed",
                [Fail, Fail, Fail],
                [Fail, NotJudged, NotJudged],
            ),
            (
                "failed explains unreachable",
                [Fail, Unreachable, Ok],
                [Fail, NotJudged, Ok],
            ),
            (
                "a good child stays good",
                [Fail, Ok, Fail],
                [Fail, Ok, Fail],
            ),
            (
                "unreachable does not explain failed",
                [Unreachable, Fail, Unknown],
                [Unreachable, Fail, NotJudged],
            ),
            (
                "unreachable explains unreachable",
                [Unreachable, Unreachable, Unknown],
                [Unreachable, NotJudged, NotJudged],
            ),
            (
                "unknown explains nothing",
                [Unknown, Fail, Ok],
                [Unknown, Fail, Ok],
            ),
            (
                "a warning explains nothing",
                [Warn, Fail, Ok],
                [Warn, Fail, Ok],
            ),
        ];
        for (name, before, after) in rows {
            let mut results: Vec<CheckResult> = ["top", "middle", "leaf"]
                .iter()
                .zip(before)
                .map(|(id, verdict)| row(id, Level::Must, verdict))
                .collect();
            mute_children(&pack, &mut results);
            let found: Vec<Verdict> = results.iter().map(|row| row.verdict).collect();
            assert_eq!(found, after, "{name}");
        }
    }

    #[test]
    fn a_muted_row_names_the_root_of_the_trouble() {
        let pack = family(&[("top", &[]), ("middle", &["top"]), ("leaf", &["middle"])]);
        let mut results: Vec<CheckResult> = ["top", "middle", "leaf"]
            .iter()
            .map(|id| row(id, Level::Must, Verdict::Fail))
            .collect();
        mute_children(&pack, &mut results);
        assert_eq!(results[2].muted_by.as_deref(), Some("top"));
        assert!(results[2].next_step.contains("`top`"));
        assert_eq!(judge_pack(&results), Verdict::Fail);
    }

    #[test]
    fn rows_are_the_same_words_in_json_and_back() {
        let row = row("a", Level::Must, Verdict::NotJudged);
        let json = serde_json::to_value(&row).unwrap();
        assert_eq!(json["verdict"], "not_judged");
        assert_eq!(json["layer"], "entry");
        assert_eq!(json["origin"], "live");
        assert_eq!(serde_json::from_value::<CheckResult>(json).unwrap(), row);
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::parse(verdict.as_str()), Some(verdict));
            assert_eq!(
                serde_json::to_value(verdict).unwrap(),
                serde_json::json!(verdict.as_str())
            );
        }
    }

    #[test]
    fn a_row_stands_since_the_first_look_that_came_to_the_same() {
        let report = |at_ms, verdict| BaselineReport {
            pack: PackId::new("p").unwrap(),
            title: String::new(),
            fingerprint: String::new(),
            host: None,
            verdict,
            started_ms: at_ms,
            duration_ms: 0,
            cancelled: false,
            results: vec![CheckResult {
                at_ms,
                ..row("a", Level::Must, verdict)
            }],
        };
        let since = |report: &BaselineReport| report.results[0].since_ms;
        let mut first = report(10, Verdict::Ok);
        first.follow(None);
        assert_eq!(since(&first), Some(10));
        let mut second = report(20, Verdict::Fail);
        second.follow(Some(&first));
        assert_eq!(since(&second), Some(20), "it changed");
        let mut third = report(30, Verdict::Fail);
        third.follow(Some(&second));
        assert_eq!(since(&third), Some(20), "it stands");
        // A report of an older cockpit says no since.
        second.results[0].since_ms = None;
        third.follow(Some(&second));
        assert_eq!(since(&third), Some(20));
    }
}
