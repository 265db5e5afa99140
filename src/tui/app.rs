//! The screen without a terminal: messages in, effects out, a picture on request. The loop around a
//! real terminal and the tests use the same.

use crate::dialogs::Dialog;
use crate::draw;
use crate::keymap::Keymap;
use crate::logs::Logs;
use crate::model::{Model, Rounds, Toast};
use crate::msg::{Effect, Msg};
use crate::place::Place;
use crate::setup::Setup;
use crate::trail::Trail;
use crate::update::{next_wake, update};
use cockpit_engine::supervisor::Snapshot;
use ratatui::Frame;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The screen.
#[derive(Debug)]
pub struct App {
    model: Model,
}

impl App {
    /// A screen on the first pane, or on the welcome page where there is no config.
    pub fn new(setup: Setup, keymap: Keymap, snapshot: Arc<Snapshot>, now_ms: i64) -> Self {
        let theme = setup.theme(&setup.theme).unwrap_or_default();
        let theme = if setup.color {
            theme
        } else {
            theme.without_color()
        };
        let toast = setup.notices.first().map(|notice| Toast {
            text: notice.clone(),
            role: crate::theme::Role::Warn,
            until_ms: now_ms + 15_000,
        });
        let mut trail = Trail::new();
        if setup.first_run.is_some() {
            trail.open(Place::Welcome);
        }
        Self {
            model: Model {
                lang: setup.lang,
                theme,
                keymap,
                now_ms,
                size: (80, 24),
                snapshot,
                frozen: None,
                zoomed: false,
                trail,
                form: None,
                dialog: None,
                filter_input: None,
                rearmed: None,
                toast,
                plans: BTreeMap::new(),
                planned: BTreeMap::new(),
                acts: BTreeMap::new(),
                details: BTreeMap::new(),
                histories: BTreeMap::new(),
                diffs: BTreeMap::new(),
                pools: BTreeMap::new(),
                gate: None,
                stacks: crate::model::StacksSeen::default(),
                stack_form: None,
                doctor: None,
                folded: std::collections::BTreeSet::new(),
                triage: crate::model::TriageSeen::default(),
                watches: BTreeMap::new(),
                matrix: None,
                resources: BTreeMap::new(),
                books: None,
                read_books: BTreeMap::new(),
                runs: BTreeMap::new(),
                audit: Vec::new(),
                logs: Logs::default(),
                faults: Vec::new(),
                asked: BTreeMap::new(),
                working: BTreeMap::new(),
                next_ticket: 1,
                typed: Vec::new(),
                last_filter: String::new(),
                next_round: Rounds::default(),
                ctrl_c_ms: None,
                closing: false,
                beat: 0,
                setup,
            },
        }
    }

    /// Folds a message in.
    pub fn update(&mut self, now_ms: i64, msg: Msg) -> Vec<Effect> {
        update(&mut self.model, now_ms, msg)
    }

    #[cfg(test)]
    pub(crate) fn model(&mut self) -> &mut Model {
        &mut self.model
    }

    /// Draws the screen.
    pub fn draw(&self, frame: &mut Frame<'_>) {
        draw::draw(frame, &self.model);
    }

    /// When it has to be woken without anything from outside, UTC ms.
    pub fn next_wake(&self) -> i64 {
        next_wake(&self.model)
    }

    /// Whether a confirmation waits to be told that it was drawn.
    pub fn awaits_drawn(&self) -> bool {
        self.model.dialog.is_some()
    }

    /// The confirmation that is open and was not seen yet, by when it was opened, UTC ms.
    pub(crate) fn unseen(&self) -> Option<i64> {
        self.model.dialog.as_ref().and_then(Dialog::unseen)
    }

    /// Whether a message may change the picture.
    pub fn shows(&self, msg: &Msg) -> bool {
        match msg {
            Msg::Drawn => false,
            Msg::Logs(_) => crate::update::shows_logs(&self.model),
            _ => true,
        }
    }

    /// Whether the line is known to be slow.
    pub fn is_slow(&self) -> bool {
        self.model.setup.slow
    }
}
