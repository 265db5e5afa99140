//! One comparison of a batch with its host: stored state, the upstream's list through each account,
//! and at most one completion a managed key. What one run has read it does not ask again.

use super::Probes;
use crate::access::{GatewayLook, own_accounts, prove, told};
use crate::context::Job;
use crate::failure::{FailureKind, Outcome};
use crate::neighbours;
use crate::ports::HostApi;
use crate::view::{Whose, read_user, read_view_of, whose};
use cockpit_domain::batch::{AccessMode, AccessStatus, Batch};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::{PackId, RemoteId};
use cockpit_domain::import::{HostView, usd};
use cockpit_domain::inventory::ApiKey;
use cockpit_domain::pack::ProviderPack;
use cockpit_domain::plan::expiry;
use cockpit_domain::pool::whole_seconds;
use cockpit_domain::reconcile::{ReconcileInput, ReconcileReport, ReconcileSummary, reconcile};
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use futures_util::StreamExt;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// One host read once, for every batch that is compared with it.
pub(super) struct Reader {
    api: Arc<dyn HostApi>,
    view: Option<HostView>,
    /// The provider, and the person if it is not its managed user, whose access the view holds.
    user_of: Option<(PackId, Option<RemoteId>)>,
    /// What the upstream's list said through an account; `None` was well.
    accounts: BTreeMap<RemoteId, Option<String>>,
    /// What a completion with a managed key said; `None` was well.
    completions: BTreeMap<RemoteId, Option<String>>,
    /// How many accounts were left out of the last looks, in words.
    unasked: Option<String>,
}

impl Reader {
    /// Nothing is read yet.
    pub(super) fn of(api: &Arc<dyn HostApi>) -> Self {
        Self {
            api: Arc::clone(api),
            view: None,
            user_of: None,
            accounts: BTreeMap::new(),
            completions: BTreeMap::new(),
            unasked: None,
        }
    }

    async fn view(&mut self, provider: &PackId, records: &[BatchResource]) -> Outcome<HostView> {
        let whose = whose(provider, records);
        let asked = match whose {
            Whose::User(id) => (provider.clone(), Some(id)),
            Whose::Managed | Whose::Caller(_) => (provider.clone(), None),
        };
        let api = self.api.as_ref();
        let view = match self.view.take() {
            None => read_view_of(api, provider, whose).await?,
            Some(view) if self.user_of.as_ref() == Some(&asked) => view,
            Some(mut view) => {
                read_user(api, &mut view, provider, whose).await?;
                view
            }
        };
        self.user_of = Some(asked);
        self.view = Some(view.clone());
        Ok(view)
    }

