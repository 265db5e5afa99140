//! Reading logs: which lines are shown, moving among them, holding them still. Only the lines there
//! is room for are ever turned into rows.

use super::moving::Move;
use super::run::{Words, open, said};
use super::shown::Shown;
use crate::content::Body;
use crate::geometry::geometry;
use crate::logs::{pane_filter, side_filter, subject};
use crate::model::Model;
use crate::msg::Effect;
use crate::panes;
use crate::place::Place;
use crate::target::{pointed_at, target};
use cockpit_domain::log::Level;
use cockpit_engine::logs::{LogView, SourceState, SourceStatus};

/// Whether a page shows lines of logs.
pub(super) fn is_log(place: &Place) -> bool {
    matches!(place, Place::Log | Place::LogOf(_))
}

/// Whether lines of logs, or how their sources fare, are on the screen.
pub(crate) fn shows_logs(model: &Model) -> bool {
    let place = &model.trail.view().place;
    is_log(place)
        || *place == Place::LogSources
        || geometry(model.size.0, model.size.1, model.zoomed, true)
            .side_log
            .is_some()
}

/// The engine gave looks at its lines.
pub(super) fn opened(model: &mut Model, view: LogView) {
    model.logs.side = Some(view.another(view.filter().clone()));
    model.logs.view = Some(view);
}

/// There is something new.
pub(super) fn news(model: &mut Model, states: Vec<SourceState>) {
    model.logs.states = states;
    if model.logs.paused.is_none() && model.frozen.is_none() {
        let logs = &mut model.logs;
        for view in [&mut logs.view, &mut logs.side].into_iter().flatten() {
            view.refresh();
        }
    }
}

/// The lines that are shown.
pub(super) fn shown(model: &Model) -> Shown {
    let view = model.trail.view();
    let geometry = geometry(model.size.0, model.size.1, model.zoomed, false);
    let mut content = panes::content(model, &view.place);
    // The line of titles takes one.
    let head = content.head.len() + 1;
    let room = usize::from(geometry.body.height).saturating_sub(head);
    let mut shown = Shown {
        rows: Vec::new(),
        total: 0,
        matching: 0,
        offset: 0,
        selected: None,
        room,
        geometry,
        content: content.clone(),
    };
    let Some(lines) = &model.logs.view else {
        return shown;
    };
    let counts = lines.counts();
    shown.total = usize::try_from(counts.kept).unwrap_or(usize::MAX);
    shown.matching = usize::try_from(counts.matching).unwrap_or(usize::MAX);
    let selected = place(model, lines);
    let start = first_of_window(selected, view.offset as u64, counts.matching, room);
    if let Body::List(list) = &mut content.body {
        list.rows = panes::log_rows(model, lines.window(start, room));
        shown.rows = std::mem::take(&mut list.rows);
    }
    shown.content = content;
    shown.selected = selected
        .or_else(|| counts.matching.checked_sub(1))
        .and_then(|at| usize::try_from(at.checked_sub(start)?).ok())
        .filter(|at| *at < shown.rows.len());
    shown
}

/// Where the selected line stands among those that match; `None` while the end is followed.
fn place(model: &Model, lines: &LogView) -> Option<u64> {
    let selected = model.trail.view().selected.as_deref()?;
    let last = lines.counts().matching.checked_sub(1)?;
    Some(lines.place_of(selected.parse().ok()?).min(last))
}

fn first_of_window(selected: Option<u64>, offset: u64, matching: u64, room: usize) -> u64 {
    let room = room as u64;
    let last = matching.saturating_sub(room);
    match selected {
        None => last,
        Some(at) if at < offset => at,
        Some(at) if at >= offset + room => (at + 1).saturating_sub(room),
        Some(_) => offset.min(last),
    }
}

