//! Lost answers: what was surely not sent, what may have been done.

use super::{FakeTunnels, Far, admin_key, good, host, place, quick};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::FailureKind;
use cockpit_engine::ports::HostApi;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

/// A far end below HTTP: reads the request's head and body, says `reply`, then closes or hangs.
pub(super) struct Rude {
    pub(super) socket: PathBuf,
    connections: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
}

impl Rude {
    pub(super) fn saying(reply: &str, hang: bool) -> Self {
        let reply = reply.to_owned();
        let (folder, socket) = place();
        let listener = UnixListener::bind(&socket).unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        drop(tokio::spawn(async move {
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let mut bytes = [0; 16 << 10];
                assert!(stream.read(&mut bytes).await.unwrap() > 0);
                stream.write_all(reply.as_bytes()).await.unwrap();
                if hang {
                    open.push(stream);
                }
            }
        }));
        Self {
            socket,
            connections,
            _folder: folder,
        }
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

const HALF: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"code\":0,";

#[tokio::test]
async fn a_write_whose_answer_is_cut_off_may_be_done_and_is_not_repeated() {
    for (name, reply) in [("nothing came", ""), ("half an answer came", HALF)] {
        let rude = Rude::saying(reply, false);
        let api = host(FakeTunnels::to(&rude.socket), admin_key(), quick());
        let failure = api.delete_group(RemoteId(1)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{name}");
        assert!(failure.maybe_done, "{name}");
        assert!(failure.hint.contains("may have taken effect"), "{name}");
        assert!(failure.message.contains("was cut"), "{name}: {failure}");
        assert_eq!(rude.count(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_read_that_is_cut_off_is_sent_again_and_never_maybe_done() {
    let rude = Rude::saying("", false);
    let api = host(FakeTunnels::to(&rude.socket), admin_key(), quick());
    let failure = api.offers().await.unwrap_err();
    assert!(!failure.maybe_done);
    assert_eq!(rude.count(), 3);
}

#[tokio::test]
async fn a_write_without_an_answer_in_time_may_be_done() {
    let rude = Rude::saying("", true);
    let mut limits = quick();
    limits.call = Duration::from_millis(150);
    let api = host(FakeTunnels::to(&rude.socket), admin_key(), limits);
    let write = api.delete_group(RemoteId(1)).await.unwrap_err();
    assert!(write.maybe_done);
    assert!(write.message.contains("in time"), "{write}");
    let read = api.offers().await.unwrap_err();
    assert!(!read.maybe_done);
    assert_eq!(rude.count(), 2, "a slow host is not asked again at once");
}

#[tokio::test]
async fn a_login_or_a_look_without_an_answer_is_not_maybe_done() {
    let rude = Rude::saying("", false);
    let api = host(FakeTunnels::to(&rude.socket), admin_key(), quick());
    let login = api.login("u@lab", &Secret::new("a long password")).await;
    assert!(!login.unwrap_err().maybe_done);
    assert!(
        !api.upstream_models(RemoteId(1))
            .await
            .unwrap_err()
            .maybe_done
    );
}

#[tokio::test]
async fn an_account_test_that_gives_no_head_may_have_run() {
    let rude = Rude::saying("", false);
    let api = host(FakeTunnels::to(&rude.socket), admin_key(), quick());
    let failure = api.test_account(RemoteId(1), "m").await.unwrap_err();
    assert!(failure.maybe_done);
    assert_eq!(rude.count(), 1);
}

#[tokio::test]
async fn a_dead_socket_is_asked_for_anew_and_the_write_goes_out_once() {
    let (_folder, dead) = place();
    let far = Far::answering(|_| good(&json!({})));
    let tunnels = FakeTunnels::in_order(&[&dead, &far.socket]);
    let api = host(tunnels.clone(), admin_key(), quick());
    assert!(api.delete_group(RemoteId(1)).await.unwrap());
    assert_eq!(far.seen().len(), 1);
    assert_eq!(
        tunnels.asked(),
        ["far 127.0.0.1:8080", "far 127.0.0.1:8080"]
    );
    assert!(api.delete_group(RemoteId(2)).await.unwrap());
    assert_eq!(tunnels.asked().len(), 2, "the new socket is kept");
}

#[tokio::test]
async fn a_write_nobody_took_is_surely_not_done() {
    let (_folder, dead) = place();
    let api = host(FakeTunnels::to(&dead), admin_key(), quick());
    let failure = api.delete_group(RemoteId(1)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(!failure.maybe_done);
    assert!(failure.message.contains("`127.0.0.1:8080` through `far`"));
    assert!(!failure.hint.is_empty());
}

#[tokio::test]
async fn a_tunnel_that_cannot_be_made_speaks_for_itself() {
    let api = host(FakeTunnels::in_order(&[]), admin_key(), quick());
    let failure = api.delete_group(RemoteId(1)).await.unwrap_err();
    assert_eq!(failure.message, "no such machine");
    assert!(!failure.maybe_done);
}

#[tokio::test]
async fn what_the_tunnel_knows_explains_a_wordless_end() {
    let rude = Rude::saying("", false);
    let words = "nothing listens at 127.0.0.1:8080 on `far`";
    let tunnels = FakeTunnels::speaking(&[&rude.socket], Some(words));
    let api = host(tunnels, admin_key(), quick());
    let read = api.offers().await.unwrap_err();
    assert_eq!(
        (read.message.as_str(), read.hint.as_str()),
        (words, "start it")
    );
    let write = api.delete_group(RemoteId(1)).await.unwrap_err();
    assert_eq!(write.message, words);
    assert!(write.maybe_done, "the reason now is not the reason then");
}

#[tokio::test]
async fn no_more_calls_are_in_flight_than_allowed() {
    let (folder, socket) = place();
    let listener = UnixListener::bind(&socket).unwrap();
    let mut settings = super::settings();
    settings.in_flight = 2;
    let tunnels = FakeTunnels::to(&socket);
    let api = crate::host_http::HostHttp::new(
        &settings,
        tunnels,
        admin_key(),
        cockpit_domain::text::Redactor::new(),
        quick(),
    )
    .unwrap();
    let api = Arc::new(api);
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let api = api.clone();
            tokio::spawn(async move { api.offers().await })
        })
        .collect();
    let mut open = Vec::new();
    for _ in 0..2 {
        open.push(listener.accept().await.unwrap().0);
    }
    // The other four are made and must not come while the first two have no answer.
    let third = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(third.is_err());
    drop(open);
    let third = tokio::time::timeout(Duration::from_secs(5), listener.accept()).await;
    assert!(third.is_ok());
    for call in calls {
        call.abort();
    }
    drop(folder);
}
