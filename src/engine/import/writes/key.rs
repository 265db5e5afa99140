//! The managed key. Its text is derived from the replay key of the step, which is durable before
//! anything is sent: a replay is byte-equal, and a lost key is found by its text.

use crate::failure::Outcome;
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use crate::ports::{NewKey, Session};
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::{managed_key, managed_key_name};
use cockpit_domain::inventory::ApiKey;
use cockpit_domain::journal::StepKind;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use cockpit_domain::secret::Secret;
use serde_json::{Value, json};

pub(crate) struct CreateKey<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) session: Session,
    pub(crate) group: RemoteId,
}

impl CreateKey<'_> {
    fn name(&self) -> String {
        managed_key_name(&self.scene.plan.request.pack.id)
    }

    fn text(&self, nonce: &str) -> Secret {
        let request = &self.scene.plan.request;
        managed_key(&self.scene.local, &request.host, &request.pack.id, nonce)
    }
}

#[async_trait]
impl RemoteWrite for CreateKey<'_> {
    type Made = ApiKey;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::CreateKey,
            resource: ResourceKind::Key,
            target: self.name(),
            request: json!([self.name(), self.group, self.session.user_id]),
            before: Value::Null,
        }
    }

    async fn look(&self, key: &str) -> Outcome<Option<ApiKey>> {
        let text = self.text(key);
        let keys = self.scene.api.user_keys(self.session.user_id).await?;
        Ok(keys.into_iter().find(|row| row.key == text))
    }

    async fn send(&self, key: &str) -> Outcome<ApiKey> {
        let text = self.text(key);
        let new = NewKey {
            name: self.name(),
            group_id: self.group,
            custom_key: text.clone(),
        };
        let mut made = self.scene.api.create_key(&self.session, &new, key).await?;
        // Some hosts cut the key out of a replayed answer; we know it.
        made.key = text;
        Ok(made)
    }

    fn record(&self, made: &ApiKey) -> Option<BatchResource> {
        Some(self.scene.resource(
            ResourceKind::Key,
            made.id,
            &made.name,
            Origin::Created,
            recorded::of_key(made),
        ))
    }

    fn answer(&self, made: &ApiKey) -> String {
        format!("key #{} {}", made.id, made.key.masked())
    }
}
