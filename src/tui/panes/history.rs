//! The history of a check: what it came to, from when to when, newest first.

use super::said::{age, clock, marks, verdict_cell};
use crate::content::{Cell, Column, Content, List, Row, note};
use crate::model::Model;
use crate::theme::Role;
use cockpit_domain::ids::PackId;

const COLUMNS: [Column; 6] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.verdict", 4, 12, 3),
    Column::fit("col.from-name", 5, 11, 0),
    Column::fit("col.lasted", 3, 6, 1).right(),
    Column::fit("col.looks", 3, 6, 2).right(),
    Column::grow("col.found", 12, 0),
];

/// A stretch a row.
pub(super) fn page(model: &Model, pack: &PackId, check: &str) -> Content {
    let key = (pack.clone(), check.to_owned());
    let told = model.histories.get(&key);
    let found = told.and_then(|told| told.checks.first().map(|row| (told, row)));
    let Some((told, history)) = found else {
        let key = if told.is_some() {
            "history.none"
        } else {
            "history.reading"
        };
        return Content::text(vec![note(model.say(key), Role::Muted)]);
    };
    let rows = history.stretches.iter().map(|stretch| {
        let (glyph, word) = verdict_cell(model, stretch.verdict);
        let lasted = crate::widgets::span(stretch.to_ms - stretch.from_ms);
        Row::new(
            format!("{}", stretch.from_ms),
            vec![
                glyph,
                word,
                Cell::plain(clock(model, stretch.from_ms)),
                Cell::muted(lasted),
                Cell::muted(stretch.looks.to_string()),
                Cell::plain(stretch.found.replace('\n', " ")),
            ],
        )
        .broken(!matches!(
            stretch.verdict,
            cockpit_domain::baseline::Verdict::Ok
        ))
    });
    let flaps = history.flaps.to_string();
    let since = age(model, told.since_ms);
    let said = [("count", flaps.as_str()), ("span", since.as_str())];
    let (mut glyph, word) = verdict_cell(model, history.verdict);
    glyph.text.push(' ');
    let stands = [("since", clock(model, history.since_ms))];
    let stands: Vec<_> = stands
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let mut line = vec![
        glyph,
        word,
        Cell::plain(format!(
            "  {}, {}  ",
            model.fill("history.stands", &stands),
            model.fill("history.turned", &said)
        )),
    ];
    line.extend(marks(&history.recent));
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows: rows.collect(),
        empty: vec![note(model.say("history.none"), Role::Muted)],
    })
    .head(vec![line])
}
