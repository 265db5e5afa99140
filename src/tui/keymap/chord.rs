//! One key with its modifiers: as a terminal sends it, as the config writes it (`ctrl-r`), as the
//! screen shows it (`Ctrl-r`). What terminals cannot tell apart is one chord here.

#[cfg(test)]
mod tests;

use cockpit_domain::finding::nearest;
use cockpit_domain::text::{Redactor, clean_line, shorten};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// A key and what is held with it. Characters never carry Shift: `I` is `I`, whether the terminal
/// reports Shift with it or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a text is no chord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChordFault {
    /// What is wrong.
    pub(super) message: String,
    /// What to write instead.
    pub(super) hint: String,
}

/// Keys with a name: in the config, on the screen.
const NAMED: &[(&str, &str, KeyCode)] = &[
    ("space", "Space", KeyCode::Char(' ')),
    ("enter", "Enter", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("tab", "Tab", KeyCode::Tab),
    ("backspace", "Backspace", KeyCode::Backspace),
    ("up", "Up", KeyCode::Up),
    ("down", "Down", KeyCode::Down),
    ("left", "Left", KeyCode::Left),
    ("right", "Right", KeyCode::Right),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
    ("pgup", "PgUp", KeyCode::PageUp),
    ("pgdn", "PgDn", KeyCode::PageDown),
    ("insert", "Insert", KeyCode::Insert),
    ("delete", "Delete", KeyCode::Delete),
    ("f1", "F1", KeyCode::F(1)),
    ("f2", "F2", KeyCode::F(2)),
    ("f3", "F3", KeyCode::F(3)),
    ("f4", "F4", KeyCode::F(4)),
    ("f5", "F5", KeyCode::F(5)),
    ("f6", "F6", KeyCode::F(6)),
    ("f7", "F7", KeyCode::F(7)),
    ("f8", "F8", KeyCode::F(8)),
    ("f9", "F9", KeyCode::F(9)),
    ("f10", "F10", KeyCode::F(10)),
    ("f11", "F11", KeyCode::F(11)),
    ("f12", "F12", KeyCode::F(12)),
];

/// Other words for the same keys, as other programs write them.
const ALIASES: &[(&str, &str)] = &[
    ("return", "enter"),
    ("escape", "esc"),
    ("pageup", "pgup"),
    ("pagedown", "pgdn"),
    ("page-up", "pgup"),
    ("page-down", "pgdn"),
    ("ins", "insert"),
    ("del", "delete"),
    ("backtab", "shift-tab"),
];

/// Modifiers in the order they are written.
const MODIFIERS: &[(&str, &str, KeyModifiers)] = &[
    ("ctrl-", "Ctrl-", KeyModifiers::CONTROL),
    ("alt-", "Alt-", KeyModifiers::ALT),
    ("shift-", "Shift-", KeyModifiers::SHIFT),
];

/// The bytes 0x1C to 0x1F: the terminal library calls them Ctrl with a digit, people do not.
const LOW_BYTES: &[(char, char)] = &[('4', '\\'), ('5', ']'), ('6', '^'), ('7', '_')];

/// Chords that are another key on the wire.
const SAME_BYTE: &[(char, &str)] = &[('i', "tab"), ('m', "enter"), ('[', "esc")];

impl Chord {
    /// What a terminal sent.
    pub(super) fn of(event: &KeyEvent) -> Self {
        Self::normal(event.code, event.modifiers)
    }

    /// Reads `I`, `ctrl-r`, `shift-tab`, `pgdn`, `alt-x`, `[`; names in any case.
    ///
    /// # Errors
    /// The text is no chord, or one that no terminal sends as such.
    pub(super) fn parse(text: &str) -> Result<Self, ChordFault> {
        let (modifiers, key) = split(text);
        let lower = key.to_ascii_lowercase();
        if let Some((_, meant)) = ALIASES.iter().find(|(alias, _)| *alias == lower) {
            let (more, key) = split(meant);
            return read(modifiers | more, key, text);
        }
        read(modifiers, key, text)
    }

    /// As the screen shows it: `Ctrl-d`, `PgDn`, `I`.
    pub(super) fn shown(self) -> String {
        self.spell(|(_, shown, _)| shown, |(_, shown, _)| shown)
    }

    /// The one form of all that cannot be told apart.
    fn normal(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let shifted = modifiers.contains(KeyModifiers::SHIFT);
        let unshifted = modifiers.difference(KeyModifiers::SHIFT);
        match code {
            KeyCode::Char(letter) if modifiers.contains(KeyModifiers::CONTROL) => {
                let letter = match LOW_BYTES.iter().find(|(digit, _)| *digit == letter) {
                    Some((_, sign)) => *sign,
                    None if letter == '/' => '_',
                    None => letter.to_ascii_lowercase(),
                };
                Self {
                    code: KeyCode::Char(letter),
                    modifiers: unshifted,
                }
            }
            KeyCode::Char(letter) => Self {
                code: KeyCode::Char(if shifted {
                    letter.to_ascii_uppercase()
                } else {
                    letter
                }),
                modifiers: unshifted,
            },
            KeyCode::Tab if shifted => Self {
                code: KeyCode::BackTab,
                modifiers: unshifted,
            },
            KeyCode::BackTab => Self {
                code,
                modifiers: unshifted,
            },
            _ => Self { code, modifiers },
        }
    }

    fn spell(self, of_key: NameOf<KeyCode>, of_modifier: NameOf<KeyModifiers>) -> String {
        let (code, modifiers) = match self.code {
            KeyCode::BackTab => (KeyCode::Tab, self.modifiers | KeyModifiers::SHIFT),
            code => (code, self.modifiers),
        };
        let mut text: String = MODIFIERS
            .iter()
            .filter(|(_, _, bit)| modifiers.contains(*bit))
            .map(of_modifier)
            .collect();
        match (NAMED.iter().find(|(_, _, key)| *key == code), code) {
            (Some(named), _) => text.push_str(of_key(named)),
            (None, KeyCode::Char(letter)) => text.push(letter),
            // Not reached by a chord that was read; a terminal may send media keys and the like.
            (None, other) => text.push_str(&other.to_string()),
        }
        text
    }
}

type NameOf<T> = fn(&'static (&'static str, &'static str, T)) -> &'static str;

/// As the config writes it.
impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spell(|(name, _, _)| name, |(name, _, _)| name))
    }
}

