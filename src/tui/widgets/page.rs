//! A text page: pieces with meanings, wrapped to the room there is.

use super::width::{cut, width, wrap};
use crate::content::{Cell, Note};
use crate::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The lines as they are shown in `room` cells. The last piece of a line is the one that wraps, and
/// hangs under its own beginning, so that labels stay in a column of their own.
pub(crate) fn wrapped(lines: &[Note], room: u16) -> Vec<Note> {
    let room = usize::from(room).max(1);
    let mut shown = Vec::with_capacity(lines.len());
    for line in lines {
        let Some((last, front)) = line.split_last() else {
            shown.push(Vec::new());
            continue;
        };
        if last.text.is_empty() {
            shown.push(line.clone());
            continue;
        }
        let indent: usize = front.iter().map(|cell| width(&cell.text)).sum();
        // A label that leaves no room for its text: the text gets lines of its own.
        let hang = if indent + 12 > room { 0 } else { indent };
        let mut pieces = wrap(&last.text, room - hang).into_iter();
        let mut first: Note = front.to_vec();
        if hang == indent {
            first.push(Cell::new(pieces.next().unwrap_or_default(), last.role));
        }
        shown.push(first);
        for piece in pieces {
            shown.push(vec![
                Cell::plain(" ".repeat(hang)),
                Cell::new(piece, last.role),
            ]);
        }
    }
    shown
}

/// Cells a line takes.
pub(crate) fn wide(note: &Note) -> usize {
    note.iter().map(|cell| width(&cell.text)).sum()
}

/// The line in the room there is, with a mark where it was cut.
pub(crate) fn clipped(note: &Note, room: usize) -> Note {
    if wide(note) <= room {
        return note.clone();
    }
    let mut left = room;
    let mut kept: Note = Vec::new();
    for cell in note {
        let text = cut(&cell.text, left);
        left = left.saturating_sub(width(&text));
        let whole = text == cell.text;
        kept.push(Cell::new(text, cell.role));
        if !whole {
            break;
        }
    }
    kept
}

/// Draws the lines from `offset` on; one that was not wrapped before is cut.
pub(crate) fn draw_text(
    buffer: &mut Buffer,
    area: Rect,
    lines: &[Note],
    offset: usize,
    theme: &Theme,
) {
    let window = lines.iter().skip(offset).take(usize::from(area.height));
    for (at, note) in window.enumerate() {
        let y = area.y + u16::try_from(at).unwrap_or(0);
        let mut x = area.x;
        for cell in &clipped(note, area.width.into()) {
            let room = usize::from((area.x + area.width).saturating_sub(x));
            if room == 0 {
                break;
            }
            let (end, _) = buffer.set_stringn(x, y, &cell.text, room, theme.style(cell.role));
            x = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{field, note};
    use crate::theme::Role;

    #[test]
    fn a_long_value_hangs_under_its_own_beginning() {
        let lines = [field("found", "nothing listens on the port", Role::Text)];
        let shown = wrapped(&lines, 26);
        let text: Vec<String> = shown
            .iter()
            .map(|line| line.iter().map(|cell| cell.text.as_str()).collect())
            .collect();
        assert_eq!(text, ["found     nothing listens", "          on the port"]);
    }

    #[test]
    fn a_line_that_is_to_stay_whole_is_left_to_be_cut() {
        let lines = [crate::content::whole(
            "address = \"127.0.0.1:8080\"",
            Role::Text,
        )];
        let shown = wrapped(&lines, 12);
        assert_eq!(shown.len(), 1);
        assert_eq!(clipped(&shown[0], 12)[0].text, "address = ..");
    }

    #[test]
    fn an_empty_line_stays_and_a_narrow_page_still_shows_everything() {
        let lines = [
            Vec::new(),
            field("expected", "abc def", Role::Text),
            note("x", Role::Text),
        ];
        let shown = wrapped(&lines, 4);
        assert!(shown[0].is_empty());
        assert_eq!(shown[1][0].text.trim(), "expected");
        assert!(shown.len() >= 4);
    }
}
