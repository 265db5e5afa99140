//! Looks against scripted far ends, over UNIX sockets (the tunnel) and loopback TCP (from here).

use super::{Names, WebClient};
use crate::host_http::tests::{FakeTunnels, Far, Seen, place, provide_tls, said, text};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Response;
use cockpit_domain::ids::MachineId;
use cockpit_domain::secret::Secret;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::FailureKind;
use cockpit_engine::ports::{Vantage, Web, WebRequest};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

fn there() -> Vantage {
    Vantage::Machine(MachineId::new("far").unwrap())
}

fn through(far: &Far) -> (WebClient, Arc<FakeTunnels>) {
    provide_tls();
    let tunnels = FakeTunnels::to(&far.socket);
    (WebClient::new(tunnels.clone(), Redactor::new()), tunnels)
}

fn alone() -> WebClient {
    provide_tls();
    WebClient::new(FakeTunnels::in_order(&[]), Redactor::new())
}

fn echo(seen: &Seen) -> Response<Body> {
    let headers: Vec<_> = ["authorization", "x-api-key", "host", "cookie"]
        .iter()
        .map(|name| json!([name, seen.header(name)]))
        .collect();
    said(
        207,
        &json!({ "method": seen.method, "path": seen.path, "headers": headers, "got": seen.body }),
    )
}

async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(tokio::spawn(async move {
        axum::serve(listener, router).await.unwrap();
    }));
    at
}

#[tokio::test]
async fn a_look_from_a_machine_goes_through_its_tunnel_to_the_urls_own_port() {
    let far = Far::answering(echo);
    let (web, tunnels) = through(&far);
    for url in [
        "http://up.lab:8443/v1/models?a=b",
        "http://up.lab/",
        "http://[::1]:81/x",
    ] {
        let answer = web.fetch(&WebRequest::get(there(), url)).await.unwrap();
        assert_eq!(answer.status, 207, "every status is an answer");
        assert_eq!(answer.content_type, "application/json");
        assert!(!answer.truncated);
    }
    assert_eq!(
        tunnels.asked(),
        ["far up.lab:8443", "far up.lab:80", "far ::1:81"]
    );
    let seen = far.seen();
    assert_eq!(seen[0].header("host"), Some("up.lab:8443"));
    assert_eq!(seen[0].query, "a=b");
}

#[tokio::test]
async fn a_bearer_stands_in_authorization_only_and_is_cut_from_what_comes_back() {
    let far = Far::answering(|seen| {
        let shown = seen.header("authorization").unwrap_or_default();
        let mut answer = text(200, "text/plain", &format!("you said {shown} \u{1b}[31m"));
        answer
            .headers_mut()
            .insert("x-echo", shown.replace("Bearer ", "").parse().unwrap());
        answer.headers_mut().insert(
            "set-cookie",
            "session=hidden-thing; Path=/".parse().unwrap(),
        );
        answer
    });
    let (web, _) = through(&far);
    let key = "no shape at all 42";
    let request = WebRequest {
        method: "POST",
        bearer: Some(Secret::new(key)),
        json: Some(json!({ "model": "m" })),
        ..WebRequest::get(there(), "http://up.lab/v1/chat/completions")
    };
    let answer = web.fetch(&request).await.unwrap();
    let seen = &far.seen()[0];
    assert_eq!(
        seen.header("authorization"),
        Some("Bearer no shape at all 42")
    );
    assert_eq!(seen.header("x-api-key"), None);
    assert_eq!(
        (seen.method.as_str(), &seen.body),
        ("POST", &json!({ "model": "m" }))
    );
    let shown = format!("{answer:?}");
    assert!(!shown.contains("no shape"), "{shown}");
    assert!(!shown.contains("hidden-thing"), "{shown}");
    assert!(!answer.body.contains('\u{1b}'));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let far = Far::answering(|_| {
        Response::builder()
            .status(301)
            .header("Location", "https://up.lab/login?token=abcdefgh1234")
            .body(Body::empty())
            .unwrap()
    });
    let (web, _) = through(&far);
    let request = WebRequest {
        method: "HEAD",
        ..WebRequest::get(there(), "http://up.lab/")
    };
    let answer = web.fetch(&request).await.unwrap();
    assert_eq!(answer.status, 301);
    let location = answer.headers.iter().find(|(name, _)| name == "location");
    assert!(location.unwrap().1.starts_with("https://up.lab/login"));
    assert!(!location.unwrap().1.contains("abcdefgh"));
    assert_eq!(far.seen().len(), 1);
}

