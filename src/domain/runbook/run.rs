//! One walk along the steps: what was found, answered and done, and where it stands. Pure: whoever
//! walks saves it after every change, with its revision, so that no two take the same step.

use super::step::{Act, Answer, Step, When};
use super::values::is_value;
use crate::baseline::Verdict;
use crate::ids::{HostId, MachineId, PackId, PlanId, RunId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most characters of a step's output that are kept; the end is what matters.
const MOST_OUTPUT: usize = 16_000;

/// Whose steps they are: what trust they need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A pack's, as it was when the run began. Its commands run only when that pack is trusted.
    Pack {
        /// The pack.
        pack: PackId,
        /// Its fingerprint then.
        fingerprint: String,
    },
    /// The cockpit's own.
    Own,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Not come to yet.
    Todo,
    /// A look that is being taken, or a watch that goes on.
    Looking,
    /// Waits for a person's answer.
    Asked,
    /// Waits for a person's word for exactly this.
    Planned,
    /// Was begun; nothing is known of its end yet.
    Sent,
    /// Was begun, and its end was never seen: a person has to say.
    Unknown,
    /// Came out wrong: nothing goes on before it is taken again.
    Held,
    /// As expected, answered or done.
    Ok,
    /// A look that found something wrong, which the run goes on from.
    Bad,
    /// Passed over.
    Skipped,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Self; 10] = [
        Self::Todo,
        Self::Looking,
        Self::Asked,
        Self::Planned,
        Self::Sent,
        Self::Unknown,
        Self::Held,
        Self::Ok,
        Self::Bad,
        Self::Skipped,
    ];

    /// Its word in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::Looking => "looking",
            Self::Asked => "asked",
            Self::Planned => "planned",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Ok => "ok",
            Self::Bad => "bad",
            Self::Skipped => "skipped",
        }
    }

    /// Whether the run goes on from it by itself.
    pub fn is_past(self) -> bool {
        matches!(self, Self::Ok | Self::Bad | Self::Skipped)
    }
}

/// What one check of a look came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The check, or the step's own look.
    pub check: String,
    /// What it came to.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub next_step: String,
    /// The far end's own words, redacted.
    pub evidence: String,
    /// Whether it is bad, and has not been so for as long as its check says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

impl Seen {
    /// Whether it came out as expected.
    pub fn is_good(&self) -> bool {
        matches!(self.verdict, Verdict::Ok | Verdict::Warn | Verdict::Waived)
    }
}

/// What a `do` step would do, as a person approves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDeed {
    /// The plan.
    pub id: PlanId,
    /// Its hash.
    pub plan_hash: String,
    /// The host whose leave is asked: armed and, on production, typed.
    pub host: HostId,
    /// Whether its name has to be typed and a reason given.
    pub wants_name: bool,
    /// Where, and the words: one line.
    pub line: String,
    /// UTC ms.
    pub made_ms: i64,
}

/// A step with how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStep {
    /// The step.
    #[serde(flatten)]
    pub step: Step,
    /// How it stands.
    pub mark: Mark,
    /// When it came to stand so, UTC ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// What a person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// One line: what it came to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub came_to: String,
    /// What was seen at the newest look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Seen>,
    /// What a command printed: its end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// What is to be approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlannedDeed>,
    /// Looks of a watch that were good, one after the other.
    #[serde(default)]
    pub looks: u64,
    /// Looks in a row that could not be taken.
    #[serde(default)]
    pub blind: u64,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Can be gone on with by itself: looks are next.
    Open,
    /// A person has to answer.
    Asks,
    /// A person has to approve.
    Confirms,
    /// A person has to say what came of a step.
    Unknown,
    /// Something came out wrong.
    Held,
    /// Every step is taken.
    Done,
    /// A person ended it.
    Stopped,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Asks,
        Self::Confirms,
        Self::Unknown,
        Self::Held,
        Self::Done,
        Self::Stopped,
    ];

    /// Its word in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Asks => "asks",
            Self::Confirms => "confirms",
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }

    /// Whether nothing is left to do.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Stopped)
    }
}

