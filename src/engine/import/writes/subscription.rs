//! A user's right to the group. An assign of an expired row answers 200 with that row
//! (trap 7), so the date decides.

use crate::basis::{Basis, reread};
use crate::failure::Outcome;
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{Subscription, SubscriptionSpec};
use cockpit_domain::journal::StepKind;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use serde_json::{Value, json};

pub(crate) struct AssignSubscription<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) spec: SubscriptionSpec,
    pub(crate) name: String,
}

#[async_trait]
impl RemoteWrite for AssignSubscription<'_> {
    type Made = Subscription;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::AssignSubscription,
            resource: ResourceKind::Subscription,
            target: self.name.clone(),
            request: json!([
                self.spec.user_id,
                self.spec.group_id,
                self.spec.validity_days,
                self.spec.notes
            ]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<Subscription>> {
        let rows = self.scene.api.subscriptions(self.spec.user_id).await?;
        Ok(rows
            .into_iter()
            .find(|row| row.group_id == self.spec.group_id))
    }

    async fn send(&self, _key: &str) -> Outcome<Subscription> {
        self.scene.api.assign_subscription(&self.spec).await
    }

    fn record(&self, made: &Subscription) -> Option<BatchResource> {
        Some(self.scene.resource(
            ResourceKind::Subscription,
            made.id,
            &self.name,
            Origin::Created,
            recorded::of_subscription(made),
        ))
    }

    fn answer(&self, made: &Subscription) -> String {
        format!("subscription #{} until {}", made.id, made.expires_at)
    }
}

pub(crate) struct ExtendSubscription<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) row: Subscription,
    pub(crate) days: i64,
    pub(crate) name: String,
}

impl ExtendSubscription<'_> {
    fn id(&self) -> RemoteId {
        self.row.id
    }
}

#[async_trait]
impl RemoteWrite for ExtendSubscription<'_> {
    type Made = Subscription;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::ExtendSubscription,
            resource: ResourceKind::Subscription,
            target: self.name.clone(),
            request: json!([self.id(), self.days]),
            before: recorded::of_subscription(&self.row),
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        let (api, was) = (
            self.scene.api.as_ref(),
            recorded::of_subscription(&self.row),
        );
        let now = reread(api, ResourceKind::Subscription, self.id(), &was).await?;
        Ok(Some(Basis::of(was, now)))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<Subscription>> {
        let rows = self.scene.api.subscriptions(self.row.user_id).await?;
        Ok(rows
            .into_iter()
            .find(|row| row.id == self.id() && row.expires_at != self.row.expires_at))
    }

    async fn send(&self, key: &str) -> Outcome<Subscription> {
        self.scene
            .api
            .extend_subscription(self.id(), self.days, key)
            .await
    }

    fn record(&self, made: &Subscription) -> Option<BatchResource> {
        let recorded = recorded::of_subscription(made);
        Some(self.scene.corrected(
            (ResourceKind::Subscription, made.id),
            &self.name,
            recorded,
            &recorded::of_subscription(&self.row),
        ))
    }

    fn answer(&self, made: &Subscription) -> String {
        format!("subscription #{} until {}", made.id, made.expires_at)
    }
}

/// Revokes a managed user's right that no extension revives, so that a new one can be assigned.
pub(crate) struct RevokeSubscription<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) row: Subscription,
    pub(crate) name: String,
}

#[async_trait]
impl RemoteWrite for RevokeSubscription<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::RevokeSubscription,
            resource: ResourceKind::Subscription,
            target: format!("{} #{}", self.name, self.row.id),
            request: json!([self.row.id]),
            before: recorded::of_subscription(&self.row),
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        // It is revoked because it is suspended: whoever lets it in again meanwhile is heard.
        let rows = self.scene.api.subscriptions(self.row.user_id).await?;
        let now = rows.into_iter().find(|row| row.id == self.row.id);
        let image =
            |row: &Subscription| json!({"status": row.status, "expires_at": row.expires_at});
        Ok(Some(Basis::of(image(&self.row), now.as_ref().map(image))))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        let rows = self.scene.api.subscriptions(self.row.user_id).await?;
        let gone = !rows.iter().any(|row| row.id == self.row.id);
        Ok(gone.then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.scene
            .api
            .revoke_subscription(self.row.id)
            .await
            .map(drop)
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}
