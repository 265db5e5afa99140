//! Message in, effects out. No wait, no I/O, no clock: the time comes with the message.

mod acts;
mod answers;
mod applying;
mod drafting;
mod explaining;
mod keys;
mod lines;
mod looks;
mod moving;
mod reach;
mod rounds;
mod run;
mod runbooks;
mod shown;
mod stacks;
mod standing;
#[cfg(test)]
mod tests;
mod triaging;
mod watching;

pub(crate) use rounds::next_wake;
pub(crate) use run::why_not;
pub(crate) use shown::{Shown, shown};

pub(crate) use acts::submit_import;
pub(crate) use answers::role_of;
pub(crate) use applying::{confirmed, why_not_apply};
pub(crate) use keys::{fits, serves};
pub(crate) use lines::shows_logs;
pub(crate) use run::{Words, run_action};
pub(crate) use runbooks::replied;
pub(crate) use stacks::submit_stack;
pub(crate) use watching::role_of as role_of_watch;

use crate::model::Model;
use crate::msg::{Effect, Msg};
use crate::theme::Role;

/// Folds a message into the model.
pub(crate) fn update(model: &mut Model, now_ms: i64, msg: Msg) -> Vec<Effect> {
    model.now_ms = now_ms;
    let moved = matches!(msg, Msg::Key(_) | Msg::Resize(..));
    let mut effects = match msg {
        Msg::Key(key) => keys::key(model, key),
        Msg::Paste(text) => keys::paste(model, &text),
        Msg::Resize(width, height) => {
            model.size = (width, height);
            Vec::new()
        }
        Msg::Snapshot(snapshot) => {
            model.snapshot = snapshot;
            answers::refresh_page(model)
        }
        Msg::Started(ticket, job) => {
            answers::started(model, ticket, job);
            Vec::new()
        }
        Msg::Answered(ticket, outcome) => answers::answered(model, ticket, *outcome),
        Msg::KeysRead(ticket, outcome) => acts::keys_read(model, ticket, outcome),
        Msg::DraftWritten(outcome) => {
            drafting::written(model, outcome);
            Vec::new()
        }
        Msg::Faults(Ok(faults)) => {
            model.faults = faults;
            crate::dialogs::refill(model);
            if std::mem::take(&mut model.next_round.with_faults) {
                rounds::look_at_all(model)
            } else {
                Vec::new()
            }
        }
        Msg::Audit(Ok(rows)) => {
            model.audit = rows;
            Vec::new()
        }
        Msg::Faults(Err(failure)) | Msg::Audit(Err(failure)) | Msg::Armed(Err(failure)) => {
            model.tell(answers::one_line(&failure), Role::Fail);
            Vec::new()
        }
        Msg::LogsOpened(view) => {
            lines::opened(model, *view);
            Vec::new()
        }
        Msg::Logs(states) => {
            lines::news(model, states);
            Vec::new()
        }
        Msg::Armed(Ok(())) => {
            // What was said of a host that was read-only is over.
            model.toast = None;
            applying::rearmed(model);
            Vec::new()
        }
        Msg::Tick => rounds::tick(model),
        Msg::Drawn => {
            if let Some(dialog) = &mut model.dialog {
                dialog.drawn(now_ms);
            }
            Vec::new()
        }
        Msg::Close => close(model),
    };
    moving::settle(model);
    // Only a person's move asks for it: what cannot be read is not asked for without end.
    if moved {
        effects.extend(answers::read_beside(model));
    }
    if model.closing && model.writing().is_none() {
        effects.push(Effect::Quit);
    }
    effects
}

/// Ends the program as soon as no write is in flight; every job is told to stop.
fn close(model: &mut Model) -> Vec<Effect> {
    model.closing = true;
    model.dialog = None;
    model.writing().map(Effect::Stop).into_iter().collect()
}
