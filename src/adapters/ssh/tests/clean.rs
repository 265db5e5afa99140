//! What is left behind: nothing, however we end. And what others can see of us: no secret.

use super::server::{Server, arguments, children, id, limited, lives, naming, signal, until};
use crate::ssh::{MachineSettings, Ssh, SshOptions};
use cockpit_domain::text::Redactor;
use cockpit_engine::ports::{Remote, RemoteCommand};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const PLANTED: &str = "sk-planted-0123456789abcdef";

/// Opens everything that can be open: a command connection, a tunnel, a stream that names its
/// process in the file `note`.
async fn open_all(ssh: &Arc<Ssh>, note: &Path) -> crate::ssh::Forward {
    let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = service.local_addr().unwrap().port();
    let forward = ssh.forward(&id("edge"), "127.0.0.1", port).await.unwrap();
    let (sender, mut lines) = mpsc::channel(8);
    let script = format!("echo $$ > {}; echo here; exec sleep 300", note.display());
    let argv = vec!["sh".to_owned(), "-c".to_owned(), script];
    let follower = Arc::clone(ssh);
    tokio::spawn(async move {
        let stop = CancellationToken::new();
        drop(follower.follow(&id("edge"), &argv, sender, stop).await);
    });
    assert_eq!(lines.recv().await.unwrap().text, "here\n");
    tokio::spawn(async move {
        while lines.recv().await.is_some() {}
        drop(service);
    });
    forward
}

fn far_pid(note: &Path) -> u32 {
    fs::read_to_string(note).unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn closing_leaves_no_process_and_no_socket() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let runtime = server.path("r");
        let name = runtime.display().to_string();
        let ssh = Arc::new(server.ssh());
        let forward = open_all(&ssh, &server.path("note")).await;
        assert!(naming(&name).len() >= 2, "two masters at least");
        ssh.close().await;
        assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0);
        until("no process is left", Duration::from_secs(2), || {
            naming(&name).is_empty()
        })
        .await;
        let far = far_pid(&server.path("note"));
        until("the far program is gone", Duration::from_secs(5), || {
            !lives(far)
        })
        .await;
        assert!(!forward.is_open());
        let failure = ssh
            .run(&id("edge"), &RemoteCommand::new(["true"]))
            .await
            .unwrap_err();
        assert_eq!(
            failure.kind,
            cockpit_engine::failure::FailureKind::Cancelled
        );
    })
    .await;
}

#[tokio::test]
async fn dropping_without_close_leaves_no_process_and_no_socket() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let runtime = server.path("r");
        let name = runtime.display().to_string();
        let ssh = server.ssh();
        ssh.check(&id("edge")).await.unwrap();
        assert!(!naming(&name).is_empty());
        drop(ssh);
        assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0);
        until("no process is left", Duration::from_secs(3), || {
            naming(&name).is_empty()
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_runtime_that_goes_away_takes_the_processes_with_it() {
    let Some(server) = Server::start() else {
        return;
    };
    let name = server.path("r").display().to_string();
    std::thread::spawn({
        let ssh = server.ssh();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async { ssh.check(&id("edge")).await.unwrap() });
            drop(runtime);
            std::mem::forget(ssh);
        }
    })
    .join()
    .unwrap();
    limited(until("no process is left", Duration::from_secs(3), || {
        naming(&name).is_empty()
    }))
    .await;
}

/// Not a test of its own: what the next one runs and kills.
#[tokio::test]
async fn helper_that_opens_everything_and_waits_to_be_killed() {
    let Some(dir) = std::env::var_os("COCKPIT_TEST_HELPER").map(PathBuf::from) else {
        return;
    };
    let options = SshOptions {
        ssh_config: Some(dir.join("config")),
        ..SshOptions::new(dir.join("r"), Redactor::new())
    };
    let settings = MachineSettings {
        ssh: Some("edge".to_owned()),
        ..MachineSettings::default()
    };
    let ssh = Arc::new(Ssh::new(options, BTreeMap::from([(id("edge"), settings)])).unwrap());
    let _forward = open_all(&ssh, &dir.join("note")).await;
    fs::write(dir.join("ready"), "").unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
}

#[tokio::test]
async fn a_killed_program_leaves_no_process_and_the_next_one_sweeps_its_sockets() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let runtime = server.path("r");
        let name = runtime.display().to_string();
        let mut helper = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "ssh::tests::clean::helper_that_opens_everything_and_waits_to_be_killed",
            ])
            .env("COCKPIT_TEST_HELPER", server.path(""))
            .env("COCKPIT_ADMIN_KEY", PLANTED)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let ready = server.path("ready");
        until("the helper is ready", Duration::from_secs(20), || {
            ready.exists()
        })
        .await;

        // What others on this computer can see meanwhile.
        let started = children(helper.id());
        let masters: Vec<u32> = started
            .iter()
            .copied()
            .filter(|pid| arguments(*pid).contains("-M"))
            .collect();
        assert!(masters.len() >= 2, "{started:?}");
        for pid in &started {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
            assert!(!String::from_utf8_lossy(&environment).contains("planted"));
            assert!(!arguments(*pid).contains("planted"));
        }

        helper.kill().unwrap();
        helper.wait().unwrap();
        until("no process is left", Duration::from_secs(3), || {
            naming(&name).is_empty()
        })
        .await;
        let far = far_pid(&server.path("note"));
        until("the far program is gone", Duration::from_secs(5), || {
            !lives(far)
        })
        .await;
        assert_eq!(fs::read_dir(&runtime).unwrap().count(), 1, "its folder");
        let ssh = server.ssh();
        assert_eq!(
            fs::read_dir(&runtime).unwrap().count(),
            1,
            "ours, and no other"
        );
        ssh.check(&id("edge")).await.unwrap();
        ssh.close().await;
        assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_master_whose_watcher_was_killed_too_is_ended_by_the_next_program() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let name = server.path("r").display().to_string();
        let mut helper = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "ssh::tests::clean::helper_that_opens_everything_and_waits_to_be_killed",
            ])
            .env("COCKPIT_TEST_HELPER", server.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let ready = server.path("ready");
        until("the helper is ready", Duration::from_secs(20), || {
            ready.exists()
        })
        .await;
        for watcher in naming(&name) {
            if arguments(watcher).starts_with("/bin/sh") {
                signal("KILL", watcher);
            }
        }
        helper.kill().unwrap();
        helper.wait().unwrap();
        let orphans = naming(&name);
        assert!(!orphans.is_empty());
        let ssh = server.ssh();
        until("the orphans are gone", Duration::from_secs(5), || {
            orphans.iter().all(|pid| !lives(*pid))
        })
        .await;
        ssh.close().await;
    })
    .await;
}
