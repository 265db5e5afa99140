//! The rows that are shown of a page: what its pane says, less what filter and "only broken" hide.

use super::lines;
use crate::content::{Body, Content, Row};
use crate::geometry::{Geometry, geometry};
use crate::model::Model;
use crate::panes;
use crate::widgets::wrapped;

/// A page as it is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The page whole; the rows of its list are taken out into `rows`, its text is wrapped.
    pub content: Content,
    /// Rows that are shown.
    pub rows: Vec<Row>,
    /// Rows there are.
    pub total: usize,
    /// Rows that filter and "only broken" leave.
    pub matching: usize,
    /// First row of `rows` that is drawn.
    pub offset: usize,
    /// Index of the selected row among those shown.
    pub selected: Option<usize>,
    /// Rows or lines there is room for.
    pub room: usize,
    /// Where everything is.
    pub geometry: Geometry,
}

/// Lines that a list wants below its head: its titles and two rows.
const LEAST: usize = 3;

/// The page that is open, as it is shown.
pub(crate) fn shown(model: &Model) -> Shown {
    let view = model.trail.view();
    if lines::is_log(&view.place) {
        return lines::shown(model);
    }
    let mut content = panes::content(model, &view.place);
    // What opens nothing has nothing to be shown beside it.
    let has_details = matches!(&content.body, Body::List(list)
        if list.rows.iter().any(|row| row.opens.is_some()));
    let geometry = geometry(model.size.0, model.size.1, model.zoomed, has_details);
    content.head = wrapped(&content.head, geometry.body.width);
    let mut content = with_room(content, geometry.body.height.into());
    let head = content.head.len() + usize::from(!content.sections.is_empty());
    let mut room = usize::from(geometry.body.height).saturating_sub(head);
    let mut rows = Vec::new();
    let total = match &mut content.body {
        Body::List(list) => {
            // The line of titles.
            room = room.saturating_sub(1);
            rows = std::mem::take(&mut list.rows);
            let total = counted(&rows);
            let wanted = view.filter.to_lowercase();
            rows.retain(|row| {
                row.heading
                    || (!view.only_broken || row.broken)
                        && (wanted.is_empty() || holds(row, &wanted))
            });
            without_empty(&mut rows);
            total
        }
        Body::Text(lines) => {
            *lines = wrapped(lines, geometry.body.width);
            lines.len()
        }
    };
    let selected = selected(&rows, view.selected.as_deref(), view.index);
    Shown {
        content,
        matching: counted(&rows),
        offset: view.offset,
        rows,
        total,
        selected,
        room,
        geometry,
    }
}

/// Rows that are no headings.
fn counted(rows: &[Row]) -> usize {
    rows.iter().filter(|row| !row.heading).count()
}

/// Takes out headings that nothing is left under; one that is folded stands for its rows.
fn without_empty(rows: &mut Vec<Row>) {
    let empty: Vec<bool> = (0..rows.len())
        .map(|at| {
            let next = rows.get(at + 1);
            !rows[at].is_selectable() && next.is_none_or(|next| next.heading)
        })
        .collect();
    let mut empty = empty.into_iter();
    rows.retain(|_| !empty.next().unwrap_or(false));
}

/// A head that leaves no room below it scrolls with the page, so that nothing is out of reach: a
/// list becomes a text then.
fn with_room(mut content: Content, height: usize) -> Content {
    let head = content.head.len() + usize::from(!content.sections.is_empty());
    if head * 2 <= height || head + LEAST <= height {
        return content;
    }
    let mut lines = std::mem::take(&mut content.head);
    match content.body {
        Body::Text(text) => lines.extend(text),
        Body::List(list) => {
            lines.push(Vec::new());
            lines.extend(list.rows.iter().map(Row::note));
            if list.rows.is_empty() {
                lines.extend(list.empty);
            }
        }
    }
    content.body = Body::Text(lines);
    content
}

/// Every word of the filter is somewhere in the row.
fn holds(row: &Row, wanted: &str) -> bool {
    wanted.split_whitespace().all(|word| {
        row.cells
            .iter()
            .any(|cell| cell.text.to_lowercase().contains(word))
            || row.hidden.to_lowercase().contains(word)
            || row.id.to_lowercase().contains(word)
    })
}

/// By identity; when the row is gone, its neighbour. Never a heading over rows that are there.
fn selected(rows: &[Row], id: Option<&str>, index: usize) -> Option<usize> {
    if rows.is_empty() {
        return None;
    }
    let at = id
        .and_then(|id| rows.iter().position(|row| row.id == id))
        .unwrap_or(index.min(rows.len() - 1));
    let below = (at..rows.len()).find(|at| rows[*at].is_selectable());
    below.or_else(|| (0..at).rev().find(|at| rows[*at].is_selectable()))
}
