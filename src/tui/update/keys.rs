//! A key or a paste finds what it is for: the filter that is typed, the dialog in front, or an
//! action. Pasted text is never a key.

use super::run::{Words, run_action};
use super::{acts, applying, looks};
use crate::actions::{Action, Scope};
use crate::dialogs;
use crate::model::Model;
use crate::msg::Effect;
use crate::place::Place;
use crate::target::Target;
use crate::theme::Role;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::Input;

/// Two of them within this time end the program, whatever is open.
const TWICE_MS: i64 = 1_000;

pub(super) fn key(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
        return ctrl_c(model);
    }
    if model.filter_input.is_some() {
        filter_key(model, key);
        return Vec::new();
    }
    if let Some(dialog) = model.dialog.take() {
        return dialogs::key(model, dialog, key);
    }
    let scope = scope(&model.trail.view().place);
    match model.keymap.resolve(&key, scope) {
        Some(action) => run_action(model, action, &Words::default()),
        None => Vec::new(),
    }
}

/// Ctrl-C stops the job in front; where nothing writes it ends the program.
fn ctrl_c(model: &mut Model) -> Vec<Effect> {
    let now = model.now_ms;
    let twice = model.ctrl_c_ms.is_some_and(|last| now - last <= TWICE_MS);
    if let Some(job) = model.writing() {
        if twice {
            return super::close(model);
        }
        model.ctrl_c_ms = Some(now);
        let text = model.say("toast.stopping");
        model.tell(text, Role::Warn);
        return vec![Effect::Stop(job)];
    }
    super::close(model)
}

pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    // Terminals send the ends of pasted lines as carriage returns.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if let Some(input) = &mut model.filter_input {
        let line = text.lines().next().unwrap_or_default();
        *input = Input::new(format!("{}{line}", input.value()));
        model.trail.view_mut().filter = input.value().to_owned();
        return Vec::new();
    }
    if let Some(dialog) = model.dialog.take() {
        dialogs::paste(model, dialog, text);
        return Vec::new();
    }
    let said = model.say("toast.paste");
    model.tell(said, Role::Muted);
    Vec::new()
}

/// Typing a filter: the page follows every letter, Enter keeps it, Esc takes it away.
fn filter_key(model: &mut Model, key: KeyEvent) {
    let Some(mut input) = model.filter_input.take() else {
        return;
    };
    match key.code {
        KeyCode::Enter => {
            if input.value().is_empty() {
                // An empty filter recalls the one before.
                let last = model.last_filter.clone();
                model.trail.view_mut().filter = last;
            } else {
                input.value().clone_into(&mut model.last_filter);
            }
        }
        KeyCode::Esc => model.trail.view_mut().filter.clear(),
        _ => {
            dialogs::edit(&mut input, key);
            input.value().clone_into(&mut model.trail.view_mut().filter);
            model.filter_input = Some(input);
        }
    }
}

/// What the page that is open is about.
pub(crate) fn scope(place: &Place) -> Scope {
    match place {
        Place::Baseline | Place::Check(..) | Place::CheckHistory(..) => Scope::Checks,
        Place::Hosts | Place::Host(_) => Scope::Hosts,
        Place::Probes | Place::Probe(..) => Scope::Probes,
        Place::Pool(_) | Place::Seat(..) => Scope::Pool,
        Place::Triage | Place::Finding(_) => Scope::Triage,
        Place::Batches | Place::Batch(_) | Place::Item(..) | Place::DriftOf(_) | Place::Drift => {
            Scope::Batches
        }
        Place::Siblings(..) => Scope::Siblings,
        Place::Plan(_) | Place::Change(..) => Scope::Plan,
        Place::Gate => Scope::Gate,
        Place::Stacks | Place::Stack(_) => Scope::Stacks,
        Place::Runbooks | Place::Runbook(_) => Scope::Runbooks,
        Place::Run(_) | Place::RunStep(..) => Scope::Run,
        Place::Log | Place::LogOf(_) | Place::LogLine(_) | Place::LogSources => Scope::Log,
        Place::Jobs | Place::Job(_) | Place::Outcome(_) => Scope::Jobs,
        _ => Scope::Everywhere,
    }
}

/// Whether an action means anything for what is pointed at: a check that nothing mends, a repair
/// that has no keys to prove.
pub(crate) fn serves(model: &Model, action: Action, aim: &Target) -> bool {
    match action {
        Action::Repair => aim
            .check
            .as_ref()
            .is_none_or(|(pack, check)| acts::can_be_mended(model, pack, check)),
        Action::ClearWaiver => aim
            .check
            .as_ref()
            .is_none_or(|(pack, check)| super::standing::is_put_aside(model, pack, check)),
        // Where the machine of what is pointed at is known, or can be named.
        Action::MaintainMachine => super::standing::machine_of(model, aim).is_some(),
        Action::Fold => model.trail.view().place == Place::Baseline,
        Action::Retry => aim.batch.is_some_and(|id| acts::has_failed(model, id)),
        Action::Resume => aim
            .batch
            .is_some_and(|id| applying::is_interrupted(model, id)),
        Action::RollBackDelete => aim.batch.is_some_and(|id| acts::is_adoption(model, id)),
        Action::Recover => aim.account.is_some(),
        Action::Apply => applying::can_be_applied(model, aim.plan),
        Action::Hold => model.writing().is_some(),
        Action::RunNext | Action::RunSkip | Action::RunStop | Action::RunBack => {
            super::runbooks::serves(model, action)
        }
        Action::AccessStatus => aim.batch.is_none_or(|id| !looks::is_keyless(model, id)),
        _ => true,
    }
}

/// Whether the key of an action is worth saying on this page.
pub(crate) fn fits(action: Action, place: &Place) -> bool {
    let wanted = action.row().scope;
    wanted == Scope::Everywhere || wanted == scope(place)
}
