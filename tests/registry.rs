//! Hosts as the config names them: checked edits that are printed, leases, and credentials that are
//! wrong or were changed.

use crate::support::{Lab, has_ssh, wait_until};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

fn key_of(lab: &Lab) -> String {
    format!("file:{}", lab.folder().join("accept.key").display())
}

#[test]
fn a_new_host_is_checked_against_file_credential_and_answer_and_only_printed() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let file = std::fs::read_to_string(&lab.config).expect("the config");
    let key = key_of(&lab);
    let add = |name: &str, machine: &str, address: &str, admin: &str| {
        let words = [
            "host",
            "add",
            name,
            "--machine",
            machine,
            "--address",
            address,
            "--role",
            "acceptance",
            "--admin",
            admin,
        ];
        lab.run(&words)
    };
    // The lab's one acceptance host has its address already: two names would be two writers.
    let twice = add("again", "accept44", "127.0.0.1:8080", &key);
    assert_eq!(twice.code, 3, "{twice:?}");
    assert!(twice.stderr.contains("accept"), "{twice:?}");
    let unknown = add("other", "nowhere", "127.0.0.1:8080", &key);
    assert!(unknown.stderr.contains("not in this file"), "{unknown:?}");
    let silent = add("silent", "accept44", "127.0.0.1:9", &key);
    assert_eq!(silent.code, 4, "{silent:?}");
    let secret = add(
        "leak",
        "accept44",
        "127.0.0.1:8081",
        "admin-0123456789abcdef0123",
    );
    assert_eq!(secret.code, 3);
    let said = format!("{}{}", secret.stdout, secret.stderr);
    assert!(
        !said.contains("0123456789abcdef") && said.contains("by reference"),
        "{said}"
    );

    // In a config that does not have it yet it answers; the block is whole and reads back.
    let without = lab.folder().join("without.toml");
    let lines = lab.run(&["host", "remove", "accept", "--json"]).json();
    let block = lines["block"]
        .as_str()
        .expect("a block")
        .trim_end()
        .to_owned();
    let logs = "host = \"accept\"";
    let rest = file.replace(&block, "").replace(logs, "");
    std::fs::write(&without, rest).expect("written");
    let mut command = std::process::Command::new(crate::support::COCKPIT);
    let words = [
        "host",
        "add",
        "second",
        "--machine",
        "accept44",
        "--role",
        "acceptance",
    ];
    command
        .args(words)
        .args(["--address", "127.0.0.1:8080", "--admin", &key]);
    let good = crate::support::run(command.arg("--config").arg(&without), None);
    assert_eq!(good.code, 0, "{good:?}");
    assert!(good.stdout.contains("[host.second]"), "{good:?}");
    let block: toml::Table = good
        .stdout
        .split_once("\n\n")
        .expect("a head and a block")
        .1
        .parse()
        .expect("TOML");
    assert_eq!(block["host"]["second"]["role"].as_str(), Some("acceptance"));
    let now = std::fs::read_to_string(&lab.config).expect("the config");
    assert_eq!(file, now, "the file stays the user's");
}

#[test]
fn the_lines_of_a_host_are_shown_once_nothing_of_ours_stands_there() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let ran = lab.run(&["host", "remove", "accept", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = ran.json();
    let text = std::fs::read_to_string(&lab.config).expect("the config");
    let number = |name: &str| usize::try_from(told[name].as_u64().expect("a line")).expect("small");
    let lines: Vec<&str> = text.lines().collect();
    let named = lines[number("first_line") - 1..number("last_line")].join("\n");
    assert!(named.starts_with("[host.accept]"), "{named}");
    assert_eq!(
        told["block"].as_str().map(str::trim_end),
        Some(named.as_str())
    );
    assert!(!named.contains("[host.prod]"));

    lab.import("accept", "sk-lab-good-registry-01\n");
    let refused = lab.run(&["host", "remove", "accept"]);
    assert_eq!(refused.code, 3);
    assert!(
        refused.stderr.contains("still holds work of ours"),
        "{refused:?}"
    );
}

/// The credential row of the doctor for a host.
fn credential(lab: &Lab) -> Value {
    let ran = lab.run(&["doctor", "--json"]);
    let told = ran.json();
    let rows = told["hops"].as_array().expect("rows").clone();
    let mut rows = rows.into_iter();
    rows.find(|row| row["subject"] == "credential accept")
        .unwrap_or_else(|| panic!("{told}"))
}

#[test]
fn a_credential_that_is_wrong_missing_or_open_to_others_is_never_called_unreachable() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let path = lab.folder().join("accept.key");
    let good = std::fs::read_to_string(&path).expect("the key");
    assert_eq!(credential(&lab)["ok"], true);

    std::fs::write(&path, "admin-of-last-year-0001\n").expect("written");
    let row = credential(&lab);
    assert_eq!(row["ok"], false);
    assert!(
        row["found"]
            .as_str()
            .is_some_and(|text| text.contains("INVALID_ADMIN_KEY")),
        "{row}"
    );
    assert!(
        row["fix"]
            .as_str()
            .is_some_and(|text| text.contains("regenerated")),
        "{row}"
    );
    let ran = lab.run(&["host", "probe", "accept"]);
    assert_eq!(ran.code, 3, "denied, not unreachable: {ran:?}");
    assert!(ran.stderr.starts_with("denied"), "{ran:?}");

    std::fs::write(&path, &good).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("opened");
    let row = credential(&lab);
    assert!(
        row["found"]
            .as_str()
            .is_some_and(|text| text.contains("mode 0644")),
        "{row}"
    );
    assert!(
        row["fix"]
            .as_str()
            .is_some_and(|text| text.contains("chmod 600")),
        "{row}"
    );

    std::fs::remove_file(&path).expect("removed");
    let row = credential(&lab);
    assert_eq!(row["ok"], false, "{row}");
    let ran = lab.run(&["host", "probe", "accept"]);
    assert_eq!(ran.code, 3, "{ran:?}");
}

