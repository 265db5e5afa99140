//! `baseline run` as a job: which pack, for which host, what is kept of it.

use super::run::{BaselineContext, run};
use crate::context::{Job, Settings, keep};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::ResultKind;
use cockpit_domain::baseline::{BaselineReport, CheckResult};
use cockpit_domain::host::{HostSettings, Role};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_domain::pack::{BaselinePack, Check, Needs, Pack};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs a baseline pack, or the one the config's hosts name, and keeps the report; of a round that is
/// `due`, rows that still stand are taken from the run before. A report that
/// was stopped half way is given back but not kept: it would hide the last whole one.
///
/// # Errors
/// `Usage` when no pack is meant or it is no baseline, `Config` when several hosts could be meant.
pub async fn command(job: &Job, pack: Option<&PackId>, due: bool) -> Outcome<BaselineReport> {
    let (pack, host) = meant(job, pack)?;
    let before = if due {
        last_report(job, &pack.id).await.map(Arc::new)
    } else {
        None
    };
    let mut report = run_as(job, &pack, host, is_trusted(job, &pack), before).await;
    keep_report(job, &mut report).await;
    Ok(report)
}

/// The pack that is meant, and the host it judges.
///
/// # Errors
/// As [`command`].
pub(crate) fn meant(job: &Job, pack: Option<&PackId>) -> Outcome<(BaselinePack, Option<HostId>)> {
    let id = match pack {
        Some(id) => id.clone(),
        None => only_pack(&job.settings)?,
    };
    let pack = baseline(job, &id)?;
    let host = judged_host(job, &id)?;
    Ok((pack, host))
}

/// The pack that judges a host.
///
/// # Errors
/// `Config` when the pack it names is broken or no baseline.
pub(crate) fn meant_for(job: &Job, host: &HostSettings) -> Outcome<(BaselinePack, Option<HostId>)> {
    let id = match &host.baseline {
        Some(id) => id.clone(),
        None => only_pack(&job.settings)?,
    };
    Ok((baseline(job, &id)?, Some(host.id.clone())))
}

/// Runs a pack for a host, and keeps nothing.
pub(crate) async fn run_for(
    job: &Job,
    pack: &BaselinePack,
    host: Option<HostId>,
) -> BaselineReport {
    run_as(job, pack, host, is_trusted(job, pack), None).await
}

/// The same for one whose trust is known, where rows of an earlier run may stand.
pub(crate) async fn run_as(
    job: &Job,
    pack: &BaselinePack,
    host: Option<HostId>,
    trusted: bool,
    before: Option<Arc<BaselineReport>>,
) -> BaselineReport {
    let before = before.filter(|run| run.host == host);
    let context = BaselineContext {
        remote: job.ports.remote.clone(),
        web: job.ports.web.clone(),
        hosts: job.ports.hosts.clone(),
        clock: job.ports.clock.clone(),
        store: Some(job.ports.store.clone()),
        trusted,
        host,
        outside: job.settings.outside.clone(),
        before,
        stacks: crate::stacks::known(job).await,
    };
    let done = AtomicUsize::new(0);
    let total = pack.checks.len();
    let told = |row: &CheckResult| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        job.count(format!("{}: {}", row.id, row.verdict), done, total);
    };
    let mut report = run(&context, pack, &job.cancel, &told).await;
    // What asks the host goes through the host's machine.
    let machine = report
        .host
        .as_ref()
        .and_then(|host| job.settings.hosts.get(host));
    let machine = machine.map(|host| host.machine.clone());
    for row in &mut report.results {
        let check = pack.check(&row.id);
        if check.is_some_and(|check| check.look.needs() == Needs::Host) {
            row.machine.clone_from(&machine);
        }
    }
    report
}

