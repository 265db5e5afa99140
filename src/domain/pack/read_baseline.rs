//! Reads a baseline pack: variables first, then every check by itself, so that one bad check does
//! not hide the next.

use super::baseline::{BaselinePack, Check, Layer, Level, Place};
use super::check_rules;
use super::gate::Parts;
use super::looks::Look;
use super::pace::{Grace, Pace, RawPace};
use super::shape::{fill_in, read_shape};
use crate::finding::{Finding, Source, suggest, unknown};
use crate::ids::PackId;
use crate::secret::sha256_hex;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const REQUIRED: [&str; 1] = ["title"];
const CHECK_REQUIRED: [&str; 6] = ["id", "layer", "level", "title", "why", "next_step"];

/// Every key of a check but its look.
const CHECK_KEYS: [&str; 18] = [
    "id",
    "layer",
    "level",
    "vantage",
    "parents",
    "title",
    "title_zh",
    "why",
    "why_zh",
    "next_step",
    "next_step_zh",
    "time_limit_s",
    "byte_limit",
    "every_s",
    "fresh_for_s",
    "for_s",
    "for_looks",
    "grace",
];

/// Seconds a check may take when the pack says nothing.
const DEFAULT_LIMIT: u64 = 15;
/// Seconds a smoke may take: models think.
const SMOKE_LIMIT: u64 = 90;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    #[serde(rename = "schema")]
    _schema: i64,
    #[serde(rename = "kind")]
    _kind: String,
    title: Spanned<String>,
    title_zh: Option<String>,
    /// Where the rules come from; for the reader of the file.
    #[serde(rename = "about")]
    _about: Option<String>,
    #[serde(default)]
    vars: BTreeMap<Spanned<String>, Spanned<String>>,
}

/// A check as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCheck {
    pub(super) id: Spanned<String>,
    pub(super) layer: Layer,
    pub(super) level: Level,
    pub(super) vantage: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) parents: Vec<Spanned<String>>,
    pub(super) title: Spanned<String>,
    title_zh: Option<String>,
    pub(super) why: Spanned<String>,
    why_zh: Option<String>,
    pub(super) next_step: Spanned<String>,
    next_step_zh: Option<String>,
    pub(super) time_limit_s: Option<Spanned<u64>>,
    byte_limit: Option<Spanned<usize>>,
    every_s: Option<Spanned<u64>>,
    fresh_for_s: Option<Spanned<u64>>,
    for_s: Option<Spanned<u64>>,
    for_looks: Option<Spanned<u32>>,
    grace: Option<Spanned<Grace>>,
    /// Read one by one, each by its kind.
    #[serde(skip)]
    pub(super) looks: Vec<(Range<usize>, Look)>,
}

/// Reads the pack; `None` when a finding was added that leaves nothing to read.
pub(super) fn read(
    id: &PackId,
    source: Source<'_>,
    table: Spanned<DeTable<'_>>,
    overrides: &BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) -> Option<BaselinePack> {
    let span = table.span();
    let mut table = table.into_inner();
    let checks = table.remove("check");
    let parts = Parts::take(&mut table);
    let head: Option<Head> = read_shape(
        source,
        Spanned::new(span, DeValue::Table(table)),
        &REQUIRED,
        findings,
    );
    let vars = head
        .as_ref()
        .map(|head| variables(source, head, id, overrides, findings));
    let checks = match checks.map(|checks| (checks.span(), checks.into_inner())) {
        Some((_, DeValue::Array(items))) => items.to_vec(),
        Some((span, _)) => {
            findings.push(source.at(
                span,
                "`check` is no list of tables",
                "begin each check with [[check]]",
            ));
            return None;
        }
        None => {
            findings.push(source.whole("the pack has no check", "add a [[check]]"));
            return None;
        }
    };
    let mut raw_checks = Vec::new();
    for mut value in checks {
        if let Some(vars) = &vars {
            fill_in(source, &mut value, vars, findings);
        }
        let span = value.span();
        let looks = take_looks(source, &mut value, findings);
        let raw = read_shape::<RawCheck>(source, value, &CHECK_REQUIRED, findings);
        if let (Some(mut raw), Some(looks)) = (raw, looks) {
            raw.looks = looks;
            raw_checks.push((raw, span));
        }
    }
    let (head, vars) = (head?, vars?);
    let checks = check_rules::apply(source, raw_checks, findings);
    let (gate, stacks) = parts.read(source, &vars, &checks, findings);
    Some(BaselinePack {
        id: id.clone(),
        title: head.title.into_inner(),
        title_zh: head.title_zh,
        fingerprint: sha256_hex(source.text),
        vars,
        checks,
        runbooks: Vec::new(),
        gate,
        stacks,
    })
}

