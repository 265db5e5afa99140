//! Where to look first: how far a request gets, the findings in order, and behind each what it rests
//! on and the one next step.

use super::said::{age, verdict_cell};
use crate::content::{Cell, Column, Content, List, Note, Row, field, note};
use crate::model::{Asked, Model};
use crate::place::Place;
use crate::theme::Role;
use crate::widgets::fit;
use crate::words::Lang;
use cockpit_domain::baseline::{Origin, Verdict};
use cockpit_domain::pack::{Level, Rung, Sort};
use cockpit_domain::triage::{Evidence, Link, RungState, TriageFinding};
use cockpit_engine::triage::Triage;

const COLUMNS: [Column; 6] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.rung", 4, 10, 0),
    Column::fit("col.layer", 4, 13, 4),
    Column::grow("col.judgement", 24, 0),
    Column::fit("col.symptoms", 1, 8, 2).right(),
    Column::fit("col.since", 3, 6, 3).right(),
];

const EVIDENCE: [Column; 4] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.evidence", 8, 30, 0),
    Column::grow("col.found", 24, 0),
    Column::fit("col.age", 3, 4, 1).right(),
];

/// The finding of a rule, with its number from 1.
pub(crate) fn finding_of<'m>(model: &'m Model, id: &str) -> Option<(usize, &'m TriageFinding)> {
    let findings = &model.triage.look.as_ref()?.value.report.findings;
    let at = findings
        .iter()
        .position(|finding| finding_id(finding) == id)?;
    Some((at + 1, &findings[at]))
}

/// A rule may have a finding that judges and one that does not.
pub(crate) fn finding_id(finding: &TriageFinding) -> String {
    match finding.origin {
        Origin::Live => finding.rule.clone(),
        _ => format!("{}*", finding.rule),
    }
}

fn judgement<'f>(model: &Model, finding: &'f TriageFinding) -> &'f str {
    match (&finding.judgement_zh, model.lang) {
        (Some(text), Lang::ZhCn) => text,
        _ => &finding.judgement,
    }
}

fn next_step<'f>(model: &Model, finding: &'f TriageFinding) -> &'f str {
    match (&finding.next_step_zh, model.lang) {
        (Some(text), Lang::ZhCn) => text,
        _ => &finding.next_step,
    }
}

fn mark(finding: &TriageFinding) -> (&'static str, Role) {
    match (finding.origin, finding.sort, finding.level) {
        (Origin::Live, Sort::Step, _) => (">", Role::Key),
        (Origin::Live, ..) if finding.is_blind() => ("/", Role::Unreachable),
        (Origin::Live, _, Level::Must) => ("x", Role::Fail),
        (Origin::Live, ..) => ("~", Role::Warn),
        _ => (".", Role::Muffled),
    }
}

fn rung(at: Rung) -> &'static str {
    match at {
        Rung::Beside => "-",
        at => at.as_str(),
    }
}

pub(super) fn list(model: &Model) -> Content {
    let Some(known) = &model.triage.look else {
        let mut lines = Vec::new();
        if let Some(failure) = &model.triage.trouble {
            lines.push(note(failure.message.clone(), Role::Warn));
            lines.push(field(
                &model.say("field.next"),
                failure.hint.clone(),
                Role::Key,
            ));
        } else {
            let key = if model.is_asked(&Asked::Triage) {
                "triage.looking"
            } else {
                "triage.none"
            };
            lines.push(note(model.say(key), Role::Muted));
        }
        return Content::text(lines);
    };
    let done = &known.value;
    let rows = done.report.findings.iter().map(|finding| {
        let (glyph, role) = mark(finding);
        let quiet = finding.origin != Origin::Live;
        let said = judgement(model, finding).replace('\n', " ");
        let count = match finding.count {
            0 | 1 => String::new(),
            count => count.to_string(),
        };
        Row::new(
            finding_id(finding),
            vec![
                Cell::new(glyph, role),
                Cell::new(rung(finding.rung), role),
                Cell::muted(model.say(&format!("layer.{}", finding.layer.as_str()))),
                if quiet {
                    Cell::muted(said)
                } else {
                    Cell::plain(said)
                },
                Cell::muted(count),
                Cell::muted(age(model, finding.since_ms)),
            ],
        )
        .broken(!quiet)
        .copies(finding.rule.clone())
        .hidden(next_step(model, finding).to_owned())
        .opens(Place::Finding(finding_id(finding)))
    });
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows: rows.collect(),
        empty: vec![note(model.say("triage.empty"), Role::Muted)],
    })
    .head(head(model, done))
}

