//! Commands there and here.

use super::server::{Server, id, limited, lives, until};
use crate::ssh::{MachineSettings, Ssh, SshOptions};
use cockpit_domain::ids::MachineId;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::FailureKind;
use cockpit_engine::ports::{Remote, RemoteCommand};
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

fn shell(script: &str) -> RemoteCommand {
    RemoteCommand::new(["sh", "-c", script])
}

#[tokio::test]
async fn a_command_gives_its_status_and_its_two_streams_apart() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let output = ssh
            .run(&id("edge"), &shell("echo out; echo err >&2; exit 7"))
            .await
            .unwrap();
        assert_eq!(output.status, Some(7));
        assert_eq!(output.stdout, "out\n");
        assert_eq!(output.stderr, "err\n");
        assert!(!output.truncated);
        let missing = ssh
            .run(&id("edge"), &RemoteCommand::new(["no-such-program"]))
            .await
            .unwrap();
        assert!(missing.is_missing_program(), "{missing:?}");
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn arguments_arrive_as_they_are_whatever_the_shell_thinks_of_them() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let words = [
            "a b",
            "",
            "c'd",
            "\"e\"",
            "$HOME",
            "`id`",
            "!x",
            "*",
            "two\nlines",
            "宿主",
            "\\",
            "-n",
            "a;b|c&d",
        ];
        let mut argv = vec!["printf", "%s|"];
        argv.extend(words);
        let output = ssh
            .run(&id("edge"), &RemoteCommand::new(argv))
            .await
            .unwrap();
        assert_eq!(output.stdout, words.join("|") + "|");
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn output_over_the_limit_is_cut_and_the_rest_is_read_to_its_end() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let mut command = shell("yes 0123456789 | head -c 20000000; echo done >&2");
        command.byte_limit = 1000;
        let output = ssh.run(&id("edge"), &command).await.unwrap();
        assert!(output.truncated);
        assert!(output.stdout.len() <= 1000 && output.stdout.ends_with("0123456789\n"));
        assert_eq!((output.status, output.stderr.as_str()), (Some(0), "done\n"));
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_command_over_its_time_is_a_failure_and_is_ended_there_too() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let note = server.path("pid");
        let mut command = shell(&format!("echo $$ > {}; exec sleep 300", note.display()));
        command.time_limit = Duration::from_millis(500);
        let failure = ssh.run(&id("edge"), &command).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(failure.maybe_done, "{failure}");
        let pid = fs::read_to_string(note).unwrap().trim().parse().unwrap();
        until("the far sleep is gone", Duration::from_secs(5), || {
            !lives(pid)
        })
        .await;
        // The connection is as good as before.
        assert!(ssh.run(&id("edge"), &shell("true")).await.is_ok());
        assert_eq!(ssh.check(&id("edge")).await.unwrap().reconnects, 0);
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn twenty_at_once_fit_a_server_that_allows_ten_sessions() {
    many_at_once("MaxSessions 10").await;
}

#[tokio::test]
async fn twenty_at_once_fit_a_server_that_allows_three_sessions() {
    many_at_once("MaxSessions 3").await;
}

async fn many_at_once(setting: &str) {
    let Some(server) = Server::start_with(setting) else {
        return;
    };
    limited(async {
        let ssh = std::sync::Arc::new(server.ssh());
        let runs: Vec<_> = (0..20)
            .map(|number| {
                let ssh = std::sync::Arc::clone(&ssh);
                tokio::spawn(async move {
                    let script = format!("sleep 0.1; echo {number}");
                    ssh.run(&id("edge"), &shell(&script)).await.unwrap().stdout
                })
            })
            .collect();
        for (number, run) in runs.into_iter().enumerate() {
            assert_eq!(run.await.unwrap().trim(), number.to_string());
        }
        assert_eq!(ssh.check(&id("edge")).await.unwrap().reconnects, 0);
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn remote_text_arrives_harmless_and_without_secrets() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let output = ssh
            .run(
                &id("edge"),
                &shell("printf '\\033[2J sk-abcdefghijklmnop1234\\n'"),
            )
            .await
            .unwrap();
        assert_eq!(output.stdout, "?[2J sk-..1234\n");
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_path_of_the_config_stands_in_front_there() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let settings = MachineSettings {
            ssh: Some("edge".to_owned()),
            path: vec![server.path("bin").display().to_string()],
            ..MachineSettings::default()
        };
        fs::create_dir(server.path("bin")).unwrap();
        std::os::unix::fs::symlink("/bin/echo", server.path("bin/only-there")).unwrap();
        let ssh = Ssh::new(
            server.options(&server.path("r")),
            BTreeMap::from([(id("edge"), settings)]),
        )
        .unwrap();
        let output = ssh
            .run(&id("edge"), &RemoteCommand::new(["only-there", "hello"]))
            .await
            .unwrap();
        assert_eq!(output.stdout, "hello\n");
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_check_says_what_is_there_and_a_command_costs_little_once_connected() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let check = ssh.check(&id("edge")).await.unwrap();
        assert_eq!((check.system.as_str(), check.reconnects), ("Linux", 0));
        let began = Instant::now();
        for _ in 0..50 {
            ssh.run(&id("edge"), &RemoteCommand::new(["true"]))
                .await
                .unwrap();
        }
        println!("one command: {:?}", began.elapsed() / 50);
        ssh.close().await;
    })
    .await;
}

fn here(dir: &std::path::Path) -> Ssh {
    Ssh::new(SshOptions::new(dir, Redactor::new()), BTreeMap::new()).unwrap()
}

#[tokio::test]
async fn this_computer_needs_no_ssh() {
    let dir = tempfile::tempdir().unwrap();
    limited(async {
        let ssh = here(dir.path());
        let local = MachineId::local();
        let output = ssh
            .run(&local, &shell("echo out; echo err >&2; exit 3"))
            .await
            .unwrap();
        assert_eq!((output.status, output.stdout.as_str()), (Some(3), "out\n"));
        assert_eq!(output.stderr, "err\n");
        assert!(
            ssh.run(&local, &RemoteCommand::new(["no-such-program"]))
                .await
                .unwrap()
                .is_missing_program()
        );
        let mut slow = RemoteCommand::new(["sleep", "300"]);
        slow.time_limit = Duration::from_millis(100);
        assert!(ssh.run(&local, &slow).await.unwrap_err().maybe_done);
        let failure = ssh.forward(&local, "127.0.0.1", 80).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Usage);
        assert_eq!(ssh.check(&local).await.unwrap().reconnects, 0);
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn commands_here_get_a_short_environment() {
    let dir = tempfile::tempdir().unwrap();
    limited(async {
        let ssh = here(dir.path());
        let output = ssh
            .run(&MachineId::local(), &RemoteCommand::new(["env"]))
            .await
            .unwrap();
        assert!(output.stdout.contains("PATH="));
        // The test runner's own variables stand for everything that is not on the list.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        assert!(!output.stdout.contains("CARGO_"), "{}", output.stdout);
    })
    .await;
}

#[tokio::test]
async fn an_unnamed_machine_and_one_without_alias_are_faults_of_the_config() {
    let dir = tempfile::tempdir().unwrap();
    let ssh = here(dir.path());
    let failure = ssh.run(&id("nope"), &shell("true")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Config);
    let without = BTreeMap::from([(id("edge"), MachineSettings::default())]);
    let options = SshOptions::new(dir.path(), Redactor::new());
    assert_eq!(
        Ssh::new(options, without).err().unwrap().kind,
        FailureKind::Config
    );
}
