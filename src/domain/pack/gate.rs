//! What a baseline pack says of its deployments and of stacks beside production: the steps of the
//! deploy gate, how a temporary stack is stopped, and what proves production well afterwards.

use super::baseline::{BaselinePack, Check, Place};
use super::looks::{CommandLook, Look};
use super::pace::Pace;
use super::shape::{fill_in, read_shape};
use crate::finding::{Finding, Source, suggest};
use crate::ids::{MachineId, PackId};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How old the look before a deployment may be, when the pack says nothing.
const DEFAULT_AGE_S: u64 = 86_400;
/// Most expressions of one step, and most bytes of each: a pack is no program.
const MOST_LINES: usize = 50;

/// The deploy gate: what is looked at before and after every deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Where its commands run.
    pub machine: MachineId,
    /// How old the look before may be when the one after is taken, in seconds.
    pub max_age_s: u64,
    /// Its steps, in order.
    pub steps: Vec<GateStep>,
}

/// One step of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateStep {
    /// Unique in the gate.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// The same in Chinese, if the pack has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title_zh: Option<String>,
    /// What it does.
    pub act: GateAct,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GateAct {
    /// Lines that a command prints, kept before and compared after.
    Lines {
        /// The command.
        argv: Vec<String>,
        /// Expressions: a line that one of them finds is kept.
        find: Vec<String>,
    },
    /// A command that only looks and must end well.
    Run(Vec<String>),
    /// A check of the pack.
    Check(String),
    /// A command that changes something: after a deployment only, behind an approval.
    Do(Vec<String>),
}

impl GateAct {
    /// Its word in packs and in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Lines { .. } => "lines",
            Self::Run(_) => "run",
            Self::Check(_) => "check",
            Self::Do(_) => "do",
        }
    }
}

/// Temporary stacks beside what the pack judges.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackRules {
    /// The command that stops a container; `CONTAINER` in it stands for the name.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Checks of the pack that prove production well after a clean-up.
    #[serde(default)]
    pub proof: Vec<String>,
}

impl StackRules {
    /// The word that a container's name takes the place of.
    pub const CONTAINER: &'static str = "CONTAINER";

    /// The command that stops this container: one word stays one word.
    pub fn stop_argv(&self, container: &str) -> Vec<String> {
        if self.stop.is_empty() {
            return ["docker", "stop", container].map(str::to_owned).to_vec();
        }
        let word = |word: &String| word.replace(Self::CONTAINER, container);
        self.stop.iter().map(word).collect()
    }
}

