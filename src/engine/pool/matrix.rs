//! What is known without looking: the last live proof of every pack on every host.

use crate::context::Job;
use crate::failure::Outcome;
use crate::ports::ResultKind;
use crate::probe::{Probe, ProbeClass};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_domain::pack::Pack;
use cockpit_domain::pool::{Pairing, Proof, matrix as newest_of};

/// The last live proof of every provider pack on every host.
pub async fn matrix(job: &Job) -> Outcome<Vec<Pairing>> {
    let providers: Vec<PackId> = job
        .ports
        .packs
        .list()?
        .into_iter()
        .filter(|entry| matches!(entry.pack, Ok(Pack::Provider(_))))
        .map(|entry| entry.id)
        .collect();
    let hosts: Vec<HostId> = job.settings.hosts.keys().cloned().collect();
    let store = &job.ports.store;
    let batches = store.batches(None).await?;
    let mut known: Vec<Pairing> = batches
        .iter()
        .filter(|batch| batch.kind.has_keys())
        .filter_map(Pairing::of_batch)
        .collect();
    for (provider, host) in pairs(&known) {
        let subject = crate::probe::subject(&host, Some(&provider));
        for kept in store.kept(ResultKind::Probe, &subject, 1).await? {
            let rows: Vec<Probe> = serde_json::from_value(kept.body).unwrap_or_default();
            known.extend(of_probes(&provider, &host, kept.at_ms, &rows));
        }
    }
    Ok(newest_of(&providers, &hosts, &known))
}

/// Only where a batch stood can there be an ordinary key to probe with.
fn pairs(known: &[Pairing]) -> Vec<(PackId, HostId)> {
    let mut pairs: Vec<_> = known
        .iter()
        .map(|pair| (pair.provider.clone(), pair.host.clone()))
        .collect();
    pairs.sort();
    pairs.dedup();
    pairs
}

/// What a probe of the ordinary way tells; `None` when no chat was made.
fn of_probes(provider: &PackId, host: &HostId, at_ms: i64, rows: &[Probe]) -> Option<Pairing> {
    let chat = rows
        .iter()
        .find(|row| row.hop == "host" && row.protocol == "chat")
        .filter(|row| row.class != ProbeClass::Skipped)?;
    let vendor = rows.iter().find(|row| row.protocol == "account");
    let (proof, found) = match (chat.class, vendor) {
        (ProbeClass::Ok, _) => (Proof::Proven, String::new()),
        (_, Some(vendor)) => (Proof::KeyAtFault, vendor.found.clone()),
        _ => (Proof::Broken, chat.found.clone()),
    };
    Some(Pairing {
        proof,
        at_ms,
        by: "probe".to_owned(),
        found,
        ..Pairing::never(provider, host)
    })
}
