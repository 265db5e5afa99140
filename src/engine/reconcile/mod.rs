//! Reconcile: records against a host, per host and batch. Reads stored state, the upstream's model
//! list through each account, and at most one completion a managed key; the account test is never
//! run here. Each report is the plan of a repair as well, carried out in `apply.rs`.

mod apply;
mod compare;
mod watch;
mod write;

pub(crate) use apply::resume;
pub use apply::{Mended, apply};
pub use watch::{Looked, Paused, look};

use crate::batches;
use crate::board::DriftSeen;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::planned::{self, RECONCILE};
use crate::ports::{KeptResult, ResultKind};
use cockpit_domain::batch::{Batch, BatchKind, BatchStatus};
use cockpit_domain::ids::{BatchId, HostId, PackId, PlanId};
use cockpit_domain::reconcile::{ReconcileReport, ReconcileStatus, since};
use compare::Reader;
use serde::Serialize;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One batch.
    Batch(BatchId),
    /// Every batch that stands on a host, of one provider or of all.
    Host {
        /// The host.
        host: HostId,
        /// The provider.
        provider: Option<PackId>,
    },
}

/// A reconcile of one batch with its plan's id and hash.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedReconcile {
    /// Store id.
    pub id: PlanId,
    /// Hash of the report.
    pub hash: String,
    /// The report.
    pub report: ReconcileReport,
}

/// A batch that was not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The batch.
    pub batch: BatchId,
    /// Why not.
    pub why: String,
}

/// What came of comparing.
#[derive(Debug, Clone)]
pub struct Reconciled {
    /// A plan a batch, newest batch first.
    pub plans: Vec<PlannedReconcile>,
    /// What could not be compared.
    pub left_out: Vec<LeftOut>,
}

impl Reconciled {
    /// The worst of them.
    pub fn status(&self) -> ReconcileStatus {
        let worst = self.plans.iter().map(|plan| plan.report.status).max();
        worst.unwrap_or(ReconcileStatus::Active)
    }

