//! Quiet and quick: the first frame waits for nobody, an idle screen says nothing, and a terminal
//! that takes nothing holds up the picture only.

use super::fleet::{Fleet, quit, stick};
use super::{LIMIT, settled};
use crate::support::pty::{Ended, key, rows_with};
use crate::support::wait_until;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// How long an idle screen is watched.
const WATCHED: Duration = Duration::from_secs(5);

#[test]
fn the_first_frame_comes_and_the_screen_ends_while_nobody_answers() {
    let Some(fleet) = Fleet::new() else { return };
    let pty = fleet.start_in_silence();
    pty.wait_for("no check has been judged yet");
    // A look is under way when it is ended.
    fleet.silent.set_nonblocking(true).expect("it is set");
    let caught = wait_until("somebody is asked", LIMIT, || fleet.silent.accept().ok());
    quit(&fleet, pty);
    drop(caught);
}

#[test]
fn the_first_frame_shows_the_last_known_state_with_its_age() {
    let Some(fleet) = Fleet::new() else { return };
    let pty = fleet.start();
    settled(&pty);
    quit(&fleet, pty);
    three_hours_later(&fleet.home.path().join("state/cockpit.db"));
    let pty = fleet.start_in_silence();
    let screen = pty.wait_for("entry.no-key");
    let row = &rows_with(&screen, "entry.no-key")[0];
    assert!(
        row.contains("stale") && row.trim_end().ends_with("3h"),
        "{row}"
    );
    assert!(
        screen.contents().contains("3h old"),
        "{}",
        screen.contents()
    );
    let wrote = String::from_utf8_lossy(&pty.raw()).into_owned();
    assert!(
        !wrote.contains("no check has been judged"),
        "an empty frame came first"
    );
    quit(&fleet, pty);
}

#[test]
fn an_idle_screen_writes_nothing() {
    let Some(fleet) = Fleet::new() else { return };
    let pty = fleet.start();
    settled(&pty);
    // The clock may turn meanwhile, and the looks of the start may still come in.
    pty.wait_for_silence(WATCHED);
    quit(&fleet, pty);
}

#[test]
fn a_terminal_that_takes_nothing_keeps_nobody_from_ending_it() {
    let Some(fleet) = Fleet::new() else { return };
    let mut pty = fleet.start();
    settled(&pty);
    stick(&mut pty);
    pty.signal("TERM");
    assert_eq!(pty.ended(), Ended::Code(0));
    assert_eq!(fleet.home.left(), [""; 0]);
    let left = pty.not_put_back();
    assert!(
        !left.iter().any(|left| left.contains("raw mode")),
        "{left:?}"
    );
}

#[test]
fn keys_typed_on_a_stuck_line_are_seen_when_it_moves_again() {
    let Some(fleet) = Fleet::new() else { return };
    let mut pty = fleet.start();
    settled(&pty);
    stick(&mut pty);
    pty.send("j");
    pty.send(":");
    pty.send("doc");
    pty.let_go();
    let screen = pty.wait_for(":doc_");
    assert_eq!(rows_with(&screen, ":doc_").len(), 1);
    pty.send(key::ESC);
    pty.wait_until("the second row selected", |screen| {
        rows_with(screen, "> +")
            .first()
            .is_some_and(|row| row.contains("nginx-loc"))
    });
    quit(&fleet, pty);
}

/// Moves everything that is remembered into the past.
fn three_hours_later(store: &Path) {
    const THREE_HOURS: i64 = 3 * 3_600_000;
    let store = rusqlite::Connection::open(store).expect("it opens");
    let mut rows = store.prepare("SELECT id, body FROM results").expect("rows");
    let bodies: Vec<(i64, Value)> = rows
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .expect("rows")
        .map(|row| row.expect("a row"))
        .map(|(id, body)| (id, serde_json::from_str(&body).expect("JSON")))
        .collect();
    assert!(!bodies.is_empty(), "nothing is remembered");
    for (id, mut body) in bodies {
        age(&mut body, THREE_HOURS);
        let change = "UPDATE results SET at_ms = at_ms - ?1, body = ?2 WHERE id = ?3";
        let changed = store.execute(change, (THREE_HOURS, body.to_string(), id));
        assert_eq!(changed, Ok(1));
    }
}

fn age(value: &mut Value, by_ms: i64) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|value| age(value, by_ms)),
        Value::Object(all) => {
            for (name, value) in all {
                match value.as_i64() {
                    Some(at) if name == "at_ms" => *value = json!(at - by_ms),
                    _ => age(value, by_ms),
                }
            }
        }
        _ => {}
    }
}