/// One walk along a runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Counts its changes: what was read is saved only while nobody else saved it.
    pub revision: i64,
    /// The runbook.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The same in Chinese, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_zh: Option<String>,
    /// Whose steps these are.
    pub origin: Origin,
    /// The pack whose checks are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackId>,
    /// The host it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// The machine it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineId>,
    /// Values: those of the start, and those that steps added.
    pub values: BTreeMap<String, String>,
    /// How it stands.
    pub state: RunState,
    /// Why a person ended it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who began it.
    pub owner: String,
    /// UTC ms.
    pub started_ms: i64,
    /// UTC ms.
    pub updated_ms: i64,
    /// The steps.
    pub steps: Vec<RunStep>,
}

impl RunStep {
    /// A step nobody came to yet.
    pub fn new(step: Step) -> Self {
        Self {
            step,
            mark: Mark::Todo,
            at_ms: None,
            said: None,
            came_to: String::new(),
            seen: Vec::new(),
            output: String::new(),
            plan: None,
            looks: 0,
            blind: 0,
        }
    }

    /// Marks it.
    pub fn set(&mut self, mark: Mark, came_to: impl Into<String>, now_ms: i64) {
        self.mark = mark;
        self.came_to = came_to.into();
        self.at_ms = Some(now_ms);
    }
}

impl Run {
    /// Where it stands; `None` at its end.
    pub fn at(&self) -> Option<usize> {
        self.steps.iter().position(|step| !step.mark.is_past())
    }

    /// The step it stands at.
    pub fn current(&self) -> Option<&RunStep> {
        self.at().map(|at| &self.steps[at])
    }

    /// The step it stands at, to be changed.
    pub fn current_mut(&mut self) -> Option<&mut RunStep> {
        self.at().map(|at| &mut self.steps[at])
    }

    /// Passes over the steps whose condition does not hold, and says how the run stands now.
    pub fn settle(&mut self, now_ms: i64) {
        self.updated_ms = now_ms;
        if self.state == RunState::Stopped {
            return;
        }
        while let Some(at) = self.at() {
            let step = &self.steps[at];
            let wanted = step.step.when.as_ref().is_none_or(|when| self.holds(when));
            if step.mark != Mark::Todo || wanted {
                break;
            }
            self.steps[at].set(Mark::Skipped, "not called for", now_ms);
        }
        self.state = match self.current().map(|step| step.mark) {
            None => RunState::Done,
            Some(Mark::Asked) => RunState::Asks,
            Some(Mark::Planned) => RunState::Confirms,
            Some(Mark::Sent | Mark::Unknown) => RunState::Unknown,
            Some(Mark::Held) => RunState::Held,
            Some(_) => RunState::Open,
        };
    }

    fn holds(&self, when: &When) -> bool {
        let named = self.steps.iter().find(|step| step.step.id == when.step());
        named.is_some_and(|step| match when {
            When::Bad(_) => step.mark == Mark::Bad,
            When::Yes(_) => step.said.as_deref() == Some("yes"),
        })
    }

    /// Takes what a look saw into the step the run stands at.
    pub fn looked(&mut self, seen: Vec<Seen>, now_ms: i64) {
        let Some(at) = self.at() else { return };
        let Act::Look(look) = self.steps[at].step.act.clone() else {
            return;
        };
        for (name, expression) in &look.take {
            let mut texts = seen.iter().flat_map(|row| [&row.evidence, &row.found]);
            if let Some(value) = texts.find_map(|text| super::take_value(expression, text)) {
                self.values.insert(name.clone(), value);
            }
        }
        let bad = seen.iter().find(|row| !row.is_good());
        let (mark, came_to) = match bad {
            None => (Mark::Ok, said_of(&seen)),
            Some(row) if look.must => (Mark::Held, format!("{}: {}", row.verdict, first(row))),
            Some(row) => (Mark::Bad, format!("{}: {}", row.verdict, first(row))),
        };
        let step = &mut self.steps[at];
        step.seen = seen;
        step.set(mark, came_to, now_ms);
    }

