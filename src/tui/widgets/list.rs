//! A list: a line of titles, then rows of which one is selected.

use super::width::{cut_middle, fit, fit_right, width};
use crate::content::{Column, Row, Width};
use crate::theme::{Role, Theme};
use crate::words::Lang;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Cells between two columns.
const GAP: u16 = 2;
/// Cells in front of a row, for the mark of the selection.
pub(crate) const GUTTER: u16 = 2;

/// Which columns there is room for and how wide each is: the one to drop first goes first, then
/// the growing one takes what is left.
pub(super) fn columns_of(
    columns: &[Column],
    rows: &[&Row],
    lang: Lang,
    room: u16,
) -> Vec<(usize, u16)> {
    let rows: Vec<&Row> = rows.iter().copied().filter(|row| !row.heading).collect();
    let natural = |index: usize, column: &Column| -> u16 {
        let title = if column.title.is_empty() {
            0
        } else {
            width(&lang.say(column.title))
        };
        let cells = rows
            .iter()
            .filter_map(|row| row.cells.get(index))
            .map(|cell| width(&cell.text))
            .max()
            .unwrap_or(0);
        u16::try_from(title.max(cells)).unwrap_or(u16::MAX)
    };
    let mut kept: Vec<(usize, u16)> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let wide = match column.width {
                Width::Fit(min, max) => natural(index, column).clamp(min, max.max(min)),
                Width::Grow(min) => min,
            };
            (index, wide)
        })
        // A column with nothing to say takes no room.
        .filter(|(index, _)| {
            columns[*index].drop == 0
                || rows.is_empty()
                || rows.iter().any(|row| {
                    row.cells
                        .get(*index)
                        .is_some_and(|cell| !cell.text.is_empty())
                })
        })
        .collect();
    let total = |kept: &[(usize, u16)]| -> u16 {
        let gaps = GAP * u16::try_from(kept.len().saturating_sub(1)).unwrap_or(0);
        kept.iter()
            .map(|(_, wide)| *wide)
            .fold(gaps, u16::saturating_add)
    };
    while total(&kept) > room {
        let worst = kept
            .iter()
            .enumerate()
            .filter(|(_, (index, _))| columns[*index].drop > 0)
            .max_by_key(|(_, (index, _))| columns[*index].drop)
            .map(|(at, _)| at);
        match worst {
            Some(at) => drop(kept.remove(at)),
            None => break,
        }
    }
    let left = room.saturating_sub(total(&kept));
    if let Some(entry) = kept
        .iter_mut()
        .find(|(index, _)| matches!(columns[*index].width, Width::Grow(_)))
    {
        entry.1 = entry.1.saturating_add(left);
    }
    kept
}

/// Draws titles and the rows of a window; `selected` is an index into `rows`.
pub(crate) fn draw_list(
    buffer: &mut Buffer,
    area: Rect,
    columns: &[Column],
    rows: &[&Row],
    (offset, selected): (usize, Option<usize>),
    (theme, lang): (&Theme, Lang),
) {
    if area.height == 0 || area.width <= GUTTER {
        return;
    }
    let layout = columns_of(columns, rows, lang, area.width - GUTTER);
    let edge = area.x + area.width;
    let mut x = area.x + GUTTER;
    for (index, wide) in &layout {
        let column = &columns[*index];
        if !column.title.is_empty() {
            let title = lang.say(column.title);
            let title = if column.right {
                fit_right(&title, usize::from(*wide))
            } else {
                fit(&title, usize::from(*wide))
            };
            let room = usize::from(edge.saturating_sub(x));
            buffer.set_stringn(x, area.y, title.trim_end(), room, theme.style(Role::Muted));
        }
        x = x.saturating_add(wide + GAP);
    }
    let window = rows
        .iter()
        .enumerate()
        .skip(offset)
        .take(usize::from(area.height - 1));
    for (line, (at, row)) in window.enumerate() {
        let y = area.y + 1 + u16::try_from(line).unwrap_or(0);
        let chosen = selected == Some(at);
        if chosen {
            buffer.set_string(area.x, y, ">", theme.style(Role::Key));
        }
        let mut x = area.x + GUTTER;
        if row.heading {
            draw_heading(buffer, (x, y, edge), row, chosen, theme);
            continue;
        }
        for (position, (index, wide)) in layout.iter().enumerate() {
            let Some(cell) = row.cells.get(*index) else {
                continue;
            };
            let column = &columns[*index];
            let wide_cells = usize::from(*wide);
            let text = if column.right {
                fit_right(&cell.text, wide_cells)
            } else if matches!(column.width, Width::Fit(..)) {
                cut_middle(&cell.text, wide_cells)
            } else {
                fit(&cell.text, wide_cells).trim_end().to_owned()
            };
            let mut style = theme.style(cell.role);
            // Only the mark and the name change with the selection: few bytes on a thin line.
            if chosen && position == name_column(&layout, columns) {
                style = style.patch(theme.style(Role::Selection));
            }
            let room = usize::from(edge.saturating_sub(x));
            buffer.set_stringn(x, y, &text, room, style);
            if column.marks {
                for (at, mark) in (x..edge).zip(text.chars()) {
                    buffer.set_string(at, y, mark.to_string(), theme.style(role_of_mark(mark)));
                }
            }
            x = x.saturating_add(wide + GAP);
        }
    }
}

/// The cells of a heading, one after the other; its name carries the selection.
fn draw_heading(
    buffer: &mut Buffer,
    (mut x, y, edge): (u16, u16, u16),
    row: &Row,
    chosen: bool,
    theme: &Theme,
) {
    for (at, cell) in row.cells.iter().enumerate() {
        let mut style = theme.style(cell.role);
        if chosen && at == 0 {
            style = style.patch(theme.style(Role::Selection));
        }
        let room = usize::from(edge.saturating_sub(x));
        let (end, _) = buffer.set_stringn(x, y, &cell.text, room, style);
        x = end.saturating_add(GAP);
    }
}

/// What the mark of a verdict means (`ux.md` 3.2).
pub(crate) fn role_of_mark(mark: char) -> Role {
    match mark {
        '+' => Role::Ok,
        '~' => Role::Warn,
        'x' => Role::Fail,
        '/' => Role::Unreachable,
        '.' => Role::Muffled,
        '=' => Role::Waived,
        _ => Role::Unknown,
    }
}

/// The column that carries the selection: the first that names the row, behind glyph and word.
fn name_column(layout: &[(usize, u16)], columns: &[Column]) -> usize {
    layout
        .iter()
        .position(|(index, _)| columns[*index].drop == 0 && columns[*index].title.ends_with("name"))
        .unwrap_or(0)
}
