//! Login, commands and sessions through the real `ssh` client.

use super::tools::{finish, on, ssh_command, ssh_is_here, with_lab};
use crate::ssh::{MAX_SESSIONS, SshKey};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::test]
async fn a_command_answers_with_its_streams_and_its_code() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let ran = on(&lab, "remote43", "uname -s").await;
        assert_eq!((ran.code, ran.out.as_str()), (0, "Linux\n"), "{}", ran.err);
        assert_eq!(on(&lab, "remote43", "hostname").await.out, "remote43\n");
        assert_eq!(on(&lab, "remote43", "true").await.code, 0);
        assert_eq!(on(&lab, "accept44", "false").await.code, 1);
        let ran = on(&lab, "remote43", "nosuch --thing").await;
        assert_eq!(ran.code, 127);
        assert!(ran.err.contains("nosuch: command not found"), "{}", ran.err);
        let ran = on(&lab, "accept44", "nginx -T").await;
        assert_eq!(ran.code, 127, "accept44 has no nginx");
        let ran = on(&lab, "remote43", "sudo -n nginx -T").await;
        assert!(
            ran.out.contains("server_name sub.tksea.top;"),
            "{}",
            ran.out
        );
        assert!(ran.err.contains("syntax is ok"), "{}", ran.err);
        assert!(!ran.out.contains("syntax is ok"));
        lab
    })
    .await;
}

#[tokio::test]
async fn dumps_show_the_production_fixed_points() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let names = "docker ps --format '{{.Names}} {{.Ports}}'";
        let ran = on(&lab, "remote43", names).await;
        let mut rows: Vec<&str> = ran.out.lines().collect();
        rows.sort_unstable();
        assert_eq!(
            rows,
            [
                "sub2api 127.0.0.1:8080->8080/tcp",
                "sub2api-postgres 127.0.0.1:5432->5432/tcp",
                "sub2api-redis 127.0.0.1:6379->6379/tcp",
            ]
        );
        let table = "docker ps --format 'table {{.Names}}\\t{{.Status}}\\t{{.Ports}}'";
        let ran = on(&lab, "remote43", table).await;
        assert!(ran.out.starts_with("NAMES "), "{}", ran.out);
        assert!(ran.out.contains("Up 2 weeks (healthy)"), "{}", ran.out);
        let ran = on(
            &lab,
            "accept44",
            "docker ps --no-trunc --format '{{json .}}'",
        )
        .await;
        let rows: Vec<serde_json::Value> = ran
            .out
            .lines()
            .map(|line| serde_json::from_str(line).expect("a JSON line"))
            .collect();
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().any(|row| row["Names"] == "sub2api-accept"));
        assert!(
            rows.iter()
                .all(|row| row["ID"].as_str().is_some_and(|id| id.len() == 64))
        );
        assert_eq!(
            ran.out,
            on(&lab, "accept44", "docker ps --no-trunc --format json")
                .await
                .out
        );

        let ran = on(&lab, "remote43", "ss -H -ltnp").await;
        let at = |port: &str| {
            ran.out
                .lines()
                .find(|line| {
                    line.split_whitespace()
                        .nth(3)
                        .is_some_and(|at| at.ends_with(port))
                })
                .unwrap_or_default()
        };
        assert!(at(":8080").contains("\"docker-proxy\""), "{}", ran.out);
        assert!(
            at(":18190").contains("\"sub2api-cn-rela\",pid=2417"),
            "{}",
            ran.out
        );
        assert!(at(":80").contains("\"nginx\""), "{}", ran.out);
        assert!(
            on(&lab, "remote43", "ss -ltnp")
                .await
                .out
                .starts_with("State ")
        );
        let database = "docker exec sub2api printenv DATABASE_HOST";
        let database = on(&lab, "remote43", database).await.out;
        assert_eq!(database, "sub2api-postgres\n");
        let exe = on(&lab, "remote43", "readlink -f /proc/2417/exe").await.out;
        assert_eq!(
            exe,
            "/home/ubuntu/crm-only-20260602_18190/sub2api-cn-relay-manager-server\n"
        );
        lab
    })
    .await;
}

