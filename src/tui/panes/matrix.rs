//! Every pack on every host: what the last live call came to, and how long ago that was.

use super::said::{age, clock};
use crate::content::{Cell, Column, Content, List, Row, note};
use crate::model::{Asked, Model};
use crate::place::Place;
use crate::theme::Role;
use cockpit_domain::pool::{Pairing, Proof};

const COLUMNS: [Column; 6] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.provider", 8, 22, 0),
    Column::fit("col.host-name", 4, 14, 0),
    Column::fit("col.proof", 6, 20, 0),
    Column::fit("col.looked", 3, 6, 1).right(),
    Column::grow("col.found", 16, 1),
];

pub(super) fn list(model: &Model) -> Content {
    let Some(known) = &model.matrix else {
        let key = if model.is_asked(&Asked::Matrix) {
            "matrix.looking"
        } else {
            "matrix.empty"
        };
        return Content::text(vec![note(model.say(key), Role::Muted)]);
    };
    let mut pairs: Vec<&Pairing> = known.value.iter().collect();
    // What was called comes first; a pack that nobody tried is no news.
    pairs.sort_by_key(|pair| pair.proof == Proof::Never);
    let rows = pairs.into_iter().map(|pair| row(model, pair)).collect();
    let told = model.fill("matrix.head", &[("time", &clock(model, known.at_ms))]);
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: vec![note(model.say("matrix.empty"), Role::Muted)],
    })
    .head(vec![note(told, Role::Muted)])
}

fn row(model: &Model, pair: &Pairing) -> Row {
    let (glyph, role) = match pair.proof {
        Proof::Proven => ("+", Role::Ok),
        Proof::KeyAtFault => ("!", Role::Warn),
        Proof::Broken => ("x", Role::Fail),
        Proof::Never => (".", Role::Muffled),
    };
    let since = if pair.at_ms > 0 {
        age(model, pair.at_ms)
    } else {
        String::new()
    };
    let found = match (pair.by.as_str(), pair.found.as_str()) {
        (by, "") => by.to_owned(),
        (by, found) => format!("{by}: {found}"),
    };
    Row::new(
        format!("{} {}", pair.provider, pair.host),
        vec![
            Cell::new(glyph, role),
            Cell::plain(pair.provider.to_string()),
            Cell::plain(pair.host.to_string()),
            Cell::new(model.say(&format!("proof.{}", pair.proof)), role),
            Cell::muted(since),
            Cell::muted(found),
        ],
    )
    .broken(matches!(pair.proof, Proof::Broken | Proof::KeyAtFault))
    .opens(Place::Resources(pair.host.clone(), pair.provider.clone()))
}
