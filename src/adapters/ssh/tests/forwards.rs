//! Tunnels, with a small web service at their far end.

use super::server::{Server, id, limited, until};
use cockpit_engine::failure::FailureKind;
use cockpit_engine::ports::Remote;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};

/// Answers every request with `200` and closes.
async fn service() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 1024];
                if stream.read(&mut head).await.unwrap_or(0) > 0 {
                    let answer =
                        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
                    drop(stream.write_all(answer).await);
                }
            });
        }
    });
    port
}

async fn get(socket: &Path) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test]
async fn a_hundred_requests_pass_and_the_socket_is_shared_private_and_gone_with_its_last_holder() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let port = service().await;
        let forward = ssh.forward(&id("edge"), "127.0.0.1", port).await.unwrap();
        let began = Instant::now();
        for _ in 0..100 {
            assert!(get(&forward.socket).await.unwrap().ends_with("ok"));
        }
        println!("one request: {:?}", began.elapsed() / 100);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&forward.socket), 0o600);
        assert_eq!(mode(forward.socket.parent().unwrap()), 0o700);
        assert_eq!(mode(&server.path("r")), 0o700);
        let again = ssh.forward(&id("edge"), "127.0.0.1", port).await.unwrap();
        assert_eq!(again.socket, forward.socket);
        forward.check().await.unwrap();
        let socket = forward.socket.clone();
        forward.close().await;
        assert!(get(&socket).await.is_ok(), "another handle still holds it");
        drop(again);
        assert!(!socket.exists());
        let next = ssh.forward(&id("edge"), "127.0.0.1", port).await.unwrap();
        assert_ne!(next.socket, socket);
        assert!(get(&next.socket).await.is_ok());
        ssh.close().await;
        assert!(!next.socket.exists());
    })
    .await;
}

#[tokio::test]
async fn nothing_listening_there_is_said_in_words() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let port = free_port();
        let failure = ssh
            .forward(&id("edge"), "127.0.0.1", port)
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(
            failure.message.contains(&format!(
                "`edge` answers, but nothing listens on 127.0.0.1:{port}"
            )),
            "{failure}"
        );
        assert!(
            failure.hint.contains(&format!("ss -ltnp | grep :{port}")),
            "{}",
            failure.hint
        );
        // The service comes up: no memory of the failure is in the way.
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let forward = ssh.forward(&id("edge"), "127.0.0.1", port).await.unwrap();
        drop(listener);
        let gone = forward.check().await.unwrap_err();
        assert!(gone.message.contains("nothing listens"), "{gone}");
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_refuses_forwarding_is_denied_with_the_setting_to_change() {
    let Some(server) = Server::start_with("AllowTcpForwarding no") else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let port = service().await;
        let failure = ssh
            .forward(&id("edge"), "127.0.0.1", port)
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
        assert!(failure.hint.contains("AllowTcpForwarding"));
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_tunnel_survives_a_restart_of_the_server_on_a_fresh_socket() {
    let Some(mut server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = server.ssh();
        let port = service().await;
        let forward = ssh.forward(&id("edge"), "127.0.0.1", port).await.unwrap();
        assert!(get(&forward.socket).await.unwrap().ends_with("ok"));
        server.kill();
        tokio::time::timeout(Duration::from_secs(5), forward.ended())
            .await
            .unwrap();
        assert!(!forward.is_open());
        assert_eq!(
            forward.renewed().await.unwrap_err().kind,
            FailureKind::Unreachable
        );
        assert!(server.up());
        let end = Instant::now() + Duration::from_secs(10);
        let renewed = loop {
            match forward.renewed().await {
                Ok(renewed) => break renewed,
                Err(failure) => assert!(Instant::now() < end, "{failure}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_ne!(renewed.socket, forward.socket);
        assert!(get(&renewed.socket).await.unwrap().ends_with("ok"));
        let old = forward.socket.clone();
        drop(forward);
        until("the old socket is gone", Duration::from_secs(2), || {
            !old.exists()
        })
        .await;
        ssh.close().await;
    })
    .await;
}

#[tokio::test]
async fn many_callers_at_once_share_one_tunnel() {
    let Some(server) = Server::start() else {
        return;
    };
    limited(async {
        let ssh = std::sync::Arc::new(server.ssh());
        let port = service().await;
        let opening: Vec<_> = (0..20)
            .map(|_| {
                let ssh = std::sync::Arc::clone(&ssh);
                tokio::spawn(
                    async move { ssh.forward(&id("edge"), "127.0.0.1", port).await.unwrap() },
                )
            })
            .collect();
        let mut sockets = std::collections::BTreeSet::new();
        let mut held = Vec::new();
        for forward in opening {
            let forward = forward.await.unwrap();
            sockets.insert(forward.socket.clone());
            held.push(forward);
        }
        assert_eq!(sockets.len(), 1);
        ssh.close().await;
    })
    .await;
}