#[tokio::test]
async fn a_long_body_is_cut_at_the_limit() {
    let far = Far::answering(|_| text(200, "text/plain; charset=utf-8", &"好".repeat(9000)));
    let (web, _) = through(&far);
    let request = WebRequest {
        byte_limit: 100,
        ..WebRequest::get(there(), "http://up.lab/")
    };
    let answer = web.fetch(&request).await.unwrap();
    assert!(answer.truncated);
    assert_eq!(answer.body, "好".repeat(33));
    assert_eq!(answer.content_type, "text/plain");
}

#[tokio::test]
async fn a_feed_that_never_ends_is_given_as_far_as_it_came() {
    let far = Far::answering(|_| {
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(
            b"event: hello\ndata: 1\n\n",
        ))]);
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(Body::from_stream(first.chain(stream::pending())))
            .unwrap()
    });
    let (web, _) = through(&far);
    let request = WebRequest {
        time_limit: Duration::from_millis(500),
        ..WebRequest::get(there(), "http://up.lab/feed")
    };
    let answer = web.fetch(&request).await.unwrap();
    assert_eq!((answer.status, answer.truncated), (200, true));
    assert_eq!(answer.content_type, "text/event-stream");
    assert_eq!(answer.body, "event: hello\ndata: 1\n\n");
    assert!(answer.took >= Duration::from_millis(500));
}

#[tokio::test]
async fn a_listener_that_says_nothing_is_a_matter_of_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let request = WebRequest {
        time_limit: Duration::from_millis(100),
        ..WebRequest::get(Vantage::Here, url)
    };
    let failure = alone().fetch(&request).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.message.contains("from here (time)"), "{failure}");
}

#[tokio::test]
async fn a_closed_port_and_a_port_without_http_name_their_layer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 1024];
        assert!(stream.read(&mut bytes).await.unwrap() > 0);
        stream.write_all(b"SSH-2.0-OpenSSH\r\n\r\n").await.unwrap();
    });
    let web = alone();
    let request = WebRequest::get(Vantage::Here, url);
    let odd = web.fetch(&request).await.unwrap_err();
    assert!(odd.message.contains("(HTTP)"), "{odd}");
    server.await.unwrap();
    let closed = web.fetch(&request).await.unwrap_err();
    assert!(closed.message.contains("(connection)"), "{closed}");
    assert!(!closed.hint.is_empty());
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_names_its_layer() {
    let at = listen(Router::new()).await;
    let request = WebRequest::get(Vantage::Here, format!("https://{at}/"));
    let failure = alone().fetch(&request).await.unwrap_err();
    // Without any CA certificates on this computer there is nothing to check against.
    let no_roots = failure.kind == FailureKind::Config && failure.hint.contains("ca-certificates");
    let tls = failure.kind == FailureKind::Unreachable && failure.message.contains("(TLS)");
    assert!(no_roots || tls, "{failure:?}");
}

#[tokio::test]
async fn https_through_a_tunnel_is_still_checked() {
    let far = Far::answering(echo);
    let (web, tunnels) = through(&far);
    let request = WebRequest::get(there(), "https://up.lab/");
    let failure = web.fetch(&request).await.unwrap_err();
    let no_roots = failure.kind == FailureKind::Config && failure.hint.contains("ca-certificates");
    let tls = failure.kind == FailureKind::Unreachable && failure.message.contains("(TLS)");
    assert!(no_roots || tls, "{failure:?}");
    assert_eq!(tunnels.asked()[0], "far up.lab:443");
    assert!(far.seen().is_empty(), "nothing went out in clear");
}

