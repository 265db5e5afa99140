//! Creating the group. Names are unique on the host, so a lookup by name is exact, and one that
//! somebody made since the plan was read is named before the host refuses a second.

use crate::basis::Basis;
use crate::failure::Outcome;
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use async_trait::async_trait;
use cockpit_domain::inventory::{Group, GroupLimits, GroupSpec};
use cockpit_domain::journal::StepKind;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use serde_json::{Value, json};

pub(in crate::import) struct CreateGroup<'a> {
    pub(in crate::import) scene: &'a Scene,
    pub(in crate::import) spec: GroupSpec,
}

#[async_trait]
impl RemoteWrite for CreateGroup<'_> {
    type Made = Group;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::CreateGroup,
            resource: ResourceKind::Group,
            target: self.spec.name.clone(),
            request: json!(self.spec),
            before: Value::Null,
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        let Some(group) = self.look("").await? else {
            return Ok(None);
        };
        let wanted = Group {
            id: group.id,
            spec: self.spec.clone(),
            status: "active".to_owned(),
            limits: GroupLimits::default(),
        };
        let (found, wanted) = (recorded::of_group(&group), recorded::of_group(&wanted));
        let name = &group.spec.name;
        Ok(Some(Basis::none_was(name, group.id, &found, &wanted)))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<Group>> {
        Ok(self
            .scene
            .api
            .groups()
            .await?
            .into_iter()
            .find(|group| group.spec.name == self.spec.name))
    }

    async fn send(&self, _key: &str) -> Outcome<Group> {
        self.scene.api.create_group(&self.spec).await
    }

    fn record(&self, made: &Group) -> Option<BatchResource> {
        Some(self.scene.resource(
            ResourceKind::Group,
            made.id,
            &made.spec.name,
            Origin::Created,
            recorded::of_group(made),
        ))
    }

    fn answer(&self, made: &Group) -> String {
        format!("group #{}", made.id)
    }
}
