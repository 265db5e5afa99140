//! One look of a watch: the same comparison as a plan makes, kept only where it found something else,
//! and no plan of it. A rollback on the host pauses the watch: what it takes away is no drift.

use super::compare::Reader;
use super::{LeftOut, Probes, Scope, asked, dated, doing, nothing_stands, remember};
use crate::context::Job;
use crate::failure::Outcome;
use crate::ports::{KeptResult, ResultKind};
use crate::rollback::STARTED;
use cockpit_domain::batch::{Batch, BatchStatus};
use cockpit_domain::ids::{BatchId, HostId, PackId};
use cockpit_domain::reconcile::{ReconcileReport, ReconcileStatus};
use serde::Serialize;

/// What one look of a watch came to.
#[derive(Debug, Clone, Serialize)]
pub struct Looked {
    /// UTC ms of the look.
    pub at_ms: i64,
    /// The host.
    pub host: HostId,
    /// The worst of the batches; `None` when the watch is paused.
    pub status: Option<ReconcileStatus>,
    /// A report a batch, newest batch first.
    pub batches: Vec<ReconcileReport>,
    /// What could not be compared.
    pub left_out: Vec<LeftOut>,
    /// Why nothing was compared.
    pub paused: Option<Paused>,
}

/// A rollback that began since the watch did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paused {
    /// The batch that is taken back, or was.
    pub batch: BatchId,
    /// UTC ms of its beginning.
    pub at_ms: i64,
}

impl Looked {
    /// Whether two looks found the same: noise, ages and words of access aside.
    pub fn same(&self, other: &Self) -> bool {
        self.status == other.status
            && self.left_out == other.left_out
            && self.paused == other.paused
            && self.batches.len() == other.batches.len()
            && self
                .batches
                .iter()
                .zip(&other.batches)
                .all(|(one, other)| one.batch_id == other.batch_id && found_same(one, other))
    }
}

fn found_same(one: &ReconcileReport, other: &ReconcileReport) -> bool {
    one.status == other.status
        && one.changes == other.changes
        && one.probe_notes == other.probe_notes
}

/// Looks once, for a watch that began at `since_ms`.
pub async fn look(
    job: &Job,
    host: &HostId,
    provider: Option<&PackId>,
    since_ms: i64,
) -> Outcome<Looked> {
    let scope = Scope::Host {
        host: host.clone(),
        provider: provider.cloned(),
    };
    compared(job, &scope, host, since_ms)
        .await
        .map_err(|failure| failure.doing(doing(&scope)))
}

async fn compared(job: &Job, scope: &Scope, host: &HostId, since_ms: i64) -> Outcome<Looked> {
    let mut looked = Looked {
        at_ms: job.now_ms(),
        host: host.clone(),
        status: None,
        batches: Vec::new(),
        left_out: Vec::new(),
        paused: taken_back(job, host, since_ms).await?,
    };
    if looked.paused.is_some() {
        return Ok(looked);
    }
    let found = asked(job, scope).await?;
    if found.batches.is_empty() && found.left_out.is_empty() {
        return Err(nothing_stands(scope, &[]));
    }
    let mut runs: Vec<(ReconcileReport, Batch)> = Vec::new();
    if !found.batches.is_empty() {
        job.say(format!("reading `{host}`"));
        let api = job.ports.hosts.api(host).await?;
        let mut reader = Reader::of(&api);
        for batch in found.batches {
            let (mut report, _) = reader.compare(job, &batch, Probes::Now).await?;
            dated(job, &mut report).await?;
            runs.push((report, batch));
        }
    }
    // One that began in the meantime: what was read is half of this and half of that.
    looked.paused = taken_back(job, host, since_ms).await?;
    if looked.paused.is_some() {
        return Ok(looked);
    }
    for (report, batch) in runs {
        keep(job, &report, &batch).await?;
        looked.batches.push(report);
    }
    looked.left_out = found.left_out;
    let worst = looked.batches.iter().map(|report| report.status).max();
    looked.status = Some(worst.unwrap_or(ReconcileStatus::Active));
    Ok(looked)
}

/// The newest rollback on a host that began since then.
async fn taken_back(job: &Job, host: &HostId, since_ms: i64) -> Outcome<Option<Paused>> {
    let mut newest: Option<Paused> = None;
    for batch in job.ports.store.batches(Some(host)).await? {
        // One at work is marked as changed when it ends.
        let touched = batch.updated_ms >= since_ms || batch.batch_status == BatchStatus::Running;
        if !touched {
            continue;
        }
        for event in job.ports.store.events(batch.id).await? {
            let newer = newest
                .as_ref()
                .is_none_or(|known| known.at_ms < event.at_ms);
            if event.kind == STARTED && event.at_ms >= since_ms && newer {
                newest = Some(Paused {
                    batch: batch.id,
                    at_ms: event.at_ms,
                });
            }
        }
    }
    Ok(newest)
}

/// Keeps a run that found something else than the one before it; of the others, that they looked.
async fn keep(job: &Job, report: &ReconcileReport, batch: &Batch) -> Outcome<()> {
    let subject = batch.id.to_string();
    let store = &job.ports.store;
    let before = store.kept(ResultKind::Reconcile, &subject, 1).await?;
    let before = before
        .into_iter()
        .next()
        .and_then(|kept| serde_json::from_value::<ReconcileReport>(kept.body).ok());
    if !before.is_some_and(|before| found_same(&before, report)) {
        let run = KeptResult {
            at_ms: job.now_ms(),
            body: serde_json::to_value(report).unwrap_or_default(),
        };
        store.keep(ResultKind::Reconcile, &subject, &run).await?;
    }
    remember(job, report).await
}
