//! What the board takes from an answer, or from a look that could not be made. Plain functions:
//! values in, whether anything changed out.

use super::{
    BatchSeen, Board, DriftSeen, HostSeen, Known, MachineLook, MachineSeen, Tally, Trouble,
};
use crate::command::{Answer, Command};
use crate::context::Settings;
use crate::failure::{Failure, FailureKind};
use crate::probe::{HostProbe, Probe};
use cockpit_domain::baseline::{BaselineReport, Waiver};
use cockpit_domain::batch::{Batch, BatchStatus};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use std::collections::BTreeMap;

/// What a trouble is about; its text is the subject under which the trouble is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TroubleSubject {
    Host(HostId),
    Machine(MachineId),
    Baseline(PackId),
}

impl TroubleSubject {
    /// `host/prod`, `machine/web1`, `baseline/acme`.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Host(id) => format!("host/{id}"),
            Self::Machine(id) => format!("machine/{id}"),
            Self::Baseline(id) => format!("baseline/{id}"),
        }
    }

    /// Reads its text back.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once('/')?;
        Some(match kind {
            "host" => Self::Host(HostId::new(id).ok()?),
            "machine" => Self::Machine(MachineId::new(id).ok()?),
            "baseline" => Self::Baseline(PackId::new(id).ok()?),
            _ => return None,
        })
    }
}

/// What a failed command says something about. A look that a person stopped, or that was asked for
/// in words that make no sense, says nothing about the fleet.
pub(crate) fn trouble_subject(command: &Command, failure: &Failure) -> Option<TroubleSubject> {
    if matches!(failure.kind, FailureKind::Cancelled | FailureKind::Usage) {
        return None;
    }
    match command {
        Command::HostProbe { host } => Some(TroubleSubject::Host(host.clone())),
        Command::MachineCheck { machine } => Some(TroubleSubject::Machine(machine.clone())),
        Command::BaselineRun {
            pack: Some(pack), ..
        } => Some(TroubleSubject::Baseline(pack.clone())),
        _ => None,
    }
}

impl Board {
    /// An empty board with a place for every host and machine of the config.
    pub fn of(settings: &Settings) -> Self {
        let hosts = settings.hosts.keys();
        let machines = settings.machines.iter();
        Self {
            hosts: hosts.map(|id| (id.clone(), HostSeen::default())).collect(),
            machines: machines
                .map(|id| (id.clone(), MachineSeen::default()))
                .collect(),
            ..Self::default()
        }
    }

    /// Takes in what a command answered at `at_ms`. Returns whether the board changed.
    pub fn learn(&mut self, command: &Command, answer: &Answer, at_ms: i64) -> bool {
        match answer {
            // A run that was stopped would hide the last whole one.
            Answer::Baseline(report) if report.cancelled => false,
            Answer::Baseline(report) => self.see_baseline(report.started_ms, report.clone()),
            Answer::Waivers(waivers) => self.see_waivers(waivers.waivers.clone()),
            Answer::Triage(done) => done
                .run
                .as_ref()
                .is_some_and(|report| self.see_baseline(report.started_ms, report.clone())),
            Answer::Host(probe) => self.see_host(at_ms, probe.clone()),
            Answer::Machine(look) => self.see_machine(at_ms, look),
            Answer::Probes(probes) => match command {
                Command::ProbeRun { host, provider } => {
                    let subject = crate::probe::subject(host, provider.as_ref());
                    self.see_probes(at_ms, &subject, probes.clone())
                }
                _ => false,
            },
            Answer::Batch(batch) => self.see_batch(batch, None),
            Answer::Adopted(adopted) => self.see_batch(&adopted.batch, None),
            Answer::Pruned(pruned) => self.see_batch(&pruned.batch, None),
            Answer::Recovered(recovered) => self.see_batch(&recovered.batch, None),
            Answer::RolledBack(rolled) => self.see_batch(&rolled.batch, None),
            Answer::Mended(mended) => {
                let drift = self.see_drift(at_ms, DriftSeen::of(&mended.report));
                self.see_batch(&mended.batch, None) | drift
            }
            Answer::Reconcile(done) => done.plans.iter().fold(false, |changed, plan| {
                self.see_drift(at_ms, DriftSeen::of(&plan.report)) | changed
            }),
            Answer::Looked(looked) => looked.batches.iter().fold(false, |changed, report| {
                self.see_drift(at_ms, DriftSeen::of(report)) | changed
            }),
            Answer::Repaired(repaired) => {
                let report = &repaired.report;
                let baseline =
                    !report.cancelled && self.see_baseline(report.started_ms, report.clone());
                self.see_batch(&repaired.batch, None) | baseline
            }
            Answer::Batches(batches) => batches.iter().fold(false, |changed, batch| {
                self.see_batch(batch, None) | changed
            }),
            Answer::Detail(detail) => {
                let mut tally = Tally::default();
                for item in &detail.items {
                    tally.count(item.stage, item.account_status, 1);
                }
                self.see_batch(&detail.batch, Some(tally))
            }
            _ => false,
        }
    }

