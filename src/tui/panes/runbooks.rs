//! Runbooks: which there are and which are called for, their runs, one run step by step, one step
//! with all that was said, found and printed.

use super::said::{age, clock, verdict_cell};
use crate::content::{Body, Cell, Column, Content, List, Note, Row, field, note, whole};
use crate::model::{Asked, Model};
use crate::place::Place;
use crate::theme::Role;
use crate::words::Lang;
use cockpit_domain::ids::RunId;
use cockpit_domain::runbook::{
    Act, Answer, Deed, LookAt, Mark, Run, RunState, RunStep, Step, fill_known,
};
use cockpit_engine::runbook::{Book, BookRow};
use std::collections::BTreeMap;

const BOOKS: [Column; 5] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.runbook-name", 8, 30, 0),
    Column::grow("col.what", 16, 0),
    Column::fit("col.called-by", 6, 34, 1),
    Column::fit("col.last-run", 6, 24, 2),
];

const RUNS: [Column; 6] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.run-name", 5, 8, 0),
    Column::fit("col.runbook-name", 8, 24, 0),
    Column::fit("col.status", 4, 22, 0),
    Column::grow("col.at", 10, 1),
    Column::fit("col.age", 3, 4, 2).right(),
];

const STEPS: [Column; 5] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.no", 2, 3, 0).right(),
    Column::fit("col.type", 2, 6, 0),
    Column::fit("col.what", 10, 30, 0),
    Column::grow("col.found", 16, 0),
];

/// The runbooks, and the runs.
pub(super) fn list(model: &Model) -> Content {
    let runs = model.trail.view().section == 1;
    let list = if runs {
        of_runs(model)
    } else {
        of_books(model)
    };
    let sections = ["section.runbooks", "section.runs"];
    Content {
        head: Vec::new(),
        sections: sections.iter().map(|key| model.say(key)).collect(),
        body: Body::List(list),
    }
}

fn of_books(model: &Model) -> List {
    let empty = if model.books.is_some() {
        "runbook.none"
    } else {
        "runbook.reading"
    };
    List {
        columns: BOOKS.to_vec(),
        rows: model
            .books
            .iter()
            .flatten()
            .map(|row| book_row(model, row))
            .collect(),
        empty: vec![note(model.say(empty), Role::Muted)],
    }
}

fn worded(model: &Model, english: &str, chinese: Option<&String>) -> String {
    match (chinese, model.lang) {
        (Some(text), Lang::ZhCn) => text.clone(),
        _ => english.to_owned(),
    }
}

fn is_chinese(model: &Model) -> bool {
    model.lang == Lang::ZhCn
}

/// What a step came to. A question that waits is asked in the reader's language.
pub(crate) fn came_to(model: &Model, run: &Run, step: &RunStep) -> String {
    let other = step
        .step
        .zh
        .as_ref()
        .and_then(|words| words.question.as_ref());
    match other.filter(|_| is_chinese(model) && step.mark == Mark::Asked) {
        Some(question) => fill_known(question, &run.values),
        None => step.came_to.clone(),
    }
}

fn book_row(model: &Model, row: &BookRow) -> Row {
    let called = !row.called_by.is_empty();
    let (glyph, role) = if called {
        ("!", Role::Warn)
    } else {
        (".", Role::Muffled)
    };
    let id = format!("{}/{}", row.pack, row.name);
    let last = row.last.map_or_else(Vec::new, |(run, state)| {
        vec![run.to_string(), state_word(model, state)]
    });
    Row::new(
        id.clone(),
        vec![
            Cell::new(glyph, role),
            Cell::plain(row.name.clone()),
            Cell::plain(worded(model, &row.title, row.title_zh.as_ref())),
            Cell::new(row.called_by.join(", "), Role::Warn),
            Cell::muted(last.join(" ")),
        ],
    )
    .broken(called)
    .opens(Place::Runbook(id))
    .copies(row.name.clone())
    .hidden(row.checks.join(" "))
}

