//! A simulated host on a socket, and the things the contract tests put there.

use super::{FakeTunnels, admin_key, host, place, quick};
use crate::host_http::HostHttp;
use axum::Router;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{
    ChannelSpec, Group, GroupSpec, NewAccount, NewUser, PricingEntry, ResponsesMode,
    SubscriptionSpec, User,
};
use cockpit_domain::secret::Secret;
use cockpit_engine::ports::{HostApi, NewKey, Session};
use cockpit_lab::net::AddressTable;
use cockpit_lab::request_log::RequestLog;
use cockpit_lab::sub2api::{HostOptions, SimHost};
use cockpit_lab::upstream::{Vendor, VendorKind};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};

pub(super) const MODEL: &str = "lab-chat";
pub(super) const GONE: RemoteId = RemoteId(999_999);

/// A simulated host on a socket, with one good upstream.
pub(super) struct Stage {
    pub(super) sim: SimHost,
    pub(super) api: HostHttp,
    pub(super) socket: PathBuf,
    gateway: SocketAddr,
    _folder: tempfile::TempDir,
}

async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(tokio::spawn(async move {
        axum::serve(listener, router).await.unwrap();
    }));
    at
}

pub(super) async fn stage() -> Stage {
    let (table, log) = (AddressTable::default(), RequestLog::default());
    for (name, kind) in [
        ("good.upstream.lab", VendorKind::Good),
        ("chat.upstream.lab", VendorKind::ChatOnly),
    ] {
        let vendor = Vendor::new(name, kind, vec![MODEL.to_owned()], log.clone());
        table.bind("*", name, 80, listen(vendor.router()).await);
    }
    let sim = SimHost::new(HostOptions {
        id: "accept".to_owned(),
        machine: "far".to_owned(),
        admin_key: super::ADMIN_KEY.to_owned(),
        admin_email: "root@host.lab".to_owned(),
        admin_password: "correct horse battery".to_owned(),
        table,
        log,
        probe_delay: Duration::ZERO,
        seed: 7,
    });
    let (folder, socket) = place();
    let listener = UnixListener::bind(&socket).unwrap();
    let router = sim.router();
    drop(tokio::spawn(async move {
        axum::serve(listener, router).await.unwrap();
    }));
    Stage {
        api: host(FakeTunnels::to(&socket), admin_key(), quick()),
        gateway: listen(sim.router()).await,
        sim,
        socket,
        _folder: folder,
    }
}

impl Stage {
    pub(super) async fn group(&self, name: &str, kind: &str) -> Group {
        self.api.create_group(&group(name, kind)).await.unwrap()
    }

    pub(super) async fn user(&self, balance: f64) -> User {
        let new = NewUser {
            email: "managed@lab.test".to_owned(),
            password: Secret::new("derived password"),
            balance,
            allowed_groups: vec![],
        };
        self.api.create_user(&new).await.unwrap()
    }

    pub(super) async fn session(&self) -> Session {
        self.api
            .login("managed@lab.test", &Secret::new("derived password"))
            .await
            .unwrap()
    }

    pub(super) async fn chat(&self, key: &Secret) -> u16 {
        let url = format!("http://{}/v1/chat/completions", self.gateway);
        let message = json!({ "role": "user", "content": "hi" });
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build()
            .unwrap();
        let answer = client
            .post(url)
            .bearer_auth(key.expose())
            .json(&json!({ "model": MODEL, "messages": [message] }))
            .send()
            .await;
        answer.unwrap().status().as_u16()
    }
}

pub(super) fn group(name: &str, kind: &str) -> GroupSpec {
    GroupSpec {
        name: name.to_owned(),
        platform: "openai".to_owned(),
        subscription_type: kind.to_owned(),
        rate_multiplier: 1.5,
        is_exclusive: false,
    }
}

pub(super) fn channel(groups: &[RemoteId]) -> ChannelSpec {
    let models = BTreeMap::from([(MODEL.to_owned(), MODEL.to_owned())]);
    ChannelSpec {
        name: "deepseek channel".to_owned(),
        group_ids: groups.to_vec(),
        model_pricing: vec![PricingEntry {
            platform: "openai".to_owned(),
            models: vec![MODEL.to_owned()],
            billing_mode: "token".to_owned(),
            input_price: Some(0.000_001),
            output_price: Some(0.000_002),
        }],
        model_mapping: BTreeMap::from([("openai".to_owned(), models)]),
        billing_model_source: "channel_mapped".to_owned(),
        restrict_models: true,
    }
}

pub(super) fn account(name: &str, key: &str, groups: &[RemoteId]) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        platform: "openai".to_owned(),
        base_url: "http://good.upstream.lab".to_owned(),
        api_key: Secret::new(key),
        model_mapping: BTreeMap::from([(MODEL.to_owned(), MODEL.to_owned())]),
        responses_mode: ResponsesMode::Auto,
        group_ids: groups.to_vec(),
        concurrency: 10,
        priority: 1,
    }
}

pub(super) fn subscription(user: RemoteId, group: RemoteId) -> SubscriptionSpec {
    SubscriptionSpec {
        user_id: user,
        group_id: group,
        validity_days: 30,
        notes: "relay".to_owned(),
    }
}

pub(super) fn key(group: RemoteId) -> NewKey {
    NewKey {
        name: "managed".to_owned(),
        group_id: group,
        custom_key: Secret::new("sk-relay-0123456789abcdef0123"),
    }
}

pub(super) fn ids<T>(rows: &[T], id: fn(&T) -> RemoteId) -> Vec<RemoteId> {
    rows.iter().map(id).collect()
}
