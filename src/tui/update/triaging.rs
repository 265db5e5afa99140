//! Where to look first: asking for it, and going from a finding to its next step.

use super::run::{Words, arguments, ask, open, said};
use super::{acts, lines, looks, rounds};
use crate::actions::Action;
use crate::model::{Asked, Model};
use crate::msg::Effect;
use crate::panes::{finding_id, finding_of};
use crate::place::Place;
use crate::target::{Target, host_looked_at};
use cockpit_domain::ids::HostId;
use cockpit_domain::pack::NextAct;
use cockpit_domain::triage::{Link, TriageFinding};
use cockpit_engine::board::Known;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::Outcome;

/// Opens the page, and judges what is known.
pub(super) fn look_first(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let host = acts::host(words, aim).or_else(|| host_looked_at(model, aim.clone()));
    let shown = model.triage.look.as_ref().map(|known| &known.value.host);
    if host.is_some() && shown != host.as_ref() {
        model.triage.look = None;
    }
    model.triage.trouble = None;
    model.trail.open(Place::Triage);
    judge(model, host, false)
}

/// Judges again: with a run of the baseline, or by what is known now.
pub(super) fn again(model: &mut Model, look: bool) -> Vec<Effect> {
    let host = model
        .triage
        .look
        .as_ref()
        .map(|known| known.value.host.clone());
    judge(model, host, look)
}

fn judge(model: &mut Model, host: Option<HostId>, look: bool) -> Vec<Effect> {
    if model.is_asked(&Asked::Triage) {
        return Vec::new();
    }
    ask(model, Asked::Triage, Command::Triage { host, look })
}

/// What is known changed while the page is open.
pub(super) fn follow(model: &mut Model) -> Vec<Effect> {
    let open = matches!(model.trail.view().place, Place::Triage | Place::Finding(_));
    if open && model.frozen.is_none() {
        again(model, false)
    } else {
        Vec::new()
    }
}

pub(super) fn answered(model: &mut Model, outcome: Outcome<Answer>) {
    match outcome {
        Ok(Answer::Triage(done)) => {
            model.triage.look = Some(Known {
                at_ms: model.now_ms,
                value: *done,
            });
            model.triage.trouble = None;
        }
        Ok(_) => {}
        Err(failure) => model.triage.trouble = Some(failure),
    }
}

/// The finding that is open, or selected.
fn selected(model: &Model) -> Option<TriageFinding> {
    let place = match &model.trail.view().place {
        Place::Finding(id) => Some(Place::Finding(id.clone())),
        Place::Triage => {
            let shown = super::shown(model);
            shown.selected.and_then(|at| shown.rows[at].opens.clone())
        }
        _ => None,
    };
    match place {
        Some(Place::Finding(id)) => finding_of(model, &id).map(|(_, finding)| finding.clone()),
        _ => None,
    }
}

/// Carries out the next step of the finding: its runbook opens, or a look, or a plan, never a write.
pub(super) fn next_step(model: &mut Model) -> Vec<Effect> {
    let Some(finding) = selected(model) else {
        return said(model, "triage.nothing-selected");
    };
    if let Some(book) = finding.runbook {
        return open(model, Place::Runbook(book));
    }
    let Some(action) = finding.action else {
        // What a person does outside of here stands on its page.
        return open(model, Place::Finding(finding_id(&finding)));
    };
    let host = model
        .triage
        .look
        .as_ref()
        .map(|known| known.value.host.clone());
    let aim = Target {
        host: host.clone(),
        ..Target::default()
    };
    let links = || finding.evidence.iter().map(|seen| &seen.link);
    let none = Words::default();
    match action {
        NextAct::Repair => {
            let check = links().find_map(|link| match link {
                Link::Check(pack, check, true) => Some((pack.clone(), check.clone())),
                _ => None,
            });
            match check {
                Some((pack, check)) => {
                    let command = Command::RepairPlan {
                        pack: Some(pack),
                        check,
                    };
                    ask(model, Asked::Plan, command)
                }
                None => looks::pool(model, &aim, &none),
            }
        }
        NextAct::Baseline => {
            let check = links().find_map(|link| match link {
                Link::Check(pack, check, _) => Some(Place::Check(pack.clone(), check.clone())),
                _ => None,
            });
            let mut effects = rounds::look_at_baselines(model, false);
            effects.extend(open(model, check.unwrap_or(Place::Baseline)));
            effects
        }
        NextAct::Pool => looks::pool(model, &aim, &none),
        NextAct::Log => {
            let source = links().find_map(|link| match link {
                Link::Log(source) => Some(source.clone()),
                _ => None,
            });
            let name = source.or_else(|| host.map(|host| host.to_string()));
            lines::open_of(model, &Words(name.into_iter().collect()))
        }
        NextAct::Reconcile => acts::reconcile(model, &aim, &none),
        NextAct::Probe => looks::probe(model, &aim, &none),
        NextAct::ExplainKey => arguments(model, Action::ExplainKey),
        NextAct::Batch => {
            let batch = links().find_map(|link| match link {
                Link::Batch(batch) => Some(Place::Batch(*batch)),
                _ => None,
            });
            open(model, batch.unwrap_or(Place::Batches))
        }
        NextAct::Doctor => {
            model.trail.open(Place::Doctor);
            ask(model, Asked::Doctor, Command::Doctor)
        }
    }
}
