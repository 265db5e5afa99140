//! A table of values: the first line names its columns, one of them holds the keys. One row a line:
//! a quote that is open at the end of its line is named there, and swallows none of the lines after.

use super::{Found, KeyInput, field_named};
use csv::ReaderBuilder;

/// What separates columns, and where the keys stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    separator: u8,
    columns: usize,
    column: usize,
    field: &'static str,
}

/// The shape of a text whose first line that says something names a column of keys.
pub(super) fn shape(text: &str) -> Option<Shape> {
    let (_, first) = lines(text).next()?;
    [b',', b';', b'\t'].into_iter().find_map(|separator| {
        let names = cells(first, separator)?;
        let mut known = names.iter().enumerate();
        let (column, field) = known.find_map(|(at, name)| Some((at, field_named(name)?)))?;
        Some(Shape {
            separator,
            columns: names.len(),
            column,
            field,
        })
    })
}

/// Reads the rows.
pub(super) fn read(text: &str, shape: Shape) -> KeyInput {
    let Shape { columns, field, .. } = shape;
    let mut found = Found::default();
    for (line, row) in lines(text).skip(1) {
        let Some(cells) = cells(row, shape.separator) else {
            let why = "has a quote in its row that is not closed in this line";
            found.bad(line, Some(field), why);
            continue;
        };
        match cells.get(shape.column) {
            Some(key) if row.contains(key) => found.take(line, Some(field), key),
            Some(_) => found.bad(
                line,
                Some(field),
                "goes on after its closing quote; quote the whole key, or nothing of it",
            ),
            None => {
                let has = cells.len();
                let why = format!("is missing; this row has {has} of {columns} columns");
                found.bad(line, Some(field), why);
            }
        }
    }
    found.input
}

/// The lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().map(str::trim_end).enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(index, line)| (index + 1, line))
}

/// The cells of one line; `None` where a quote is open at its end.
fn cells(line: &str, separator: u8) -> Option<Vec<String>> {
    let ended = format!("{line}\n");
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(ended.as_bytes());
    let mut cells = Vec::new();
    for row in reader.records() {
        cells.extend(row.ok()?.iter().map(str::to_owned));
    }
    if cells.iter().any(|cell| cell.contains('\n')) {
        return None;
    }
    let bare = cells.iter().map(|cell| cell.trim().to_owned());
    Some(bare.collect())
}
