//! The run itself: all checks at once, rows as they come, nothing that waits for anything else.

use super::facts::{self, Wanted};
use super::machines::SharedLooks;
use super::{grace, hosts, memory, own, processes, smoke, sql, tools, web};
use crate::failure::Outcome;
use crate::ports::{Clock, Hosts, Remote, Store, Web};
use cockpit_domain::baseline::{
    BaselineReport, CheckResult, Facts, Judgement, expectation, judge_pack, mute_children,
};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::pack::{BaselinePack, Check, Look};
use cockpit_domain::stack::Stack;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// What a run looks through.
#[derive(Clone)]
pub struct BaselineContext {
    /// Commands on machines.
    pub remote: Arc<dyn Remote>,
    /// HTTP from a vantage.
    pub web: Arc<dyn Web>,
    /// Host APIs.
    pub hosts: Arc<dyn Hosts>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where samples of earlier runs are; `None` remembers nothing.
    pub store: Option<Arc<dyn Store>>,
    /// Whether the pack's own commands may be run.
    pub trusted: bool,
    /// The host the pack is about: the one whose `baseline` is this pack.
    pub host: Option<HostId>,
    /// The machine that looks from outside.
    pub outside: Option<MachineId>,
    /// The run before this one, when only what is due is looked at.
    pub before: Option<Arc<BaselineReport>>,
    /// Temporary stacks that are known, or why that cannot be said.
    pub stacks: Outcome<Vec<Stack>>,
}

/// What all checks of one run share.
pub(super) struct Shared {
    pub(super) pack: PackId,
    pub(super) context: BaselineContext,
    pub(super) looks: SharedLooks,
    pub(super) wanted: Wanted,
}

/// Runs every check of a pack. `progress` is told each row as soon as it is there; parents mute
/// their children only at the end, when all rows are known. A cancelled run keeps the rows it has
/// and says so.
pub async fn run(
    context: &BaselineContext,
    pack: &BaselinePack,
    cancel: &CancellationToken,
    progress: &(dyn Fn(&CheckResult) + Send + Sync),
) -> BaselineReport {
    let started_ms = context.clock.now_ms();
    let start = Instant::now();
    let shared = Arc::new(Shared {
        pack: pack.id.clone(),
        context: context.clone(),
        looks: SharedLooks::default(),
        wanted: facts::wanted(pack),
    });
    let stands = context
        .before
        .as_ref()
        .map_or_else(BTreeMap::new, |run| memory::standing(run, pack, started_ms));
    let mut tasks = JoinSet::new();
    let mut places: Vec<(Id, usize)> = Vec::with_capacity(pack.checks.len());
    let mut rows: Vec<Option<CheckResult>> = vec![None; pack.checks.len()];
    for (place, check) in pack.checks.iter().enumerate() {
        rows[place] = stands.get(check.id.as_str()).map(|row| (*row).clone());
        if rows[place].is_some() || matches!(check.look, Look::Compare(_)) {
            continue;
        }
        let (shared, check) = (Arc::clone(&shared), check.clone());
        let handle = tasks.spawn(async move { one(&shared, &check).await });
        places.push((handle.id(), place));
    }
    let mut found: BTreeMap<String, Facts> = BTreeMap::new();
    let cancelled = loop {
        let joined = tokio::select! {
            biased;
            () = cancel.cancelled() => break true,
            joined = tasks.join_next_with_id() => joined,
        };
        let (id, row) = match joined {
            None => break false,
            Some(Ok((id, (row, facts)))) => {
                found.insert(row.id.clone(), facts);
                (id, Some(row))
            }
            Some(Err(error)) => (error.id(), None),
        };
        let Some(place) = places.iter().find(|(task, _)| *task == id).map(|at| at.1) else {
            continue;
        };
        let row = row.unwrap_or_else(|| {
            let why = "the check itself failed: a defect of the cockpit";
            unfinished(context, &pack.checks[place], why, start)
        });
        progress(&row);
        rows[place] = Some(row);
    };
    tasks.abort_all();
    for (place, check) in pack.checks.iter().enumerate() {
        let open = !cancelled && rows[place].is_none();
        if let (Look::Compare(look), true) = (&check.look, open) {
            let judgement = memory::weighed(&shared, check, facts::compare(look, &found)).await;
            let at_ms = context.clock.now_ms();
            let row = CheckResult::of(check, judgement, at_ms, 0);
            progress(&row);
            rows[place] = Some(row);
        }
    }
    let mut results: Vec<CheckResult> = rows
        .into_iter()
        .zip(&pack.checks)
        .map(|(row, check)| {
            row.unwrap_or_else(|| unfinished(context, check, "stopped before it was seen", start))
        })
        .collect();
    mute_children(pack, &mut results);
    BaselineReport {
        pack: pack.id.clone(),
        title: pack.title.clone(),
        fingerprint: pack.fingerprint.clone(),
        host: context.host.clone(),
        verdict: judge_pack(&results),
        started_ms,
        duration_ms: milliseconds(start.elapsed()),
        cancelled,
        results,
    }
}

