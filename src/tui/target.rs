//! What the person points at: host, provider, batch, check, plan, as far as page and selection say.

use crate::model::Model;
use crate::place::Place;
use crate::update::Shown;
use cockpit_domain::ids::{BatchId, HostId, JobId, MachineId, PackId, PlanId, RemoteId};

/// What is pointed at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// A host.
    pub host: Option<HostId>,
    /// The machine it stands on.
    pub machine: Option<MachineId>,
    /// A provider.
    pub provider: Option<PackId>,
    /// A batch.
    pub batch: Option<BatchId>,
    /// A temporary stack.
    pub stack: Option<HostId>,
    /// An account of the host.
    pub account: Option<RemoteId>,
    /// A check of a pack.
    pub check: Option<(PackId, String)>,
    /// A plan.
    pub plan: Option<PlanId>,
    /// A job.
    pub job: Option<JobId>,
}

/// What the page that is open and its selected row are about.
pub(crate) fn target(model: &Model) -> Target {
    pointed_at(model, &crate::update::shown(model))
}

/// The same, of a page as it is shown.
pub(crate) fn pointed_at(model: &Model, shown: &Shown) -> Target {
    let place = &model.trail.view().place;
    let selected = shown
        .selected
        .and_then(|at| shown.rows[at].opens.clone())
        .filter(|_| {
            let listing = matches!(
                place,
                Place::Pool(_) | Place::Drift | Place::Stacks | Place::Matrix | Place::Finding(_)
            );
            place.pane().is_some() || listing
        });
    of(model, selected.as_ref().unwrap_or(place))
}

/// The host that something is about, for looking only: a check is about the first host that its pack
/// judges.
pub(crate) fn host_looked_at(model: &Model, aim: Target) -> Option<HostId> {
    aim.host.or_else(|| {
        let (pack, _) = aim.check?;
        let mut hosts = model.setup.hosts.iter();
        let host = hosts.find(|host| host.baseline.as_ref() == Some(&pack));
        host.map(|host| host.id.clone())
    })
}

fn of(model: &Model, place: &Place) -> Target {
    let mut target = Target::default();
    match place {
        Place::Host(host) | Place::Pool(host) => target.host = Some(host.clone()),
        Place::Resources(host, provider) => {
            target.host = Some(host.clone());
            target.provider = Some(provider.clone());
        }
        Place::Seat(host, _, account) => {
            target.host = Some(host.clone());
            target.account = Some(*account);
        }
        Place::Batch(batch) | Place::Item(batch, _) | Place::DriftOf(batch) => {
            target.batch = Some(*batch);
        }
        Place::Check(pack, check) | Place::CheckHistory(pack, check) => {
            target.check = Some((pack.clone(), check.clone()));
        }
        Place::Plan(plan) | Place::Change(plan, _) | Place::Outcome(plan) => {
            target.plan = Some(*plan);
        }
        Place::Triage | Place::Finding(_) => {
            let seen = model.triage.look.as_ref();
            target.host = seen.map(|seen| seen.value.host.clone());
        }
        Place::Stack(stack) => target.stack = Some(stack.clone()),
        Place::Gate => {
            let gate = model.gate.as_ref();
            let plan = gate.and_then(|known| known.value.plan.as_ref());
            target.plan = plan.map(|plan| plan.id);
        }
        Place::Job(job) => target.job = Some(*job),
        Place::Run(run) | Place::RunStep(run, _) => {
            let seen = model.runs.get(run).map(|(_, run)| run);
            let planned = seen.and_then(|run| run.current()?.plan.as_ref());
            target.host = planned
                .map(|plan| plan.host.clone())
                .or_else(|| seen.and_then(|run| run.host.clone()));
        }
        Place::Probe(subject, _) => {
            let (host, provider) = subject.split_once('/').unwrap_or((subject, ""));
            target.host = HostId::new(host).ok();
            target.provider = PackId::new(provider).ok();
        }
        _ => {}
    }
    if let Some(seen) = target.batch.and_then(|id| {
        model
            .board()
            .batches
            .iter()
            .find(|seen| seen.batch.id == id)
    }) {
        target.host = Some(seen.batch.host.clone());
        target.provider = Some(seen.batch.provider.clone());
    }
    if let Some(plan) = target.plan.and_then(|id| model.plans.get(&id)) {
        target.host = Some(plan.host().clone());
    }
    target.machine = target
        .host
        .as_ref()
        .and_then(|id| model.setup.host(id))
        .map(|host| host.machine.clone());
    target
}
