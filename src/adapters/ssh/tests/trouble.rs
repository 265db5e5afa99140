//! Log-ins that fail, connections that break, and what a person is told.

use super::server::{Server, id, limited, signal, until};
use crate::ssh::SshOptions;
use cockpit_engine::failure::{Failure, FailureKind};
use cockpit_engine::ports::{Remote, RemoteCommand};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

async fn refusal(server: &Server, machine: &str) -> Failure {
    let ssh = server.ssh();
    let failure = ssh
        .run(&id(machine), &RemoteCommand::new(["true"]))
        .await
        .unwrap_err();
    ssh.close().await;
    assert!(!failure.maybe_done, "{failure}");
    assert!(!failure.hint.is_empty(), "{failure}");
    failure
}

macro_rules! refused {
    ($name:ident, $machine:literal, $kind:ident, $found:literal, $hint:literal) => {
        #[tokio::test]
        async fn $name() {
            let Some(server) = Server::start() else {
                return;
            };
            limited(async {
                let failure = refusal(&server, $machine).await;
                assert_eq!(failure.kind, FailureKind::$kind, "{failure}");
                assert!(failure.message.contains($found), "{failure}");
                assert!(failure.hint.contains($hint), "{}", failure.hint);
            })
            .await;
        }
    };
}

refused!(
    a_wrong_client_key_is_denied,
    "wrong",
    Denied,
    "Permission denied (publickey)",
    "authorized_keys"
);
refused!(
    an_unknown_host_key_is_refused_and_explained,
    "unknown",
    Denied,
    "not known here",
    "connect once by hand: `ssh -F "
);
refused!(
    a_changed_host_key_is_refused_with_the_way_to_compare,
    "changed",
    Denied,
    "has changed (it shows SHA256:",
    "-R \"[127.0.0.1]:"
);
refused!(
    a_locked_key_is_named_with_the_way_to_unlock_it,
    "locked",
    Denied,
    "locked by a passphrase: /",
    "ssh-add /"
);
refused!(
    a_refused_port_is_unreachable,
    "refused",
    Unreachable,
    "refuses connections",
    "sshd runs"
);
refused!(
    a_name_nobody_knows_is_unreachable,
    "nowhere",
    Unreachable,
    "cannot be resolved",
    "Host nowhere"
);
refused!(
    a_jump_host_that_refuses_us_is_named_as_such,
    "jump-locked",
    Denied,
    "jump host",
    "jump host alone"
);
refused!(
    an_unknown_jump_host_key_is_refused_without_a_question,
    "jump-unknown",
    Denied,
    "not known here",
    "compare the fingerprint"
);

#[tokio::test]
async fn nothing_is_ever_learnt_by_itself() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        refusal(&server, "unknown").await;
        refusal(&server, "jump-unknown").await;
        assert_eq!(fs::read_to_string(server.path("known_none")).unwrap(), "");
    })
    .await;
}

