//! Deleting parked accounts: plan, apply exactly that plan, prove it by listing. A delete cannot be
//! taken back, so each is asked about once more right before it is sent.

use super::writes::DeleteParked;
use crate::approval::{Approval, changed_since};
use crate::basis::Basis;
use crate::context::Job;
use crate::failure::Outcome;
use crate::journal::Journal;
use crate::neighbours;
use crate::planned::{
    self, Open, PRUNE, Planned, Taken, again, begin, ended, event, stopped, take_up,
};
use crate::ports::{HostApi, UsageQuery};
use crate::view::read_view;
use cockpit_domain::batch::{Batch, BatchKind, BatchStatus};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::{BatchId, HostId, PackId, PlanId, RemoteId};
use cockpit_domain::import::HostView;
use cockpit_domain::inventory::UsageRow;
use cockpit_domain::journal::StepKind;
use cockpit_domain::pack::ProviderPack;
use cockpit_domain::plan::Change;
use cockpit_domain::pool::{
    Doomed, PruneInput, PrunePlan, below_floor, plan_prune as make_plan, witnesses,
};
use cockpit_domain::recorded::{self, listing, listing_changes};
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A plan with its id and hash.
pub type PlannedPrune = Planned<PrunePlan>;

/// What pruning came to.
#[derive(Debug, Clone, Serialize)]
pub struct Pruned {
    /// The batch that records it.
    #[serde(flatten)]
    pub batch: Batch,
    /// Accounts deleted.
    pub done: usize,
    /// Accounts that were to go and stayed, with their reasons.
    pub kept: Vec<String>,
    /// What was deleted and is listed all the same; empty when all is well.
    pub remains: Vec<String>,
    /// What changed on the host beside; empty when all is well.
    pub disturbed: Vec<String>,
}

/// Plans and saves. Reads only.
pub async fn plan(job: &Job, host: &HostId, provider: &PackId) -> Outcome<PlannedPrune> {
    let doing = format!("planning what of `{provider}` can go from `{host}`");
    let settings = job.host(host)?.clone();
    let pack = job.provider(provider)?;
    job.say(format!("reading `{host}`"));
    let api = job.ports.hosts.api(host).await?;
    let drafted = draft(job, api.as_ref(), &settings, &pack).await;
    let (mut plan, view) = drafted.map_err(|failure| failure.doing(doing))?;
    let others = neighbours::warnings(job, &settings, &view).await;
    plan.warnings.extend(others);
    planned::save(job, PRUNE, plan).await
}

/// Carries out exactly this plan and proves the end by listing.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval) -> Outcome<Pruned> {
    let open: Open<PrunePlan> = planned::open(job, PRUNE, id, approval).await?;
    let (saved, plan, api) = (&open.saved, &open.plan, open.api.as_ref());
    let pack = job.provider(&saved.provider)?;
    let (now, before) = draft(job, api, &open.host, &pack).await?;
    if now.revision != plan.revision || !now.blockers.is_empty() {
        let (was, mut is) = (lines(&plan.changes), lines(&now.changes));
        is.extend(now.blockers);
        return Err(open.stale("the host", &changed_since(&was, &is)).hint(format!(
            "nothing was deleted; `cockpit prune plan --host {} --provider {}` shows it as it is now",
            saved.host, saved.provider
        )));
    }
    let what = format!("{} account(s)", plan.doomed.len());
    let batch = begin(job, BatchKind::Prune, saved, &what).await?;
    let run = Run {
        job,
        api,
        pack: &pack,
        plan,
    };
    run.to_its_end(batch, before, &open.reason).await
}

/// Goes on with one that was stopped: what was deleted is found, what was lost is looked up.
pub(crate) async fn resume(job: &Job, id: BatchId) -> Outcome<Batch> {
    let mut taken: Taken<PrunePlan> = take_up(job, id).await?;
    let pack = job.provider(&taken.batch.provider)?;
    let api = job.ports.hosts.api(&taken.batch.host).await?;
    let view = read_view(api.as_ref(), &pack.id).await?;
    again(job, &mut taken.batch).await?;
    let run = Run {
        job,
        api: api.as_ref(),
        pack: &pack,
        plan: &taken.plan,
    };
    let done = run.to_its_end(taken.batch, view, "resume").await?;
    Ok(done.batch)
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(Change::line).collect()
}

/// Reads the host and plans; with what was read, for the proof.
async fn draft(
    job: &Job,
    api: &dyn HostApi,
    host: &HostSettings,
    pack: &ProviderPack,
) -> Outcome<(PrunePlan, HostView)> {
    let store = &job.ports.store;
    let view = read_view(api, &pack.id).await?;
    let records = store.host_resources(&host.id, &pack.id).await?;
    let batches = store.batches(Some(&host.id)).await?;
    let usage = newest_usage(job, api, host, pack, &view, &records).await?;
    let plan = make_plan(&PruneInput {
        host: &host.id,
        role: host.role,
        pack,
        view: &view,
        records: &records,
        batches: &batches,
        usage: &usage,
        now_ms: job.now_ms(),
    });
    Ok((plan, view))
}

