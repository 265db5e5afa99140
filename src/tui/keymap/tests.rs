//! The default keys, and what users may say over them.

use super::*;
use crossterm::event::{KeyCode, KeyModifiers};

/// The keys that `ux.md` allows although shells know them.
const ALLOWED: &[&str] = &["ctrl-c", "ctrl-d", "ctrl-l", "ctrl-u"];

fn setting(line: usize, action: &str, chords: &[&str]) -> KeySetting {
    KeySetting {
        action: action.to_owned(),
        chords: chords.iter().map(|&chord| chord.to_owned()).collect(),
        line,
        column: 1,
    }
}

fn press(keymap: &Keymap, text: &str, scope: Scope) -> Option<&'static str> {
    let (code, modifiers) = match text.strip_prefix("ctrl-") {
        Some(letter) => (letter, KeyModifiers::CONTROL),
        None => (text, KeyModifiers::NONE),
    };
    let letter = code.chars().next().unwrap();
    let key = KeyEvent::new(KeyCode::Char(letter), modifiers);
    keymap.resolve(&key, scope).map(|action| action.row().name)
}

fn words(problems: &[KeyProblem]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| {
            let weight = if problem.warning { "Warning" } else { "Fault" };
            format!("{weight} {problem}")
        })
        .collect()
}

/// What a table of defaults must not have.
fn faults(rows: &[(&str, &[&str], Scope)]) -> Vec<String> {
    let mut seen: Vec<(&str, Chord, Scope)> = Vec::new();
    let mut faults = Vec::new();
    for (name, keys, scope) in rows {
        for key in *keys {
            let Ok(chord) = Chord::parse(key) else {
                faults.push(format!("{name}: {key} is no chord"));
                continue;
            };
            if chord.to_string() != *key {
                faults.push(format!("{name}: {key} is written {chord}"));
            }
            if key.starts_with("ctrl-") && !ALLOWED.contains(key) {
                faults.push(format!(
                    "{name}: {key} is not safe in tmux, screen or a shell"
                ));
            }
            for (other, taken, at) in &seen {
                let both = at == scope || [*at, *scope].contains(&Scope::Everywhere);
                if *taken == chord && both {
                    faults.push(format!("{name}: {key} is also {other}"));
                }
            }
            seen.push((name, chord, *scope));
        }
    }
    faults
}

#[test]
fn the_default_keys_have_no_clash_and_none_that_tmux_or_a_shell_takes() {
    let rows: Vec<_> = ACTIONS
        .iter()
        .map(|row| (row.name, row.keys, row.scope))
        .collect();
    assert_eq!(faults(&rows), [""; 0]);
    assert_eq!(words(&Keymap::new(&[]).1), [""; 0]);
}

#[test]
fn a_bad_table_would_be_seen() {
    let rows: [(&str, &[&str], Scope); 5] = [
        ("one", &["x", "Ctrl-d"], Scope::Everywhere),
        ("two", &["x", "ctrl-b"], Scope::Plan),
        ("three", &["s", "pgdwn"], Scope::Plan),
        ("four", &["s"], Scope::Jobs),
        ("five", &["s"], Scope::Plan),
    ];
    assert_eq!(
        faults(&rows),
        [
            "one: Ctrl-d is written ctrl-d",
            "two: x is also one",
            "two: ctrl-b is not safe in tmux, screen or a shell",
            "three: pgdwn is no chord",
            "five: s is also three",
        ]
    );
}

#[test]
fn every_key_that_shells_take_is_known_to_be_taken() {
    for letter in "abhjkqsz".chars() {
        let chord = Chord::parse(&format!("ctrl-{letter}")).unwrap();
        assert!(problem::taker(chord).is_some(), "{chord}");
    }
    for allowed in ALLOWED {
        assert_eq!(problem::taker(Chord::parse(allowed).unwrap()), None);
    }
}

#[test]
fn every_default_key_reaches_its_action_where_it_has_a_meaning() {
    let keymap = Keymap::default();
    for row in ACTIONS {
        assert_eq!(
            keymap.keys(row.action).len(),
            row.keys.len(),
            "{}",
            row.name
        );
    }
    assert_eq!(press(&keymap, "s", Scope::Batches), Some("access-status"));
    assert_eq!(press(&keymap, "s", Scope::Hosts), None);
    assert_eq!(press(&keymap, "j", Scope::Plan), Some("down"));
    assert_eq!(press(&keymap, "ctrl-d", Scope::Jobs), Some("half-down"));
    let mut up = KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE);
    up.kind = KeyEventKind::Release;
    assert_eq!(
        keymap.resolve(&up, Scope::Plan),
        None,
        "a release is no press"
    );
}

#[test]
fn keys_are_shown_as_people_know_them_the_first_one_first() {
    let keymap = Keymap::default();
    assert_eq!(keymap.keys(Action::Down), ["j", "Down"]);
    assert_eq!(keymap.keys(Action::PageDown), ["PgDn"]);
    assert_eq!(
        keymap.first_key(Action::HalfDown).as_deref(),
        Some("Ctrl-d")
    );
    assert_eq!(keymap.first_key(Action::Arm), None);
}

