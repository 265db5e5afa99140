//! Applying what the gate planned: the looks ahead of it again, then exactly its commands, then every
//! other step.

use super::{
    GateReport, Meant, draft, first_do, held_against, keep, last, left_out, meant, record, settle,
    steps,
};
use crate::approval::{Approval, changed_since};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::planned::{GATE, lease, load};
use crate::ports::AuditRow;
use cockpit_domain::gate::{GatePhase, GatePlan, GateRecord, GateRow, GateState};
use cockpit_domain::ids::PlanId;
use cockpit_domain::pack::GateAct;

/// Carries out exactly this plan, and says whether the gate is passed.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval) -> Outcome<GateReport> {
    let doing = format!("applying {id}");
    let (saved, plan): (_, GatePlan) = load(job, GATE, id, approval, &doing).await?;
    let meant = meant(job, Some(&plan.pack), &doing)?;
    let _lease = lease(job, &saved.host, &saved.provider, &doing).await?;
    let before = last(job, &plan.pack, GatePhase::Before).await?;
    let split = first_do(&meant.gate.steps);
    job.say("looking again");
    settle::nothing_open(job, &meant, &doing, true).await?;
    let mut rows = steps::look(job, &meant, &meant.gate.steps[..split]).await;
    job.check_cancel()?;
    rows.extend(left_out(&meant.gate.steps[split..]));
    let mut done = record(job, &meant, GatePhase::After, rows);
    let now = draft(job, &meant, &done, before.as_ref());
    still_so(&plan, &now, &doing)?;
    done.approved.clone_from(&plan.changed);
    job.ports.store.use_plan(id, job.now_ms()).await?;
    let word = AuditRow {
        plan_hash: saved.hash.clone(),
        reason: approval.reason.clone().unwrap_or_default(),
        ..job.audit_row(&saved.host, String::new(), String::new())
    };
    walk(job, &meant, split, &word, &mut done).await?;
    done.at_ms = job.now_ms();
    keep(job, &done).await?;
    Ok(held_against(&meant, &done, before.as_ref(), &plan.changed))
}

/// Takes the steps from the first that does something. Where one of those fails, nothing more is
/// done; what only looks is looked at all the same, for it says how production is now. What is begun is
/// on record as begun before it is sent: a process that dies at it leaves a question, not a gap.
async fn walk(
    job: &Job,
    meant: &Meant,
    from: usize,
    word: &AuditRow,
    done: &mut GateRecord,
) -> Outcome<()> {
    let mut stopped = false;
    let steps = &meant.gate.steps;
    let mut at = from;
    while at < steps.len() {
        let step = &steps[at];
        if let GateAct::Do(argv) = &step.act {
            if !stopped {
                job.go_on().await?;
                let begun = format!("begun: {} on {}", argv.join(" "), meant.gate.machine);
                done.rows[at] = GateRow::of(step, GateState::Unseen, begun, settle::ASKS);
                done.at_ms = job.now_ms();
                keep(job, done).await?;
                done.rows[at] = steps::act(job, meant, step, argv, word).await?;
                done.at_ms = job.now_ms();
                keep(job, done).await?;
                stopped = done.rows[at].state != GateState::Passed;
            }
            at += 1;
            continue;
        }
        let next = at + first_do(&steps[at..]);
        looked(job, meant, at..next, done).await;
        at = next;
    }
    Ok(())
}

/// Takes the looks of these steps into the record.
pub(super) async fn looked(
    job: &Job,
    meant: &Meant,
    steps: std::ops::Range<usize>,
    done: &mut GateRecord,
) {
    let rows = steps::look(job, meant, &meant.gate.steps[steps.clone()]).await;
    for (at, row) in steps.zip(rows) {
        done.rows[at] = row;
    }
}

/// Refuses when what was approved is not what would be done now.
fn still_so(plan: &GatePlan, now: &GatePlan, doing: &str) -> Outcome<()> {
    let refuse = |told: String, hint: &str| {
        Err(Failure::new(FailureKind::Conflict, told)
            .doing(doing)
            .hint(hint))
    };
    if plan.fingerprint != now.fingerprint || plan.does != now.does || plan.machine != now.machine {
        return refuse(
            "the pack was changed since the plan was made".to_owned(),
            "nothing was run; look again: `cockpit deploy gate before`",
        );
    }
    if plan.before_ms != now.before_ms || plan.changed != now.changed {
        let told = changed_since(&plan.changed, &now.changed);
        return refuse(
            format!("it is not as it was when the plan was made: {told}"),
            "nothing was run; `cockpit deploy gate after` shows it as it is now",
        );
    }
    if !now.blockers.is_empty() {
        return refuse(
            now.blockers.join("; "),
            "nothing was run; mend what is named, then `cockpit deploy gate after`",
        );
    }
    Ok(())
}
