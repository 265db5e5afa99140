//! Something to read: a failure with all it says.

use crate::content::{Cell, Note, note};
use crate::model::Model;
use crate::theme::Role;
use cockpit_domain::batch::CompletionClass;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::probe::Split;
use crossterm::event::{KeyCode, KeyEvent};

/// What a kind of failure is called.
fn heading(model: &Model, kind: FailureKind) -> String {
    let name = serde_json::to_value(kind).unwrap_or_default();
    model.say(&format!("failure.{}", name.as_str().unwrap_or_default()))
}

/// Lines to read.
#[derive(Debug)]
pub(crate) struct Message {
    /// What it says.
    pub lines: Vec<Note>,
    /// First line shown.
    pub offset: usize,
}

impl Message {
    /// A failure: what was tried, what was found, what to do next.
    pub(crate) fn of(model: &Model, failure: &Failure) -> Self {
        let mut lines = vec![vec![
            Cell::new(
                heading(model, failure.kind),
                crate::update::role_of(failure.kind),
            ),
            Cell::muted(format!("  {}", failure.doing)),
        ]];
        lines.push(note(failure.message.clone(), Role::Text));
        if !failure.hint.is_empty() {
            lines.push(note(failure.hint.clone(), Role::Key));
        }
        Self { lines, offset: 0 }
    }

    /// Lines that somebody asked for.
    pub(crate) fn lines(lines: Vec<Note>) -> Self {
        Self { lines, offset: 0 }
    }

    /// What a split found: whose fault it is, call by call, and where the pack lies.
    pub(crate) fn of_split(model: &Model, split: &Split) -> Self {
        let report = &split.report;
        let class = report.completion_classification;
        let role = if class == CompletionClass::Ok {
            Role::Ok
        } else {
            Role::Fail
        };
        let mut lines = vec![vec![
            Cell::new(model.say(&format!("upstream.{class}")), role),
            Cell::muted(format!("  {} {}", report.host, report.provider)),
        ]];
        for call in &report.calls {
            let text = format!("{}: {} {}", call.name, call.status, call.content_type);
            lines.push(note(text, Role::Text));
        }
        for line in &report.stored {
            lines.push(note(line.clone(), Role::Text));
        }
        let folder = model.fill("split.written", &[("folder", &split.folder)]);
        lines.push(note(folder, Role::Key));
        Self { lines, offset: 0 }
    }

    /// A key; says whether it stays open.
    pub(super) fn key(&mut self, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.offset += 1,
            KeyCode::Up | KeyCode::Char('k') => self.offset = self.offset.saturating_sub(1),
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => return false,
            _ => {}
        }
        self.offset = self.offset.min(self.lines.len());
        true
    }
}
