//! Sources of the config through the command line: listed, merged, filtered, and a fault told.

use crate::support::{COCKPIT, Lab, has_ssh};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A `log tail` at work; ended when dropped.
struct Tail {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Tail {
    fn start(lab: &Lab, words: &[&str]) -> Self {
        let mut child = Command::new(COCKPIT)
            .args(["log", "tail"])
            .args(words)
            .arg("--config")
            .arg(&lab.config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().expect("piped");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// Reads on until a line is as wanted.
    fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            match self.lines.recv_timeout(left) {
                Ok(line) if wanted(&line) => return line,
                Ok(_) => {}
                Err(_) => break,
            }
        }
        panic!("never {what}");
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // Gone already is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn logs_of_the_config_are_listed_merged_and_tell_of_a_fault() {
    if !has_ssh() {
        return;
    }
    let lab = Lab::start();
    let listed = lab.run(&["log", "list", "--json"]).json();
    let names: Vec<_> = listed["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|log| log["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "nginx-access",
            "nginx-error",
            "control-plane",
            "sub2api-prod",
            "sub2api-accept"
        ]
    );

    let all = Tail::start(&lab, &[]);
    all.until("a line of nginx", |line| {
        line.starts_with("nginx-access    127.0.0.1 - ")
    });
    all.until("a line of a host", |line| {
        line.starts_with("sub2api-prod    ") && line.contains("http request completed")
    });

    let bad = Tail::start(
        &lab,
        &["--level", "warn", "--grep", "CONNECTION REFUSED", "--json"],
    );
    assert_eq!(lab.run(&["lab", "fault", "set", "nginx-old-port"]).code, 0);
    let line: Value =
        serde_json::from_str(&bad.until("the fault", |_| true)).expect("one JSON object a line");
    assert_eq!(line["source"], "nginx-error");
    assert_eq!(line["level"], "error");
    assert!(
        line["text"]
            .as_str()
            .unwrap()
            .contains("upstream: \"http://127.0.0.1:18169/"),
        "{line}"
    );
    // The machine's clock is asked for, because error.log names no zone.
    assert!(
        line["at"].as_str().is_some_and(|at| at.ends_with('Z')),
        "{line}"
    );
    all.until("the same in the merged log", |line| {
        line.starts_with("nginx-error ") && line.contains("18169")
    });
}

#[test]
fn a_name_that_is_no_log_of_the_config_is_refused_with_those_that_are() {
    let lab = Lab::start();
    let refused = lab.run(&["log", "tail", "--source", "nginx"]);
    assert_eq!(refused.code, 3);
    assert!(
        refused.stderr.contains("nginx-access, nginx-error"),
        "{refused:?}"
    );
}
