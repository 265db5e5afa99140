//! The managed user's balance: what a standard group serves for. Set, never added, so that a lost
//! answer can be looked up and a repeat does no harm (trap 9).

use crate::basis::Basis;
use crate::failure::Outcome;
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use crate::ports::HostApi;
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::{STARTING_BALANCE, usd};
use cockpit_domain::inventory::User;
use cockpit_domain::journal::StepKind;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use serde_json::{Value, json};

/// Gives the managed user enough to pay with.
pub(crate) struct SetBalance<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) user: &'a User,
    /// What it had before this batch touched it.
    pub(crate) before: Value,
    /// Whether this batch made the user: then the balance goes with it.
    pub(crate) made: bool,
}

#[async_trait]
impl RemoteWrite for SetBalance<'_> {
    type Made = User;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::SetBalance,
            resource: ResourceKind::User,
            target: self.user.email.clone(),
            request: json!([self.user.id, "set", STARTING_BALANCE]),
            before: self.before.clone(),
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        // What is set must not take away what somebody added since; that it was spent is no matter.
        let user = self.scene.api.user(self.user.id).await?;
        let was = self.before["balance"].as_f64().unwrap_or_default();
        Ok(match user {
            Some(user) if user.balance <= was => None,
            user => Some(Basis::of(
                json!({"balance": was}),
                user.map(|user| json!({"balance": user.balance})),
            )),
        })
    }

    async fn look(&self, _key: &str) -> Outcome<Option<User>> {
        // A proof may have been paid from it since, so the amount need not be the one that was set.
        let user = self.scene.api.user(self.user.id).await?;
        Ok(user.filter(|user| self.scene.plan.request.can_pay(user.balance)))
    }

    async fn send(&self, _key: &str) -> Outcome<User> {
        let api = &self.scene.api;
        api.set_balance(self.user.id, STARTING_BALANCE).await
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
        format!("user #{} has {}", made.id, usd(made.balance))
    }
}

/// Puts a balance back to what it was.
pub(crate) struct RestoreBalance<'a> {
    pub(crate) api: &'a dyn HostApi,
    pub(crate) id: RemoteId,
    pub(crate) email: String,
    pub(crate) was: f64,
}

#[async_trait]
impl RemoteWrite for RestoreBalance<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::Restore,
            resource: ResourceKind::User,
            target: format!("{} #{}", self.email, self.id),
            request: json!([self.id, self.was]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        // A user that is gone has nothing to put back.
        let user = self.api.user(self.id).await?;
        Ok(user
            .is_none_or(|user| user.balance <= self.was)
            .then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.api.set_balance(self.id, self.was).await.map(drop)
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}
