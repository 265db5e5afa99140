//! Comparing what we recorded with what a host stores (`product.md` 4, reconcile). Noise is
//! counted apart: it is neither drift nor a block.

mod mend;
mod since;

pub use mend::{Mend, MendAct, mended_now, recorded_after};
pub use since::{Since, since};

use crate::batch::{AccessMode, AccessStatus, words};
use crate::ids::{BatchId, HostId, PackId, RemoteId};
use crate::import::{HostView, Leftovers};
use crate::inventory::Account;
use crate::pack::ProviderPack;
use crate::plan::{Change, Sign, Totals, diff_fields};
use crate::recorded;
use crate::resource::{BatchResource, Origin, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

words! {
    /// How a host and our records stand to each other.
    ReconcileStatus {
        /// Resources match and the probes answer.
        Active = "active",
        /// Resources match, a probe fails.
        Degraded = "degraded",
        /// Something real is missing, changed or extra.
        Drifted = "drifted",
    }
}

/// Access as seen in a reconcile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileSummary {
    /// Access status of the batch at import.
    pub access_status: Option<AccessStatus>,
    /// Access at the newest look.
    pub latest_access_status: Option<AccessStatus>,
}

/// The outcome. Field names are those of the predecessor's API (`001_…`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReconcileReport {
    /// Host.
    pub host: HostId,
    /// Provider.
    pub provider: PackId,
    /// The batch these records belong to; a batch shows its own runs only.
    pub batch_id: BatchId,
    /// Its access mode; absent in runs of older versions.
    #[serde(default)]
    pub access_mode: Option<AccessMode>,
    /// See [`ReconcileStatus`].
    pub status: ReconcileStatus,
    /// Recorded, not on the host.
    pub missing_count: usize,
    /// Recorded and there, with other fields.
    pub changed_count: usize,
    /// Real strangers: raw extras that are no leftovers.
    pub extra_count: usize,
    /// All look-alikes we hold no record of, and the older accounts we parked.
    pub raw_extra_count: usize,
    /// Leftovers among them, by our or legacy name patterns.
    pub stale_noise_count: usize,
    /// Probes that failed.
    pub probe_failures: usize,
    /// What each failed probe said, redacted.
    pub probe_notes: Vec<String>,
    /// Access words.
    pub summary: ReconcileSummary,
    /// The findings as changes: `~` what a repair puts back, `!` what it leaves to a person, with
    /// the way out, and strangers.
    pub changes: Vec<Change>,
    /// Since when each of them is there, in the same order; empty in runs of older versions.
    #[serde(default)]
    pub since: Vec<Since>,
    /// Their totals.
    pub totals: Totals,
    /// The writes of the repair, in order; empty when there is nothing to put back.
    #[serde(default)]
    pub mends: Vec<Mend>,
    /// Who else writes to this host, when there is something to put back.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// UTC ms after which its repair is refused, on production.
    #[serde(default)]
    pub expires_ms: Option<i64>,
}

/// What is compared.
#[derive(Debug, Clone)]
pub struct ReconcileInput<'a> {
    /// Host.
    pub host: &'a HostId,
    /// The provider's pack, for its patterns and names.
    pub pack: &'a ProviderPack,
    /// The batch.
    pub batch: BatchId,
    /// Records of that batch, not undone.
    pub resources: &'a [BatchResource],
    /// Records of other batches of the provider on this host: known, so no strangers.
    pub others: &'a [BatchResource],
    /// Batches that say how things are to be: what a newer one of them wrote down of a thing is what
    /// is expected of it, and look-alikes are counted once, by the newest that they belong to.
    pub peers: &'a [BatchId],
    /// Stored state.
    pub view: &'a HostView,
    /// Keys of the managed user: id to recorded fields.
    pub keys: &'a [(RemoteId, Value)],
    /// What failed probes said.
    pub probe_notes: Vec<String>,
    /// Access words.
    pub summary: ReconcileSummary,
}