/// Moves the selection. At the last line the end is followed.
pub(super) fn go(model: &mut Model, to: Move) {
    let room = shown(model).room;
    let Some(lines) = &model.logs.view else {
        return;
    };
    let counts = lines.counts();
    let Some(last) = counts.matching.checked_sub(1) else {
        return;
    };
    let now = place(model, lines).unwrap_or(last);
    let target = match to {
        Move::Top => 0,
        Move::Bottom => last,
        Move::Broken(forward) => match lines.next_at(now, forward, Level::Warn) {
            Some(at) => at,
            None => return,
        },
        other => {
            let step = super::moving::to_lines(other, room);
            now.saturating_add_signed(i64::try_from(step).unwrap_or(0))
                .min(last)
        }
    };
    let selected = (target < last)
        .then(|| lines.window(target, 1).first().map(|line| line.no))
        .flatten();
    let end = counts.kept + counts.dropped;
    model.logs.left_at = selected.and(model.logs.left_at).or(selected.map(|_| end));
    model.trail.view_mut().selected = selected.map(|no| no.to_string());
}

/// After every message, on a log page: what is asked for is what is shown, and the window holds the
/// selection.
pub(super) fn settle(model: &mut Model) {
    let wanted = pane_filter(model);
    if let Some(view) = &mut model.logs.view {
        view.set_filter(wanted);
    }
    let room = shown(model).room;
    if let Some(lines) = &model.logs.view {
        let matching = lines.counts().matching;
        let selected = place(model, lines);
        let offset = model.trail.view().offset as u64;
        let start = first_of_window(selected, offset, matching, room);
        model.trail.view_mut().offset = usize::try_from(start).unwrap_or(usize::MAX);
    }
}

/// The lines beside a row follow the selection, where there is room for them.
pub(super) fn settle_beside(model: &mut Model, shown: &Shown) {
    if shown.geometry.side_log.is_some()
        && let Some(wanted) = side_filter(model, pointed_at(model, shown))
        && let Some(side) = &mut model.logs.side
    {
        side.set_filter(wanted);
    }
}

/// Moves the lines to the left or back.
pub(super) fn sideways(model: &mut Model, right: bool) {
    let step = usize::from(model.size.0 / 3).max(1);
    let logs = &mut model.logs;
    logs.shift = if right {
        logs.shift + step
    } else {
        logs.shift.saturating_sub(step)
    };
}

/// Holds the lines still, or takes new ones again; on a source, stops it or follows it.
pub(super) fn pause(model: &mut Model) -> Vec<Effect> {
    if model.trail.view().place == Place::LogSources {
        let shown = super::shown(model);
        let selected = shown.selected.map(|at| shown.rows[at].id.clone());
        let states = model.logs.states.iter();
        let state = states
            .filter(|state| Some(state.source.id.as_str()) == selected.as_deref())
            .map(|state| (state.source.id.clone(), state.status == SourceStatus::Idle))
            .next();
        return match state {
            Some((id, true)) => vec![Effect::FollowLogs(vec![id])],
            Some((id, false)) => vec![Effect::StopLogs(vec![id])],
            None => Vec::new(),
        };
    }
    let logs = &mut model.logs;
    logs.paused = match logs.paused {
        None => Some(logs.came()),
        Some(_) => None,
    };
    let states = std::mem::take(&mut model.logs.states);
    news(model, states);
    Vec::new()
}

/// Opens the lines that belong to a name, or to what is selected.
pub(super) fn open_of(model: &mut Model, words: &Words) -> Vec<Effect> {
    let name = match words.get(0) {
        Some(name) => Some(name.to_owned()),
        None => subject(model, target(model)),
    };
    let name = name.filter(|name| !model.logs.of(name).is_empty());
    match name {
        Some(name) => {
            // The lines of something are looked at as they come, whatever was held or left out before.
            model.logs.paused = None;
            model.logs.floor = None;
            model.logs.shift = 0;
            let states = std::mem::take(&mut model.logs.states);
            news(model, states);
            open(model, Place::LogOf(name))
        }
        None => said(model, "log.none-of-this"),
    }
}
