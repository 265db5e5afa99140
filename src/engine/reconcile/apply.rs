//! Carrying out the repairs of a reconcile report, and going on with one that was stopped. A repair
//! is a batch of its own, without keys: the import it mends keeps its records, and what the repair
//! changed is taken back alone.

use super::compare::Reader;
use super::write::MendWrite;
use super::{PlannedReconcile, Probes, save, why_not};
use crate::approval::{Approval, changed_since};
use crate::batches;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::journal::Journal;
use crate::planned::{self, Open, RECONCILE, Taken, again, begin, ended, event, stopped, take_up};
use crate::ports::HostApi;
use crate::view::read_view;
use cockpit_domain::batch::{Batch, BatchKind, BatchStatus};
use cockpit_domain::ids::{BatchId, PlanId, RemoteId};
use cockpit_domain::import::HostView;
use cockpit_domain::plan::{Change, Sign};
use cockpit_domain::reconcile::{Mend, ReconcileReport, mended_now, recorded_after};
use cockpit_domain::recorded::{listing, listing_changes};
use serde::Serialize;
use std::sync::Arc;

/// What the repair of a drift came to.
#[derive(Debug, Clone, Serialize)]
pub struct Mended {
    /// The batch that records it: `rollback plan` takes it back.
    #[serde(flatten)]
    pub batch: Batch,
    /// Writes done.
    pub done: usize,
    /// What should be well now and is not; empty when the repair is proven.
    pub unproven: Vec<String>,
    /// What it left to a person, with the way out.
    pub left: Vec<String>,
    /// What changed on the host beside these writes; empty when all is well.
    pub disturbed: Vec<String>,
    /// Reconciled again after the writes.
    pub report: ReconcileReport,
}

/// Carries out exactly this plan and proves it by reconciling again.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval) -> Outcome<Mended> {
    let open: Open<ReconcileReport> = planned::open(job, RECONCILE, id, approval).await?;
    let (plan, api) = (&open.plan, &open.api);
    if plan.mends.is_empty() {
        let message = format!("{id} holds nothing that can be put back");
        return Err(Failure::new(FailureKind::Conflict, message)
            .doing(&open.doing)
            .hint("what it says of each row is the way out; a plan that puts something back prints the line that applies it"));
    }
    let import = import_of(job, plan, &open.doing).await?;
    let (now, before) = Reader::of(api).compare(job, &import, Probes::None).await?;
    if now.mends != plan.mends || now.changes != plan.changes {
        let told = changed_since(&lines(plan), &lines(&now));
        return Err(open.stale("the host", &told).hint(format!(
            "nothing was written; `cockpit reconcile plan --batch {}` shows it as it is now",
            plan.batch_id.0
        )));
    }
    let what = format!("the drift of {}", plan.batch_id);
    let batch = begin(job, BatchKind::Repair, &open.saved, &what).await?;
    run(job, api, batch, plan, &before, Walk::First(&open.reason)).await
}

/// Goes on with a repair that was stopped: what was done is found, what was lost is looked up. A write
/// whose ground somebody else changed is left to them: what it would be now is another plan's to say.
pub(crate) async fn resume(job: &Job, id: BatchId) -> Outcome<Batch> {
    let mut taken: Taken<ReconcileReport> = take_up(job, id).await?;
    import_of(job, &taken.plan, &taken.doing).await?;
    let api = job.ports.hosts.api(&taken.batch.host).await?;
    let view = read_view(api.as_ref(), &taken.batch.provider).await?;
    again(job, &mut taken.batch).await?;
    let mended = run(job, &api, taken.batch, &taken.plan, &view, Walk::Again).await?;
    Ok(mended.batch)
}

/// The batch whose drift this is: it has to stand, whole.
async fn import_of(job: &Job, plan: &ReconcileReport, doing: &str) -> Outcome<Batch> {
    let id = plan.batch_id;
    let batch = batches::load(job, id).await?;
    let refuse = |message: String, hint: String| {
        Err(Failure::new(FailureKind::Conflict, message)
            .doing(doing)
            .hint(hint))
    };
    if why_not(&batch).is_some() {
        return refuse(
            format!("{id}, whose drift this is, does not stand any more"),
            "there is nothing left to repair".to_owned(),
        );
    }
    if batch.batch_status == BatchStatus::Interrupted {
        return refuse(
            format!("{id}, whose drift this is, was stopped in the middle"),
            format!(
                "go on with it first: `cockpit batch resume {}`, then reconcile again",
                id.0
            ),
        );
    }
    Ok(batch)
}

/// A plan by its lines, for telling what changed since.
fn lines(plan: &ReconcileReport) -> Vec<String> {
    let mut lines = Vec::new();
    for change in &plan.changes {
        let fields: Vec<String> = change
            .fields
            .iter()
            .map(|field| format!("{} is {}, recorded {}", field.field, field.from, field.to))
            .collect();
        let mut line = change.line();
        if !fields.is_empty() {
            line = format!("{line} ({})", fields.join("; "));
        }
        lines.push(line);
    }
    lines
}

/// Which walk along the writes of a plan it is.
#[derive(Debug, Clone, Copy)]
enum Walk<'a> {
    /// The first, with the reason that was given: who changes the host under it stops it.
    First(&'a str),
    /// A resume.
    Again,
}