#[tokio::test]
async fn eight_commands_run_at_once() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let all = (0..8).map(|_| on(&lab, "remote43", "docker ps -q"));
        for ran in futures_util::future::join_all(all).await {
            assert_eq!((ran.code, ran.out.lines().count()), (0, 3), "{}", ran.err);
        }
        lab
    })
    .await;
}

#[tokio::test]
async fn an_eleventh_session_on_one_connection_is_refused() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let control = lab.control_socket().with_file_name("mux");
        let mux = || {
            let mut command = ssh_command(&lab.ssh_config());
            command.arg("-S").arg(&control);
            command
        };
        let mut master = mux();
        master.args(["-M", "-N", "remote43"]);
        let _master = master.spawn().expect("master starts");
        while !control.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut held = Vec::new();
        for _ in 0..MAX_SESSIONS {
            let mut follow = mux();
            follow
                .args(["remote43", "journalctl -f"])
                .stdout(Stdio::piped());
            let mut child = follow.spawn().expect("client starts");
            // The first line proves that the session is open.
            let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
            assert!(lines.next_line().await.expect("a line").is_some());
            held.push((child, lines));
        }
        let mut more = mux();
        more.args(["remote43", "true"]);
        let ran = finish(more).await;
        // The client then falls back to a connection of its own, so the exit code says nothing.
        assert!(ran.err.contains("Session open refused by peer"), "{ran:?}");
        lab
    })
    .await;
}

#[tokio::test]
async fn another_client_key_is_refused() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let key = lab.control_socket().with_file_name("client_key");
        let other = SshKey::generate().and_then(|key| key.pem()).expect("a key");
        fs::write(&key, other).expect("key is replaced");
        let ran = on(&lab, "remote43", "true").await;
        assert_eq!(ran.code, 255);
        assert!(
            ran.err.contains("Permission denied (publickey)"),
            "{}",
            ran.err
        );
        lab
    })
    .await;
}

#[tokio::test]
async fn a_changed_host_key_is_refused_by_the_client() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let known = lab.control_socket().with_file_name("known_hosts");
        let text = fs::read_to_string(&known).expect("known_hosts");
        let other = SshKey::generate().and_then(|key| {
            let at = ([127, 0, 0, 1], 1).into();
            crate::ssh::known_hosts_line(at, &key)
        });
        let other = other.expect("a key");
        let (_, other) = other.split_once(' ').expect("two parts");
        let (first, _) = text.split_once(' ').expect("two parts");
        let changed = format!("{first} {other}");
        fs::write(&known, changed).expect("known_hosts is edited");
        let ran = on(&lab, "remote43", "true").await;
        assert_eq!(ran.code, 255);
        assert!(
            ran.err.contains("REMOTE HOST IDENTIFICATION HAS CHANGED"),
            "{}",
            ran.err
        );
        lab
    })
    .await;
}

#[tokio::test]
async fn a_keeper_ends_a_following_command_when_its_input_closes() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let mut command = ssh_command(&lab.ssh_config());
        command
            .args(["remote43", r#"sh -c '"$@" 3<&- & wait' sh journalctl -f"#])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("ssh starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        assert!(lines.next_line().await.expect("a line").is_some());
        drop(child.stdin.take());
        let status = child.wait().await.expect("ssh ends");
        assert_eq!(status.code(), Some(143));
        lab
    })
    .await;
}

#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    with_lab(|lab| async move {
        let folder = lab.control_socket();
        let folder = folder.parent().expect("a folder");
        let mode = |path: &std::path::Path| {
            fs::metadata(path).expect("is there").permissions().mode() & 0o777
        };
        assert_eq!(mode(folder), 0o700);
        for name in [
            "client_key",
            "known_hosts",
            "ssh_config",
            "config.toml",
            "prod.key",
            "accept.key",
            "control.sock",
        ] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        lab
    })
    .await;
}
