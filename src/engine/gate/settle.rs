//! What a person says of a step of the gate whose end nobody saw: the process died at it, or the way
//! to the machine was cut. Nothing else is looked at or done until then.

use super::apply::looked;
use super::{GateReport, Meant, first_do, held_against, keep, last, meant};
use crate::board::LeaseState;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::planned::lease;
use crate::ports::AuditRow;
use cockpit_domain::gate::{GatePhase, GateState};
use cockpit_domain::ids::PackId;

/// What such a step says to do.
pub(super) const ASKS: &str = "Look there whether it was done, then say so: `cockpit deploy gate answer done`, or `not-done`.";

/// What a person says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateWord {
    /// It was done.
    Done,
    /// It was not: it is planned again.
    NotDone,
}

impl GateWord {
    /// Its word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotDone => "not-done",
        }
    }

    /// What a person typed.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_lowercase().replace(' ', "-").as_str() {
            "done" | "yes" => Some(Self::Done),
            "not-done" | "no" => Some(Self::NotDone),
            _ => None,
        }
    }
}

/// Takes a person's word about the step whose end nobody saw. What was done is looked behind at once;
/// what was not is left to the next plan.
///
/// # Errors
/// `Conflict` when nothing is asked, `Busy` while another process is at the gate.
pub async fn settle(job: &Job, pack: Option<&PackId>, said: GateWord) -> Outcome<GateReport> {
    let doing = "answering the deploy gate";
    let meant = meant(job, pack, doing)?;
    let _place = lease(job, &meant.host, &meant.pack.id, doing).await?;
    let after = last(job, &meant.pack.id, GatePhase::After).await?;
    let open = after.and_then(|after| after.unseen().map(|at| (at, after)));
    let Some((at, mut done)) = open else {
        return Err(
            Failure::new(FailureKind::Conflict, "the deploy gate asks nothing now")
                .doing(doing)
                .hint("`cockpit deploy gate show` says where it stands"),
        );
    };
    let row = &mut done.rows[at];
    let request = format!("gate {}: was it done?", row.id);
    let (state, found, next) = match said {
        GateWord::Done => (GateState::Passed, "done, a person says", ""),
        GateWord::NotDone => (
            GateState::NotDone,
            "not done, a person says",
            "`cockpit deploy gate after` plans it again.",
        ),
    };
    row.state = state;
    found.clone_into(&mut row.found);
    next.clone_into(&mut row.next_step);
    let word = AuditRow {
        at_ms: job.now_ms(),
        who: job.settings.owner.clone(),
        host: meant.host.clone(),
        batch: None,
        plan_hash: String::new(),
        request,
        answer: said.as_str().to_owned(),
        reason: String::new(),
    };
    job.ports.store.add_audit(&word).await?;
    // What is done behind it needs a plan of its own; how production is now is looked at here.
    let as_recorded =
        done.fingerprint == meant.pack.fingerprint && done.rows.len() == meant.gate.steps.len();
    if said == GateWord::Done && as_recorded {
        let behind = at + 1;
        let next = behind + first_do(&meant.gate.steps[behind..]);
        looked(job, &meant, behind..next, &mut done).await;
    }
    done.at_ms = job.now_ms();
    keep(job, &done).await?;
    let before = last(job, &meant.pack.id, GatePhase::Before).await?;
    let approved = done.approved.clone();
    Ok(held_against(&meant, &done, before.as_ref(), &approved))
}

/// Whether somebody is at this gate now.
pub(super) async fn is_held(job: &Job, meant: &Meant) -> Outcome<bool> {
    let leases = job.ports.store.leases().await?;
    Ok(leases.iter().any(|seen| {
        seen.host == meant.host && seen.provider == meant.pack.id && seen.state == LeaseState::Held
    }))
}

/// Refuses while what was begun has no end on record. `ours` says that the writer's place is held by
/// who asks.
pub(super) async fn nothing_open(job: &Job, meant: &Meant, doing: &str, ours: bool) -> Outcome<()> {
    let after = last(job, &meant.pack.id, GatePhase::After).await?;
    let Some(row) = after.and_then(|after| after.unseen().map(|at| after.rows[at].clone())) else {
        return Ok(());
    };
    if !ours && is_held(job, meant).await? {
        let told = format!("another process is at step `{}`", row.id);
        return Err(Failure::new(FailureKind::Busy, told)
            .doing(doing)
            .hint("wait for its end; `cockpit deploy gate show` says where it stands"));
    }
    Err(Failure::new(
        FailureKind::Conflict,
        format!("step `{}` was begun, and nobody saw its end", row.id),
    )
    .doing(doing)
    .hint("look there whether it was done, then `cockpit deploy gate answer done`, or `not-done`"))
}
