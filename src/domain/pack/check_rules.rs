//! The rules a check must keep: what serde cannot say.

use super::baseline::{Check, Level, Place};
use super::looks::{Look, Needs, Rules};
use super::pace::Pace;
use super::read_baseline::RawCheck;
use crate::finding::{Finding, Source, nearest, suggest};
use crate::ids::PackId;
use std::collections::BTreeMap;
use std::ops::Range;

/// Longest time limit a check may ask for, in seconds.
const LONGEST_LIMIT: u64 = 600;

/// Turns raw checks into checks, adding every finding.
pub(super) fn apply(
    source: Source<'_>,
    raw_checks: Vec<(RawCheck, Range<usize>)>,
    findings: &mut Vec<Finding>,
) -> Vec<Check> {
    family(source, &raw_checks, findings);
    let finds: BTreeMap<String, &'static [&'static str]> = raw_checks
        .iter()
        .filter_map(|(raw, _)| Some((raw.id.get_ref().clone(), raw.looks.first()?.1.facts())))
        .collect();
    let mut checks = Vec::new();
    for (mut raw, span) in raw_checks {
        let mut one = One {
            source,
            finds: &finds,
            findings: &mut *findings,
        };
        if let Some((vantage, pace, look)) = one.check(&mut raw, span) {
            checks.push(raw.into_check(vantage, pace, look));
        }
    }
    checks
}

/// Ids are unique, parents exist, are no weaker than their children and make no circle.
fn family(source: Source<'_>, checks: &[(RawCheck, Range<usize>)], findings: &mut Vec<Finding>) {
    let mut levels: BTreeMap<&str, Level> = BTreeMap::new();
    for (raw, _) in checks {
        let id = raw.id.get_ref().as_str();
        if PackId::new(id).is_err() {
            findings.push(source.at(
                raw.id.span(),
                "this id is no slug",
                "a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit",
            ));
        }
        if levels.insert(id, raw.level).is_some() {
            findings.push(source.at(
                raw.id.span(),
                format!("check `{id}` stands here twice"),
                "give each check its own id",
            ));
        }
    }
    let ids: Vec<&str> = levels.keys().copied().collect();
    for (raw, _) in checks {
        for parent in &raw.parents {
            let name = parent.get_ref().as_str();
            match levels.get(name) {
                None => findings.push(source.at(
                    parent.span(),
                    format!("no check is called `{name}`"),
                    suggest(name, &ids),
                )),
                Some(level) if *level < raw.level => findings.push(source.at(
                    parent.span(),
                    format!(
                        "`{name}` is only `{}` and would hide a failed `{}`",
                        level.as_str(),
                        raw.level.as_str()
                    ),
                    "name a parent of at least the same level",
                )),
                Some(_) if reaches(checks, name, raw.id.get_ref()) => findings.push(source.at(
                    parent.span(),
                    format!("`{name}` is below this check already"),
                    "parents may not make a circle",
                )),
                Some(_) => {}
            }
        }
    }
}

/// Whether `from` has `target` above it, or is it.
fn reaches(checks: &[(RawCheck, Range<usize>)], from: &str, target: &str) -> bool {
    let mut open = vec![from];
    let mut seen: Vec<&str> = Vec::new();
    while let Some(id) = open.pop() {
        if id == target {
            return true;
        }
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        open.extend(
            checks
                .iter()
                .filter(|(raw, _)| raw.id.get_ref() == id)
                .flat_map(|(raw, _)| raw.parents.iter().map(|parent| parent.get_ref().as_str())),
        );
    }
    false
}

/// The rules of one check.
struct One<'a, 'f> {
    source: Source<'a>,
    /// Every check of the pack, and what it finds that may be compared.
    finds: &'a BTreeMap<String, &'static [&'static str]>,
    findings: &'f mut Vec<Finding>,
}

impl One<'_, '_> {
    fn fault(&mut self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.findings.push(self.source.at(span, message, hint));
    }

    fn check(&mut self, raw: &mut RawCheck, span: Range<usize>) -> Option<(Place, Pace, Look)> {
        for (name, text) in [
            ("title", &raw.title),
            ("why", &raw.why),
            ("next_step", &raw.next_step),
        ] {
            if text.get_ref().trim().is_empty() {
                self.fault(
                    text.span(),
                    format!("`{name}` is empty"),
                    "write one sentence",
                );
            }
        }
        if let Some(limit) = &raw.time_limit_s
            && !(1..=LONGEST_LIMIT).contains(limit.get_ref())
        {
            self.fault(
                limit.span(),
                "`time_limit_s` is out of range",
                format!("1 to {LONGEST_LIMIT} seconds"),
            );
        }
        let vantage = self.vantage(raw);
        let (at, look) = self.one_look(&mut raw.looks, span)?;
        if look.needs() == Needs::Machine && matches!(vantage, Some(Place::Here | Place::Outside)) {
            let span = raw
                .vantage
                .as_ref()
                .map_or_else(|| at.clone(), toml::Spanned::span);
            self.fault(
                span,
                format!("`{}` looks on a machine", look.kind()),
                "add `vantage = \"machine:NAME\"`",
            );
        }
        if let Look::Compare(compare) = &look {
            for (check, fact) in compare.sides() {
                self.side(&at, check, fact);
            }
        }
        look.rules(&mut Rules::new(self.source, at, self.findings));
        let pace = raw.pace();
        let on_machine = matches!(vantage, Some(Place::Machine(_)));
        pace.rules(self.source, &look, on_machine, self.findings);
        Some((vantage?, pace.into_pace(), look))
    }

    /// One side of a comparison: a check of the pack, and something that it finds.
    fn side(&mut self, at: &Range<usize>, check: &str, fact: &str) {
        let Some(found) = self.finds.get(check) else {
            let ids: Vec<&str> = self.finds.keys().map(String::as_str).collect();
            let message = format!("no check is called `{check}`");
            self.fault(at.clone(), message, suggest(check, &ids));
            return;
        };
        let offered = found.iter().any(|name| match name.strip_suffix('*') {
            Some(begin) => fact.len() > begin.len() && fact.starts_with(begin),
            None => fact == *name,
        });
        if !offered {
            let hint = match *found {
                [] => "its kind finds nothing that can be compared".to_owned(),
                names => format!("`{check}:WHAT` with one of {}", names.join(", ")),
            };
            self.fault(at.clone(), format!("`{check}` finds no `{fact}`"), hint);
        }
    }

    /// The one look that a check has.
    fn one_look(
        &mut self,
        looks: &mut Vec<(Range<usize>, Look)>,
        span: Range<usize>,
    ) -> Option<(Range<usize>, Look)> {
        if let [_] = looks.as_slice() {
            return looks.pop();
        }
        let message = if looks.is_empty() {
            "this check does not say how to look".to_owned()
        } else {
            let kinds: Vec<&str> = looks.iter().map(|(_, look)| look.kind()).collect();
            format!("this check looks in {} ways", kinds.join(" and "))
        };
        let kinds = Look::KINDS.join(", ");
        self.fault(span, message, format!("exactly one of: {kinds}"));
        None
    }

    fn vantage(&mut self, raw: &RawCheck) -> Option<Place> {
        let Some(written) = &raw.vantage else {
            return Some(Place::Here);
        };
        let place = Place::parse(written.get_ref());
        if place.is_none() {
            let hint = match nearest(written.get_ref(), &["here", "outside"]) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`here`, `outside` or `machine:NAME`".to_owned(),
            };
            self.fault(written.span(), "this is no place to look from", hint);
        }
        place
    }
}
