//! The deploy gate and temporary stacks: looks that open their pages, and the form that registers a
//! stack.

use super::applying;
use super::run::{Words, arguments, ask};
use crate::actions::Action;
use crate::dialogs::{Dialog, Reply, StackForm};
use crate::model::{Asked, Model};
use crate::msg::Effect;
use crate::place::Place;
use crate::plan::Plan;
use crate::target::Target;
use crate::theme::Role;
use cockpit_domain::gate::{GateRow, GateState};
use cockpit_domain::ids::HostId;
use cockpit_engine::board::Known;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{Failure, Outcome};
use cockpit_engine::gate::{GateReport, GateVerdict, GateWord};

/// Opens the gate's page with what is recorded.
pub(super) fn gate(model: &mut Model) -> Vec<Effect> {
    model.trail.open(Place::Gate);
    ask(model, Asked::Gate, Command::GateShow { pack: None })
}

/// Looks on one side of a deployment.
pub(super) fn gate_side(model: &mut Model, action: Action) -> Vec<Effect> {
    let pack = None;
    let command = match action {
        Action::GateBefore => Command::GateBefore { pack },
        _ => Command::GateAfter { pack },
    };
    if model.trail.view().place != Place::Gate {
        model.trail.open(Place::Gate);
    }
    ask(model, Asked::Gate, command)
}

/// The step of the gate that was begun and whose end nobody saw.
fn gate_asks(model: &Model) -> Option<&GateRow> {
    let report = &model.gate.as_ref()?.value;
    let mut rows = report.rows.iter();
    rows.find(|row| report.verdict == GateVerdict::Asks && row.state == GateState::Unseen)
}

/// A person's answer to it.
pub(crate) fn gate_replied(model: &mut Model, text: &str) -> Vec<Effect> {
    let Some(said) = GateWord::parse(text) else {
        return super::run::said(model, "gate.no-answer");
    };
    ask(model, Asked::Gate, Command::GateAnswer { pack: None, said })
}

/// Opens the confirmation of what the gate would do, or its question.
pub(super) fn gate_apply(model: &mut Model) -> Vec<Effect> {
    if let Some(row) = gate_asks(model) {
        let reply = Reply::of_gate(model, row);
        model.dialog = Some(Dialog::Reply(reply));
        return Vec::new();
    }
    let plan = model
        .gate
        .as_ref()
        .and_then(|known| known.value.plan.as_ref());
    let aim = Target {
        plan: plan.map(|plan| plan.id),
        ..Target::default()
    };
    applying::apply(model, &aim)
}

/// Why the gate cannot be applied now.
pub(super) fn why_not_gate(model: &Model) -> Option<String> {
    if gate_asks(model).is_some() {
        return None;
    }
    let plan = model
        .gate
        .as_ref()
        .and_then(|known| known.value.plan.as_ref());
    applying::why_not_apply(model, plan.map(|plan| plan.id))
}

/// A side of the gate was looked at.
pub(super) fn gate_read(model: &mut Model, outcome: Outcome<Answer>) -> Vec<Effect> {
    match outcome {
        Ok(Answer::Gate(report)) => keep(model, *report),
        Ok(_) => {}
        Err(failure) => refused(model, &failure),
    }
    Vec::new()
}

/// Keeps a report, and the plan that waits in it.
pub(super) fn keep(model: &mut Model, report: GateReport) {
    if let Some(planned) = &report.plan {
        let plan = Plan::Gate(Box::new(planned.clone()));
        drop(model.plans.insert(planned.id, plan));
    }
    model.gate = Some(Known {
        at_ms: model.now_ms,
        value: report,
    });
}

/// Opens the stacks' page.
pub(super) fn stacks(model: &mut Model) -> Vec<Effect> {
    model.trail.open(Place::Stacks);
    look_at_all(model)
}

pub(super) fn look_at_all(model: &mut Model) -> Vec<Effect> {
    ask(model, Asked::Stacks, Command::StackList)
}