    /// Compares the records of a batch with its host; with what was read.
    pub(super) async fn compare(
        &mut self,
        job: &Job,
        batch: &Batch,
        probes: Probes,
    ) -> Outcome<(ReconcileReport, HostView)> {
        let (host, provider) = (&batch.host, &batch.provider);
        let settings = job.host(host)?.clone();
        let pack = job.provider(provider)?;
        let all = job.ports.store.host_resources(host, provider).await?;
        let (resources, others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|resource| resource.batch == batch.id);
        let peers = super::standing(job, host, Some(provider)).await?;
        let peers: Vec<_> = peers.iter().map(|peer| peer.id).collect();
        let view = self.view(provider, &resources).await?;
        let stored = user_keys(self.api.as_ref(), &resources).await?;
        let mut probe_notes = Vec::new();
        let mut latest = batch.latest_access_status;
        if !matches!(probes, Probes::None) {
            let parked: BTreeSet<RemoteId> = resources
                .iter()
                .chain(&others)
                .filter(|row| row.origin == Origin::Parked)
                .map(|row| row.host_resource_id)
                .collect();
            let mut ours = own_accounts(&resources);
            // What we took out of scheduling serves nobody: a key that died since is no finding.
            ours.retain(|id| !parked.contains(id));
            probe_notes = self.account_probes(job, &ours, &view).await?;
            let look = Completion {
                job,
                host: &settings,
                batch,
                pack: &pack,
            };
            if let Some(note) = self.completion(&look, &resources, &stored, probes).await? {
                probe_notes.push(match broke(batch, &view) {
                    Some(why) => format!("{note}; {why}"),
                    None => note,
                });
                latest = Some(AccessStatus::Broken);
            }
        }
        let keys: Vec<(RemoteId, Value)> = stored
            .iter()
            .map(|key| (key.id, recorded::of_key(key)))
            .collect();
        let mut report = reconcile(ReconcileInput {
            host,
            pack: &pack,
            batch: batch.id,
            resources: &resources,
            others: &others,
            peers: &peers,
            view: &view,
            keys: &keys,
            probe_notes,
            summary: ReconcileSummary {
                access_status: batch.access_status,
                latest_access_status: latest,
            },
        });
        report.access_mode = Some(batch.access_mode);
        report.warnings.extend(self.unasked.take());
        if !report.mends.is_empty() && matches!(probes, Probes::Now) {
            let neighbours = neighbours::warnings(job, &settings, &view).await;
            report.warnings.extend(neighbours);
            report.expires_ms = expiry(settings.role, job.now_ms());
        }
        Ok((report, view))
    }

    /// Asks the upstream's list through each live account of ours: changes nothing, costs nothing.
    async fn account_probes(
        &mut self,
        job: &Job,
        ours: &[RemoteId],
        view: &HostView,
    ) -> Outcome<Vec<String>> {
        // Of these there may be thousands.
        let ours: BTreeSet<&RemoteId> = ours.iter().collect();
        let live = view
            .accounts
            .iter()
            .filter(|account| ours.contains(&account.id));
        let mut notes = Vec::new();
        let mut asked = Vec::new();
        for account in live {
            if let Some(known) = self.accounts.get(&account.id) {
                notes.extend(known.clone());
                continue;
            }
            if account.status != "active" {
                notes.push(format!(
                    "account {} #{} is {}: {}",
                    account.name, account.id, account.status, account.error_message
                ));
            } else if let Some(until) = &account.temp_unschedulable_until {
                notes.push(format!(
                    "account {} #{} is cooling down until {}: {}",
                    account.name,
                    account.id,
                    whole_seconds(until),
                    account.temp_unschedulable_reason
                ));
            } else {
                asked.push((account.id, account.name.clone()));
            }
        }
        let found = asked.len();
        let asked = some_of(asked, job.now_ms());
        let total = asked.len();
        if total < found {
            self.unasked = Some(format!(
                "asked the upstream through {total} of {found} live accounts; another run takes others"
            ));
        }
        let looks: Vec<_> = asked
            .into_iter()
            .map(|row| upstream_look(Arc::clone(&self.api), row))
            .collect();
        let mut probes =
            futures_util::stream::iter(looks).buffered(job.settings.timing.items_in_flight.max(1));
        let mut done = 0;
        while let Some((id, name, result)) = probes.next().await {
            done += 1;
            job.count(format!("upstream list through {name}"), done, total);
            let note = match result {
                Ok(_) => None,
                // Without the tunnel nothing can be judged; that is no finding about the key.
                Err(failure) if failure.kind == FailureKind::Unreachable => return Err(failure),
                Err(failure) => Some(format!("account {name} #{id}: {}", failure.message)),
            };
            notes.extend(note.clone());
            self.accounts.insert(id, note);
        }
        Ok(notes)
    }

