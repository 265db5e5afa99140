//! Each step of a rollback rests on what the plan saw of its target: that is read again right before
//! it is sent, and a group or a user is asked once more who came to depend on it.

use crate::basis::{Basis, Ground, Resting, reread};
use crate::failure::Outcome;
use crate::ports::HostApi;
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::{HostView, STARTING_BALANCE};
use cockpit_domain::inventory::ApiKey;
use cockpit_domain::reconcile::stored;
use cockpit_domain::recorded;
use cockpit_domain::resource::ResourceKind;
use cockpit_domain::rollback::{UndoAct, UndoStep};
use serde_json::{Value, json};

/// What the plan saw.
pub(super) struct Seen<'a> {
    api: &'a dyn HostApi,
    view: &'a HostView,
    keys: Vec<(RemoteId, Value)>,
    steps: &'a [UndoStep],
}

impl<'a> Seen<'a> {
    /// The host as it was read for these steps.
    pub(super) fn of(
        api: &'a dyn HostApi,
        view: &'a HostView,
        keys: &[ApiKey],
        steps: &'a [UndoStep],
    ) -> Self {
        let keys = keys.iter().map(|key| (key.id, recorded::of_key(key)));
        Self {
            api,
            view,
            keys: keys.collect(),
            steps,
        }
    }

    /// A write of a step, sent only where all that the step rests on still stands.
    pub(super) fn whole<W>(&'a self, step: &'a UndoStep, write: W) -> Resting<Fresh<'a>, W> {
        let (seen, only) = (self, None);
        let on = Fresh { seen, step, only };
        Resting { on, write }
    }

    /// The same where the write puts back these fields and leaves the others alone.
    pub(super) fn only<W>(
        &'a self,
        step: &'a UndoStep,
        fields: &'a [&'a str],
        write: W,
    ) -> Resting<Fresh<'a>, W> {
        let (seen, only) = (self, Some(fields));
        let on = Fresh { seen, step, only };
        Resting { on, write }
    }

    async fn basis(&self, step: &UndoStep, only: Option<&[&str]>) -> Outcome<Option<Basis>> {
        let (kind, Some(id)) = (step.change.kind, step.change.host_resource_id) else {
            return Ok(None);
        };
        if (kind, step.act) == (ResourceKind::User, UndoAct::Restore) {
            return self.balance(id).await;
        }
        let Some(mut was) = stored(self.view, &self.keys, kind, id) else {
            return Ok(None);
        };
        let mut now = reread(self.api, kind, id, &was).await?;
        if let (Some(only), Some(fields)) = (only, was.as_object_mut()) {
            fields.retain(|name, _| only.contains(&name.as_str()));
        }
        for fields in std::iter::once(&mut was).chain(&mut now) {
            self.without_deleted_groups(fields);
        }
        if let (UndoAct::Delete, Some(now)) = (step.act, &mut now)
            && let Some(users) = self.users(kind, id).await?
        {
            // The plan is only carried out where there were none.
            was["used_by"] = json!([]);
            now["used_by"] = json!(users);
        }
        Ok(Some(Basis::of(was, now)))
    }

    /// Money that somebody added since must not be taken; what was spent since is no change of the
    /// plan's ground.
    async fn balance(&self, id: RemoteId) -> Outcome<Option<Basis>> {
        let user = self.api.user(id).await?;
        let more = user.filter(|user| user.balance > STARTING_BALANCE);
        Ok(more.map(|user| {
            let was = json!({"balance": STARTING_BALANCE});
            Basis::of(was, Some(json!({"balance": user.balance})))
        }))
    }

    /// Groups that this very plan deletes leave the lists of those that were bound to them.
    fn without_deleted_groups(&self, fields: &mut Value) {
        let Some(groups) = fields.get_mut("group_ids").and_then(Value::as_array_mut) else {
            return;
        };
        groups.retain(|group| {
            !self.steps.iter().any(|step| {
                (step.act, step.change.kind) == (UndoAct::Delete, ResourceKind::Group)
                    && step.blocked.is_none()
                    && step.change.host_resource_id.map(|id| json!(id)) == Some(group.clone())
            })
        });
    }

    /// Who uses a thing that is to be deleted and is none of the batch's.
    async fn users(&self, kind: ResourceKind, id: RemoteId) -> Outcome<Option<Vec<String>>> {
        let mut found: Vec<(ResourceKind, RemoteId)> = Vec::new();
        match kind {
            ResourceKind::Group => {
                let keys = self.api.group_keys(id).await?;
                found.extend(keys.iter().map(|row| (ResourceKind::Key, row.id)));
                let rights = self.api.group_subscriptions(id).await?;
                found.extend(
                    rights
                        .iter()
                        .map(|row| (ResourceKind::Subscription, row.id)),
                );
                let accounts = self.api.accounts(Some(id)).await?;
                found.extend(accounts.iter().map(|row| (ResourceKind::Account, row.id)));
            }
            ResourceKind::User => {
                let keys = self.api.user_keys(id).await?;
                found.extend(keys.iter().map(|row| (ResourceKind::Key, row.id)));
            }
            _ => return Ok(None),
        }
        found.retain(|(kind, id)| {
            !self
                .steps
                .iter()
                .any(|step| (step.change.kind, step.change.host_resource_id) == (*kind, Some(*id)))
        });
        let told = found.iter().map(|(kind, id)| format!("{kind} #{id}"));
        Ok(Some(told.collect()))
    }
}

/// What a step rests on.
pub(super) struct Fresh<'a> {
    seen: &'a Seen<'a>,
    step: &'a UndoStep,
    only: Option<&'a [&'a str]>,
}

#[async_trait]
impl Ground for Fresh<'_> {
    async fn basis(&self) -> Outcome<Option<Basis>> {
        self.seen.basis(self.step, self.only).await
    }
}
