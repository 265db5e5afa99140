//! What it draws: at every size, after every resize, and what a paste does.

use super::{Home, settled};
use crate::support::pty::{Ended, key, rows_with};

/// Sizes a person has, and some that nobody has.
const SIZES: [(u16, u16); 8] = [
    (160, 45),
    (60, 16),
    (1, 1),
    (2, 60),
    (200, 1),
    (20, 5),
    (1, 24),
    (80, 24),
];

/// Rows of 80 cells without ages, which go on.
fn lasting(screen: &vt100::Screen) -> Vec<String> {
    // Blanks that were written and cells that never were look the same.
    let rows: Vec<String> = screen
        .rows(0, 74)
        .map(|row| row.trim_end().to_owned())
        .collect();
    [&rows[2..14], &rows[23..]].concat()
}

#[test]
fn it_draws_and_resizes_to_one_cell_and_back() {
    let Some(home) = Home::new() else { return };
    let mut pty = home.cockpit(&["--lab"]).start();
    let before = settled(&pty);
    assert_eq!(rows_with(&before, "entry.no-key ").len(), 1);
    pty.send("j");
    let moved = pty.wait_until("the second row selected", |screen| {
        !rows_with(screen, ">").is_empty() && rows_with(screen, "> ")[0].contains("nginx-loc")
    });
    for (columns, rows) in SIZES {
        // What stands there afterwards was drawn for this size.
        pty.scribble("\x1b[2J");
        pty.resize(columns, rows);
        pty.wait_until(&format!("a picture of {columns}x{rows}"), |screen| {
            let first = screen.cell(0, 0).map(vt100::Cell::contents);
            first.is_some_and(|first| first == "+")
        });
    }
    // The smallest picture scrolled to its row; the list begins at its top again.
    pty.send("g");
    pty.wait_until("the first row", |screen| {
        rows_with(screen, "> ")
            .iter()
            .any(|row| row.contains("entry.no-key"))
    });
    pty.send("j");
    pty.wait_until("the picture from before", |screen| {
        lasting(screen) == lasting(&moved)
    });
    assert_eq!(pty.asked(), [""; 0]);
    pty.send("q");
    assert_eq!(pty.ended(), Ended::Code(0));
    assert_eq!(pty.not_put_back(), [""; 0]);
}

#[test]
fn a_storm_of_resizes_ends_in_the_right_picture() {
    let Some(home) = Home::new() else { return };
    let mut pty = home.cockpit(&["--lab"]).start();
    settled(&pty);
    for turn in 0..200 {
        pty.resize(1 + turn % 150, 1 + turn % 40);
    }
    pty.resize(100, 30);
    let screen = pty.wait_until("keys in the last row of 100x30", |screen| {
        let last = screen.rows(0, 100).last().unwrap_or_default();
        last.contains("help") && screen.contents().starts_with("+ nothing is broken")
    });
    assert_eq!(rows_with(&screen, "entry.no-key ").len(), 1);
}

#[test]
fn drawing_anew_mends_a_screen_that_somebody_else_wrote_on() {
    let Some(home) = Home::new() else { return };
    let mut pty = home.cockpit(&["--lab"]).start();
    let before = settled(&pty).contents();
    pty.scribble("\x1b[10;1Hsomebody else wrote this");
    pty.wait_for("somebody else");
    pty.send("\x0c");
    pty.wait_until("the picture from before", |screen| {
        let now = screen.contents();
        now.lines().nth(9) == before.lines().nth(9)
    });
    assert_eq!(pty.asked(), [""; 0]);
}

#[test]
fn pasted_keys_run_nothing_and_pasted_lines_are_the_keys_of_an_import() {
    let Some(home) = Home::new() else { return };
    let mut pty = home.cockpit(&["--lab"]).start();
    settled(&pty);
    // Every one of these is a key that does something.
    pty.paste("q:Iy\n");
    let screen = pty.wait_for("pasted text runs no action");
    assert!(
        screen.contents().contains("entry.no-key"),
        "still on the first page"
    );

    pty.send("I");
    pty.wait_for("Import");
    pty.paste("sk-first-of-two-0001\nsk-second-of-two-0002\n");
    let screen = pty.wait_for("keys 2, lines 2");
    let seen = screen.contents();
    assert!(!seen.contains("first-of-two"), "a key is shown: {seen}");
    pty.send(key::ESC);
    pty.wait_until("the form is gone", |screen| {
        rows_with(screen, "Import").is_empty()
    });
    pty.send("q");
    assert_eq!(pty.ended(), Ended::Code(0));
    let wrote = String::from_utf8_lossy(&pty.raw()).into_owned();
    assert!(
        !wrote.contains("of-two"),
        "a pasted key reached the terminal"
    );
}
