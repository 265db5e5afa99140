//! What a `do` step does: planned with its values filled in, approved by hash, sent once.

use super::look::pack_of;
use super::save;
use crate::approval::Approval;
use crate::baseline;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::planned::lease;
use crate::ports::{Lease, NewPlan, RemoteCommand, RunOutput, SavedPlan};
use crate::repair;
use cockpit_domain::canonical::hash_of;
use cockpit_domain::host::{HostSettings, Role};
use cockpit_domain::ids::{HostId, MachineId, PackId, RunId};
use cockpit_domain::plan::Change;
use cockpit_domain::runbook::{Act, Deed, Mark, Origin, PlannedDeed, Run, fill, tail};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The word of these plans in the store, and of the writer's place on a host.
const KIND: &str = "runbook";
/// How long a plan for production may be approved.
const FRESH_MS: i64 = 15 * 60 * 1000;
/// Most bytes kept of each stream of a command.
const MOST_BYTES: usize = 64 * 1024;

/// What is approved: a command with every value in it.
#[derive(Debug, Serialize, Deserialize)]
struct CommandPlan {
    run: RunId,
    step: String,
    runbook: String,
    host: HostId,
    machine: MachineId,
    argv: Vec<String>,
    status: i32,
    time_limit_s: u64,
}

/// Plans the deed of the step that a run stands at.
pub(super) async fn plan(job: &Job, run: &Run, at: usize) -> Outcome<PlannedDeed> {
    let step = &run.steps[at];
    let doing = format!("planning `{}` of {}", step.step.title, run.id);
    let Act::Do(wanted) = &step.step.act else {
        return Err(Failure::new(FailureKind::Internal, "this step does nothing").doing(doing));
    };
    match &wanted.deed {
        Deed::Repair { check } => plan_repair(job, run, check).await,
        Deed::Command {
            machine,
            argv,
            status,
            time_limit_s,
        } => {
            may_command(job, run)?;
            let word = |text: &String| {
                fill(text, &run.values).map_err(|name| {
                    Failure::new(
                        FailureKind::Conflict,
                        format!("nothing gave `{name}` a value"),
                    )
                    .doing(doing.clone())
                    .hint("an earlier look should have found it; look again, or stop the run")
                })
            };
            let machine = job.machine(&word(machine)?)?;
            let leave = leave_of(job, run, &machine)?;
            let body = CommandPlan {
                run: run.id,
                step: step.step.id.clone(),
                runbook: run.name.clone(),
                host: leave.id.clone(),
                machine,
                argv: argv.iter().map(word).collect::<Outcome<_>>()?,
                status: *status,
                time_limit_s: *time_limit_s,
            };
            save_command(job, run, body, &leave).await
        }
    }
}

async fn save_command(
    job: &Job,
    run: &Run,
    body: CommandPlan,
    leave: &HostSettings,
) -> Outcome<PlannedDeed> {
    let internal =
        |error: serde_json::Error| Failure::new(FailureKind::Internal, error.to_string());
    let hash = hash_of(&body).map_err(internal)?;
    let made_ms = job.now_ms();
    let new = NewPlan {
        kind: KIND,
        host: leave.id.clone(),
        provider: match &run.pack {
            Some(pack) => pack.clone(),
            None => place()?,
        },
        batch: None,
        hash: hash.clone(),
        body: serde_json::to_value(&body).map_err(internal)?,
        keys: Vec::new(),
        created_ms: made_ms,
    };
    Ok(PlannedDeed {
        id: job.ports.store.save_plan(&new).await?,
        plan_hash: hash,
        host: leave.id.clone(),
        wants_name: leave.role == Role::Production,
        line: format!("on {}: {}", body.machine, shown(&body.argv)),
        made_ms,
    })
}

