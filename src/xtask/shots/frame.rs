//! One screen as cells: what stands where and how it looks. Between the terminal and the picture,
//! so that neither knows the other.

use vt100::{Color, Screen};

/// How a cell looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Style {
    pub(super) ink: Color,
    pub(super) paper: Color,
    pub(super) bold: bool,
    pub(super) dim: bool,
    pub(super) italic: bool,
    pub(super) underline: bool,
    pub(super) inverse: bool,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// What stands here; empty in the second half of a wide character.
    pub(super) text: String,
    /// Columns it takes: 1 or 2, 0 for that second half.
    pub(super) width: u8,
    pub(super) style: Style,
}

/// A screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// Row by row.
    pub(super) rows: Vec<Vec<Cell>>,
    /// Row and column of the cursor, if it is shown.
    pub(super) cursor: Option<(usize, usize)>,
}

impl Frame {
    /// Copies a screen.
    pub(super) fn of(screen: &Screen) -> Self {
        let (rows, columns) = screen.size();
        let rows = (0..rows.get())
            .map(|row| {
                let cells = (0..columns.get()).filter_map(|column| screen.cell(row, column));
                let mut cells: Vec<Cell> = cells.map(cell).collect();
                // The second half of a wide character has no look of its own.
                for second in 1..cells.len() {
                    if cells[second].width == 0 {
                        cells[second].style = cells[second - 1].style;
                    }
                }
                cells
            })
            .collect();
        let (row, column) = screen.cursor_position();
        let cursor = (!screen.hide_cursor()).then_some((row.into(), column.into()));
        Self { rows, cursor }
    }

    /// How many columns it has.
    pub(super) fn columns(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }

    /// Puts another text where this one stands, at the same width: a picture tells nothing of the
    /// computer it was taken on.
    pub(super) fn replace(&mut self, from: &str, to: &str) {
        let from: Vec<String> = from.chars().map(String::from).collect();
        if from.is_empty() {
            return;
        }
        for row in &mut self.rows {
            let mut at = 0;
            while let Some(part) = row.get_mut(at..at + from.len()) {
                if part.iter().map(|cell| &cell.text).eq(from.iter()) {
                    let mut letters = to.chars();
                    for cell in part {
                        cell.text = letters.next().unwrap_or(' ').into();
                    }
                    at += from.len();
                } else {
                    at += 1;
                }
            }
        }
    }
}

fn cell(cell: &vt100::Cell) -> Cell {
    let style = Style {
        ink: cell.fgcolor(),
        paper: cell.bgcolor(),
        bold: cell.bold(),
        dim: cell.dim(),
        italic: cell.italic(),
        underline: cell.underline(),
        inverse: cell.inverse(),
    };
    let (text, width) = match cell.contents() {
        _ if cell.is_wide_continuation() => ("", 0),
        "" => (" ", 1),
        text => (text, if cell.is_wide() { 2 } else { 1 }),
    };
    Cell {
        text: text.to_owned(),
        width,
        style,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::num::NonZeroU16;

    /// The screen that these bytes draw.
    pub(in crate::shots) fn drawn(columns: u16, rows: u16, bytes: &str) -> Frame {
        let size = |count| NonZeroU16::new(count).unwrap();
        let mut parser = vt100::Parser::new(size(rows), size(columns), 0);
        parser.process(bytes.as_bytes());
        Frame::of(parser.screen())
    }

    fn text(row: &[Cell]) -> String {
        row.iter().map(|cell| cell.text.as_str()).collect()
    }

    #[test]
    fn wide_characters_take_two_cells_and_blank_ones_are_spaces() {
        let frame = drawn(6, 2, "\x1b[1;31m中x\x1b[?25l");
        assert_eq!((frame.columns(), frame.rows.len()), (6, 2));
        let widths: Vec<u8> = frame.rows[0].iter().map(|cell| cell.width).collect();
        assert_eq!(widths, [2, 0, 1, 1, 1, 1]);
        assert_eq!(text(&frame.rows[0]), "中x   ");
        assert!(frame.rows[0][0].style.bold);
        assert_eq!(frame.rows[0][0].style.ink, Color::Idx(1));
        assert_eq!(frame.rows[0][1].style, frame.rows[0][0].style);
        assert_eq!(frame.cursor, None);
        assert_eq!(drawn(6, 2, "ab").cursor, Some((0, 2)));
    }

    #[test]
    fn a_replaced_text_keeps_its_width_and_its_look() {
        let mut frame = drawn(12, 1, "a \x1b[1mhost-7\x1b[0m b h");
        frame.replace("host-7", "pc");
        assert_eq!(text(&frame.rows[0]), "a pc     b h");
        assert!(frame.rows[0][2].style.bold && !frame.rows[0][9].style.bold);
        frame.replace("", "x");
        frame.replace("longer than the row", "x");
        assert_eq!(text(&frame.rows[0]), "a pc     b h");
    }
}