#[tokio::test]
async fn a_jump_host_of_the_configuration_is_used() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        assert_eq!(ssh.check(&id("jumped")).await.unwrap().system, "Linux");
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_configuration_ssh_does_not_accept_and_a_missing_client_are_faults_of_the_config() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        for options in [
            SshOptions {
                ssh_config: Some(server.path("config_broken")),
                ..server.options(&server.path("r"))
            },
            SshOptions {
                ssh_config: Some(server.path("no-such-config")),
                ..server.options(&server.path("r"))
            },
            SshOptions {
                program: PathBuf::from("no-such-ssh"),
                ..server.options(&server.path("r"))
            },
        ] {
            let ssh = Server::ssh_with(options);
            let failure = ssh.check(&id("edge")).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Config, "{failure}");
            assert!(!failure.hint.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn sixty_looks_at_a_silent_machine_wait_once_together() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        // Takes connections and never says a word.
        let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = mute.local_addr().unwrap().port();
        fs::write(server.path("silent_config"), format!("Port {port}\n")).unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = mute.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                held.push(stream);
            }
        });
        let ssh = Arc::new(Server::ssh_with(SshOptions {
            connect_timeout: Duration::from_secs(1),
            ..server.options(&server.path("r"))
        }));
        let began = Instant::now();
        let looks: Vec<_> = (0..60)
            .map(|_| {
                let ssh = Arc::clone(&ssh);
                tokio::spawn(async move {
                    ssh.run(&id("silent"), &RemoteCommand::new(["true"]))
                        .await
                        .unwrap_err()
                })
            })
            .collect();
        for look in looks {
            let failure = look.await.unwrap();
            assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
            assert!(failure.message.contains("silent"), "{failure}");
        }
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(seen.load(Ordering::SeqCst), 1);
        // A machine beside it is not held up.
        assert!(ssh.check(&id("edge")).await.is_ok());
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn after_a_restart_of_the_server_the_next_commands_work_by_themselves() {
    let Some(mut server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        assert_eq!(ssh.check(&id("edge")).await.unwrap().reconnects, 0);
        // Killed and started again: the very next command goes over a new connection.
        server.kill();
        assert!(server.up());
        let check = ssh.check(&id("edge")).await.unwrap();
        assert_eq!(check.reconnects, 1);
        // Away for a while: a clear failure, then work again without our doing.
        server.kill();
        let failure = ssh.check(&id("edge")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(server.up());
        let end = Instant::now() + Duration::from_secs(10);
        while let Err(failure) = ssh.check(&id("edge")).await {
            assert!(Instant::now() < end, "{failure}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(ssh.check(&id("edge")).await.unwrap().reconnects, 2);
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_connection_killed_under_a_command_leaves_it_maybe_done() {
    let Some(mut server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = Arc::new(server.ssh());
        let note = server.path("started");
        let script = format!("touch {}; sleep 300", note.display());
        let running = tokio::spawn({
            let ssh = Arc::clone(&ssh);
            async move {
                let mut command = RemoteCommand::new(["sh", "-c", &script]);
                command.time_limit = Duration::from_secs(30);
                ssh.run(&id("edge"), &command).await
            }
        });
        until("the command runs", Duration::from_secs(10), || {
            note.exists()
        })
        .await;
        let began = Instant::now();
        server.kill();
        let failure = running.await.unwrap().unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(failure.maybe_done, "{failure}");
        assert!(failure.message.contains("lost"), "{failure}");
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{:?}",
            began.elapsed()
        );
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_frozen_far_side_is_noticed_by_keep_alive() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = Arc::new(Server::ssh_with(SshOptions {
            alive_interval: 1,
            alive_count: 2,
            ..server.options(&server.path("r"))
        }));
        ssh.check(&id("edge")).await.unwrap();
        let frozen = server.processes();
        assert!(!frozen.is_empty());
        for pid in &frozen {
            signal("STOP", *pid);
        }
        let began = Instant::now();
        let mut command = RemoteCommand::new(["true"]);
        command.time_limit = Duration::from_secs(40);
        let failure = ssh.run(&id("edge"), &command).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(failure.maybe_done, "{failure}");
        assert!(
            began.elapsed() < Duration::from_secs(8),
            "{:?}",
            began.elapsed()
        );
        // Killed only: the listener takes new connections.
        for pid in &frozen {
            signal("KILL", *pid);
        }
        assert!(ssh.check(&id("edge")).await.is_ok());
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_repaired_log_in_works_at_once_when_the_failure_is_forgotten() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let denied = ssh.check(&id("wrong")).await.unwrap_err();
        assert_eq!(denied.kind, FailureKind::Denied);
        let keys = server.path("authorized_keys");
        let all = fs::read_to_string(&keys).unwrap();
        let new = fs::read_to_string(server.path("wrong.pub")).unwrap();
        fs::write(&keys, all + &new).unwrap();
        let remembered = ssh.check(&id("wrong")).await.unwrap_err();
        assert_eq!(remembered.message, denied.message);
        ssh.forget_failures(&id("wrong")).await;
        assert!(ssh.check(&id("wrong")).await.is_ok());
        ssh.close().await;
    })
    .await;
}