/// Modifiers in front, and the key after them.
fn split(text: &str) -> (KeyModifiers, &str) {
    let mut modifiers = KeyModifiers::NONE;
    let mut rest = text;
    while let Some((name, _, bit)) = MODIFIERS.iter().find(|(name, _, _)| {
        // A key has to follow: `ctrl-` alone is none.
        rest.len() > name.len()
            && rest
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
    }) {
        modifiers |= *bit;
        rest = &rest[name.len()..];
    }
    (modifiers, rest)
}

fn read(modifiers: KeyModifiers, key: &str, whole: &str) -> Result<Chord, ChordFault> {
    let lower = key.to_ascii_lowercase();
    if let Some((_, _, code)) = NAMED.iter().find(|(name, _, _)| *name == lower) {
        if *code == KeyCode::Char(' ') && modifiers.contains(KeyModifiers::SHIFT) {
            return Err(fault(
                whole,
                "no terminal sends Shift with it",
                "write `space`",
            ));
        }
        return Ok(Chord::normal(*code, modifiers));
    }
    let mut letters = key.chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else {
        return Err(unreadable(whole, &lower));
    };
    if letter.is_control() || letter.is_whitespace() {
        return Err(unreadable(whole, &lower));
    }
    if modifiers.contains(KeyModifiers::CONTROL) {
        return control(modifiers, letter, whole);
    }
    if modifiers.contains(KeyModifiers::SHIFT) && !letter.is_ascii_alphabetic() {
        return Err(fault(
            whole,
            "what Shift makes of a key is a matter of the keyboard",
            "write the character that appears, such as `!`",
        ));
    }
    Ok(Chord::normal(KeyCode::Char(letter), modifiers))
}

/// Ctrl with a character: few of them reach a program.
fn control(modifiers: KeyModifiers, letter: char, whole: &str) -> Result<Chord, ChordFault> {
    let small = letter.to_ascii_lowercase();
    if let Some((_, name)) = SAME_BYTE.iter().find(|(same, _)| *same == small) {
        let message = format!("terminals send the same byte for it as for `{name}`");
        return Err(fault(
            whole,
            &message,
            &format!("write `{name}`, or take another key"),
        ));
    }
    let chord = Chord::normal(KeyCode::Char(letter), modifiers);
    let KeyCode::Char(sent) = chord.code else {
        return Ok(chord);
    };
    if sent.is_ascii_lowercase() || LOW_BYTES.iter().any(|(_, sign)| *sign == sent) {
        return Ok(chord);
    }
    Err(fault(
        whole,
        "terminals have no byte for it",
        "take Ctrl with a letter, or the key without Ctrl",
    ))
}

fn unreadable(whole: &str, key: &str) -> ChordFault {
    if let Some(meant) = other_spelling(whole) {
        return fault(whole, "it is no chord", &format!("write `{meant}`"));
    }
    let names: Vec<&str> = NAMED.iter().map(|(name, _, _)| *name).collect();
    let hint = match nearest(key, &names) {
        Some(name) if key.len() > 1 => format!("did you mean `{name}`?"),
        _ => "write one character, or a name such as `ctrl-r`, `shift-tab`, `pgdn`, `space`"
            .to_owned(),
    };
    fault(whole, "it is no chord", &hint)
}

/// `C-r`, `^R`, `<C-r>` and `ctrl+r` are how others write `ctrl-r`.
fn other_spelling(text: &str) -> Option<Chord> {
    let bare = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(text);
    let mut dashed = match bare.strip_prefix('^') {
        Some(key) => format!("ctrl-{key}"),
        None => bare.replace('+', "-"),
    };
    for (short, long) in [
        ("C-", "ctrl-"),
        ("M-", "alt-"),
        ("A-", "alt-"),
        ("S-", "shift-"),
        ("control-", "ctrl-"),
    ] {
        if let Some(key) = dashed.strip_prefix(short) {
            dashed = format!("{long}{key}");
        }
    }
    // The same text again would end here again.
    (dashed != text).then(|| Chord::parse(&dashed).ok())?
}

fn fault(whole: &str, why: &str, hint: &str) -> ChordFault {
    let shown = shorten(&clean_line(&Redactor::new().admit(whole)), 40);
    ChordFault {
        message: format!("`{shown}` cannot be bound: {why}"),
        hint: hint.to_owned(),
    }
}