    /// The one report, when one batch was compared.
    pub fn only(&self) -> Option<&PlannedReconcile> {
        match &self.plans[..] {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// Reconciles what stands.
pub async fn plan(job: &Job, scope: &Scope) -> Outcome<Reconciled> {
    let doing = doing(scope);
    let asked = asked(job, scope)
        .await
        .map_err(|failure| failure.doing(doing.clone()))?;
    let mut done = Reconciled {
        plans: Vec::new(),
        left_out: asked.left_out,
    };
    let Some(first) = asked.batches.first() else {
        return Err(nothing_stands(scope, &done.left_out).doing(doing));
    };
    job.say(format!("reading `{}`", first.host));
    let api = job.ports.hosts.api(&first.host).await?;
    let mut reader = Reader::of(&api);
    for batch in &asked.batches {
        let (report, _) = reader
            .compare(job, batch, Probes::Now)
            .await
            .map_err(|failure| failure.doing(doing.clone()))?;
        done.plans.push(save(job, report, batch).await?);
    }
    Ok(done)
}

fn doing(scope: &Scope) -> String {
    match scope {
        Scope::Batch(batch) => format!("reconciling {batch}"),
        Scope::Host {
            host,
            provider: Some(provider),
        } => format!("reconciling `{provider}` on `{host}`"),
        Scope::Host {
            host,
            provider: None,
        } => format!("reconciling `{host}`"),
    }
}

fn nothing_stands(scope: &Scope, left_out: &[LeftOut]) -> Failure {
    if let Some(first) = left_out.first() {
        return Failure::new(
            FailureKind::Conflict,
            format!("{} cannot be compared: {}", first.batch, first.why),
        )
        .hint(format!(
            "`cockpit batch show {}` tells its story",
            first.batch.0
        ));
    }
    let message = match scope {
        Scope::Batch(batch) => format!("{batch} does not stand"),
        Scope::Host {
            host,
            provider: Some(provider),
        } => format!("no batch of `{provider}` stands on `{host}`"),
        Scope::Host {
            host,
            provider: None,
        } => format!("no batch stands on `{host}`"),
    };
    Failure::new(FailureKind::Conflict, message)
        .hint("nothing is recorded, so nothing can be compared; `cockpit batch list` shows what is")
}

/// What a scope comes to.
struct AskedFor {
    batches: Vec<Batch>,
    left_out: Vec<LeftOut>,
}

async fn asked(job: &Job, scope: &Scope) -> Outcome<AskedFor> {
    let mut asked = AskedFor {
        batches: Vec::new(),
        left_out: Vec::new(),
    };
    match scope {
        Scope::Batch(id) => {
            let batch = batches::load(job, *id).await?;
            if let Some(why) = why_not(&batch) {
                asked.left_out.push(LeftOut { batch: *id, why });
            } else {
                job.provider(&batch.provider)?;
                asked.batches.push(batch);
            }
        }
        Scope::Host { host, provider } => {
            job.host(host)?;
            if let Some(provider) = provider {
                job.provider(provider)?;
            }
            for batch in standing(job, host, provider.as_ref()).await? {
                let why = match job.provider(&batch.provider) {
                    Err(failure) => Some(failure.message),
                    Ok(_) if batch.batch_status == BatchStatus::Running => {
                        Some(format!("{} is at work on it", batch.owner))
                    }
                    Ok(_) => None,
                };
                match why {
                    Some(why) => asked.left_out.push(LeftOut {
                        batch: batch.id,
                        why,
                    }),
                    None => asked.batches.push(batch),
                }
            }
        }
    }
    Ok(asked)
}

/// Why a batch cannot be compared with its host; `None` when it can.
fn why_not(batch: &Batch) -> Option<String> {
    if !is_compared(batch.kind) {
        return Some(
            "it changed what others made; the batch that made it is the one to compare".to_owned(),
        );
    }
    let gone = matches!(
        batch.batch_status,
        BatchStatus::RolledBack | BatchStatus::Failed
    );
    gone.then(|| format!("it is {}: nothing of it stands", batch.batch_status))
}

/// Whether batches of a kind say how things are to be.
fn is_compared(kind: BatchKind) -> bool {
    matches!(kind, BatchKind::Import | BatchKind::Adopt)
}

/// Batches of a host that stand, newest first.
async fn standing(job: &Job, host: &HostId, provider: Option<&PackId>) -> Outcome<Vec<Batch>> {
    let mut batches = job.ports.store.batches(Some(host)).await?;
    batches.retain(|batch| {
        why_not(batch).is_none() && provider.is_none_or(|provider| batch.provider == *provider)
    });
    Ok(batches)
}

/// Which probes go with a comparison.
#[derive(Debug, Clone, Copy)]
enum Probes {
    /// None: stored state only.
    None,
    /// As it is now.
    Now,
    /// After a write at this time: what the host may not have noticed yet is asked again.
    Since(i64),
}

/// Tells since when each finding is there: what the run before it found stays since then.
async fn dated(job: &Job, report: &mut ReconcileReport) -> Outcome<()> {
    let subject = report.batch_id.to_string();
    let kept = job.ports.store.kept(ResultKind::Reconcile, &subject, 1);
    let before = kept.await?.into_iter().next().and_then(|kept| {
        let report: Option<ReconcileReport> = serde_json::from_value(kept.body).ok();
        Some((report?, kept.at_ms))
    });
    // Looks that found the same are not kept as runs, but they did look.
    let looked = job.ports.store.kept(ResultKind::Drift, &subject, 1).await?;
    let looked = looked.first().map_or(0, |kept| kept.at_ms);
    let before = before
        .as_ref()
        .map(|(report, at_ms)| (report, looked.max(*at_ms)));
    report.since = since(&report.changes, before, job.now_ms());
    Ok(())
}

/// Keeps what a board shows of it.
async fn remember(job: &Job, report: &ReconcileReport) -> Outcome<()> {
    let kept = KeptResult {
        at_ms: job.now_ms(),
        body: serde_json::to_value(DriftSeen::of(report)).unwrap_or_default(),
    };
    let subject = report.batch_id.to_string();
    let store = &job.ports.store;
    store.keep(ResultKind::Drift, &subject, &kept).await
}

async fn save(job: &Job, mut report: ReconcileReport, batch: &Batch) -> Outcome<PlannedReconcile> {
    dated(job, &mut report).await?;
    let kept = KeptResult {
        at_ms: job.now_ms(),
        body: serde_json::to_value(&report).unwrap_or_default(),
    };
    job.ports
        .store
        .keep(ResultKind::Reconcile, &batch.id.to_string(), &kept)
        .await?;
    remember(job, &report).await?;
    let saved = planned::save_with(job, RECONCILE, report, Some(batch.id), Vec::new()).await?;
    Ok(PlannedReconcile {
        id: saved.id,
        hash: saved.hash,
        report: saved.plan,
    })
}
