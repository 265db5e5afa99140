//! A hundred thousand keys that nobody meant: nothing is written while no host is armed, and while
//! one is, neither Enter nor what was typed ahead confirms anything.

use super::keys::{key_of, of_actions};
use super::stage::Stage;
use crate::support::has_ssh;
use crate::support::inside::{Inside, on_threads, quick};
use cockpit_domain::batch::BatchStatus;
use cockpit_engine::context::Timing;
use cockpit_lab::sub2api::state::When;
use crossterm::event::KeyEvent;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

/// Keys, pastes and resizes of one run.
const EVENTS: usize = 100_000;
/// Jobs that may be at work before the person waits for them.
const AT_WORK: usize = 6;
/// The sizes a terminal may take.
const SIZES: [(u16, u16); 8] = [
    (1, 1),
    (2, 60),
    (20, 5),
    (60, 16),
    (80, 24),
    (120, 40),
    (160, 45),
    (300, 1),
];
/// What is pasted: keys to import, and text that would be an order if it were typed.
const PASTES: [&str; 8] = [
    "sk-lab-good-mash-0000001\rsk-lab-good-mash-0000002\r",
    "y",
    "y\r\ny\r\n",
    "prod\r",
    ":arm accept 10m\r",
    "a\ry\r",
    "\u{1b}[201~\u{1b}[2Jyes 中文\u{202e}",
    "",
];
/// Whole command lines, so that deeper pages are reached too.
const LINES: [&str; 12] = [
    "apply",
    "resume 2",
    "rollback 1",
    "rollback 2",
    "reconcile accept lab",
    "repair binding.account-7-group-3",
    "import prod lab",
    "access-status 1",
    "arm accept 10m",
    "arm prod 1h",
    "stop-job",
    "language zh-CN",
];

