//! Runbooks and their runs as text.

use super::{drawn, plain, put};
use cockpit_domain::runbook::{Act, Answer, Deed, LookAt, Mark, Run, RunState, RunStep, Step};
use cockpit_engine::runbook::{Book, BookRow};

/// The runbooks at hand.
pub(super) fn books(rows: &[BookRow]) -> String {
    if rows.is_empty() {
        return "no pack at hand has a runbook\n".to_owned();
    }
    let mut table = plain(&["runbook", "steps", "title", "called by", "last run"]);
    for row in rows {
        let last = row.last.map(|(id, state)| format!("{id} {}", word(state)));
        table.add_row([
            format!("{}/{}", row.pack, row.name),
            row.steps.to_string(),
            row.title.clone(),
            row.called_by.join(", "),
            last.unwrap_or_default(),
        ]);
    }
    drawn(&table)
}

/// One runbook.
pub(super) fn book(book: &Book) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!("{}/{}  {}", book.pack, book.book.name, book.book.title),
    );
    if !book.book.checks.is_empty() {
        put(
            &mut text,
            format_args!("called for by {}", book.book.checks.join(", ")),
        );
    }
    if book.book.has_commands() && !book.trusted {
        put(
            &mut text,
            format_args!(
                "! its commands do not run: the pack is not trusted; `cockpit pack check {}` says how",
                book.pack
            ),
        );
    }
    if !book.book.text.is_empty() {
        put(&mut text, format_args!("\n{}", book.book.text));
    }
    for (at, step) in book.book.steps.iter().enumerate() {
        put(
            &mut text,
            format_args!("\n{:>2} {:<5} {}", at + 1, step.act.word(), step.title),
        );
        indented(&mut text, &step.text);
        put(&mut text, format_args!("   {}", told(step)));
    }
    text
}

fn indented(text: &mut String, prose: &str) {
    for line in prose.lines() {
        put(text, format_args!("   {line}"));
    }
}

/// What a step does, in a line.
fn told(step: &Step) -> String {
    let when = step.when.as_ref().map(|when| match when {
        cockpit_domain::runbook::When::Bad(step) => format!("if `{step}` found trouble: "),
        cockpit_domain::runbook::When::Yes(step) => format!("if `{step}` was answered yes: "),
    });
    let what = match &step.act {
        Act::Look(look) => {
            let at = match &look.looks_at {
                LookAt::Check(check) => check.as_str(),
                LookAt::Own(_) => "a look of its own",
            };
            format!(
                "look: {at}{}",
                if look.must { " (must be well)" } else { "" }
            )
        }
        Act::Ask(ask) => match ask.answer {
            Answer::Yes => format!("ask: {} (yes / no)", ask.question),
            Answer::Done => format!("ask: {} (done)", ask.question),
            Answer::Value => format!("ask: {}", ask.question),
        },
        Act::Do(doing) => match &doing.deed {
            Deed::Command { machine, argv, .. } => format!("do: on {machine}: {}", argv.join(" ")),
            Deed::Repair { check } => format!("do: repair {check} through the host's API"),
        },
        Act::Watch(watch) => format!(
            "watch: {} for {} s, every {} s",
            watch.checks.join(", "),
            watch.for_s,
            watch.every_s
        ),
    };
    format!("{}{what}", when.unwrap_or_default())
}

/// Runs in a table.
pub(super) fn runs(runs: &[Run]) -> String {
    if runs.is_empty() {
        return "no runbook was run yet; `cockpit runbook list` shows them\n".to_owned();
    }
    let mut table = plain(&[
        "run", "runbook", "host", "machine", "state", "at", "begun by",
    ]);
    for run in runs {
        let at = run.at().map(|at| format!("{}/{}", at + 1, run.steps.len()));
        table.add_row([
            run.id.to_string(),
            run.name.clone(),
            run.host
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            run.machine
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            word(run.state).to_owned(),
            at.unwrap_or_else(|| "end".to_owned()),
            run.owner.clone(),
        ]);
    }
    drawn(&table)
}

/// One run, whole.
pub(super) fn run(run: &Run) -> String {
    let mut text = head(run);
    for (at, step) in run.steps.iter().enumerate() {
        stepped(&mut text, at, step);
    }
    put(&mut text, format_args!(""));
    text.push_str(&next(run));
    text
}

