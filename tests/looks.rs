//! Looks at this machine: real processes, ports, files and disks, through `machine:local`.

mod asked;
mod bad;
mod certificate;
mod exposition;
mod grace;
mod here;
mod nginx;
mod postgres;
mod sixth;
mod smoke;

use here::{Here, assert_rows};
use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_process_of_this_machine_is_known_by_its_port_program_folder_and_files() {
    let Some(mut here) = Here::new(&["ss", "ps", "find"]) else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let open = here.path("open.db");
    let held = File::create(&open).unwrap();
    let program = std::env::current_exe().unwrap();
    let program = program.canonicalize().unwrap().display().to_string();
    let folder = std::env::current_dir().unwrap();
    let folder = folder.canonicalize().unwrap().display().to_string();
    let open = std::fs::canonicalize(&open).unwrap().display().to_string();
    here.check(
        "good",
        &format!(
            "process = {{ port = {port}, count = 1, executable = \"{program}\", cwd = \"{folder}\", \
             open_files = [\"{open}\"], started_after = \"{program}\" }}"
        ),
    );
    here.check("bad", &format!(
        "process = {{ port = {port}, count = 2, executable = \"/bin/other\", cwd = \"/nowhere\", open_files = [\"/no.db\"] }}"
    ));
    here.check("nobody", "process = { command = \"/no/such/program*\" }");
    here.check(
        "banned",
        &format!("process = {{ banned = [\"{program}*\"] }}"),
    );
    here.check(
        "listens",
        &format!("listening = {{ expect = [{{ port = {port}, process = [\"blackbox*\"] }}] }}"),
    );
    let rows = here.judged();
    drop((listener, held));
    assert_rows(
        &rows,
        &[
            ("good", "ok", "runs for"),
            ("bad", "fail", "expected 2"),
            ("nobody", "fail", "nothing runs `/no/such/program*`"),
            ("banned", "fail", "banned by"),
            ("listens", "ok", "1 expected ports listen"),
        ],
    );
    let bad = &rows["bad"].1;
    for words in [
        "expected /bin/other".to_owned(),
        format!("works in {folder}, expected /nowhere"),
        "does not have /no.db open".to_owned(),
    ] {
        assert!(bad.contains(&words), "{bad}\nlacks {words}");
    }
}

#[test]
fn a_file_of_this_machine_is_judged_by_what_stat_and_its_content_say() {
    let Some(mut here) = Here::new(&["stat", "df"]) else {
        return;
    };
    let file = here.path("settings");
    std::fs::write(&file, "rotate 7\ndaily\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let rules = |more: &str| format!("file = {{ path = \"{file}\", {more} }}");
    here.check("good", &rules("mode = \"0640\", max_age_s = 600, min_size = 5, contains = [\"daily\"], lines = ['rotate\\s+\\d+']"));
    here.check("mode", &rules("mode = \"0600\""));
    here.check("content", &rules("lacks = [\"daily\"], lines = ['weekly']"));
    here.check("gone", &format!("file = {{ path = \"{file}.no\" }}"));
    here.check(
        "absent",
        &format!("file = {{ path = \"{file}.no\", absent = true }}"),
    );
    here.check("disk", "disk = { path = \"/\", min_free_percent = 1 }");
    here.check(
        "no-disk",
        "disk = { path = \"/no/such/folder\", min_free_percent = 1 }",
    );
    assert_rows(
        &here.judged(),
        &[
            ("good", "ok", "0640"),
            ("mode", "fail", "mode is 0640, expected 0600"),
            (
                "content",
                "fail",
                "line 2: `daily` is in it\nno line is `weekly`",
            ),
            ("gone", "fail", "is not there"),
            ("absent", "ok", "nothing is there"),
            ("disk", "ok", "of / is free"),
            ("no-disk", "unknown", "df"),
        ],
    );
}

#[test]
fn a_command_of_a_pack_of_your_own_runs_only_when_the_config_trusts_it() {
    let Some(mut here) = Here::new(&["touch"]) else {
        return;
    };
    let trace = here.path("trace");
    here.check(
        "own",
        &format!("command = {{ argv = [\"touch\", \"{trace}\"] }}"),
    );
    here.check("missing", "command = { argv = [\"no-such-program-here\"] }");
    here.check("json", "command = { argv = [\"echo\", '{\"agents\": 6}'], fields = [{ path = \"agents\", max = 5 }] }");
    let rows = here.judged();
    assert_rows(
        &rows,
        &[
            ("own", "unknown", "is not trusted"),
            ("missing", "unknown", "is not trusted"),
            ("json", "unknown", "is not trusted"),
        ],
    );
    assert!(!std::fs::exists(&trace).unwrap(), "it ran");

    let told = here.run(&["pack", "check", "here"]).stdout;
    let line = told.lines().last().unwrap();
    here.settings = format!("[trust]\n{line}\n");
    let rows = here.judged();
    assert_rows(
        &rows,
        &[
            ("own", "ok", "ended with 0"),
            ("missing", "unknown", "is not there"),
            ("json", "fail", "agents is 6, expected at most 5"),
        ],
    );
    assert!(std::fs::exists(&trace).unwrap(), "it did not run");

    // Another word in it, and the trust is gone.
    here.checks.push_str("# changed\n");
    assert_eq!(here.judged()["own"].0, "unknown");
}
