//! The command line with completion; the list of keys and the menu of acts are the same thing with
//! other entries.

use super::edit;
use crate::actions::{ACTIONS, Action, ActionRow, Arg, Danger};
use crate::model::Model;
use crate::words::Lang;
use cockpit_domain::ids::BatchId;
use crossterm::event::{KeyCode, KeyEvent};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};
use tui_input::Input;

/// Lines remembered.
const TYPED: usize = 100;

/// What the entries are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Typed commands, with their arguments.
    Command,
    /// Every action with its keys.
    Help,
    /// The acts on what is selected.
    Menu(Vec<Action>),
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The line it completes to.
    pub line: String,
    /// Keys, where it is an action.
    pub keys: String,
    /// What it does.
    pub help: String,
    /// Why it cannot be done now.
    pub why_not: Option<String>,
}

pub(super) enum Next {
    Stay,
    Close,
    Run(Action, Vec<String>),
}

/// The dialog.
#[derive(Debug)]
pub(crate) struct Palette {
    /// What the entries are.
    pub kind: Kind,
    /// The line that is typed.
    pub input: Input,
    /// Entries that match it.
    pub found: Vec<Entry>,
    /// The one that is selected.
    pub selected: usize,
    recalled: usize,
}

impl Palette {
    /// A command line with something typed already.
    pub(crate) fn new(line: &str) -> Self {
        Self {
            kind: Kind::Command,
            input: Input::new(line.to_owned()),
            found: Vec::new(),
            selected: 0,
            recalled: 0,
        }
    }

    /// Every action.
    pub(crate) fn help() -> Self {
        Self {
            kind: Kind::Help,
            ..Self::new("")
        }
    }

    /// These actions.
    pub(crate) fn menu(actions: Vec<Action>) -> Self {
        Self {
            kind: Kind::Menu(actions),
            ..Self::new("")
        }
    }

    /// Finds the entries for what is typed.
    pub(crate) fn refill(&mut self, model: &Model) {
        self.found = entries(model, &self.kind, self.input.value());
        self.selected = self.selected.min(self.found.len().saturating_sub(1));
    }

    pub(super) fn paste(&mut self, text: &str) {
        let line = text.lines().next().unwrap_or_default();
        self.input = Input::new(format!("{}{line}", self.input.value()));
    }

    pub(super) fn key(&mut self, model: &mut Model, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Esc => return Next::Close,
            KeyCode::Down => {
                self.selected = (self.selected + 1).min(self.found.len().saturating_sub(1));
            }
            KeyCode::Up if self.kind == Kind::Command && self.selected == 0 => self.recall(model),
            KeyCode::Up => self.selected = self.selected.saturating_sub(1),
            KeyCode::Tab => {
                if let Some(entry) = self.found.get(self.selected) {
                    self.input = Input::new(format!("{} ", entry.line));
                }
                self.selected = 0;
                self.refill(model);
            }
            KeyCode::Enter => return self.enter(model),
            _ => {
                edit(&mut self.input, key);
                self.selected = 0;
                self.refill(model);
            }
        }
        Next::Stay
    }

    /// A whole line runs as it is; anything else runs what is selected.
    fn enter(&mut self, model: &mut Model) -> Next {
        let typed = self.input.value().trim().to_owned();
        let line = match (read_line(&typed), self.found.get(self.selected)) {
            (Some((_, words)), _) if self.kind == Kind::Command && !words.is_empty() => typed,
            (_, Some(entry)) => entry.line.clone(),
            (Some(_), None) => typed,
            (None, None) => return Next::Stay,
        };
        let Some((action, words)) = read_line(&line) else {
            return Next::Stay;
        };
        if self.kind == Kind::Command {
            model.typed.retain(|earlier| *earlier != line);
            model.typed.push(line);
            let surplus = model.typed.len().saturating_sub(TYPED);
            drop(model.typed.drain(..surplus));
        }
        Next::Run(action, words)
    }

    fn recall(&mut self, model: &Model) {
        let Some(at) = model.typed.len().checked_sub(self.recalled + 1) else {
            return;
        };
        self.recalled += 1;
        self.input = Input::new(model.typed[at].clone());
        self.refill(model);
    }
}