    /// Takes in that a command came to nothing. Returns whether the board changed.
    pub fn learn_trouble(&mut self, command: &Command, failure: &Failure, at_ms: i64) -> bool {
        trouble_subject(command, failure).is_some_and(|subject| {
            let value = Trouble::from(failure);
            self.see_trouble(&subject, &Known { at_ms, value })
        })
    }

    pub(super) fn see_waivers(&mut self, waivers: Vec<Waiver>) -> bool {
        if self.waivers == waivers {
            return false;
        }
        self.waivers = waivers;
        for known in self.baselines.values_mut() {
            known.value.attach(&self.waivers);
        }
        true
    }

    pub(super) fn see_baseline(&mut self, at_ms: i64, mut value: BaselineReport) -> bool {
        value.attach(&self.waivers);
        let pack = value.pack.clone();
        let mut trouble = self.baseline_troubles.remove(&pack);
        let ended = end_older(&mut trouble, at_ms);
        if let Some(trouble) = trouble {
            self.baseline_troubles.insert(pack.clone(), trouble);
        }
        put(&mut self.baselines, pack, Known { at_ms, value }) | ended
    }

    pub(super) fn see_host(&mut self, at_ms: i64, value: HostProbe) -> bool {
        let machine = value
            .machine
            .as_ref()
            .is_some_and(|look| self.see_machine(at_ms, look));
        let seen = self.hosts.entry(value.host.clone()).or_default();
        let ended = end_older(&mut seen.trouble, at_ms);
        place(&mut seen.probe, Known { at_ms, value }) | ended | machine
    }

    pub(super) fn see_machine(&mut self, at_ms: i64, look: &MachineLook) -> bool {
        let seen = self.machines.entry(look.machine.clone()).or_default();
        let ended = end_older(&mut seen.trouble, at_ms);
        let value = look.state.clone();
        place(&mut seen.check, Known { at_ms, value }) | ended
    }

    pub(super) fn see_probes(&mut self, at_ms: i64, subject: &str, value: Vec<Probe>) -> bool {
        put(&mut self.probes, subject.to_owned(), Known { at_ms, value })
    }

    pub(super) fn see_drift(&mut self, at_ms: i64, value: DriftSeen) -> bool {
        put(&mut self.drift, value.batch, Known { at_ms, value })
    }

    /// A trouble that is older than the last good look is past. One about what the config does not
    /// name has no place.
    pub(super) fn see_trouble(
        &mut self,
        subject: &TroubleSubject,
        trouble: &Known<Trouble>,
    ) -> bool {
        let past = |good: Option<i64>| good.is_some_and(|good| good > trouble.at_ms);
        match subject {
            TroubleSubject::Host(id) => self.hosts.get_mut(id).is_some_and(|seen| {
                !past(seen.probe.as_ref().map(|known| known.at_ms))
                    && place(&mut seen.trouble, trouble.clone())
            }),
            TroubleSubject::Machine(id) => self.machines.get_mut(id).is_some_and(|seen| {
                !past(seen.check.as_ref().map(|known| known.at_ms))
                    && place(&mut seen.trouble, trouble.clone())
            }),
            TroubleSubject::Baseline(id) => {
                !past(self.baselines.get(id).map(|known| known.at_ms))
                    && put(&mut self.baseline_troubles, id.clone(), trouble.clone())
            }
        }
    }

    /// Puts a batch in its place. Its keys are counted only where they were read with it, and
    /// whether it is another's is known from the leases only.
    fn see_batch(&mut self, batch: &Batch, tally: Option<Tally>) -> bool {
        let place = self
            .batches
            .binary_search_by(|seen| batch.id.cmp(&seen.batch.id));
        match place {
            Ok(at) => {
                let seen = &mut self.batches[at];
                let now = BatchSeen {
                    batch: batch.clone(),
                    tally: tally.unwrap_or(seen.tally),
                    foreign: seen.foreign && batch.batch_status == BatchStatus::Running,
                };
                let changed = *seen != now;
                *seen = now;
                changed
            }
            Err(at) => {
                let seen = BatchSeen {
                    batch: batch.clone(),
                    tally: tally.unwrap_or_default(),
                    foreign: false,
                };
                self.batches.insert(at, seen);
                true
            }
        }
    }
}

/// Puts in what is not older and not the same. Returns whether it did.
fn place<T: PartialEq>(place: &mut Option<Known<T>>, new: Known<T>) -> bool {
    let stale = |known: &Known<T>| known.at_ms > new.at_ms || *known == new;
    if place.as_ref().is_some_and(stale) {
        return false;
    }
    *place = Some(new);
    true
}

/// The same in a map.
fn put<K: Ord, T: PartialEq>(map: &mut BTreeMap<K, Known<T>>, key: K, new: Known<T>) -> bool {
    let mut known = map.remove(&key);
    let news = place(&mut known, new);
    if let Some(known) = known {
        map.insert(key, known);
    }
    news
}

/// A good look ends what was wrong before it.
fn end_older(trouble: &mut Option<Known<Trouble>>, at_ms: i64) -> bool {
    let past = trouble.as_ref().is_some_and(|known| known.at_ms <= at_ms);
    if past {
        *trouble = None;
    }
    past
}

#[cfg(test)]
mod tests;
