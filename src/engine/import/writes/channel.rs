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

    async fn basis(&self) -> Outcome<Option<Basis>> {
        let (name, groups) = (&self.spec.name, &self.spec.group_ids);
        // The host takes a second one neither of that name nor over that group.
        let taken = |row: &&Channel| {
            row.spec.name == *name || groups.iter().any(|id| row.spec.group_ids.contains(id))
        };
        let channels = self.scene.api.channels().await?;
        Ok(channels.iter().find(taken).map(|row| {
            let spec = match groups.first() {
                // What is somebody else's in one of that name is no difference.
                Some(group) if row.spec.name == *name => {
                    self.scene.plan.request.corrected_channel(row, *group)
                }
                _ => self.spec.clone(),
            };
            let wanted = Channel {
                spec,
                status: "active".to_owned(),
                ..row.clone()
            };
            let (found, wanted) = (recorded::of_channel(row), recorded::of_channel(&wanted));
            Basis::none_was(&row.spec.name, row.id, &found, &wanted)
        }))
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