#[tokio::test]
async fn plain_http_needs_no_certificates_and_goes_straight_there() {
    let at = listen(Router::new().fallback(|| async { text(200, "text/plain", "hi") })).await;
    let request = WebRequest::get(Vantage::Here, format!("http://{at}/"));
    let local = WebRequest {
        vantage: Vantage::Machine(MachineId::local()),
        ..request.clone()
    };
    let web = alone();
    for request in [request, local] {
        assert_eq!(web.fetch(&request).await.unwrap().body, "hi");
    }
}

#[tokio::test]
async fn a_dead_tunnel_is_asked_for_anew_once() {
    let (_folder, dead) = place();
    let far = Far::answering(echo);
    provide_tls();
    let tunnels = FakeTunnels::in_order(&[&dead, &far.socket]);
    let web = WebClient::new(tunnels.clone(), Redactor::new());
    let request = WebRequest::get(there(), "http://up.lab/");
    assert_eq!(web.fetch(&request).await.unwrap().status, 207);
    assert_eq!(tunnels.asked().len(), 2);
    let tunnels = FakeTunnels::to(&dead);
    let web = WebClient::new(tunnels.clone(), Redactor::new());
    let failure = web.fetch(&request).await.unwrap_err();
    assert!(
        failure.message.contains("from `far` (connection)"),
        "{failure}"
    );
    assert_eq!(tunnels.asked().len(), 2);
}

#[tokio::test]
async fn what_the_tunnel_knows_is_said_instead() {
    let (_folder, socket) = place();
    let listener = UnixListener::bind(&socket).unwrap();
    drop(tokio::spawn(async move {
        loop {
            // A forward to a closed port: taken, then ended without a word.
            drop(listener.accept().await.unwrap());
        }
    }));
    provide_tls();
    let words = "nothing listens at up.lab:80 on `far`";
    let web = WebClient::new(
        FakeTunnels::speaking(&[&socket], Some(words)),
        Redactor::new(),
    );
    let failure = web
        .fetch(&WebRequest::get(there(), "http://up.lab/"))
        .await
        .unwrap_err();
    assert_eq!(failure.message, words);
}

#[tokio::test]
async fn a_body_that_breaks_off_keeps_its_status_in_the_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 1024];
        assert!(stream.read(&mut bytes).await.unwrap() > 0);
        let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
        stream.write_all(half).await.unwrap();
    }));
    let request = WebRequest::get(Vantage::Here, url);
    let failure = alone().fetch(&request).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.status()),
        (FailureKind::Unreachable, 200)
    );
}

#[tokio::test]
async fn names_only_the_lab_knows_are_reached_under_their_own_host_header() {
    let far = Router::new().fallback(|request: axum::extract::Request| async move {
        let host = request.headers().get("host").cloned();
        let host = host.map(|host| host.to_str().unwrap().to_owned());
        text(200, "text/plain", &host.unwrap_or_default())
    });
    let at = listen(far).await;
    let names: Names =
        Arc::new(move |name, port| (name == "good.upstream.lab" && port == 80).then_some(at));
    let web = alone().with_names(names);
    let url = "http://good.upstream.lab/v1/models";
    let answer = web
        .fetch(&WebRequest::get(Vantage::Here, url))
        .await
        .unwrap();
    assert_eq!(answer.body, "good.upstream.lab");
}

#[tokio::test]
async fn addresses_that_make_no_sense_are_a_usage_error_without_their_secrets() {
    for url in [
        "up.lab/x",
        "file:///etc/passwd",
        "http://me:sk-abcdefgh123456@up.lab/",
        "http://",
    ] {
        let failure = alone()
            .fetch(&WebRequest::get(Vantage::Here, url))
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Usage, "{url}");
        assert!(!failure.message.contains("abcdefgh"), "{failure}");
    }
}
