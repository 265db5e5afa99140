//! The deploy gate: every step, what is different after the deployment, and what a person approves.

use super::said::{age, clock};
use crate::content::{Cell, Column, Content, List, Note, Row, field, note};
use crate::model::{Asked, Model};
use crate::theme::Role;
use crate::words::Lang;
use cockpit_domain::gate::{GatePhase, GateRow, GateState};
use cockpit_engine::gate::{GateReport, GateVerdict};

const COLUMNS: [Column; 5] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.step", 6, 14, 0),
    Column::fit("col.kind", 4, 6, 3),
    Column::fit("col.title", 16, 46, 1),
    Column::grow("col.found", 16, 0),
];

pub(super) fn page(model: &Model) -> Content {
    let Some(known) = &model.gate else {
        let key = if model.is_asked(&Asked::Gate) {
            "gate.looking"
        } else {
            "gate.empty"
        };
        return Content::text(vec![note(model.say(key), Role::Muted)]);
    };
    of(model, &known.value)
}

/// The same of one report: also what applying it came to.
pub(super) fn of(model: &Model, report: &GateReport) -> Content {
    let rows = report.rows.iter().map(|step| row(model, step)).collect();
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: Vec::new(),
    })
    .head(head(model, report))
}

fn head(model: &Model, report: &GateReport) -> Vec<Note> {
    let (glyph, role) = match report.verdict {
        GateVerdict::Passed => ("+", Role::Ok),
        GateVerdict::Failed => ("x", Role::Fail),
        GateVerdict::Waiting => ("!", Role::Warn),
        GateVerdict::Asks => ("!", Role::Fail),
        GateVerdict::Busy => (">", Role::Warming),
        GateVerdict::Unknown => ("?", Role::Unknown),
    };
    let key = match (report.phase, report.verdict) {
        (_, GateVerdict::Unknown) => "gate.nothing",
        (GatePhase::Before, GateVerdict::Passed) => "gate.before-well",
        (GatePhase::Before, _) => "gate.before-ill",
        (GatePhase::After, GateVerdict::Passed) => "gate.passed",
        (GatePhase::After, GateVerdict::Waiting) => "gate.waiting",
        (GatePhase::After, GateVerdict::Asks) => "gate.asks",
        (GatePhase::After, GateVerdict::Busy) => "gate.busy",
        (GatePhase::After, _) => "gate.shut",
    };
    let mut head = vec![vec![
        Cell::new(format!("{glyph} {}", model.say(key)), role),
        Cell::muted(format!("  {}  {}", report.host, report.pack)),
    ]];
    if report.verdict != GateVerdict::Unknown {
        let at = |ms| format!("{} ({})", clock(model, ms), age(model, ms));
        head.push(field(
            &model.say("field.looked"),
            at(report.at_ms),
            Role::Muted,
        ));
        if let Some(before) = report.before_ms {
            head.push(field(&model.say("field.before"), at(before), Role::Muted));
        }
    }
    for change in &report.changes {
        if let (Some(was), Some(now)) = (change.was, change.now) {
            let word = |state: GateState| model.say(&format!("gate-state.{state}"));
            let args = [
                ("step", change.step.as_str()),
                ("was", &word(was)),
                ("now", &word(now)),
            ];
            let told = model.fill("gate.turned", &args);
            head.push(field(&model.say("field.changed"), told, Role::Warn));
        }
        for line in &change.lines {
            head.push(field(&model.say("field.changed"), line.clone(), Role::Warn));
        }
    }
    if report.verdict == GateVerdict::Failed && report.phase == GatePhase::After {
        let shut = report.faults.iter().filter(|fault| !is_row(report, fault));
        for fault in shut {
            head.push(field(
                &model.say("field.blocked"),
                fault.clone(),
                Role::Fail,
            ));
        }
    }
    if let Some(planned) = report
        .plan
        .as_ref()
        .filter(|plan| plan.plan.blockers.is_empty())
    {
        for act in &planned.plan.does {
            let line = format!("{}: {}", planned.plan.machine, act.argv.join(" "));
            head.push(field(&model.say("field.does"), line, Role::Change));
        }
    }
    head.push(field(
        &model.say("field.next"),
        next(model, report),
        Role::Key,
    ));
    head
}

/// Whether a reason is said by the row of its step already.
fn is_row(report: &GateReport, fault: &str) -> bool {
    report.rows.iter().any(|row| {
        row.state != GateState::Passed && fault.starts_with(&format!("step `{}`", row.id))
    })
}

fn next(model: &Model, report: &GateReport) -> String {
    let key = match (report.phase, report.verdict) {
        (_, GateVerdict::Unknown) => "gate.next-before",
        (GatePhase::Before, _) => "gate.next-after",
        (GatePhase::After, GateVerdict::Passed) => "gate.next-done",
        (GatePhase::After, GateVerdict::Waiting) => {
            let plan = report.plan.as_ref().map(|plan| plan.id);
            let why = crate::update::why_not_apply(model, plan);
            return why.unwrap_or_else(|| model.say("gate.next-apply"));
        }
        (GatePhase::After, GateVerdict::Asks) => "gate.next-answer",
        (GatePhase::After, GateVerdict::Busy) => "gate.next-wait",
        (GatePhase::After, _) => "gate.next-mend",
    };
    model.say(key)
}

fn row(model: &Model, step: &GateRow) -> Row {
    let (glyph, role) = match step.state {
        GateState::Passed => ("+", Role::Ok),
        GateState::Failed => ("x", Role::Fail),
        GateState::CouldNotLook => ("?", Role::Unknown),
        GateState::NotDone => (".", Role::Muffled),
        GateState::Unseen => ("!", Role::Fail),
    };
    let title = step.title_in(model.lang == Lang::ZhCn).to_owned();
    let found = match step.state {
        GateState::NotDone => model.say("gate-state.not_done"),
        // What to do about it stands above.
        GateState::Passed | GateState::Unseen => step.found.replace('\n', "; "),
        _ => format!("{}  {}", step.found.replace('\n', "; "), step.next_step),
    };
    Row::new(
        step.id.clone(),
        vec![
            Cell::new(glyph, role),
            Cell::plain(step.id.clone()),
            Cell::muted(step.kind.clone()),
            Cell::plain(title),
            Cell::new(found, role),
        ],
    )
    .broken(matches!(
        step.state,
        GateState::Failed | GateState::CouldNotLook | GateState::Unseen
    ))
}
