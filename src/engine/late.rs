//! What requests without an answer may have left on a host, or may leave there yet. A step whose
//! answer was lost has no record, but its intent was durable before it was sent: that, and not a
//! guess, is what a rollback goes by.

use crate::context::Job;
use crate::failure::Outcome;
use crate::import::key_target;
use crate::ports::HostApi;
use cockpit_domain::batch::{Batch, BatchStatus};
use cockpit_domain::canonical::hash_of;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::{HostView, managed_key};
use cockpit_domain::inventory::Account;
use cockpit_domain::journal::{JournalRow, StepKind};
use cockpit_domain::plan::diff_fields;
use cockpit_domain::reconcile::stored;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use serde_json::{Value, json};
use std::time::Duration;

/// Steps that leave something behind. Deleting and testing do not.
const LEAVES: [StepKind; 17] = [
    StepKind::CreateGroup,
    StepKind::CreateChannel,
    StepKind::CorrectChannel,
    StepKind::CreatePlan,
    StepKind::CreateAccount,
    StepKind::BindAccount,
    StepKind::ParkAccount,
    StepKind::CreateUser,
    StepKind::AllowGroup,
    StepKind::SetBalance,
    StepKind::AssignSubscription,
    StepKind::ExtendSubscription,
    StepKind::CreateKey,
    StepKind::BindKey,
    StepKind::RepairBinding,
    StepKind::RepairFields,
    StepKind::RepairSwitch,
];

/// Waits until none of these steps can take effect any more behind our back.
pub(crate) async fn settle(job: &Job, doubtful: &[JournalRow]) -> Outcome<()> {
    let window = i64::try_from(job.settings.timing.late_answer.as_millis()).unwrap_or(i64::MAX);
    let Some(until) = doubtful
        .iter()
        .map(|row| row.doubtful_since().saturating_add(window))
        .max()
    else {
        return Ok(());
    };
    loop {
        let left = until - job.now_ms();
        if left <= 0 {
            return Ok(());
        }
        job.check_cancel()?;
        job.say(format!(
            "a request whose answer was lost may still take effect, {} s left",
            left / 1000 + 1
        ));
        let nap = u64::try_from(left.min(1000)).unwrap_or(0);
        job.pause(Duration::from_millis(nap)).await;
    }
}

/// Steps of a batch that may still take effect behind our back: what they make, change or take away
/// would make a plan stale that is read now.
pub(crate) async fn on_their_way(job: &Job, batch: &Batch) -> Outcome<Vec<JournalRow>> {
    let mut rows = job.ports.store.journal(batch.id).await?;
    // What is deleted or put back once more is no news; only an unanswered one is.
    rows.retain(|row| match row.kind {
        StepKind::TestAccount => false,
        kind if LEAVES.contains(&kind) => row.may_have_more(),
        _ => row.is_open(),
    });
    Ok(rows)
}

/// Steps of a batch that may have made or changed more than its records tell.
pub(crate) async fn doubtful(job: &Job, batch: &Batch) -> Outcome<Vec<JournalRow>> {
    let mut rows = job.ports.store.journal(batch.id).await?;
    rows.retain(|row| row.may_have_more() && LEAVES.contains(&row.kind));
    Ok(rows)
}

/// What of a host is the effect of such a step and nobody's record.
pub(crate) struct Search<'a> {
    pub(crate) job: &'a Job,
    pub(crate) api: &'a dyn HostApi,
    pub(crate) batch: &'a Batch,
    /// Every record of the batch, undone ones too.
    pub(crate) records: &'a [BatchResource],
    /// Records of other batches on this host.
    pub(crate) others: &'a [BatchResource],
    pub(crate) view: &'a HostView,
}

