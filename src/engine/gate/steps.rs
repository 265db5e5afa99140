//! Taking steps: looks by the check engine, lines that are kept, and the commands that do something.

use super::Meant;
use crate::baseline;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{AuditRow, RemoteCommand, RunOutput};
use cockpit_domain::gate::{GateRow, GateState, kept_lines};
use cockpit_domain::pack::{BaselinePack, Check, GateAct, GateStep};
use cockpit_domain::text::shorten;
use std::time::Duration;

/// Longest run of a command that prints lines.
const LOOK_LIMIT: Duration = Duration::from_secs(30);
/// Longest run of a command that does something.
const DO_LIMIT: Duration = Duration::from_mins(1);
/// A configuration with many sites is a few hundred kilobytes.
const MOST_OUTPUT: usize = 8 << 20;

/// Why nothing of a pack's own runs.
pub(super) fn untrusted(pack: &BaselinePack) -> String {
    format!(
        "pack `{0}` brings commands and is not trusted: read it; `cockpit pack check {0}` prints the line for [trust]",
        pack.id
    )
}

/// Takes the looks among these steps, all at once; what does something is left out.
pub(super) async fn look(job: &Job, meant: &Meant, steps: &[GateStep]) -> Vec<GateRow> {
    let machine = &meant.gate.machine;
    let checks: Vec<Option<Check>> = (steps.iter())
        .map(|step| step.as_check(&meant.pack, machine))
        .collect();
    let judged = baseline::run_own(
        job,
        checks.iter().flatten().cloned().collect(),
        Some(&meant.pack),
        Some(meant.host.clone()),
    );
    let lines = async {
        let mut rows = Vec::new();
        for step in steps {
            if let GateAct::Lines { argv, find } = &step.act {
                rows.push(lines(job, meant, step, argv, find).await);
            }
        }
        rows
    };
    let (report, lines) = tokio::join!(judged, lines);
    let (mut results, mut lines) = (report.results.iter(), lines.into_iter());
    let mut rows = Vec::with_capacity(steps.len());
    for (step, check) in steps.iter().zip(checks) {
        let row = match (&step.act, check) {
            (GateAct::Lines { .. }, _) => lines.next(),
            (_, Some(_)) => results.next().map(|row| GateRow::judged(step, row)),
            _ => None,
        };
        rows.push(row.unwrap_or_else(|| GateRow::of(step, GateState::NotDone, "not done yet", "")));
    }
    rows
}

async fn lines(
    job: &Job,
    meant: &Meant,
    step: &GateStep,
    argv: &[String],
    find: &[String],
) -> GateRow {
    let blind = |found: String, next: &str| GateRow::of(step, GateState::CouldNotLook, found, next);
    if !baseline::is_trusted(job, &meant.pack) {
        return blind(
            untrusted(&meant.pack),
            "Read the pack and trust it, then look again.",
        );
    }
    let output = match run(job, meant, argv, LOOK_LIMIT).await {
        Ok(output) => output,
        Err(failure) => return blind(failure.message, &failure.hint),
    };
    if output.status != Some(0) {
        let next = format!(
            "Run `{}` there by hand and mend what it names.",
            argv.join(" ")
        );
        return GateRow::of(step, GateState::Failed, ended(&output), next);
    }
    if output.truncated {
        return blind(
            "it prints more than is read".to_owned(),
            "Look at it by hand; a configuration of that size is not expected.",
        );
    }
    let lines = kept_lines(&output.stdout, find);
    let mut row = GateRow::of(
        step,
        GateState::Passed,
        format!("{} lines kept", lines.len()),
        "",
    );
    if lines.is_empty() {
        row.state = GateState::Failed;
        "no line is what the gate looks for".clone_into(&mut row.found);
        "See whether the command still prints the configuration.".clone_into(&mut row.next_step);
    }
    row.lines = lines;
    row
}

/// Does what a step does: the intent is durable before, the outcome after.
///
/// # Errors
/// `Store` when the intent could not be written down: then nothing was run.
pub(super) async fn act(
    job: &Job,
    meant: &Meant,
    step: &GateStep,
    argv: &[String],
    word: &AuditRow,
) -> Outcome<GateRow> {
    let tell = |answer: String| AuditRow {
        at_ms: job.now_ms(),
        request: format!(
            "gate {} on {}: {}",
            step.id,
            meant.gate.machine,
            argv.join(" ")
        ),
        answer,
        ..word.clone()
    };
    let store = &job.ports.store;
    store.add_audit(&tell("begun".to_owned())).await?;
    job.say(format!("{}: {}", meant.gate.machine, argv.join(" ")));
    let ran = run(job, meant, argv, DO_LIMIT).await;
    let (row, answer) = match ran {
        Ok(output) if output.status == Some(0) => {
            let row = GateRow::of(step, GateState::Passed, "done", "");
            (row, "done".to_owned())
        }
        Ok(output) => {
            let said = ended(&output);
            let next = format!(
                "See `{}` by hand: what it names comes first.",
                argv.join(" ")
            );
            let row = GateRow::of(step, GateState::Failed, said.clone(), next);
            (row, format!("failed: {said}"))
        }
        Err(failure) => {
            // Nobody answered: it may have been done all the same.
            let found = if failure.maybe_done {
                format!("no answer, it may have been done: {}", failure.message)
            } else {
                format!("it was not begun: {}", failure.message)
            };
            let state = if failure.maybe_done {
                GateState::Unseen
            } else {
                GateState::CouldNotLook
            };
            let next = if failure.maybe_done {
                super::settle::ASKS
            } else {
                &failure.hint
            };
            let row = GateRow::of(step, state, found.clone(), next);
            (row, format!("unknown: {found}"))
        }
    };
    store.add_audit(&tell(answer)).await?;
    job.stepped();
    Ok(row)
}

async fn run(job: &Job, meant: &Meant, argv: &[String], limit: Duration) -> Outcome<RunOutput> {
    let mut command = RemoteCommand::new(argv.iter().cloned());
    command.time_limit = limit;
    command.byte_limit = MOST_OUTPUT;
    let output = job.ports.remote.run(&meant.gate.machine, &command).await?;
    if output.is_missing_program() {
        let program = argv.first().map(String::as_str).unwrap_or_default();
        let message = format!("there is no `{program}` on `{}`", meant.gate.machine);
        return Err(Failure::new(FailureKind::Remote, message)
            .hint("name it by its whole path, or set `path` of the machine"));
    }
    Ok(output)
}

/// How a command ended, with its first word about it.
fn ended(output: &RunOutput) -> String {
    let how = (output.status).map_or("was killed".to_owned(), |code| format!("ended with {code}"));
    let mut lines = output.stderr.lines().chain(output.stdout.lines());
    let said = lines.find(|line| !line.trim().is_empty());
    said.map_or(how.clone(), |line| {
        format!("{how}: {}", shorten(line.trim(), 200))
    })
}
