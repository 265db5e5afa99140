//! The walk itself: every step that needs no person, and what a person says.

use super::{deed, look, save};
use crate::approval::Approval;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use cockpit_domain::ids::{HostId, MachineId, PackId, RunId};
use cockpit_domain::runbook::{
    Act, Deed, DoStep, Mark, Origin, Run, RunState, RunStep, Step, StepWords, fill_known,
    placeholders,
};
use std::collections::BTreeMap;

/// A run to begin.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The runbook's name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The same in Chinese.
    pub title_zh: Option<String>,
    /// Whose steps these are.
    pub origin: Origin,
    /// The pack whose checks are looked at.
    pub pack: Option<PackId>,
    /// The host it is about.
    pub host: Option<HostId>,
    /// The machine it is about.
    pub machine: Option<MachineId>,
    /// Values, frozen from now on.
    pub values: BTreeMap<String, String>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// What a person says to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Go on; what is held is taken again.
    GoOn,
    /// The answer to a question, or to what came of a step nobody saw the end of.
    Answer(String),
    /// Do exactly what is planned.
    Approve(Approval),
    /// Leave this step out.
    Skip,
    /// End the run.
    Stop(String),
}

/// Begins a run. Nothing is looked at yet.
///
/// # Errors
/// `Usage` when a value that the steps want is not there.
pub async fn begin(job: &Job, new: NewRun) -> Outcome<Run> {
    let mut values = new.values;
    if let Some(host) = &new.host {
        values.insert("host".to_owned(), host.to_string());
    }
    if let Some(machine) = &new.machine {
        values.insert("machine".to_owned(), machine.to_string());
    }
    for given in ["machine", "host"] {
        let wanted = new.steps.iter().any(|step| wants(step, given));
        if wanted && !values.contains_key(given) {
            return Err(Failure::new(
                FailureKind::Usage,
                format!("runbook `{}` wants a {given}", new.name),
            )
            .doing("beginning the run")
            .hint(format!("add `--{given} NAME`")));
        }
    }
    let now = job.now_ms();
    let mut run = Run {
        id: RunId(0),
        revision: 0,
        name: new.name,
        title: new.title,
        title_zh: new.title_zh,
        origin: new.origin,
        pack: new.pack,
        host: new.host,
        machine: new.machine,
        values,
        state: RunState::Open,
        reason: String::new(),
        owner: job.settings.owner.clone(),
        started_ms: now,
        updated_ms: now,
        steps: new.steps.into_iter().map(RunStep::new).collect(),
    };
    run.settle(now);
    run.id = job.ports.store.add_run(&run).await?;
    Ok(run)
}

fn wants(step: &Step, name: &str) -> bool {
    let Act::Do(DoStep {
        deed: Deed::Command { machine, argv, .. },
        ..
    }) = &step.act
    else {
        return false;
    };
    let mut texts = argv.iter().chain([machine]);
    texts.any(|text| placeholders(text).contains(&name))
}

/// Reads a run.
///
/// # Errors
/// `Usage` when there is none.
pub async fn find(job: &Job, id: RunId) -> Outcome<Run> {
    job.ports.store.run(id).await?.ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("there is no {id}"))
            .hint("`cockpit runbook runs` lists them")
    })
}

/// The newest runs.
pub async fn runs(job: &Job) -> Outcome<Vec<Run>> {
    job.ports.store.runs(100).await
}

/// Takes every step that needs no person. A step that came out wrong is taken again first.
///
/// # Errors
/// `Busy` when another process is at a step of it, `Conflict` when its pack changed meanwhile.
pub async fn go_on(job: &Job, id: RunId) -> Outcome<Run> {
    let mut run = find(job, id).await?;
    if run.state.is_over() {
        return Ok(run);
    }
    if let Some(step) = run.current_mut()
        && step.mark == Mark::Held
    {
        let now = job.now_ms();
        step.plan = None;
        step.blind = 0;
        step.looks = 0;
        step.set(Mark::Todo, "taken again", now);
    }
    loop {
        run.settle(job.now_ms());
        let Some(at) = run.at() else { break };
        job.check_cancel()?;
        match (run.steps[at].mark, run.steps[at].step.act.clone()) {
            (Mark::Sent, _) => {
                deed::lost(job, &mut run, at).await?;
                return Ok(run);
            }
            (Mark::Todo | Mark::Looking, Act::Look(_)) => look::look(job, &mut run, at).await?,
            (Mark::Todo | Mark::Looking, Act::Watch(watch)) => {
                run.steps[at].set(Mark::Looking, "begins", job.now_ms());
                look::watch(job, &mut run, at, &watch).await?;
                if run.steps[at].mark.is_past() {
                    continue;
                }
                return Ok(run);
            }
            (Mark::Todo, Act::Ask(ask)) => {
                let question = fill_known(&ask.question, &run.values);
                run.steps[at].set(Mark::Asked, question, job.now_ms());
            }
            (Mark::Todo, Act::Do(_)) => match deed::plan(job, &run, at).await {
                Ok(planned) => {
                    let line = planned.line.clone();
                    run.steps[at].plan = Some(planned);
                    run.steps[at].set(Mark::Planned, line, job.now_ms());
                }
                Err(failure) => {
                    run.steps[at].output.clone_from(&failure.hint);
                    run.steps[at].set(Mark::Held, failure.message.clone(), job.now_ms());
                }
            },
            _ => return Ok(run),
        }
        save(job, &mut run, None).await?;
        if run.state != RunState::Open {
            return Ok(run);
        }
    }
    // Steps that were passed over at the end.
    save(job, &mut run, None).await?;
    Ok(run)
}

