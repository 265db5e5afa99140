//! Asking why a key fails: by reference or by its id on the host, never by its text.

use super::run::{Words, arguments, ask};
use crate::actions::Action;
use crate::content::{Cell, Note, field, note};
use crate::dialogs::{Dialog, Message};
use crate::model::{Asked, Model};
use crate::msg::Effect;
use crate::target::{Target, host_looked_at};
use crate::theme::Role;
use crate::update::acts;
use cockpit_domain::explain::Holds;
use cockpit_engine::command::Command;
use cockpit_engine::explain::{AskedKey, Explained};

/// `explain-key HOST REFERENCE`.
pub(super) fn explain(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let host = acts::host(words, aim).or_else(|| host_looked_at(model, aim.clone()));
    let Some(reference) = words.get(1) else {
        return arguments(model, Action::ExplainKey);
    };
    match AskedKey::named(reference.to_owned()) {
        Ok(key) => {
            let told = model.say("toast.explaining");
            model.tell(told, Role::Muted);
            ask(model, Asked::Told, Command::ExplainKey { host, key })
        }
        Err(failure) => {
            model.dialog = Some(Dialog::failure(model, &failure));
            Vec::new()
        }
    }
}

/// What came of it, in front of the page.
pub(super) fn told(model: &mut Model, found: &Explained) {
    let lines = lines(model, found);
    model.toast = None;
    model.dialog = Some(Dialog::Message(Message::lines(lines)));
}

fn lines(model: &Model, found: &Explained) -> Vec<Note> {
    let verdict = match found.decided {
        Some(reason) => note(
            format!("x {}", model.say(&format!("key-reason.{reason}"))),
            Role::Fail,
        ),
        None if found.is_well() => note(model.say("explain.well"), Role::Ok),
        None => note(model.say("explain.undecided"), Role::Unknown),
    };
    let mut lines = vec![
        vec![
            Cell::new(found.key.clone(), Role::Title),
            Cell::plain(format!("  {}", found.host)),
        ],
        verdict,
        Vec::new(),
    ];
    for row in &found.reasons {
        let (glyph, role) = match row.holds {
            Holds::Yes => ("x", Role::Fail),
            Holds::No => ("+", Role::Ok),
            Holds::Unknown => ("?", Role::Unknown),
            Holds::Moot => (".", Role::Muffled),
        };
        let name = model.say(&format!("key-reason.{}", row.reason));
        lines.push(vec![
            Cell::new(format!("{glyph} {name}: "), role),
            Cell::plain(row.found.clone()),
        ]);
        lines.push(note(
            format!(
                "    {}",
                model.fill("explain.asked", &[("what", &row.asked)])
            ),
            Role::Muted,
        ));
        if !row.next.is_empty() {
            lines.push(note(format!("    {}", row.next), Role::Key));
        }
    }
    lines.push(Vec::new());
    if let Some(said) = &found.gateway {
        let text = format!("/v1/models {} {}", said.status, said.found);
        lines.push(field(&model.say("field.gateway"), text, Role::Text));
    }
    for text in &found.notes {
        lines.push(note(format!("! {text}"), Role::Warn));
    }
    lines
}
