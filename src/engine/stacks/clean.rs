//! Cleaning a stack up: the list as a run of the step runner. Every line is looked at first; what is
//! left is stopped by a command that a person approves, or removed by a person; then the same look has
//! to come out right before the run goes on. The end of the run takes the stack off the register.

use super::lines::{CleanCheck, checklist, pack_of};
use super::{find, production_on};
use crate::baseline;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::AuditRow;
use crate::runbook::{self, NewRun};
use cockpit_domain::ids::HostId;
use cockpit_domain::pack::{Look, Place};
use cockpit_domain::runbook::{
    Act, Answer, AskStep, Deed, DoStep, LookAt, LookStep, Run, RunState, Step, When,
};
use cockpit_domain::stack::{CleanBy, Stack};
use std::collections::BTreeMap;

/// The name of these runs.
pub(crate) const NAME: &str = "stack-clean";
/// The value that says which stack a run is about.
const STACK: &str = "stack";
/// Longest time a container may take to stop.
const STOP_LIMIT_S: u64 = 60;
/// Runs that are looked through for one of a stack.
const RUNS: usize = 200;

/// Begins the clean-up of a stack, or goes on with the one that was begun. Takes every step that needs
/// no person.
pub async fn clean(job: &Job, name: &HostId) -> Outcome<Run> {
    let doing = format!("cleaning up stack `{name}`");
    let (stack, others) = find(job, name).await?;
    let open = of_stack(job, name)
        .await?
        .into_iter()
        .find(|run| !run.state.is_over() && run.started_ms >= stack.created_ms);
    let run = match open {
        Some(run) => run,
        None => begin(job, &stack, &others)
            .await
            .map_err(|failure| failure.doing(doing))?,
    };
    runbook::go_on(job, run.id).await
}

async fn begin(job: &Job, stack: &Stack, others: &[Stack]) -> Outcome<Run> {
    let pack = pack_of(job, stack)?;
    if let Some(pack) = pack
        .as_ref()
        .filter(|pack| !baseline::is_trusted(job, pack))
    {
        let message = format!("pack `{}` brings the commands and is not trusted", pack.id);
        return Err(Failure::new(FailureKind::Denied, message).hint(format!(
            "read the pack; `cockpit pack check {}` prints the line for [trust] of the config",
            pack.id
        )));
    }
    let list = checklist(stack, others, pack.as_ref());
    let mut steps: Vec<Step> = list.iter().flat_map(|one| steps(stack, one)).collect();
    let left_out: Vec<String> = (list.iter())
        .filter_map(|one| {
            let why = one.line.excepted.as_ref()?;
            Some(format!("Left out: {}: {why}.", one.line.title))
        })
        .collect();
    if let Some(first) = steps.first_mut() {
        first.text = left_out.join("\n");
    }
    let new = NewRun {
        name: NAME.to_owned(),
        title: format!("Clean up stack {}", stack.name),
        title_zh: Some(format!("清理临时栈 {}", stack.name)),
        origin: cockpit_domain::runbook::Origin::Own,
        pack: pack.map(|pack| pack.id),
        host: production_on(job, &stack.machine).map(|host| host.id.clone()),
        machine: Some(stack.machine.clone()),
        values: BTreeMap::from([(STACK.to_owned(), stack.name.to_string())]),
        steps,
    };
    runbook::begin(job, new).await
}

/// The steps of one line: a look; what is done about it when it came out wrong; the look again, which
/// has to come out right.
fn steps(stack: &Stack, one: &CleanCheck) -> Vec<Step> {
    let line = &one.line;
    let step = |id: String, when: Option<When>, text: String, act: Act| Step {
        id,
        title: line.title.clone(),
        text,
        when,
        zh: None,
        act,
    };
    let Some(at) = look_at(stack, one) else {
        return Vec::new();
    };
    let look = |must| {
        Act::Look(LookStep {
            looks_at: at.clone(),
            must,
            within_s: 0,
            take: BTreeMap::new(),
        })
    };
    if line.by == CleanBy::Look {
        return vec![step(line.id.clone(), None, String::new(), look(true))];
    }
    let wrong = || Some(When::Bad(line.id.clone()));
    let (word, text, act) = match line.by {
        CleanBy::Do => (
            "stop",
            format!("`{}` on {}", line.argv.join(" "), stack.machine),
            Act::Do(DoStep {
                deed: Deed::Command {
                    machine: stack.machine.to_string(),
                    argv: line.argv.clone(),
                    status: 0,
                    time_limit_s: STOP_LIMIT_S,
                },
                back: Vec::new(),
            }),
        ),
        _ => (
            "ask",
            String::new(),
            Act::Ask(AskStep {
                question: format!("{} on {}: {}", line.id, stack.machine, line.ask),
                answer: Answer::Done,
                value: None,
                matches: None,
            }),
        ),
    };
    vec![
        step(line.id.clone(), None, String::new(), look(false)),
        step(format!("{}-{word}", line.id), wrong(), text, act),
        step(
            format!("{}-gone", line.id),
            wrong(),
            String::new(),
            look(true),
        ),
    ]
}

/// The look of a line as the runner takes it: a check of the pack by its name, one of ours by its
/// table.
fn look_at(stack: &Stack, one: &CleanCheck) -> Option<LookAt> {
    let check = one.check.as_ref()?;
    if one.line.id.starts_with("proof-") {
        return Some(LookAt::Check(check.id.clone()));
    }
    // Names, paths and numbers: what a stack may be made of needs no escapes.
    let table = match &check.look {
        Look::Containers(look) => format!("[containers]\nbanned = {:?}", look.banned),
        Look::Listening(look) => format!("[listening]\nbanned_ports = {:?}", look.banned_ports),
        Look::File(look) => format!("[file]\npath = {:?}\nabsent = true", look.path),
        Look::Nginx(look) => format!(
            "[nginx]\nbanned_ports = {:?}\nbanned_names = {:?}",
            look.banned_ports, look.banned_names
        ),
        _ => return None,
    };
    let vantage = Place::Machine(stack.machine.clone());
    Some(LookAt::Own(format!("vantage = \"{vantage}\"\n{table}\n")))
}

/// The runs of a stack, the newest first.
async fn of_stack(job: &Job, name: &HostId) -> Outcome<Vec<Run>> {
    let runs = job.ports.store.runs(RUNS).await?;
    let about = |run: &Run| {
        run.name == NAME
            && run
                .values
                .get(STACK)
                .is_some_and(|stack| stack == name.as_str())
    };
    Ok(runs.into_iter().filter(about).collect())
}

/// The stacks of the register. One whose clean-up has come to its end is taken off it first.
pub(super) async fn standing(job: &Job) -> Outcome<Vec<Stack>> {
    let mut standing = Vec::new();
    for stack in job.ports.store.stacks().await? {
        let runs = of_stack(job, &stack.name).await?;
        let done = runs
            .iter()
            .find(|run| run.state == RunState::Done && run.started_ms >= stack.created_ms);
        let Some(run) = done else {
            standing.push(stack);
            continue;
        };
        let audit = AuditRow {
            reason: stack.reason.clone(),
            ..job.audit_row(
                &stack.name,
                format!("stack end {}", stack.name),
                format!("cleaned up by {}", run.id),
            )
        };
        job.ports.store.end_stack(&stack.name, &audit).await?;
    }
    Ok(standing)
}
