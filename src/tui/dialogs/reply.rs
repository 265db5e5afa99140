//! The answer to what a run of a runbook asks, or why it is ended. Text is typed and sent with Enter;
//! nothing is sent empty.

use super::edit;
use crate::content::{Note, note};
use crate::model::Model;
use crate::panes::came_to;
use crate::theme::Role;
use crate::words::Lang;
use cockpit_domain::gate::GateRow;
use cockpit_domain::ids::RunId;
use cockpit_domain::runbook::{Act, Answer, Mark, Run};
use crossterm::event::{KeyCode, KeyEvent};
use tui_input::Input;

/// The dialog.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The run, or none where the deploy gate asks.
    pub run: Option<RunId>,
    /// What is asked.
    pub lines: Vec<Note>,
    /// What is typed.
    pub input: Input,
    /// Whether it ends the run.
    pub stops: bool,
}

/// What a key came to.
pub(super) enum Next {
    Stay,
    Close,
    Send,
}

impl Reply {
    /// The question that a run stands at.
    pub(crate) fn to(model: &Model, run: &Run) -> Option<Self> {
        let step = run.current()?;
        let wanted = match (&step.step.act, step.mark) {
            (_, Mark::Unknown) => "runbook.wants-known",
            (Act::Ask(ask), _) => match ask.answer {
                Answer::Yes => "runbook.wants-yes",
                Answer::Done => "runbook.wants-done",
                Answer::Value => "runbook.wants-value",
            },
            _ => return None,
        };
        let chinese = model.lang == Lang::ZhCn;
        let mut lines = vec![note(step.step.title_in(chinese).to_owned(), Role::Title)];
        let text = step.step.text_in(chinese).lines();
        lines.extend(text.map(|line| note(line, Role::Muted)));
        lines.push(note(came_to(model, run, step), Role::Text));
        lines.push(note(model.say(wanted), Role::Key));
        Some(Self {
            run: Some(run.id),
            lines,
            input: Input::default(),
            stops: false,
        })
    }

    /// Whether a step of the deploy gate was done whose end nobody saw.
    pub(crate) fn of_gate(model: &Model, row: &GateRow) -> Self {
        Self {
            run: None,
            lines: vec![
                note(
                    row.title_in(model.lang == Lang::ZhCn).to_owned(),
                    Role::Title,
                ),
                note(row.found.clone(), Role::Text),
                note(model.say("runbook.wants-known"), Role::Key),
            ],
            input: Input::default(),
            stops: false,
        }
    }

    /// Why a run is ended.
    pub(crate) fn stop(model: &Model, run: &Run) -> Self {
        let words = [("run", run.id.to_string()), ("title", run.title.clone())];
        let words = words
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        Self {
            run: Some(run.id),
            lines: vec![
                note(model.fill("runbook.ends", &words), Role::Text),
                note(model.say("runbook.wants-why"), Role::Key),
            ],
            input: Input::default(),
            stops: true,
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Esc => Next::Close,
            KeyCode::Enter if !self.input.value().trim().is_empty() => Next::Send,
            KeyCode::Enter => Next::Stay,
            _ => {
                edit(&mut self.input, key);
                Next::Stay
            }
        }
    }

    /// The first line of what is pasted; it is sent by a key only.
    pub(super) fn paste(&mut self, text: &str) {
        let line = text.lines().next().unwrap_or_default();
        self.input = Input::new(format!("{}{line}", self.input.value()));
    }
}
