//! The parts of a runbook's file, one after another: its head, and each step by its kind.

use super::book::Runbook;
use super::markdown::{Piece, blanked, pieces};
use super::raw::{Head, RawAsk, RawDo, RawLook, RawWatch};
use super::read::{OURS, own_look};
use super::step::{Act, Answer, AskStep, Deed, DoStep, LookAt, LookStep, Step, WatchStep, When};
use crate::finding::{Finding, Source, suggest};
use crate::ids::PackId;
use crate::pack::read_shape;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Longest time a command may take, in seconds.
const LONGEST: u64 = 600;
/// Longest watch, in seconds.
const LONGEST_WATCH: u64 = 86_400;

pub(super) struct Reader<'a> {
    pub(super) source: Source<'a>,
    pub(super) checks: &'a [&'a str],
    pub(super) vars: &'a BTreeMap<String, String>,
    /// Values that are known by now beside the variables.
    pub(super) values: BTreeSet<String>,
    /// Where commands run that do not say where.
    pub(super) machine: Option<String>,
    pub(super) steps: Vec<Step>,
    /// Where each step stands.
    pub(super) places: Vec<Range<usize>>,
    pub(super) findings: Vec<Finding>,
}

/// What every step has.
struct Common {
    id: String,
    when: Option<When>,
}

