//! Acts on a bad line: what nobody has read is not confirmed, and a lost connection leaves a batch
//! that can be gone on with.

use super::fleet::{Fleet, quit, stick};
use super::{LIMIT, command, settled};
use crate::support::pty::{Ended, Pty, key, rows_with};
use crate::support::{bare, wait_until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long a question takes no answer once it was read.
const DEAF: Duration = Duration::from_millis(300);

/// The plan of an import is open, and its host takes writes.
fn ready_to_import(fleet: &Fleet) -> Pty {
    let mut pty = fleet.start();
    settled(&pty);
    command(&mut pty, "import accept lab");
    pty.wait_for("< lab >");
    pty.paste("sk-lab-good-line-0000000001\n");
    pty.wait_for("keys 1, lines 1");
    pty.send(key::ENTER);
    pty.wait_for("plan/1");
    command(&mut pty, "arm accept 10m");
    pty.wait_for("09:5");
    pty
}

/// Runs a command on the screen's store.
fn batches(fleet: &Fleet) -> Value {
    let config = fleet.config("live", str::to_owned);
    let config = config.to_str().expect("a plain path");
    bare(&["batch", "list", "--json", "--config", config]).json()["batches"].clone()
}

#[test]
fn a_yes_on_a_stuck_line_is_no_answer_to_a_question_that_nobody_has_read() {
    let Some(fleet) = Fleet::new() else { return };
    let mut pty = ready_to_import(&fleet);
    stick(&mut pty);
    pty.send("a");
    let asked = Instant::now();
    wait_until("longer than a question is deaf", LIMIT, || {
        (asked.elapsed() > DEAF * 2).then_some(())
    });
    pty.send("y");
    pty.let_go();
    pty.wait_for("[ Cancel ]");
    pty.send(key::ESC);
    pty.wait_until("the question is gone", |screen| {
        rows_with(screen, "[ Cancel ]").is_empty()
    });
    pty.send("q");
    quit(&fleet, pty);
    assert_eq!(batches(&fleet), json!([]));
}

/// The import is at work.
fn importing(fleet: &Fleet) -> Pty {
    let mut pty = ready_to_import(fleet);
    pty.send("a");
    pty.wait_for("[ Cancel ]");
    // It is deaf for a moment, then takes the yes.
    wait_until("the yes is taken", LIMIT, || {
        pty.send("y");
        rows_with(&pty.screen(), "[ Cancel ]")
            .is_empty()
            .then_some(())
    });
    // What stands in the line of running work may be a word on the last key.
    wait_until("the import is at work", LIMIT, || {
        (batches(fleet)[0]["status"] == "running").then_some(())
    });
    pty
}

#[test]
fn a_stop_from_the_terminal_holds_what_writes_and_the_end_gives_the_terminal_back() {
    let Some(fleet) = Fleet::new() else { return };
    let pty = importing(&fleet);
    // Suspended it would stand there with calls in flight and the terminal taken.
    pty.signal("TSTP");
    pty.wait_for("plan/1  held");
    pty.signal("CONT");
    pty.wait_until("it goes on", |screen| {
        rows_with(screen, "plan/1  held").is_empty()
    });
    pty.signal("TSTP");
    pty.signal("TERM");
    assert_eq!(pty.ended(), Ended::Code(0));
    assert_eq!(pty.not_put_back(), [""; 0]);
    assert_eq!(fleet.home.left(), [""; 0]);
    let left = batches(&fleet);
    assert_ne!(left[0]["status"], "running", "{left}");
}

#[test]
fn a_connection_lost_during_an_import_leaves_a_batch_that_can_be_gone_on_with() {
    let Some(fleet) = Fleet::new() else { return };
    let mut pty = importing(&fleet);
    pty.hang_up();
    assert_eq!(pty.ended(), Ended::Code(0));
    assert_eq!(fleet.home.left(), [""; 0]);
    let left = batches(&fleet);
    assert_eq!(left[0]["status"], "interrupted", "{left}");
    let config = fleet.config("live", str::to_owned);
    let config = config.to_str().expect("a plain path");
    let shown = bare(&["batch", "show", "1", "--json", "--config", config]).json();
    assert_eq!(shown["interrupted_by"], "hung_up", "{shown}");
    let resumed = bare(&["batch", "resume", "1", "--json", "--config", config]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    let done = batches(&fleet);
    assert_eq!(done[0]["status"], "succeeded", "{done}");
}
