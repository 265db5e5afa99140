//! From a plan that was read to its write: the window of a host, the confirmation, going on with a
//! batch that was stopped.

use super::acts::batch;
use super::run::{Words, arguments, ask};
use crate::actions::Action;
use crate::dialogs::{Confirm, Dialog, Subject};
use crate::model::{Act, Asked, Model};
use crate::msg::Effect;
use crate::panes;
use crate::place::Place;
use crate::target::Target;
use crate::theme::Role;
use cockpit_domain::batch::BatchStatus;
use cockpit_domain::ids::{BatchId, HostId, PlanId};
use cockpit_engine::approval::Approval;
use cockpit_engine::command::Command;
use std::time::Duration;

/// A window for writes, if the person names no other.
const WINDOW: Duration = Duration::from_mins(10);

/// Whether a batch waits to be gone on with.
pub(super) fn is_interrupted(model: &Model, id: BatchId) -> bool {
    panes::known_batch(model, id)
        .is_some_and(|batch| batch.batch_status == BatchStatus::Interrupted)
}

pub(super) fn arm(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    // From a key there is a host in sight; the window is opened by typing, never by a key alone.
    let Some(word) = words.get(0) else {
        let line = aim
            .host
            .as_ref()
            .map_or_else(|| "arm ".to_owned(), |host| format!("arm {host} 10m"));
        model.dialog = Some(crate::dialogs::palette(model, &line));
        return Vec::new();
    };
    let window = match words.get(1).map(read_window) {
        None => Some(WINDOW),
        Some(read) => read,
    };
    match (HostId::new(word), window) {
        (Ok(host), Some(window)) => {
            let was = model.armed().map(|(was, _)| was.clone());
            model.rearmed = was
                .filter(|was| *was != host)
                .map(|was| (was, host.clone()));
            vec![Effect::Arm(host, window)]
        }
        (_, None) => super::run::said(model, "why.window"),
        (Err(_), _) => super::run::said(model, "why.no-such-host"),
    }
}

/// Says which host lost its window to the one that was armed just now.
pub(super) fn rearmed(model: &mut Model) {
    if let Some((was, host)) = model.rearmed.take() {
        let words = [("was", was.as_str()), ("host", host.as_str())];
        let told = model.fill("toast.armed-instead", &words);
        model.tell(told, Role::Warn);
    }
}

/// `10m`, `90s`, `1h`; bare numbers are minutes.
fn read_window(text: &str) -> Option<Duration> {
    if let Ok(minutes) = text.parse::<u64>() {
        return Some(Duration::from_secs(minutes.saturating_mul(60)));
    }
    let span: jiff::SignedDuration = text.parse().ok()?;
    Duration::try_from(span).ok()
}

pub(super) fn resume(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let Some(batch) = batch(words, aim) else {
        return arguments(model, Action::Resume);
    };
    let Some(seen) = model
        .board()
        .batches
        .iter()
        .find(|seen| seen.batch.id == batch)
    else {
        return super::run::said(model, "why.no-such-batch");
    };
    if seen.batch.batch_status == BatchStatus::Running {
        let owner = seen.batch.owner.clone();
        let text = model.fill("why.runs", &[("owner", &owner)]);
        model.tell(text, Role::Warn);
        return Vec::new();
    }
    if seen.batch.batch_status == BatchStatus::RolledBack {
        return super::run::said(model, "why.taken-back");
    }
    if seen.batch.batch_status != BatchStatus::Interrupted {
        return super::run::said(model, "why.not-interrupted");
    }
    let host = seen.batch.host.clone();
    if !model.is_armed(&host) {
        return not_armed(model, &host);
    }
    model.dialog = Some(Dialog::Confirm(Confirm::new(
        model,
        Subject::Resume(batch),
        &host,
    )));
    Vec::new()
}

/// Whether a plan is one to be applied, now or once its host is armed.
pub(super) fn can_be_applied(model: &Model, id: Option<PlanId>) -> bool {
    let plan = id.and_then(|id| model.plans.get(&id));
    plan.is_some_and(|plan| {
        plan.blockers().is_empty() && plan.apply(Approval::default(), 0).is_some()
    })
}

/// Why a plan cannot be applied now; `None` when it can. Asks no page: the plan's own page says it.
pub(crate) fn why_not_apply(model: &Model, id: Option<PlanId>) -> Option<String> {
    let Some(plan) = id.and_then(|id| model.plans.get(&id)) else {
        return Some(model.say("why.no-plan"));
    };
    if plan.apply(Approval::default(), 0).is_none() {
        return Some(model.say("why.only-read"));
    }
    if model.acts.contains_key(&plan.id()) {
        return Some(model.say("why.applied"));
    }
    if !plan.blockers().is_empty() {
        return Some(model.say("why.blocked"));
    }
    if plan.expires_ms().is_some_and(|at| at <= model.now_ms) {
        return Some(model.say("why.expired"));
    }
    if !model.is_armed(plan.host()) {
        return Some(model.fill("why.unarmed", &[("host", plan.host().as_str())]));
    }
    None
}

fn not_armed(model: &mut Model, host: &HostId) -> Vec<Effect> {
    let text = model.fill("why.unarmed", &[("host", host.as_str())]);
    model.tell(text, Role::Warn);
    Vec::new()
}

/// Opens the confirmation of a plan.
pub(super) fn apply(model: &mut Model, aim: &Target) -> Vec<Effect> {
    let Some(plan) = aim.plan.and_then(|id| model.plans.get(&id)) else {
        return Vec::new();
    };
    let (id, host) = (plan.id(), plan.host().clone());
    model.dialog = Some(Dialog::Confirm(Confirm::new(
        model,
        Subject::Apply(id),
        &host,
    )));
    Vec::new()
}

/// The person said yes. The engine asks for the same word again, and for the window.
pub(crate) fn confirmed(model: &mut Model, confirm: &Confirm) -> Vec<Effect> {
    match confirm.subject {
        Subject::Quit => super::close(model),
        Subject::Deed(run) => super::runbooks::confirmed(model, run, confirm),
        Subject::TakeLease => super::reach::lease_confirmed(model, confirm),
        Subject::Waive => super::standing::confirmed(model, confirm),
        Subject::Resume(batch) => ask(model, Asked::Resume(batch), Command::BatchResume { batch }),
        Subject::Apply(id) => {
            let Some(plan) = model.plans.get(&id) else {
                return Vec::new();
            };
            let approval = Approval {
                hash: plan.hash().to_owned(),
                host_name: confirm.typed_name(),
                reason: confirm.typed_reason(),
            };
            let Some(command) = plan.apply(approval, confirm.canary()) else {
                return Vec::new();
            };
            model.acts.insert(
                id,
                Act {
                    job: None,
                    result: None,
                },
            );
            model.trail.open(Place::Outcome(id));
            ask(model, Asked::Apply(id), command)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_read_in_the_usual_ways() {
        for (text, seconds) in [
            ("10m", Some(600)),
            ("90s", Some(90)),
            ("1h", Some(3600)),
            ("5", Some(300)),
            ("ten", None),
            ("-3m", None),
        ] {
            assert_eq!(
                read_window(text),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }
}