impl Reader<'_> {
    pub(super) fn fault(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.findings.push(self.source.at(span, message, hint));
    }

    pub(super) fn book(&mut self, name: &str) -> Option<Runbook> {
        if PackId::new(name).is_err() {
            let message = format!("the file's name `{name}` is no name of a runbook");
            self.fault(0..0, message, "a-z, 0-9, `-`, `_` and `.` only, then `.md`");
        }
        let mut parts = pieces(self.source.text).into_iter().peekable();
        let Some(Piece::Front(front)) = parts.next() else {
            self.fault(
                0..0,
                "a runbook begins with its title",
                "+++\ntitle = \"..\"\n+++".replace('\n', " / "),
            );
            return None;
        };
        let head = self.head(&front)?;
        let (mut text, mut title, mut before) = (String::new(), String::new(), Vec::new());
        for piece in parts {
            match piece {
                Piece::Front(_) => {}
                Piece::Heading(heading) => title = heading,
                Piece::Prose(prose) if self.steps.is_empty() && title.is_empty() => {
                    text.push_str(&prose);
                }
                Piece::Prose(prose) => before.push(prose),
                Piece::Step(word, whole, inner) => {
                    let said = std::mem::take(&mut before).join("\n\n");
                    if let Some(step) = self.step(word, whole.clone(), &inner, &title, said) {
                        self.steps.push(step);
                        self.places.push(whole);
                    }
                }
            }
        }
        if self.steps.is_empty() && self.findings.is_empty() {
            self.fault(
                0..0,
                "the runbook has no step",
                "add a fenced block that begins with ```look, ```ask, ```do or ```watch",
            );
        }
        Some(Runbook {
            name: name.to_owned(),
            title: head.title.into_inner(),
            title_zh: head.title_zh,
            checks: head.checks.into_iter().map(Spanned::into_inner).collect(),
            text,
            text_zh: None,
            steps: std::mem::take(&mut self.steps),
        })
    }

    fn head(&mut self, front: &Range<usize>) -> Option<Head> {
        let text = blanked(self.source.text, front);
        let table = self.table(&text, front)?;
        let span = table.span();
        let value = Spanned::new(span, DeValue::Table(table.into_inner()));
        let head: Head = read_shape(self.source, value, &["title"], &mut self.findings)?;
        if head.title.get_ref().trim().is_empty() {
            self.fault(
                head.title.span(),
                "`title` is empty",
                "write a name for people",
            );
        }
        for check in &head.checks {
            self.check(check);
        }
        if let Some(machine) = &head.machine {
            self.known(machine);
            self.machine = Some(machine.get_ref().clone());
        }
        Some(head)
    }

    /// A part of the file as TOML, its places counted in the file.
    fn table<'t>(&mut self, text: &'t str, part: &Range<usize>) -> Option<Spanned<DeTable<'t>>> {
        match DeTable::parse(text) {
            // The span of a whole document begins at the first byte: faults stand in the block.
            Ok(table) => Some(Spanned::new(part.clone(), table.into_inner())),
            Err(error) => {
                let finding = self.source.toml_error(&error);
                self.findings.push(finding);
                None
            }
        }
    }

    fn step(
        &mut self,
        word: &str,
        whole: Range<usize>,
        inner: &Range<usize>,
        heading: &str,
        text: String,
    ) -> Option<Step> {
        let toml = blanked(self.source.text, inner);
        let table = self.table(&toml, inner)?;
        let (common, act) = match word {
            "look" => self.look(table, inner, heading)?,
            "ask" => self.ask(table)?,
            "do" => self.deed(table, &whole)?,
            _ => self.watch(table)?,
        };
        let title = if heading.is_empty() {
            format!("{word} {}", self.steps.len() + 1)
        } else {
            heading.to_owned()
        };
        Some(Step {
            id: common.id,
            title,
            text,
            when: common.when,
            zh: None,
            act,
        })
    }

    fn common(
        &mut self,
        id: Option<Spanned<String>>,
        if_bad: Option<Spanned<String>>,
        if_yes: Option<Spanned<String>>,
    ) -> Common {
        let number = self.steps.len() + 1;
        if let Some(id) = &id {
            if PackId::new(id.get_ref()).is_err() {
                self.fault(
                    id.span(),
                    "this id is no slug",
                    "a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit",
                );
            }
            if self.steps.iter().any(|step| step.id == *id.get_ref()) {
                self.fault(
                    id.span(),
                    format!("step `{}` stands here twice", id.get_ref()),
                    "give each step its own id",
                );
            }
        }
        if let (Some(_), Some(both)) = (&if_bad, &if_yes) {
            self.fault(
                both.span(),
                "`if_bad` and `if_yes` stand together",
                "keep one of the two",
            );
        }
        let when = match (if_bad, if_yes) {
            (Some(step), _) => {
                self.earlier(&step, true);
                Some(When::Bad(step.into_inner()))
            }
            (None, Some(step)) => {
                self.earlier(&step, false);
                Some(When::Yes(step.into_inner()))
            }
            (None, None) => None,
        };
        Common {
            id: id.map_or_else(|| format!("step-{number}"), Spanned::into_inner),
            when,
        }
    }

    /// A condition names an earlier step that can come out both ways.
    fn earlier(&mut self, name: &Spanned<String>, look: bool) {
        let fits = |act: &Act| match act {
            Act::Look(step) => look && !step.must,
            Act::Ask(step) => !look && step.answer == Answer::Yes,
            Act::Do(_) | Act::Watch(_) => false,
        };
        let known: Vec<&str> = self
            .steps
            .iter()
            .filter(|step| fits(&step.act))
            .map(|step| step.id.as_str())
            .collect();
        if !known.contains(&name.get_ref().as_str()) {
            let what = if look {
                "look (without `must`)"
            } else {
                "question with `answer = \"yes\"`"
            };
            let hint = suggest(name.get_ref(), &known);
            self.fault(
                name.span(),
                format!("no {what} before this step is called so"),
                hint,
            );
        }
    }

    fn look(
        &mut self,
        table: Spanned<DeTable<'_>>,
        inner: &Range<usize>,
        heading: &str,
    ) -> Option<(Common, Act)> {
        let span = table.span();
        let rest = table.clone();
        let mut ours = table.into_inner();
        let own = rest
            .get_ref()
            .keys()
            .any(|key| !OURS.contains(&key.get_ref().as_ref()));
        let names: Vec<String> = ours.keys().map(|key| key.get_ref().to_string()).collect();
        for name in names.iter().filter(|name| !OURS.contains(&name.as_str())) {
            ours.remove(name.as_str());
        }
        let value = Spanned::new(span.clone(), DeValue::Table(ours));
        let raw: RawLook = read_shape(self.source, value, &[], &mut self.findings)?;
        let common = self.common(raw.id, raw.if_bad, raw.if_yes);
        let at = match (raw.check, own) {
            (Some(check), false) => {
                self.check(&check);
                LookAt::Check(check.into_inner())
            }
            (Some(check), true) => {
                self.fault(
                    check.span(),
                    "this look names a check and looks by itself",
                    "keep one of the two",
                );
                return None;
            }
            (None, false) => {
                self.fault(
                    span,
                    "this look does not say how to look",
                    "add `check = \"ID\"`, or `vantage` and a table as in a check of a pack",
                );
                return None;
            }
            (None, true) => {
                self.own(&rest, &common.id, heading);
                LookAt::Own(self.source.text[inner.clone()].to_owned())
            }
        };
        for (name, expression) in &raw.take {
            self.rule(expression);
            self.names(name);
        }
        if let Some(within) = &raw.within_s
            && !(1..=LONGEST).contains(within.get_ref())
        {
            self.fault(
                within.span(),
                "`within_s` is out of range",
                format!("1 to {LONGEST} seconds"),
            );
        }
        let take = raw
            .take
            .into_iter()
            .map(|(name, rule)| (name.into_inner(), rule.into_inner()));
        let act = Act::Look(LookStep {
            looks_at: at,
            must: raw.must,
            within_s: raw.within_s.map_or(0, Spanned::into_inner),
            take: take.collect(),
        });
        Some((common, act))
    }

    /// A look of its own is read with stand-ins for the values that a run will bring.
    fn own(&mut self, table: &Spanned<DeTable<'_>>, id: &str, heading: &str) {
        let mut least: Option<Vec<Finding>> = None;
        for stand_in in ["x", "/x"] {
            let mut values = self.vars.clone();
            for name in &self.values {
                values
                    .entry(name.clone())
                    .or_insert_with(|| stand_in.to_owned());
            }
            let mut findings = Vec::new();
            let title = if heading.is_empty() { id } else { heading };
            let check = own_look(
                self.source,
                table.clone(),
                id,
                title,
                &values,
                &mut findings,
            );
            if check.is_some() && findings.is_empty() {
                return;
            }
            if least
                .as_ref()
                .is_none_or(|least| findings.len() < least.len())
            {
                least = Some(findings);
            }
        }
        self.findings.extend(least.unwrap_or_default());
    }

    fn ask(&mut self, table: Spanned<DeTable<'_>>) -> Option<(Common, Act)> {
        let value = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
        let raw: RawAsk = read_shape(self.source, value, &["question"], &mut self.findings)?;
        let common = self.common(raw.id, raw.if_bad, raw.if_yes);
        if raw.question.get_ref().trim().is_empty() {
            self.fault(
                raw.question.span(),
                "`question` is empty",
                "write one sentence",
            );
        }
        self.known(&raw.question);
        match (&raw.value, raw.answer) {
            (None, Answer::Value) => self.fault(
                raw.question.span(),
                "the value has no name",
                "add `value = \"NAME\"`",
            ),
            (Some(name), Answer::Yes | Answer::Done) => {
                self.fault(
                    name.span(),
                    "only an answer that is a value has a name",
                    "write `answer = \"value\"`",
                );
            }
            _ => {}
        }
        if let Some(rule) = &raw.matches {
            self.rule(rule);
        }
        if let Some(name) = &raw.value {
            self.names(name);
        }
        let act = Act::Ask(AskStep {
            question: raw.question.into_inner(),
            answer: raw.answer,
            value: raw.value.map(Spanned::into_inner),
            matches: raw.matches.map(Spanned::into_inner),
        });
        Some((common, act))
    }

    fn deed(&mut self, table: Spanned<DeTable<'_>>, whole: &Range<usize>) -> Option<(Common, Act)> {
        let value = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
        let raw: RawDo = read_shape(self.source, value, &[], &mut self.findings)?;
        let common = self.common(raw.id, raw.if_bad, raw.if_yes);
        let deed = if let Some(check) = raw.repair {
            self.check(&check);
            if !raw.argv.is_empty() || !raw.back.is_empty() {
                self.fault(
                    check.span(),
                    "`repair` and a command stand together",
                    "keep one of the two",
                );
            }
            Deed::Repair {
                check: check.into_inner(),
            }
        } else {
            if raw.argv.is_empty() {
                self.fault(
                    whole.clone(),
                    "this step does nothing",
                    "add `argv = [\"program\", ..]` or `repair = \"CHECK\"`",
                );
            }
            self.words(&raw.argv);
            self.words(&raw.back);
            let machine = match raw.machine {
                Some(machine) => {
                    self.known(&machine);
                    machine.into_inner()
                }
                None => self
                    .machine
                    .clone()
                    .unwrap_or_else(|| "{{machine}}".to_owned()),
            };
            let limit = raw.time_limit_s.map_or(30, |limit| {
                if !(1..=LONGEST).contains(limit.get_ref()) {
                    self.fault(
                        limit.span(),
                        "`time_limit_s` is out of range",
                        format!("1 to {LONGEST} seconds"),
                    );
                }
                limit.into_inner()
            });
            Deed::Command {
                machine,
                argv: raw.argv.into_iter().map(Spanned::into_inner).collect(),
                status: raw.status,
                time_limit_s: limit,
            }
        };
        let back = raw.back.into_iter().map(Spanned::into_inner).collect();
        Some((common, Act::Do(DoStep { deed, back })))
    }

    fn watch(&mut self, table: Spanned<DeTable<'_>>) -> Option<(Common, Act)> {
        let value = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
        let raw: RawWatch =
            read_shape(self.source, value, &["checks", "for_s"], &mut self.findings)?;
        let common = self.common(raw.id, raw.if_bad, raw.if_yes);
        for check in &raw.checks {
            self.check(check);
        }
        if raw.checks.is_empty() {
            self.fault(
                raw.for_s.span(),
                "this step watches nothing",
                "name checks of the pack in `checks`",
            );
        }
        let every = raw.every_s.as_ref().map_or(30, |every| *every.get_ref());
        if !(1..=LONGEST_WATCH).contains(raw.for_s.get_ref()) {
            self.fault(
                raw.for_s.span(),
                "`for_s` is out of range",
                format!("1 to {LONGEST_WATCH} seconds"),
            );
        }
        if every == 0 || every > *raw.for_s.get_ref() {
            let span = raw
                .every_s
                .as_ref()
                .map_or_else(|| raw.for_s.span(), Spanned::span);
            self.fault(
                span,
                "`every_s` is no part of `for_s`",
                "1 second at least, at most `for_s`; the default is 30",
            );
        }
        let act = Act::Watch(WatchStep {
            checks: raw.checks.into_iter().map(Spanned::into_inner).collect(),
            for_s: raw.for_s.into_inner(),
            every_s: every.max(1),
        });
        Some((common, act))
    }
}