/// Compares.
pub fn reconcile(input: ReconcileInput<'_>) -> ReconcileReport {
    let mut changes = Vec::new();
    let (mut missing, mut differing) = (0, 0);
    let newer = Newer::of(&input);
    // Of these there may be thousands.
    let accounts = input.view.accounts.iter().map(|row| (row.id, row));
    let accounts: BTreeMap<RemoteId, &Account> = accounts.collect();
    for resource in input.resources {
        let name = &resource.name;
        let id = resource.host_resource_id;
        let now = match resource.kind {
            ResourceKind::Account => accounts.get(&id).map(|row| recorded::of_account(row)),
            kind => stored(input.view, input.keys, kind, id),
        };
        let Some(now) = now else {
            // A parked account that somebody deleted is no loss of ours.
            if resource.origin != Origin::Parked {
                missing += 1;
                changes.push(
                    Change::new(
                        Sign::Create,
                        resource.kind,
                        name,
                        "recorded, not on the host any more",
                    )
                    .at(resource.host_resource_id),
                );
            }
            continue;
        };
        let expected = newer.word_on(resource);
        let fields: Vec<_> = diff_fields(&now, &expected)
            .into_iter()
            // Only what we wrote down is ours to compare.
            .filter(|field| resource.recorded.get(&field.field).is_some())
            .collect();
        if !fields.is_empty() {
            differing += 1;
            changes.push(
                Change::new(
                    Sign::Change,
                    resource.kind,
                    name,
                    "differs from what we recorded",
                )
                .at(resource.host_resource_id)
                .fields(fields),
            );
        }
    }
    let extras = find_extras(&input, &mut changes);
    let extra = extras.raw - extras.noise;
    let mend::Mending { changes, mends } = mend::plan_mends(&input, changes);
    let status = if missing + differing + extra > 0 {
        ReconcileStatus::Drifted
    } else if input.probe_notes.is_empty() {
        ReconcileStatus::Active
    } else {
        ReconcileStatus::Degraded
    };
    ReconcileReport {
        host: input.host.clone(),
        provider: input.pack.id.clone(),
        batch_id: input.batch,
        access_mode: None,
        status,
        missing_count: missing,
        changed_count: differing,
        extra_count: extra,
        raw_extra_count: extras.raw,
        stale_noise_count: extras.noise,
        probe_failures: input.probe_notes.len(),
        probe_notes: input.probe_notes,
        summary: input.summary,
        totals: Totals::of(&changes),
        changes,
        since: Vec::new(),
        mends,
        warnings: Vec::new(),
        expires_ms: None,
    }
}

/// What batches that came later wrote down of the same things: an import of the other access mode
/// binds the same accounts once more, a replacement parks them.
struct Newer<'a>(BTreeMap<(ResourceKind, RemoteId), Vec<&'a BatchResource>>);

impl<'a> Newer<'a> {
    fn of(input: &ReconcileInput<'a>) -> Self {
        let mut later: Vec<&BatchResource> = input
            .others
            .iter()
            .filter(|row| row.batch > input.batch && input.peers.contains(&row.batch))
            .collect();
        later.sort_by_key(|row| row.batch);
        let mut words: BTreeMap<_, Vec<&BatchResource>> = BTreeMap::new();
        for row in later {
            let key = (row.kind, row.host_resource_id);
            words.entry(key).or_default().push(row);
        }
        Self(words)
    }

    /// What is expected of a resource now.
    fn word_on<'r>(&self, resource: &'r BatchResource) -> Cow<'r, Value> {
        let key = (resource.kind, resource.host_resource_id);
        let Some(words) = self.0.get(&key) else {
            return Cow::Borrowed(&resource.recorded);
        };
        let mut expected = resource.recorded.clone();
        for later in words {
            let Some(fields) = later.recorded.as_object() else {
                continue;
            };
            for (field, value) in fields {
                if resource.recorded.get(field).is_some() {
                    expected[field] = value.clone();
                }
            }
        }
        Cow::Owned(expected)
    }
}

struct Extras {
    raw: usize,
    noise: usize,
}

