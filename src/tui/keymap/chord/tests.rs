//! Chords as terminals send them and as people write them.

use super::*;

fn sent(code: KeyCode, modifiers: KeyModifiers) -> String {
    Chord::of(&KeyEvent::new(code, modifiers)).to_string()
}

#[test]
fn what_is_read_is_printed_back_and_shown_to_people() {
    let rows = [
        ("I", "I"),
        ("i", "i"),
        ("[", "["),
        ("-", "-"),
        ("ctrl-r", "Ctrl-r"),
        ("ctrl-]", "Ctrl-]"),
        ("ctrl-space", "Ctrl-Space"),
        ("alt-x", "Alt-x"),
        ("alt-X", "Alt-X"),
        ("alt--", "Alt--"),
        ("ctrl-alt-x", "Ctrl-Alt-x"),
        ("shift-tab", "Shift-Tab"),
        ("shift-up", "Shift-Up"),
        ("pgdn", "PgDn"),
        ("space", "Space"),
        ("enter", "Enter"),
        ("esc", "Esc"),
        ("f5", "F5"),
        ("ö", "ö"),
    ];
    for (text, shown) in rows {
        let chord = Chord::parse(text).unwrap();
        assert_eq!(chord.to_string(), text);
        assert_eq!(chord.shown(), shown);
    }
    for (name, _, _) in NAMED {
        assert_eq!(Chord::parse(name).unwrap().to_string(), *name);
    }
}

#[test]
fn several_spellings_are_one_chord() {
    let rows = [
        ("PgDn", "pgdn"),
        ("page-down", "pgdn"),
        ("Ctrl-R", "ctrl-r"),
        ("ctrl-shift-r", "ctrl-r"),
        ("shift-i", "I"),
        ("alt-ctrl-x", "ctrl-alt-x"),
        ("Return", "enter"),
        ("ctrl-/", "ctrl-_"),
        ("backtab", "shift-tab"),
    ];
    for (text, same) in rows {
        assert_eq!(
            Chord::parse(text).unwrap(),
            Chord::parse(same).unwrap(),
            "{text}"
        );
    }
}

#[test]
fn terminals_that_report_shift_and_those_that_do_not_agree() {
    let shift = KeyModifiers::SHIFT;
    let control = KeyModifiers::CONTROL;
    let rows = [
        (KeyCode::Char('I'), KeyModifiers::NONE, "I"),
        (KeyCode::Char('I'), shift, "I"),
        (KeyCode::Char('i'), shift, "I"),
        (KeyCode::Char('!'), shift, "!"),
        (KeyCode::Char('!'), KeyModifiers::NONE, "!"),
        (KeyCode::Char('i'), KeyModifiers::NONE, "i"),
        (KeyCode::BackTab, shift, "shift-tab"),
        (KeyCode::BackTab, KeyModifiers::NONE, "shift-tab"),
        (KeyCode::Tab, shift, "shift-tab"),
        (KeyCode::Char('R'), control | shift, "ctrl-r"),
        (KeyCode::Char('5'), control, "ctrl-]"),
        (KeyCode::Char('X'), KeyModifiers::ALT | shift, "alt-X"),
        (KeyCode::Up, shift, "shift-up"),
    ];
    for (code, modifiers, text) in rows {
        assert_eq!(sent(code, modifiers), text, "{code:?} {modifiers:?}");
    }
}

#[test]
fn what_is_no_chord_says_what_to_write() {
    let rows = [
        (
            "pgdwn",
            "`pgdwn` cannot be bound: it is no chord",
            "did you mean `pgdn`?",
        ),
        (
            "ctrl+r",
            "`ctrl+r` cannot be bound: it is no chord",
            "write `ctrl-r`",
        ),
        (
            "C-r",
            "`C-r` cannot be bound: it is no chord",
            "write `ctrl-r`",
        ),
        (
            "^R",
            "`^R` cannot be bound: it is no chord",
            "write `ctrl-r`",
        ),
        (
            "<C-r>",
            "`<C-r>` cannot be bound: it is no chord",
            "write `ctrl-r`",
        ),
        (
            "ctrl-",
            "`ctrl-` cannot be bound: it is no chord",
            "write one character, or a name such as `ctrl-r`, `shift-tab`, `pgdn`, `space`",
        ),
        (
            "gg",
            "`gg` cannot be bound: it is no chord",
            "write one character, or a name such as `ctrl-r`, `shift-tab`, `pgdn`, `space`",
        ),
        (
            "ctrl-i",
            "`ctrl-i` cannot be bound: terminals send the same byte for it as for `tab`",
            "write `tab`, or take another key",
        ),
        (
            "ctrl-1",
            "`ctrl-1` cannot be bound: terminals have no byte for it",
            "take Ctrl with a letter, or the key without Ctrl",
        ),
        (
            "shift-1",
            "`shift-1` cannot be bound: what Shift makes of a key is a matter of the keyboard",
            "write the character that appears, such as `!`",
        ),
        (
            "shift-space",
            "`shift-space` cannot be bound: no terminal sends Shift with it",
            "write `space`",
        ),
    ];
    for (text, message, hint) in rows {
        let fault = Chord::parse(text).unwrap_err();
        assert_eq!(
            (fault.message.as_str(), fault.hint.as_str()),
            (message, hint),
            "{text}"
        );
    }
    for text in ["", " ", "\t", "\u{1b}"] {
        assert!(Chord::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_key_that_looks_like_a_secret_is_not_repeated() {
    let fault = Chord::parse("sk-abcdefghijklmnop1234567890").unwrap_err();
    assert!(!fault.message.contains("hijklm"), "{}", fault.message);
}