fn of_runs(model: &Model) -> List {
    let mut runs: Vec<&Run> = model.runs.values().map(|(_, run)| run).collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.id));
    let rows = runs.into_iter().map(|run| {
        let (glyph, role) = state_mark(run.state);
        let at = run.at().map(|at| {
            let title = run.steps[at].step.title_in(is_chinese(model));
            format!("{}/{} {title}", at + 1, run.steps.len())
        });
        Row::new(
            run.id.to_string(),
            vec![
                Cell::new(glyph, role),
                Cell::plain(run.id.to_string()),
                Cell::plain(run.name.clone()),
                Cell::new(state_word(model, run.state), role),
                Cell::muted(at.unwrap_or_default()),
                Cell::muted(age(model, run.updated_ms)),
            ],
        )
        .broken(!run.state.is_over())
        .opens(Place::Run(run.id))
    });
    List {
        columns: RUNS.to_vec(),
        rows: rows.collect(),
        empty: vec![note(model.say("runbook.no-runs"), Role::Muted)],
    }
}

/// One runbook: what is said, and its steps.
pub(super) fn book(model: &Model, id: &str) -> Content {
    let Some(book) = model.read_books.get(id) else {
        return Content::text(vec![note(model.say("runbook.reading"), Role::Muted)]);
    };
    let mut head = vec![vec![
        Cell::new(
            book.book.title_in(is_chinese(model)).to_owned(),
            Role::Title,
        ),
        Cell::muted(format!("  {id}")),
    ]];
    if !book.book.checks.is_empty() {
        head.push(field(
            &model.say("field.called-by"),
            book.book.checks.join(", "),
            Role::Muted,
        ));
    }
    head.push(field(
        &model.say("field.command"),
        format!("cockpit runbook run {}", book.book.name),
        Role::Muted,
    ));
    head.push(note(said_of_trust(model, book), trust_role(book)));
    let mut lines = paragraphs(book.book.text_in(is_chinese(model)));
    for (at, step) in book.book.steps.iter().enumerate() {
        lines.push(Vec::new());
        lines.push(vec![
            Cell::muted(format!("{:>2} ", at + 1)),
            Cell::new(
                format!("{:<6}", model.say(&format!("act.{}", step.act.word()))),
                Role::Key,
            ),
            Cell::new(step.title_in(is_chinese(model)).to_owned(), Role::Title),
        ]);
        lines.extend(paragraphs(step.text_in(is_chinese(model))));
        lines.push(note(does(model, step, &BTreeMap::new()), Role::Text));
    }
    Content::text(lines).head(head)
}

fn said_of_trust(model: &Model, book: &Book) -> String {
    if book.book.has_commands() && !book.trusted {
        let pack = book.pack.to_string();
        return model.fill("runbook.untrusted", &[("pack", &pack)]);
    }
    model.say("runbook.start")
}

fn trust_role(book: &Book) -> Role {
    if book.book.has_commands() && !book.trusted {
        Role::Warn
    } else {
        Role::Key
    }
}

fn paragraphs(text: &str) -> Vec<Note> {
    text.lines().map(|line| note(line, Role::Text)).collect()
}

/// What a step does, in a line, with the values that are known.
fn does(model: &Model, step: &Step, values: &BTreeMap<String, String>) -> String {
    let what = match &step.act {
        Act::Look(look) => match &look.looks_at {
            LookAt::Check(check) => check.clone(),
            LookAt::Own(toml) => toml
                .lines()
                .filter(|line| !line.trim().is_empty())
                .collect::<Vec<_>>()
                .join("; "),
        },
        Act::Ask(ask) => {
            let question = step.question_in(is_chinese(model));
            question.unwrap_or(&ask.question).to_owned()
        }
        Act::Do(doing) => match &doing.deed {
            Deed::Command { machine, argv, .. } => format!("{machine}: {}", argv.join(" ")),
            Deed::Repair { check } => model.fill("runbook.repairs", &[("check", check)]),
        },
        Act::Watch(watch) => {
            let (long, every) = (watch.for_s.to_string(), watch.every_s.to_string());
            let words = [("long", long.as_str()), ("every", every.as_str())];
            format!(
                "{}  {}",
                watch.checks.join(", "),
                model.fill("runbook.watches", &words)
            )
        }
    };
    let when = step.when.as_ref().map(|when| {
        let key = match when {
            cockpit_domain::runbook::When::Bad(_) => "runbook.if-bad",
            cockpit_domain::runbook::When::Yes(_) => "runbook.if-yes",
        };
        model.fill(key, &[("step", when.step())])
    });
    let mut told = match when {
        Some(when) => format!("{when} {what}"),
        None => what,
    };
    for (name, value) in values {
        told = told.replace(&format!("{{{{{name}}}}}"), value);
    }
    told
}

