//! The deploy gate: the pack's steps before a deployment, the same steps after it, and what is
//! different. Before only looks. After looks, and plans what has to be done (a reload); applying that
//! plan runs exactly those commands, takes every step and says whether the gate is passed.

mod apply;
mod settle;
mod steps;

pub use apply::apply;
pub use settle::{GateWord, settle};

use crate::baseline;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::planned::{self, GATE, Planned};
use crate::ports::ResultKind;
use cockpit_domain::gate::{
    GateChange, GateDo, GatePhase, GatePlan, GateRecord, GateRow, GateState, before_faults,
    changed_lines, compare, gate_faults,
};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_domain::pack::{BaselinePack, Gate, GateAct, GateStep};
use serde::{Deserialize, Serialize};

/// What a side of the gate came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// Before: recorded, and all well. After: passed.
    Passed,
    /// Something is wrong, was left out, or changed without leave.
    Failed,
    /// A person has to approve what is to be done.
    Waiting,
    /// What was begun has no end on record: a person says whether it was done.
    Asks,
    /// Another process is at it.
    Busy,
    /// Nothing was ever looked at.
    Unknown,
}

impl GateVerdict {
    /// Its word in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::Asks => "asks",
            Self::Busy => "busy",
            Self::Unknown => "unknown",
        }
    }
}

/// What is to be approved, with its id and hash.
pub type PlannedGate = Planned<GatePlan>;

/// One side of the gate, held against the other.
#[derive(Debug, Clone, Serialize)]
pub struct GateReport {
    /// The pack.
    pub pack: PackId,
    /// The host it judges.
    pub host: HostId,
    /// Which side.
    pub phase: GatePhase,
    /// What it came to.
    pub verdict: GateVerdict,
    /// UTC ms of the look.
    pub at_ms: i64,
    /// UTC ms of the record it is compared with.
    pub before_ms: Option<i64>,
    /// Every step, in order.
    pub rows: Vec<GateRow>,
    /// What is different after the deployment.
    pub changes: Vec<GateChange>,
    /// Why the gate is shut; empty when it is passed.
    pub faults: Vec<String>,
    /// What waits for a person's word.
    #[serde(skip)]
    pub plan: Option<PlannedGate>,
}

/// The gate that is meant.
pub(super) struct Meant {
    pub(super) pack: BaselinePack,
    pub(super) gate: Gate,
    pub(super) host: HostId,
}

pub(super) fn meant(job: &Job, pack: Option<&PackId>, doing: &str) -> Outcome<Meant> {
    let (pack, host) = baseline::meant(job, pack).map_err(|failure| failure.doing(doing))?;
    let Some(gate) = pack.gate.clone() else {
        let message = format!("pack `{}` has no deploy gate", pack.id);
        return Err(Failure::new(FailureKind::Usage, message)
            .doing(doing)
            .hint("give it a [gate] with its steps; packs/README.md shows one"));
    };
    let host = host.ok_or_else(|| {
        let message = format!("no host of the config is judged by `{}`", pack.id);
        Failure::new(FailureKind::Config, message)
            .doing(doing)
            .hint(format!(
                "add `baseline = \"{}\"` to the [host.NAME] this pack is about",
                pack.id
            ))
    })?;
    Ok(Meant { pack, gate, host })
}

/// Looks before a deployment and records it. Only reads.
pub async fn before(job: &Job, pack: Option<&PackId>) -> Outcome<GateReport> {
    let doing = "looking before the deployment";
    let meant = meant(job, pack, doing)?;
    settle::nothing_open(job, &meant, doing, false).await?;
    let rows = steps::look(job, &meant, &meant.gate.steps).await;
    job.check_cancel()?;
    let record = record(job, &meant, GatePhase::Before, rows);
    keep(job, &record).await?;
    Ok(of_before(&record))
}

/// Looks after a deployment, compares, and plans what has to be done. Only reads.
pub async fn after(job: &Job, pack: Option<&PackId>) -> Outcome<GateReport> {
    let doing = "looking after the deployment";
    let meant = meant(job, pack, doing)?;
    settle::nothing_open(job, &meant, doing, false).await?;
    let before = last(job, &meant.pack.id, GatePhase::Before).await?;
    let split = first_do(&meant.gate.steps);
    let mut rows = steps::look(job, &meant, &meant.gate.steps[..split]).await;
    job.check_cancel()?;
    rows.extend(left_out(&meant.gate.steps[split..]));
    let record = record(job, &meant, GatePhase::After, rows);
    keep(job, &record).await?;
    let mut report = held_against(&meant, &record, before.as_ref(), &[]);
    if split == meant.gate.steps.len() {
        return Ok(report);
    }
    let plan = draft(job, &meant, &record, before.as_ref());
    if plan.blockers.is_empty() {
        report.verdict = GateVerdict::Waiting;
    }
    report.plan = Some(planned::save(job, GATE, plan).await?);
    Ok(report)
}

/// What is recorded, without a look: the side looked at last.
pub async fn show(job: &Job, pack: Option<&PackId>) -> Outcome<GateReport> {
    let meant = meant(job, pack, "looking up the deploy gate")?;
    let before = last(job, &meant.pack.id, GatePhase::Before).await?;
    let after = last(job, &meant.pack.id, GatePhase::After).await?;
    let newer = |after: &GateRecord| before.as_ref().is_none_or(|b| after.at_ms >= b.at_ms);
    Ok(match (after.filter(newer), &before) {
        (Some(after), _) => {
            let mut report = held_against(&meant, &after, before.as_ref(), &after.approved);
            if after.unseen().is_some() && settle::is_held(job, &meant).await? {
                report.verdict = GateVerdict::Busy;
            }
            report
        }
        (None, Some(before)) => of_before(before),
        (None, None) => GateReport {
            verdict: GateVerdict::Unknown,
            ..of_before(&record(
                job,
                &meant,
                GatePhase::Before,
                left_out(&meant.gate.steps).collect(),
            ))
        },
    })
}

