//! Moving inside a page. A list moves its selection, a text its first line.

use super::lines;
use super::shown::{Shown, shown};
use crate::content::{Body, Row};
use crate::model::Model;

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    Lines(isize),
    HalfPages(isize),
    Pages(isize),
    Top,
    Bottom,
    /// To the next or previous row that is broken.
    Broken(bool),
}

/// Moves in the page that is open.
pub(super) fn go(model: &mut Model, to: Move) {
    if lines::is_log(&model.trail.view().place) {
        return lines::go(model, to);
    }
    let shown = shown(model);
    let is_list = matches!(shown.content.body, Body::List(_));
    let view = model.trail.view_mut();
    let (now, last) = if is_list {
        (
            shown.selected.unwrap_or(0),
            shown.rows.len().saturating_sub(1),
        )
    } else {
        (view.offset, shown.total.saturating_sub(shown.room))
    };
    let target = match to {
        Move::Top => 0,
        Move::Bottom => last,
        Move::Broken(forward) => match next_broken(&shown, now, forward) {
            Some(at) => at,
            None => return,
        },
        other => now
            .saturating_add_signed(to_lines(other, shown.room))
            .min(last),
    };
    if is_list {
        let target = passing_headings(&shown, now, target);
        view.index = target;
        // At the top it follows what comes to the top.
        view.selected = (to != Move::Top)
            .then(|| shown.rows.get(target).map(|row| row.id.clone()))
            .flatten();
    } else {
        view.offset = target;
    }
}

/// A heading is passed over in the way one moves; at the end one stays.
fn passing_headings(shown: &Shown, now: usize, target: usize) -> usize {
    let stands = |at: &usize| shown.rows.get(*at).is_none_or(Row::is_selectable);
    if stands(&target) {
        return target;
    }
    let ahead = if target > now {
        (target..shown.rows.len()).find(stands)
    } else {
        (0..target).rev().find(stands)
    };
    ahead.or_else(|| (target..=now).find(stands)).unwrap_or(now)
}

pub(super) fn to_lines(to: Move, room: usize) -> isize {
    let room = isize::try_from(room.max(1)).unwrap_or(1);
    match to {
        Move::Lines(lines) => lines,
        Move::HalfPages(halves) => halves * (room / 2).max(1),
        Move::Pages(pages) => pages * room,
        Move::Top => isize::MIN,
        Move::Bottom => isize::MAX,
        Move::Broken(forward) => {
            if forward {
                1
            } else {
                -1
            }
        }
    }
}

fn next_broken(shown: &Shown, now: usize, forward: bool) -> Option<usize> {
    // A text has lines and no rows.
    let broken = |at: &usize| shown.rows.get(*at).is_some_and(|row| row.broken);
    if forward {
        (now + 1..shown.rows.len()).find(broken)
    } else {
        (0..now).rev().find(broken)
    }
}

/// After every message: the selection keeps its row, the window keeps the selection, and nothing
/// points behind the end.
pub(super) fn settle(model: &mut Model) {
    if lines::is_log(&model.trail.view().place) {
        return lines::settle(model);
    }
    let shown = shown(model);
    lines::settle_beside(model, &shown);
    let view = model.trail.view_mut();
    match &shown.content.body {
        Body::List(_) => {
            let Some(selected) = shown.selected else {
                view.offset = 0;
                return;
            };
            // Until a person moves, the first row stays selected: the worst comes first.
            if view.selected.is_some()
                && shown.rows[selected].id == view.selected.as_deref().unwrap_or_default()
            {
                view.index = selected;
            }
            let room = shown.room.max(1);
            // The heading of the first row is seen with it.
            let headed = room > 1 && selected > 0 && shown.rows[selected - 1].heading;
            let first = selected - usize::from(headed);
            if first < view.offset {
                view.offset = first;
            } else if selected >= view.offset + room {
                view.offset = selected + 1 - room;
            }
            view.offset = view.offset.min(shown.rows.len().saturating_sub(room));
        }
        Body::Text(_) => view.offset = view.offset.min(shown.total.saturating_sub(shown.room)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Cell, Content};
    use crate::geometry::Geometry;

    #[test]
    fn headings_are_passed_over_unless_they_stand_for_what_is_folded() {
        let row = |id: &str| Row::new(id, vec![Cell::plain(id)]);
        let heading = |id: &str, folded| Row::heading(id, vec![Cell::plain(id)], folded);
        let rows = vec![
            heading("A", false),
            row("a"),
            heading("B", false),
            row("b"),
            heading("C", true),
        ];
        let list = Shown {
            content: Content::text(Vec::new()),
            total: rows.len(),
            matching: rows.len(),
            rows,
            offset: 0,
            selected: None,
            room: 10,
            geometry: Geometry::default(),
        };
        for (now, target, stands) in [
            (1, 2, 3),
            (3, 2, 1),
            (1, 0, 1),
            (3, 0, 1),
            (3, 4, 4),
            (4, 3, 3),
            (1, 4, 4),
        ] {
            assert_eq!(
                passing_headings(&list, now, target),
                stands,
                "{now} to {target}"
            );
        }
    }

    #[test]
    fn a_text_that_is_scrolled_has_no_broken_row_before_or_behind() {
        let text = Shown {
            content: Content::text(Vec::new()),
            rows: Vec::new(),
            total: 200,
            matching: 200,
            offset: 0,
            selected: None,
            room: 10,
            geometry: Geometry::default(),
        };
        for forward in [true, false] {
            assert_eq!(next_broken(&text, 120, forward), None);
        }
    }
}