impl GateStep {
    /// The step as a check, for those that are looks of the check engine.
    pub fn as_check(&self, pack: &BaselinePack, machine: &MachineId) -> Option<Check> {
        match &self.act {
            // A gate looks now and at this alone: what lies above it and earlier looks decide nothing.
            GateAct::Check(id) => pack.check(id).map(|check| Check {
                parents: Vec::new(),
                pace: Pace::default(),
                ..check.clone()
            }),
            GateAct::Run(argv) => Some(Check {
                title_zh: self.title_zh.clone(),
                ..Check::own(
                    &self.id,
                    &self.title,
                    Place::Machine(machine.clone()),
                    Look::Command(CommandLook {
                        argv: argv.clone(),
                        ..CommandLook::default()
                    }),
                    format!(
                        "Run `{}` there by hand and mend what it names.",
                        argv.join(" ")
                    ),
                )
            }),
            GateAct::Lines { .. } | GateAct::Do(_) => None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGate {
    machine: Spanned<String>,
    max_age_s: Option<Spanned<u64>>,
    step: Vec<Spanned<RawStep>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    id: Spanned<String>,
    title: Spanned<String>,
    title_zh: Option<String>,
    lines: Option<RawLines>,
    run: Option<Vec<String>>,
    check: Option<Spanned<String>>,
    #[serde(rename = "do")]
    act: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLines {
    argv: Vec<String>,
    find: Vec<Spanned<String>>,
}

/// What of the pack's head is read here.
pub(super) struct Parts<'a> {
    gate: Option<Spanned<DeValue<'a>>>,
    stacks: Option<Spanned<DeValue<'a>>>,
}

impl<'a> Parts<'a> {
    /// Takes `gate` and `stacks` out of a pack's table.
    pub(super) fn take(table: &mut DeTable<'a>) -> Self {
        Self {
            gate: table.remove("gate"),
            stacks: table.remove("stacks"),
        }
    }

    /// Reads both, once variables and checks are known.
    pub(super) fn read(
        self,
        source: Source<'_>,
        vars: &BTreeMap<String, String>,
        checks: &[Check],
        findings: &mut Vec<Finding>,
    ) -> (Option<Gate>, StackRules) {
        let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
        let gate = self.gate.and_then(|mut value| {
            fill_in(source, &mut value, vars, findings);
            let raw = read_shape::<RawGate>(source, value, &["machine", "step"], findings)?;
            gate(source, raw, &ids, findings)
        });
        let stacks = self.stacks.and_then(|mut value| {
            fill_in(source, &mut value, vars, findings);
            let span = value.span();
            let rules = read_shape::<StackRules>(source, value, &[], findings)?;
            stack_rules(source, &rules, span, &ids, findings);
            Some(rules)
        });
        (gate, stacks.unwrap_or_default())
    }
}

fn gate(
    source: Source<'_>,
    raw: RawGate,
    checks: &[&str],
    findings: &mut Vec<Finding>,
) -> Option<Gate> {
    let before = findings.len();
    let machine = MachineId::new(raw.machine.get_ref().as_str());
    if machine.is_err() {
        findings.push(source.at(
            raw.machine.span(),
            "this is no machine's name",
            "write the NAME of a [machine.NAME] of the config",
        ));
    }
    let age = raw.max_age_s.map_or(DEFAULT_AGE_S, |age| {
        if !(60..=30 * 86_400).contains(age.get_ref()) {
            let hint = "60 to 2592000 seconds";
            findings.push(source.at(age.span(), "`max_age_s` is out of range", hint));
        }
        age.into_inner()
    });
    if raw.step.is_empty() {
        findings.push(source.at(
            raw.machine.span(),
            "the gate has no step",
            "add a [[gate.step]]",
        ));
    }
    let mut steps: Vec<GateStep> = Vec::new();
    for step in raw.step {
        let span = step.span();
        if let Some(step) = one_step(source, step.into_inner(), span, checks, findings) {
            if steps.iter().any(|known| known.id == step.1.id) {
                findings.push(source.at(
                    step.0,
                    format!("step `{}` stands here twice", step.1.id),
                    "give each step its own id",
                ));
            }
            steps.push(step.1);
        }
    }
    (findings.len() == before).then_some(())?;
    Some(Gate {
        machine: machine.ok()?,
        max_age_s: age,
        steps,
    })
}

fn one_step(
    source: Source<'_>,
    raw: RawStep,
    span: Range<usize>,
    checks: &[&str],
    findings: &mut Vec<Finding>,
) -> Option<(Range<usize>, GateStep)> {
    let at = raw.id.span();
    if PackId::new(raw.id.get_ref().as_str()).is_err() {
        let hint = "a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit";
        findings.push(source.at(at.clone(), "this id is no slug", hint));
    }
    if raw.title.get_ref().trim().is_empty() {
        findings.push(source.at(raw.title.span(), "`title` is empty", "write one sentence"));
    }
    let mut acts = Vec::new();
    if let Some(lines) = raw.lines {
        for find in &lines.find {
            if Regex::new(find.get_ref()).is_err() {
                let hint = "mend it, or put a backslash before what is meant as it stands";
                findings.push(source.at(find.span(), "this is no regular expression", hint));
            }
        }
        if lines.find.is_empty() || lines.find.len() > MOST_LINES {
            let hint = format!("1 to {MOST_LINES} expressions such as 'proxy_pass'");
            findings.push(source.at(at.clone(), "`find` is empty or too long", hint));
        }
        acts.push(GateAct::Lines {
            argv: lines.argv,
            find: lines.find.into_iter().map(Spanned::into_inner).collect(),
        });
    }
    acts.extend(raw.run.map(GateAct::Run));
    if let Some(check) = raw.check {
        if !checks.contains(&check.get_ref().as_str()) {
            findings.push(source.at(
                check.span(),
                format!("no check is called `{}`", check.get_ref()),
                suggest(check.get_ref(), checks),
            ));
        }
        acts.push(GateAct::Check(check.into_inner()));
    }
    acts.extend(raw.act.map(GateAct::Do));
    if acts.len() != 1 {
        findings.push(source.at(
            span,
            format!("step `{}` does {} things", raw.id.get_ref(), acts.len()),
            "give it exactly one of `lines`, `run`, `check`, `do`",
        ));
        return None;
    }
    let act = acts.pop()?;
    if let GateAct::Lines { argv, .. } | GateAct::Run(argv) | GateAct::Do(argv) = &act {
        argv_rules(source, argv, at.clone(), findings);
    }
    Some((
        at,
        GateStep {
            id: raw.id.into_inner(),
            title: raw.title.into_inner(),
            title_zh: raw.title_zh,
            act,
        },
    ))
}

fn argv_rules(source: Source<'_>, argv: &[String], at: Range<usize>, findings: &mut Vec<Finding>) {
    if argv.first().is_none_or(|program| program.trim().is_empty()) {
        let hint = "such as [\"nginx\", \"-t\"]";
        findings.push(source.at(at.clone(), "the command names no program", hint));
    }
    if argv.iter().any(|word| word.contains('\0')) {
        findings.push(source.at(at, "the command holds a zero byte", "leave it out"));
    }
}

fn stack_rules(
    source: Source<'_>,
    rules: &StackRules,
    at: Range<usize>,
    checks: &[&str],
    findings: &mut Vec<Finding>,
) {
    for id in &rules.proof {
        if !checks.contains(&id.as_str()) {
            let message = format!("no check is called `{id}`");
            findings.push(source.at(at.clone(), message, suggest(id, checks)));
        }
    }
    if rules.stop.is_empty() {
        return;
    }
    argv_rules(source, &rules.stop, at.clone(), findings);
    let named = |word: &String| word.contains(StackRules::CONTAINER);
    if !rules.stop.iter().skip(1).any(named) {
        let hint = "write CONTAINER where the name belongs: [\"docker\", \"stop\", \"CONTAINER\"]";
        findings.push(source.at(at, "`stop` does not say which container", hint));
    }
}