/// What the writes of a repair came to.
struct Written {
    /// Those that were done.
    mends: Vec<Mend>,
    /// Those that were left, with what changed under them.
    left: Vec<String>,
    /// The comparison after them, and the host that it saw.
    after: PlannedReconcile,
    view: HostView,
}

/// Writes, proves, and writes down how it ended.
async fn run(
    job: &Job,
    api: &Arc<dyn HostApi>,
    mut batch: Batch,
    plan: &ReconcileReport,
    before: &HostView,
    walk: Walk<'_>,
) -> Outcome<Mended> {
    match work(job, api, &mut batch, plan, walk).await {
        Ok(written) => finish(job, batch, plan, before, written).await,
        Err(failure) => {
            let (id, kind) = (batch.id.0, failure.kind);
            let mut failure = stopped(job, batch, failure).await?;
            if kind == FailureKind::Conflict {
                failure.hint = format!(
                    "`cockpit batch resume {id}` does the others and leaves this one as it is now; {}; `cockpit rollback plan {id}` takes back what was done",
                    anew(plan)
                );
            }
            Err(failure)
        }
    }
}

/// How what was left is planned anew.
fn anew(plan: &ReconcileReport) -> String {
    format!(
        "`cockpit reconcile plan --batch {}` plans it anew",
        plan.batch_id.0
    )
}

async fn work(
    job: &Job,
    api: &Arc<dyn HostApi>,
    batch: &mut Batch,
    plan: &ReconcileReport,
    walk: Walk<'_>,
) -> Outcome<Written> {
    let reason = match walk {
        Walk::First(reason) => reason,
        Walk::Again => "resume",
    };
    let journal = Journal::open(job, batch.id, &batch.host, &batch.plan_hash, reason).await?;
    let (mut mends, mut left) = (Vec::new(), Vec::new());
    for (at, mend) in plan.mends.iter().enumerate() {
        job.count(mend.line(), at, plan.mends.len());
        mends.push(mend.clone());
        let write = MendWrite {
            api: api.as_ref(),
            batch: batch.id,
            mend,
            recorded: recorded_after(&mends, mends.len() - 1),
        };
        if matches!(walk, Walk::Again)
            && let Some(why) = write.moved().await?
        {
            mends.pop();
            event(job, batch.id, "left", why.clone()).await?;
            left.push(why);
            continue;
        }
        journal.ensure(&write).await?;
        batch.last_write_ms = job.now_ms();
        batch.updated_ms = batch.last_write_ms;
        job.ports.store.save_batch(batch).await?;
        event(job, batch.id, "repaired", mend.line()).await?;
    }
    job.say("proving by reconciling again");
    let import = batches::load(job, plan.batch_id).await?;
    let (report, view) = Reader::of(api)
        .compare(job, &import, Probes::Since(batch.last_write_ms))
        .await?;
    Ok(Written {
        mends,
        left,
        after: save(job, report, &import).await?,
        view,
    })
}

async fn finish(
    job: &Job,
    mut batch: Batch,
    plan: &ReconcileReport,
    before: &HostView,
    written: Written,
) -> Outcome<Mended> {
    let (report, view) = (written.after.report, written.view);
    let mut unproven: Vec<String> = written
        .mends
        .iter()
        .filter(|mend| !mended_now(&view, mend).is_some_and(|now| mend.holds(&now)))
        .map(|mend| format!("is not as it was written: {}", mend.line()))
        .collect();
    unproven.extend(report.probe_notes.iter().cloned());
    let mut reasons = Vec::new();
    if !unproven.is_empty() {
        reasons.push(format!("written, but not proven: {}", unproven.join("; ")));
    }
    if !written.left.is_empty() {
        reasons.push(format!(
            "{} of {} left as somebody else has it: {}; {}",
            written.left.len(),
            plan.mends.len(),
            written.left.join("; "),
            anew(plan)
        ));
    }
    let status = if reasons.is_empty() {
        BatchStatus::Succeeded
    } else {
        BatchStatus::PartiallySucceeded
    };
    let told = format!(
        "{} is {}, {} row(s) not proven, {} left",
        plan.batch_id,
        report.status,
        unproven.len(),
        written.left.len()
    );
    let reason = reasons.join("; ");
    ended(job, &mut batch, status, reason, told).await?;
    let open = report.changes.iter();
    let open = open
        .filter(|row| row.sign == Sign::Attention)
        .map(Change::line);
    Ok(Mended {
        batch,
        done: written.mends.len(),
        unproven,
        left: written.left.into_iter().chain(open).collect(),
        disturbed: disturbed(plan, before, &view),
        report,
    })
}

/// Everything on the host but what was written to.
fn disturbed(plan: &ReconcileReport, before: &HostView, after: &HostView) -> Vec<String> {
    let keep = |view: &HostView| {
        let mut rows = listing(view);
        rows.retain(|(kind, _, id), _| {
            let ours = |mend: &Mend| (mend.kind, mend.host_resource_id) == (*kind, RemoteId(*id));
            !plan.mends.iter().any(ours)
        });
        rows
    };
    listing_changes(&keep(before), &keep(after))
}
