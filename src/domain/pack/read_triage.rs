//! Reads a triage pack: every rule by itself, so that one bad rule does not hide the next.

use super::baseline::Layer;
use super::shape::read_shape;
use super::triage::{NextAct, Rung, Seen, Sort, TriagePack, TriageRule, When};
use crate::baseline::Verdict;
use crate::finding::{Finding, Source, suggest};
use crate::ids::PackId;
use crate::secret::sha256_hex;
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const REQUIRED: [&str; 1] = ["title"];
const RULE_REQUIRED: [&str; 6] = ["id", "rung", "layer", "judgement", "next_step", "when"];

/// Verdicts of a check that bring a finding when the rule names none.
const TROUBLE: [Verdict; 2] = [Verdict::Fail, Verdict::Warn];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    #[serde(rename = "schema")]
    _schema: i64,
    #[serde(rename = "kind")]
    _kind: String,
    title: Spanned<String>,
    /// Where the rules come from; for the reader of the file.
    #[serde(rename = "about")]
    _about: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    rung: Rung,
    layer: Layer,
    sort: Option<Sort>,
    judgement: Spanned<String>,
    judgement_zh: Option<String>,
    next_step: Spanned<String>,
    next_step_zh: Option<String>,
    action: Option<NextAct>,
    /// Held against the runbooks at hand once every pack is read: `triage_books.rs`.
    runbook: Option<String>,
    #[serde(default)]
    explains: Vec<Spanned<String>>,
    when: Vec<Spanned<RawWhen>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWhen {
    check: Option<Spanned<String>>,
    #[serde(default)]
    verdict: Vec<Verdict>,
    found: Option<Spanned<String>>,
    log: Option<Spanned<String>>,
    error: Option<Spanned<String>>,
    account: Option<Spanned<String>>,
    batch: Option<Spanned<String>>,
    access: Option<Spanned<String>>,
    probe: Option<Spanned<String>>,
}

/// Reads the pack; `None` when a finding was added that leaves nothing to read.
pub(super) fn read(
    id: &PackId,
    source: Source<'_>,
    table: Spanned<DeTable<'_>>,
    findings: &mut Vec<Finding>,
) -> Option<TriagePack> {
    let span = table.span();
    let mut table = table.into_inner();
    let rules = table.remove("rule");
    let head: Option<Head> = read_shape(
        source,
        Spanned::new(span, DeValue::Table(table)),
        &REQUIRED,
        findings,
    );
    let Some(rules) = rules else {
        findings.push(source.whole("the pack has no rule", "add a [[rule]]"));
        return None;
    };
    let rules_span = rules.span();
    let DeValue::Array(rules) = rules.into_inner() else {
        findings.push(source.at(
            rules_span,
            "`rule` is no list of tables",
            "begin each rule with [[rule]]",
        ));
        return None;
    };
    let raw: Vec<RawRule> = rules
        .iter()
        .filter_map(|rule| read_shape(source, rule.clone(), &RULE_REQUIRED, findings))
        .collect();
    family(source, &raw, findings);
    let rules = raw
        .into_iter()
        .map(|rule| one(source, rule, findings))
        .collect();
    Some(TriagePack {
        id: id.clone(),
        title: head?.title.into_inner(),
        fingerprint: sha256_hex(source.text),
        rules,
    })
}

/// Ids are slugs and unique; what is explained exists and explains nobody above it.
fn family(source: Source<'_>, rules: &[RawRule], findings: &mut Vec<Finding>) {
    let mut ids: BTreeSet<&str> = BTreeSet::new();
    for rule in rules {
        let id = rule.id.get_ref().as_str();
        if PackId::new(id).is_err() {
            findings.push(source.at(
                rule.id.span(),
                "this id is no slug",
                "a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit",
            ));
        }
        if !ids.insert(id) {
            findings.push(source.at(
                rule.id.span(),
                format!("rule `{id}` stands here twice"),
                "give each rule its own id",
            ));
        }
    }
    let known: Vec<&str> = ids.iter().copied().collect();
    for rule in rules {
        for other in &rule.explains {
            let name = other.get_ref().as_str();
            if !ids.contains(name) {
                findings.push(source.at(
                    other.span(),
                    format!("no rule is called `{name}`"),
                    suggest(name, &known),
                ));
            } else if reaches(rules, name, rule.id.get_ref()) {
                findings.push(source.at(
                    other.span(),
                    format!("`{name}` explains this rule already"),
                    "what explains what may not make a circle",
                ));
            }
        }
    }
}

