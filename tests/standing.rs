//! How checks stand over time: history and turns, waivers and maintenance windows, and the files that
//! other programs read.

use crate::support::{COCKPIT, Lab, Ran, has_ssh, run, wait_until};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const PACK: &str = r#"schema = 1
kind = "baseline"
title = "Here"

[[check]]
id = "host.file"
layer = "host"
level = "must"
vantage = "machine:local"
title = "the file is there"
why = "w"
next_step = "n"
file = { path = "PATH", mode = "0600" }

[[check]]
id = "host.unseen"
layer = "host"
level = "LEVEL"
vantage = "machine:local"
title = "cannot be looked at"
why = "w"
next_step = "n"
process = { command = "/*", started_after = "/no/such/file" }
"#;

/// A baseline over a file of our own on this machine.
struct Here {
    dir: TempDir,
}

impl Here {
    /// The level of the check that cannot be looked at; nothing where a tool is missing.
    fn new(level: &str) -> Option<Self> {
        for tool in ["ps", "find"] {
            let found = Command::new("which").arg(tool).output();
            if !found.is_ok_and(|output| output.status.success()) {
                println!("SKIPPED: no {tool}");
                return None;
            }
        }
        let here = Self {
            dir: TempDir::new().unwrap(),
        };
        let pack = here.dir.path().join("packs/here");
        std::fs::create_dir_all(&pack).unwrap();
        let text = PACK
            .replace("PATH", &here.path("file"))
            .replace("LEVEL", level);
        std::fs::write(pack.join("pack.toml"), text).unwrap();
        let config = here.dir.path().join("config.toml");
        let text = format!(
            "state_dir = \"{}\"\npacks_dir = \"{}\"\n",
            here.path("state"),
            here.path("packs")
        );
        std::fs::write(&config, text).unwrap();
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
        Some(here)
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn say(&self, line: &[&str]) -> Ran {
        let mut command = Command::new(COCKPIT);
        command.arg("baseline").args(line).arg("--config");
        run(command.arg(self.path("config.toml")), None)
    }

    fn judge(&self) -> Ran {
        self.say(&["run", "--pack", "here"])
    }

    fn make(&self) {
        let file = self.dir.path().join("file");
        std::fs::write(&file, "x").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn unmake(&self) {
        std::fs::remove_file(self.dir.path().join("file")).unwrap();
    }
}

fn waive<'a>(check: &'a str, until: &'a str) -> [&'a str; 8] {
    [
        "waive",
        check,
        "--pack",
        "here",
        "--reason",
        "a known fault",
        "--until",
        until,
    ]
}

#[test]
fn a_waived_fault_counts_no_more_is_shown_with_its_reason_and_comes_back_when_cleared() {
    let Some(here) = Here::new("info") else {
        return;
    };
    let first = here.judge();
    assert_eq!(first.code, 1, "{first:?}");
    assert!(first.stdout.contains("\nhost  2/2 not well\n"), "{first:?}");
    let made = here.say(&waive("host.file", "3d"));
    assert_eq!(made.code, 0, "{made:?}");
    // What is known already says so at once, without a new look.
    let shown = here.say(&["show", "--pack", "here"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let ran = here.judge();
    assert_eq!(ran.code, 0, "{ran:?}");
    for part in [
        "\nhost  1/2 not well\n= waived",
        "waived until",
        "(judged fail): a known fault",
        "found ",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {ran:?}");
    }
    let json = here.say(&["run", "--pack", "here", "--json"]).json();
    let row = &json["checks"][0];
    assert_eq!(
        (&row["verdict"], &row["judged"]),
        (&"waived".into(), &"fail".into())
    );
    assert_eq!(row["waivers"][0]["reason"], "a known fault");
    assert!(row["waivers"][0]["until_at"].is_string());
    let listed = here.say(&["waivers", "--json"]).json();
    assert_eq!(listed["waivers"][0]["subject"], "check/here/host.file");
    assert_eq!(listed["waivers"][0]["in_force"], true);
    let cleared = here.say(&["waive", "host.file", "--pack", "here", "--clear"]);
    assert_eq!(cleared.code, 0, "{cleared:?}");
    assert_eq!(here.say(&["show", "--pack", "here"]).code, 1);
    let again = here.say(&["waive", "host.file", "--pack", "here", "--clear"]);
    assert_eq!(again.code, 3, "there is none any more: {again:?}");
    let mut audit = Command::new(COCKPIT);
    audit.args(["audit", "list", "--json", "--config"]);
    let audit = run(audit.arg(here.path("config.toml")), None).json();
    let lines = audit["audit"].as_array().unwrap();
    let asked: Vec<&str> = lines
        .iter()
        .map(|row| row["request"].as_str().unwrap())
        .collect();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], "clear the waiver of check/here/host.file");
    assert!(
        asked[1].starts_with("waive check/here/host.file until 20"),
        "{asked:?}"
    );
    assert_eq!(lines[1]["reason"], "a known fault");
}

#[test]
fn a_waiver_that_has_run_out_falls_back_by_itself_and_is_said() {
    let Some(here) = Here::new("info") else {
        return;
    };
    assert_eq!(here.judge().code, 1);
    assert_eq!(here.say(&waive("host.file", "2s")).code, 0);
    let shown = wait_until("the waiver runs out", Duration::from_secs(30), || {
        let shown = here.say(&["show", "--pack", "here"]);
        (shown.code == 1).then_some(shown)
    });
    assert!(shown.stdout.contains("the waiver ran out at"), "{shown:?}");
    let listed = here.say(&["waivers"]);
    assert!(listed.stdout.contains("x run out"), "{listed:?}");
}

#[test]
fn a_waiver_hides_nothing_that_could_not_be_looked_at_and_a_maintenance_window_does() {
    let Some(here) = Here::new("must") else {
        return;
    };
    here.make();
    assert_eq!(here.judge().code, 1);
    assert_eq!(here.say(&waive("host.unseen", "3d")).code, 0);
    let ran = here.judge();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("not put aside by the waiver"),
        "{ran:?}"
    );
    let window = here.say(&[
        "waive",
        "--machine",
        "local",
        "--reason",
        "a new disk",
        "--until",
        "1h",
    ]);
    assert_eq!(window.code, 0, "{window:?}");
    let ran = here.judge();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("maintenance until"), "{ran:?}");
    // What the looks came to was recorded all the same.
    let told = here.say(&["history", "host.unseen", "--pack", "here", "--json"]);
    assert_eq!(told.json()["checks"][0]["stretches"][0]["looks"], 3);
    assert_eq!(told.json()["checks"][0]["verdict"], "unknown");
}

