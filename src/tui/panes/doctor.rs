//! The doctor: every hop to every host, each with a fix.

use crate::content::{Cell, Content, field, note};
use crate::model::{Asked, Model};
use crate::theme::Role;

pub(super) fn list(model: &Model) -> Content {
    let Some(found) = &model.doctor else {
        let key = if model.is_asked(&Asked::Doctor) {
            "doctor.looking"
        } else {
            "doctor.empty"
        };
        return Content::text(vec![note(model.say(key), Role::Muted)]);
    };
    let mut lines = Vec::new();
    for row in &found.value {
        let (glyph, role) = if row.ok {
            ("+", Role::Ok)
        } else {
            ("x", Role::Fail)
        };
        lines.push(vec![
            Cell::new(format!("{glyph} "), role),
            Cell::new(
                format!("{}  ", crate::widgets::fit(&row.subject, 22)),
                Role::Title,
            ),
            Cell::plain(row.found.clone()),
        ]);
        if !row.fix.is_empty() {
            lines.push(field(&model.say("field.next"), row.fix.clone(), Role::Key));
        }
    }
    lines.push(Vec::new());
    lines.push(field(
        &model.say("field.command"),
        "cockpit doctor",
        Role::Muted,
    ));
    Content::text(lines)
}
