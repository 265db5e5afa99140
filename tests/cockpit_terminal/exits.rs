//! The ways out: each gives the terminal back and leaves nothing running, listening or locked.

use super::{Home, command, settled};
use crate::support::left::{children_of, sockets_under};
use crate::support::pty::{Ended, Pty, key};
use crate::support::{COCKPIT, wait_until};
use std::time::Duration;

/// Opens the screen on a lab, waits until ssh connections stand, and ends it. Gives back how it
/// ended and the terminal.
fn end_by(how: impl FnOnce(&mut Pty)) -> Option<(Ended, Pty)> {
    let home = Home::new()?;
    let mut pty = home.cockpit(&["--lab"]).start();
    settled(&pty);
    assert_ne!(children_of(pty.id()), [0; 0], "no ssh runs");
    assert!(!sockets_under(home.path()).is_empty(), "no socket");
    how(&mut pty);
    let ended = pty.ended();
    assert_eq!(home.left(), [""; 0], "{ended:?}");
    Some((ended, pty))
}

fn clean(ended: &Ended, pty: &Pty) {
    assert_eq!(*ended, Ended::Code(0));
    assert_eq!(pty.not_put_back(), [""; 0]);
    assert_eq!(pty.screen().contents().trim(), "", "words are left over");
}

#[test]
fn q_ends_the_screen_and_leaves_nothing_behind() {
    let Some((ended, pty)) = end_by(|pty| pty.send("q")) else {
        return;
    };
    clean(&ended, &pty);
}

#[test]
fn ctrl_c_ends_the_screen_and_leaves_nothing_behind() {
    let Some((ended, pty)) = end_by(|pty| pty.send(key::CTRL_C)) else {
        return;
    };
    clean(&ended, &pty);
}

#[test]
fn sigterm_ends_the_screen_and_leaves_nothing_behind() {
    let Some((ended, pty)) = end_by(|pty| pty.signal("TERM")) else {
        return;
    };
    clean(&ended, &pty);
}

#[test]
fn sighup_ends_the_screen_and_leaves_nothing_behind() {
    let Some((ended, pty)) = end_by(|pty| pty.signal("HUP")) else {
        return;
    };
    clean(&ended, &pty);
}

#[test]
fn a_lost_terminal_ends_the_screen_and_leaves_nothing_behind() {
    let Some((ended, _)) = end_by(Pty::hang_up) else {
        return;
    };
    assert_eq!(ended, Ended::Code(0));
}

#[test]
fn a_panic_gives_the_terminal_back_says_so_and_leaves_nothing_behind() {
    let Some((ended, pty)) = end_by(|pty| command(pty, "panic")) else {
        return;
    };
    assert_eq!(ended, Ended::Code(101));
    assert_eq!(pty.not_put_back(), [""; 0]);
    let said = pty.screen().contents();
    assert!(said.contains("a panic was asked for"), "{said}");
}

#[test]
fn a_terminal_that_goes_without_a_signal_ends_the_screen_too() {
    let Some(home) = Home::new() else { return };
    // In a session of its own it has the terminal open and is told nothing.
    let alone = ["-w", COCKPIT, "--lab"];
    let mut pty = home.within("setsid", &alone).start();
    settled(&pty);
    pty.hang_up();
    wait_until("nothing is left", Duration::from_secs(5), || {
        home.left().is_empty().then_some(())
    });
}