fn head(run: &Run) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!("{}  {}  {}", run.id, run.title, word(run.state)),
    );
    let values = run
        .values
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    put(
        &mut text,
        format_args!("values: {}", values.collect::<Vec<_>>().join(" ")),
    );
    if !run.reason.is_empty() {
        put(&mut text, format_args!("ended: {}", run.reason));
    }
    text
}

fn stepped(text: &mut String, at: usize, step: &RunStep) {
    put(
        text,
        format_args!(
            "{} {:>2} {:<5} {}",
            glyph(step.mark),
            at + 1,
            step.step.act.word(),
            step.step.title
        ),
    );
    if !step.came_to.is_empty() {
        put(
            text,
            format_args!("       {}: {}", step.mark.as_str(), step.came_to),
        );
    }
    if !matches!(step.mark, Mark::Ok | Mark::Skipped) {
        for row in step.seen.iter().filter(|row| !row.is_good()) {
            put(text, format_args!("       {}", row.next_step));
        }
    }
    for line in step.output.lines() {
        put(text, format_args!("       | {line}"));
    }
}

/// What is new of a run since `told` steps were shown, for a person who is led through it; with how
/// many are shown now.
pub(crate) fn news(run: &Run, told: usize) -> (String, usize) {
    let mut text = if told == 0 { head(run) } else { String::new() };
    let until = run.at().unwrap_or(run.steps.len());
    for at in told..until {
        stepped(&mut text, at, &run.steps[at]);
    }
    if let Some(step) = run.current() {
        indented(&mut text, &step.step.text);
        stepped(&mut text, until, step);
    }
    (text, until)
}

/// The lines to type next.
fn next(run: &Run) -> String {
    let mut text = String::new();
    let id = run.id.0;
    let Some(step) = run.current() else {
        put(&mut text, format_args!("every step is taken"));
        return text;
    };
    let resume = format!("  cockpit runbook resume {id}");
    match run.state {
        RunState::Done | RunState::Stopped => return text,
        RunState::Open => put(&mut text, format_args!("to go on:\n{resume}")),
        RunState::Held => {
            put(&mut text, format_args!("to take the step again:\n{resume}"));
            if matches!(step.step.act, Act::Do(_)) {
                put(&mut text, format_args!("to leave it out:\n{resume} --skip"));
            }
        }
        RunState::Unknown => put(
            &mut text,
            format_args!(
                "look there, then:\n{resume} --answer done\n{resume} --answer \"not done\""
            ),
        ),
        RunState::Asks => {
            let answer = match &step.step.act {
                Act::Ask(ask) => match ask.answer {
                    Answer::Yes => "yes",
                    Answer::Done => "done",
                    Answer::Value => "VALUE",
                },
                _ => "TEXT",
            };
            put(
                &mut text,
                format_args!("to answer:\n{resume} --answer {answer}"),
            );
        }
        RunState::Confirms => {
            if let Some(plan) = &step.plan {
                let head: String = plan.plan_hash.chars().take(12).collect();
                let named = if plan.wants_name {
                    format!(" --host-name {} --reason \"why\"", plan.host)
                } else {
                    String::new()
                };
                put(
                    &mut text,
                    format_args!(
                        "{} {}\nto do exactly this:\n{resume} --yes {head}{named}",
                        plan.id, plan.plan_hash
                    ),
                );
            }
            put(&mut text, format_args!("to leave it out:\n{resume} --skip"));
        }
    }
    put(
        &mut text,
        format_args!("to end the run:\n{resume} --stop \"why\""),
    );
    text
}

fn glyph(mark: Mark) -> char {
    match mark {
        Mark::Todo => '.',
        Mark::Looking => '~',
        Mark::Asked | Mark::Planned | Mark::Unknown | Mark::Sent => '?',
        Mark::Held => 'x',
        Mark::Bad => '!',
        Mark::Ok => '+',
        Mark::Skipped => '-',
    }
}

/// How a run stands, in words.
fn word(state: RunState) -> &'static str {
    match state {
        RunState::Open => "open",
        RunState::Asks => "waits for an answer",
        RunState::Confirms => "waits for approval",
        RunState::Unknown => "the end of a step is not known",
        RunState::Held => "held",
        RunState::Done => "done",
        RunState::Stopped => "stopped",
    }
}
