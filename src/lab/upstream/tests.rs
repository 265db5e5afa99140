//! The vendors by themselves.

use super::{Ailment, Vendor, VendorKind};
use crate::request_log::RequestLog;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

struct Kit {
    vendor: Vendor,
    log: RequestLog,
    base: String,
    client: reqwest::Client,
}

async fn kit(kind: VendorKind) -> Kit {
    drop(rustls::crypto::ring::default_provider().install_default());
    let log = RequestLog::default();
    let vendor = Vendor::new("v", kind, vec!["m".to_owned()], log.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = vendor.router();
    drop(tokio::spawn(
        async move { axum::serve(listener, router).await },
    ));
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    Kit {
        vendor,
        log,
        base,
        client,
    }
}

impl Kit {
    async fn post(&self, path: &str, key: &str, body: Value) -> (u16, String) {
        let request = self.client.post(format!("{}{path}", self.base));
        let response = request.bearer_auth(key).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn chat(&self, key: &str) -> (u16, String) {
        let body = json!({ "model": "m", "stream": false,
            "messages": [{ "role": "user", "content": "reply with pong only" }] });
        self.post("/v1/chat/completions", key, body).await
    }
}

#[tokio::test]
async fn a_key_is_judged_by_its_prefix() {
    let kit = kit(VendorKind::Good).await;
    for (key, status, word) in [
        ("sk-lab-good-1", 200, "pong"),
        ("sk-lab-quota-1", 403, "insufficient_user_quota"),
        ("sk-lab-429-1", 429, "rate_limit"),
        ("sk-lab-bad-1", 401, "invalid_api_key"),
        ("sk-lab-echo-1", 401, "sk-lab-echo-1"),
        ("sk-other", 401, "invalid_api_key"),
    ] {
        let (got, text) = kit.chat(key).await;
        assert_eq!(got, status, "{key}");
        assert!(text.contains(word), "{key}: {text}");
    }
    assert_eq!(kit.log.last(), 6);
    assert!(
        kit.log
            .since(0)
            .iter()
            .all(|row| row.service == "upstream:v" && row.model == "m")
    );
}

#[tokio::test]
async fn the_first_forbidden_answer_is_bare_and_the_only_one() {
    let kit = kit(VendorKind::Good).await;
    let (status, text) = kit.chat("sk-lab-first403-1").await;
    assert_eq!(status, 403);
    let text = text.to_lowercase();
    assert!(
        !["quota", "auth", "key"]
            .iter()
            .any(|word| text.contains(word)),
        "{text}"
    );
    assert_eq!(kit.chat("sk-lab-first403-1").await.0, 200);
    assert_eq!(kit.chat("sk-lab-first403-2").await.0, 403);
}

#[tokio::test]
async fn a_slow_key_waits() {
    let kit = kit(VendorKind::Good).await;
    kit.vendor.set_slow_delay(Duration::from_millis(200));
    let started = Instant::now();
    assert_eq!(kit.chat("sk-lab-slow-1").await.0, 200);
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn the_quota_fault_hits_every_key_on_model_calls_only() {
    let kit = kit(VendorKind::ChatOnly).await;
    kit.vendor.ail(Ailment::Quota, true);
    assert_eq!(kit.chat("sk-lab-good-1").await.0, 403);
    let models = kit.client.get(format!("{}/v1/models", kit.base));
    let models = models.bearer_auth("sk-lab-good-1").send().await.unwrap();
    assert_eq!(models.status(), 200);
    kit.vendor.ail(Ailment::Quota, false);
    assert_eq!(kit.chat("sk-lab-good-1").await.0, 200);
}

#[tokio::test]
async fn unknown_models_and_missing_endpoints_have_their_errors() {
    let good = kit(VendorKind::Good).await;
    let body = json!({ "model": "x", "messages": [] });
    let (status, text) = good
        .post("/v1/chat/completions", "sk-lab-good-1", body.clone())
        .await;
    assert_eq!(status, 404);
    assert!(text.contains("model_not_found"));
    assert_eq!(
        good.post("/v1/responses", "sk-lab-good-1", body.clone())
            .await
            .0,
        400
    );
    for (kind, status) in [
        (VendorKind::ChatOnly, 404),
        (VendorKind::ChatOnlyWalled, 401),
        (VendorKind::ChatOnlyBroken, 500),
        (VendorKind::Dead, 502),
    ] {
        let kit = kit(kind).await;
        let got = kit
            .post("/v1/responses", "sk-lab-good-1", body.clone())
            .await
            .0;
        assert_eq!(got, status, "{kind:?}");
    }
}

#[tokio::test]
async fn a_prompt_is_never_echoed() {
    let kit = kit(VendorKind::Full).await;
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "secret words" }],
        "input": "secret words" });
    for path in ["/v1/chat/completions", "/v1/responses", "/v1/messages"] {
        let (status, text) = kit.post(path, "sk-lab-good-1", body.clone()).await;
        assert_eq!(status, 200, "{path}");
        assert!(!text.contains("secret"), "{text}");
    }
}