/// One check within its limit.
async fn one(shared: &Shared, check: &Check) -> (CheckResult, Facts) {
    let start = Instant::now();
    let mut judgement = match timeout(check.time_limit, look(shared, check)).await {
        Ok(judgement) => judgement,
        Err(_) => Judgement::unreachable(
            &format!("no answer within {} s", check.time_limit.as_secs()),
            format!(
                "See whether `{}` can be reached; `cockpit doctor` names the hop that is down.",
                check.vantage
            ),
        ),
    };
    let took = milliseconds(start.elapsed());
    let facts = judgement
        .facts
        .take()
        .map_or_else(Facts::new, |facts| *facts);
    if let Ok(spared) = timeout(
        check.time_limit,
        grace::spared(shared, check, judgement.clone()),
    )
    .await
    {
        judgement = spared;
    }
    let judgement = memory::weighed(shared, check, judgement).await;
    let row = CheckResult::of(
        check,
        judgement.expecting(expectation(&check.look)),
        shared.context.clock.now_ms(),
        took,
    );
    (row, facts)
}

async fn look(shared: &Shared, check: &Check) -> Judgement {
    let seen = match &check.look {
        Look::Http(http) => web::http(shared, check, http).await,
        Look::Nginx(nginx) => tools::nginx(shared, check, nginx).await,
        Look::Containers(containers) => tools::containers(shared, check, containers).await,
        Look::Listening(listening) => tools::listening(shared, check, listening).await,
        Look::Process(process) => processes::process(shared, check, process).await,
        Look::File(file) => processes::file(shared, check, file).await,
        Look::Disk(disk) => processes::disk(shared, check, disk).await,
        Look::Service(service) => tools::service(shared, check, service).await,
        Look::Command(command) => own::command(shared, check, command).await,
        Look::Metrics(metrics) => web::metrics(shared, check, metrics).await,
        Look::Sql(query) => sql::sql(shared, check, query).await,
        // Judged when all others are in.
        Look::Compare(compare) => Ok(facts::compare(compare, &BTreeMap::new())),
        Look::Stacks(stacks) => tools::stacks(shared, check, stacks).await,
        Look::Stored(stored) => hosts::stored(shared, stored).await,
        Look::Profile(profile) => hosts::profile(shared, check, profile).await,
        Look::Binding(binding) => Ok(hosts::binding(shared, binding).await),
        Look::Smoke(smoke) => Ok(smoke::smoke(shared, check, smoke).await),
    };
    seen.unwrap_or_else(|could_not_look| could_not_look)
}

/// A row without a look: never ok, never failed.
fn unfinished(context: &BaselineContext, check: &Check, why: &str, start: Instant) -> CheckResult {
    let judgement =
        Judgement::unknown(why, "", "Run the baseline again.").expecting(expectation(&check.look));
    CheckResult::of(
        check,
        judgement,
        context.clock.now_ms(),
        milliseconds(start.elapsed()),
    )
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