/// An action and its words.
fn read_line(line: &str) -> Option<(Action, Vec<String>)> {
    let mut words = line.split_whitespace().map(str::to_owned);
    let action = Action::named(&words.next()?)?;
    Some((action, words.collect()))
}

/// What can be typed from here on: names of actions, then what the next word may be.
pub(super) fn entries(model: &Model, kind: &Kind, line: &str) -> Vec<Entry> {
    if *kind == Kind::Command
        && let Some((name, rest)) = line.split_once(' ')
        && let Some(action) = Action::named(name)
    {
        return arguments(model, action.row(), rest);
    }
    let mut rows: Vec<&ActionRow> = match kind {
        Kind::Menu(actions) => actions.iter().map(|action| action.row()).collect(),
        Kind::Help | Kind::Command => ACTIONS
            .iter()
            .filter(|row| {
                model.setup.lab
                    || !matches!(
                        row.action,
                        Action::FaultSet | Action::FaultClear | Action::Panic
                    )
            })
            .collect(),
    };
    // What moves about has its keys; what is typed is an act.
    if *kind == Kind::Command {
        rows.sort_by_key(|row| match row.danger {
            Danger::Plan => 0,
            Danger::Write => 1,
            Danger::Ask => 2,
            Danger::Look => 3,
        });
    }
    let entries: Vec<Entry> = rows
        .into_iter()
        .map(|row| Entry {
            line: row.name.to_owned(),
            keys: model.keymap.keys(row.action).join(" "),
            help: model.say(&format!("action.{}", row.name)),
            why_not: crate::update::why_not(model, row.action),
        })
        .collect();
    ranked(entries, line.trim(), *kind == Kind::Help)
}

fn arguments(model: &Model, row: &ActionRow, rest: &str) -> Vec<Entry> {
    let whole: Vec<&str> = rest.split_whitespace().collect();
    let (done, typed) = match whole.split_last() {
        Some((last, done)) if !rest.ends_with(' ') => (done, *last),
        _ => (&whole[..], ""),
    };
    let Some(wanted) = row.args.get(done.len()) else {
        return Vec::new();
    };
    let mut front = row.name.to_owned();
    for word in done {
        front.push(' ');
        front.push_str(word);
    }
    let entries = choices(model, *wanted)
        .into_iter()
        .map(|(word, help)| Entry {
            line: format!("{front} {word}"),
            keys: String::new(),
            help,
            why_not: None,
        })
        .collect();
    ranked(entries, typed, false)
}

/// The first word that is none of those that may stand in its place, and what may.
pub(crate) fn unknown_word(
    model: &Model,
    row: &ActionRow,
    words: &[String],
) -> Option<(String, String)> {
    row.args.iter().zip(words).find_map(|(wanted, word)| {
        let choices = choices(model, *wanted);
        let listed = choices.iter().any(|(choice, _)| choice == word);
        let known = match wanted {
            Arg::Host | Arg::Machine | Arg::Provider | Arg::Theme | Arg::Language | Arg::Source => {
                listed
            }
            // There are older ones than are listed.
            Arg::Batch => word.parse::<BatchId>().is_ok(),
            // They may not have been asked for yet.
            Arg::Fault => listed || choices.is_empty(),
            // These are looked up where they are used.
            Arg::Check | Arg::Duration | Arg::Reference | Arg::Stack => true,
            Arg::Account => word.parse::<i64>().is_ok(),
        };
        (!known).then(|| {
            let choices: Vec<String> = choices.into_iter().map(|(choice, _)| choice).collect();
            (word.clone(), choices.join(", "))
        })
    })
}

