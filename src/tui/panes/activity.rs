//! Activity: every write, who, when, where, what, how answered.

use super::said::clock;
use crate::content::{Cell, Column, Content, List, Row, note};
use crate::model::Model;
use crate::theme::Role;

pub(super) fn list(model: &Model) -> Content {
    let rows = model
        .audit
        .iter()
        .enumerate()
        .map(|(at, row)| {
            Row::new(
                format!("{} {at}", row.at_ms),
                vec![
                    Cell::muted(clock(model, row.at_ms)),
                    Cell::plain(row.host.as_str()),
                    Cell::plain(row.request.clone()),
                    Cell::plain(row.answer.clone()),
                    Cell::muted(row.who.clone()),
                    Cell::muted(row.reason.clone()),
                ],
            )
            .copies(row.request.clone())
        })
        .collect();
    Content::list(List {
        columns: vec![
            Column::fit("col.at", 5, 11, 0),
            Column::fit("col.host", 4, 16, 1),
            Column::fit("col.request-name", 12, 48, 0),
            Column::grow("col.answer", 10, 0),
            Column::fit("col.who", 4, 28, 3),
            Column::fit("col.reason", 4, 24, 2),
        ],
        rows,
        empty: vec![note(model.say("activity.empty"), Role::Muted)],
    })
}
