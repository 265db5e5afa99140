//! What stands in front of a page: help, palette, menu, import form, confirmation, message.

mod confirm;
mod import_form;
mod message;
mod palette;
mod reply;
mod stack_form;

pub(crate) use confirm::Field;
pub(crate) use confirm::{Confirm, Subject};
pub(crate) use import_form::ImportForm;
pub(crate) use import_form::{FIELDS, KEYS, OWN};
pub(crate) use message::Message;
pub(crate) use palette::{Kind, Palette, unknown_word};
pub(crate) use reply::Reply;
pub(crate) use stack_form::{STACK_FIELDS, StackForm};

use crate::actions::{ACTIONS, Danger};
use crate::model::Model;
use crate::msg::Effect;
use crate::update::{Words, confirmed, run_action, submit_import, submit_stack, why_not};
use cockpit_engine::failure::Failure;
use cockpit_engine::probe::Split;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

/// What is open.
#[derive(Debug)]
pub(crate) enum Dialog {
    /// The command line, the list of keys, or the menu of acts.
    Palette(Palette),
    /// What an import needs.
    Import(ImportForm),
    /// What registering a stack needs.
    Stack(Box<StackForm>),
    /// The word for an act.
    Confirm(Confirm),
    /// The answer to what a run asks.
    Reply(Reply),
    /// Something to read.
    Message(Message),
}

impl Dialog {
    /// The frame that shows it has reached the terminal.
    pub(crate) fn drawn(&mut self, now_ms: i64) {
        if let Self::Confirm(confirm) = self {
            confirm.drawn(now_ms);
        }
    }

    /// When it was opened, UTC ms, for one whose keys do not count before it was seen.
    pub(crate) fn unseen(&self) -> Option<i64> {
        match self {
            Self::Confirm(confirm) => confirm.unseen(),
            Self::Palette(_)
            | Self::Import(_)
            | Self::Stack(_)
            | Self::Reply(_)
            | Self::Message(_) => None,
        }
    }

    /// A failure with all it says.
    pub(crate) fn failure(model: &Model, failure: &Failure) -> Self {
        Self::Message(Message::of(model, failure))
    }

    /// What a split found, and where it lies.
    pub(crate) fn split(model: &Model, split: &Split) -> Self {
        Self::Message(Message::of_split(model, split))
    }

    /// Ending while a job writes.
    pub(crate) fn quit(model: &Model) -> Self {
        Self::Confirm(Confirm::quit(model))
    }
}

/// The command line, with something typed already.
pub(crate) fn palette(model: &Model, line: &str) -> Dialog {
    filled(model, Palette::new(line))
}

/// What the entries are made from has come or changed.
pub(crate) fn refill(model: &mut Model) {
    model.dialog = model.dialog.take().map(|dialog| match dialog {
        Dialog::Palette(palette) => filled(model, palette),
        other => other,
    });
}

/// Every action with its keys, to be searched and run.
pub(crate) fn help(model: &Model) -> Dialog {
    filled(model, Palette::help())
}

fn filled(model: &Model, mut palette: Palette) -> Dialog {
    palette.refill(model);
    Dialog::Palette(palette)
}

/// The acts on what is selected.
pub(crate) fn menu(model: &Model) -> Dialog {
    let place = &model.trail.view().place;
    let aim = crate::target::target(model);
    let actions = ACTIONS
        .iter()
        .filter(|row| row.danger != Danger::Look)
        .filter(|row| crate::update::fits(row.action, place))
        .filter(|row| crate::update::serves(model, row.action, &aim))
        .map(|row| row.action)
        .collect();
    filled(model, Palette::menu(actions))
}

/// A key for what is open.
pub(crate) fn key(model: &mut Model, dialog: Dialog, key: KeyEvent) -> Vec<Effect> {
    match dialog {
        Dialog::Palette(palette) => palette_key(model, palette, key),
        Dialog::Import(mut form) => match form.key(key) {
            import_form::Next::Stay => {
                model.dialog = Some(Dialog::Import(form));
                Vec::new()
            }
            import_form::Next::Close => Vec::new(),
            import_form::Next::Submit => submit_import(model, form),
        },
        Dialog::Stack(mut form) => match form.key(key) {
            stack_form::Next::Stay => {
                model.dialog = Some(Dialog::Stack(form));
                Vec::new()
            }
            stack_form::Next::Close => Vec::new(),
            stack_form::Next::Submit => submit_stack(model, form),
        },
        Dialog::Confirm(mut confirm) => match confirm.key(model.now_ms, key) {
            confirm::Next::Stay => {
                model.dialog = Some(Dialog::Confirm(confirm));
                Vec::new()
            }
            confirm::Next::Close => Vec::new(),
            confirm::Next::Yes => confirmed(model, &confirm),
        },
        Dialog::Reply(mut reply) => match reply.key(key) {
            reply::Next::Stay => {
                model.dialog = Some(Dialog::Reply(reply));
                Vec::new()
            }
            reply::Next::Close => Vec::new(),
            reply::Next::Send => crate::update::replied(model, &reply),
        },
        Dialog::Message(mut message) => {
            if message.key(key) {
                model.dialog = Some(Dialog::Message(message));
            }
            Vec::new()
        }
    }
}

fn palette_key(model: &mut Model, mut palette: Palette, key: KeyEvent) -> Vec<Effect> {
    match palette.key(model, key) {
        palette::Next::Stay => {
            model.dialog = Some(Dialog::Palette(palette));
            Vec::new()
        }
        palette::Next::Close => Vec::new(),
        palette::Next::Run(action, words) => {
            if let Some(why) = why_not(model, action) {
                // The line stays, so that it can be mended.
                model.tell(why, crate::theme::Role::Warn);
                model.dialog = Some(Dialog::Palette(palette));
                return Vec::new();
            }
            let unknown = unknown_word(model, action.row(), &words).is_some();
            let effects = run_action(model, action, &Words(words));
            if unknown {
                // It was refused, and the same goes for its words.
                model.dialog = Some(Dialog::Palette(palette));
            }
            effects
        }
    }
}

/// Pasted text for what is open. It is text and nothing else: no key, no yes.
pub(crate) fn paste(model: &mut Model, mut dialog: Dialog, text: String) {
    match &mut dialog {
        Dialog::Import(form) => form.paste(text),
        Dialog::Stack(form) => form.paste(&text),
        Dialog::Confirm(confirm) => confirm.paste(&text),
        Dialog::Reply(reply) => reply.paste(&text),
        Dialog::Palette(palette) => {
            palette.paste(&text);
            palette.refill(model);
        }
        Dialog::Message(_) => {}
    }
    model.dialog = Some(dialog);
}

/// A key in a field of text.
pub(crate) fn edit(input: &mut Input, key: KeyEvent) {
    let text_key = match key.code {
        KeyCode::Char(_) => !key.modifiers.contains(KeyModifiers::ALT),
        _ => true,
    };
    if text_key {
        // Whether it changed anything is seen in the field.
        let _ = input.handle_event(&Event::Key(key));
    }
}