/// The newest usage row of accounts that may bear witness, the youngest accounts first, until each
/// group has one that we made and that served.
async fn newest_usage(
    job: &Job,
    api: &dyn HostApi,
    host: &HostSettings,
    pack: &ProviderPack,
    view: &HostView,
    records: &[BatchResource],
) -> Outcome<BTreeMap<RemoteId, UsageRow>> {
    let wanted = witnesses(view, records, pack, &host.id, job.now_ms());
    let groups_of = |id: RemoteId| {
        let mut rows = view.accounts.iter();
        let row = rows.find(|row| row.id == id);
        row.map(|row| row.group_ids.clone()).unwrap_or_default()
    };
    let mut open: BTreeSet<RemoteId> = wanted.iter().flat_map(|id| groups_of(*id)).collect();
    let mut found = BTreeMap::new();
    for id in wanted.into_iter().rev() {
        let groups = groups_of(id);
        if !groups.iter().any(|group| open.contains(group)) {
            continue;
        }
        let query = UsageQuery {
            account_id: Some(id),
            most: 1,
            ..UsageQuery::default()
        };
        let Some(row) = api.usage(&query).await?.into_iter().next() else {
            continue;
        };
        found.insert(id, row);
        let made = |record: &BatchResource| {
            record.kind == ResourceKind::Account
                && record.host_resource_id == id
                && record.origin == Origin::Created
        };
        if records.iter().any(made) {
            open.retain(|group| !groups.contains(group));
        }
    }
    Ok(found)
}

/// One run over a plan, the first or a later one.
struct Run<'a> {
    job: &'a Job,
    api: &'a dyn HostApi,
    pack: &'a ProviderPack,
    plan: &'a PrunePlan,
}

impl Run<'_> {
    async fn to_its_end(&self, batch: Batch, before: HostView, reason: &str) -> Outcome<Pruned> {
        let mut pruned = Pruned {
            batch,
            done: 0,
            kept: Vec::new(),
            remains: Vec::new(),
            disturbed: Vec::new(),
        };
        if let Err(failure) = self.work(&mut pruned, before, reason).await {
            return Err(stopped(self.job, pruned.batch, failure).await?);
        }
        let whole = pruned.kept.is_empty() && pruned.remains.is_empty();
        let status = match (whole, pruned.done) {
            (true, _) => BatchStatus::Succeeded,
            (false, 0) => BatchStatus::Failed,
            (false, _) => BatchStatus::PartiallySucceeded,
        };
        let stayed: Vec<&str> = pruned.kept.iter().map(String::as_str).collect();
        let why = stayed.join("; ");
        let told = format!("{} deleted, {} kept", pruned.done, pruned.kept.len());
        ended(self.job, &mut pruned.batch, status, why, told).await?;
        Ok(pruned)
    }

    async fn work(&self, pruned: &mut Pruned, before: HostView, reason: &str) -> Outcome<()> {
        let (job, store) = (self.job, &self.job.ports.store);
        let batch = pruned.batch.id;
        let hash = pruned.batch.plan_hash.clone();
        let journal = Journal::open(job, batch, &self.plan.host, &hash, reason).await?;
        let mut gone: BTreeSet<RemoteId> = BTreeSet::new();
        let mut view = before.clone();
        for (at, doomed) in self.plan.doomed.iter().enumerate() {
            let line = format!("- account {} #{}", doomed.name, doomed.account);
            job.count(&line, at, self.plan.doomed.len());
            // What is asked now must not be old by the time a hold is over.
            job.go_on().await?;
            if let Some(why) = self.why_kept(&journal, &mut view, doomed).await? {
                event(job, batch, "kept", format!("{line}: {why}")).await?;
                pruned.kept.push(format!("{line}: {why}"));
                continue;
            }
            let api = self.api;
            journal.ensure(&DeleteParked { api, doomed }).await?;
            for by in &doomed.parked_by {
                store
                    .mark_undone(*by, ResourceKind::Account, doomed.account)
                    .await?;
            }
            gone.insert(doomed.account);
            pruned.done += 1;
            pruned.batch.last_write_ms = job.now_ms();
        }
        job.say("proving by listing");
        let rows = listing(&read_view(self.api, &self.pack.id).await?);
        let was = listing(&before);
        let ours = |kind: ResourceKind, id: i64| {
            kind == ResourceKind::Account && gone.contains(&RemoteId(id))
        };
        let left = rows.keys().filter(|(kind, _, id)| ours(*kind, *id));
        pruned.remains = left
            .map(|(kind, name, id)| format!("{kind} {name} #{id}"))
            .collect();
        let (mut was, mut is) = (was, rows.clone());
        was.retain(|(kind, _, id), _| !ours(*kind, *id));
        is.retain(|(kind, _, id), _| !ours(*kind, *id));
        pruned.disturbed = listing_changes(&was, &is);
        Ok(())
    }

    /// Why an account stays after all, as the host has it in this moment.
    async fn why_kept(
        &self,
        journal: &Journal,
        view: &mut HostView,
        doomed: &Doomed,
    ) -> Outcome<Option<String>> {
        let target = format!("account {} #{}", doomed.name, doomed.account);
        let begun = journal.last(StepKind::Delete, &target).is_some();
        let Some(account) = self.api.account(doomed.account).await? else {
            return Ok((!begun).then(|| "is gone already, and not by this".to_owned()));
        };
        if account.schedulable {
            return Ok(Some("was switched on again meanwhile".to_owned()));
        }
        let now = Some(recorded::of_account(&account));
        if let Some(why) = Basis::of(doomed.before.clone(), now).moved(&doomed.name) {
            return Ok(Some(format!("was changed meanwhile: {why}")));
        }
        for stand in &self.plan.stands {
            let fresh = self.api.accounts(Some(stand.group)).await?;
            view.accounts
                .retain(|row| !row.group_ids.contains(&stand.group));
            view.accounts.extend(fresh);
        }
        let (host, now) = (&self.plan.host, self.job.now_ms());
        Ok(below_floor(host, self.pack, view, &self.plan.stands, now))
    }
}
