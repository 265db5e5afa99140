//! What comes back: plans open, batch pages fill, failures say what to do next.

use super::run::ask;
use crate::dialogs::Dialog;
use crate::model::{Asked, Model, PoolSeen};
use crate::msg::{Effect, Ticket};
use crate::place::Place;
use crate::plan::Plan;
use crate::theme::Role;
use cockpit_domain::ids::{BatchId, JobId};
use cockpit_engine::board::Known;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::reconcile::Reconciled;

pub(super) fn started(model: &mut Model, ticket: Ticket, job: JobId) {
    model.working.insert(ticket, job);
    if let Some(Asked::Apply(plan)) = model.asked.get(&ticket)
        && let Some(act) = model.acts.get_mut(plan)
    {
        act.job = Some(job);
    }
}

pub(super) fn answered(model: &mut Model, ticket: Ticket, outcome: Outcome<Answer>) -> Vec<Effect> {
    let job = model.working.remove(&ticket);
    let Some(asked) = model.asked.remove(&ticket) else {
        return Vec::new();
    };
    if let (Asked::Apply(_), Ok(Answer::RolledBack(rolled))) = (&asked, &outcome) {
        super::watching::taken_back(model, &rolled.batch);
    }
    match (asked, outcome) {
        (Asked::Watch(host), outcome) => {
            super::watching::looked(model, &host, outcome);
            Vec::new()
        }
        (Asked::Triage, outcome) => {
            super::triaging::answered(model, outcome);
            Vec::new()
        }
        // New rows of a baseline: what to look at first may be another thing now.
        (Asked::Look, Ok(Answer::Baseline(_))) => super::triaging::follow(model),
        (Asked::Plan, Ok(answer)) => plan_read(model, job, answer),
        (Asked::Plan, Err(failure)) => {
            plan_refused(model, &failure);
            Vec::new()
        }
        // Refused at the door: the plan can be applied when the way is free. One that was used all the
        // same is refused by the engine.
        (Asked::Apply(id), Err(failure))
            if matches!(failure.kind, FailureKind::Busy | FailureKind::Denied) =>
        {
            drop(model.acts.remove(&id));
            if model.trail.view().place == Place::Outcome(id) {
                let _was_open = model.trail.back();
            }
            model.dialog = Some(Dialog::failure(model, &failure));
            Vec::new()
        }
        (Asked::Apply(id), outcome) => {
            if let Err(failure) = &outcome {
                let told = one_line(failure);
                model.tell(told, role_of(failure.kind));
            }
            let batch = match &outcome {
                Ok(Answer::Batch(batch)) => Some(batch.id),
                Ok(Answer::RolledBack(rolled)) => Some(rolled.batch.id),
                Ok(Answer::Repaired(repaired)) => Some(repaired.batch.id),
                Ok(Answer::Mended(mended)) => Some(mended.batch.id),
                Ok(Answer::Adopted(adopted)) => Some(adopted.batch.id),
                Ok(Answer::Pruned(pruned)) => Some(pruned.batch.id),
                Ok(Answer::Recovered(recovered)) => Some(recovered.batch.id),
                _ => None,
            };
            if let Ok(Answer::Gate(report)) = &outcome {
                super::stacks::keep(model, report.as_ref().clone());
            }
            if let Some(act) = model.acts.get_mut(&id) {
                act.result = Some(outcome);
            }
            let mut effects = batch.map_or_else(Vec::new, |batch| read_batch(model, batch));
            effects.push(Effect::ReadAudit);
            // The accounts that were looked at are others now.
            let host = model.plans.get(&id).map(|plan| plan.host().clone());
            if let Some(host) = host.filter(|host| model.pools.contains_key(host)) {
                effects.extend(super::looks::look_at_pool(model, host));
            }
            effects
        }
        (Asked::Detail(batch), Ok(Answer::Detail(detail))) => {
            let changes = model.snapshot.board.store_changes;
            model.details.insert(batch, (changes, *detail));
            Vec::new()
        }
        (Asked::History(pack, check), Ok(Answer::History(told))) => {
            drop(model.histories.insert((pack, check), *told));
            Vec::new()
        }
        (Asked::Diff(a, b), Ok(Answer::Diff(told))) => {
            let at_ms = model.now_ms;
            let known = Known {
                at_ms,
                value: *told,
            };
            drop(model.diffs.insert((a, b), known));
            Vec::new()
        }
        (Asked::Draft(path), outcome) => super::drafting::drafted(model, path, outcome),
        (Asked::Told, Ok(Answer::Waivers(waivers))) => {
            super::standing::told(model, &waivers);
            Vec::new()
        }
        (Asked::Pool(host), Ok(Answer::Pools(value))) => {
            let at_ms = model.now_ms;
            let look = Some(Known { at_ms, value });
            let trouble = None;
            drop(model.pools.insert(host, PoolSeen { look, trouble }));
            Vec::new()
        }
        (Asked::Pool(host), Err(failure)) => {
            model.pools.entry(host).or_default().trouble = Some(failure);
            Vec::new()
        }
        (Asked::Matrix, Ok(Answer::Matrix(value))) => {
            let at_ms = model.now_ms;
            model.matrix = Some(Known { at_ms, value });
            Vec::new()
        }
        (Asked::Resources(host, provider), outcome) => {
            let at_ms = model.now_ms;
            let value = outcome.and_then(|answer| match answer {
                Answer::Resources(found) => Ok(*found),
                _ => Err(Failure::new(FailureKind::Internal, "another answer came")),
            });
            drop(
                model
                    .resources
                    .insert((host, provider), Known { at_ms, value }),
            );
            Vec::new()
        }
        (Asked::Told, Ok(answer)) => super::reach::told(model, &answer),
        (Asked::Told | Asked::Split, Err(failure)) => {
            model.dialog = Some(Dialog::failure(model, &failure));
            Vec::new()
        }
        (Asked::Gate, outcome) => super::stacks::gate_read(model, outcome),
        (Asked::Stacks, outcome) => super::stacks::listed(model, outcome),
        (Asked::Stack(name), outcome) => super::stacks::looked(model, name, outcome),
        (Asked::Register, outcome) => super::stacks::registered(model, outcome),
        (
            asked @ (Asked::Books
            | Asked::Book(_)
            | Asked::Runs
            | Asked::RunRead(_)
            | Asked::Walk(_)
            | Asked::GoOn(_)),
            outcome,
        ) => super::runbooks::answered(model, asked, outcome),
        (Asked::Doctor, Ok(Answer::Doctor(found))) => {
            model.doctor = Some(Known {
                at_ms: model.now_ms,
                value: found,
            });
            Vec::new()
        }
        (Asked::Split, Ok(Answer::Split(split))) => {
            model.toast = None;
            model.dialog = Some(Dialog::split(model, &split));
            Vec::new()
        }
        (Asked::Resume(batch) | Asked::Access(batch), Ok(answer)) => {
            let told = match &answer {
                Answer::Access(look) => {
                    let word = model.say(&format!("access.{}", look.latest_access_status));
                    model.fill("toast.access", &[("status", &word)])
                }
                Answer::Batch(batch) => {
                    let word = model.say(&format!("batch.{}", batch.batch_status));
                    model.fill("toast.batch", &[("status", &word)])
                }
                _ => String::new(),
            };
            model.tell(told, Role::Text);
            read_batch(model, batch)
        }
        // A look that failed stands on the board with its age; a stop was asked for.
        (Asked::Look, Err(_)) | (_, Ok(_)) => Vec::new(),
        (_, Err(failure)) => {
            model.tell(one_line(&failure), role_of(failure.kind));
            Vec::new()
        }
    }
}