fn of_before(record: &GateRecord) -> GateReport {
    let faults: Vec<String> = (record.rows.iter())
        .filter(|row| matches!(row.state, GateState::Failed | GateState::CouldNotLook))
        .map(|row| format!("step `{}` {}: {}", row.id, row.state, row.found))
        .collect();
    GateReport {
        pack: record.pack.clone(),
        host: record.host.clone(),
        phase: GatePhase::Before,
        verdict: if faults.is_empty() {
            GateVerdict::Passed
        } else {
            GateVerdict::Failed
        },
        at_ms: record.at_ms,
        before_ms: None,
        rows: record.rows.clone(),
        changes: Vec::new(),
        faults,
        plan: None,
    }
}

/// A record after, held against the one before.
pub(super) fn held_against(
    meant: &Meant,
    record: &GateRecord,
    before: Option<&GateRecord>,
    approved: &[String],
) -> GateReport {
    let mut faults = before_faults(&meant.gate, &record.fingerprint, before, record.at_ms);
    let changes = before.map_or_else(Vec::new, |before| compare(before, &record.rows));
    faults.extend(gate_faults(&meant.gate, &record.rows, &changes, approved));
    GateReport {
        pack: record.pack.clone(),
        host: record.host.clone(),
        phase: GatePhase::After,
        verdict: if faults.is_empty() {
            GateVerdict::Passed
        } else if record.unseen().is_some() {
            GateVerdict::Asks
        } else {
            GateVerdict::Failed
        },
        at_ms: record.at_ms,
        before_ms: before.map(|before| before.at_ms),
        rows: record.rows.clone(),
        changes,
        faults,
        plan: None,
    }
}

/// What would be done, and what stands in its way: a record before that is none, and every look
/// ahead of it that is not well.
pub(super) fn draft(
    job: &Job,
    meant: &Meant,
    record: &GateRecord,
    before: Option<&GateRecord>,
) -> GatePlan {
    let mut blockers = before_faults(&meant.gate, &meant.pack.fingerprint, before, record.at_ms);
    let ahead = &record.rows[..first_do(&meant.gate.steps)];
    blockers.extend(
        (ahead.iter().filter(|row| row.state != GateState::Passed))
            .map(|row| format!("step `{}` {}: {}", row.id, row.state, row.found)),
    );
    if !baseline::is_trusted(job, &meant.pack) {
        blockers.push(steps::untrusted(&meant.pack));
    }
    let changes = before.map_or_else(Vec::new, |before| compare(before, &record.rows));
    GatePlan {
        host: meant.host.clone(),
        pack: meant.pack.id.clone(),
        fingerprint: meant.pack.fingerprint.clone(),
        machine: meant.gate.machine.clone(),
        before_ms: before.map(|before| before.at_ms),
        does: (meant.gate.steps.iter())
            .filter_map(|step| match &step.act {
                GateAct::Do(argv) => Some(GateDo {
                    step: step.id.clone(),
                    title: step.title.clone(),
                    argv: argv.clone(),
                }),
                _ => None,
            })
            .collect(),
        changed: changed_lines(&changes),
        blockers,
        expires_ms: GatePlan::expiry(job.now_ms()),
    }
}

/// Where the first step stands that does something.
pub(super) fn first_do(steps: &[GateStep]) -> usize {
    let is_do = |step: &GateStep| matches!(step.act, GateAct::Do(_));
    steps.iter().position(is_do).unwrap_or(steps.len())
}

pub(super) fn left_out(steps: &[GateStep]) -> impl Iterator<Item = GateRow> {
    steps
        .iter()
        .map(|step| GateRow::of(step, GateState::NotDone, "not done yet", ""))
}

pub(super) fn record(job: &Job, meant: &Meant, phase: GatePhase, rows: Vec<GateRow>) -> GateRecord {
    GateRecord {
        pack: meant.pack.id.clone(),
        fingerprint: meant.pack.fingerprint.clone(),
        host: meant.host.clone(),
        machine: meant.gate.machine.clone(),
        phase,
        at_ms: job.now_ms(),
        rows,
        approved: Vec::new(),
    }
}

fn subject(pack: &PackId, phase: GatePhase) -> String {
    format!("{pack}/{phase}")
}

/// Keeps a side: it is evidence, so a store that refuses fails the gate.
pub(super) async fn keep(job: &Job, record: &GateRecord) -> Outcome<()> {
    let body = serde_json::to_value(record)
        .map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
    let kept = crate::ports::KeptResult {
        at_ms: record.at_ms,
        body,
    };
    let subject = subject(&record.pack, record.phase);
    job.ports
        .store
        .keep(ResultKind::Gate, &subject, &kept)
        .await
}

/// The newest record of a side. One that cannot be read is none.
pub(super) async fn last(
    job: &Job,
    pack: &PackId,
    phase: GatePhase,
) -> Outcome<Option<GateRecord>> {
    let kept = (job.ports.store)
        .kept(ResultKind::Gate, &subject(pack, phase), 1)
        .await?;
    let newest = kept.into_iter().next();
    Ok(newest.and_then(|kept| serde_json::from_value(kept.body).ok()))
}
