//! The deploy gate over the lab: what is recorded before, what is compared after, what is run with a
//! person's word only, and everything that keeps the gate shut.

use crate::support::far::text;
use crate::support::{COCKPIT, Lab, Ran, has_ssh, wait_until};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

const WORD: [&str; 4] = ["--host-name", "prod", "--reason", "release 42"];
const RELOADED: &str = "Reloaded nginx.service.";

/// What a person's own ssh prints on the production machine.
pub(crate) fn on_machine(lab: &Lab, words: &[&str]) -> String {
    let output = Command::new("ssh")
        .arg("-F")
        .arg(lab.folder().join("ssh_config"))
        .args(["-o", "BatchMode=yes", "remote43"])
        .args(words)
        .output()
        .expect("ssh runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn reloads(lab: &Lab) -> usize {
    let journal = on_machine(lab, &["journalctl", "--no-pager"]);
    journal.matches(RELOADED).count()
}

fn gate(lab: &Lab, side: &str, code: i32) -> Value {
    let ran = lab.run(&["deploy", "gate", side, "--json"]);
    assert_eq!(ran.code, code, "{side}: {ran:?}");
    ran.json()
}

fn apply(lab: &Lab, after: &Value, more: &[&str]) -> Ran {
    let (id, hash) = (
        after["plan"]["id"].to_string(),
        text(&after["plan"], "hash"),
    );
    let mut words = vec![
        "deploy",
        "gate",
        "apply",
        &id,
        "--yes",
        &hash[..12],
        "--json",
    ];
    words.extend(more);
    lab.run(&words)
}

fn states(report: &Value) -> Vec<(String, String)> {
    let rows = report["rows"].as_array().expect("rows");
    rows.iter()
        .map(|row| (text(row, "id"), text(row, "state")))
        .collect()
}

fn state(report: &Value, id: &str) -> String {
    let mut rows = states(report).into_iter();
    rows.find(|row| row.0 == id)
        .unwrap_or_else(|| panic!("no {id} in {report}"))
        .1
}

#[test]
fn a_deployment_that_changed_nothing_passes_the_gate_with_one_approved_reload() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let before = gate(&lab, "before", 0);
    assert_eq!(
        (&before["verdict"], &before["phase"]),
        (&json!("passed"), &json!("before"))
    );
    assert_eq!(state(&before, "reload"), "not_done");
    let lines = before["rows"][0]["lines"].as_array().expect("lines");
    assert!(
        lines.contains(&json!("proxy_pass http://127.0.0.1:18190/;")),
        "{lines:?}"
    );

    let after = gate(&lab, "after", 1);
    assert_eq!(
        after["verdict"], "waiting",
        "a gate without its reload is not passed"
    );
    assert_eq!(
        after["does"],
        json!([{"step": "reload", "title": "Reload nginx", "argv": ["systemctl", "reload", "nginx"]}])
    );
    assert_eq!(reloads(&lab), 0, "looking reloads nothing");

    // Production wants its name and a reason; nothing is run without them.
    let refused = apply(&lab, &after, &[]);
    assert_eq!(
        (refused.code, &refused.error()["kind"]),
        (3, &json!("denied"))
    );
    assert_eq!(reloads(&lab), 0);

    let done = apply(&lab, &after, &WORD);
    assert_eq!(done.code, 0, "{done:?}");
    let done = done.json();
    assert_eq!(
        (&done["verdict"], &done["faults"]),
        (&json!("passed"), &json!([])),
        "{done}"
    );
    assert!(states(&done).iter().all(|row| row.1 == "passed"), "{done}");
    assert_eq!(reloads(&lab), 1);

    let audit: Vec<String> = lab.store_rows();
    let audit = audit
        .iter()
        .filter(|row| row.contains("gate reload on remote43"));
    let audit: Vec<&String> = audit.collect();
    assert_eq!(audit.len(), 2, "the intent and the outcome: {audit:?}");
    assert!(
        audit[0].contains("begun") && audit[1].contains("done"),
        "{audit:?}"
    );
    assert!(
        audit.iter().all(|row| row.contains("release 42")),
        "{audit:?}"
    );

    // Used once; and what was recorded can be read again without a look.
    assert_eq!(apply(&lab, &after, &WORD).error()["kind"], "conflict");
    assert_eq!(reloads(&lab), 1);
    assert_eq!(gate(&lab, "show", 0)["verdict"], "passed");
    let told = lab.run(&["deploy", "gate", "show"]).stdout;
    assert!(
        told.contains("PASSED") && told.contains("+ reload"),
        "{told}"
    );
}