impl Search<'_> {
    /// Finds it by the deterministic names of the steps, as records that were never written.
    pub(crate) async fn run(&self, doubtful: &[JournalRow]) -> Outcome<Vec<BatchResource>> {
        let mut found: Vec<BatchResource> = Vec::new();
        for row in doubtful {
            let more = match row.kind {
                StepKind::CreateKey => self.keys(row).await?,
                StepKind::BindKey => self.caller_key(row).await?,
                _ => self.effects(row, &found),
            };
            for resource in more {
                let twice = found.iter().any(|known| is_same(known, &resource));
                if !twice && !self.is_known(&resource) {
                    found.push(resource);
                }
            }
        }
        Ok(found)
    }

    fn effects(&self, row: &JournalRow, found: &[BatchResource]) -> Vec<BatchResource> {
        let (name, view) = (row.target.as_str(), self.view);
        // Names of groups, channels and offers are anybody's: once the batch is over, only what is
        // to the letter what we sent counts as its own.
        let over = matches!(
            self.batch.batch_status,
            BatchStatus::RolledBack | BatchStatus::Failed
        );
        let fits =
            |spec: Value| !over || hash_of(&spec).is_ok_and(|hash| hash == row.request_digest);
        let made = |kind, id, recorded| self.resource(kind, id, name, Origin::Created, recorded);
        let groups: Vec<RemoteId> = self
            .records
            .iter()
            .chain(found)
            .filter(|record| record.kind == ResourceKind::Group)
            .map(|record| record.host_resource_id)
            .collect();
        match row.kind {
            StepKind::CreateGroup => (view.group(name).iter())
                .filter(|at| fits(json!(at.spec)))
                .map(|at| made(ResourceKind::Group, at.id, recorded::of_group(at)))
                .collect(),
            StepKind::CreateChannel => (view.channel(name).iter())
                .filter(|at| fits(json!(at.spec)))
                .map(|at| made(ResourceKind::Channel, at.id, recorded::of_channel(at)))
                .collect(),
            StepKind::CreatePlan => (view.offers.iter())
                .filter(|at| at.spec.name == name && groups.contains(&at.spec.group_id))
                .filter(|at| fits(json!(at.spec)))
                .map(|at| made(ResourceKind::Plan, at.id, recorded::of_offer(at)))
                .collect(),
            StepKind::CreateAccount => view
                .accounts_named(name)
                .map(|at| made(ResourceKind::Account, at.id, recorded::of_account(at)))
                .collect(),
            StepKind::CreateUser => (view.user.iter())
                .filter(|at| at.email == name)
                .map(|at| made(ResourceKind::User, at.id, recorded::of_user(at)))
                .collect(),
            StepKind::AssignSubscription => (view.subscriptions.iter())
                .filter(|at| groups.contains(&at.group_id))
                .map(|at| {
                    let recorded = recorded::of_subscription(at);
                    made(ResourceKind::Subscription, at.id, recorded)
                })
                .collect(),
            // Switched by others at any time: ours only as long as the step is without an answer.
            StepKind::ParkAccount if !over && row.is_open() => (self.parked(row).iter())
                .map(|at| {
                    let recorded = json!({"schedulable": false});
                    let resource = self.resource(
                        ResourceKind::Account,
                        at.id,
                        &at.name,
                        Origin::Parked,
                        recorded,
                    );
                    with_before(resource, row)
                })
                .collect(),
            StepKind::CorrectChannel if !over && row.is_open() => {
                self.corrected(row).into_iter().collect()
            }
            StepKind::RepairBinding | StepKind::RepairFields | StepKind::RepairSwitch
                if !over && row.is_open() =>
            {
                self.mended(row).into_iter().collect()
            }
            StepKind::BindAccount if !over && row.is_open() => {
                self.bound(row).into_iter().collect()
            }
            StepKind::ExtendSubscription if !over && row.is_open() => {
                self.extended(row, &groups).into_iter().collect()
            }
            StepKind::AllowGroup if !over && row.is_open() => {
                self.granted(row).into_iter().collect()
            }
            StepKind::SetBalance if !over && row.is_open() => self.paid(row).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The account that an import may have bound, if its groups are not as they were before.
    fn bound(&self, row: &JournalRow) -> Option<BatchResource> {
        let account = self.view.accounts_named(&row.target).next()?;
        if diff_fields(&row.before, &json!({"group_ids": account.group_ids})).is_empty() {
            return None;
        }
        let (kind, origin) = (ResourceKind::Account, Origin::Corrected);
        let recorded = recorded::of_account(account);
        let resource = self.resource(kind, account.id, &account.name, origin, recorded);
        Some(with_before(resource, row))
    }

    /// The user whose balance may have been set, if it has more than before.
    fn paid(&self, row: &JournalRow) -> Option<BatchResource> {
        let user = self.view.user.as_ref()?;
        let was = row.before["balance"].as_f64()?;
        if user.email != row.target || user.balance <= was {
            return None;
        }
        let (kind, origin) = (ResourceKind::User, Origin::Corrected);
        let recorded = recorded::of_user(user);
        let resource = self.resource(kind, user.id, &user.email, origin, recorded);
        Some(with_before(resource, row))
    }

    /// The user that may have been allowed in a group, if it is now.
    fn granted(&self, row: &JournalRow) -> Option<BatchResource> {
        let user = self.view.user.as_ref()?;
        let group = recorded::id_in(&row.before, "granted")?;
        if user.email != row.target || !user.allowed_groups.contains(&group) {
            return None;
        }
        let (kind, origin) = (ResourceKind::User, Origin::Corrected);
        let recorded = recorded::of_user(user);
        let resource = self.resource(kind, user.id, &user.email, origin, recorded);
        Some(with_before(resource, row))
    }

    /// The right that may have been extended, if its end is not as it was before.
    fn extended(&self, row: &JournalRow, groups: &[RemoteId]) -> Option<BatchResource> {
        let mut rows = self.view.subscriptions.iter();
        let found = rows.find(|at| groups.contains(&at.group_id))?;
        if row.before["expires_at"].as_str() == Some(found.expires_at.as_str()) {
            return None;
        }
        let recorded = recorded::of_subscription(found);
        let (kind, origin) = (ResourceKind::Subscription, Origin::Corrected);
        let resource = self.resource(kind, found.id, &row.target, origin, recorded);
        Some(with_before(resource, row))
    }

    /// A caller's own key that may have been bound, if its group is not as it was before.
    async fn caller_key(&self, row: &JournalRow) -> Outcome<Vec<BatchResource>> {
        let Some(user) = self.view.user.as_ref().filter(|_| row.is_open()) else {
            return Ok(Vec::new());
        };
        let mut keys = self.api.user_keys(user.id).await?;
        keys.retain(|key| {
            key_target(key) == row.target
                && recorded::id_in(&row.before, "group_id") != key.group_id
        });
        Ok(keys
            .iter()
            .map(|key| {
                let (kind, origin) = (ResourceKind::Key, Origin::Corrected);
                let resource =
                    self.resource(kind, key.id, &key.name, origin, recorded::of_key(key));
                with_before(resource, row)
            })
            .collect())
    }

    /// What a repair may have changed, if it is not as it was before.
    fn mended(&self, row: &JournalRow) -> Option<BatchResource> {
        let (name, id) = row.target.rsplit_once(" #")?;
        let id = RemoteId(id.parse().ok()?);
        let mut now = stored(self.view, &[], row.resource, id)?;
        // The before-image holds what the repair changes and no more.
        if let Some(fields) = now.as_object_mut() {
            fields.retain(|field, _| row.before.get(field).is_some());
        }
        if diff_fields(&row.before, &now).is_empty() {
            return None;
        }
        let origin = Origin::Corrected;
        let resource = self.resource(row.resource, id, name, origin, now);
        Some(with_before(resource, row))
    }

    /// The account of a parking step, if it is parked now.
    fn parked(&self, row: &JournalRow) -> Option<&Account> {
        let (_, id) = row.target.rsplit_once(" #")?;
        let id = RemoteId(id.parse().ok()?);
        let account = self.view.accounts.iter().find(|at| at.id == id)?;
        (!account.schedulable).then_some(account)
    }

    /// The channel of a correcting step, if it is not as it was before.
    fn corrected(&self, row: &JournalRow) -> Option<BatchResource> {
        let channel = self.view.channel(&row.target)?;
        let now = recorded::of_channel(channel);
        if now == row.before {
            return None;
        }
        // What it reads now is ours if it is what we sent; else somebody came after us.
        let sent = hash_of(&json!(channel.spec)).ok().as_ref() == Some(&row.request_digest);
        let recorded = if sent { now } else { row.before.clone() };
        let resource = self.resource(
            ResourceKind::Channel,
            channel.id,
            &row.target,
            Origin::Corrected,
            recorded,
        );
        Some(with_before(resource, row))
    }

    /// Keys whose text only this step can have derived.
    async fn keys(&self, row: &JournalRow) -> Outcome<Vec<BatchResource>> {
        let Some(user) = &self.view.user else {
            return Ok(Vec::new());
        };
        let local = self.job.ports.store.local_key().await?;
        let batch = self.batch;
        let text = managed_key(&local, &batch.host, &batch.provider, &row.idempotency_key);
        let keys = self.api.user_keys(user.id).await?;
        Ok(keys
            .iter()
            .filter(|key| key.key == text)
            .map(|key| {
                let recorded = recorded::of_key(key);
                self.resource(
                    ResourceKind::Key,
                    key.id,
                    &key.name,
                    Origin::Created,
                    recorded,
                )
            })
            .collect())
    }

    fn resource(
        &self,
        kind: ResourceKind,
        id: RemoteId,
        name: &str,
        origin: Origin,
        recorded: Value,
    ) -> BatchResource {
        BatchResource::held(self.batch.id, (kind, id), name, origin, recorded)
    }

    /// Whether somebody holds it already. What was changed is known only to who changed it: that
    /// others made it, or that this batch took it over, tells nothing of the change.
    fn is_known(&self, found: &BatchResource) -> bool {
        let holds = |record: &BatchResource| !record.undone && is_same(record, found);
        let own = |record: &BatchResource| {
            found.origin == Origin::Created || record.origin != Origin::Adopted
        };
        let other = |record: &BatchResource| match found.origin {
            Origin::Created => true,
            Origin::Corrected => changed_it_later(record, found),
            _ => record.origin == found.origin,
        };
        self.records
            .iter()
            .any(|record| holds(record) && own(record))
            || self
                .others
                .iter()
                .any(|record| holds(record) && other(record))
    }
}

/// Whether it was another batch, after this one, that changed what this one may have changed: it
/// found that as this one had found it, so the lost request did nothing.
fn changed_it_later(record: &BatchResource, found: &BatchResource) -> bool {
    let Some(fields) = found.before.as_object() else {
        return false;
    };
    record.origin == Origin::Corrected
        && record.batch > found.batch
        && fields
            .iter()
            .any(|(field, was)| record.before.get(field) == Some(was))
}

fn with_before(mut resource: BatchResource, row: &JournalRow) -> BatchResource {
    resource.before = row.before.clone();
    resource
}

pub(crate) fn is_same(one: &BatchResource, other: &BatchResource) -> bool {
    (one.kind, one.host_resource_id) == (other.kind, other.host_resource_id)
}