/// Whether `from` explains `target`, or is it.
fn reaches(rules: &[RawRule], from: &str, target: &str) -> bool {
    let mut open = vec![from];
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    while let Some(id) = open.pop() {
        if id == target {
            return true;
        }
        if seen.insert(id) {
            let these = rules.iter().filter(|rule| rule.id.get_ref() == id);
            open.extend(
                these.flat_map(|rule| rule.explains.iter().map(|at| at.get_ref().as_str())),
            );
        }
    }
    false
}

fn one(source: Source<'_>, rule: RawRule, findings: &mut Vec<Finding>) -> TriageRule {
    for (name, text) in [
        ("judgement", &rule.judgement),
        ("next_step", &rule.next_step),
    ] {
        if text.get_ref().trim().is_empty() {
            let message = format!("`{name}` is empty");
            findings.push(source.at(text.span(), message, "write one sentence"));
        }
    }
    if rule.when.is_empty() {
        findings.push(source.at(
            rule.id.span(),
            "nothing brings this finding",
            "add a [[rule.when]]",
        ));
    }
    let when = rule
        .when
        .into_iter()
        .filter_map(|when| clause(source, when, findings))
        .collect();
    TriageRule {
        id: rule.id.into_inner(),
        rung: rule.rung,
        layer: rule.layer,
        sort: rule.sort.unwrap_or(Sort::Cause),
        judgement: rule.judgement.into_inner(),
        judgement_zh: rule.judgement_zh,
        next_step: rule.next_step.into_inner(),
        next_step_zh: rule.next_step_zh,
        action: rule.action,
        runbook: rule.runbook,
        explains: rule.explains.into_iter().map(Spanned::into_inner).collect(),
        when,
    }
}

/// Exactly one thing is looked at, and its pattern can be carried out within bounds.
fn clause(source: Source<'_>, when: Spanned<RawWhen>, findings: &mut Vec<Finding>) -> Option<When> {
    let span = when.span();
    let raw = when.into_inner();
    let named = [
        (Seen::Check, raw.check),
        (Seen::Log, raw.log),
        (Seen::Error, raw.error),
        (Seen::Account, raw.account),
        (Seen::Batch, raw.batch),
        (Seen::Access, raw.access),
        (Seen::Probe, raw.probe),
    ];
    let mut named: Vec<(Seen, Spanned<String>)> = named
        .into_iter()
        .filter_map(|(seen, text)| text.map(|text| (seen, text)))
        .collect();
    let words: Vec<&str> = Seen::ALL.iter().map(|seen| seen.as_str()).collect();
    let (Some((seen, text)), true) = (named.pop(), named.is_empty()) else {
        let hint = format!("exactly one of: {}", words.join(", "));
        findings.push(source.at(span, "this does not look at one thing", hint));
        return None;
    };
    if seen != Seen::Check {
        if raw.found.is_some() || !raw.verdict.is_empty() {
            findings.push(source.at(
                span,
                "`found` and `verdict` go with `check` only",
                format!("write the pattern after `{seen} =`"),
            ));
        }
        check_pattern(source, &text, findings);
        return Some(When {
            seen,
            name: String::new(),
            verdicts: Vec::new(),
            pattern: Some(text.into_inner()),
        });
    }
    if text.get_ref().trim().is_empty() {
        findings.push(source.at(
            text.span(),
            "`check` is empty",
            "the id of a check; `*` is any text",
        ));
    }
    if let Some(found) = &raw.found {
        check_pattern(source, found, findings);
    }
    Some(When {
        seen,
        name: text.into_inner(),
        verdicts: if raw.verdict.is_empty() {
            TROUBLE.to_vec()
        } else {
            raw.verdict
        },
        pattern: raw.found.map(Spanned::into_inner),
    })
}

fn check_pattern(source: Source<'_>, text: &Spanned<String>, findings: &mut Vec<Finding>) {
    let pattern = text.get_ref();
    let mut fault = |message: &str, hint: &str| {
        findings.push(source.at(text.span(), message, hint));
    };
    if pattern.len() > When::LONGEST {
        let hint = format!(
            "at most {} bytes; several [[rule.when]] say the same",
            When::LONGEST
        );
        fault("this pattern is too long", &hint);
        return;
    }
    match When::compile(pattern) {
        Err(regex::Error::CompiledTooBig(_)) => fault(
            "this pattern takes too much to carry out",
            "write smaller repetitions, such as {1,20}",
        ),
        Err(_) => fault(
            "this is no regular expression",
            "see https://docs.rs/regex for the syntax",
        ),
        Ok(regex) if regex.is_match("") => {
            fault(
                "this pattern fits everything",
                "write a word that has to be there",
            );
        }
        Ok(_) => {}
    }
}
