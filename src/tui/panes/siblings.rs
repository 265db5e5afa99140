//! Two machines, hosts or packs beside each other: what differs first, then what is alike.

use super::said::clock;
use crate::content::{Cell, Column, Content, List, Row, note};
use crate::model::{Asked, Model};
use crate::theme::Role;
use cockpit_domain::siblings::Beside;

const COLUMNS: [Column; 5] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.fact", 4, 10, 3),
    Column::fit("col.what-name", 8, 30, 0),
    Column::fit("col.first", 6, 40, 0),
    Column::grow("col.second", 6, 0),
];

pub(super) fn page(model: &Model, a: &str, b: &str) -> Content {
    let key = (a.to_owned(), b.to_owned());
    let Some(known) = model.diffs.get(&key) else {
        let key = if model.is_asked(&Asked::Diff(key.0, key.1)) {
            "siblings.looking"
        } else {
            "siblings.empty"
        };
        return Content::text(vec![note(model.say(key), Role::Muted)]);
    };
    let told = &known.value;
    let (count, all) = (told.differences.to_string(), told.rows.len().to_string());
    let at = clock(model, known.at_ms);
    let said = [
        ("a", a),
        ("b", b),
        ("count", count.as_str()),
        ("all", all.as_str()),
        ("time", at.as_str()),
    ];
    let mut head = vec![note(
        model.fill("siblings.head", &said),
        if told.differences == 0 {
            Role::Ok
        } else {
            Role::Text
        },
    )];
    head.extend(told.unseen.iter().map(|(whose, kind, why)| {
        let what = format!("{whose}, {kind}: {why}");
        vec![Cell::new("? ", Role::Unknown), Cell::muted(what)]
    }));
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows: told.rows.iter().map(|row| beside(model, row)).collect(),
        empty: vec![note(model.say("siblings.nothing"), Role::Muted)],
    })
    .head(head)
}

fn beside(model: &Model, row: &Beside) -> Row {
    let (glyph, role) = match (row.same, &row.a, &row.b) {
        (true, ..) => ("=", Role::Muted),
        (false, None, _) => (">", Role::Create),
        (false, _, None) => ("<", Role::Remove),
        (false, ..) => ("~", Role::Change),
    };
    let value = |value: &Option<String>| match value {
        Some(text) if text.is_empty() => Cell::new("+", role),
        Some(text) => Cell::new(text.replace('\n', " "), role),
        None => Cell::new(model.say("siblings.absent"), Role::Muted),
    };
    Row::new(
        format!("{} {}", row.kind, row.name),
        vec![
            Cell::new(glyph, role),
            Cell::muted(model.say(&format!("fact.{}", row.kind))),
            Cell::plain(row.name.clone()),
            value(&row.a),
            value(&row.b),
        ],
    )
    .broken(!row.same)
    .copies(row.name.clone())
}
