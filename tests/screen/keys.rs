//! Keys by the names that the key list gives them.

use cockpit_tui::{ACTIONS, Action, ActionRow, Danger};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The key of this name: `I`, `enter`, `ctrl-c`.
pub(super) fn key_of(name: &str) -> KeyEvent {
    let mut letters = name.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        return KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
    }
    if let Some(letter) = name.strip_prefix("ctrl-") {
        let plain = key_of(letter);
        return KeyEvent::new(plain.code, KeyModifiers::CONTROL);
    }
    let code = match name {
        "backspace" => KeyCode::Backspace,
        "down" => KeyCode::Down,
        "end" => KeyCode::End,
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "home" => KeyCode::Home,
        "left" => KeyCode::Left,
        "pgdn" => KeyCode::PageDown,
        "pgup" => KeyCode::PageUp,
        "right" => KeyCode::Right,
        "shift-tab" => KeyCode::BackTab,
        "space" => KeyCode::Char(' '),
        "tab" => KeyCode::Tab,
        "up" => KeyCode::Up,
        other => panic!("no such key here: {other}"),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

/// The keys of every action. One that asks far ends or ends the screen stands there once, every
/// other one eight times: the rest is to get somewhere too.
pub(super) fn of_actions() -> Vec<KeyEvent> {
    let rare = |row: &ActionRow| {
        row.danger == Danger::Ask || matches!(row.action, Action::Quit | Action::StopJob)
    };
    let times = |row: &ActionRow| if rare(row) { 1 } else { 8 };
    ACTIONS
        .iter()
        .flat_map(|row| {
            row.keys
                .iter()
                .flat_map(|key| vec![key_of(key); times(row)])
        })
        .collect()
}
