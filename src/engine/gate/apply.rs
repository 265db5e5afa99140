//! Applying what the gate planned: the looks ahead of it again, then exactly its commands, then every
//! other step.

use super::{
    GateReport, KIND, Meant, draft, first_do, held_against, keep, last, left_out, meant, record,
    steps,
};
use crate::approval::{Approval, changed_since};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::lease;
use crate::ports::{AuditRow, SavedPlan};
use cockpit_domain::gate::{GatePhase, GatePlan, GateState};
use cockpit_domain::ids::PlanId;
use cockpit_domain::pack::GateAct;

/// Carries out exactly this plan, and says whether the gate is passed.
pub async fn apply(job: &Job, id: PlanId, approval: &Approval) -> Outcome<GateReport> {
    let doing = format!("applying {id}");
    let (saved, plan) = load(job, id, approval, &doing).await?;
    job.may_write(&saved.host)?;
    let meant = meant(job, Some(&plan.pack), &doing)?;
    let _lease = lease(job, &saved.host, &saved.provider, &doing).await?;
    let before = last(job, &plan.pack, GatePhase::Before).await?;
    let split = first_do(&meant.gate.steps);
    job.say("looking again");
    let mut rows = steps::look(job, &meant, &meant.gate.steps[..split]).await;
    job.check_cancel()?;
    let mut all = rows.clone();
    all.extend(left_out(&meant.gate.steps[split..]));
    let ahead = record(job, &meant, GatePhase::After, all);
    let now = draft(job, &meant, &ahead, before.as_ref());
    still_so(&plan, &now, &doing)?;
    job.ports.store.use_plan(id, job.now_ms()).await?;
    let word = AuditRow {
        at_ms: job.now_ms(),
        who: job.settings.owner.clone(),
        host: saved.host.clone(),
        batch: None,
        plan_hash: saved.hash.clone(),
        request: String::new(),
        answer: String::new(),
        reason: approval.reason.clone().unwrap_or_default(),
    };
    rows.extend(walk(job, &meant, split, &word).await?);
    let mut done = record(job, &meant, GatePhase::After, rows);
    done.approved.clone_from(&plan.changed);
    keep(job, &done).await?;
    Ok(held_against(&meant, &done, before.as_ref(), &plan.changed))
}

/// Takes the steps from the first that does something. Where one of those fails, nothing more is
/// done; what only looks is looked at all the same, for it says how production is now.
async fn walk(
    job: &Job,
    meant: &Meant,
    from: usize,
    word: &AuditRow,
) -> Outcome<Vec<cockpit_domain::gate::GateRow>> {
    let mut rows = Vec::new();
    let mut stopped = false;
    let steps = &meant.gate.steps[from..];
    let mut at = 0;
    while at < steps.len() {
        let step = &steps[at];
        if let GateAct::Do(argv) = &step.act {
            if stopped {
                rows.extend(left_out(&steps[at..=at]));
            } else {
                let row = steps::act(job, meant, step, argv, word).await?;
                stopped = row.state != GateState::Passed;
                rows.push(row);
            }
            at += 1;
            continue;
        }
        let next = at + first_do(&steps[at..]);
        rows.extend(steps::look(job, meant, &steps[at..next]).await);
        at = next;
    }
    Ok(rows)
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

/// Loads a plan and checks everything that needs no look.
async fn load(
    job: &Job,
    id: PlanId,
    approval: &Approval,
    doing: &str,
) -> Outcome<(SavedPlan, GatePlan)> {
    let refuse = |kind, message: String, hint: &str| {
        Err(Failure::new(kind, message).doing(doing).hint(hint))
    };
    let after = "`cockpit deploy gate after` makes one and prints its id and hash";
    let Some(saved) = job.ports.store.plan(id).await? else {
        return refuse(FailureKind::Usage, format!("there is no {id}"), after);
    };
    if saved.kind != KIND {
        let message = format!("{id} is no plan of the deploy gate");
        return refuse(FailureKind::Usage, message, after);
    }
    approval.check(&saved, job.host(&saved.host)?)?;
    let Ok(plan) = serde_json::from_value::<GatePlan>(saved.body.clone()) else {
        let message = "the saved plan cannot be read".to_owned();
        return refuse(FailureKind::Store, message, "make the plan again");
    };
    if saved.used_ms.is_some() {
        let message = format!("{id} was applied already");
        return refuse(FailureKind::Conflict, message, after);
    }
    if job.now_ms() > plan.expires_ms {
        let message = "the plan is older than 15 minutes".to_owned();
        return refuse(
            FailureKind::Conflict,
            message,
            "look again and read it again",
        );
    }
    if !plan.blockers.is_empty() {
        return refuse(
            FailureKind::Conflict,
            plan.blockers.join("; "),
            "a plan with blockers is never applied; mend what it names and look again",
        );
    }
    Ok((saved, plan))
}
