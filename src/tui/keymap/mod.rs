//! Keys to actions: the defaults of the table of actions, and over them what the user's config
//! says. Where two actions want one chord the user's holds, and it is reported.

mod chord;
mod problem;
#[cfg(test)]
mod tests;

pub use problem::KeyProblem;

use crate::actions::{ACTIONS, Action, ActionRow, Scope};
use chord::Chord;
use cockpit_domain::screen::KeySetting;
use crossterm::event::{KeyEvent, KeyEventKind};

/// A chord and what it does.
#[derive(Debug, Clone, Copy)]
struct Binding {
    chord: Chord,
    action: Action,
    scope: Scope,
}

impl Binding {
    /// Whether both can be in force at once.
    fn meets(&self, chord: Chord, scope: Scope) -> bool {
        self.chord == chord
            && (self.scope == scope
                || self.scope == Scope::Everywhere
                || scope == Scope::Everywhere)
    }
}

/// Which key does what.
#[derive(Debug, Clone)]
pub struct Keymap {
    /// In the order of the table; keys of one action in the order they were written.
    bindings: Vec<Binding>,
}

impl Keymap {
    /// The defaults under the user's settings. The keymap is good to use whatever the problems:
    /// what could not be understood is left away.
    pub fn new(overrides: &[KeySetting]) -> (Self, Vec<KeyProblem>) {
        let mut problems = Vec::new();
        let wanted = wanted(overrides, &mut problems);
        let mut keymap = Self {
            bindings: Vec::new(),
        };
        for (row, setting) in &wanted {
            keymap.bind_setting(row, setting, &wanted, &mut problems);
        }
        keymap.bind_defaults(&wanted, &mut problems);
        keymap
            .bindings
            .sort_by_key(|binding| binding.action as usize);
        if let Some((_, last)) = wanted.last()
            && [Action::Quit, Action::Palette]
                .iter()
                .all(|way| keymap.keys(*way).is_empty())
        {
            problems.push(problem::no_way_out(last));
        }
        problems.sort_by_key(|problem| (problem.line, problem.column));
        (keymap, problems)
    }

    /// What a key does on a page: the page's own binding first, then what holds everywhere.
    pub fn resolve(&self, key: &KeyEvent, scope: Scope) -> Option<Action> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let chord = Chord::of(key);
        [scope, Scope::Everywhere].into_iter().find_map(|scope| {
            self.bindings
                .iter()
                .find(|binding| binding.chord == chord && binding.scope == scope)
                .map(|binding| binding.action)
        })
    }

    /// The keys of an action as the screen shows them: `Ctrl-d`, `PgDn`, `I`.
    pub fn keys(&self, action: Action) -> Vec<String> {
        self.bindings
            .iter()
            .filter(|binding| binding.action == action)
            .map(|binding| binding.chord.shown())
            .collect()
    }

    /// The key to name where there is room for one.
    pub fn first_key(&self, action: Action) -> Option<String> {
        self.bindings
            .iter()
            .find(|binding| binding.action == action)
            .map(|binding| binding.chord.shown())
    }

    fn bind_setting(
        &mut self,
        row: &'static ActionRow,
        setting: &KeySetting,
        all: &[(&'static ActionRow, &KeySetting)],
        problems: &mut Vec<KeyProblem>,
    ) {
        for text in &setting.chords {
            let chord = match Chord::parse(text) {
                Ok(chord) => chord,
                Err(fault) => {
                    problems.push(problem::unreadable(setting, fault));
                    continue;
                }
            };
            if problem::is_kept(chord) && row.action != Action::StopJob {
                problems.push(problem::kept(setting, chord));
                continue;
            }
            let taken = self
                .bindings
                .iter()
                .find(|binding| binding.meets(chord, row.scope))
                .copied();
            match taken {
                // The same chord twice in one list says nothing new.
                Some(taken) if taken.action == row.action => {}
                Some(taken) => {
                    let line = all
                        .iter()
                        .find(|(other, _)| other.action == taken.action)
                        .map_or(setting.line, |(_, other)| other.line);
                    problems.push(problem::clash(setting, chord, taken.action, line));
                }
                None => {
                    if let Some(taker) = problem::taker(chord) {
                        problems.push(problem::unsafe_key(setting, chord, taker));
                    }
                    self.bindings.push(Binding {
                        chord,
                        action: row.action,
                        scope: row.scope,
                    });
                }
            }
        }
    }

    /// Defaults of the actions that the user says nothing of, as far as the keys are still free.
    fn bind_defaults(
        &mut self,
        wanted: &[(&'static ActionRow, &KeySetting)],
        problems: &mut Vec<KeyProblem>,
    ) {
        let of_user = self.bindings.clone();
        for row in ACTIONS {
            if wanted.iter().any(|(own, _)| own.action == row.action) {
                continue;
            }
            // A test keeps the table readable.
            let chords: Vec<Chord> = row
                .keys
                .iter()
                .filter_map(|key| Chord::parse(key).ok())
                .collect();
            let taker = |chord: Chord| {
                of_user
                    .iter()
                    .find(|binding| binding.meets(chord, row.scope))
            };
            let left = chords.iter().filter(|chord| taker(**chord).is_none());
            let left = left.count();
            for chord in chords {
                let Some(taker) = taker(chord) else {
                    self.bindings.push(Binding {
                        chord,
                        action: row.action,
                        scope: row.scope,
                    });
                    continue;
                };
                let setting = wanted.iter().find(|(own, _)| own.action == taker.action);
                if let Some((_, setting)) = setting {
                    problems.push(problem::taken_away(setting, chord, row.action, left));
                }
            }
        }
    }
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(&[]).0
    }
}

/// The settings whose action there is, each action once.
fn wanted<'a>(
    overrides: &'a [KeySetting],
    problems: &mut Vec<KeyProblem>,
) -> Vec<(&'static ActionRow, &'a KeySetting)> {
    let mut wanted: Vec<(&'static ActionRow, &KeySetting)> = Vec::new();
    for setting in overrides {
        let Some(action) = Action::named(&setting.action) else {
            problems.push(problem::unknown_action(setting));
            continue;
        };
        if let Some((_, first)) = wanted.iter().find(|(row, _)| row.action == action) {
            problems.push(problem::twice(setting, first.line));
            continue;
        }
        wanted.push((action.row(), setting));
    }
    wanted
}
