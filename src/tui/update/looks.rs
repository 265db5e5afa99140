//! Keys that look: access of a batch, probes, accounts of a host, what batches hold there.

use super::acts::{batch, host, only_provider, provider};
use super::run::{Words, arguments, ask};
use crate::actions::Action;
use crate::dialogs::Dialog;
use crate::model::{Asked, Model};
use crate::msg::Effect;
use crate::panes;
use crate::place::Place;
use crate::target::{Target, host_looked_at};
use crate::theme::Role;
use cockpit_domain::batch::{BatchKind, BatchStatus};
use cockpit_domain::ids::{BatchId, HostId, PackId};
use cockpit_engine::command::Command;
use cockpit_engine::import::CallerKey;
use cockpit_engine::probe::SplitKey;

/// Whether a batch has no keys: there is no access to prove.
pub(super) fn is_keyless(model: &Model, id: BatchId) -> bool {
    panes::known_batch(model, id)
        .is_some_and(|batch| !batch.kind.has_keys() && batch.kind != BatchKind::Access)
}

pub(super) fn access(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    match batch(words, aim) {
        Some(batch) if is_keyless(model, batch) => super::run::said(model, "why.no-access"),
        Some(batch) => ask(model, Asked::Access(batch), Command::AccessStatus { batch }),
        None => arguments(model, Action::AccessStatus),
    }
}

pub(super) fn probe(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    match host(words, aim) {
        Some(host) => {
            let provider = provider(words, aim);
            model.trail.open(Place::Probes);
            ask(model, Asked::Look, Command::ProbeRun { host, provider })
        }
        None => arguments(model, Action::Probe),
    }
}

/// Makes the calls at the upstream and through the host, and writes them down.
pub(super) fn split(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let host = host(words, aim);
    let provider = provider(words, aim).or_else(|| only_provider(model, host.as_ref()));
    let (Some(host), Some(provider)) = (host, provider) else {
        return arguments(model, Action::Split);
    };
    let named = words.get(2).map(|word| CallerKey::named(word.to_owned()));
    let key = match named.transpose() {
        Ok(key) => key.map_or(SplitKey::Kept, SplitKey::Named),
        Err(failure) => {
            model.dialog = Some(Dialog::failure(model, &failure));
            return Vec::new();
        }
    };
    let told = model.say("toast.splitting");
    model.tell(told, Role::Muted);
    let command = Command::ProbeSplit {
        host,
        provider,
        key,
        here: false,
    };
    ask(model, Asked::Split, command)
}

/// Opens the accounts of a host and looks at them.
pub(super) fn pool(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let Some(host) = host(words, aim).or_else(|| host_looked_at(model, aim.clone())) else {
        return arguments(model, Action::Pool);
    };
    model.trail.open(Place::Pool(host.clone()));
    look_at_pool(model, host)
}

/// Looks at the accounts of a host anew.
pub(super) fn look_at_pool(model: &mut Model, host: HostId) -> Vec<Effect> {
    if model.is_asked(&Asked::Pool(host.clone())) {
        return Vec::new();
    }
    let command = Command::ProviderStatus {
        host: host.clone(),
        provider: None,
    };
    ask(model, Asked::Pool(host), command)
}

/// Opens what batches hold of a provider on a host, and looks at it.
pub(super) fn resources(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let host = host(words, aim);
    let provider = provider(words, aim).or_else(|| only_provider(model, host.as_ref()));
    match (host, provider) {
        (Some(host), Some(provider)) => super::run::open(model, Place::Resources(host, provider)),
        _ => arguments(model, Action::Resources),
    }
}

/// Looks at it anew.
pub(super) fn look_at_resources(model: &mut Model, host: HostId, provider: PackId) -> Vec<Effect> {
    let asked = Asked::Resources(host.clone(), provider.clone());
    if model.is_asked(&asked) {
        return Vec::new();
    }
    let provider = Some(provider);
    ask(model, asked, Command::ProviderResources { host, provider })
}

/// Every pair of host and provider that a batch stands on, and every host for itself.
pub(super) fn probe_all(model: &mut Model) -> Vec<Effect> {
    let mut pairs: Vec<(HostId, Option<PackId>)> = model
        .board()
        .batches
        .iter()
        .filter(|seen| seen.batch.kind == BatchKind::Import)
        .filter(|seen| {
            matches!(
                seen.batch.batch_status,
                BatchStatus::Succeeded | BatchStatus::PartiallySucceeded
            )
        })
        .map(|seen| (seen.batch.host.clone(), Some(seen.batch.provider.clone())))
        .collect();
    pairs.sort();
    pairs.dedup();
    for host in &model.setup.hosts {
        if !pairs.iter().any(|(known, _)| *known == host.id) {
            pairs.push((host.id.clone(), None));
        }
    }
    pairs
        .into_iter()
        .flat_map(|(host, provider)| ask(model, Asked::Look, Command::ProbeRun { host, provider }))
        .collect()
}
