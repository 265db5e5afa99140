//! There is no config yet: what was looked for, the lab, and the exact file to write.

use crate::content::{Content, note, whole};
use crate::model::Model;
use crate::theme::Role;

pub(super) fn page(model: &Model) -> Content {
    let mut lines = vec![note(model.say("welcome.title"), Role::Title), Vec::new()];
    if let Some(first) = &model.setup.first_run {
        let looked = model.fill("welcome.looked", &[("path", &first.path)]);
        lines.push(note(looked, Role::Text));
        lines.push(Vec::new());
        lines.push(note(model.say("welcome.lab"), Role::Text));
        lines.push(note("    cockpit --lab", Role::Key));
        lines.push(Vec::new());
        lines.push(note(model.say("welcome.write"), Role::Text));
        lines.push(Vec::new());
        lines.extend(
            first
                .example
                .lines()
                .map(|line| whole(format!("    {line}"), Role::Muted)),
        );
    }
    Content::text(lines)
}
