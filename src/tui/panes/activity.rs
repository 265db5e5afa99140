//! Activity: every write, who, when, where, what, how answered.

use super::said::{clock, moment};
use crate::content::{Cell, Column, Content, List, Row, field, note};
use crate::model::Model;
use crate::place::Place;
use crate::theme::Role;

pub(super) fn list(model: &Model) -> Content {
    let rows = model
        .audit
        .iter()
        .enumerate()
        .map(|(at, row)| {
            // The newest comes first, so places count from the oldest: they stay when more is written.
            let no = model.audit.len() - at;
            Row::new(
                no.to_string(),
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
            .opens(Place::Written(no))
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

/// One write whole.
pub(super) fn written(model: &Model, no: usize) -> Content {
    let row = model
        .audit
        .len()
        .checked_sub(no)
        .and_then(|at| model.audit.get(at));
    let Some(row) = row else {
        return Content::text(vec![note(model.say("activity.gone"), Role::Muted)]);
    };
    let mut lines = vec![
        field(&model.say("col.at"), moment(model, row.at_ms), Role::Text),
        field(&model.say("col.who"), row.who.clone(), Role::Text),
        field(&model.say("col.host"), row.host.as_str(), Role::Text),
        field(
            &model.say("col.request-name"),
            row.request.clone(),
            Role::Title,
        ),
        field(&model.say("col.answer"), row.answer.clone(), Role::Text),
    ];
    if !row.reason.is_empty() {
        lines.push(field(
            &model.say("col.reason"),
            row.reason.clone(),
            Role::Text,
        ));
    }
    if let Some(batch) = row.batch {
        lines.push(field(
            &model.say("col.batch-name"),
            batch.to_string(),
            Role::Text,
        ));
    }
    lines.push(field(
        &model.say("field.plan"),
        row.plan_hash.clone(),
        Role::Muted,
    ));
    Content::text(lines)
}