#[test]
fn words_that_make_no_sense_put_nothing_aside() {
    let Some(here) = Here::new("info") else {
        return;
    };
    for line in [
        &["waive", "host.file", "--pack", "here", "--until", "3d"][..],
        &["waive", "host.file", "--pack", "here", "--reason", "r"],
        &["waive", "--reason", "r", "--until", "3d"],
        &waive("host.file", "yesterday"),
        &waive("host.file", "2001-01-01"),
        &waive("host.file", "9000d"),
        &waive("no.such-check", "3d"),
        &[
            "waive",
            "--machine",
            "nowhere",
            "--reason",
            "r",
            "--until",
            "3d",
        ],
        &[
            "waive", "--host", "nowhere", "--reason", "r", "--until", "3d",
        ],
        &["history", "no.such-check", "--pack", "here"],
    ] {
        let ran = here.say(line);
        assert_eq!(ran.code, 3, "{line:?}: {ran:?}");
        assert!(ran.stderr.contains("next: "), "{ran:?}");
    }
    let listed = here.say(&["waivers", "--json"]).json();
    assert_eq!(listed["waivers"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_history_says_when_a_check_turned_and_how_often() {
    let Some(here) = Here::new("info") else {
        return;
    };
    here.make();
    here.judge();
    here.judge();
    here.unmake();
    here.judge();
    here.make();
    let json = here.say(&["run", "--pack", "here", "--json"]).json();
    assert_eq!(json["checks"][0]["history"]["flaps"], 2);
    assert_eq!(
        json["checks"][0]["history"]["recent"],
        serde_json::json!(["ok", "ok", "fail", "ok"])
    );
    let told = here.say(&["history", "host.file", "--pack", "here", "--json"]);
    assert_eq!(told.code, 0, "{told:?}");
    let row = told.json()["checks"][0].clone();
    let stretches = row["stretches"].as_array().unwrap().clone();
    let kept: Vec<(&str, u64)> = stretches
        .iter()
        .map(|row| {
            (
                row["verdict"].as_str().unwrap(),
                row["looks"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(kept, [("ok", 1), ("fail", 1), ("ok", 2)]);
    assert_eq!(
        (&row["flaps"], &row["turned_at"]),
        (&Value::from(2), &row["since_at"])
    );
    let text = here.say(&["history", "--pack", "here"]);
    assert!(text.stdout.contains("++x+"), "{text:?}");
    let one = here.say(&["history", "host.file", "--pack", "here"]);
    assert!(one.stdout.contains("it turned 2 time(s)"), "{one:?}");
}

#[test]
fn a_run_is_written_for_a_build_and_for_a_collector() {
    let Some(here) = Here::new("info") else {
        return;
    };
    let (junit, metrics) = (here.path("junit.xml"), here.path("cockpit.prom"));
    let ran = here.say(&[
        "run",
        "--pack",
        "here",
        "--junit",
        &junit,
        "--prometheus",
        &metrics,
    ]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let xml = std::fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("<testcase name=\"host.file\""), "{xml}");
    assert!(xml.contains("failures=\"1\""), "{xml}");
    let text = std::fs::read_to_string(&metrics).unwrap();
    assert!(
        text.contains(
            "cockpit_check_ok{check=\"host.file\",layer=\"host\",level=\"must\",pack=\"here\"} 0"
        ),
        "{text}"
    );
    let nowhere = here.say(&["run", "--pack", "here", "--junit", "/no/such/folder/x.xml"]);
    assert_eq!(nowhere.code, 3, "{nowhere:?}");
}

/// Whether an XML file is what the schema of such reports says, and what is wrong with it.
fn held_against_the_schema(file: &str) -> Result<(), String> {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/junit.xsd");
    let held = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema", schema, file])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&held.stderr).into_owned();
    held.status.success().then_some(()).ok_or(said)
}

#[test]
fn a_junit_file_is_what_the_schema_of_build_servers_says_whatever_the_rows_came_to() {
    if Command::new("xmllint").arg("--version").output().is_err() {
        println!("SKIPPED: no xmllint");
        return;
    }
    let Some(here) = Here::new("must") else {
        return;
    };
    let junit = here.path("junit.xml");
    let written = || {
        here.say(&["run", "--pack", "here", "--junit", &junit]);
        held_against_the_schema(&junit).unwrap();
        std::fs::read_to_string(&junit).unwrap()
    };
    let failed = written();
    assert!(
        failed.contains("<failure ") && failed.contains("<error "),
        "{failed}"
    );
    let made = here.say(&waive("host.file", "3d"));
    assert_eq!(made.code, 0, "{made:?}");
    assert!(written().contains("<skipped "));
    here.make();
    let good = written();
    assert!(
        !good.contains("<failure ") && !good.contains("<skipped "),
        "{good}"
    );
    // The schema would say so.
    for (from, to) in [
        ("classname=", "klass="),
        ("timestamp=\"", "timestamp=\"on "),
        ("<failure ", "<system-out>first</system-out><failure "),
        (" type=\"fail\"", ""),
        ("name=\"host.unseen\"", "name=\"host.file\""),
    ] {
        let other = failed.replacen(from, to, 1);
        assert_ne!(other, failed, "{from}");
        std::fs::write(&junit, other).unwrap();
        assert!(held_against_the_schema(&junit).is_err(), "{from}");
    }
}

#[test]
fn a_draft_of_a_live_host_is_a_good_pack_green_at_once_and_its_drift_is_named() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let packs = lab.folder().join("own-packs");
    let pack = packs.join("pinned");
    std::fs::create_dir_all(&pack).unwrap();
    let file = pack.join("pack.toml").display().to_string();
    let drafted = lab.run(&["baseline", "draft", "prod", "--out", &file]);
    assert_eq!(drafted.code, 0, "{drafted:?}");
    let again = lab.run(&["baseline", "draft", "prod", "--out", &file]);
    assert_eq!(again.code, 3, "nothing is written over: {again:?}");
    let checked = lab.run(&["pack", "check", &file]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    for id in [
        "host.containers",
        "host.listening",
        "entry.nginx-1",
        "entry.no-key",
    ] {
        assert!(text.contains(&format!("id = \"{id}\"")), "{id}\n{text}");
    }
    // The person pins it: a packs folder in a config of their own.
    let own = lab.folder().join("own.toml");
    let told = std::fs::read_to_string(&lab.config).unwrap();
    let told = format!("packs_dir = \"{}\"\n{told}", packs.display());
    std::fs::write(&own, told).unwrap();
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o600)).unwrap();
    let say = |words: &[&str]| {
        let mut command = Command::new(COCKPIT);
        run(command.args(words).arg("--config").arg(&own), None)
    };
    let judged = say(&["baseline", "run", "--pack", "pinned"]);
    assert_eq!(judged.code, 0, "{judged:?}");
    let alike = say(&[
        "baseline",
        "diff",
        "machine:remote43",
        "pack:pinned",
        "--json",
    ]);
    let names = |ran: &Ran| -> Vec<String> {
        let rows = ran.json()["rows"].as_array().unwrap().clone();
        let differ = rows.iter().filter(|row| row["same"] == false);
        differ
            .map(|row| {
                format!(
                    "{} {}",
                    row["kind"].as_str().unwrap(),
                    row["name"].as_str().unwrap()
                )
            })
            .collect()
    };
    let before = names(&alike);
    assert!(
        !before
            .iter()
            .any(|name| name.starts_with("container ") || name.starts_with("port ")),
        "{before:?}"
    );
    assert_eq!(lab.run(&["lab", "fault", "set", "stray-container"]).code, 0);
    let moved = say(&[
        "baseline",
        "diff",
        "machine:remote43",
        "pack:pinned",
        "--json",
    ]);
    assert_eq!(moved.code, 1, "{moved:?}");
    let news: Vec<String> = names(&moved)
        .into_iter()
        .filter(|name| !before.contains(name))
        .collect();
    assert!(
        news.contains(&"container sub2api-canary".to_owned()),
        "{news:?}"
    );
    let siblings = lab.run(&["baseline", "diff", "prod", "accept"]);
    assert_eq!(siblings.code, 1, "{siblings:?}");
    assert!(siblings.stdout.contains("difference(s)"), "{siblings:?}");
    let served = lab.run(&["baseline", "diff", "prod", "accept", "--json"]);
    assert!(
        names(&served).contains(&"service nginx.service".to_owned()),
        "{served:?}"
    );
    let nobody = lab.run(&["baseline", "diff", "prod", "nobody"]);
    assert_eq!(nobody.code, 3, "{nobody:?}");
}
