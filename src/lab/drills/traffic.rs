//! What flows: forwards, the public base, the hosts behind them, the logs that speak of it.

use super::tools::{Forward, chat, on, public, ssh_command, ssh_is_here, with_lab};
use crate::fleet;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::test]
async fn a_forward_carries_http_and_an_unknown_target_is_refused() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let front = Forward::open(&lab, "remote43", "127.0.0.1:80").await;
        let (status, body) = front
            .get("/portal-admin-api/healthz")
            .await
            .expect("answer");
        assert_eq!((status, body.as_str()), (200, "ok"));
        let host = Forward::open(&lab, "remote43", "127.0.0.1:8080").await;
        let (status, body) = host.get("/v1/models").await.expect("answer");
        assert_eq!(status, 401);
        assert!(body.contains("API_KEY_REQUIRED"), "{body}");
        for (target, words) in [
            ("127.0.0.1:9999", "connect failed: Connection refused"),
            (
                "nowhere.example:80",
                "connect failed: Name or service not known",
            ),
        ] {
            let mut nowhere = Forward::open(&lab, "remote43", target).await;
            assert_eq!(nowhere.get("/").await, None);
            let said = nowhere.says().await;
            assert!(said.contains(words), "{said}");
        }
        let vendor = Forward::open(&lab, "accept44", "good.upstream.lab:80").await;
        let (status, _) = vendor.get("/v1/models").await.expect("answer");
        assert_eq!(status, 401);
        lab
    })
    .await;
}

#[tokio::test]
async fn a_forward_survives_many_new_keys() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let rekeying = ["-o", "RekeyLimit=1K"];
        let host = Forward::open_with(&lab, "remote43", "127.0.0.1:80", &rekeying).await;
        for round in 0..40 {
            let answer = host.get("/portal/").await;
            assert!(
                matches!(answer, Some((200, _))),
                "round {round}: {answer:?}"
            );
        }
        lab
    })
    .await;
}

#[tokio::test]
async fn the_public_base_routes_as_the_site_says() {
    with_lab(|lab| async move {
        let (status, body) = public(&lab, "/v1/models").await;
        assert_eq!(status, 401);
        assert!(body.contains("API_KEY_REQUIRED"), "{body}");
        assert_eq!(
            public(&lab, "/portal-admin-api/healthz").await,
            (200, "ok".to_owned())
        );
        assert_eq!(public(&lab, "/portal-admin-api/api/batches").await.0, 401);
        let (status, body) = public(&lab, "/portal/").await;
        assert_eq!(status, 200);
        assert!(body.contains("<title>Portal</title>"));
        assert_eq!(public(&lab, "/kimi-v1/models").await.0, 401);
        assert_eq!(public(&lab, "/portal-proxy/health").await.0, 200);
        lab
    })
    .await;
}

#[tokio::test]
async fn a_head_request_has_the_head_only() {
    with_lab(|lab| async move {
        let client = crate::lab::http_client().expect("client");
        for (path, status) in [("/portal/", 200), ("/kimi", 301)] {
            let url = format!("{}{path}", lab.public_base());
            let answer = client.head(url).send().await.expect("answers");
            assert_eq!(answer.status().as_u16(), status, "{path}");
            assert_eq!(answer.text().await.expect("body"), "", "{path}");
        }
        lab
    })
    .await;
}

#[tokio::test]
async fn the_access_log_grows_while_it_is_followed() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        public(&lab, "/portal/").await;
        let mut command = ssh_command(&lab.ssh_config());
        command
            .args(["remote43", "tail -n 1 -F /var/log/nginx/access.log"])
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("ssh starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        for (path, status) in [("/portal/", 200), ("/v1/models", 401), ("/kimi", 301)] {
            let line = lines.next_line().await.expect("readable").expect("a line");
            let words = format!("\"GET {path} HTTP/1.1\" {status} ");
            assert!(line.contains(&words), "{line}");
            let next = if path == "/portal/" {
                "/v1/models"
            } else {
                "/kimi"
            };
            public(&lab, next).await;
        }
        lab
    })
    .await;
}

#[tokio::test]
async fn an_active_key_gets_pong_from_both_models() {
    with_lab(|lab| async move {
        for model in fleet::PROD_MODELS {
            let (status, body) = chat(&lab, model).await;
            assert_eq!(status, 200, "{model}: {body}");
            assert!(body.contains("pong"), "{model}: {body}");
        }
        let seen = lab.log().since(0);
        assert!(
            seen.iter()
                .any(|row| row.service == "upstream:good" && row.status == 200)
        );
        assert!(seen.iter().any(|row| row.service == "nginx:remote43"));
        lab
    })
    .await;
}

#[tokio::test]
async fn a_container_log_streams_and_keeps_its_two_streams_apart() {
    if !ssh_is_here() {
        return;
    }
    with_lab(|lab| async move {
        let mut command = ssh_command(&lab.ssh_config());
        command
            .args(["remote43", "docker logs -f --tail 0 sub2api"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("ssh starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
        // Asked again until the follower is there: `--tail 0` shows later lines only.
        let line = loop {
            assert_eq!(public(&lab, "/v1/models").await.0, 401);
            let wait = std::time::Duration::from_millis(100);
            if let Ok(line) = tokio::time::timeout(wait, out.next_line()).await {
                break line.expect("readable").expect("a line");
            }
        };
        assert!(
            line.contains("\tINFO\t") && line.contains("http request completed"),
            "{line}"
        );

        lab.set_fault("binding-lost").expect("a fault");
        assert_ne!(chat(&lab, "gpt-5.4").await.0, 200);
        let mut err = BufReader::new(child.stderr.take().expect("piped")).lines();
        let line = err.next_line().await.expect("readable").expect("a line");
        assert!(line.contains("\tWARN\t"), "{line}");
        let whole = on(&lab, "remote43", "docker logs sub2api").await;
        assert!(whole.err.contains("account_select_failed"), "{}", whole.err);
        assert!(
            !whole.out.contains("account_select_failed"),
            "{}",
            whole.out
        );
        lab
    })
    .await;
}
