//! Looks of a run: through the same check engine, with the pack's own checks.

use crate::baseline;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_domain::pack::{BaselinePack, Check, Look, Pack};
use cockpit_domain::runbook::{Act, LookAt, Origin, Run, RunStep, Seen, WatchStep, read_check};
use std::time::Duration;

/// Values that are set when a run begins, whatever the pack's variables are.
const GIVEN: [&str; 2] = ["machine", "host"];

/// Between two tries of a look that is given time.
const AGAIN: Duration = Duration::from_secs(1);

fn milliseconds(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
}

/// The pack of a run as it is now, as long as it is still the one the run began with.
pub(super) fn pack_of(job: &Job, run: &Run) -> Outcome<Option<BaselinePack>> {
    let Some(id) = &run.pack else {
        return Ok(None);
    };
    let Pack::Baseline(pack) = job.ports.packs.read(id)? else {
        let message = format!("pack `{id}` is no baseline");
        return Err(
            Failure::new(FailureKind::Usage, message).doing(format!("going on with {}", run.id))
        );
    };
    let Origin::Pack { fingerprint, .. } = &run.origin else {
        return Ok(Some(pack));
    };
    let frozen = |(name, value): (&String, &String)| {
        GIVEN.contains(&name.as_str()) || run.values.get(name) == Some(value)
    };
    if *fingerprint != pack.fingerprint || !pack.vars.iter().all(frozen) {
        let message = format!(
            "pack `{id}` or its variables changed since {} began",
            run.id
        );
        return Err(Failure::new(FailureKind::Conflict, message)
            .doing(format!("going on with {}", run.id))
            .hint(format!(
                "read it, end this run with `cockpit runbook resume {} --stop \"the pack changed\"`, and begin a new one",
                run.id.0
            )));
    }
    Ok(Some(pack))
}

/// Takes the look of the step that a run stands at.
pub(super) async fn look(job: &Job, run: &mut Run, at: usize) -> Outcome<()> {
    let step = &run.steps[at];
    let Act::Look(wanted) = &step.step.act else {
        return Ok(());
    };
    let pack = pack_of(job, run)?;
    job.count(step.step.title.clone(), at, run.steps.len());
    let (checks, ours) = match &wanted.looks_at {
        LookAt::Check(id) => (vec![check(run, pack.as_ref(), id)?], false),
        LookAt::Own(toml) => (vec![own(run, step, toml)?], run.origin == Origin::Own),
    };
    let (title, within) = (step.step.title.clone(), wanted.within_s);
    let until = job.now_ms().saturating_add(milliseconds(within));
    loop {
        let seen = see(job, run, pack.clone(), checks.clone(), ours).await;
        job.check_cancel()?;
        if job.now_ms() >= until || seen.iter().all(Seen::is_good) {
            run.looked(seen, job.now_ms());
            return Ok(());
        }
        job.wait_for(title.clone(), until);
        job.pause(AGAIN).await;
    }
}

/// Watches until the time is over, something turns, or a person stops it.
pub(super) async fn watch(job: &Job, run: &mut Run, at: usize, watch: &WatchStep) -> Outcome<()> {
    loop {
        job.check_cancel()?;
        let pack = pack_of(job, run)?;
        let named = watch.checks.iter().map(|id| check(run, pack.as_ref(), id));
        let checks = named.collect::<Outcome<Vec<_>>>()?;
        let seen = see(job, run, pack, checks, false).await;
        job.check_cancel()?;
        run.watched(seen, job.now_ms());
        super::save(job, run, None).await?;
        let step = &run.steps[at];
        if step.mark != cockpit_domain::runbook::Mark::Looking {
            return Ok(());
        }
        let left = watch.looks().saturating_sub(step.looks) * watch.every_s;
        let until = job.now_ms().saturating_add(milliseconds(left));
        job.wait_for(format!("{}: {}", step.step.title, step.came_to), until);
        job.pause(Duration::from_secs(watch.every_s)).await;
    }
}

fn check(run: &Run, pack: Option<&BaselinePack>, id: &str) -> Outcome<Check> {
    pack.and_then(|pack| pack.check(id))
        .cloned()
        .ok_or_else(|| {
            Failure::new(
                FailureKind::Usage,
                format!("there is no check `{id}` to look at"),
            )
            .doing(format!("going on with {}", run.id))
        })
}

fn own(run: &Run, step: &RunStep, toml: &str) -> Outcome<Check> {
    read_check(&step.step, toml, &run.values).map_err(|findings| {
        let said = findings
            .first()
            .map(|found| format!("{} ({})", found.message, found.hint));
        Failure::new(
            FailureKind::Usage,
            format!(
                "the look cannot be taken with these values: {}",
                said.unwrap_or_default()
            ),
        )
        .doing(format!("going on with {}", run.id))
    })
}

async fn see(
    job: &Job,
    run: &Run,
    pack: Option<BaselinePack>,
    checks: Vec<Check>,
    ours: bool,
) -> Vec<Seen> {
    let host = run
        .host
        .clone()
        .filter(|host: &HostId| job.settings.hosts.contains_key(host));
    let wanted: Vec<String> = checks.iter().map(|check| check.id.clone()).collect();
    let checks = with_sides(pack.as_ref(), checks);
    let pack = match (pack, PackId::new("runbook")) {
        (Some(pack), _) => BaselinePack { checks, ..pack },
        (None, Ok(id)) => BaselinePack {
            title: run.title.clone(),
            ..BaselinePack::own(id, checks)
        },
        (None, Err(_)) => return Vec::new(),
    };
    let trusted = ours || baseline::is_trusted(job, &pack);
    let report = baseline::run_as(job, &pack, host, trusted, None).await;
    let rows = report.results.into_iter();
    let rows = rows.filter(|row| wanted.contains(&row.id));
    rows.map(|row| Seen {
        check: row.id,
        verdict: row.verdict,
        found: row.found,
        next_step: row.next_step,
        evidence: row.evidence,
        pending: row.pending,
    })
    .collect()
}

/// The checks with those whose findings they compare.
fn with_sides(pack: Option<&BaselinePack>, mut checks: Vec<Check>) -> Vec<Check> {
    let sides: Vec<String> = checks
        .iter()
        .filter_map(|check| match &check.look {
            Look::Compare(look) => Some(look.sides().map(|(check, _)| check.to_owned())),
            _ => None,
        })
        .flatten()
        .collect();
    for side in sides {
        let there = checks.iter().any(|check| check.id == side);
        if let Some(check) = pack.and_then(|pack| pack.check(&side)).filter(|_| !there) {
            checks.push(check.clone());
        }
    }
    checks
}
