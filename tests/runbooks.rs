//! Runbooks over the lab: from the fault that calls for one to green, step by step, with the real
//! binary; what may not be done without a word; what is left when the process is killed.

use crate::support::far::text;
use crate::support::{COCKPIT, Lab, Ran, has_ssh, wait_until};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

fn id(run: &Value) -> String {
    run["id"].to_string()
}

fn state(run: &Value) -> &str {
    run["state"].as_str().expect("a state")
}

/// The step a run stands at.
fn at(run: &Value) -> &Value {
    let steps = run["steps"].as_array().expect("steps");
    let past = |step: &&Value| !["ok", "bad", "skipped"].contains(&step["mark"].as_str().unwrap());
    steps.iter().find(past).expect("a step to come")
}

fn walked(ran: &Ran) -> Value {
    assert!([0, 1].contains(&ran.code), "{ran:?}");
    ran.json()
}

fn begin(lab: &Lab, book: &str) -> Value {
    walked(&lab.run(&["runbook", "run", book, "--json"]))
}

fn resume(lab: &Lab, run: &Value, more: &[&str]) -> Ran {
    let id = id(run);
    let mut words = vec!["runbook", "resume", &id, "--json"];
    words.extend(more);
    lab.run(&words)
}

/// Approves exactly what is planned, as production wants it.
fn approve(lab: &Lab, run: &Value) -> Value {
    assert_eq!(state(run), "confirms", "{run}");
    let hash = text(&run["plan"], "hash");
    let host = text(&at(run)["plan"], "host");
    let yes = [
        "--yes",
        &hash[..12],
        "--host-name",
        &host,
        "--reason",
        "03:10",
    ];
    walked(&resume(lab, run, &yes))
}

fn answer(lab: &Lab, run: &Value, said: &str) -> Value {
    assert_eq!(state(run), "asks", "{run}");
    walked(&resume(lab, run, &["--answer", said]))
}

fn marks(run: &Value) -> Vec<String> {
    let steps = run["steps"].as_array().expect("steps").iter();
    steps
        .map(|step| format!("{} {}", text(step, "kind"), text(step, "mark")))
        .collect()
}

fn green(lab: &Lab) {
    let report = lab.run(&["baseline", "run", "--json"]);
    assert_eq!(report.json()["verdict"], "ok", "{report:?}");
}

#[test]
fn the_runbooks_that_are_called_for_come_first() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let listed = lab.run(&["runbook", "list", "--json"]).json();
    let rows = listed["runbooks"].as_array().expect("rows").clone();
    assert!(rows.len() >= 5, "{listed}");
    assert!(rows.iter().all(|row| row["called_by"] == json!([])));
    lab.break_it("profile-old-key");
    lab.run(&["baseline", "run"]);
    let listed = lab.run(&["runbook", "list", "--json"]).json();
    let first = &listed["runbooks"][0];
    assert_eq!(first["name"], "profile-old-key", "{listed}");
    assert_eq!(first["called_by"], json!(["client.profile"]), "{listed}");
    let shown = lab.run(&["runbook", "show", "several-hosts"]).stdout;
    assert!(
        shown.contains("do: on {{machine}}: docker stop {{leftover}}"),
        "{shown}"
    );
    let unknown = lab.run(&["runbook", "show", "several-host"]);
    assert_eq!(unknown.code, 3);
    assert!(
        unknown.stderr.contains("did you mean `several-hosts`?"),
        "{unknown:?}"
    );
}

#[test]
fn an_entry_that_is_502_because_the_host_is_down_comes_back() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("host-502");
    let run = begin(&lab, "entry-502");
    let step = at(&run);
    assert!(
        text(&step["plan"], "line").ends_with(": docker restart sub2api"),
        "{run}"
    );
    let run = approve(&lab, &run);
    assert_eq!(state(&run), "done", "{run}");
    // nginx was right: nobody was asked to change it, nothing was loaded.
    let skipped = marks(&run)
        .iter()
        .filter(|mark| mark.ends_with("skipped"))
        .count();
    assert_eq!(skipped, 3, "{:?}", marks(&run));
    green(&lab);
}

#[test]
fn an_entry_that_points_to_an_old_port_is_led_to_its_reload() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("nginx-old-port");
    let run = begin(&lab, "entry-502");
    assert!(
        text(at(&run), "came_to").contains("/etc/nginx/sites-available/"),
        "{run}"
    );
    // A person edits the file: in the lab, the fault goes.
    lab.mend_it("nginx-old-port");
    let run = answer(&lab, &run, "done");
    assert!(
        text(&at(&run)["plan"], "line").ends_with(": nginx -t"),
        "{run}"
    );
    let run = approve(&lab, &run);
    let tested = run["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["mark"] == "ok" && step["kind"] == "do");
    assert!(
        text(tested.unwrap(), "output").contains("test is successful"),
        "{run}"
    );
    let run = approve(&lab, &run);
    assert_eq!(state(&run), "done", "{run}");
    green(&lab);
}

