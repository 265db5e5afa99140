//! The board: what is known of the fleet, each thing with its age. Loaded from the store before
//! anything is asked, then kept up by what jobs find. Faces read it behind an `Arc` and never
//! lock the engine.

mod learn;
mod recall;

pub(crate) use learn::trouble_subject;

use crate::baseline::BaselineReport;
use crate::failure::{Failure, FailureKind};
use crate::ports::LeaseInfo;
use crate::probe::{HostProbe, Probe};
use cockpit_domain::baseline::Waiver;
use cockpit_domain::batch::{AccessMode, AccountStatus, Batch, ItemStage};
use cockpit_domain::ids::{BatchId, HostId, MachineId, PackId};
use cockpit_domain::plan::Change;
use cockpit_domain::reconcile::{ReconcileReport, ReconcileStatus, Since};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A value and when it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known<T> {
    /// UTC ms.
    pub at_ms: i64,
    /// What was found.
    pub value: T,
}

/// A look that could not be made, as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Kind of the failure.
    pub kind: FailureKind,
    /// What was being done.
    pub doing: String,
    /// What was found.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl From<&Failure> for Trouble {
    fn from(failure: &Failure) -> Self {
        Self {
            kind: failure.kind,
            doing: failure.doing.clone(),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        }
    }
}

/// What is known of a host: the last good look stays beside a newer trouble.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HostSeen {
    /// The last good look.
    pub probe: Option<Known<HostProbe>>,
    /// Set when the newest look failed; cleared by a good one.
    pub trouble: Option<Known<Trouble>>,
}

/// What is known of a machine's connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MachineSeen {
    /// Round trip of a trivial command and what `uname -s` says, from the last good check.
    pub check: Option<Known<MachineState>>,
    /// Set when the newest check failed.
    pub trouble: Option<Known<Trouble>>,
}

/// A machine that answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineState {
    /// Milliseconds.
    pub round_trip_ms: u64,
    /// `Linux`, `Darwin`.
    pub system: String,
    /// How often the connection was made anew since start.
    pub reconnects: u32,
}

/// A machine looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineLook {
    /// Machine.
    pub machine: MachineId,
    /// What it answered.
    #[serde(flatten)]
    pub state: MachineState,
}

/// How the keys of a batch fare.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Keys in the batch.
    pub total: usize,
    /// Through, well or not.
    pub done: usize,
    /// Judged passed.
    pub passed: usize,
    /// Judged warning.
    pub warning: usize,
    /// Judged failed.
    pub failed: usize,
}

impl Tally {
    /// Counts `keys` keys that stand alike.
    pub fn count(&mut self, stage: ItemStage, status: Option<AccountStatus>, keys: usize) {
        self.total += keys;
        if stage == ItemStage::Done {
            self.done += keys;
        }
        match status {
            Some(AccountStatus::Passed) => self.passed += keys,
            Some(AccountStatus::Warning) => self.warning += keys,
            Some(AccountStatus::Failed) => self.failed += keys,
            None => {}
        }
    }
}

/// A batch in the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BatchSeen {
    /// The batch.
    pub batch: Batch,
    /// Its keys.
    pub tally: Tally,
    /// Whether another process runs it: shown, never driven from here.
    pub foreign: bool,
}

/// How a writer's place stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseState {
    /// Its owner is at work.
    Held,
    /// Its owner is gone and left it behind; the next writer takes it.
    Left,
    /// It cannot be looked at: somebody may hold it.
    Unreadable,
}

/// The writer's place of a (host, provider).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeaseSeen {
    /// Host.
    pub host: HostId,
    /// Provider.
    pub provider: PackId,
    /// Who, what for, since when.
    pub info: LeaseInfo,
    /// Whether another process holds it.
    pub foreign: bool,
    /// Whether it is held.
    pub state: LeaseState,
}

/// How a batch and its host stand to each other, as a face shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftSeen {
    /// The batch.
    pub batch: BatchId,
    /// Its host.
    pub host: HostId,
    /// Its provider.
    pub provider: PackId,
    /// Access mode of the batch.
    pub access_mode: Option<AccessMode>,
    /// See [`ReconcileStatus`].
    pub status: ReconcileStatus,
    /// Missing, changed, extra, and noise beside them.
    pub counts: [usize; 4],
    /// What failed probes said.
    pub probe_notes: Vec<String>,
    /// Findings, each with its time; the first of them when there are very many.
    pub rows: Vec<(Change, Option<Since>)>,
    /// How many findings there are.
    pub findings: usize,
    /// Whether a repair can put something back.
    pub mendable: bool,
}

/// Findings of a batch that the board holds.
const ROWS: usize = 200;

impl DriftSeen {
    /// What a face shows of a report.
    pub fn of(report: &ReconcileReport) -> Self {
        let rows = report.changes.iter().enumerate().take(ROWS);
        Self {
            batch: report.batch_id,
            host: report.host.clone(),
            provider: report.provider.clone(),
            access_mode: report.access_mode,
            status: report.status,
            counts: [
                report.missing_count,
                report.changed_count,
                report.extra_count,
                report.stale_noise_count,
            ],
            probe_notes: report.probe_notes.clone(),
            rows: rows
                .map(|(at, change)| (change.clone(), report.since.get(at).copied()))
                .collect(),
            findings: report.changes.len(),
            mendable: !report.mends.is_empty(),
        }
    }
}

/// Everything that is known. Immutable once published.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Board {
    /// Last baseline run of each pack.
    pub baselines: BTreeMap<PackId, Known<BaselineReport>>,
    /// Why the newest run of a pack came to nothing; cleared by a good one.
    pub baseline_troubles: BTreeMap<PackId, Known<Trouble>>,
    /// What is put aside, also where its time has run out; every run has what is about it.
    pub waivers: Vec<Waiver>,
    /// Hosts of the config; every one has an entry.
    pub hosts: BTreeMap<HostId, HostSeen>,
    /// Machines of the config; every one has an entry.
    pub machines: BTreeMap<MachineId, MachineSeen>,
    /// Batches, newest first.
    pub batches: Vec<BatchSeen>,
    /// Last probes of each host and provider (`host` or `host/provider`).
    pub probes: BTreeMap<String, Known<Vec<Probe>>>,
    /// How each batch that was compared stood to its host.
    pub drift: BTreeMap<BatchId, Known<DriftSeen>>,
    /// Writers' places that are held.
    pub leases: Vec<LeaseSeen>,
    /// Counts changes of the store, our own and other processes': whoever shows a batch page reads
    /// it again when this moved.
    pub store_changes: u64,
}