#[test]
fn a_lease_that_a_killed_owner_left_is_listed_and_taken_over_with_an_audit_line() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let plan = lab.plan_import("accept", "sk-lab-good-registry-02\n", &[]);
    let hash = plan["plan"]["hash"].as_str().expect("a hash").to_owned();
    let id = plan["plan"]["id"].to_string();
    let mut owner = std::process::Command::new(crate::support::COCKPIT)
        .args([
            "import",
            "apply",
            id.trim_matches('"'),
            "--yes",
            &hash,
            "--config",
        ])
        .arg(&lab.config)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let leases = || {
        let told = lab.run(&["lease", "list", "--json"]).json();
        told["leases"].as_array().expect("rows").clone()
    };
    let held = wait_until("the import holds its lease", LIMIT, || leases().pop());
    assert_eq!(held["state"], "held", "{held}");
    wait_until("its batch is begun", LIMIT, || {
        let told = lab.run(&["batch", "list", "--json"]).json();
        (told["batches"][0]["status"] == "running").then_some(())
    });
    let take =
        |reason: &str| lab.run(&["lease", "take", "accept/lab", "--reason", reason, "--json"]);
    let refused = take("impatience");
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused.stderr.contains("alive on this machine"),
        "{refused:?}"
    );

    owner.kill().expect("SIGKILL");
    owner.wait().expect("it is gone");
    let left = wait_until("the lease is left behind", LIMIT, || {
        leases().pop().filter(|row| row["state"] == "left")
    });
    assert!(
        left["info"]["owner"]
            .as_str()
            .is_some_and(|who| who.contains("pid")),
        "{left}"
    );
    let taken = take("its owner was killed");
    assert_eq!(taken.code, 0, "{taken:?}");
    assert_eq!(
        taken.json()["interrupted"].as_array().map(Vec::len),
        Some(1),
        "{taken:?}"
    );
    assert_eq!(leases().len(), 0);
    let audit = lab.run(&["audit", "list", "--json"]);
    assert!(
        audit
            .stdout
            .contains("take over the lease of lab on accept"),
        "{audit:?}"
    );
    assert!(audit.stdout.contains("its owner was killed"), "{audit:?}");
    let nobody = take("once more");
    assert!(nobody.stderr.contains("nobody holds it"), "{nobody:?}");
}

/// The doctor's row of the shared folder of leases, with the exit code of the look.
fn lease_dir(lab: &Lab) -> (i32, Value) {
    let ran = lab.run(&["doctor", "--json"]);
    let told = ran.json();
    let mut rows = told["hops"].as_array().expect("rows").clone().into_iter();
    let row = rows.find(|row| row["subject"] == "lease_dir");
    (ran.code, row.unwrap_or(Value::Null))
}

#[test]
fn the_doctor_says_what_is_wrong_with_the_shared_folder_of_leases() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    assert_eq!(lease_dir(&lab), (0, Value::Null), "none is configured");
    let folder = lab.folder().join("shared-leases");
    let config = lab.folder().join("config.toml");
    let text = std::fs::read_to_string(&config).expect("the lab's config");
    let line = format!("lease_dir = {:?}\n", folder.display().to_string());
    std::fs::write(&config, line + &text).expect("it can be written");

    let mode = |mode| {
        let wanted = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&folder, wanted).expect("it is ours");
    };
    let says = |code: i32, found: &str, fix: &str| {
        let (ran, row) = lease_dir(&lab);
        assert_eq!((ran, &row["ok"]), (code, &json!(code == 0)), "{row}");
        assert!(text_of(&row, "found").contains(found), "{found}: {row}");
        assert!(text_of(&row, "fix").contains(fix), "{fix}: {row}");
    };
    says(1, "is not there", "mkdir -m 2770");
    std::fs::create_dir(&folder).expect("it can be made");
    mode(0o777);
    says(1, "mode 0777", "chmod o=");
    mode(0o770);
    says(0, "its group gets in and nobody else", "");
    let told = lab.run(&["doctor"]);
    assert!(told.stdout.contains("lease_dir"), "{told:?}");
}

fn text_of(row: &Value, field: &str) -> String {
    row[field].as_str().unwrap_or_default().to_owned()
}
