//! What batches hold of a provider on a host, each beside how it stands there now, and what stands
//! there by the provider's names without a record.

use super::said::{age, clock};
use crate::content::{Cell, Column, Content, List, Row, field, note};
use crate::model::{Asked, Model};
use crate::place::Place;
use crate::theme::Role;
use cockpit_domain::ids::{HostId, PackId};
use cockpit_domain::plan::Change;
use cockpit_domain::pool::HostSide;
use cockpit_engine::pool::{Held, Resources};

const COLUMNS: [Column; 7] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.type", 5, 12, 1),
    Column::fit("col.resource-name", 12, 30, 0),
    Column::fit("col.id", 2, 8, 3),
    Column::fit("col.origin", 5, 9, 2),
    Column::fit("col.batch", 5, 9, 1),
    Column::grow("col.now", 14, 0),
];

pub(super) fn list(model: &Model, host: &HostId, provider: &PackId) -> Content {
    let at = (host.clone(), provider.clone());
    let Some(known) = model.resources.get(&at) else {
        let asked = model.is_asked(&Asked::Resources(at.0, at.1));
        let key = if asked {
            "resources.looking"
        } else {
            "resources.unseen"
        };
        return Content::text(vec![note(model.say(key), Role::Muted)]);
    };
    let found = match &known.value {
        Ok(found) => found,
        Err(failure) => {
            return Content::text(vec![
                note(format!("/ {}", failure.message), Role::Unreachable),
                note(failure.hint.clone(), Role::Key),
            ]);
        }
    };
    let mut head = Vec::new();
    if let Some(trouble) = &found.trouble {
        head.push(note(format!("/ {trouble}"), Role::Unreachable));
    }
    head.push(counted(model, found));
    let looked = model.fill(
        "resources.head",
        &[
            ("time", &clock(model, known.at_ms)),
            ("age", &age(model, known.at_ms)),
        ],
    );
    head.push(note(looked, Role::Muted));
    let command = format!("cockpit provider resources --host {host} --provider {provider}");
    head.push(field(&model.say("field.command"), command, Role::Muted));
    let records = found.resources.iter().enumerate();
    let mut rows: Vec<Row> = records.map(|(at, row)| recorded(model, at, row)).collect();
    rows.extend(found.unrecorded.iter().map(|row| unrecorded(model, row)));
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: vec![note(model.say("resources.none"), Role::Muted)],
    })
    .head(head)
}

/// How many stand how.
fn counted(model: &Model, found: &Resources) -> Vec<Cell> {
    let count = |state: HostSide| {
        let rows = found.resources.iter();
        rows.filter(|row| row.now.state == state).count()
    };
    let mut cells = Vec::new();
    for state in [
        HostSide::AsRecorded,
        HostSide::Changed,
        HostSide::Gone,
        HostSide::Unknown,
    ] {
        let (glyph, role) = look(state);
        let number = count(state);
        if number > 0 {
            let word = model.say(&format!("stand.{state}"));
            cells.push(Cell::new(format!("{glyph}{number} {word}  "), role));
        }
    }
    if !found.unrecorded.is_empty() {
        let words = [("count", found.unrecorded.len().to_string())];
        let words = words.each_ref().map(|(name, text)| (*name, text.as_str()));
        cells.push(Cell::new(
            model.fill("resources.unrecorded", &words),
            Role::Attention,
        ));
    }
    cells
}

fn look(state: HostSide) -> (&'static str, Role) {
    match state {
        HostSide::AsRecorded => ("=", Role::Muted),
        HostSide::Changed => ("~", Role::Drifted),
        HostSide::Gone => ("x", Role::Fail),
        HostSide::Unknown => ("?", Role::Unknown),
    }
}

fn recorded(model: &Model, at: usize, held: &Held) -> Row {
    let row = &held.resource;
    let (glyph, role) = look(held.now.state);
    let mut now = model.say(&format!("stand.{}", held.now.state));
    for field in &held.now.fields {
        now = format!("{now}; {}: {} -> {}", field.field, field.to, field.from);
    }
    Row::new(
        format!("{at} {} {}", held.batch, row.name),
        vec![
            Cell::new(glyph, role),
            Cell::plain(row.kind.to_string()),
            Cell::plain(row.name.clone()),
            Cell::muted(format!("#{}", row.host_resource_id)),
            Cell::muted(model.say(&format!("origin.{}", row.origin.as_str()))),
            Cell::muted(held.batch.to_string()),
            Cell::new(now, role),
        ],
    )
    .broken(matches!(held.now.state, HostSide::Changed | HostSide::Gone))
    .copies(row.name.clone())
    .opens(Place::Batch(held.batch))
}

fn unrecorded(model: &Model, change: &Change) -> Row {
    let id = change.host_resource_id;
    Row::new(
        format!("unrecorded {} {}", change.kind, change.name),
        vec![
            Cell::new("!", Role::Attention),
            Cell::plain(change.kind.to_string()),
            Cell::plain(change.name.clone()),
            Cell::muted(id.map_or_else(String::new, |id| format!("#{id}"))),
            Cell::muted("-"),
            Cell::muted("-"),
            Cell::new(model.say("resources.adopt"), Role::Attention),
        ],
    )
    .broken(true)
    .copies(change.name.clone())
}