#[test]
fn a_binding_that_was_lost_is_mended_through_the_hosts_api() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("binding-lost");
    let run = begin(&lab, "completion-fails");
    assert!(text(&at(&run)["plan"], "line").contains("account"), "{run}");
    let mark = lab.mark();
    let run = approve(&lab, &run);
    assert_eq!(state(&run), "done", "{run}");
    assert_eq!(
        lab.seen(mark).writes("prod"),
        ["PUT /api/v1/admin/accounts/7"]
    );
    green(&lab);
}

#[test]
fn a_container_that_was_left_is_stopped_and_can_be_taken_back() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("leftover-container");
    let run = begin(&lab, "several-hosts");
    let question = text(at(&run), "came_to");
    let found = question.rsplit(' ').next().unwrap().to_owned();
    assert!(found.starts_with("route-lab-"), "{question}");
    // No value is more than one word, none is an option, and production is none of these.
    for bad in [
        "-f",
        "route-lab-1; reboot",
        "$(reboot)",
        "sub2api",
        "route-lab-1\nsub2api",
        "",
    ] {
        let ran = resume(&lab, &run, &["--answer", bad]);
        assert_eq!(ran.code, 3, "{bad:?} {ran:?}");
    }
    let run = answer(&lab, &run, &found);
    let run = answer(&lab, &run, "yes");
    let line = text(&at(&run)["plan"], "line");
    assert!(line.ends_with(&format!(": docker stop {found}")), "{line}");
    let run = approve(&lab, &run);
    let run = answer(&lab, &run, "done");
    assert_eq!(state(&run), "done", "{run}");
    green(&lab);
    // The audit has it with hash and reason.
    let rows = lab.store_rows();
    let mine: Vec<&String> = rows
        .iter()
        .filter(|row| row.starts_with("audit") && row.contains("docker stop"))
        .collect();
    assert_eq!(mine.len(), 1, "{mine:?}");
    assert!(mine[0].contains("03:10"), "{mine:?}");

    let back = walked(&lab.run(&["runbook", "back", &id(&run), "--json"]));
    assert!(
        text(&at(&back)["plan"], "line").ends_with(&format!(": docker start {found}")),
        "{back}"
    );
    assert_eq!(state(&approve(&lab, &back)), "done");
    let report = lab.run(&["baseline", "run", "--json"]).json();
    assert_eq!(report["verdict"], "fail", "{report}");
}

#[test]
fn an_old_key_of_a_profile_is_a_persons_to_replace() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("profile-old-key");
    let run = begin(&lab, "profile-old-key");
    assert!(text(at(&run), "came_to").contains("openclaw.json"), "{run}");
    // Saying that it is done does not make it so.
    let held = answer(&lab, &run, "done");
    assert_eq!(state(&held), "held", "{held}");
    lab.mend_it("profile-old-key");
    let run = walked(&resume(&lab, &held, &[]));
    assert_eq!(state(&run), "done", "{run}");
}

#[test]
fn a_reload_tests_the_configuration_first_and_stops_at_a_wrong_file() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("site-file");
    let held = begin(&lab, "reload-nginx");
    assert_eq!(state(&held), "held", "{held}");
    // What must hold cannot be left out.
    assert_eq!(resume(&lab, &held, &["--skip"]).code, 3);
    lab.mend_it("site-file");
    let run = walked(&resume(&lab, &held, &[]));
    let run = approve(&lab, &run);
    let run = approve(&lab, &run);
    assert_eq!(state(&run), "done", "{run}");
}

