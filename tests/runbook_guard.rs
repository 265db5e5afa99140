//! What the step runner keeps out: an act without leave, whoever asks for it, and what a machine prints
//! to fool or to flood the reader.

use crate::runbooks::{own_pack_in, trust_in};
use crate::support::far::text;
use crate::support::inside::{Inside, on_threads, quick};
use crate::support::{Lab, has_ssh};
use cockpit_adapters::packs::PackShelf;
use cockpit_domain::ids::PackId;
use cockpit_domain::runbook::{Mark, Run, RunState};
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{FailureKind, Outcome};
use cockpit_engine::ports::Packs as _;
use cockpit_engine::runbook::{NewWalk, Word};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

async fn run(inside: &Inside, command: Command) -> Outcome<Run> {
    match inside.engine().call(command).await? {
        Answer::Run(run) => Ok(*run),
        other => panic!("{other:?}"),
    }
}

async fn say(inside: &Inside, id: cockpit_domain::ids::RunId, word: Word) -> Outcome<Run> {
    run(inside, Command::RunbookResume { run: id, word }).await
}

#[test]
fn an_act_on_production_is_refused_by_the_engine_until_it_is_armed_and_named() {
    if !has_ssh() {
        return;
    }
    on_threads(async {
        let inside = Inside::start("prod", quick()).await;
        inside.engine().require_arming();
        let walk = NewWalk {
            book: "reload-nginx".to_owned(),
            ..NewWalk::default()
        };
        let begun = run(&inside, Command::RunbookRun { walk }).await;
        let stood = begun.expect("looks need no leave");
        assert_eq!(stood.state, RunState::Confirms, "{stood:?}");
        let hash = stood.current().and_then(|step| step.plan.clone());
        let hash = hash.expect("a plan").plan_hash;
        let approval = Approval {
            hash: hash.clone(),
            host_name: Some("prod".to_owned()),
            reason: Some("03:10".to_owned()),
        };

        // The whole word, no window: nothing is sent, the step waits as it did.
        let refused = say(&inside, stood.id, Word::Approve(approval.clone())).await;
        let refused = refused.expect_err("it is read-only");
        assert_eq!(refused.kind, FailureKind::Denied, "{refused:?}");
        let command = Command::RunbookRuns {
            run: Some(stood.id),
        };
        let still = run(&inside, command).await.expect("the run");
        assert_eq!(still.current().map(|step| step.mark), Some(Mark::Planned));

        // A window on another host is none here.
        let other = cockpit_domain::ids::HostId::new("accept").expect("a slug");
        let minutes = Duration::from_mins(10);
        inside.engine().arm(other, minutes).await.expect("armed");
        let refused = say(&inside, stood.id, Word::Approve(approval.clone())).await;
        assert!(refused.is_err(), "{refused:?}");

        // A window and half a word.
        let prod = inside.host_id();
        inside.engine().arm(prod, minutes).await.expect("armed");
        for word in [
            Approval {
                host_name: None,
                ..approval.clone()
            },
            Approval {
                reason: None,
                ..approval.clone()
            },
            Approval {
                hash: "000000000000".to_owned(),
                ..approval.clone()
            },
        ] {
            let refused = say(&inside, stood.id, Word::Approve(word.clone())).await;
            assert!(refused.is_err(), "{word:?}: {refused:?}");
        }
        let done = say(&inside, stood.id, Word::Approve(approval)).await;
        let done = done.expect("armed, named and with a reason");
        let step = |run: &Run, mark| run.steps.iter().filter(|step| step.mark == mark).count();
        assert!(step(&done, Mark::Ok) > step(&stood, Mark::Ok), "{done:?}");
        inside.end().await;
    });
}

/// What no picture, answer or row may hold.
pub(crate) const SECRET: &str = "sk-planted0123456789abcdef0123456789abcdef";