/// Reads one check that stands alone.
pub(crate) fn read_one(
    source: Source<'_>,
    mut value: Spanned<DeValue<'_>>,
    vars: &BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) -> Option<Check> {
    fill_in(source, &mut value, vars, findings);
    let span = value.span();
    let looks = take_looks(source, &mut value, findings);
    let mut raw = read_shape::<RawCheck>(source, value, &CHECK_REQUIRED, findings)?;
    raw.looks = looks?;
    check_rules::apply(source, vec![(raw, span)], findings).pop()
}

/// Takes the tables of looks out of a check and reads each by its kind; `None` when one of them has
/// a fault of shape.
fn take_looks(
    source: Source<'_>,
    check: &mut Spanned<DeValue<'_>>,
    findings: &mut Vec<Finding>,
) -> Option<Vec<(Range<usize>, Look)>> {
    let DeValue::Table(table) = check.get_mut() else {
        return Some(Vec::new());
    };
    unknown_keys(source, table, findings);
    let mut looks = Some(Vec::new());
    for word in Look::KINDS {
        let Some(value) = table.remove(*word) else {
            continue;
        };
        let span = value.span();
        let look = Look::read(word, source, value, findings);
        match (look, &mut looks) {
            (Some(look), Some(looks)) => looks.push((span, look)),
            _ => looks = None,
        }
    }
    looks
}

/// Names the keys that are neither a check's nor a look's, with the nearest of both, and leaves
/// them out.
fn unknown_keys(source: Source<'_>, table: &mut DeTable<'_>, findings: &mut Vec<Finding>) {
    let known: Vec<&str> = CHECK_KEYS.iter().chain(Look::KINDS).copied().collect();
    let mut strange = Vec::new();
    for key in table.keys() {
        let name = key.get_ref().as_ref();
        if !known.contains(&name) {
            let (message, hint) = unknown("key", name, &known);
            findings.push(source.at(key.span(), message, hint));
            strange.push(name.to_owned());
        }
    }
    for name in strange {
        table.remove(name.as_str());
    }
}

/// The variables in force: the pack's values, overridden by the config's.
fn variables(
    source: Source<'_>,
    head: &Head,
    id: &PackId,
    overrides: &BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) -> BTreeMap<String, String> {
    let mut vars = BTreeMap::new();
    for (name, value) in &head.vars {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.get_ref().is_empty() || !name.get_ref().chars().all(plain) {
            findings.push(source.at(
                name.span(),
                "this variable's name is not plain",
                "a-z, 0-9 and `_` only",
            ));
        }
        vars.insert(name.get_ref().clone(), value.get_ref().clone());
    }
    let names: BTreeSet<String> = vars.keys().cloned().collect();
    for (name, value) in overrides {
        if names.contains(name) {
            vars.insert(name.clone(), value.clone());
        } else {
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            findings.push(source.whole(
                format!("the config sets `{id}.{name}`, which is no variable of this pack"),
                suggest(name, &known),
            ));
        }
    }
    vars
}

impl RawCheck {
    /// What it says of time, memory and limits.
    pub(super) fn pace(&mut self) -> RawPace {
        RawPace {
            every_s: self.every_s.take(),
            fresh_for_s: self.fresh_for_s.take(),
            for_s: self.for_s.take(),
            for_looks: self.for_looks.take(),
            grace: self.grace.take(),
            byte_limit: self.byte_limit.take(),
        }
    }

    /// The check, once the rules have accepted it.
    pub(super) fn into_check(self, vantage: Place, pace: Pace, look: Look) -> Check {
        let default = if matches!(look, Look::Smoke(_)) {
            SMOKE_LIMIT
        } else {
            DEFAULT_LIMIT
        };
        Check {
            id: self.id.into_inner(),
            layer: self.layer,
            level: self.level,
            vantage,
            parents: self.parents.into_iter().map(Spanned::into_inner).collect(),
            title: self.title.into_inner(),
            title_zh: self.title_zh,
            why: self.why.into_inner(),
            why_zh: self.why_zh,
            next_step: self.next_step.into_inner(),
            next_step_zh: self.next_step_zh,
            time_limit: Duration::from_secs(self.time_limit_s.map_or(default, Spanned::into_inner)),
            pace,
            look,
        }
    }
}