#[test]
fn production_is_not_touched_without_its_name_a_reason_and_the_right_hash() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let run = begin(&lab, "reload-nginx");
    let hash = text(&run["plan"], "hash");
    let refused: [&[&str]; 4] = [
        &["--yes", &hash[..12]],
        &[
            "--yes",
            "000000000000",
            "--host-name",
            "prod",
            "--reason",
            "x",
        ],
        &[
            "--yes",
            &hash[..12],
            "--host-name",
            "accept",
            "--reason",
            "x",
        ],
        &["--yes", &hash[..12], "--host-name", "prod", "--reason", " "],
    ];
    for words in refused {
        let ran = resume(&lab, &run, words);
        assert_eq!(ran.code, 3, "{ran:?}");
        let error: Value = serde_json::from_str(&ran.stderr).expect("one JSON line");
        assert_eq!(error["error"]["kind"], "denied", "{ran:?}");
    }
    let now = lab.run(&["runbook", "runs", &id(&run), "--json"]).json();
    assert_eq!((state(&now), &now["plan"]), ("confirms", &run["plan"]));
    // Without a person at it, it says what to type.
    let told = lab.run(&["runbook", "runs", &id(&run)]).stdout;
    assert!(
        told.contains(&format!("--yes {} --host-name prod --reason", &hash[..12])),
        "{told}"
    );
    // Left out and ended, it does nothing any more.
    let run = walked(&resume(&lab, &run, &["--stop", "tomorrow"]));
    assert_eq!(
        (state(&run), &run["reason"]),
        ("stopped", &json!("tomorrow"))
    );
    let yes = ["--yes", &hash[..12], "--host-name", "prod", "--reason", "x"];
    assert_eq!(resume(&lab, &run, &yes).code, 3);
}

/// A pack of a person's own in the lab's folder, with the line that trusts it when told so.
fn own_pack(lab: &Lab, books: &[(&str, &str)]) {
    own_pack_in(&lab.config, lab.folder(), books);
}

/// The same by the paths of a lab's config and folder.
pub(crate) fn own_pack_in(config_file: &Path, lab: &Path, books: &[(&str, &str)]) {
    let folder = lab.join("own").join("mine");
    std::fs::create_dir_all(folder.join("runbooks")).expect("a folder");
    let pack = "schema = 1\nkind = \"baseline\"\ntitle = \"Mine\"\n\n[[check]]\nid = \"entry.page\"\n\
                layer = \"entry\"\nlevel = \"must\"\nvantage = \"machine:remote43\"\ntitle = \"t\"\n\
                why = \"w\"\nnext_step = \"n\"\n[check.containers]\nrunning = [\"sub2api\"]\n";
    std::fs::write(folder.join("pack.toml"), pack).expect("a pack");
    for (name, text) in books {
        std::fs::write(folder.join("runbooks").join(format!("{name}.md")), text)
            .expect("a runbook");
    }
    let config = std::fs::read_to_string(config_file).expect("a config");
    let own = lab.join("own");
    if !config.contains("packs_dir") {
        let config = format!("packs_dir = {:?}\n{config}", own.display().to_string());
        std::fs::write(config_file, config).expect("a config");
    }
}

fn trust(lab: &Lab, line: &str) {
    trust_in(&lab.config, line);
}

/// The same by the path of a lab's config.
pub(crate) fn trust_in(config_file: &Path, line: &str) {
    let config = std::fs::read_to_string(config_file).expect("a config");
    std::fs::write(config_file, format!("{config}\n[trust]\n{line}\n")).expect("a config");
}

const ECHO: &str = "+++\ntitle = \"Echo\"\nmachine = \"remote43\"\n+++\n\n\
    ```ask\nquestion = \"What\"\nanswer = \"value\"\nvalue = \"what\"\nmatches = \".*\"\n```\n\n\
    ```do\nargv = [\"echo\", \"{{what}}\", \"end\"]\n```\n";

#[test]
fn an_untrusted_packs_act_is_refused_with_the_line_that_trusts_it() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    own_pack(&lab, &[("echo", ECHO)]);
    let checked = lab.run(&["pack", "check", "mine", "--json"]).json();
    let print = checked["trust"]["mine"]
        .as_str()
        .expect("a fingerprint")
        .to_owned();
    let run = begin(&lab, "echo");
    let held = answer(&lab, &run, "hello there; $(reboot) 'x' \"y\"");
    assert_eq!(state(&held), "held", "{held}");
    assert!(text(at(&held), "came_to").contains("not trusted"), "{held}");
    assert!(text(at(&held), "output").contains(&print), "{held}");
    trust(&lab, &format!("\"mine\" = \"{print}\""));
    let run = walked(&resume(&lab, &held, &[]));
    let run = approve(&lab, &run);
    assert_eq!(state(&run), "done", "{run}");
    // One word went, whatever is in it.
    let said = text(&run["steps"][1], "output");
    assert_eq!(said, "hello there; $(reboot) 'x' \"y\" end", "{run}");

    // A pack that changed is another one: for the run that stands as for the trust.
    let run = begin(&lab, "echo");
    let run = answer(&lab, &run, "again");
    own_pack(&lab, &[("echo", &ECHO.replace("\"end\"", "\"END\""))]);
    let hash = text(&run["plan"], "hash");
    let ran = resume(
        &lab,
        &run,
        &["--yes", &hash[..12], "--host-name", "prod", "--reason", "x"],
    );
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("changed since"), "{ran:?}");
}