pub(super) fn look_at(model: &mut Model, stack: &HostId) -> Vec<Effect> {
    let asked = Asked::Stack(stack.clone());
    if model.is_asked(&asked) {
        return Vec::new();
    }
    let stack = stack.clone();
    ask(model, asked, Command::StackShow { stack })
}

/// The stack that is pointed at, or named.
fn meant(words: &Words, aim: &Target) -> Option<HostId> {
    match words.get(0) {
        Some(word) => HostId::new(word).ok(),
        None => aim.stack.clone(),
    }
}

/// Opens one stack's page.
pub(super) fn show(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    match meant(words, aim) {
        Some(stack) => super::run::open(model, Place::Stack(stack)),
        None => arguments(model, Action::StackShow),
    }
}

/// Begins the clean-up of a stack, or goes on with it: the page of its run opens, where a person is
/// wanted.
pub(super) fn clean(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    match meant(words, aim) {
        Some(stack) => ask(model, Asked::Walk(None), Command::StackClean { stack }),
        None => arguments(model, Action::StackClean),
    }
}

/// The register as it was read.
pub(super) fn listed(model: &mut Model, outcome: Outcome<Answer>) -> Vec<Effect> {
    let at_ms = model.now_ms;
    match outcome {
        Ok(Answer::Stacks(value)) => {
            model.stacks.list = Some(Known { at_ms, value });
            model.stacks.trouble = None;
        }
        Ok(_) => {}
        Err(failure) => model.stacks.trouble = Some(failure),
    }
    Vec::new()
}

/// One stack as it was looked at.
pub(super) fn looked(model: &mut Model, name: HostId, outcome: Outcome<Answer>) -> Vec<Effect> {
    let at_ms = model.now_ms;
    match outcome {
        Ok(Answer::StackLook(look)) => {
            drop(model.stacks.looks.insert(
                name,
                Known {
                    at_ms,
                    value: *look,
                },
            ));
        }
        Ok(_) => {}
        Err(failure) => refused(model, &failure),
    }
    Vec::new()
}

fn refused(model: &mut Model, failure: &Failure) {
    if model.dialog.is_none() {
        model.dialog = Some(Dialog::failure(model, failure));
    } else {
        model.tell(super::answers::one_line(failure), Role::Fail);
    }
}

/// Opens the form.
pub(super) fn register(model: &mut Model) -> Vec<Effect> {
    model.dialog = Some(Dialog::Stack(Box::new(StackForm::new(model))));
    Vec::new()
}

/// The form is complete.
pub(crate) fn submit_stack(model: &mut Model, mut form: Box<StackForm>) -> Vec<Effect> {
    let told = match form.stack() {
        Ok(stack) => {
            let new = Box::new(stack);
            model.stack_form = Some(form);
            return ask(model, Asked::Register, Command::StackRegister { new });
        }
        Err(told) => told,
    };
    form.refused = told;
    model.dialog = Some(Dialog::Stack(form));
    Vec::new()
}

/// It was registered, or not: nothing that was typed is lost.
pub(super) fn registered(model: &mut Model, outcome: Outcome<Answer>) -> Vec<Effect> {
    let form = model.stack_form.take();
    match (outcome, form) {
        (Ok(Answer::Stack(seen)), _) => {
            let told = model.fill("toast.registered", &[("stack", seen.stack.name.as_str())]);
            model.tell(told, Role::Ok);
            let mut effects = look_at_all(model);
            effects.push(Effect::ReadAudit);
            effects
        }
        (Err(failure), Some(mut form)) if model.dialog.is_none() => {
            form.refused = (failure.message.lines().chain(failure.hint.lines()))
                .filter(|line| !line.trim().is_empty())
                .map(str::to_owned)
                .collect();
            model.dialog = Some(Dialog::Stack(form));
            Vec::new()
        }
        (Err(failure), _) => {
            refused(model, &failure);
            Vec::new()
        }
        (Ok(_), _) => Vec::new(),
    }
}
