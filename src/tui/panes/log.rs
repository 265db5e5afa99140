//! Log: lines of many sources in one order, the sources themselves, one line whole.

use super::said::{moment, seconds};
use crate::content::{Cell, Column, Content, List, Note, Row, field, note};
use crate::model::Model;
use crate::place::Place;
use crate::target::{host_looked_at, pointed_at};
use crate::theme::Role;
use crate::update::Shown;
use crate::widgets::{behind, cut};
use cockpit_domain::log::{Level, LogLine, gist};
use cockpit_engine::logs::{SourceState, SourceStatus};
use ratatui::layout::Rect;

/// Lines shown around one that is opened.
const AROUND: u64 = 8;

/// The page without its rows: those are made for the window only.
pub(super) fn page(model: &Model) -> Content {
    Content::list(List {
        columns: vec![
            Column::fit("col.at", 8, 8, 2),
            Column::fit("col.level", 3, 5, 0),
            Column::fit("col.source", 4, 14, 1),
            Column::grow("col.log-line", 12, 0),
        ],
        rows: Vec::new(),
        empty: empty(model),
    })
    .head(head(model))
}

/// What to do when there is nothing to read.
fn empty(model: &Model) -> Vec<Note> {
    if !model.logs.states.is_empty() {
        return vec![note(model.say("log.silent"), Role::Muted)];
    }
    let mut lines = vec![note(model.say("log.no-source"), Role::Muted), Vec::new()];
    let block = [
        "[log.front]",
        "machine = \"MACHINE\"",
        "file = \"/var/log/nginx/error.log\"",
    ];
    lines.extend(block.map(|line| note(format!("    {line}"), Role::Text)));
    lines
}

/// Whether lines come, what is left out, what stopped.
fn head(model: &Model) -> Vec<Note> {
    let logs = &model.logs;
    if logs.states.is_empty() {
        return Vec::new();
    }
    let mut state = Vec::new();
    let new = |count: u64| model.lang.fill("log.new", &[("count", &count.to_string())]);
    match (logs.paused, &model.trail.view().selected) {
        (Some(came), _) => {
            let text = format!("= {}  {}", model.say("log.paused"), new(logs.came() - came));
            state.push(Cell::new(text, Role::Waived));
        }
        (None, Some(_)) => {
            let since = logs
                .view
                .as_ref()
                .zip(logs.left_at)
                .map(|(view, at)| view.counts().matching - view.place_of(at));
            let text = format!("| {}  {}", model.say("log.held"), new(since.unwrap_or(0)));
            state.push(Cell::new(text, Role::Warming));
        }
        (None, None) => state.push(Cell::new(
            format!("> {}", model.say("log.follows")),
            Role::Ok,
        )),
    }
    if let Some(floor) = logs.floor.filter(|_| !model.trail.view().only_broken) {
        let text = model.lang.fill("log.floor", &[("level", floor.as_str())]);
        state.push(Cell::new(format!("  {text}"), Role::Focus));
    }
    let opening = logs
        .states
        .iter()
        .filter(|state| state.status == SourceStatus::Opening)
        .count();
    if opening > 0 {
        let text = model
            .lang
            .fill("log.opening", &[("count", &opening.to_string())]);
        state.push(Cell::new(format!("  {text}"), Role::Warming));
    }
    let dropped = logs.view.as_ref().map_or(0, |view| view.counts().dropped);
    if dropped > 0 {
        let text = model
            .lang
            .fill("log.dropped", &[("count", &dropped.to_string())]);
        state.push(Cell::muted(format!("  {text}")));
    }
    let mut head = vec![state];
    // One line whatever their number: the list of sources has them all.
    let mut stopped = logs.stopped();
    if let Some(first) = stopped.next() {
        let mut line = vec![Cell::new(format!("x {} ", first.source.id), Role::Fail)];
        line.extend(why(model, first));
        let more = stopped.count();
        if more > 0 {
            line.push(Cell::muted(format!("  +{more}")));
        }
        head.push(line);
    }
    head
}

fn why(model: &Model, state: &SourceState) -> Note {
    let SourceStatus::Stopped { why, again_at_ms } = &state.status else {
        return Vec::new();
    };
    let again = seconds(model, *again_at_ms);
    vec![
        Cell::muted(model.lang.fill("log.again", &[("at", &again)])),
        Cell::plain(format!("  {}", why.message)),
    ]
}

/// Rows for lines.
pub(crate) fn rows(model: &Model, lines: Vec<LogLine>) -> Vec<Row> {
    let one =
        matches!(&model.trail.view().place, Place::LogOf(name) if model.logs.of(name).len() == 1);
    lines
        .into_iter()
        .map(|line| {
            let (level, role) = level(line.level);
            Row::new(
                line.no.to_string(),
                vec![
                    Cell::muted(line.at_ms.map_or_else(String::new, |at| seconds(model, at))),
                    Cell::new(level, role),
                    Cell::muted(if one { "" } else { line.source.as_str() }),
                    Cell::new(behind(&gist(&line.text), model.logs.shift), text_role(role)),
                ],
            )
            .broken(line.level.rank() >= Level::Warn.rank())
            .copies(line.text)
            .opens(Place::LogLine(line.no))
        })
        .collect()
}

/// A level in three letters, and what it means. The bad ones shout, also without colour.
fn level(level: Level) -> (&'static str, Role) {
    match level {
        Level::Trace => ("trc", Role::Muted),
        Level::Debug => ("dbg", Role::Muted),
        Level::Info => ("inf", Role::Muted),
        Level::Unknown => ("", Role::Text),
        Level::Warn => ("WRN", Role::Warn),
        Level::Error => ("ERR", Role::Fail),
    }
}

