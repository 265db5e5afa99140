//! Sources of the config through the command line: listed, merged, filtered, and a fault told.

use crate::support::following::Following;
use crate::support::{Lab, has_ssh};
use serde_json::Value;

fn tail(lab: &Lab, words: &[&str]) -> Following {
    Following::start(lab, &[&["log", "tail"][..], words].concat())
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

    let all = tail(&lab, &[]);
    all.until("a line of nginx", |line| {
        line.starts_with("nginx-access    127.0.0.1 - ")
    });
    all.until("a line of a host", |line| {
        line.starts_with("sub2api-prod    ") && line.contains("http request completed")
    });

    let bad = tail(
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