/// Whose triage it is and what it comes to, how far a request gets, what could not be looked at.
fn head(model: &Model, done: &Triage) -> Vec<Note> {
    let (mut glyph, word) = verdict_cell(model, done.report.verdict);
    glyph.text.push(' ');
    let role = model.say(&format!("role.{}", done.role.as_str()));
    let mut first = vec![
        glyph,
        word,
        Cell::new(format!("  {}", done.host), Role::Title),
        Cell::plain(format!(" ({role})")),
    ];
    if let Some(at) = done.checked_ms {
        let told = model.fill("triage.checked", &[("age", &age(model, at))]);
        first.push(Cell::muted(format!("  {told}")));
    }
    let mut ladder: Note = vec![Cell::muted(format!("{}  ", model.say("triage.ladder")))];
    for at in &done.report.ladder {
        let (glyph, role) = match at.state {
            RungState::Holds => ("+", Role::Ok),
            RungState::Broken => ("x", Role::Fail),
            RungState::Open => ("?", Role::Unknown),
        };
        ladder.push(Cell::new(format!("{glyph} {}", at.rung), role));
        ladder.push(Cell::muted("  "));
    }
    drop(ladder.pop());
    let mut lines = vec![first, ladder];
    for what in &done.could_not_look {
        let told = model.fill("triage.could-not-look", &[("what", what)]);
        lines.push(note(format!("? {told}"), Role::Unknown));
    }
    if let Some(failure) = &model.triage.trouble {
        lines.push(note(format!("/ {}", failure.message), Role::Unreachable));
    }
    lines
}

/// One finding: why, what to do, and what it rests on.
pub(super) fn finding(model: &Model, id: &str) -> Content {
    let Some((number, finding)) = finding_of(model, id) else {
        return Content::text(vec![note(model.say("triage.gone"), Role::Muted)]);
    };
    let (glyph, role) = mark(finding);
    let mut lines = vec![
        vec![
            Cell::new(format!("{glyph} {number}. "), role),
            Cell::new(judgement(model, finding).to_owned(), Role::Title),
        ],
        vec![Cell::muted(fit(
            &format!(
                "{} / {} / {}",
                rung(finding.rung),
                model.say(&format!("layer.{}", finding.layer.as_str())),
                finding.rule
            ),
            60,
        ))],
    ];
    let counts = match finding.origin {
        Origin::Live => None,
        Origin::Acceptance => Some("triage.of-another-host"),
        Origin::Historical => Some("triage.of-earlier"),
        Origin::OldKey => Some("triage.of-a-client"),
    };
    lines.extend(counts.map(|key| note(model.say(key), Role::Unknown)));
    lines.push(field(
        &model.say("field.next"),
        next_step(model, finding),
        Role::Key,
    ));
    if let Some(book) = &finding.runbook {
        let text = model.fill("triage.book", &[("book", book)]);
        lines.push(field(&model.say("field.runbook"), text, Role::Key));
    }
    if finding.action.is_some() {
        // One key, one way: where a runbook leads, the command is there to be typed.
        let text = match finding.runbook {
            Some(_) => finding.command.clone(),
            None => model.fill("triage.act", &[("command", &finding.command)]),
        };
        lines.push(field(&model.say("field.command"), text, Role::Muted));
    }
    if !finding.folded.is_empty() {
        let text = model.fill("triage.folded", &[("rules", &finding.folded.join(", "))]);
        lines.push(note(text, Role::Muted));
    }
    let rows = finding.evidence.iter().enumerate();
    Content::list(List {
        columns: EVIDENCE.to_vec(),
        rows: rows.map(|(at, seen)| evidence(model, at, seen)).collect(),
        empty: Vec::new(),
    })
    .head(lines)
}

fn evidence(model: &Model, at: usize, seen: &Evidence) -> Row {
    let glyph = match seen.verdict {
        Some(verdict) => verdict_cell(model, verdict).0,
        None => verdict_cell(model, Verdict::Warn).0,
    };
    let subject = match seen.times {
        0 | 1 => seen.subject.clone(),
        times => format!("{} x{times}", seen.subject),
    };
    let found = Cell::plain(seen.found.replace('\n', " "));
    let row = Row::new(
        format!("{at} {}", seen.subject),
        vec![
            glyph,
            Cell::plain(subject),
            found,
            Cell::muted(age(model, seen.at_ms)),
        ],
    )
    .copies(seen.subject.clone());
    match behind(model, seen) {
        Some(place) => row.opens(place),
        None => row,
    }
}

/// The page of the thing that was seen.
pub(crate) fn behind(model: &Model, seen: &Evidence) -> Option<Place> {
    match &seen.link {
        Link::None => None,
        Link::Check(pack, check, _) => Some(Place::Check(pack.clone(), check.clone())),
        Link::Log(source) => Some(Place::LogOf(source.clone())),
        Link::Batch(batch) => Some(Place::Batch(*batch)),
        Link::Account(..) => {
            let host = &model.triage.look.as_ref()?.value.host;
            Some(Place::Pool(host.clone()))
        }
        Link::Probe(_) => Some(Place::Probes),
    }
}
