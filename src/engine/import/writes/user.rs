//! The managed user. E-mails are unique among living users; the password is derived.

use crate::failure::Outcome;
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use crate::ports::HostApi;
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{NewUser, User};
use cockpit_domain::journal::StepKind;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use cockpit_domain::secret::Secret;
use serde_json::{Value, json};

pub(crate) struct CreateUser<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) new: NewUser,
}

#[async_trait]
impl RemoteWrite for CreateUser<'_> {
    type Made = User;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::CreateUser,
            resource: ResourceKind::User,
            target: self.new.email.clone(),
            request: json!([self.new.email, self.new.balance, self.new.allowed_groups]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<User>> {
        self.scene.api.user_by_email(&self.new.email).await
    }

    async fn send(&self, _key: &str) -> Outcome<User> {
        self.scene.api.create_user(&self.new).await
    }

    fn record(&self, made: &User) -> Option<BatchResource> {
        Some(self.scene.resource(
            ResourceKind::User,
            made.id,
            &made.email,
            Origin::Created,
            recorded::of_user(made),
        ))
    }

    fn answer(&self, made: &User) -> String {
        format!("user #{}", made.id)
    }
}

/// Sets the derived password on a managed user that was there with another one.
pub(crate) struct SetPassword<'a> {
    pub(crate) api: &'a dyn HostApi,
    pub(crate) id: RemoteId,
    pub(crate) email: String,
    pub(crate) password: Secret,
}

#[async_trait]
impl RemoteWrite for SetPassword<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::SetPassword,
            resource: ResourceKind::User,
            target: self.email.clone(),
            request: json!([self.id]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        // Only a login tells; setting the same password again is harmless.
        Ok(None)
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.api.set_password(self.id, &self.password).await
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}