async fn plan_repair(job: &Job, run: &Run, check: &str) -> Outcome<PlannedDeed> {
    let planned = repair::plan(job, run.pack.as_ref(), check).await?;
    if !planned.plan.blockers.is_empty() {
        let found = planned.plan.blockers.join("; ");
        return Err(Failure::new(FailureKind::Conflict, found)
            .doing(format!("planning the repair of `{check}`"))
            .hint("mend what it names, then go on with the run"));
    }
    let changes: Vec<String> = planned.plan.changes.iter().map(Change::line).collect();
    let host = job.host(&planned.plan.host)?;
    Ok(PlannedDeed {
        id: planned.id,
        plan_hash: planned.hash,
        host: host.id.clone(),
        wants_name: host.role == Role::Production,
        line: format!("repair on {}: {}", host.id, changes.join("; ")),
        made_ms: job.now_ms(),
    })
}

/// Carries out exactly what was approved.
pub(super) async fn approve(job: &Job, id: RunId, approval: &Approval) -> Outcome<Run> {
    let doing = format!("approving the step of {id}");
    let (_, planned) = waiting(&super::find(job, id).await?, &doing)?;
    let _place = writers_place(job, &planned.host, &doing).await?;
    // Somebody may have been quicker.
    let run = super::find(job, id).await?;
    let (at, planned) = waiting(&run, &doing)?;
    let Act::Do(wanted) = run.steps[at].step.act.clone() else {
        return Err(Failure::new(FailureKind::Internal, "this step does nothing").doing(doing));
    };
    match &wanted.deed {
        Deed::Command { .. } => command(job, run, at, &planned, approval, &doing).await,
        Deed::Repair { check } => mend(job, run, at, &planned, approval, check).await,
    }
}

fn waiting(run: &Run, doing: &str) -> Outcome<(usize, PlannedDeed)> {
    let at = run.at();
    let step = at.map(|at| run.steps[at].clone());
    match (at, step) {
        (Some(at), Some(step)) if step.mark == Mark::Planned && !run.state.is_over() => {
            let planned = step.plan.ok_or_else(|| {
                Failure::new(FailureKind::Store, "the plan of this step is gone").doing(doing)
            })?;
            Ok((at, planned))
        }
        _ => Err(Failure::new(
            FailureKind::Conflict,
            format!("{} waits for no approval", run.id),
        )
        .doing(doing)
        .hint(format!(
            "see where it stands: `cockpit runbook runs {}`",
            run.id.0
        ))),
    }
}

async fn command(
    job: &Job,
    mut run: Run,
    at: usize,
    planned: &PlannedDeed,
    approval: &Approval,
    doing: &str,
) -> Outcome<Run> {
    may_command(job, &run)?;
    let (saved, plan) = load(job, planned, doing).await?;
    let leave = leave_of(job, &run, &plan.machine)?;
    if leave.id != plan.host || (leave.role == Role::Production && !planned.wants_name) {
        return Err(stale(
            job,
            run,
            at,
            doing,
            "the config says otherwise whose machine this is",
        )
        .await?);
    }
    approval.check(&saved, &leave)?;
    if leave.role == Role::Production && job.now_ms() - planned.made_ms > FRESH_MS {
        return Err(stale(
            job,
            run,
            at,
            doing,
            "the plan is older than 15 minutes, too old for production",
        )
        .await?);
    }
    job.may_write(&plan.host)?;
    job.go_on().await?;
    let now = job.now_ms();
    let step = &mut run.steps[at];
    step.said = Some(job.settings.owner.clone());
    step.set(Mark::Sent, format!("begun: {}", planned.line), now);
    // From here on it may have happened.
    save(job, &mut run, None).await?;
    job.ports.store.use_plan(planned.id, now).await?;
    job.count(planned.line.clone(), at, run.steps.len());
    let mut words = RemoteCommand::new(&plan.argv);
    words.time_limit = Duration::from_secs(plan.time_limit_s);
    words.byte_limit = MOST_BYTES;
    let came_of = job.ports.remote.run(&plan.machine, &words).await;
    let (mark, came_to, output) = judged(&plan, came_of);
    let step = &mut run.steps[at];
    step.output = output;
    step.set(mark, came_to.clone(), job.now_ms());
    let request = format!("{} {}: {}", run.id, plan.step, planned.line);
    let mut line = job.audit_row(&plan.host, request, came_to.as_str());
    line.plan_hash.clone_from(&planned.plan_hash);
    line.reason = approval.reason.clone().unwrap_or_default();
    save(job, &mut run, Some(line)).await?;
    job.stepped();
    Ok(run)
}

