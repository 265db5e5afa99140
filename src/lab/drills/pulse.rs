//! Logs of a fleet that nobody calls: each fault leaves a line that names its cause where a real
//! system would leave it, and nothing is counted.

use super::tools::{on, ssh_is_here};
use crate::{Lab, LabOptions};
use std::time::Duration;

/// Reads a log of remote43 until a line has all the words.
async fn told(lab: &Lab, command: &str, words: &[&str]) -> String {
    let mut last = String::new();
    for _ in 0..200 {
        let said = on(lab, "remote43", command).await;
        last = said.out + &said.err;
        let found = last
            .lines()
            .find(|line| words.iter().all(|word| line.contains(word)));
        if let Some(line) = found {
            return line.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {words:?} in {command}:\n{last}");
}

#[tokio::test]
async fn each_fault_names_its_cause_in_a_log_though_nobody_calls() {
    if !ssh_is_here() {
        return;
    }
    let lab = Lab::start(LabOptions {
        pulse: Some(Duration::from_millis(20)),
        ..LabOptions::default()
    })
    .await
    .expect("lab starts");
    let (access, error) = (
        "tail -n 3 /var/log/nginx/access.log",
        "tail -n 3 /var/log/nginx/error.log",
    );
    let (host, journal) = ("docker logs --tail 6 sub2api", "journalctl -n 3");
    let chat = "POST /v1/chat/completions HTTP/1.1\"";
    told(&lab, access, &[chat, " 200 "]).await;
    told(
        &lab,
        host,
        &["http request completed", "\"status_code\":200"],
    )
    .await;
    for (fault, command, words) in [
        (
            "nginx-old-port",
            error,
            &["Connection refused", "upstream: \"http://127.0.0.1:18169/"][..],
        ),
        ("nginx-old-port", access, &[chat, " 502 "]),
        (
            "host-502",
            error,
            &["Connection refused", "upstream: \"http://127.0.0.1:8080/"],
        ),
        ("host-502", host, &["FATAL", "server failed to start"]),
        (
            "upstream-quota",
            host,
            &["WARN", "status=403", "insufficient_user_quota"],
        ),
        (
            "binding-lost",
            host,
            &["WARN", "account_select_failed", "no available accounts"],
        ),
        ("binding-lost", access, &[chat, " 503 "]),
        (
            "leftover-container",
            journal,
            &["route-lab-20260520 started"],
        ),
        ("tunnel-down", journal, &["AllowTcpForwarding no"]),
    ] {
        lab.set_fault(fault).expect("a fault");
        told(&lab, command, words).await;
        lab.clear_fault(fault).expect("a fault");
    }
    told(&lab, access, &[chat, " 200 "]).await;
    assert_eq!(lab.log().since(0), [], "a request was counted");
    lab.shutdown().await;
}
