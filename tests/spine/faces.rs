//! What a shell sees: exit codes, plain text, a lab for one command, a followed log.

use super::{HOST, KEY, import, refused, rows};
use crate::support::far::text;
use crate::support::importing::planning;
use crate::support::left::{children_of, sockets_under};
use crate::support::{COCKPIT, Lab, Ran, bare, has_ssh, wait_until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn findings_drift_refusals_and_silence_have_their_exit_codes() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    assert_eq!(lab.run(&["baseline", "run"]).code, 0);
    lab.break_it("nginx-old-port");
    assert_eq!(lab.run(&["baseline", "run"]).code, 1);
    lab.mend_it("nginx-old-port");
    lab.break_it("tunnel-down");
    assert_eq!(lab.run(&["probe", "run", "--host", HOST]).code, 4);
    assert_eq!(lab.run(&["doctor"]).code, 1);
    lab.mend_it("tunnel-down");
    lab.break_it("host-502");
    let silent = lab.run(&["host", "probe", "prod", "--json"]);
    assert_eq!(
        (silent.code, silent.error()["kind"].clone()),
        (4, json!("unreachable")),
        "{silent:?}"
    );
    lab.mend_it("host-502");
    assert_eq!(lab.run(&["host", "probe", "nobody"]).code, 3);

    let done = import(&lab, "lab", "strict", KEY);
    assert_eq!(done.code, 0, "{done:?}");
    let admin = lab.admin(HOST);
    let id = text(&done.json()["gateway"], "served_by_account");
    admin.call(
        "DELETE",
        &format!("/api/v1/admin/accounts/{id}"),
        &Value::Null,
    );
    let words = [
        "reconcile",
        "plan",
        "--host",
        HOST,
        "--provider",
        "lab",
        "--json",
    ];
    let drifted = lab.run(&words);
    assert_eq!(drifted.code, 2, "{drifted:?}");
    let report = drifted.json();
    assert_eq!(
        (&report["status"], &report["missing_count"]),
        (&json!("drifted"), &json!(1))
    );
}

#[test]
fn text_for_a_pipe_holds_no_escape_codes_and_no_progress() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let keys = "sk-lab-good-text-00000000001\n";
    let plan = lab.run_with(&planning(HOST)[..8], keys);
    for ran in [
        plan,
        lab.run(&["baseline", "run"]),
        lab.run(&["host", "list"]),
        lab.run(&["host", "probe", HOST]),
        lab.run(&["pack", "list"]),
        lab.run(&["batch", "list"]),
        lab.run(&["probe", "run", "--host", HOST]),
        lab.run(&["probe", "list"]),
        lab.run(&["baseline", "show"]),
        lab.run(&["machine", "list"]),
        lab.run(&["audit", "list"]),
        lab.run(&["doctor"]),
        lab.run(&["lab", "fault", "list"]),
    ] {
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        assert!(!ran.stdout.trim().is_empty(), "{ran:?}");
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!ran.stdout.contains(control), "{ran:?}");
    }
    let refusal = lab.run(&["batch", "show", "7"]);
    assert_eq!(refusal.code, 3);
    assert!(
        refusal.stderr.contains("next: ") && !refusal.stderr.contains('\u{1b}'),
        "{refusal:?}"
    );
}

#[test]
fn one_shot_commands_run_on_a_lab_of_their_own_and_others_name_lab_serve() {
    if !has_ssh() {
        return;
    }
    let hosts = bare(&["host", "list", "--lab", "--json"]);
    assert_eq!(
        (hosts.code, rows(&hosts.json(), "hosts").len()),
        (0, 2),
        "{hosts:?}"
    );
    let probe = bare(&["host", "probe", HOST, "--lab", "--json"]);
    assert_eq!(probe.code, 0, "{probe:?}");
    for words in [
        &["batch", "show", "1", "--lab", "--json"][..],
        &["batch", "resume", "1", "--lab", "--json"],
        &[
            "import",
            "apply",
            "1",
            "--yes",
            "0123456789ab",
            "--lab",
            "--json",
        ],
        &["access", "status", "1", "--lab", "--json"],
        &[
            "reconcile",
            "plan",
            "--host",
            HOST,
            "--provider",
            "lab",
            "--lab",
            "--json",
        ],
        &["rollback", "plan", "1", "--lab", "--json"],
        &["rollback", "apply", "1", "--lab", "--json"],
    ] {
        let hint = text(&refused(&bare(words), "usage"), "hint");
        assert!(
            hint.contains("lab serve") && hint.contains("--config"),
            "{words:?}: {hint}"
        );
    }
}

