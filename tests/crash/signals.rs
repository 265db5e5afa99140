//! Real signals to the built program in the middle of an import: the first asks to stop after the
//! step in flight, the second does not wait, a lost connection is told apart, and Ctrl-Z holds.

use super::scene::{LIMIT, Scene};
use crate::support::{has_ssh, wait_until};
use serde_json::Value;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How long an effect stands before its answer is given: each signal meets calls in flight.
const UNANSWERED: Duration = Duration::from_millis(100);
/// An answer that nobody waits for whole.
const AGES: Duration = Duration::from_secs(20);
/// Nothing is sent for so long: many times the life of a call.
const QUIET: Duration = Duration::from_millis(700);

fn send(child: &Child, signal: &str) {
    let id = child.id().to_string();
    let told = Command::new("kill").args([signal, &id]).status();
    assert!(told.expect("kill runs").success(), "{signal} was not sent");
}

/// The program applies an import of eight keys and has made two accounts.
fn importing() -> (Scene, Child) {
    let scene = Scene::start("accept", 8, UNANSWERED);
    scene.few_in_flight(2);
    let words = scene.planned();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let child = scene.begin(&words);
    scene.wait("two accounts are made", |_| scene.own_accounts().len() >= 2);
    (scene, child)
}

/// The exit code, and the batch or the failure it printed.
fn ended(child: Child) -> (Option<i32>, Value) {
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let told = serde_json::from_slice(&said);
    let told = told.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&said)));
    (output.status.code(), told)
}

/// Steps of batch 1 that were sent and have no answer.
fn open_steps(shown: &Value) -> usize {
    let rows = shown["journal"].as_array().expect("a journal");
    let open = |row: &&Value| row["state"] == "sent" || row["state"] == "unknown";
    rows.iter().filter(open).count()
}

fn goes_on(scene: &Scene) {
    let resumed = scene.run(&["batch", "resume", "1"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    scene.whole();
}

/// Waits until the host answered everything and was asked nothing more for a while.
fn quiet(scene: &Scene) -> usize {
    let asked = || scene.lab.log().since(0).len();
    let (mut seen, mut since) = (asked(), Instant::now());
    wait_until("nothing is sent any more", LIMIT, || {
        let busy = scene.lab.host(scene.host).with(|state| state.in_flight);
        if busy > 0 || asked() != seen {
            (seen, since) = (asked(), Instant::now());
        }
        (since.elapsed() > QUIET).then_some(())
    });
    scene.own_accounts().len()
}

#[test]
fn a_first_signal_finishes_the_step_in_flight_and_each_says_what_it_was() {
    if !has_ssh() {
        return;
    }
    // A terminal that goes may say so more than once: that is no second word.
    let cases: [(&[&str], &str); 3] = [
        (&["-INT"], "aborted"),
        (&["-TERM"], "aborted"),
        (&["-HUP", "-HUP"], "hung_up"),
    ];
    for (signals, by) in cases {
        let (scene, child) = importing();
        for signal in signals {
            send(&child, signal);
        }
        let (code, told) = ended(child);
        assert_eq!(code, Some(3), "{told}");
        assert_eq!(told["status"], "interrupted", "{signals:?}: {told}");
        assert_eq!(told["interrupted_by"], by, "{signals:?}: {told}");
        let shown = scene.shown();
        assert_eq!(open_steps(&shown), 0, "{signals:?}: {}", shown["journal"]);
        assert!(scene.own_accounts().len() < 8, "it went on to its end");
        scene.nothing_is_left();
        goes_on(&scene);
    }
}

#[test]
fn a_second_signal_does_not_wait_for_the_step_in_flight() {
    if !has_ssh() {
        return;
    }
    let (scene, child) = importing();
    scene.lab.host(scene.host).with(|state| state.delay = AGES);
    let begun = Instant::now();
    let made = scene.own_accounts().len();
    scene.wait("a call is on its way that takes ages", |_| {
        scene.own_accounts().len() > made || begun.elapsed() > QUIET
    });
    send(&child, "-TERM");
    wait_until("the first one was heard", LIMIT, || {
        (begun.elapsed() > QUIET * 2).then_some(())
    });
    send(&child, "-TERM");
    let (code, told) = ended(child);
    assert_eq!(code, Some(3), "{told}");
    assert_eq!(told["error"]["kind"], "cancelled", "{told}");
    assert!(begun.elapsed() < AGES, "it waited for the host");
    scene
        .lab
        .host(scene.host)
        .with(|state| state.delay = Duration::ZERO);
    scene.nothing_runs_on();
    let shown = scene.shown();
    assert!(open_steps(&shown) > 0, "nothing was in flight: {shown}");
    goes_on(&scene);
}

#[test]
fn ctrl_z_holds_and_sigcont_goes_on() {
    if !has_ssh() {
        return;
    }
    let (scene, child) = importing();
    send(&child, "-TSTP");
    let held = quiet(&scene);
    assert!(held < 8, "it went on to its end");
    send(&child, "-CONT");
    let (code, told) = ended(child);
    assert_eq!(code, Some(0), "{told}");
    scene.whole();
}

#[test]
fn a_stop_while_it_is_held_is_a_persons_word_and_begins_nothing() {
    if !has_ssh() {
        return;
    }
    let (scene, child) = importing();
    send(&child, "-TSTP");
    let held = quiet(&scene);
    send(&child, "-TERM");
    let (code, told) = ended(child);
    assert_eq!(code, Some(3), "{told}");
    assert_eq!(told["interrupted_by"], "aborted", "{told}");
    assert_eq!(scene.own_accounts().len(), held, "it began something");
    goes_on(&scene);
}