#[test]
fn a_gate_without_a_record_before_is_shut() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    assert_eq!(gate(&lab, "show", 1)["verdict"], "unknown");
    let after = gate(&lab, "after", 1);
    assert_eq!(after["verdict"], "failed");
    assert!(
        after["blockers"]
            .to_string()
            .contains("nothing was recorded before"),
        "{after}"
    );
    assert!(
        after["faults"]
            .to_string()
            .contains("nothing was recorded before"),
        "{after}"
    );
    let refused = apply(&lab, &after, &WORD);
    assert_eq!(refused.error()["kind"], "conflict");
    assert!(
        text(&refused.error(), "message").contains("nothing was recorded"),
        "{refused:?}"
    );
    assert_eq!(reloads(&lab), 0);
}

#[test]
fn a_deployment_that_moved_the_upstream_is_named_line_by_line_and_never_reloaded() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    gate(&lab, "before", 0);
    lab.break_it("nginx-old-port");
    let after = gate(&lab, "after", 1);
    let changes = after["changes"].as_array().expect("changes");
    let of = |id: &str| {
        changes
            .iter()
            .find(|change| change["step"] == id)
            .unwrap_or(&Value::Null)
    };
    assert_eq!(
        of("effective")["lines"],
        json!(["~ proxy_pass http://127.0.0.1:8080; -> proxy_pass http://127.0.0.1:18169;"])
    );
    assert_eq!(
        (&of("locations")["was"], &of("locations")["now"]),
        (&json!("passed"), &json!("failed"))
    );
    assert_eq!(after["verdict"], "failed");
    assert!(
        after["blockers"]
            .to_string()
            .contains("step `locations` failed"),
        "{after}"
    );
    assert_eq!(apply(&lab, &after, &WORD).code, 3);
    assert_eq!(reloads(&lab), 0);
    lab.mend_it("nginx-old-port");
    let after = gate(&lab, "after", 1);
    assert_eq!(apply(&lab, &after, &WORD).code, 0);
}

#[test]
fn a_configuration_that_nginx_refuses_is_never_reloaded_also_when_it_broke_after_the_plan() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    gate(&lab, "before", 0);
    let after = gate(&lab, "after", 1);
    lab.break_it("nginx-broken");
    let refused = apply(&lab, &after, &WORD);
    assert_eq!(refused.error()["kind"], "conflict", "{refused:?}");
    let broken = gate(&lab, "after", 1);
    assert_eq!(state(&broken, "test"), "failed");
    assert!(
        broken["rows"].to_string().contains("unknown directive"),
        "{broken}"
    );
    assert_eq!(broken["verdict"], "failed");
    assert_eq!(reloads(&lab), 0);
}

#[test]
fn a_step_that_fails_leaves_the_gate_shut_and_the_looks_behind_it_are_taken() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    gate(&lab, "before", 0);
    // The reload itself fails.
    lab.break_it("nginx-reload-fails");
    let after = gate(&lab, "after", 1);
    let done = apply(&lab, &after, &WORD);
    assert_eq!(done.code, 1, "{done:?}");
    let done = done.json();
    assert_eq!(state(&done, "reload"), "failed");
    assert_eq!(state(&done, "no-key"), "passed", "how production is now");
    assert_eq!(done["verdict"], "failed");
    lab.mend_it("nginx-reload-fails");
    // What stands behind the reload turned: its verdict before is named.
    lab.break_it("control-plane-down");
    let after = gate(&lab, "after", 1);
    let done = apply(&lab, &after, &WORD);
    assert_eq!(done.code, 1, "{done:?}");
    let done = done.json();
    let turned = json!({"step": "healthz", "was": "passed", "now": "failed"});
    assert_eq!(done["changes"], json!([turned]), "{done}");
    assert!(
        done["faults"].to_string().contains("step `healthz` failed"),
        "{done}"
    );
}

#[test]
fn a_look_before_that_is_not_well_says_so_and_the_side_looked_at_last_is_shown() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    lab.break_it("nginx-old-port");
    let before = gate(&lab, "before", 1);
    assert_eq!(before["verdict"], "failed");
    let faults = before["faults"].to_string();
    assert!(faults.contains("step `locations` failed"), "{before}");
    lab.mend_it("nginx-old-port");
    gate(&lab, "before", 0);
    gate(&lab, "after", 1);
    assert_eq!(gate(&lab, "show", 1)["phase"], "after");
    // The next deployment begins: what was compared for the last one is over.
    gate(&lab, "before", 0);
    let shown = gate(&lab, "show", 0);
    let told = (&shown["phase"], &shown["verdict"]);
    assert_eq!(told, (&json!("before"), &json!("passed")));
}

