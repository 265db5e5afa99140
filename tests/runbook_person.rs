//! A runbook and a person in a real terminal: what is asked there, what is said to a wrong answer, what
//! leaving comes to, and what a run without a terminal says instead.

use crate::support::far::text;
use crate::support::pty::{Ended, Launch, Pty, key};
use crate::support::{COCKPIT, Lab, has_ssh};
use serde_json::Value;
use std::time::Duration;

fn at_a_terminal(lab: &Lab, words: &[&str]) -> Pty {
    let config = lab.config.display().to_string();
    let mut all = words.to_vec();
    all.extend(["--config", &config]);
    Launch::of(COCKPIT, &all)
        .size(140, 60)
        .limit(Duration::from_mins(1))
        .start()
}

fn say(pty: &mut Pty, line: &str) {
    pty.send(line);
    pty.wait_for(line);
    pty.send(key::ENTER);
}

/// Waits until a prompt is the last thing that stands on the screen, so many times written by then.
fn asked(pty: &Pty, prompt: &str, times: usize) {
    pty.wait_until(&format!("`{prompt}`, {times} times"), |screen| {
        let shown = screen.contents();
        shown.matches(prompt).count() == times && shown.trim_end().ends_with(prompt.trim_end())
    });
}

fn newest(lab: &Lab) -> Value {
    lab.run(&["runbook", "runs", "--json"]).json()["runs"][0].clone()
}

const QUESTION: &str = "answer, or `stop`: ";
const HELD: &str = "`again` to take it again, `skip` what would be done, or `stop`: ";

#[test]
fn a_person_is_led_from_the_fault_to_green_in_a_terminal() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("leftover-container");
    let mut pty = at_a_terminal(&lab, &["runbook", "run", "several-hosts"]);
    asked(&pty, QUESTION, 1);
    // What may not be named is refused, and asked again.
    say(&mut pty, "sub2api");
    asked(&pty, QUESTION, 2);
    let run = newest(&lab);
    let found = run["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .find(|step| step["mark"] == "asked")
        .map(|step| text(step, "came_to"))
        .expect("a question");
    let leftover = found.rsplit(' ').next().expect("a name").to_owned();
    say(&mut pty, &leftover);
    asked(&pty, QUESTION, 3);
    say(&mut pty, "yes");
    let typed = "to do it, `skip`, or `stop`: ";
    asked(&pty, typed, 1);
    let hash = text(&newest(&lab)["plan"], "hash");

    // The right hash and the wrong name: nothing is done, and the same is asked again.
    say(&mut pty, &hash[..12]);
    asked(&pty, "type the name of its host: ", 1);
    say(&mut pty, "accept");
    asked(&pty, "why: ", 1);
    say(&mut pty, "03:10");
    asked(&pty, typed, 2);
    assert!(newest(&lab)["state"] == "confirms", "{}", newest(&lab));

    say(&mut pty, &hash[..12]);
    asked(&pty, "type the name of its host: ", 2);
    say(&mut pty, "prod");
    asked(&pty, "why: ", 2);
    say(&mut pty, "03:11");
    asked(&pty, QUESTION, 4);
    say(&mut pty, "done");
    assert_eq!(pty.ended(), Ended::Code(0));
    assert_eq!(newest(&lab)["state"], "done");
    assert_eq!(lab.run(&["baseline", "run"]).code, 0);
    assert_eq!(pty.not_put_back(), Vec::<String>::new());
}

#[test]
fn what_is_held_can_be_taken_again_and_leaving_keeps_the_run() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("profile-old-key");
    let mut pty = at_a_terminal(&lab, &["runbook", "run", "profile-old-key"]);
    asked(&pty, QUESTION, 1);
    // Saying so does not make it so.
    say(&mut pty, "done");
    asked(&pty, HELD, 1);
    // Ctrl-C leaves the run as it stands: it says how to go on, and nothing is answered.
    pty.send(key::CTRL_C);
    assert_ne!(pty.ended(), Ended::Code(0));
    assert_eq!(newest(&lab)["state"], "held");
    let id = newest(&lab)["id"].to_string();

    let mut pty = at_a_terminal(&lab, &["runbook", "resume", &id]);
    asked(&pty, HELD, 1);
    lab.mend_it("profile-old-key");
    say(&mut pty, "again");
    assert_eq!(pty.ended(), Ended::Code(0));
    assert_eq!(newest(&lab)["state"], "done");
}

#[test]
fn without_a_terminal_a_run_stops_at_the_question_and_says_what_to_type() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("profile-old-key");
    let ran = lab.run_with(&["runbook", "run", "profile-old-key"], "done\n");
    assert_eq!(ran.code, 1, "{ran:?}");
    let run = newest(&lab);
    assert_eq!(run["state"], "asks", "what is piped in is no answer: {run}");
    let fix = format!("cockpit runbook resume {} --answer", run["id"]);
    assert!(ran.stdout.contains(&fix), "{fix}: {ran:?}");
}