/// Runs checks of ours, some of which may be the pack's, and keeps nothing. Commands run only where
/// the pack is trusted, if there is one.
pub(crate) async fn run_own(
    job: &Job,
    checks: Vec<Check>,
    pack: Option<&BaselinePack>,
    host: Option<HostId>,
) -> BaselineReport {
    let own = match pack {
        Some(pack) => pack.with_checks(checks),
        None => BaselinePack::own(PackId::own(), checks),
    };
    let trusted = pack.is_none_or(|pack| is_trusted(job, pack));
    run_as(job, &own, host, trusted, None).await
}

/// Whether a pack's own commands may run: it is built in, or the config names its fingerprint.
pub(crate) fn is_trusted(job: &Job, pack: &BaselinePack) -> bool {
    let named = job.settings.trust.get(&pack.id);
    job.ports.packs.is_built_in(&pack.id) || named.is_some_and(|named| *named == pack.fingerprint)
}

/// Says since when every row stands as it does, keeps a whole report and adds it to the history; then
/// hangs on what is put aside.
pub(crate) async fn keep_report(job: &Job, report: &mut BaselineReport) {
    let before = last_report(job, &report.pack).await;
    report.follow(before.as_ref());
    if !report.cancelled {
        super::history::remember(job, report).await;
        let (store, subject) = (job.ports.store.as_ref(), report.pack.as_str());
        let at_ms = report.started_ms;
        keep(store, ResultKind::Baseline, subject, at_ms, report).await;
    }
    match job.ports.store.waivers().await {
        Ok(waivers) => report.attach(&waivers),
        Err(failure) => tracing::warn!(%failure, "what is put aside cannot be read"),
    }
}

/// The newest report that is kept of a pack. A store that cannot say costs a date, not the run.
async fn last_report(job: &Job, pack: &PackId) -> Option<BaselineReport> {
    let kept = job.ports.store.kept(ResultKind::Baseline, pack.as_str(), 1);
    let newest = kept
        .await
        .inspect_err(|failure| tracing::warn!(%failure, "the last run cannot be read"))
        .ok()?
        .into_iter()
        .next()?;
    serde_json::from_value(newest.body).ok()
}

fn baseline(job: &Job, id: &PackId) -> Outcome<BaselinePack> {
    match job.ports.packs.read(id)? {
        Pack::Baseline(pack) => Ok(pack),
        other => Err(Failure::new(
            FailureKind::Usage,
            format!("pack `{id}` is a {}, not a baseline", other.kind()),
        )
        .doing("looking up the baseline")
        .hint("`cockpit pack list` shows which packs are baselines")),
    }
}

/// The only baseline that the hosts of the config name.
pub(crate) fn only_pack(settings: &Settings) -> Outcome<PackId> {
    let named: BTreeSet<&PackId> = settings
        .hosts
        .values()
        .filter_map(|host| host.baseline.as_ref())
        .collect();
    let mut named = named.into_iter();
    match (named.next(), named.next()) {
        (Some(id), None) => Ok(id.clone()),
        (None, _) => Err(Failure::new(
            FailureKind::Usage,
            "no host of the config names a baseline",
        )
        .doing("choosing the baseline")
        .hint("name a pack, or add `baseline = \"PACK\"` to a [host.NAME]")),
        (Some(first), Some(second)) => Err(Failure::new(
            FailureKind::Usage,
            format!("the hosts of the config name several baselines: {first}, {second}, .."),
        )
        .doing("choosing the baseline")
        .hint("name the one to run")),
    }
}

/// The host a pack is about: of several the production one, if there is exactly one.
fn judged_host(job: &Job, pack: &PackId) -> Outcome<Option<HostId>> {
    let mut hosts: Vec<&HostSettings> = job
        .settings
        .hosts
        .values()
        .filter(|host| host.baseline.as_ref() == Some(pack))
        .collect();
    if hosts.len() > 1 {
        hosts.retain(|host| host.role == Role::Production);
        if hosts.len() != 1 {
            return Err(Failure::new(
                FailureKind::Config,
                format!("several hosts are judged by `{pack}` and none or several are production"),
            )
            .doing("choosing the host of the baseline")
            .hint("leave `baseline` at one [host.NAME] only"));
        }
    }
    Ok(hosts.first().map(|host| host.id.clone()))
}