/// What a word may be, each with what it stands for.
fn choices(model: &Model, wanted: Arg) -> Vec<(String, String)> {
    match wanted {
        Arg::Host => model
            .setup
            .hosts
            .iter()
            .map(|host| (host.id.to_string(), host.role.as_str().to_owned()))
            .collect(),
        Arg::Machine => {
            let machines = model.setup.machines.iter();
            machines.map(|id| (id.to_string(), String::new())).collect()
        }
        Arg::Provider => model
            .setup
            .providers
            .iter()
            .map(|(id, title)| (id.to_string(), title.clone()))
            .collect(),
        Arg::Batch => model
            .board()
            .batches
            .iter()
            .map(|seen| {
                let batch = &seen.batch;
                (
                    batch.id.0.to_string(),
                    format!("{} {} {}", batch.provider, batch.host, batch.batch_status),
                )
            })
            .collect(),
        Arg::Account => accounts(model),
        Arg::Stack => (model.stacks.list.iter().flat_map(|known| &known.value))
            .map(|seen| (seen.stack.name.to_string(), seen.stack.reason.clone()))
            .collect(),
        Arg::Reference => Vec::new(),
        Arg::Check => model
            .board()
            .baselines
            .values()
            .flat_map(|known| &known.value.results)
            .filter(|row| row.repair)
            .map(|row| (row.id.clone(), row.title.clone()))
            .collect(),
        Arg::Duration => ["10m", "5m", "30m", "1h"]
            .into_iter()
            .map(|window| (window.to_owned(), String::new()))
            .collect(),
        Arg::Source => sources(model),
        Arg::Fault => model
            .faults
            .iter()
            .map(|fault| (fault.name.clone(), fault.what.clone()))
            .collect(),
        Arg::Theme => model
            .setup
            .themes()
            .into_iter()
            .map(|name| (name.to_owned(), String::new()))
            .collect(),
        Arg::Language => Lang::ALL
            .iter()
            .map(|lang| {
                (
                    lang.code().to_owned(),
                    lang.say("language.name").into_owned(),
                )
            })
            .collect(),
    }
}

/// Accounts of every pool that was looked at, those first that are not chosen.
fn accounts(model: &Model) -> Vec<(String, String)> {
    let looks = model.pools.values().filter_map(|seen| seen.look.as_ref());
    let seats = looks.flat_map(|known| known.value.iter().flat_map(|pool| &pool.seats));
    let mut seats: Vec<_> = seats.collect();
    seats.sort_by_key(|seat| (seat.is_choosable(), seat.account));
    seats.dedup_by_key(|seat| seat.account);
    let shown = seats.into_iter();
    shown
        .map(|seat| (seat.account.to_string(), seat.name.clone()))
        .collect()
}

/// Log sources, and the hosts and machines that have some.
fn sources(model: &Model) -> Vec<(String, String)> {
    let states = &model.logs.states;
    let mut found: Vec<(String, String)> = states
        .iter()
        .map(|state| {
            let source = &state.source;
            (
                source.id.to_string(),
                format!("{} {}", source.machine, source.place),
            )
        })
        .collect();
    for state in states {
        let host = state.source.host.as_ref().map(ToString::to_string);
        for name in host.into_iter().chain([state.source.machine.to_string()]) {
            if !found.iter().any(|(other, _)| *other == name) {
                found.push((name, String::new()));
            }
        }
    }
    found
}

/// The entries that match, best first; everything when nothing is typed.
fn ranked(entries: Vec<Entry>, typed: &str, with_help: bool) -> Vec<Entry> {
    if typed.is_empty() {
        return entries;
    }
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, Entry)> = entries
        .into_iter()
        .filter_map(|entry| {
            let text = if with_help {
                format!("{} {} {}", entry.line, entry.keys, entry.help)
            } else {
                entry.line.clone()
            };
            let score = pattern.score(
                nucleo_matcher::Utf32Str::new(&text, &mut buffer),
                &mut matcher,
            )?;
            Some((score, entry))
        })
        .collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, entry)| entry).collect()
}