/// Look-alikes: accounts in our groups or with our names, and channels and offers over our
/// groups, that no record of ours owns.
fn find_extras(input: &ReconcileInput<'_>, changes: &mut Vec<Change>) -> Extras {
    let records = || input.resources.iter().chain(input.others);
    let known: BTreeSet<(ResourceKind, RemoteId)> = records()
        .filter(|resource| resource.origin != Origin::Parked)
        .map(|resource| (resource.kind, resource.host_resource_id))
        .collect();
    // A group belongs to the newest batch that holds it, and so does what stands in it; what is in
    // none of them belongs to the newest batch of all.
    let mut owners: BTreeMap<RemoteId, BatchId> = BTreeMap::new();
    for record in records().filter(|record| record.kind == ResourceKind::Group) {
        if record.batch == input.batch || input.peers.contains(&record.batch) {
            let owner = owners
                .entry(record.host_resource_id)
                .or_insert(record.batch);
            *owner = (*owner).max(record.batch);
        }
    }
    let newest = owners.values().max().copied().unwrap_or(input.batch);
    let owner = |groups: &[RemoteId]| groups.iter().filter_map(|id| owners.get(id)).max().copied();
    // A second account of a name that is ours is no leftover: it serves with our key.
    let twin = |name: &str| {
        records().find(|resource| {
            resource.kind == ResourceKind::Account
                && resource.origin == Origin::Created
                && resource.name == name
        })
    };
    let leftovers = Leftovers::of(input.pack);
    let mut extras = Extras { raw: 0, noise: 0 };
    for account in &input.view.accounts {
        let near =
            owner(&account.group_ids).or_else(|| leftovers.holds(&account.name).then_some(newest));
        if near != Some(input.batch) || known.contains(&(ResourceKind::Account, account.id)) {
            continue;
        }
        extras.raw += 1;
        if let Some(ours) = twin(&account.name) {
            let reason = format!("a double of our account #{}", ours.host_resource_id);
            let change = Change::new(
                Sign::Attention,
                ResourceKind::Account,
                &account.name,
                &reason,
            );
            changes.push(change.at(account.id));
        } else if leftovers.holds(&account.name) {
            extras.noise += 1;
        } else {
            changes.push(stranger(ResourceKind::Account, &account.name, account.id));
        }
    }
    for channel in &input.view.channels {
        let near = owner(&channel.spec.group_ids) == Some(input.batch);
        if near && !known.contains(&(ResourceKind::Channel, channel.id)) {
            extras.raw += 1;
            changes.push(stranger(
                ResourceKind::Channel,
                &channel.spec.name,
                channel.id,
            ));
        }
    }
    for offer in &input.view.offers {
        let near = owner(&[offer.spec.group_id]) == Some(input.batch);
        if near && !known.contains(&(ResourceKind::Plan, offer.id)) {
            extras.raw += 1;
            changes.push(stranger(ResourceKind::Plan, &offer.spec.name, offer.id));
        }
    }
    extras
}

fn stranger(kind: ResourceKind, name: &str, id: RemoteId) -> Change {
    Change::new(
        Sign::Attention,
        kind,
        name,
        "not ours and no known leftover; left alone",
    )
    .at(id)
}

/// What the host stores of one recorded resource, in recorded form.
pub fn stored(
    view: &HostView,
    keys: &[(RemoteId, Value)],
    kind: ResourceKind,
    id: RemoteId,
) -> Option<Value> {
    match kind {
        ResourceKind::Group => view
            .groups
            .iter()
            .find(|row| row.id == id)
            .map(recorded::of_group),
        ResourceKind::Channel => view
            .channels
            .iter()
            .find(|row| row.id == id)
            .map(recorded::of_channel),
        ResourceKind::Plan => view
            .offers
            .iter()
            .find(|row| row.id == id)
            .map(recorded::of_offer),
        ResourceKind::Account => view
            .accounts
            .iter()
            .find(|row| row.id == id)
            .map(recorded::of_account),
        ResourceKind::User => view
            .user
            .iter()
            .find(|row| row.id == id)
            .map(recorded::of_user),
        ResourceKind::Subscription => view
            .subscriptions
            .iter()
            .find(|row| row.id == id)
            .map(recorded::of_subscription),
        ResourceKind::Key => keys
            .iter()
            .find(|(key, _)| *key == id)
            .map(|(_, fields)| fields.clone()),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;
