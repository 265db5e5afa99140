//! A table of values: the first line names its columns, one of them holds the keys.

use super::{Found, KeyInput, field_named};
use csv::{ReaderBuilder, Trim};

/// What separates columns, and where the keys stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    separator: u8,
    column: usize,
    field: &'static str,
}

/// The shape of a text whose first line that says something names a column of keys.
pub(super) fn shape(text: &str) -> Option<Shape> {
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))?;
    [',', ';', '\t'].into_iter().find_map(|separator| {
        let columns = first.split(separator);
        let (column, field) = columns
            .enumerate()
            .find_map(|(at, name)| Some((at, field_named(name.trim().trim_matches('"'))?)))?;
        Some(Shape {
            separator: u8::try_from(separator).ok()?,
            column,
            field,
        })
    })
}

/// Reads the rows.
pub(super) fn read(text: &str, shape: Shape) -> KeyInput {
    let mut found = Found::default();
    let mut reader = ReaderBuilder::new()
        .delimiter(shape.separator)
        .comment(Some(b'#'))
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let columns = reader.headers().map_or(0, csv::StringRecord::len);
    for row in reader.records() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let line = error.position().map_or(0, |at| line_of(text, at));
                found.bad(
                    line,
                    Some(shape.field),
                    "cannot be read as a row of the table",
                );
                continue;
            }
        };
        let line = row.position().map_or(0, |at| line_of(text, at));
        match row.get(shape.column) {
            Some(key) => found.take(line, Some(shape.field), key),
            None => found.bad(
                line,
                Some(shape.field),
                format!(
                    "is missing; this row has {} of {columns} columns",
                    row.len()
                ),
            ),
        }
    }
    found.input
}

/// The line of a row: what was read last ended before it, with blank lines and comments between.
fn line_of(text: &str, position: &csv::Position) -> usize {
    let before = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let (before, rest) = text.split_at_checked(before).unwrap_or((text, ""));
    let skipped = rest
        .lines()
        .take_while(|line| line.trim().is_empty() || line.starts_with('#'))
        .count();
    before.matches('\n').count() + skipped + 1
}