#[test]
fn a_setting_replaces_the_defaults_and_an_empty_one_unbinds() {
    let settings = [
        setting(1, "jobs", &["ctrl-o", "f6"]),
        setting(2, "zoom", &[]),
    ];
    let (keymap, problems) = Keymap::new(&settings);
    assert_eq!(words(&problems), [""; 0]);
    assert_eq!(keymap.keys(Action::Jobs), ["Ctrl-o", "F6"]);
    assert_eq!(press(&keymap, "J", Scope::Plan), None);
    assert_eq!(press(&keymap, "z", Scope::Plan), None);
    assert_eq!(keymap.first_key(Action::Zoom), None);
}

#[test]
fn a_users_key_is_taken_from_a_default_and_that_is_reported() {
    let settings = [
        setting(4, "resume", &["x"]),
        setting(5, "zoom", &["g", "z"]),
    ];
    let (keymap, problems) = Keymap::new(&settings);
    assert_eq!(
        words(&problems),
        [
            "Warning 4:1: `x` is now `resume` and no longer `menu` (give `menu` another key, or say `menu = []`)",
            "Warning 5:1: `g` is now `zoom` and no longer `top` (say `top = [..]` with the keys it is to keep)",
        ]
    );
    assert_eq!(press(&keymap, "x", Scope::Batches), Some("resume"));
    assert_eq!(
        press(&keymap, "x", Scope::Plan),
        None,
        "one key, one meaning"
    );
    assert_eq!(press(&keymap, "g", Scope::Plan), Some("zoom"));
    assert_eq!(keymap.keys(Action::Top), ["Home"]);
    // Saying what the loser keeps ends the report.
    let quiet = [setting(4, "resume", &["x"]), setting(5, "menu", &["Q"])];
    assert_eq!(words(&Keymap::new(&quiet).1), [""; 0]);
}

#[test]
fn two_actions_may_share_a_key_where_they_never_meet() {
    let settings = [
        setting(1, "resume", &["v"]),
        setting(2, "apply", &["v", "v"]),
    ];
    let (keymap, problems) = Keymap::new(&settings);
    assert_eq!(words(&problems), [""; 0]);
    assert_eq!(press(&keymap, "v", Scope::Batches), Some("resume"));
    assert_eq!(press(&keymap, "v", Scope::Plan), Some("apply"));
    assert_eq!(keymap.keys(Action::Apply), ["v"]);
}

#[test]
fn what_cannot_hold_is_named_with_its_line_and_the_rest_holds() {
    let settings = [
        setting(1, "imprt", &["I"]),
        setting(2, "zzzzzz", &["I"]),
        setting(3, "refresh", &["ctrl+r", "f5"]),
        setting(4, "apply", &["v"]),
        setting(5, "freeze", &["v"]),
        setting(6, "freeze", &["t"]),
        setting(7, "menu", &["ctrl-b"]),
        setting(8, "copy", &["ctrl-c"]),
    ];
    let (keymap, problems) = Keymap::new(&settings);
    assert_eq!(
        words(&problems),
        [
            "Fault 1:1: there is no action `imprt` (did you mean `import`?)",
            "Fault 2:1: there is no action `zzzzzz` (`?` on the screen and the README list the actions)",
            "Fault 3:1: `ctrl+r` cannot be bound: it is no chord (write `ctrl-r`)",
            "Fault 5:1: `v` is bound to `apply` in line 4 already (take another key for `freeze` or for `apply`)",
            "Fault 6:1: `freeze` has its keys in line 5 already (keep one of the two)",
            "Warning 7:1: `ctrl-b` may not arrive: tmux takes it as its prefix (take another key if you work there)",
            "Fault 8:1: `ctrl-c` always stops the job in front (take another key for `copy`)",
        ]
    );
    assert_eq!(keymap.keys(Action::Refresh), ["F5"]);
    assert_eq!(press(&keymap, "v", Scope::Plan), Some("apply"));
    assert_eq!(press(&keymap, "ctrl-b", Scope::Plan), Some("menu"));
    assert_eq!(press(&keymap, "ctrl-c", Scope::Plan), Some("stop-job"));
    assert_eq!(press(&keymap, "I", Scope::Plan), Some("import"));
}

#[test]
fn a_keymap_without_a_way_out_says_so() {
    let settings = [setting(1, "quit", &[]), setting(2, "palette", &[])];
    let problems = Keymap::new(&settings).1;
    assert_eq!(
        words(&problems),
        [
            "Warning 2:1: neither `quit` nor `palette` has a key: only Ctrl-C ends the cockpit (give one of them a key)"
        ]
    );
    assert_eq!(words(&Keymap::new(&settings[..1]).1), [""; 0]);
    let finding = problems[0].clone().in_file("config.toml").to_string();
    assert!(finding.starts_with("config.toml:2:1: neither"), "{finding}");
}
