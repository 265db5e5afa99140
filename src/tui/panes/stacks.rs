//! Temporary stacks: which stand, until when, and what is left of one.

use super::said::{age, clock};
use crate::content::{Cell, Column, Content, List, Note, Row, field, note};
use crate::model::{Asked, Model};
use crate::place::Place;
use crate::theme::Role;
use cockpit_domain::baseline::Verdict;
use cockpit_domain::ids::HostId;
use cockpit_domain::stack::{CleanRow, StackState};
use cockpit_engine::stacks::StackSeen;

const COLUMNS: [Column; 7] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.stack", 6, 18, 0),
    Column::fit("col.machine", 6, 12, 2),
    Column::fit("col.port", 4, 5, 1).right(),
    Column::fit("col.until", 10, 10, 0),
    Column::fit("col.state", 6, 14, 0),
    Column::grow("col.reason", 12, 1),
];

pub(super) fn list(model: &Model) -> Content {
    let mut head = Vec::new();
    if let Some(failure) = &model.stacks.trouble {
        head.push(note(format!("/ {}", failure.message), Role::Unreachable));
        head.push(note(failure.hint.clone(), Role::Key));
    }
    let Some(known) = &model.stacks.list else {
        let key = if model.is_asked(&Asked::Stacks) {
            "stacks.looking"
        } else {
            "stacks.empty"
        };
        return Content::text(vec![note(model.say(key), Role::Muted)]).head(head);
    };
    let over = known
        .value
        .iter()
        .filter(|row| row.state == StackState::Overdue);
    let over = over.count();
    if over > 0 {
        let told = model.fill("stacks.over", &[("count", &over.to_string())]);
        head.push(note(format!("x {told}"), Role::Fail));
    }
    let rows = known.value.iter().map(|seen| row(model, seen)).collect();
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: vec![
            note(model.say("stacks.empty"), Role::Ok),
            note(model.say("stacks.empty-next"), Role::Muted),
        ],
    })
    .head(head)
}

fn mark(state: StackState) -> (&'static str, Role) {
    match state {
        StackState::Standing => ("+", Role::Ok),
        StackState::Due => ("!", Role::Warn),
        StackState::Overdue => ("x", Role::Fail),
    }
}

fn row(model: &Model, seen: &StackSeen) -> Row {
    let stack = &seen.stack;
    let (glyph, role) = mark(seen.state);
    let mut state = model.say(&format!("stack-state.{}", seen.state));
    if stack.keep {
        state = format!("{state}, {}", model.say("stacks.kept"));
    }
    Row::new(
        stack.name.to_string(),
        vec![
            Cell::new(glyph, role),
            Cell::plain(stack.name.to_string()),
            Cell::muted(stack.machine.to_string()),
            Cell::plain(stack.port.to_string()),
            Cell::plain(stack.until.clone()),
            Cell::new(state, role),
            Cell::muted(stack.reason.clone()),
        ],
    )
    .broken(seen.state != StackState::Standing)
    .hidden(stack.container.clone())
    .opens(Place::Stack(stack.name.clone()))
}

/// One stack: what it takes, and each line of its clean-up as it was looked at.
pub(super) fn stack(model: &Model, name: &HostId) -> Content {
    let listed = model.stacks.list.iter().flat_map(|known| &known.value);
    let listed = listed.into_iter().find(|seen| seen.stack.name == *name);
    let look = model.stacks.looks.get(name);
    let Some((stack, state)) = look
        .map(|known| (&known.value.stack, known.value.state))
        .or_else(|| listed.map(|seen| (&seen.stack, seen.state)))
    else {
        return Content::text(vec![note(model.say("stacks.gone"), Role::Muted)]);
    };
    let (glyph, role) = mark(state);
    let mut lines: Vec<Note> = vec![
        vec![
            Cell::new(format!("{glyph} "), role),
            Cell::new(stack.name.to_string(), Role::Title),
            Cell::new(
                format!("  {}", model.say(&format!("stack-state.{state}"))),
                role,
            ),
            Cell::muted(format!("  {}  {}", stack.until, stack.machine)),
        ],
        field(&model.say("field.why"), stack.reason.clone(), Role::Text),
        field(
            &model.say("field.takes"),
            model.fill(
                "stacks.takes",
                &[
                    ("port", &stack.port.to_string()),
                    ("container", &stack.container),
                    ("databases", &stack.databases.join(", ")),
                ],
            ),
            Role::Text,
        ),
        field(
            &model.say("col.owner"),
            match stack.by.as_str() {
                "" => model.say("stacks.of-config"),
                by => by.to_owned(),
            },
            Role::Text,
        ),
    ];
    lines.extend(
        stack
            .batch
            .as_ref()
            .map(|batch| field(&model.say("field.batch"), batch.clone(), Role::Text)),
    );
    lines.push(Vec::new());
    let Some(known) = look else {
        lines.push(note(model.say("stacks.looking-at"), Role::Muted));
        return Content::text(lines);
    };
    lines.push(note(model.say("stacks.apart"), Role::Title));
    lines.extend(known.value.apart.iter().flat_map(|row| told(model, row)));
    lines.push(Vec::new());
    lines.push(note(model.say("stacks.left"), Role::Title));
    lines.extend(known.value.gone.iter().flat_map(|row| told(model, row)));
    lines.push(Vec::new());
    let looked = format!(
        "{} ({})",
        clock(model, known.at_ms),
        age(model, known.at_ms)
    );
    lines.push(field(&model.say("field.looked"), looked, Role::Muted));
    lines.push(field(
        &model.say("field.command"),
        format!("cockpit stack show {name}"),
        Role::Muted,
    ));
    Content::text(lines)
}

/// A line of a list: how it is, and what makes it true.
fn told(model: &Model, row: &CleanRow) -> Vec<Note> {
    let (glyph, role) = match row.verdict {
        Verdict::Ok => ("+", Role::Ok),
        Verdict::Waived => ("=", Role::Waived),
        Verdict::Warn => ("!", Role::Warn),
        Verdict::Fail => ("x", Role::Fail),
        _ => ("?", Role::Unknown),
    };
    let mut lines = vec![vec![
        Cell::new(format!("{glyph} "), role),
        Cell::plain(row.line.title.clone()),
    ]];
    if row.verdict != Verdict::Ok {
        let found = format!("  {}", row.found.replace('\n', "; "));
        lines.push(note(found, role));
    }
    if row.verdict == Verdict::Fail {
        let next = match (row.line.argv.as_slice(), row.line.ask.as_str()) {
            ([], "") => None,
            ([], ask) => Some(format!("  {}: {ask}", model.say("clean-by.ask"))),
            (argv, _) => Some(format!(
                "  {}: {}",
                model.say("clean-by.do"),
                argv.join(" ")
            )),
        };
        lines.extend(next.map(|text| note(text, Role::Key)));
    }
    lines
}
