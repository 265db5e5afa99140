//! What is wrong with the user's keys, in words: place, what was found, what to write instead.

use super::chord::{Chord, ChordFault};
use crate::actions::{ACTIONS, Action};
use cockpit_domain::finding::{Finding, nearest};
use cockpit_domain::screen::KeySetting;
use cockpit_domain::text::{Redactor, clean_line, shorten};
use std::fmt;

/// One problem of `[keys]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProblem {
    /// Line of the config, counted from 1.
    pub line: usize,
    /// Column, counted from 1.
    pub column: usize,
    /// The setting holds all the same; a person should know what follows from it.
    pub warning: bool,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl KeyProblem {
    /// The same as a finding in the file that said it.
    pub fn in_file(self, file: impl Into<String>) -> Finding {
        Finding {
            file: file.into(),
            line: self.line,
            column: self.column,
            message: self.message,
            hint: self.hint,
        }
    }
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {} ({})",
            self.line, self.column, self.message, self.hint
        )
    }
}

/// Chords that seldom arrive, and who takes them.
const TAKERS: &[(&str, &str)] = &[
    ("ctrl-a", "screen takes it as its prefix"),
    ("ctrl-b", "tmux takes it as its prefix"),
    ("ctrl-h", "many terminals send it for Backspace"),
    (
        "ctrl-j",
        "pane switchers take it, and some terminals send it for Enter",
    ),
    ("ctrl-k", "pane switchers take it"),
    ("ctrl-q", "a terminal with flow control takes it"),
    ("ctrl-s", "a terminal with flow control stops at it"),
    ("ctrl-z", "shells suspend a program with it"),
];

/// Who takes a chord before it gets here.
pub(super) fn taker(chord: Chord) -> Option<&'static str> {
    let text = chord.to_string();
    TAKERS
        .iter()
        .find(|(key, _)| *key == text)
        .map(|(_, taker)| *taker)
}

/// Ctrl-C stops the job in front or ends the program, whatever is open: no keymap takes it away.
pub(super) fn is_kept(chord: Chord) -> bool {
    chord.to_string() == "ctrl-c"
}

fn fault(setting: &KeySetting, message: String, hint: String) -> KeyProblem {
    KeyProblem {
        line: setting.line,
        column: setting.column,
        warning: false,
        message,
        hint,
    }
}

fn warning(setting: &KeySetting, message: String, hint: String) -> KeyProblem {
    KeyProblem {
        warning: true,
        ..fault(setting, message, hint)
    }
}

pub(super) fn unknown_action(setting: &KeySetting) -> KeyProblem {
    let names: Vec<&str> = ACTIONS.iter().map(|row| row.name).collect();
    let shown = Redactor::new().admit(&setting.action);
    let shown = shorten(&clean_line(&shown), 40);
    let hint = match nearest(&setting.action, &names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`?` on the screen and the README list the actions".to_owned(),
    };
    fault(setting, format!("there is no action `{shown}`"), hint)
}

pub(super) fn twice(setting: &KeySetting, first: usize) -> KeyProblem {
    fault(
        setting,
        format!("`{}` has its keys in line {first} already", setting.action),
        "keep one of the two".to_owned(),
    )
}

pub(super) fn unreadable(setting: &KeySetting, why: ChordFault) -> KeyProblem {
    fault(setting, why.message, why.hint)
}

pub(super) fn kept(setting: &KeySetting, chord: Chord) -> KeyProblem {
    fault(
        setting,
        format!("`{chord}` always stops the job in front"),
        format!("take another key for `{}`", setting.action),
    )
}

pub(super) fn clash(setting: &KeySetting, chord: Chord, first: Action, line: usize) -> KeyProblem {
    let first = first.row().name;
    fault(
        setting,
        format!("`{chord}` is bound to `{first}` in line {line} already"),
        format!("take another key for `{}` or for `{first}`", setting.action),
    )
}

pub(super) fn unsafe_key(setting: &KeySetting, chord: Chord, taker: &str) -> KeyProblem {
    warning(
        setting,
        format!("`{chord}` may not arrive: {taker}"),
        "take another key if you work there".to_owned(),
    )
}

/// `left`: how many keys the loser keeps.
pub(super) fn taken_away(
    setting: &KeySetting,
    chord: Chord,
    loser: Action,
    left: usize,
) -> KeyProblem {
    let loser = loser.row().name;
    let hint = if left == 0 {
        format!("give `{loser}` another key, or say `{loser} = []`")
    } else {
        format!("say `{loser} = [..]` with the keys it is to keep")
    };
    warning(
        setting,
        format!(
            "`{chord}` is now `{}` and no longer `{loser}`",
            setting.action
        ),
        hint,
    )
}

pub(super) fn no_way_out(setting: &KeySetting) -> KeyProblem {
    warning(
        setting,
        "neither `quit` nor `palette` has a key: only Ctrl-C ends the cockpit".to_owned(),
        "give one of them a key".to_owned(),
    )
}
