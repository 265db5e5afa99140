//! Reads a runbook of a pack: Markdown with TOML at its head and in its steps. Every fault with its
//! place and the way out.

use super::book::Runbook;
use super::reader::Reader;
use super::step::Step;
use crate::finding::{Finding, Source};
use crate::pack::{Check, read_one};
use std::borrow::Cow;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys of a look that are the step's, not the look's.
pub(super) const OURS: [&str; 7] = [
    "id", "if_bad", "if_yes", "check", "must", "take", "within_s",
];
/// Values that every run has.
pub(super) const GIVEN: [&str; 2] = ["machine", "host"];

/// Reads a runbook. `checks` are the ids of the pack's checks, `vars` its variables in force.
///
/// # Errors
/// Every finding, in the order of the file.
pub fn read_runbook(
    name: &str,
    file: &str,
    text: &str,
    checks: &[&str],
    vars: &BTreeMap<String, String>,
) -> Result<Runbook, Vec<Finding>> {
    let mut reader = Reader::new(Source::new(file, text), checks, vars);
    match reader.book(name) {
        Some(book) if reader.findings.is_empty() => Ok(book),
        _ => Err(reader.faults()),
    }
}

impl<'a> Reader<'a> {
    /// Nothing read yet.
    pub(super) fn new(
        source: Source<'a>,
        checks: &'a [&'a str],
        vars: &'a BTreeMap<String, String>,
    ) -> Self {
        Self {
            source,
            checks,
            vars,
            values: GIVEN.iter().map(|name| (*name).to_owned()).collect(),
            machine: None,
            steps: Vec::new(),
            places: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// What is wrong, in the order of the file.
    pub(super) fn faults(mut self) -> Vec<Finding> {
        self.findings
            .sort_by_key(|finding| (finding.line, finding.column));
        self.findings.dedup();
        self.findings
    }
}

/// Reads a step's own look with the values of a run.
///
/// # Errors
/// What is wrong with it now that its values are known.
pub fn read_check(
    step: &Step,
    toml: &str,
    values: &BTreeMap<String, String>,
) -> Result<Check, Vec<Finding>> {
    let source = Source::new("look", toml);
    let table = DeTable::parse(toml).map_err(|error| vec![source.toml_error(&error)])?;
    let mut findings = Vec::new();
    match own_look(source, table, &step.id, &step.title, values, &mut findings) {
        Some(check) if findings.is_empty() => Ok(check),
        _ => Err(findings),
    }
}

/// The check that a look's own table describes.
pub(super) fn own_look(
    source: Source<'_>,
    table: Spanned<DeTable<'_>>,
    id: &str,
    title: &str,
    values: &BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) -> Option<Check> {
    let span = table.span();
    let mut table = table.into_inner();
    for key in OURS {
        table.remove(key);
    }
    let said = [
        ("id", id),
        ("layer", "hygiene"),
        ("level", "must"),
        ("title", title),
        ("why", "A step of a runbook."),
        ("next_step", "See what was found, then look again."),
    ];
    for (key, value) in said {
        if table.contains_key(key) {
            findings.push(source.at(
                span.clone(),
                format!("`{key}` belongs to a check of a pack, not to a look of a runbook"),
                "leave it out",
            ));
            continue;
        }
        table.insert(
            Spanned::new(span.clone(), Cow::Owned(key.to_owned())),
            Spanned::new(span.clone(), DeValue::String(Cow::Owned(value.to_owned()))),
        );
    }
    read_one(
        source,
        Spanned::new(span, DeValue::Table(table)),
        values,
        findings,
    )
}
