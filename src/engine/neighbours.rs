//! Looking for who else writes to a host. A look that fails is told as such and fails nothing: it
//! stands beside a probe or a plan, and neither depends on it.

use crate::board::LeaseState;
use crate::context::Job;
use crate::failure::Outcome;
use crate::ports::{HostApi, RemoteCommand, ResultKind};
use crate::probe::HostProbe;
use crate::view::read_rows;
use cockpit_domain::baseline::{Listener, ToolOutput, read_listeners, read_tool};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::HostId;
use cockpit_domain::import::HostView;
use cockpit_domain::neighbours::{LastLook, Writer, at_addresses, by_strangers, look_again};
use cockpit_domain::recorded::{Listing, listing};
use cockpit_domain::resource::ResourceKind;
use std::collections::BTreeSet;

/// Lists listening sockets with their processes.
const LISTENING: [&str; 3] = ["ss", "-H", "-ltnp"];

/// Who a row of a listing that could not be read is about.
const ANYBODY: &str = "anybody";

/// Looks at a host's lists and at its machine, and says what the next look has to remember.
pub(crate) async fn look(
    job: &Job,
    host: &HostSettings,
    api: &dyn HostApi,
) -> (Vec<Writer>, Option<LastLook>) {
    let (mut writers, rows) = tokio::join!(listening(job, host), rows(api));
    writers.extend(holders(job, &host.id).await);
    let before = last_look(job, &host.id).await;
    let looked = match (rows, &before) {
        (Ok(rows), Ok(before)) => compared(job, &host.id, before.as_ref(), &rows).await,
        (Err(failure), _) => Err(failure),
        (_, Err(failure)) => Err(failure.clone()),
    };
    match looked {
        Ok(look) => {
            writers.extend(by_strangers(&look));
            (writers, Some(look))
        }
        Err(failure) => {
            writers.push(Writer::not_looked(ANYBODY, &failure.message));
            (writers, before.ok().flatten())
        }
    }
}

/// The lines that warn in a plan for this host, which has just been read. Remembers nothing: the
/// next probe still tells.
pub(crate) async fn warnings(job: &Job, host: &HostSettings, view: &HostView) -> Vec<String> {
    let mut writers = listening(job, host).await;
    writers.extend(holders(job, &host.id).await);
    let looked = match last_look(job, &host.id).await {
        Ok(before) => compared(job, &host.id, before.as_ref(), &listing(view)).await,
        Err(failure) => Err(failure),
    };
    match looked {
        Ok(look) => writers.extend(by_strangers(&look)),
        Err(failure) => writers.push(Writer::not_looked(ANYBODY, &failure.message)),
    }
    writers
        .iter()
        .map(|writer| format!("who else writes here: {}", writer.line()))
        .collect()
}

/// Other processes that hold the writer's place of a provider on this host.
async fn holders(job: &Job, host: &HostId) -> Vec<Writer> {
    let held = match job.ports.store.leases().await {
        Ok(held) => held,
        Err(failure) => return vec![Writer::not_looked(ANYBODY, &failure.message)],
    };
    held.into_iter()
        .filter(|lease| lease.foreign && lease.host == *host && lease.state != LeaseState::Left)
        .map(|lease| Writer {
            who: lease.info.owner,
            what: format!("{} on `{}`", lease.info.reason, lease.provider),
            since_ms: Some(lease.info.since_ms),
            looked: true,
        })
        .collect()
}

/// Who listens at the neighbours' addresses. Nothing is run where the config names none.
async fn listening(job: &Job, host: &HostSettings) -> Vec<Writer> {
    if host.neighbours.is_empty() {
        return Vec::new();
    }
    at_addresses(&host.neighbours, &listeners(job, host).await)
}

async fn listeners(job: &Job, host: &HostSettings) -> Result<Vec<Listener>, String> {
    let command = RemoteCommand::new(LISTENING);
    let output = job.ports.remote.run(&host.machine, &command).await;
    let output = output.map_err(|failure| failure.message)?;
    let line = LISTENING.join(" ");
    let text = read_tool(ToolOutput {
        tool: LISTENING[0],
        command: &line,
        machine: host.machine.as_str(),
        status: output.status,
        stdout: &output.stdout,
        stderr: &output.stderr,
        truncated: output.truncated,
    });
    read_listeners(text.map_err(|judgement| judgement.found)?)
}

async fn rows(api: &dyn HostApi) -> Outcome<Listing> {
    Ok(listing(&read_rows(api).await?))
}

async fn compared(
    job: &Job,
    host: &HostId,
    before: Option<&LastLook>,
    rows: &Listing,
) -> Outcome<LastLook> {
    let mut ours: BTreeSet<(ResourceKind, i64)> = BTreeSet::new();
    let store = &job.ports.store;
    for batch in store.batches(Some(host)).await? {
        let held = store.resources(batch.id).await?;
        ours.extend(held.iter().map(|row| (row.kind, row.host_resource_id.0)));
    }
    Ok(look_again(before, rows, &ours, job.now_ms()))
}

/// What the newest probe left. One of an older version left nothing.
async fn last_look(job: &Job, host: &HostId) -> Outcome<Option<LastLook>> {
    let kept = job.ports.store.kept(ResultKind::Host, host.as_str(), 1);
    let newest = kept.await?.into_iter().next();
    let probe = newest.and_then(|kept| serde_json::from_value::<HostProbe>(kept.body).ok());
    Ok(probe.and_then(|probe| probe.last_look))
}