    /// Takes one look of a watch into the step the run stands at: counts it, or turns.
    pub fn watched(&mut self, seen: Vec<Seen>, now_ms: i64) {
        let Some(at) = self.at() else { return };
        let Act::Watch(watch) = self.steps[at].step.act.clone() else {
            return;
        };
        let step = &mut self.steps[at];
        let turned = seen.iter().find(|row| row.verdict == Verdict::Fail);
        let pending = seen.iter().find(|row| !row.is_good() && row.pending);
        let blind = seen.iter().find(|row| !row.is_good() && !row.pending);
        if let Some(row) = turned {
            let text = format!(
                "turned after {} good look(s): {}: {}",
                step.looks,
                row.check,
                first(row)
            );
            step.set(Mark::Held, text, now_ms);
        } else if let Some(row) = blind {
            step.blind += 1;
            let text = format!("could not look: {}: {}", row.check, first(row));
            // One lost answer is no verdict; two in a row are no watch.
            let mark = if step.blind > 1 {
                Mark::Held
            } else {
                Mark::Looking
            };
            step.set(mark, text, now_ms);
        } else if let Some(row) = pending {
            // Its check says how long it may be so: it fails by itself, or is good again.
            step.set(
                Mark::Looking,
                format!("{}: {}", row.check, first(row)),
                now_ms,
            );
        } else {
            step.blind = 0;
            step.looks += 1;
            let of = watch.looks();
            if step.looks >= of {
                step.set(
                    Mark::Ok,
                    format!("all good: {of} looks over {}", span(watch.for_s)),
                    now_ms,
                );
            } else {
                step.set(
                    Mark::Looking,
                    format!("{} of {of} looks, all good", step.looks),
                    now_ms,
                );
            }
        }
        step.seen = seen;
    }

    /// Takes a person's answer; the error says what would be one.
    pub fn answered(&mut self, said: &str, now_ms: i64) -> Result<(), String> {
        let said = said.trim();
        let Some(at) = self.at() else {
            return Err("the run is at its end".to_owned());
        };
        let step = &mut self.steps[at];
        let Act::Ask(ask) = &step.step.act else {
            return Err("nothing is asked now".to_owned());
        };
        let word = said.to_lowercase();
        let (kept, came_to) = match ask.answer {
            Answer::Yes => match word.as_str() {
                "y" | "yes" => ("yes", "yes".to_owned()),
                "n" | "no" => ("no", "no".to_owned()),
                _ => return Err("answer `yes` or `no`".to_owned()),
            },
            Answer::Done => match word.as_str() {
                "d" | "done" => ("done", "done".to_owned()),
                _ => return Err("answer `done` when it is done".to_owned()),
            },
            Answer::Value => {
                if !is_value(said, ask.matches.as_deref()) {
                    return Err(match &ask.matches {
                        Some(rule) => format!("a value here looks like `{rule}`"),
                        None => "a value is a plain name, path or address".to_owned(),
                    });
                }
                let name = ask.value.clone().unwrap_or_default();
                self.values.insert(name.clone(), said.to_owned());
                (said, format!("{name} = {said}"))
            }
        };
        step.said = Some(kept.to_owned());
        step.set(Mark::Ok, came_to, now_ms);
        Ok(())
    }
}

/// The end of an output.
pub fn tail(output: &str) -> String {
    let count = output.chars().count();
    if count <= MOST_OUTPUT {
        return output.trim_end().to_owned();
    }
    let end: String = output.chars().skip(count - MOST_OUTPUT).collect();
    format!("(the beginning is left out)\n{}", end.trim_end())
}

fn said_of(seen: &[Seen]) -> String {
    match seen {
        [one] => format!("{}: {}", one.verdict, first(one)),
        more => format!("{} looks as expected", more.len()),
    }
}

fn first(row: &Seen) -> &str {
    row.found.lines().next().unwrap_or_default()
}

fn span(seconds: u64) -> String {
    if seconds >= 60 && seconds.is_multiple_of(60) {
        format!("{} min", seconds / 60)
    } else {
        format!("{seconds} s")
    }
}
