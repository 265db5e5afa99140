//! Creating and correcting the channel. Names are unique on the host.

use crate::basis::{Basis, reread};
use crate::failure::Outcome;
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{Channel, ChannelSpec};
use cockpit_domain::journal::StepKind;
use cockpit_domain::plan::diff_fields;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use serde_json::{Value, json};

pub(in crate::import) struct CreateChannel<'a> {
    pub(in crate::import) scene: &'a Scene,
    pub(in crate::import) spec: ChannelSpec,
}

#[async_trait]
impl RemoteWrite for CreateChannel<'_> {
    type Made = Channel;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::CreateChannel,
            resource: ResourceKind::Channel,
            target: self.spec.name.clone(),
            request: json!(self.spec),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<Channel>> {
        Ok(self
            .scene
            .api
            .channels()
            .await?
            .into_iter()
            .find(|channel| channel.spec.name == self.spec.name))
    }

    async fn send(&self, _key: &str) -> Outcome<Channel> {
        self.scene.api.create_channel(&self.spec).await
    }

    fn record(&self, made: &Channel) -> Option<BatchResource> {
        Some(self.scene.resource(
            ResourceKind::Channel,
            made.id,
            &made.spec.name,
            Origin::Created,
            recorded::of_channel(made),
        ))
    }

    fn answer(&self, made: &Channel) -> String {
        format!("channel #{}", made.id)
    }
}

pub(in crate::import) struct CorrectChannel<'a> {
    pub(in crate::import) scene: &'a Scene,
    pub(in crate::import) id: RemoteId,
    pub(in crate::import) spec: ChannelSpec,
    /// The channel before we touched it.
    pub(in crate::import) before: Value,
}

#[async_trait]
impl RemoteWrite for CorrectChannel<'_> {
    type Made = Channel;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::CorrectChannel,
            resource: ResourceKind::Channel,
            target: self.spec.name.clone(),
            request: json!(self.spec),
            before: self.before.clone(),
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        let (api, was) = (self.scene.api.as_ref(), &self.before);
        let now = reread(api, ResourceKind::Channel, self.id, was).await?;
        Ok(Some(Basis::of(was.clone(), now)))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<Channel>> {
        let found = self
            .scene
            .api
            .channels()
            .await?
            .into_iter()
            .find(|channel| channel.id == self.id);
        // It took if nothing is left to correct.
        Ok(found.filter(|channel| diff_fields(&json!(channel.spec), &json!(self.spec)).is_empty()))
    }

    async fn send(&self, _key: &str) -> Outcome<Channel> {
        self.scene.api.update_channel(self.id, &self.spec).await
    }

    fn record(&self, made: &Channel) -> Option<BatchResource> {
        Some(self.scene.corrected(
            (ResourceKind::Channel, self.id),
            &self.spec.name,
            recorded::of_channel(made),
            &self.before,
        ))
    }
}