fn plan_read(model: &mut Model, job: Option<JobId>, answer: Answer) -> Vec<Effect> {
    let plan = match answer {
        Answer::Import(plan) => {
            // The plan holds the keys now, sealed: the form's copy is wiped with it.
            model.form = None;
            Plan::Import(plan)
        }
        Answer::AccessPlan(plan) => {
            model.form = None;
            Plan::Access(plan)
        }
        Answer::Rollback(plan) => Plan::Rollback(plan),
        Answer::Reconcile(done) => return compared(model, job, *done),
        Answer::Repair(plan) => Plan::Repair(plan),
        Answer::Adopt(plan) => Plan::Adopt(plan),
        Answer::Prune(plan) => Plan::Prune(plan),
        Answer::Recover(plan) => Plan::Recover(plan),
        _ => return Vec::new(),
    };
    open_plan(model, job, plan);
    Vec::new()
}

fn open_plan(model: &mut Model, job: Option<JobId>, plan: Plan) {
    let id = plan.id();
    model.plans.insert(id, plan);
    model.planned.extend(job.map(|job| (job, id)));
    if model.dialog.is_none() && model.filter_input.is_none() {
        model.toast = None;
        model.trail.open(Place::Plan(id));
    } else {
        model.trail.lay_ahead(Place::Plan(id));
        let told = model.fill("toast.plan-ready", &[("plan", &id.to_string())]);
        model.tell(told, Role::Text);
    }
}

