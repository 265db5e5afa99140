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

/// Waits until this is the last thing that stands on the screen.
fn ends_with(pty: &Pty, text: &str) {
    pty.wait_until(&format!("`{text}` at the end"), |screen| {
        screen.contents().trim_end().ends_with(text.trim_end())
    });
}

/// Types a line; it is echoed before it is sent, so that the prompt it answers is no longer the end.
fn say(pty: &mut Pty, line: &str) {
    pty.send(line);
    ends_with(pty, line);
    pty.send(key::ENTER);
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
    ends_with(&pty, QUESTION);
    // What may not be named is refused, and asked again.
    say(&mut pty, "sub2api");
    ends_with(&pty, QUESTION);
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
    ends_with(&pty, QUESTION);
    say(&mut pty, "yes");
    let typed = "to do it, `skip`, or `stop`: ";
    ends_with(&pty, typed);
    let run = newest(&lab)["id"].to_string();
    let run = lab.run(&["runbook", "runs", &run, "--json"]).json();
    let hash = text(&run["plan"], "hash");

    // The right hash and the wrong name: nothing is done, and the same is asked again.
    say(&mut pty, &hash[..12]);
    ends_with(&pty, "type the name of its host: ");
    say(&mut pty, "accept");
    ends_with(&pty, "why: ");
    say(&mut pty, "03:10");
    ends_with(&pty, typed);
    assert!(newest(&lab)["state"] == "confirms", "{}", newest(&lab));

    say(&mut pty, &hash[..12]);
    ends_with(&pty, "type the name of its host: ");
    say(&mut pty, "prod");
    ends_with(&pty, "why: ");
    say(&mut pty, "03:11");
    ends_with(&pty, QUESTION);
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
    ends_with(&pty, QUESTION);
    // Saying so does not make it so.
    say(&mut pty, "done");
    ends_with(&pty, HELD);
    // Ctrl-C leaves the run as it stands: it says how to go on, and nothing is answered.
    pty.send(key::CTRL_C);
    assert_ne!(pty.ended(), Ended::Code(0));
    assert_eq!(newest(&lab)["state"], "held");
    let id = newest(&lab)["id"].to_string();

    let mut pty = at_a_terminal(&lab, &["runbook", "resume", &id]);
    ends_with(&pty, HELD);
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