fn state_mark(state: RunState) -> (&'static str, Role) {
    match state {
        RunState::Open => (">", Role::Warming),
        RunState::Asks | RunState::Confirms => ("?", Role::Warn),
        RunState::Unknown => ("!", Role::Fail),
        RunState::Held => ("x", Role::Fail),
        RunState::Done => ("+", Role::Ok),
        RunState::Stopped => ("=", Role::Waived),
    }
}

fn state_word(model: &Model, state: RunState) -> String {
    model.say(&format!("run.{}", state.as_str()))
}

fn step_mark(mark: Mark) -> (&'static str, Role) {
    match mark {
        Mark::Todo => (".", Role::Muffled),
        Mark::Looking => (">", Role::Warming),
        Mark::Asked | Mark::Planned => ("?", Role::Warn),
        Mark::Sent => (">", Role::Warn),
        Mark::Unknown => ("!", Role::Fail),
        Mark::Held => ("x", Role::Fail),
        Mark::Ok => ("+", Role::Ok),
        Mark::Bad => ("~", Role::Warn),
        Mark::Skipped => ("-", Role::Muted),
    }
}

/// One run: where it stands and what is next, then its steps.
pub(super) fn run(model: &Model, id: RunId) -> Content {
    let Some((_, run)) = model.runs.get(&id) else {
        return Content::text(vec![note(model.say("runbook.reading"), Role::Muted)]);
    };
    let rows = run
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| step_row(model, run, at, step));
    Content::list(List {
        columns: STEPS.to_vec(),
        rows: rows.collect(),
        empty: Vec::new(),
    })
    .head(head(model, run))
}

fn head(model: &Model, run: &Run) -> Vec<Note> {
    let (glyph, role) = state_mark(run.state);
    let mut lines = vec![vec![
        Cell::new(format!("{glyph} {}", state_word(model, run.state)), role),
        Cell::plain(format!("  {}  ", run.id)),
        Cell::new(
            worded(model, &run.title, run.title_zh.as_ref()),
            Role::Title,
        ),
    ]];
    let host = run.host.as_ref().map(ToString::to_string);
    let machine = run.machine.as_ref().map(ToString::to_string);
    let about = [("col.host", host), ("col.machine", machine)];
    let mut told: Vec<String> = about
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| format!("{} {value}", model.say(key))))
        .collect();
    let began = clock(model, run.started_ms);
    told.push(model.fill("runbook.begun", &[("who", &run.owner), ("time", &began)]));
    lines.push(note(told.join("   "), Role::Muted));
    if let Some(working) = working(model, run) {
        lines.push(note(working, Role::Warming));
    } else if let Some(next) = next(model, run) {
        lines.push(next);
    }
    lines
}

/// What a job is doing for the run now, with how long it still takes.
fn working(model: &Model, run: &Run) -> Option<String> {
    let subject = run.id.to_string();
    let mut jobs = model.seen().jobs.iter();
    let job =
        jobs.find(|job| job.is_live() && job.name == "runbook resume" && job.subject == subject)?;
    let stage = super::stage(model, job);
    Some(if stage.is_empty() {
        model.say("runbook.working")
    } else {
        stage
    })
}

/// What a person can do now.
fn next(model: &Model, run: &Run) -> Option<Note> {
    let step = run.current();
    let role = state_mark(run.state).1;
    let text = match run.state {
        RunState::Done => return None,
        RunState::Stopped => run.reason.clone(),
        RunState::Open => model.say("runbook.next-open"),
        RunState::Asks => {
            let question = came_to(model, run, step?);
            model.fill("runbook.next-asks", &[("question", &question)])
        }
        RunState::Unknown => model.say("runbook.next-unknown"),
        RunState::Held => model.fill("runbook.next-held", &[("found", &step?.came_to)]),
        RunState::Confirms => model.fill("runbook.next-confirms", &[("deed", &step?.came_to)]),
    };
    Some(note(text, role))
}

