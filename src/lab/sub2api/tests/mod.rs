//! The simulated host against its contract, over real sockets. A `trap` comment names the trap
//! of the contract that a test stands for.

mod accounts;
mod crash;
mod envelope;
mod gateway;
mod money;
mod resources;
mod warmup;

use super::model::{Account, ApiKey, Group, User};
use super::{HostOptions, SimHost};
use crate::net::AddressTable;
use crate::request_log::RequestLog;
use crate::upstream::{Vendor, VendorKind};
use axum::Router;
use reqwest::Method;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub(super) const ADMIN: &str = "admin-lab-key";
pub(super) const USER_KEY: &str = "sk-user-key-0000000001";

/// A host with two vendors, and a client for it.
pub(super) struct Kit {
    pub(super) host: SimHost,
    pub(super) log: RequestLog,
    pub(super) table: AddressTable,
    base: String,
    client: reqwest::Client,
}

/// An answer, read whole.
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) replayed: bool,
    pub(super) text: String,
    pub(super) json: Value,
}

async fn listen(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(tokio::spawn(
        async move { axum::serve(listener, router).await },
    ));
    at
}

impl Kit {
    pub(super) async fn new() -> Self {
        Self::with_probe(Duration::ZERO).await
    }

    pub(super) async fn with_probe(probe_delay: Duration) -> Self {
        let table = AddressTable::default();
        let log = RequestLog::default();
        let host = SimHost::new(HostOptions {
            id: "prod".to_owned(),
            machine: "m1".to_owned(),
            admin_key: ADMIN.to_owned(),
            admin_email: "admin@lab".to_owned(),
            admin_password: "admin-password".to_owned(),
            table: table.clone(),
            log: log.clone(),
            probe_delay,
            seed: 7,
        });
        let at = listen(host.router()).await;
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build()
            .unwrap();
        let kit = Self {
            host,
            log,
            table,
            base: format!("http://{at}"),
            client,
        };
        kit.vendor("good", VendorKind::Good).await;
        kit.vendor("chat", VendorKind::ChatOnly).await;
        kit
    }