/// What a command came to. Where nobody can tell whether it took effect, a person has to say.
fn judged(plan: &CommandPlan, came_of: Outcome<RunOutput>) -> (Mark, String, String) {
    match came_of {
        Ok(output) => {
            let took = format!("{:.1} s", output.took.as_secs_f64());
            let mut said = output.stdout;
            if !said.is_empty() && !said.ends_with('\n') {
                said.push('\n');
            }
            said.push_str(&output.stderr);
            if output.truncated {
                said.push_str("\n(more than is kept)");
            }
            let (mark, came_to) = match output.status {
                Some(status) if status == plan.status => {
                    (Mark::Ok, format!("exit {status} after {took}"))
                }
                Some(status) => (
                    Mark::Held,
                    format!("exit {status} after {took}, not {}", plan.status),
                ),
                None => (Mark::Held, format!("ended by a signal after {took}")),
            };
            (mark, came_to, tail(&said))
        }
        Err(failure) => {
            let mark = if failure.maybe_done {
                Mark::Unknown
            } else {
                Mark::Held
            };
            (mark, failure.to_string(), failure.hint)
        }
    }
}

async fn mend(
    job: &Job,
    mut run: Run,
    at: usize,
    planned: &PlannedDeed,
    approval: &Approval,
    check: &str,
) -> Outcome<Run> {
    let saved = job.ports.store.plan(planned.id).await?.ok_or_else(gone)?;
    approval.check(&saved, job.host(&planned.host)?)?;
    job.may_write(&planned.host)?;
    job.go_on().await?;
    let step = &mut run.steps[at];
    step.said = Some(job.settings.owner.clone());
    step.set(Mark::Sent, format!("begun: {}", planned.line), job.now_ms());
    save(job, &mut run, None).await?;
    // The repair is a batch: its own journal knows what was sent.
    let (mark, came_to) = match repair::apply(job, planned.id, approval).await {
        Ok(done) if done.unproven.is_empty() => {
            (Mark::Ok, format!("`{check}` mended, as {}", done.batch.id))
        }
        Ok(done) => (
            Mark::Held,
            format!(
                "written as {}, but not proven: {}",
                done.batch.id,
                done.unproven.join("; ")
            ),
        ),
        Err(failure) => (Mark::Held, format!("{failure} ({})", failure.hint)),
    };
    run.steps[at].set(mark, came_to.clone(), job.now_ms());
    let request = format!("{}: {}", run.id, planned.line);
    let mut line = job.audit_row(&planned.host, request, came_to.as_str());
    line.plan_hash.clone_from(&planned.plan_hash);
    line.reason = approval.reason.clone().unwrap_or_default();
    save(job, &mut run, Some(line)).await?;
    Ok(run)
}

/// A step that was begun and whose end was never written down: its process is gone, or still at it.
pub(super) async fn lost(job: &Job, run: &mut Run, at: usize) -> Outcome<()> {
    let doing = format!("going on with {}", run.id);
    let Some(planned) = run.steps[at].plan.clone() else {
        return Err(gone());
    };
    let _place = writers_place(job, &planned.host, &doing).await?;
    let batch = match job.ports.store.plan(planned.id).await? {
        Some(saved) => saved.batch,
        None => None,
    };
    let look = match batch {
        Some(batch) => format!("`cockpit batch show {}` says how far it came", batch.0),
        None => "look there yourself".to_owned(),
    };
    let text = format!(
        "its end was never seen ({}): {look}, then say `done` or `not done`",
        planned.line
    );
    run.steps[at].set(Mark::Unknown, text, job.now_ms());
    save(job, run, None).await
}