const SLOW: &str = "schema = 1\nkind = \"baseline\"\ntitle = \"Slow\"\n\n[[check]]\nid = \"entry.page\"\n\
    layer = \"entry\"\nlevel = \"must\"\nvantage = \"machine:remote43\"\ntitle = \"t\"\nwhy = \"w\"\n\
    next_step = \"n\"\n[check.containers]\nrunning = [\"sub2api\"]\n\n[gate]\nmachine = \"local\"\n\n\
    [[gate.step]]\nid = \"page\"\ntitle = \"The page\"\ncheck = \"entry.page\"\n\n\
    [[gate.step]]\nid = \"slow\"\ntitle = \"Something slow\"\ndo = [\"sleep\", \"50\"]\n\n\
    [[gate.step]]\nid = \"again\"\ntitle = \"The page again\"\ncheck = \"entry.page\"\n";

/// A lab whose production host is judged by a pack of a person's own, which is trusted.
fn slow_gate() -> Lab {
    let lab = Lab::start();
    let folder = lab.folder().join("own").join("slow");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("pack.toml"), SLOW).expect("a pack");
    let config = std::fs::read_to_string(&lab.config).expect("a config");
    let own = lab.folder().join("own").display().to_string();
    let config = config.replace("baseline = \"tksea\"", "baseline = \"slow\"");
    let config = format!("packs_dir = {own:?}\n{config}");
    std::fs::write(&lab.config, &config).expect("a config");
    let checked = lab.run(&["pack", "check", "slow", "--json"]).json();
    let print = &checked["trust"]["slow"];
    std::fs::write(&lab.config, format!("{config}\n[trust]\nslow = {print}\n")).expect("a config");
    lab
}

/// Applies, and ends the program with `kill -9` while the machine is still at the step.
fn killed_at_it(lab: &Lab, after: &Value) {
    let (id, hash) = (
        after["plan"]["id"].to_string(),
        text(&after["plan"], "hash"),
    );
    let mut words = Command::new(COCKPIT);
    words.args(["deploy", "gate", "apply", &id, "--yes", &hash[..12]]);
    words.args(WORD).arg("--config").arg(&lab.config);
    words
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = words.spawn().expect("the program starts");
    wait_until("the step is begun", Duration::from_mins(1), || {
        let begun = lab.store_rows();
        let begun = begun
            .iter()
            .filter(|row| row.contains("gate slow on local"));
        (begun.count() % 2 == 1).then_some(())
    });
    // While its process lives nobody else is asked, and nobody else begins anything.
    let shown = gate(lab, "show", 1);
    assert_eq!(shown["verdict"], "busy", "{shown}");
    let busy = lab.run(&["deploy", "gate", "after", "--json"]);
    assert_eq!(busy.error()["kind"], "busy", "{busy:?}");
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
}

#[test]
fn a_gate_killed_at_its_step_asks_whether_it_was_done_and_does_nothing_until_it_is_told() {
    if !has_ssh() {
        return;
    }
    for said in ["done", "not-done"] {
        let lab = slow_gate();
        gate(&lab, "before", 0);
        let nothing = lab.run(&["deploy", "gate", "answer", said, "--json"]);
        assert_eq!(nothing.error()["kind"], "conflict", "{nothing:?}");
        let after = gate(&lab, "after", 1);
        killed_at_it(&lab, &after);

        let shown = gate(&lab, "show", 1);
        assert_eq!(shown["verdict"], "asks", "{shown}");
        assert_eq!(state(&shown, "slow"), "unseen");
        let told = lab.run(&["deploy", "gate", "show"]).stdout;
        assert!(told.contains("nobody saw its end"), "{told}");
        assert!(told.contains("cockpit deploy gate answer done"), "{told}");
        for side in ["before", "after"] {
            let ran = lab.run(&["deploy", "gate", side, "--json"]);
            assert_eq!(ran.error()["kind"], "conflict", "{side}: {ran:?}");
        }
        assert_eq!(apply(&lab, &after, &WORD).code, 3, "a plan is used once");

        let ran = lab.run(&["deploy", "gate", "answer", said, "--json"]);
        let answered = ran.json();
        if said == "done" {
            // What stands behind it was looked at, and the whole is as it should be.
            assert_eq!((ran.code, &answered["verdict"]), (0, &json!("passed")));
            assert_eq!(state(&answered, "again"), "passed", "{answered}");
            assert_eq!(gate(&lab, "show", 0)["verdict"], "passed");
        } else {
            assert_eq!((ran.code, &answered["verdict"]), (1, &json!("failed")));
            assert_eq!(state(&answered, "slow"), "not_done", "{answered}");
            let after = gate(&lab, "after", 1);
            assert_eq!(after["verdict"], "waiting", "it is planned again: {after}");
        }
        let audit = lab.store_rows();
        assert!(
            audit
                .iter()
                .any(|row| row.contains("gate slow: was it done?") && row.contains(said)),
            "{audit:?}"
        );
    }
}