    /// Puts a vendor at `http://<name>.upstream.lab`.
    pub(super) async fn vendor(&self, name: &str, kind: VendorKind) -> Vendor {
        let models = vec!["lab-chat".to_owned(), "gpt-5.4".to_owned()];
        let vendor = Vendor::new(name, kind, models, self.log.clone());
        vendor.set_slow_delay(Duration::from_millis(50));
        let at = listen(vendor.router()).await;
        self.table
            .bind("*", &format!("{name}.upstream.lab"), 80, at);
        vendor
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Heard, reqwest::Error> {
        let method: Method = method.parse().unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
        };
        let (kind, replayed) = (
            header("content-type"),
            header("x-idempotency-replayed") == "true",
        );
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Heard {
            status,
            kind,
            replayed,
            text,
            json,
        })
    }

    /// A call with the admin key.
    pub(super) async fn admin(&self, method: &str, path: &str, body: Value) -> Heard {
        let path = format!("/api/v1/admin{path}");
        let heard = self
            .send(method, &path, &[("x-api-key", ADMIN)], &body)
            .await;
        heard.unwrap()
    }

    /// A call with the admin key and an idempotency key.
    pub(super) async fn once(&self, path: &str, mark: &str, body: Value) -> Heard {
        let path = format!("/api/v1/admin{path}");
        let headers = [("x-api-key", ADMIN), ("idempotency-key", mark)];
        self.send("POST", &path, &headers, &body).await.unwrap()
    }

    /// A call as a logged-in user.
    pub(super) async fn user(&self, token: &str, method: &str, path: &str, body: Value) -> Heard {
        let path = format!("/api/v1{path}");
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        self.send(method, &path, &headers, &body).await.unwrap()
    }

    pub(super) async fn login(&self, email: &str, password: &str) -> Heard {
        let body = json!({ "email": email, "password": password });
        self.send("POST", "/api/v1/auth/login", &[], &body)
            .await
            .unwrap()
    }

    pub(super) async fn token(&self, email: &str, password: &str) -> String {
        let heard = self.login(email, password).await;
        heard.json["data"]["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A gateway call with a user's key; a null body is a GET.
    pub(super) async fn gateway(&self, path: &str, body: Value) -> Heard {
        let bearer = format!("Bearer {USER_KEY}");
        let headers = [("authorization", bearer.as_str())];
        let method = if body.is_null() { "GET" } else { "POST" };
        self.send(method, path, &headers, &body).await.unwrap()
    }

    /// A chat with the smoke prompt.
    pub(super) async fn pong(&self) -> Heard {
        self.gateway("/v1/chat/completions", smoke(false)).await
    }

    /// A standard openai group with a user, balance and key; gives the group's id.
    pub(super) fn seed_group(&self) -> i64 {
        self.host.with(|state| {
            // The order of choice is what most tests look at.
            state.settings.sticky_ttl = Duration::ZERO;
            state.settings.snapshot_lag = Duration::ZERO;
            let group = state.add_group(Group::new("relay", "openai"));
            let user = state.add_user(User::new("u@lab", "user-password").with_balance(5.0));
            state.add_key(ApiKey::new(user, USER_KEY, Some(group)));
            group
        })
    }

    /// An account of the good vendor, bound, forced to chat.
    pub(super) fn seed_account(&self, group: i64, name: &str, key: &str) -> i64 {
        self.seed(group, forced(name, "good", key))
    }

    pub(super) fn seed(&self, group: i64, account: Account) -> i64 {
        self.host.with(|state| {
            let account = state.add_account(account);
            state.bind(account, group);
            account
        })
    }

    /// Paths a vendor was asked, oldest first.
    pub(super) fn asked(&self, vendor: &str) -> Vec<String> {
        let service = format!("upstream:{vendor}");
        let rows = self.log.since(0).into_iter();
        rows.filter(|row| row.service == service)
            .map(|row| row.path)
            .collect()
    }

    pub(super) fn served_by(&self) -> Vec<i64> {
        self.host
            .with(|state| state.usage.iter().map(|row| row.account_id).collect())
    }
}

pub(super) fn smoke(stream: bool) -> Value {
    json!({ "model": "lab-chat", "stream": stream,
        "messages": [{ "role": "user", "content": "reply with pong only" }] })
}

pub(super) fn plain(name: &str, vendor: &str, key: &str) -> Account {
    let base = format!("http://{vendor}.upstream.lab");
    Account::apikey(name, "openai", &base, key).with_models(&["lab-chat"])
}

pub(super) fn forced(name: &str, vendor: &str, key: &str) -> Account {
    plain(name, vendor, key).with_responses_mode("force_chat_completions")
}

/// A create body for an account of a vendor.
pub(super) fn account_body(name: &str, vendor: &str, key: &str) -> Value {
    json!({ "name": name, "platform": "openai", "type": "apikey",
        "credentials": { "base_url": format!("http://{vendor}.upstream.lab"), "api_key": key,
            "model_mapping": { "lab-chat": "lab-chat" } } })
}

/// Looks again until it is true; fails after ten seconds.
pub(super) async fn until(what: &str, look: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !look() {
        assert!(Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn every_trap_of_the_contract_is_named_by_a_test() {
    let texts = [
        include_str!("accounts.rs"),
        include_str!("crash.rs"),
        include_str!("envelope.rs"),
        include_str!("gateway.rs"),
        include_str!("money.rs"),
        include_str!("resources.rs"),
        include_str!("warmup.rs"),
    ];
    let named: std::collections::BTreeSet<u32> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.trim().strip_prefix("// trap"))
        .flat_map(|rest| rest.split(|c: char| !c.is_ascii_digit()))
        .filter_map(|number| number.parse().ok())
        .collect();
    let missing: Vec<u32> = (1..=37).filter(|trap| !named.contains(trap)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
