//! Opening hosts of the config.

use super::{ADMIN_KEY, FakeTunnels, Far, good, provide_tls, quick, said, settings};
use crate::host_http::{Credential, Credentials, HostRegistry};
use async_trait::async_trait;
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::{HostId, MachineId};
use cockpit_domain::secret::Secret;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::Hosts;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Gives a wrong key first, then the right one.
#[derive(Default)]
struct Vault {
    asked: AtomicUsize,
    wrong_first: bool,
    locked: bool,
}

#[async_trait]
impl Credentials for Vault {
    async fn of(&self, _: &HostId) -> Outcome<Credential> {
        let no = self.asked.fetch_add(1, Ordering::SeqCst);
        if self.locked {
            return Err(Failure::new(FailureKind::Config, "the file is missing"));
        }
        let key = if self.wrong_first && no == 0 {
            "admin-stale"
        } else {
            ADMIN_KEY
        };
        Ok(Credential::AdminKey(Secret::new(key)))
    }
}

fn far() -> Far {
    Far::answering(|seen| {
        if seen.header("x-api-key") == Some(ADMIN_KEY) {
            good(&json!([]))
        } else {
            said(401, &json!({"code":"INVALID_ADMIN_KEY","message":"no"}))
        }
    })
}

fn registry(far: &Far, vault: &Arc<Vault>) -> (HostRegistry, Arc<FakeTunnels>) {
    provide_tls();
    let tunnels = FakeTunnels::to(&far.socket);
    let registry = HostRegistry::new(
        [settings()],
        tunnels.clone(),
        vault.clone(),
        Redactor::new(),
    )
    .with_limits(quick());
    (registry, tunnels)
}

#[tokio::test]
async fn a_host_is_opened_once_and_shared() {
    let (far, vault) = (far(), Arc::new(Vault::default()));
    let (registry, tunnels) = registry(&far, &vault);
    let id = settings().id;
    let (one, two) = tokio::join!(registry.api(&id), registry.api(&id));
    assert!(Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
    assert_eq!(vault.asked.load(Ordering::SeqCst), 1);
    assert_eq!(tunnels.asked().len(), 1);
    assert!(far.seen().is_empty(), "opening asks the host nothing");
}

#[tokio::test]
async fn a_refused_credential_is_resolved_anew_the_next_time() {
    let far = far();
    let vault = Arc::new(Vault {
        wrong_first: true,
        ..Vault::default()
    });
    let (registry, _) = registry(&far, &vault);
    let id = settings().id;
    let stale = registry.api(&id).await.unwrap();
    assert_eq!(stale.offers().await.unwrap_err().kind, FailureKind::Denied);
    let fresh = registry.api(&id).await.unwrap();
    assert!(fresh.offers().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_unknown_host_and_a_missing_credential_are_explained() {
    let far = far();
    let vault = Arc::new(Vault {
        locked: true,
        ..Vault::default()
    });
    let (registry, _) = registry(&far, &vault);
    let unknown = registry.api(&HostId::new("nope").unwrap()).await;
    let unknown = unknown.err().unwrap();
    assert_eq!(unknown.kind, FailureKind::Config);
    assert!(unknown.hint.contains("accept"));
    let locked = registry.api(&settings().id).await.err().unwrap();
    assert_eq!(
        locked.to_string(),
        "resolving the credential of `accept`: the file is missing"
    );
}

#[tokio::test]
async fn a_local_host_is_reached_over_tcp_without_a_tunnel() {
    provide_tls();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = axum::Router::new().fallback(|| async { good(&json!([])) });
    drop(tokio::spawn(async move {
        axum::serve(listener, router).await.unwrap();
    }));
    let tunnels = FakeTunnels::in_order(&[]);
    let local = HostSettings {
        machine: MachineId::local(),
        address,
        ..settings()
    };
    let vault = Arc::new(Vault::default());
    let registry = HostRegistry::new([local], tunnels.clone(), vault, Redactor::new());
    let api = registry.api(&settings().id).await.unwrap();
    assert!(api.offers().await.unwrap().is_empty());
    assert!(tunnels.asked().is_empty());
}

#[tokio::test]
async fn an_address_that_is_none_is_named() {
    provide_tls();
    for (address, word) in [
        ("ftp://a.lab", "no HTTP address"),
        ("http://me:secret@a.lab", "belongs into its credential"),
        ("a b", "cannot be read"),
    ] {
        let wrong = HostSettings {
            address: address.to_owned(),
            ..settings()
        };
        let registry = HostRegistry::new(
            [wrong],
            FakeTunnels::in_order(&[]),
            Arc::new(Vault::default()),
            Redactor::new(),
        );
        let failure = registry.api(&settings().id).await.err().unwrap();
        assert_eq!(failure.kind, FailureKind::Config, "{address}");
        assert!(failure.message.contains(word), "{address}: {failure}");
        assert!(!failure.message.contains("secret"));
    }
}
