//! Runbooks are read with every fault in its place; runs walk as they are told and no further.

use super::*;
use crate::baseline::Verdict;
use crate::ids::{PackId, RunId};
use std::collections::BTreeMap;

const CHECKS: [&str; 2] = ["entry.no-key", "host.containers"];

const GOOD: &str = r#"+++
title = "A container is left"
title_zh = "容器遗留"
checks = ["host.containers"]
machine = "{{box}}"
+++

# A container is left

Somebody's acceptance run is *over*, its container is not.

## See it

1. first `this`
2. then that

```look
id = "seen"
check = "host.containers"
take = { container = "banned: (\\S+)" }
```

## Whose is it

```ask
id = "over"
if_bad = "seen"
question = "Is the run behind {{container}} over?"
answer = "yes"
```

```do
if_yes = "over"
argv = ["docker", "stop", "{{container}}"]
back = ["docker", "start", "{{container}}"]
```

## The port is free

```look
must = true
vantage = "machine:{{box}}"
listening = { banned_ports = [18192] }
```

## Quiet

```watch
checks = ["entry.no-key"]
for_s = 60
every_s = 20
```
"#;

fn vars() -> BTreeMap<String, String> {
    [("box".to_owned(), "web1".to_owned())].into()
}

fn read(text: &str) -> Result<Runbook, Vec<String>> {
    read_runbook("left", "left.md", text, &CHECKS, &vars())
        .map_err(|found| found.iter().map(ToString::to_string).collect())
}

#[test]
fn a_runbook_is_read_with_its_prose_and_steps() {
    let book = read(GOOD).unwrap();
    assert_eq!(book.title, "A container is left");
    assert!(
        book.text.starts_with("Somebody's acceptance run is over"),
        "{}",
        book.text
    );
    let told: Vec<(&str, &str, &str)> = book
        .steps
        .iter()
        .map(|step| (step.id.as_str(), step.act.word(), step.title.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("seen", "look", "See it"),
            ("over", "ask", "Whose is it"),
            ("step-3", "do", "Whose is it"),
            ("step-4", "look", "The port is free"),
            ("step-5", "watch", "Quiet"),
        ]
    );
    assert_eq!(book.steps[0].text, "1. first `this`\n2. then that");
    assert!(book.has_commands());
    let Act::Look(look) = &book.steps[3].act else {
        panic!("no look")
    };
    let LookAt::Own(toml) = &look.looks_at else {
        panic!("no look of its own")
    };
    let check = read_check(&book.steps[3], toml, &vars()).unwrap();
    assert_eq!(check.vantage.to_string(), "machine:web1");
}

#[test]
fn every_fault_names_its_place_and_the_way_out() {
    let rows = [
        (
            "# no head\n",
            "left.md:1:1: a runbook begins with its title",
        ),
        ("+++\ntitle = \"x\"\n+++\ntext\n", "the runbook has no step"),
        (
            "+++\ntitle = \"x\"\n+++\n\n```look\ncheck = \"entry.nokey\"\n```\n",
            "left.md:6:9: no check of the pack is called so (did you mean `entry.no-key`?)",
        ),
        (
            "+++\ntitle = \"x\"\n+++\n\n```do\nargv = [\"docker\", \"stop\", \"{{container}}\"]\n```\n",
            "left.md:6:27: this wants a value that nothing before it gives",
        ),
        (
            "+++\ntitle = \"x\"\n+++\n\n```do\nargv = [\"{{box}}\"]\n```\n",
            "left.md:6:9: the program is not named",
        ),
        (
            "+++\ntitle = \"x\"\n+++\n\n```do\nargv = [\"sh\", \"-c\", \"stop {{box}}\"]\n```\n",
            "left.md:6:21: a shell would read this value as a program",
        ),
        (
            "+++\ntitle = \"x\"\n+++\n\n```do\nrepare = \"entry.no-key\"\n```\n",
            "left.md:6:1: unknown key `repare` (did you mean `repair`?)",
        ),
        (
            "+++\ntitle = \"x\"\n+++\n\n```ask\nquestion = \"?\"\nif_yes = \"sure\"\n```\n",
            "left.md:7:10: no question with `answer = \"yes\"` before this step is called so",
        ),
        (
            "+++\ntitle = \"x\"\n+++\n\n```look\nvantage = \"machine:{{box}}\"\nlistening = { banned_port = [1] }\n```\n",
            "left.md:7:15: unknown key `banned_port` (did you mean `banned_ports`?)",
        ),
        (
            "+++\ntitle = \"x\"\n+++\n\n```watch\nchecks = [\"entry.no-key\"]\nfor_s = 10\n```\n",
            "left.md:7:9: `every_s` is no part of `for_s`",
        ),
        (
            "+++\ntitle = \"x\"\n+++\n\n```look\ncheck = \"entry.no-key\"\ntake = { a = \"(\" }\n```\n",
            "left.md:7:14: this is no regular expression",
        ),
        (
            "+++\ntitle = \"x\"\n+++\n\n```ask\nquestion = \n```\n",
            "left.md:6:",
        ),
    ];
    for (text, expected) in rows {
        let found = read(text).unwrap_err().join("\n");
        assert!(found.contains(expected), "{text}\n{found}");
    }
}

