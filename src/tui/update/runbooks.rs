//! Runbooks: reading them, beginning a run, and what a person says to one.

use super::answers::one_line;
use super::run::{Words, ask, said};
use crate::actions::Action;
use crate::dialogs::{Confirm, Dialog, Reply, Subject};
use crate::model::{Asked, Model};
use crate::msg::Effect;
use crate::place::Place;
use crate::theme::Role;
use cockpit_domain::ids::RunId;
use cockpit_domain::runbook::{Act, Mark, Run, RunState};
use cockpit_engine::approval::Approval;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{Failure, Outcome};
use cockpit_engine::runbook::{NewWalk, Word};

/// Opens the runbooks and reads them and their runs.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    // From a check only those that it calls for.
    let check = match &model.trail.view().place {
        Place::Check(_, check) => check.clone(),
        _ => String::new(),
    };
    let mut books = model.books.iter().flatten();
    let some = books.any(|book| book.checks.contains(&check));
    model.trail.open(Place::Runbooks);
    if some {
        model.trail.view_mut().filter = check;
    }
    read(model)
}

/// Reads which runbooks there are, once.
pub(super) fn know(model: &mut Model) -> Vec<Effect> {
    if model.books.is_some() || crate::panes::books_are_read(model) {
        return Vec::new();
    }
    ask(model, Asked::Books, Command::RunbookList)
}

pub(super) fn read(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if !crate::panes::books_are_read(model) {
        effects.extend(ask(model, Asked::Books, Command::RunbookList));
    }
    if !model.is_asked(&Asked::Runs) {
        effects.extend(ask(model, Asked::Runs, Command::RunbookRuns { run: None }));
    }
    effects
}

/// Reads a runbook whose page opens.
pub(super) fn read_book(model: &mut Model, id: &str) -> Vec<Effect> {
    let asked = Asked::Book(id.to_owned());
    if model.is_asked(&asked) {
        return Vec::new();
    }
    ask(
        model,
        asked,
        Command::RunbookShow {
            book: id.to_owned(),
        },
    )
}

/// Reads a run again.
pub(super) fn read_run(model: &mut Model, id: RunId) -> Vec<Effect> {
    if model.is_asked(&Asked::RunRead(id)) {
        return Vec::new();
    }
    ask(
        model,
        Asked::RunRead(id),
        Command::RunbookRuns { run: Some(id) },
    )
}

/// A run whose page is open reads itself again when the store moved.
pub(super) fn refresh(model: &mut Model, id: RunId) -> Vec<Effect> {
    let changes = model.snapshot.board.store_changes;
    let fresh = model.runs.get(&id).is_some_and(|(at, _)| *at == changes);
    if fresh {
        Vec::new()
    } else {
        read_run(model, id)
    }
}

/// The runbook that is meant: named, open, or selected.
fn book(model: &Model, words: &Words) -> Option<String> {
    if let Some(word) = words.get(0) {
        return Some(word.to_owned());
    }
    if let Place::Runbook(id) = &model.trail.view().place {
        return Some(id.clone());
    }
    let shown = super::shown(model);
    match shown.selected.and_then(|at| shown.rows[at].opens.clone()) {
        Some(Place::Runbook(id)) => Some(id),
        _ => None,
    }
}

/// Begins a run; its page opens and every step is taken that needs nobody.
pub(super) fn start(model: &mut Model, words: &Words) -> Vec<Effect> {
    let Some(book) = book(model, words) else {
        return said(model, "why.no-runbook");
    };
    if model.is_asked(&Asked::Walk(None)) {
        return said(model, "why.run-works");
    }
    let walk = NewWalk {
        book,
        begin_only: true,
        ..NewWalk::default()
    };
    ask(model, Asked::Walk(None), Command::RunbookRun { walk })
}

/// The run whose page is open, or that is selected.
fn meant(model: &Model) -> Option<&Run> {
    let id = match &model.trail.view().place {
        Place::Run(id) | Place::RunStep(id, _) => *id,
        _ => return None,
    };
    model.runs.get(&id).map(|(_, run)| run)
}

fn resume(model: &mut Model, run: RunId, word: Word) -> Vec<Effect> {
    if model
        .asked
        .values()
        .any(|asked| matches!(asked, Asked::Walk(Some(id)) | Asked::GoOn(id) if *id == run))
    {
        return said(model, "why.run-works");
    }
    let asked = if word == Word::GoOn {
        Asked::GoOn(run)
    } else {
        Asked::Walk(Some(run))
    };
    ask(model, asked, Command::RunbookResume { run, word })
}

/// What is next for the run: its question, the word for what it would do, or another look.
pub(super) fn next(model: &mut Model) -> Vec<Effect> {
    let Some(run) = meant(model) else {
        return said(model, "why.no-run");
    };
    let id = run.id;
    match run.state {
        RunState::Done | RunState::Stopped => said(model, "why.run-over"),
        RunState::Open | RunState::Held => resume(model, id, Word::GoOn),
        RunState::Asks | RunState::Unknown => {
            let reply = Reply::to(model, run);
            model.dialog = reply.map(Dialog::Reply);
            Vec::new()
        }
        RunState::Confirms => {
            let plan = run.current().and_then(|step| step.plan.clone());
            let Some(plan) = plan else {
                return said(model, "why.no-plan");
            };
            if !model.is_armed(&plan.host) {
                let text = model.fill("why.unarmed", &[("host", plan.host.as_str())]);
                model.tell(text, Role::Warn);
                return Vec::new();
            }
            model.dialog = Some(Dialog::Confirm(Confirm::deed(model, id, &plan)));
            Vec::new()
        }
    }
}