    /// What was wrong with a completion through the managed key that a batch holds.
    async fn completion(
        &mut self,
        look: &Completion<'_>,
        resources: &[BatchResource],
        keys: &[ApiKey],
        probes: Probes,
    ) -> Outcome<Option<String>> {
        let held = resources
            .iter()
            .find(|resource| resource.kind == ResourceKind::Key);
        let Some(key) =
            held.and_then(|held| keys.iter().find(|key| key.id == held.host_resource_id))
        else {
            return Ok(None);
        };
        if let Some(known) = self.completions.get(&key.id) {
            return Ok(known.clone());
        }
        let ours = own_accounts(resources);
        let told = look.run(self.api.as_ref(), key, &ours, probes).await?;
        self.completions.insert(key.id, told.clone());
        Ok(told)
    }
}

/// Why a standard group refuses the managed user, if it is the money.
fn broke(batch: &Batch, view: &HostView) -> Option<String> {
    let user = view.user.as_ref()?;
    let empty = batch.access_mode == AccessMode::SelfService && user.balance <= 0.0;
    empty.then(|| {
        format!(
            "the managed user `{}` #{} has a balance of {}: a standard group serves only who can pay",
            user.email,
            user.id,
            usd(user.balance)
        )
    })
}

async fn user_keys(api: &dyn HostApi, resources: &[BatchResource]) -> Outcome<Vec<ApiKey>> {
    match resources
        .iter()
        .find(|resource| resource.kind == ResourceKind::User)
    {
        Some(user) => api.user_keys(user.host_resource_id).await,
        None => Ok(Vec::new()),
    }
}

/// Accounts asked through at most: with thousands of them the looks would cost more than the lists.
const MOST_LOOKS: usize = 64;

/// All of a few; of many every n-th, others with each minute.
fn some_of<T>(all: Vec<T>, now_ms: i64) -> Vec<T> {
    let step = all.len().div_ceil(MOST_LOOKS).max(1);
    let minute = usize::try_from(now_ms / 60_000).unwrap_or(0);
    all.into_iter().skip(minute % step).step_by(step).collect()
}

async fn upstream_look(
    api: Arc<dyn HostApi>,
    (id, name): (RemoteId, String),
) -> (RemoteId, String, Outcome<Vec<String>>) {
    let listed = api.upstream_models(id).await;
    (id, name, listed)
}

/// A completion that is judged.
struct Completion<'a> {
    job: &'a Job,
    host: &'a HostSettings,
    batch: &'a Batch,
    pack: &'a ProviderPack,
}

impl Completion<'_> {
    /// What was wrong with it. Without waiting for a warm-up that ended long ago.
    async fn run(
        &self,
        api: &dyn HostApi,
        key: &ApiKey,
        ours: &[RemoteId],
        probes: Probes,
    ) -> Outcome<Option<String>> {
        self.job.say("one completion with the managed key");
        let mut settings = (*self.job.settings).clone();
        let last_write_ms = match probes {
            Probes::Since(at_ms) => at_ms,
            Probes::None | Probes::Now => {
                settings.timing.warming = Duration::ZERO;
                self.batch.last_write_ms
            }
        };
        let paced = Job {
            settings: Arc::new(settings),
            ..self.job.clone()
        };
        let evidence = prove(&GatewayLook {
            job: &paced,
            api,
            host: self.host,
            key,
            model: &self.pack.smoke_model,
            ours,
            last_write_ms,
            conversations: 0,
        })
        .await?;
        // Whoever serves it: after a partial import the older accounts still do, and rightly so.
        let well = evidence.models_ok && evidence.completion_ok;
        Ok((!well).then(|| told(&evidence)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_accounts_are_all_asked_and_of_many_each_one_within_some_minutes() {
        let few: Vec<usize> = (0..MOST_LOOKS).collect();
        assert_eq!(some_of(few.clone(), 90_000), few);
        let many: Vec<usize> = (0..10_000).collect();
        let mut met = BTreeSet::new();
        for minute in 0..200 {
            let asked = some_of(many.clone(), minute * 60_000);
            assert!(asked.len() <= MOST_LOOKS, "{}", asked.len());
            met.extend(asked);
        }
        assert_eq!(met.len(), many.len());
    }
}