#[test]
fn a_pack_whose_runbook_is_wrong_says_file_line_and_fix() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    own_pack(&lab, &[("echo", &ECHO.replace("{{what}}", "{{whit}}"))]);
    let folder = lab.folder().join("own").join("mine");
    let ran = lab.run(&["pack", "check", &folder.display().to_string()]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let wanted =
        "echo.md:14:17: this wants a value that nothing before it gives (did you mean `what`?)";
    assert!(ran.stdout.contains(wanted), "{ran:?}");
}

const WATCH: &str = "+++\ntitle = \"Watch\"\n+++\n\n```watch\nchecks = [\"entry.page\"]\nfor_s = 2\nevery_s = 1\n```\n";
const LONG_WATCH: &str = "+++\ntitle = \"Long\"\n+++\n\n```watch\nchecks = [\"entry.page\"]\nfor_s = 600\nevery_s = 1\n```\n";

#[test]
fn a_watch_says_all_good_or_turned_and_is_gone_on_with_after_a_kill() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    own_pack(&lab, &[("watch", WATCH), ("long", LONG_WATCH)]);
    let run = begin(&lab, "watch");
    assert_eq!(state(&run), "done", "{run}");
    assert!(
        text(&run["steps"][0], "came_to").contains("all good: 3 looks"),
        "{run}"
    );

    let watching = || {
        let mut words = Command::new(COCKPIT);
        words
            .args(["runbook", "run", "long", "--config"])
            .arg(&lab.config);
        words
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        words.spawn().expect("the program starts")
    };
    let looks = |run: &Value| run["steps"][0]["looks"].as_u64().unwrap_or_default();
    let newest = || {
        let listed = lab.run(&["runbook", "runs", "--json"]).json();
        listed["runs"][0].clone()
    };
    let mut child = watching();
    let seen = wait_until("two looks of the watch", Duration::from_mins(1), || {
        let run = newest();
        (run["name"] == "long" && looks(&run) >= 2).then_some(run)
    });
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
    // It stands where it stood; what turns is found by the process that goes on.
    let stood = newest();
    assert_eq!(state(&stood), "open", "{stood}");
    assert!(looks(&stood) >= looks(&seen), "{stood}");
    lab.break_it("host-502");
    let run = walked(&resume(&lab, &stood, &[]));
    assert_eq!(state(&run), "held", "{run}");
    assert!(
        text(&run["steps"][0], "came_to").contains("turned after"),
        "{run}"
    );
}

const SLOW: &str = "+++\ntitle = \"Slow\"\n+++\n\n\
    ```do\nmachine = \"local\"\nargv = [\"sleep\", \"300\"]\ntime_limit_s = 400\n```\n";

#[test]
fn an_act_whose_end_nobody_saw_is_asked_about_and_never_repeated_by_itself() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    own_pack(&lab, &[("slow", SLOW)]);
    let checked = lab.run(&["pack", "check", "mine", "--json"]).json();
    trust(&lab, &format!("\"mine\" = {}", checked["trust"]["mine"]));
    let run = begin(&lab, "slow");
    let hash = text(&run["plan"], "hash");
    let mut words = Command::new(COCKPIT);
    words.args(["runbook", "resume", &id(&run), "--yes", &hash[..12]]);
    words
        .args(["--host-name", "local", "--reason", "x", "--config"])
        .arg(&lab.config);
    words
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = words.spawn().expect("the program starts");
    let show = || lab.run(&["runbook", "runs", &id(&run), "--json"]).json();
    wait_until("the act is sent", Duration::from_mins(1), || {
        (show()["steps"][0]["mark"] == "sent").then_some(())
    });
    // While its process lives nobody else takes the step.
    let busy = resume(&lab, &run, &[]);
    assert_eq!(busy.code, 3, "{busy:?}");
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
    let asked = walked(&resume(&lab, &run, &[]));
    assert_eq!(
        (state(&asked), text(at(&asked), "mark").as_str()),
        ("unknown", "unknown")
    );
    // The same word does not do it again, and going on asks again.
    let again = [
        "--yes",
        &hash[..12],
        "--host-name",
        "local",
        "--reason",
        "x",
    ];
    assert_eq!(resume(&lab, &asked, &again).code, 3);
    assert_eq!(state(&walked(&resume(&lab, &asked, &[]))), "unknown");
    let planned = walked(&resume(&lab, &asked, &["--answer", "not done"]));
    assert_eq!(state(&planned), "confirms", "{planned}");
    let left = walked(&resume(&lab, &planned, &["--skip"]));
    assert_eq!(state(&left), "done", "{left}");
}
