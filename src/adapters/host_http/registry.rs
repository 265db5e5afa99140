//! The hosts of the config, opened when first asked for.

use super::client::{HostHttp, Limits};
use super::credential::{Credential, Credentials};
use super::tunnels::Tunnels;
use async_trait::async_trait;
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::HostId;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{HostApi, Hosts, TrialCredential};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A host of the config, and its client once there is one. The lock is per host: a machine that
/// does not answer holds up nobody else's.
struct Slot {
    settings: HostSettings,
    open: Mutex<Option<Arc<HostHttp>>>,
}

/// Gives the API of every host of the config.
pub struct HostRegistry {
    slots: BTreeMap<HostId, Slot>,
    tunnels: Arc<dyn Tunnels>,
    credentials: Arc<dyn Credentials>,
    redactor: Redactor,
    limits: Limits,
}

impl HostRegistry {
    /// A registry over the hosts of the config, with the usual limits.
    pub fn new(
        hosts: impl IntoIterator<Item = HostSettings>,
        tunnels: Arc<dyn Tunnels>,
        credentials: Arc<dyn Credentials>,
        redactor: Redactor,
    ) -> Self {
        let slots = hosts
            .into_iter()
            .map(|settings| {
                let open = Mutex::new(None);
                (settings.id.clone(), Slot { settings, open })
            })
            .collect();
        Self {
            slots,
            tunnels,
            credentials,
            redactor,
            limits: Limits::default(),
        }
    }

    /// Sets other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl HostRegistry {
    async fn opened(&self, host: &HostSettings, credential: Credential) -> Outcome<Arc<HostHttp>> {
        let api = Arc::new(HostHttp::new(
            host,
            self.tunnels.clone(),
            credential,
            self.redactor.clone(),
            self.limits,
        )?);
        api.open()
            .await
            .map_err(|failure| failure.doing(format!("opening the way to `{}`", host.id)))?;
        Ok(api)
    }
}

#[async_trait]
impl Hosts for HostRegistry {
    async fn trial(
        &self,
        host: &HostSettings,
        credential: TrialCredential,
    ) -> Outcome<Arc<dyn HostApi>> {
        let credential = match credential {
            TrialCredential::Key(key) => Credential::AdminKey(key),
            TrialCredential::Login { email, password } => Credential::Login { email, password },
        };
        Ok(self.opened(host, credential).await?)
    }

    async fn api(&self, host: &HostId) -> Outcome<Arc<dyn HostApi>> {
        let Some(slot) = self.slots.get(host) else {
            let known: Vec<_> = self.slots.keys().map(HostId::as_str).collect();
            let hint = if known.is_empty() {
                "add a `[host.NAME]` to the configuration".to_owned()
            } else {
                format!("the configuration knows: {}", known.join(", "))
            };
            return Err(
                Failure::new(FailureKind::Config, format!("there is no host `{host}`")).hint(hint),
            );
        };
        let mut open = slot.open.lock().await;
        // A refused credential may have been replaced where its reference points.
        if let Some(api) = open.as_ref() {
            if !api.is_refused() {
                return Ok(api.clone());
            }
            self.credentials.forget(host).await;
        }
        *open = None;
        let credential =
            self.credentials.of(host).await.map_err(|failure| {
                failure.doing(format!("resolving the credential of `{host}`"))
            })?;
        let api = self.opened(&slot.settings, credential).await?;
        *open = Some(api.clone());
        Ok(api)
    }
}
