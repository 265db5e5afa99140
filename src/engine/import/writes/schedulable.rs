//! Parking and un-parking: the operator's switch of one account, recorded and reversible.

use crate::basis::{Basis, reread};
use crate::failure::Outcome;
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use crate::ports::HostApi;
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::journal::StepKind;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use serde_json::json;

pub(in crate::import) struct ParkAccount<'a> {
    pub(in crate::import) scene: &'a Scene,
    pub(in crate::import) id: RemoteId,
    pub(in crate::import) name: String,
    /// `false` when the account is our own and only failed: then it stays recorded as created.
    pub(in crate::import) older: bool,
}

fn request(id: RemoteId, schedulable: bool) -> serde_json::Value {
    json!({"id": id, "schedulable": schedulable})
}

async fn is(api: &dyn HostApi, id: RemoteId, schedulable: bool) -> Outcome<Option<()>> {
    // An account that is gone needs no switching.
    let account = api.account(id).await?;
    Ok(account
        .is_none_or(|account| account.schedulable == schedulable)
        .then_some(()))
}

#[async_trait]
impl RemoteWrite for ParkAccount<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::ParkAccount,
            resource: ResourceKind::Account,
            target: format!("{} #{}", self.name, self.id),
            request: request(self.id, false),
            before: json!({"schedulable": true}),
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        if !self.older {
            return Ok(None);
        }
        // One that somebody else switched off is not ours to switch on again some day.
        let (api, was) = (
            self.scene.api.as_ref(),
            json!({"schedulable": true, "name": self.name}),
        );
        let now = reread(api, ResourceKind::Account, self.id, &was).await?;
        Ok(Some(Basis::of(was, now)))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        is(self.scene.api.as_ref(), self.id, false).await
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.scene.api.set_schedulable(self.id, false).await
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        if !self.older {
            return None;
        }
        let recorded = json!({"schedulable": false});
        let mut resource = self.scene.resource(
            ResourceKind::Account,
            self.id,
            &self.name,
            Origin::Parked,
            recorded,
        );
        resource.before = json!({"schedulable": true});
        Some(resource)
    }
}

/// Makes a parked account schedulable again.
pub(crate) struct UnparkAccount<'a> {
    pub(crate) api: &'a dyn HostApi,
    pub(crate) id: RemoteId,
    pub(crate) name: String,
}

#[async_trait]
impl RemoteWrite for UnparkAccount<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::UnparkAccount,
            resource: ResourceKind::Account,
            target: format!("{} #{}", self.name, self.id),
            request: request(self.id, true),
            before: json!({"schedulable": false}),
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        is(self.api, self.id, true).await
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.api.set_schedulable(self.id, true).await
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}