#[test]
fn a_value_is_a_plain_word_and_never_an_option() {
    for good in [
        "sub2api-canary",
        "/etc/nginx/x.conf",
        "127.0.0.1:8080",
        "crm.v2",
    ] {
        assert!(is_value(good, None), "{good}");
    }
    for bad in [
        "",
        "-f",
        "--help",
        "a b",
        "a;b",
        "$(x)",
        "a\nb",
        "a\u{202e}b",
        "`x`",
        "a'b",
    ] {
        assert!(!is_value(bad, None), "{bad:?}");
    }
    assert!(is_value("two words", Some("[a-z ]+")));
    assert!(!is_value("-two words", Some(".*")));
    assert!(!is_value("two\u{1b}[2J", Some(".*")));
    assert_eq!(
        take_value(r"banned: (\S+)", "banned: route-lab-1 up"),
        Some("route-lab-1".to_owned())
    );
    assert_eq!(take_value(r"banned: (\S+)", "banned: --privileged"), None);
}

fn run() -> Run {
    let book = read(GOOD).unwrap();
    let mut run = Run {
        id: RunId(1),
        revision: 0,
        name: book.name,
        title: book.title,
        title_zh: None,
        origin: Origin::Own,
        pack: Some(PackId::new("p").unwrap()),
        host: None,
        machine: None,
        values: vars(),
        state: RunState::Open,
        reason: String::new(),
        owner: "me".to_owned(),
        started_ms: 0,
        updated_ms: 0,
        steps: book.steps.into_iter().map(RunStep::new).collect(),
    };
    run.settle(0);
    run
}

fn seen(verdict: Verdict, evidence: &str) -> Vec<Seen> {
    vec![Seen {
        check: "c".to_owned(),
        verdict,
        found: "found".to_owned(),
        next_step: String::new(),
        evidence: evidence.to_owned(),
        pending: false,
    }]
}

#[test]
fn a_run_passes_over_what_is_not_called_for() {
    let mut run = run();
    run.looked(seen(Verdict::Ok, ""), 1);
    run.settle(1);
    let marks: Vec<Mark> = run.steps.iter().map(|step| step.mark).collect();
    assert_eq!(
        marks[..4],
        [Mark::Ok, Mark::Skipped, Mark::Skipped, Mark::Todo]
    );
    assert_eq!(run.state, RunState::Open);
}

#[test]
fn a_look_gives_its_value_and_a_must_holds_the_run() {
    let mut run = run();
    run.looked(seen(Verdict::Fail, "banned: route-lab-1 up"), 1);
    run.settle(1);
    assert_eq!(run.values["container"], "route-lab-1");
    assert_eq!(run.steps[0].mark, Mark::Bad);
    assert!(run.answered("perhaps", 2).is_err());
    run.answered("no", 2).unwrap();
    run.settle(2);
    assert_eq!(run.steps[2].mark, Mark::Skipped);
    run.looked(seen(Verdict::Unknown, ""), 3);
    run.settle(3);
    assert_eq!((run.steps[3].mark, run.state), (Mark::Held, RunState::Held));
    run.looked(seen(Verdict::Ok, ""), 4);
    run.settle(4);
    assert_eq!(run.at(), Some(4));
}

#[test]
fn a_watch_counts_its_looks_and_turns() {
    let mut run = run();
    for step in &mut run.steps[..4] {
        step.mark = Mark::Ok;
    }
    let mut turned = run.clone();
    let mut now_and_then = run.clone();
    for round in 0..4 {
        run.watched(seen(Verdict::Ok, ""), round);
        run.settle(round);
    }
    assert_eq!(run.state, RunState::Done);
    assert!(
        run.steps[4].came_to.contains("4 looks over 1 min"),
        "{}",
        run.steps[4].came_to
    );
    turned.watched(seen(Verdict::Ok, ""), 1);
    turned.watched(seen(Verdict::Unreachable, ""), 2);
    assert_eq!(turned.steps[4].mark, Mark::Looking);
    // What has just turned bad is neither a good look nor a lost one.
    let mut pending = seen(Verdict::Unknown, "");
    pending[0].pending = true;
    for at in [2, 2, 2] {
        turned.watched(pending.clone(), at);
        assert_eq!(
            (turned.steps[4].mark, turned.steps[4].looks),
            (Mark::Looking, 1)
        );
    }
    turned.watched(seen(Verdict::Fail, ""), 3);
    turned.settle(3);
    assert_eq!(turned.state, RunState::Held);
    assert!(
        turned.steps[4].came_to.contains("turned after 1"),
        "{}",
        turned.steps[4].came_to
    );
    for verdict in [Verdict::Unreachable, Verdict::Ok, Verdict::Unreachable] {
        now_and_then.watched(seen(verdict, ""), 1);
    }
    assert_eq!(now_and_then.steps[4].mark, Mark::Looking, "not in a row");
    let mut blind = turned;
    blind.watched(seen(Verdict::Unreachable, ""), 4);
    blind.watched(seen(Verdict::Unreachable, ""), 5);
    assert_eq!(blind.steps[4].mark, Mark::Held);
}