/// Takes a person's word, and no step beyond what it allows: [`go_on`] takes the next ones.
///
/// # Errors
/// `Usage` when it is no answer to what is asked, `Conflict` when nothing of the kind is waited for,
/// and everything that an approval is refused with.
pub async fn say(job: &Job, id: RunId, word: &Word) -> Outcome<Run> {
    match word {
        Word::GoOn => go_on(job, id).await,
        Word::Approve(approval) => deed::approve(job, id, approval).await,
        Word::Answer(said) => answer(job, id, said).await,
        Word::Skip => skip(job, id).await,
        Word::Stop(reason) => stop(job, id, reason).await,
    }
}

async fn answer(job: &Job, id: RunId, said: &str) -> Outcome<Run> {
    let mut run = find(job, id).await?;
    let doing = format!("answering {id}");
    let now = job.now_ms();
    match run.current().map(|step| step.mark) {
        _ if run.state.is_over() => return Err(nothing_asked(&run, &doing)),
        Some(Mark::Asked) => {
            run.answered(said, now).map_err(|wanted| {
                Failure::new(FailureKind::Usage, "this is no answer to the question")
                    .doing(doing)
                    .hint(wanted)
            })?;
            save(job, &mut run, None).await?;
        }
        Some(Mark::Unknown) => {
            let Some(step) = run.current_mut() else {
                return Err(nothing_asked(&run, &doing));
            };
            let host = step.plan.as_ref().map(|plan| plan.host.clone());
            match said.trim().to_lowercase().as_str() {
                "done" | "yes" => step.set(Mark::Ok, "done, a person says", now),
                "not done" | "no" => {
                    step.plan = None;
                    step.set(
                        Mark::Todo,
                        "not done, a person says; to be planned again",
                        now,
                    );
                }
                _ => {
                    return Err(Failure::new(
                        FailureKind::Usage,
                        "nobody saw the end of this step",
                    )
                    .doing(doing)
                    .hint("look there, then answer `done` or `not done`"));
                }
            }
            let line =
                host.map(|host| job.audit_row(&host, format!("{id}: was it done?"), said.trim()));
            save(job, &mut run, line).await?;
        }
        _ => return Err(nothing_asked(&run, &doing)),
    }
    Ok(run)
}

async fn skip(job: &Job, id: RunId) -> Outcome<Run> {
    let mut run = find(job, id).await?;
    let doing = format!("leaving out a step of {id}");
    let over = run.state.is_over();
    let may = run.current().is_some_and(|step| {
        matches!(step.step.act, Act::Do(_)) && matches!(step.mark, Mark::Planned | Mark::Held)
    });
    let Some(step) = run.current_mut().filter(|_| may && !over) else {
        return Err(Failure::new(FailureKind::Conflict, format!("{id} stands at no step that may be left out"))
            .doing(doing)
            .hint("only what would be done may be left out; a look has to come out right, or the run is stopped"));
    };
    step.set(Mark::Skipped, "left out by a person", job.now_ms());
    save(job, &mut run, None).await?;
    Ok(run)
}

async fn stop(job: &Job, id: RunId, reason: &str) -> Outcome<Run> {
    let mut run = find(job, id).await?;
    let doing = format!("ending {id}");
    if run.state.is_over() {
        return Err(
            Failure::new(FailureKind::Conflict, format!("{id} is over already")).doing(doing),
        );
    }
    if run.current().is_some_and(|step| step.mark == Mark::Sent) {
        let at = run.at().unwrap_or_default();
        deed::lost(job, &mut run, at).await?;
    }
    run.state = RunState::Stopped;
    reason.trim().clone_into(&mut run.reason);
    save(job, &mut run, None).await?;
    Ok(run)
}

fn nothing_asked(run: &Run, doing: &str) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        format!("{} asks nothing now", run.id),
    )
    .doing(doing)
    .hint(format!(
        "see where it stands: `cockpit runbook runs {}`",
        run.id.0
    ))
}

/// Begins the run that takes back what another one did: the newest deed first, each with the words
/// that its runbook names for that.
///
/// # Errors
/// `Conflict` when nothing of it can be taken back.
pub async fn back(job: &Job, id: RunId) -> Outcome<Run> {
    let run = find(job, id).await?;
    let mut steps = Vec::new();
    for done in run.steps.iter().rev().filter(|step| step.mark == Mark::Ok) {
        let Act::Do(DoStep {
            deed:
                Deed::Command {
                    machine,
                    time_limit_s,
                    ..
                },
            back,
        }) = &done.step.act
        else {
            continue;
        };
        if back.is_empty() {
            continue;
        }
        let text = format!(
            "Takes back: {}",
            done.plan
                .as_ref()
                .map(|plan| plan.line.as_str())
                .unwrap_or_default()
        );
        steps.push(Step {
            id: done.step.id.clone(),
            title: done.step.title.clone(),
            text: text.clone(),
            when: None,
            zh: done
                .step
                .zh
                .clone()
                .map(|words| StepWords { text, ..words }),
            act: Act::Do(DoStep {
                deed: Deed::Command {
                    machine: machine.clone(),
                    argv: back.clone(),
                    status: 0,
                    time_limit_s: *time_limit_s,
                },
                back: Vec::new(),
            }),
        });
    }
    if steps.is_empty() {
        return Err(Failure::new(
            FailureKind::Conflict,
            format!("nothing that {id} did can be taken back"),
        )
        .doing(format!("taking {id} back"))
        .hint("a repair is taken back as a batch: `cockpit rollback plan BATCH`"));
    }
    begin(
        job,
        NewRun {
            name: run.name.clone(),
            title: format!("{} (taking {id} back)", run.title),
            title_zh: None,
            origin: run.origin.clone(),
            pack: run.pack.clone(),
            host: run.host.clone(),
            machine: run.machine.clone(),
            values: run.values.clone(),
            steps,
        },
    )
    .await
}
