//! Leave to bind keys to an exclusive group: given to a user, and taken again. The host takes the
//! whole list (`host-contract.md` 4.4), so it is read right before it is sent.

use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use crate::ports::HostApi;
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::User;
use cockpit_domain::journal::StepKind;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use serde_json::{Value, json};

/// Allows a user in the group.
pub(crate) struct AllowGroup<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) user: &'a User,
    pub(crate) group: RemoteId,
    /// What this batch changes of the user, as it was.
    pub(crate) before: Value,
    /// Whether this batch made the user: then the leave goes with it.
    pub(crate) made: bool,
}

#[async_trait]
impl RemoteWrite for AllowGroup<'_> {
    type Made = User;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::AllowGroup,
            resource: ResourceKind::User,
            target: self.user.email.clone(),
            request: json!([self.user.id, "allow", self.group]),
            before: self.before.clone(),
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<User>> {
        let user = self.scene.api.user(self.user.id).await?;
        Ok(user.filter(|user| user.allowed_groups.contains(&self.group)))
    }

    async fn send(&self, _key: &str) -> Outcome<User> {
        let api = self.scene.api.as_ref();
        let mut groups = held(api, self.user.id).await?;
        if !groups.contains(&self.group) {
            groups.push(self.group);
        }
        api.set_allowed_groups(self.user.id, &groups).await
    }

    fn record(&self, made: &User) -> Option<BatchResource> {
        if self.made {
            return None;
        }
        Some(self.scene.corrected(
            (ResourceKind::User, made.id),
            &made.email,
            recorded::of_user(made),
            &self.before,
        ))
    }

    fn answer(&self, made: &User) -> String {
        format!("user #{} is allowed in group #{}", made.id, self.group)
    }
}

async fn held(api: &dyn HostApi, user: RemoteId) -> Outcome<Vec<RemoteId>> {
    let found = api.user(user).await?;
    found.map(|user| user.allowed_groups).ok_or_else(|| {
        Failure::new(FailureKind::Conflict, format!("user #{user} is gone"))
            .doing("reading the groups a user is allowed in")
            .hint("roll the batch back and plan again")
    })
}

/// Takes the leave away again, and nothing else that the user was allowed since.
pub(crate) struct RestoreAllowed<'a> {
    pub(crate) api: &'a dyn HostApi,
    pub(crate) id: RemoteId,
    pub(crate) email: String,
    pub(crate) group: RemoteId,
}

#[async_trait]
impl RemoteWrite for RestoreAllowed<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::Restore,
            resource: ResourceKind::User,
            target: format!("{} #{} in group #{}", self.email, self.id, self.group),
            request: json!([self.id, "disallow", self.group]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        // A user that is gone is allowed nowhere.
        let user = self.api.user(self.id).await?;
        let in_it = user.is_some_and(|user| user.allowed_groups.contains(&self.group));
        Ok((!in_it).then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        let mut groups = held(self.api, self.id).await?;
        groups.retain(|group| *group != self.group);
        let changed = self.api.set_allowed_groups(self.id, &groups).await;
        changed.map(drop)
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}
