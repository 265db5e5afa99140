//! Streams that do not end by themselves.

use super::server::{Server, id, limited, lives, until};
use crate::ssh::Ssh;
use cockpit_engine::failure::{FailureKind, Outcome};
use cockpit_engine::ports::{Remote, RemoteCommand, StreamText};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

struct Followed {
    task: JoinHandle<Outcome<Option<i32>>>,
    lines: mpsc::Receiver<StreamText>,
    stop: CancellationToken,
}

fn follow(ssh: &Arc<Ssh>, machine: &str, argv: &[&str]) -> Followed {
    let (sender, lines) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let (ssh, machine, token) = (Arc::clone(ssh), id(machine), stop.clone());
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    let task = tokio::spawn(async move { ssh.follow(&machine, &argv, sender, token).await });
    Followed { task, lines, stop }
}

impl Followed {
    async fn line(&mut self) -> String {
        tokio::time::timeout(Duration::from_secs(10), self.lines.recv())
            .await
            .expect("no line within 10 s")
            .expect("the stream ended")
            .text
            .trim_end_matches('\n')
            .to_owned()
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[tokio::test]
async fn lines_come_as_they_are_written_and_stopping_ends_the_far_program_though_it_is_silent() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = Arc::new(server.ssh());
        let (log, note) = (server.path("app.log"), server.path("pid"));
        append(&log, "first\n");
        let script = format!(
            "echo $$ > {}; exec tail -n 1 -F {}",
            note.display(),
            log.display()
        );
        let mut followed = follow(&ssh, "edge", &["sh", "-c", &script]);
        assert_eq!(followed.line().await, "first");
        append(&log, "second sk-abcdefghijklmnop1234\n");
        assert_eq!(followed.line().await, "second sk-..1234");
        let pid = fs::read_to_string(note).unwrap().trim().parse().unwrap();
        assert!(lives(pid));
        followed.stop.cancel();
        assert_eq!(followed.task.await.unwrap().unwrap(), None);
        until("the far tail is gone", Duration::from_secs(5), || {
            !lives(pid)
        })
        .await;
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_program_that_ignores_a_closed_pipe_is_ended_too() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = Arc::new(server.ssh());
        let script = "trap '' PIPE TERM; echo $$; while :; do sleep 0.2; done";
        let mut followed = follow(&ssh, "edge", &["sh", "-c", script]);
        let pid = followed.line().await.parse().unwrap();
        drop(followed.lines);
        assert_eq!(followed.task.await.unwrap().unwrap(), None);
        until("the stubborn one is gone", Duration::from_secs(6), || {
            !lives(pid)
        })
        .await;
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_ends_by_itself_gives_its_status_and_all_its_lines() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = Arc::new(server.ssh());
        let mut followed = follow(
            &ssh,
            "edge",
            &["sh", "-c", "seq 1 5000; echo oops >&2; exit 4"],
        );
        let (mut out, mut err) = (0, 0);
        while let Some(part) = followed.lines.recv().await {
            for line in part.lines() {
                if part.is_stderr {
                    assert_eq!(line, "oops");
                    err += 1;
                } else {
                    out += 1;
                    assert_eq!(line, out.to_string());
                }
            }
        }
        assert_eq!((out, err), (5000, 1));
        assert_eq!(followed.task.await.unwrap().unwrap(), Some(4));
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn eighteen_streams_leave_room_for_commands() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = Arc::new(server.ssh());
        let mut all: Vec<_> = (0..18)
            .map(|_| follow(&ssh, "edge", &["sh", "-c", "echo here; exec sleep 300"]))
            .collect();
        for followed in &mut all {
            assert_eq!(followed.line().await, "here");
        }
        let output = ssh
            .run(&id("edge"), &RemoteCommand::new(["true"]))
            .await
            .unwrap();
        assert_eq!(output.status, Some(0));
        ssh.close().await;
        for followed in all {
            assert!(followed.task.await.unwrap().is_ok());
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_killed_under_a_stream_is_noticed_at_once_and_the_next_one_works() {
    let Some(mut server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = Arc::new(server.ssh());
        let mut followed = follow(&ssh, "edge", &["sh", "-c", "echo here; exec sleep 300"]);
        assert_eq!(followed.line().await, "here");
        let began = Instant::now();
        server.kill();
        let failure = followed.task.await.unwrap().unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{:?}",
            began.elapsed()
        );
        assert!(server.up());
        let mut next = follow(&ssh, "edge", &["sh", "-c", "echo again; exec sleep 300"]);
        assert_eq!(next.line().await, "again");
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn streams_on_this_computer_work_alike() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = Arc::new(server.ssh());
        let mut followed = follow(&ssh, "local", &["sh", "-c", "echo $$; exec sleep 300"]);
        let pid = followed.line().await.parse().unwrap();
        followed.stop.cancel();
        assert_eq!(followed.task.await.unwrap().unwrap(), None);
        until("the sleep is gone", Duration::from_secs(5), || !lives(pid)).await;
        let ended = follow(&ssh, "local", &["sh", "-c", "exit 6"]);
        assert_eq!(ended.task.await.unwrap().unwrap(), Some(6));
    })
    .await;
}