/// Lines that are well are read as text; the rest in the colour of its level.
fn text_role(role: Role) -> Role {
    match role {
        Role::Warn | Role::Fail => role,
        _ => Role::Text,
    }
}

/// The last warnings of what a row is about; nothing beside what no log could be of.
pub(crate) fn beside(model: &Model, shown: &Shown, area: Rect) -> Vec<Note> {
    let aim = pointed_at(model, shown);
    let Some(subject) = crate::logs::subject(model, aim.clone()) else {
        if host_looked_at(model, aim).is_none() && !model.logs.states.is_empty() {
            return Vec::new();
        }
        let key = if model.logs.states.is_empty() {
            "log.no-source"
        } else {
            "log.none-of-this"
        };
        return vec![note(model.say(key), Role::Muted)];
    };
    let title = model.lang.fill("log.beside", &[("name", &subject)]);
    let mut lines = vec![note(title, Role::Title)];
    let found = model
        .logs
        .side
        .as_ref()
        .map(|side| side.tail(usize::from(area.height.saturating_sub(1))))
        .unwrap_or_default();
    if found.is_empty() {
        lines.push(note(model.say("log.no-warning"), Role::Muted));
    }
    // Time and level stand before it.
    let text = usize::from(area.width).saturating_sub(13);
    lines.extend(found.into_iter().map(|line| {
        let (word, role) = level(line.level);
        vec![
            Cell::muted(
                line.at_ms
                    .map_or_else(String::new, |at| format!("{} ", seconds(model, at))),
            ),
            Cell::new(format!("{word} "), role),
            Cell::new(cut(&gist(&line.text), text), text_role(role)),
        ]
    }));
    lines
}

/// One line whole, and those that came around it, whatever the filter.
pub(super) fn line(model: &Model, no: u64) -> Content {
    let Some((view, line)) = model
        .logs
        .view
        .as_ref()
        .and_then(|view| Some((view, view.line(no)?)))
    else {
        return Content::text(vec![note(model.say("log.gone"), Role::Muted)]);
    };
    let (_, role) = level(line.level);
    let state = model
        .logs
        .states
        .iter()
        .find(|state| state.source.id == line.source);
    let origin = state.map_or_else(String::new, |state| {
        format!("  {}  {}", state.source.machine, state.source.place)
    });
    let at = line
        .at_ms
        .map_or_else(|| model.say("log.no-time"), |at| moment(model, at));
    let mut text = vec![
        field(&model.say("col.at"), at, Role::Text),
        field(
            &model.say("col.source"),
            format!("{}{origin}", line.source),
            Role::Text,
        ),
        field(&model.say("col.level"), line.level.as_str(), role),
    ];
    if let Some(status) = line.status {
        text.push(field(&model.say("col.status"), status.to_string(), role));
    }
    text.extend([
        Vec::new(),
        note(line.text, text_role(role)),
        Vec::new(),
        note(model.say("log.around"), Role::Muted),
    ]);
    for near in no.saturating_sub(AROUND)..=no.saturating_add(AROUND) {
        let Some(other) = view.line(near) else {
            continue;
        };
        let (word, role) = level(other.level);
        let mark = if near == no { ">" } else { " " };
        text.push(vec![
            Cell::new(format!("{mark} "), Role::Focus),
            Cell::muted(
                other
                    .at_ms
                    .map_or_else(String::new, |at| format!("{} ", seconds(model, at))),
            ),
            Cell::new(format!("{word:3} "), role),
            Cell::new(
                format!("{}  {}", other.source, gist(&other.text)),
                text_role(role),
            ),
        ]);
    }
    Content::text(text)
}

/// The sources.
pub(super) fn sources(model: &Model) -> Content {
    let rows = model
        .logs
        .states
        .iter()
        .map(|state| {
            let source = &state.source;
            let (glyph, key, role) = match state.status {
                SourceStatus::Idle => ("=", "log.idle", Role::Waived),
                SourceStatus::Opening => (">", "log.opens", Role::Warming),
                SourceStatus::Following => ("+", "log.following", Role::Ok),
                SourceStatus::Stopped { .. } => ("x", "log.stopped", Role::Fail),
            };
            let why: String = why(model, state)
                .iter()
                .map(|cell| cell.text.as_str())
                .collect();
            Row::new(
                source.id.as_str(),
                vec![
                    Cell::new(glyph, role),
                    Cell::new(model.say(key), role),
                    Cell::plain(source.id.as_str()),
                    Cell::plain(source.machine.as_str()),
                    Cell::plain(source.host.as_ref().map_or("", |host| host.as_str())),
                    Cell::plain(state.lines.to_string()),
                    Cell::muted(if why.is_empty() {
                        source.place.to_string()
                    } else {
                        why
                    }),
                ],
            )
            .broken(role == Role::Fail)
            .opens(Place::LogOf(source.id.to_string()))
        })
        .collect();
    Content::list(List {
        columns: vec![
            Column::fit("", 1, 1, 0),
            Column::fit("col.state", 4, 10, 0),
            Column::fit("col.source-name", 4, 20, 0),
            Column::fit("col.machine", 4, 14, 2),
            Column::fit("col.host", 4, 14, 1),
            Column::fit("col.lines", 5, 9, 3).right(),
            Column::grow("col.what", 10, 0),
        ],
        rows,
        empty: empty(model),
    })
}