/// One batch opens as its plan; several as a list, each with its plan behind it.
fn compared(model: &mut Model, job: Option<JobId>, done: Reconciled) -> Vec<Effect> {
    let count = done.plans.len();
    let mut plans = done.plans;
    match plans.pop() {
        Some(only) if plans.is_empty() && done.left_out.is_empty() => {
            open_plan(model, job, Plan::Reconcile(Box::new(only)));
        }
        last => {
            for plan in plans.into_iter().chain(last) {
                let id = plan.id;
                model.plans.insert(id, Plan::Reconcile(Box::new(plan)));
            }
            let left: Vec<String> = done
                .left_out
                .iter()
                .map(|left| format!("{}: {}", left.batch, left.why))
                .collect();
            let count = count.to_string();
            let (told, role) = if left.is_empty() {
                (
                    model.fill("toast.compared", &[("count", &count)]),
                    Role::Text,
                )
            } else {
                let args = [("count", count.as_str()), ("left", &left.join("; "))];
                (model.fill("toast.compared-but", &args), Role::Warn)
            };
            model.tell(told, role);
            if model.dialog.is_none() && model.filter_input.is_none() {
                model.trail.open(Place::Drift);
            }
        }
    }
    Vec::new()
}

/// Nothing that was typed is lost: the form comes back with what was found.
fn plan_refused(model: &mut Model, failure: &Failure) {
    match model.form.take() {
        Some(mut form) if model.dialog.is_none() => {
            form.refused(failure);
            model.dialog = Some(Dialog::Import(form));
        }
        form => {
            model.form = form;
            if model.dialog.is_none() {
                model.dialog = Some(Dialog::failure(model, failure));
            } else {
                model.tell(one_line(failure), role_of(failure.kind));
            }
        }
    }
}

/// Reads a batch page again.
pub(super) fn read_batch(model: &mut Model, batch: BatchId) -> Vec<Effect> {
    if model.is_asked(&Asked::Detail(batch)) {
        return Vec::new();
    }
    ask(model, Asked::Detail(batch), Command::BatchShow { batch })
}

/// A page that stands beside its list is read as soon as its row is selected.
pub(super) fn read_beside(model: &mut Model) -> Vec<Effect> {
    let listed = matches!(model.trail.view().place, Place::Batches | Place::Runbooks);
    if !listed || model.frozen.is_some() {
        return Vec::new();
    }
    let shown = super::shown(model);
    let opens = shown.selected.and_then(|at| shown.rows[at].opens.clone());
    match (shown.geometry.side, opens) {
        (Some(_), Some(Place::Batch(batch))) if !model.details.contains_key(&batch) => {
            read_batch(model, batch)
        }
        (Some(_), Some(Place::Runbook(id))) if !model.read_books.contains_key(&id) => {
            super::runbooks::read_book(model, &id)
        }
        _ => Vec::new(),
    }
}

/// The store moved: a batch page that is open reads itself again.
pub(super) fn refresh_page(model: &mut Model) -> Vec<Effect> {
    if model.frozen.is_some() {
        return Vec::new();
    }
    if let Place::Run(run) | Place::RunStep(run, _) = model.trail.view().place {
        return super::runbooks::refresh(model, run);
    }
    let batch = match &model.trail.view().place {
        Place::Batch(batch) | Place::Item(batch, _) => Some(*batch),
        Place::Outcome(plan) => model
            .board()
            .batches
            .iter()
            .find(|seen| seen.batch.plan == *plan)
            .map(|seen| seen.batch.id),
        _ => None,
    };
    let Some(batch) = batch else {
        return Vec::new();
    };
    let changes = model.snapshot.board.store_changes;
    let fresh = model
        .details
        .get(&batch)
        .is_some_and(|(read_at, _)| *read_at == changes);
    if fresh {
        Vec::new()
    } else {
        read_batch(model, batch)
    }
}

/// A failure in one line: what was found, then what to do next.
pub(super) fn one_line(failure: &Failure) -> String {
    let mut text = failure.message.replace('\n', " ");
    if !failure.hint.is_empty() {
        text.push_str(" - ");
        text.push_str(&failure.hint);
    }
    text
}

/// What a failure means on screen.
pub(crate) fn role_of(kind: FailureKind) -> Role {
    match kind {
        FailureKind::Unreachable => Role::Unreachable,
        FailureKind::Cancelled => Role::Muted,
        FailureKind::Usage | FailureKind::Busy | FailureKind::Conflict | FailureKind::Denied => {
            Role::Warn
        }
        FailureKind::Config | FailureKind::Remote | FailureKind::Store | FailureKind::Internal => {
            Role::Fail
        }
    }
}