/// A machine's file that clears the screen, renames the window, turns the text around and holds a key;
/// and one of 10 MB.
fn hostile(folder: &Path) -> (String, String) {
    let small = folder.join("small.txt");
    let told = format!(
        "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31mred\u{1b}[0m \u{202e}dne\u{202c}\nkey {SECRET}\n\u{9b}5m bell\u{7}\nlast line\n"
    );
    std::fs::write(&small, told).expect("a file");
    let large = folder.join("large.txt");
    let line = format!("{} {SECRET}\n", "A".repeat(980));
    std::fs::write(&large, line.repeat(10 << 10)).expect("a file");
    (small.display().to_string(), large.display().to_string())
}

fn book(small: &str, large: &str) -> String {
    let look = |file: &str| {
        format!(
            "```look\nvantage = \"machine:local\"\ncommand = {{ argv = [\"cat\", {file:?}], contains = [\"is not there\"] }}\n```\n\n"
        )
    };
    let deed =
        |file: &str| format!("```do\nmachine = \"local\"\nargv = [\"cat\", {file:?}]\n```\n\n");
    format!(
        "+++\ntitle = \"Hostile\"\n+++\n\n{}{}{}{}```ask\nquestion = \"Seen\"\n```\n",
        look(small),
        look(large),
        deed(small),
        deed(large)
    )
}

/// A pack that looks at hostile files; it is trusted, for it is the machine that is not.
pub(crate) fn hostile_pack(config: &Path, folder: &Path) {
    let (small, large) = hostile(folder);
    own_pack_in(config, folder, &[("hostile", &book(&small, &large))]);
    let shelf = PackShelf::load(Some(&folder.join("own")), &BTreeMap::new()).expect("the packs");
    let mine = shelf.read(&PackId::new("mine").expect("a slug"));
    let print = mine.expect("a good pack").fingerprint().to_owned();
    trust_in(config, &format!("\"mine\" = \"{print}\""));
}

/// Whether a text could do anything to a terminal, or reads otherwise than it is.
fn is_harmless(text: &str) -> bool {
    let bad = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    !text.chars().any(bad)
}

#[test]
fn what_a_machine_prints_to_a_step_is_bounded_harmless_and_without_its_keys() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    hostile_pack(&lab.config, lab.folder());
    let mut ran = lab.run(&["runbook", "run", "hostile", "--json"]);
    let mut all = vec![ran.stdout.clone(), ran.stderr.clone()];
    for _ in 0..2 {
        let run: Value = ran.json();
        assert_eq!(run["state"], "confirms", "{}", &ran.stdout[..400]);
        let hash = text(&run["plan"], "hash");
        let id = run["id"].to_string();
        let words = [
            "runbook",
            "resume",
            &id,
            "--yes",
            &hash[..12],
            "--host-name",
            "local",
            "--reason",
            "x",
            "--json",
        ];
        ran = lab.run(&words);
        all.extend([ran.stdout.clone(), ran.stderr.clone()]);
    }
    let run: Value = ran.json();
    assert_eq!(run["state"], "asks", "{}", &ran.stdout[..400]);
    let id = run["id"].to_string();
    all.push(lab.run(&["runbook", "runs", &id]).stdout);
    // It was read: the last line stands in the look and in the act.
    let steps = run["steps"].as_array().expect("steps");
    assert!(steps[0].to_string().contains("last line"), "{}", steps[0]);
    assert!(steps[2].to_string().contains("last line"), "{}", steps[2]);
    all.extend(steps.iter().flat_map(strings));
    let rows = lab.store_rows();
    let kept: usize = rows.iter().map(String::len).sum();
    all.extend(rows);
    for text in &all {
        assert!(!text.contains(SECRET), "a key is kept or shown");
        assert!(is_harmless(text), "{:?}", &text[..text.len().min(400)]);
    }
    // 20 MB went by.
    assert!(ran.stdout.len() < 400_000, "{} bytes", ran.stdout.len());
    assert!(kept < 4_000_000, "{kept} bytes in the store");
}

/// Every text of a value, as it is when it is unpacked.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(rows) => rows.iter().flat_map(strings).collect(),
        Value::Object(fields) => fields.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}
