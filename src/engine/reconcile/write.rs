//! One write of the repair of a drift: how it is sent, and how an earlier try of it is found.

use crate::basis::{Basis, reread};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::journal::{RemoteWrite, Write};
use crate::ports::HostApi;
use async_trait::async_trait;
use cockpit_domain::ids::{BatchId, RemoteId};
use cockpit_domain::inventory::ChannelSpec;
use cockpit_domain::journal::StepKind;
use cockpit_domain::reconcile::{Mend, MendAct};
use cockpit_domain::resource::BatchResource;
use serde_json::Value;

/// A write of the plan.
pub(super) struct MendWrite<'a> {
    pub(super) api: &'a dyn HostApi,
    pub(super) batch: BatchId,
    pub(super) mend: &'a Mend,
    /// What is recorded of the thing once this is done.
    pub(super) recorded: Value,
}

/// What the host stores of what a write changes, read on its own; `None` when it is gone.
pub(super) async fn read_again(api: &dyn HostApi, mend: &Mend) -> Outcome<Option<Value>> {
    reread(api, mend.kind, mend.host_resource_id, &mend.before).await
}

impl MendWrite<'_> {
    /// What somebody else changed of its ground since it was planned; `None` when it may be sent.
    pub(super) async fn moved(&self) -> Outcome<Option<String>> {
        let write = self.write();
        let basis = self.basis().await?;
        Ok(basis.and_then(|basis| basis.moved(&format!("{} {}", write.resource, write.target))))
    }
}

fn unreadable(mend: &Mend, error: &serde_json::Error) -> Failure {
    Failure::new(
        FailureKind::Store,
        format!("what {} is to be cannot be read: {error}", mend.name),
    )
    .hint("make the plan again")
}

#[async_trait]
impl RemoteWrite for MendWrite<'_> {
    type Made = ();

    fn write(&self) -> Write {
        let mend = self.mend;
        Write {
            kind: match mend.act {
                MendAct::Fields => StepKind::RepairFields,
                MendAct::Bind => StepKind::RepairBinding,
                MendAct::Switch => StepKind::RepairSwitch,
            },
            resource: mend.kind,
            // Names are not unique over there: the id belongs to it.
            target: format!("{} #{}", mend.name, mend.host_resource_id),
            request: mend.to.clone(),
            before: mend.before.clone(),
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        let mend = self.mend;
        let now = read_again(self.api, mend).await?;
        let stands = |now: &Value| mend.is_untouched(now) || mend.holds(now);
        if now.as_ref().is_some_and(stands) {
            return Ok(None);
        }
        let mut was = mend.before.clone();
        if let Some(fields) = was.as_object_mut() {
            fields.retain(|field, _| mend.to.get(field).is_some());
        }
        Ok(Some(Basis::of(was, now)))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        let now = read_again(self.api, self.mend).await?;
        Ok(now.filter(|now| self.mend.holds(now)).map(drop))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        let (mend, id) = (self.mend, self.mend.host_resource_id);
        match mend.act {
            MendAct::Fields => {
                let spec: ChannelSpec = serde_json::from_value(mend.to.clone())
                    .map_err(|error| unreadable(mend, &error))?;
                self.api.update_channel(id, &spec).await.map(drop)
            }
            MendAct::Bind => {
                let groups: Vec<RemoteId> = serde_json::from_value(mend.to["group_ids"].clone())
                    .map_err(|error| unreadable(mend, &error))?;
                self.api.bind_account(id, &groups).await
            }
            MendAct::Switch => self.api.set_schedulable(id, true).await,
        }
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        let mend = self.mend;
        let of = (mend.kind, mend.host_resource_id);
        let (recorded, before) = (self.recorded.clone(), mend.before.clone());
        Some(BatchResource::corrected(
            self.batch, of, &mend.name, recorded, before,
        ))
    }

    fn answer(&self, _made: &()) -> String {
        self.mend.call.clone()
    }
}