/// A plan that no longer holds is made anew at the next look.
async fn stale(job: &Job, mut run: Run, at: usize, doing: &str, why: &str) -> Outcome<Failure> {
    run.steps[at].plan = None;
    run.steps[at].set(Mark::Todo, "to be planned again", job.now_ms());
    let id = run.id.0;
    save(job, &mut run, None).await?;
    Ok(Failure::new(FailureKind::Conflict, why)
        .doing(doing)
        .hint(format!(
            "nothing was done; `cockpit runbook resume {id}` plans the step again"
        )))
}

async fn load(job: &Job, planned: &PlannedDeed, doing: &str) -> Outcome<(SavedPlan, CommandPlan)> {
    let saved = job.ports.store.plan(planned.id).await?.ok_or_else(gone)?;
    let plan = serde_json::from_value(saved.body.clone()).map_err(|error| {
        Failure::new(
            FailureKind::Store,
            format!("the saved plan cannot be read: {error}"),
        )
        .doing(doing)
    })?;
    Ok((saved, plan))
}

fn gone() -> Failure {
    Failure::new(FailureKind::Store, "the plan of this step is gone")
        .hint("end the run and begin a new one")
}

/// One step at a time on one host: held while a deed is done, freed by the end of the process.
async fn writers_place(job: &Job, host: &HostId, doing: &str) -> Outcome<Box<dyn Lease>> {
    lease(job, host, &place()?, doing).await
}

fn place() -> Outcome<PackId> {
    PackId::new(KIND).map_err(|bad| Failure::new(FailureKind::Internal, bad.to_string()))
}

/// A pack's commands run only when the pack is trusted as it is.
fn may_command(job: &Job, run: &Run) -> Outcome<()> {
    let Origin::Pack { .. } = &run.origin else {
        return Ok(());
    };
    let Some(pack) = pack_of(job, run)? else {
        return Ok(());
    };
    if baseline::is_trusted(job, &pack) {
        return Ok(());
    }
    let (id, print) = (&pack.id, &pack.fingerprint);
    Err(Failure::new(
        FailureKind::Denied,
        format!("pack `{id}` brings commands and is not trusted"),
    )
    .doing(format!("going on with {}", run.id))
    .hint(format!(
        "read it; when it is right, put `{id} = \"{print}\"` under [trust] of the config, then `cockpit runbook resume {}`",
        run.id.0
    )))
}

/// Whose leave a command on a machine wants: the production host that stands there, before the one
/// that the run is about. A machine without a host is taken for production, by its own name.
pub(super) fn leave_of(job: &Job, run: &Run, machine: &MachineId) -> Outcome<HostSettings> {
    let there = || {
        job.settings
            .hosts
            .values()
            .filter(|host| host.machine == *machine)
    };
    let meant = |host: &&HostSettings| Some(&host.id) == run.host.as_ref();
    let production = |host: &&HostSettings| host.role == Role::Production;
    let found = there()
        .find(|host| production(host) && meant(host))
        .or_else(|| there().find(production))
        .or_else(|| there().find(meant))
        .or_else(|| there().next());
    if let Some(host) = found {
        return Ok(host.clone());
    }
    let id = HostId::new(machine.as_str())
        .map_err(|bad| Failure::new(FailureKind::Internal, bad.to_string()))?;
    Ok(HostSettings::new(id, machine.clone(), "", Role::Production))
}

/// A command as a person reads it: every word that is more than letters in quotes.
fn shown(argv: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    let words = argv.iter().map(|word| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{word}'")
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