/// Draws lots that can be drawn again: `COCKPIT_SEED` repeats the run that printed it.
fn lots() -> StdRng {
    let named = std::env::var("COCKPIT_SEED").ok();
    let seed = named.map_or(0x0310, |seed| seed.parse().expect("a number"));
    println!("COCKPIT_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// A host with a batch that stands, one that was interrupted, and a binding that is lost: every
/// key that leads to a plan leads to one.
async fn worked_on() -> Inside {
    let timing = Timing {
        write_tries: 1,
        ..quick()
    };
    let inside = Inside::start("accept", timing).await;
    let done = inside.import(&["sk-lab-good-mash-0000003"]).await;
    assert_eq!(done.batch_status, BatchStatus::Succeeded);
    inside.lose("POST", "/api/v1/admin/accounts", When::BeforeCommit);
    let cut = inside.import(&["sk-lab-good-mash-0000004"]).await;
    assert_eq!(cut.batch_status, BatchStatus::Interrupted);
    inside.lab.set_fault("binding-lost").expect("a fault");
    inside
}

fn any<T: Copy>(lots: &mut StdRng, of: &[T]) -> T {
    of[lots.random_range(0..of.len())]
}

#[test]
fn a_hundred_thousand_keys_pastes_and_resizes_write_nothing_while_no_host_is_armed() {
    if !has_ssh() {
        return;
    }
    let mut lots = lots();
    let keys = of_actions();
    on_threads(async {
        let mut stage = Stage::on(worked_on().await, (80, 24)).await;
        stage.tame = true;
        let (before, census) = (stage.changes(), stage.inside.census());
        let (mut events, mut tried) = (0, 0);
        while events < EVENTS {
            events += mash(&mut stage, &mut lots, &keys);
            if events % 32 == 0 {
                stage.draw();
                tried += usize::from(try_to_apply(&mut stage, &mut lots));
                stage.catch_up();
            }
            while stage.live() > AT_WORK {
                stage.turn(Duration::from_millis(100)).await;
            }
            if stage.ended {
                stage.reopen();
            }
        }
        println!("tried to apply a plan {tried} times");
        // The keys did lead to plans and to the window for writes, or this would say nothing.
        for plan in [
            "import plan",
            "reconcile plan",
            "repair plan",
            "rollback plan",
        ] {
            assert!(stage.sent.contains_key(plan), "no {plan}: {:?}", stage.sent);
        }
        assert!(stage.kept_back > 0, "nobody tried to arm a host");
        assert!(tried > 0, "nobody stood before a plan");
        assert_eq!(stage.writes_sent, 0, "{:?}", stage.sent);
        assert_eq!(stage.changes(), before);
        assert_eq!(stage.inside.census(), census);
        stage.end().await;
    });
}

/// One thing that happens to a terminal; says for how many events it counts.
fn mash(stage: &mut Stage, lots: &mut StdRng, keys: &[KeyEvent]) -> usize {
    // Now and then the person stops for as long as a confirmation wants to be read.
    if lots.random_ratio(1, 16) {
        stage.later(lots.random_range(0..800));
    }
    match lots.random_range(0..1000) {
        0..15 => {
            let (width, height) = any(lots, &SIZES);
            stage.resize(width, height);
        }
        15..35 => stage.paste(any(lots, &PASTES)),
        35..55 => {
            let line = any(lots, &LINES);
            stage.key(key_of(":"));
            for letter in line.chars() {
                stage.key(key_of(letter.encode_utf8(&mut [0; 4])));
            }
            stage.key(key_of("enter"));
            return line.len() + 2;
        }
        55..245 => stage.key(key_of(any(lots, &["enter", "a", "y", "esc", "tab"]))),
        245..295 => {
            let letter = any(lots, &['p', 'r', 'o', 'd', '1', '2', '中', '\u{301}', ' ']);
            stage.key(key_of(letter.encode_utf8(&mut [0; 4])));
        }
        _ => stage.key(any(lots, keys)),
    }
    1
}

/// Whoever stands before a plan does everything that would apply it, had a host been armed; says
/// whether there was one.
fn try_to_apply(stage: &mut Stage, lots: &mut StdRng) -> bool {
    let frame = stage.frame();
    if !frame.lines().nth(2).is_some_and(|at| at.contains("plan/")) {
        return false;
    }
    if frame.contains('┌') {
        stage.press(&["esc"]);
    }
    stage.press(&["a"]);
    stage.read();
    if lots.random() {
        stage.type_in("prod");
        stage.press(&["tab"]);
        stage.type_in("why");
        stage.press(&["tab"]);
    }
    stage.press(&["y"]);
    true
}

#[test]
fn while_a_host_is_armed_enter_and_what_was_typed_ahead_confirm_nothing() {
    if !has_ssh() {
        return;
    }
    let mut lots = lots();
    on_threads(async {
        let mut stage = Stage::on(worked_on().await, (80, 24)).await;
        stage.command("rollback 1");
        stage.until_shown("Rollback  plan/3  accept").await;
        // All the reading below takes a quarter of an hour on the screen's clock.
        stage.command("arm accept 1h");
        stage.until_shown("ARMED accept").await;
        stage.hold_clock();
        let (before, census) = (stage.changes(), stage.inside.census());

        // Enter, however often and however slowly, and everything else but the one letter.
        let mut asked = 0;
        for _ in 0..1_000 {
            let is_open = stage.frame().contains("[ Cancel ]");
            asked += usize::from(is_open);
            // Tab would leave the plan where no question is open.
            let keys = ["a", "enter", "enter", "down", "up", "space", "tab"];
            let key = any(&mut lots, &keys[..if is_open { 7 } else { 5 }]);
            stage.press(&[key]);
            stage.read();
        }
        assert!(asked > 100, "the confirmation was open {asked} times");
        for _ in 0..200 {
            ask(&mut stage);
            stage.read();
            let text = any(&mut lots, &["y", "y\ry\r", "yes\r", "a\ry\ry\r"]);
            stage.paste(text);
            stage.press(&["enter"]);
        }

        // A yes that was under way before the question could be read.
        for _ in 0..1_000 {
            ask(&mut stage);
            for _ in 0..lots.random_range(1..8) {
                let key = any(&mut lots, &["y", "y", "y", "tab", "up"]);
                if lots.random() {
                    stage.press(&[key]);
                } else {
                    stage.key(key_of(key));
                }
            }
            stage.later(200);
            stage.press(&["y"]);
        }
        assert_eq!(stage.writes_sent, 0, "{:?}", stage.sent);
        assert_eq!(stage.changes(), before);
        assert_eq!(stage.inside.census(), census);

        // The same letter, once the question has been read, is the act.
        ask(&mut stage);
        stage.read();
        stage.press(&["y"]);
        stage.until_shown("nothing of it remains").await;
        assert_eq!(stage.writes_sent, 1, "{:?}", stage.sent);
        assert_ne!(stage.changes(), before);
        stage.end().await;
    });
}

/// Asks anew whether the plan is to be applied, whatever is in front of it.
fn ask(stage: &mut Stage) {
    for _ in 0..3 {
        if stage.frame().contains("[ Cancel ]") || stage.frame().contains("> Change") {
            stage.press(&["esc"]);
        }
    }
    stage.press(&["a"]);
    let frame = stage.frame();
    assert!(frame.contains("[ Cancel ]"), "nothing is asked:\n{frame}");
}