#[test]
fn faults_are_listed_set_and_cleared_by_name() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let on = |ran: &Ran| -> Vec<String> {
        assert_eq!(ran.code, 0, "{ran:?}");
        let listed = ran.json();
        let faults = rows(&listed, "faults");
        assert!(
            faults.iter().all(|fault| !text(fault, "what").is_empty()),
            "{listed}"
        );
        let on = faults.iter().filter(|fault| fault["on"] == true);
        on.map(|fault| text(fault, "name")).collect()
    };
    let list = || lab.run(&["lab", "fault", "list", "--json"]);
    let every = rows(&list().json(), "faults").len();
    assert!(every > 30, "{every}");
    assert_eq!(on(&list()), Vec::<String>::new());
    assert_eq!(
        on(&lab.run(&["lab", "fault", "set", "host-502", "--json"])),
        ["host-502"]
    );
    assert_eq!(
        on(&lab.run(&["lab", "fault", "set", "host-502", "--json"])),
        ["host-502"]
    );
    assert_eq!(on(&list()), ["host-502"]);
    let told = lab.run(&["lab", "fault", "set", "upstream-quota"]);
    assert!(
        told.stdout.contains("upstream-quota") && !told.stdout.contains("host-502"),
        "{}",
        told.stdout
    );
    assert_eq!(
        told.stdout.lines().count(),
        2,
        "its row and nothing else: {}",
        told.stdout
    );
    assert_eq!(
        lab.run(&["lab", "fault", "clear", "upstream-quota"]).code,
        0
    );
    assert_eq!(lab.run(&["lab", "fault", "clear", "host-502"]).code, 0);
    assert_eq!(on(&list()), Vec::<String>::new());
    assert_eq!(lab.run(&["baseline", "run"]).code, 0);
}

#[test]
fn a_lab_that_is_stopped_takes_its_folder_with_it() {
    let folder = tempfile::Builder::new()
        .prefix("ls")
        .tempdir()
        .expect("a folder");
    let mut lab = Command::new(COCKPIT)
        .args(["lab", "serve"])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdout = BufReader::new(lab.stdout.take().expect("piped"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("its line");
    let ready: Value = serde_json::from_str(&line).expect("one JSON line");
    let config = std::path::PathBuf::from(text(&ready, "config"));
    assert!(
        config.starts_with(folder.path()) && config.is_file(),
        "{ready}"
    );
    assert_eq!(
        sockets_under(folder.path()),
        [std::path::PathBuf::from(text(&ready, "control"))]
    );
    let killed = Command::new("kill")
        .arg(lab.id().to_string())
        .status()
        .expect("kill");
    assert!(killed.success());
    let status = wait_until("the lab's end", Duration::from_secs(10), || {
        lab.try_wait().expect("a child of ours")
    });
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("readable");
    lab.stderr
        .take()
        .expect("piped")
        .read_to_string(&mut rest)
        .expect("readable");
    assert_eq!((status.code(), rest.as_str()), (Some(0), ""));
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("its folder")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_followed_log_shows_the_line_a_request_causes_and_ends_on_sigterm() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let runtime = tempfile::Builder::new()
        .prefix("rt")
        .tempdir()
        .expect("a folder");
    let mut tail = Command::new(COCKPIT)
        .args([
            "log",
            "tail",
            "--machine",
            "remote43",
            "--file",
            "/var/log/nginx/access.log",
        ])
        .args(["--lines", "0", "--config"])
        .arg(&lab.config)
        .env("XDG_RUNTIME_DIR", runtime.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let (sender, lines) = mpsc::channel();
    let stdout = tail.stdout.take().expect("piped");
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    // Each look asks the public entry; the follower has to show one of these requests.
    let line = wait_until("the line of a request", Duration::from_secs(30), || {
        assert_eq!(lab.run(&["baseline", "run", "--json"]).code, 0);
        lines.recv_timeout(Duration::from_secs(1)).ok()
    });
    assert!(
        line.contains("HTTP/1.1\" 401") || line.contains("HTTP/1.1\" 200"),
        "{line}"
    );
    let mine = children_of(tail.id());
    assert!(!mine.is_empty(), "it follows without an ssh of its own");
    let killed = Command::new("kill")
        .arg(tail.id().to_string())
        .status()
        .expect("kill");
    assert!(killed.success());
    let status = wait_until("the end after SIGTERM", Duration::from_secs(10), || {
        tail.try_wait().expect("a child of ours")
    });
    let mut stderr = String::new();
    tail.stderr
        .take()
        .expect("piped")
        .read_to_string(&mut stderr)
        .expect("readable");
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
    wait_until("its children's end", Duration::from_secs(5), || {
        mine.iter()
            .all(|id| !std::path::Path::new(&format!("/proc/{id}")).exists())
            .then_some(())
    });
    let left: Vec<_> = sockets_under(runtime.path());
    assert!(left.is_empty(), "{left:?}");
    drop(lines);
    reader.join().expect("the reader ends");
}