/// The person said yes to a deed.
pub(super) fn confirmed(model: &mut Model, id: RunId, confirm: &Confirm) -> Vec<Effect> {
    debug_assert_eq!(
        confirm.subject,
        Subject::Deed(id),
        "the deed that was shown"
    );
    let Some((_, run)) = model.runs.get(&id) else {
        return Vec::new();
    };
    let Some(plan) = run.current().and_then(|step| step.plan.clone()) else {
        return said(model, "why.no-plan");
    };
    // What was shown is what is approved: a run that went on meanwhile has another hash.
    let approval = Approval {
        hash: confirm.hash.clone().unwrap_or(plan.plan_hash),
        host_name: confirm.typed_name(),
        reason: confirm.typed_reason(),
    };
    resume(model, id, Word::Approve(approval))
}

/// A person's answer.
pub(crate) fn replied(model: &mut Model, reply: &Reply) -> Vec<Effect> {
    let text = reply.input.value().trim().to_owned();
    let Some(run) = reply.run else {
        return super::stacks::gate_replied(model, &text);
    };
    let word = if reply.stops {
        Word::Stop(text)
    } else {
        Word::Answer(text)
    };
    resume(model, run, word)
}

/// Leaves out what would be done.
pub(super) fn skip(model: &mut Model) -> Vec<Effect> {
    match meant(model).map(|run| run.id) {
        Some(id) => resume(model, id, Word::Skip),
        None => said(model, "why.no-run"),
    }
}

/// Ends the run: why is asked.
pub(super) fn stop(model: &mut Model) -> Vec<Effect> {
    let Some(run) = meant(model) else {
        return said(model, "why.no-run");
    };
    if run.state.is_over() {
        return said(model, "why.run-over");
    }
    let reply = Reply::stop(model, run);
    model.dialog = Some(Dialog::Reply(reply));
    Vec::new()
}

/// Begins the run that takes this one back.
pub(super) fn back(model: &mut Model) -> Vec<Effect> {
    match meant(model).map(|run| run.id) {
        Some(run) => ask(model, Asked::Walk(None), Command::RunbookBack { run }),
        None => said(model, "why.no-run"),
    }
}

/// The step that a run stands at is the one that is selected after a word to it.
fn point(model: &mut Model, id: RunId) {
    if model.trail.view().place != Place::Run(id) {
        return;
    }
    let at = model.runs.get(&id).and_then(|(_, run)| run.at());
    if let Some(at) = at {
        model.trail.view_mut().selected = Some(format!("{id}#{at}"));
    }
}

/// Whether a word of this kind is any use for the run that is open.
pub(super) fn serves(model: &Model, action: Action) -> bool {
    let Some(run) = meant(model) else {
        return false;
    };
    match action {
        Action::RunSkip => run.current().is_some_and(|step| {
            matches!(step.step.act, Act::Do(_)) && matches!(step.mark, Mark::Planned | Mark::Held)
        }),
        Action::RunBack => run.state.is_over(),
        _ => !run.state.is_over(),
    }
}

fn keep(model: &mut Model, run: Run) {
    let changes = model.snapshot.board.store_changes;
    drop(model.runs.insert(run.id, (changes, run)));
}

/// What came back of all this.
pub(super) fn answered(model: &mut Model, asked: Asked, outcome: Outcome<Answer>) -> Vec<Effect> {
    match (asked, outcome) {
        (Asked::Books, Ok(Answer::Runbooks(rows))) => {
            model.books = Some(rows);
            return super::answers::read_beside(model);
        }
        (Asked::Runs, Ok(Answer::Runs(runs))) => {
            for run in runs {
                keep(model, run);
            }
        }
        (Asked::Book(id), Ok(Answer::Runbook(book))) => {
            drop(model.read_books.insert(id, *book));
        }
        (Asked::RunRead(_), Ok(Answer::Run(run))) => keep(model, *run),
        (Asked::GoOn(_), Ok(Answer::Run(run))) => {
            let id = run.id;
            keep(model, *run);
            point(model, id);
        }
        (Asked::Walk(about), Ok(Answer::Run(run))) => {
            let (id, open) = (run.id, run.state == RunState::Open);
            keep(model, *run);
            if about.is_none() {
                model.trail.open(Place::Run(id));
            }
            point(model, id);
            if open {
                return resume(model, id, Word::GoOn);
            }
        }
        (Asked::Walk(about), Err(failure)) => return refused(model, about, &failure),
        (Asked::GoOn(id), Err(failure)) => return refused(model, Some(id), &failure),
        (_, Err(failure)) => model.tell(one_line(&failure), super::role_of(failure.kind)),
        _ => {}
    }
    Vec::new()
}

fn refused(model: &mut Model, about: Option<RunId>, failure: &Failure) -> Vec<Effect> {
    if model.dialog.is_none() {
        model.dialog = Some(Dialog::failure(model, failure));
    } else {
        model.tell(one_line(failure), super::role_of(failure.kind));
    }
    about.map_or_else(Vec::new, |id| read_run(model, id))
}
