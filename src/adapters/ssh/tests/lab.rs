//! The same core against the lab's server, whose machines run single programs and no shell.

use super::server::{id, limited};
use crate::ssh::{MachineSettings, Ssh, SshOptions};
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::FailureKind;
use cockpit_engine::ports::{Remote, RemoteCommand};
use cockpit_lab::{Lab, LabOptions};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const MACHINE: &str = "remote43";

async fn start() -> (Lab, Arc<Ssh>, TempDir) {
    let dir = tempfile::Builder::new().prefix("ckl").tempdir().unwrap();
    let options = LabOptions {
        state_root: Some(dir.path().join("lab")),
        ..LabOptions::default()
    };
    let lab = Lab::start(options).await.unwrap();
    let options = SshOptions {
        ssh_config: Some(lab.ssh_config()),
        ..SshOptions::new(dir.path().join("r"), Redactor::new())
    };
    let settings = MachineSettings {
        ssh: Some(MACHINE.to_owned()),
        ..MachineSettings::default()
    };
    let ssh = Ssh::new(options, BTreeMap::from([(id(MACHINE), settings)])).unwrap();
    (lab, Arc::new(ssh), dir)
}

#[tokio::test]
async fn the_lab_answers_commands_and_names_missing_programs() {
    limited(async {
        let (lab, ssh, _dir) = start().await;
        assert_eq!(ssh.check(&id(MACHINE)).await.unwrap().system, "Linux");
        let output = ssh
            .run(&id(MACHINE), &RemoteCommand::new(["docker", "ps"]))
            .await
            .unwrap();
        assert_eq!(output.status, Some(0));
        assert!(output.stdout.contains("CONTAINER ID"), "{}", output.stdout);
        let missing = ssh
            .run(&id(MACHINE), &RemoteCommand::new(["no-such-program"]))
            .await
            .unwrap();
        assert!(missing.is_missing_program(), "{missing:?}");
        ssh.close().await;
        lab.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn the_lab_takes_twenty_commands_at_once() {
    limited(async {
        let (lab, ssh, _dir) = start().await;
        let runs: Vec<_> = (0..20)
            .map(|number: u32| {
                let ssh = Arc::clone(&ssh);
                tokio::spawn(async move {
                    let command = RemoteCommand::new(["echo".to_owned(), number.to_string()]);
                    ssh.run(&id(MACHINE), &command).await.unwrap().stdout
                })
            })
            .collect();
        for (number, run) in runs.into_iter().enumerate() {
            assert_eq!(run.await.unwrap().trim(), number.to_string());
        }
        ssh.close().await;
        lab.shutdown().await;
    })
    .await;
}

async fn get(socket: &Path) -> String {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    let ask = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn tunnels_reach_the_services_of_the_lab_and_name_what_does_not_listen() {
    limited(async {
        let (lab, ssh, _dir) = start().await;
        let forward = ssh.forward(&id(MACHINE), "127.0.0.1", 80).await.unwrap();
        for _ in 0..20 {
            assert!(get(&forward.socket).await.starts_with("HTTP/1.1 "));
        }
        let failure = ssh.forward(&id(MACHINE), "127.0.0.1", 1).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(failure.message.contains("nothing listens"), "{failure}");
        ssh.close().await;
        lab.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_the_lab_ends_when_it_is_stopped() {
    limited(async {
        let (lab, ssh, _dir) = start().await;
        let (sender, mut lines) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let following = tokio::spawn({
            let (ssh, stop) = (Arc::clone(&ssh), stop.clone());
            let argv: Vec<String> = ["journalctl", "-f"].map(str::to_owned).into();
            async move { ssh.follow(&id(MACHINE), &argv, sender, stop).await }
        });
        tokio::spawn(async move { while lines.recv().await.is_some() {} });
        let other = ssh.run(&id(MACHINE), &RemoteCommand::new(["true"])).await;
        assert_eq!(other.unwrap().status, Some(0));
        stop.cancel();
        assert_eq!(following.await.unwrap().unwrap(), None);
        ssh.close().await;
        lab.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_lab_that_ends_is_noticed() {
    limited(async {
        let (lab, ssh, _dir) = start().await;
        ssh.check(&id(MACHINE)).await.unwrap();
        lab.shutdown().await;
        let failure = ssh.check(&id(MACHINE)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
        ssh.close().await;
    })
    .await;
}