fn step_row(model: &Model, run: &Run, at: usize, step: &RunStep) -> Row {
    let (glyph, role) = step_mark(step.mark);
    let here = run.at() == Some(at) && !run.state.is_over();
    let found = came_to(model, run, step).replace('\n', " ");
    Row::new(
        format!("{}#{at}", run.id),
        vec![
            Cell::new(glyph, role),
            Cell::muted((at + 1).to_string()),
            Cell::new(
                model.say(&format!("act.{}", step.step.act.word())),
                Role::Key,
            ),
            Cell::new(
                step.step.title_in(is_chinese(model)).to_owned(),
                if here { Role::Title } else { Role::Text },
            ),
            if here {
                Cell::plain(found)
            } else {
                Cell::muted(found)
            },
        ],
    )
    .broken(matches!(step.mark, Mark::Held | Mark::Bad | Mark::Unknown) || here)
    .opens(Place::RunStep(run.id, at))
    .copies(step.step.id.clone())
}

/// One step: what it is about, what came of it.
pub(super) fn step(model: &Model, id: RunId, at: usize) -> Content {
    let run = model.runs.get(&id).map(|(_, run)| run);
    let Some((run, step)) = run.and_then(|run| Some((run, run.steps.get(at)?))) else {
        return Content::text(vec![note(model.say("runbook.reading"), Role::Muted)]);
    };
    let (glyph, role) = step_mark(step.mark);
    let word = model.say(&format!("mark.{}", step.mark.as_str()));
    let head = vec![vec![
        Cell::new(format!("{glyph} {word}"), role),
        Cell::muted(format!(
            "  {} ",
            model.say(&format!("act.{}", step.step.act.word()))
        )),
        Cell::new(
            step.step.title_in(is_chinese(model)).to_owned(),
            Role::Title,
        ),
    ]];
    let mut lines = paragraphs(step.step.text_in(is_chinese(model)));
    lines.push(note(does(model, &step.step, &run.values), Role::Text));
    lines.push(Vec::new());
    if let Act::Ask(ask) = &step.step.act {
        let wanted = match ask.answer {
            Answer::Yes => "runbook.wants-yes",
            Answer::Done => "runbook.wants-done",
            Answer::Value => "runbook.wants-value",
        };
        lines.push(note(model.say(wanted), Role::Muted));
    }
    if let Some(at_ms) = step.at_ms {
        lines.push(field(
            &model.say("field.at"),
            clock(model, at_ms),
            Role::Muted,
        ));
    }
    if !step.came_to.is_empty() {
        let found = came_to(model, run, step);
        lines.push(field(&model.say("field.found"), found, role));
    }
    if let Some(said) = &step.said {
        lines.push(field(&model.say("field.said"), said.clone(), Role::Text));
    }
    if let Some(plan) = &step.plan {
        lines.push(field(
            &model.say("field.plan"),
            plan.line.clone(),
            Role::Text,
        ));
        let hash: String = plan.plan_hash.chars().take(12).collect();
        lines.push(field("", format!("{}  {hash}", plan.id), Role::Muted));
    }
    for row in &step.seen {
        lines.push(Vec::new());
        let (glyph, word) = verdict_cell(model, row.verdict);
        lines.push(vec![
            glyph,
            Cell::plain(" "),
            word,
            Cell::plain(format!("  {}", row.check)),
        ]);
        lines.extend(paragraphs(&row.found));
        if !row.is_good() {
            lines.push(note(row.next_step.clone(), Role::Key));
        }
        lines.extend(row.evidence.lines().map(|line| whole(line, Role::Muted)));
    }
    if !step.output.is_empty() {
        lines.push(Vec::new());
        lines.extend(step.output.lines().map(|line| whole(line, Role::Muted)));
    }
    Content::text(lines).head(head)
}

/// Whether the runbooks are being read.
pub(crate) fn are_read(model: &Model) -> bool {
    model.is_asked(&Asked::Books)
}
