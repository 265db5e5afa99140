//! Keys that open a plan: import, reconcile, roll back, adopt, prune, recover, repair. Applying it is
//! another act (`applying.rs`).

use super::run::{Words, arguments, ask};
use crate::actions::Action;
use crate::dialogs::{Dialog, ImportForm};
use crate::model::{Asked, Model};
use crate::msg::{Effect, Ticket};
use crate::panes;
use crate::place::Place;
use crate::target::Target;
use crate::theme::Role;
use cockpit_domain::batch::{BatchKind, BatchStatus};
use cockpit_domain::ids::{BatchId, HostId, PackId, RemoteId};
use cockpit_domain::secret::Secret;
use cockpit_engine::command::Command;
use cockpit_engine::failure::Outcome;
use cockpit_engine::reconcile::Scope;

pub(super) fn host(words: &Words, aim: &Target) -> Option<HostId> {
    match words.get(0) {
        Some(word) => HostId::new(word).ok(),
        None => aim.host.clone(),
    }
}

pub(super) fn provider(words: &Words, aim: &Target) -> Option<PackId> {
    match words.get(1) {
        Some(word) => PackId::new(word).ok(),
        None => aim.provider.clone(),
    }
}

pub(super) fn batch(words: &Words, aim: &Target) -> Option<BatchId> {
    match words.get(0) {
        Some(word) => word.parse().ok(),
        None => aim.batch,
    }
}

pub(super) fn import(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let mut form = ImportForm::new(model, host(words, aim), provider(words, aim));
    if words.get(1).is_some() {
        form.said();
    }
    model.dialog = Some(Dialog::Import(form));
    Vec::new()
}

/// The form is complete: read the key file first, or plan at once.
pub(crate) fn submit_import(model: &mut Model, form: ImportForm) -> Vec<Effect> {
    let effects = match form.pasted() {
        _ if form.prepare => super::reach::plan_access(model, &form),
        Some(keys) => plan_import(model, &form, keys),
        None => {
            let ticket = model.ticket(Asked::Keys);
            vec![Effect::ReadKeys(ticket, form.path().to_owned())]
        }
    };
    model.form = Some(form);
    effects
}

pub(super) fn keys_read(
    model: &mut Model,
    ticket: Ticket,
    outcome: Outcome<Secret>,
) -> Vec<Effect> {
    if model.asked.remove(&ticket).is_none() {
        return Vec::new();
    }
    let Some(mut form) = model.form.take() else {
        return Vec::new();
    };
    match outcome {
        Ok(keys) => {
            let effects = plan_import(model, &form, keys);
            model.form = Some(form);
            effects
        }
        Err(failure) => {
            form.refused(&failure);
            model.dialog = Some(Dialog::Import(form));
            Vec::new()
        }
    }
}

fn plan_import(model: &mut Model, form: &ImportForm, keys: Secret) -> Vec<Effect> {
    let Some((host, provider)) = form.pair() else {
        return Vec::new();
    };
    let told = model.say("toast.planning");
    model.tell(told, Role::Muted);
    if let Some(batch) = form.retry {
        return ask(model, Asked::Plan, Command::BatchRetry { batch, keys });
    }
    ask(
        model,
        Asked::Plan,
        Command::ImportPlan {
            host,
            provider,
            keys,
            mode: form.mode(),
            access: form.access(),
            user_key: form.own(),
        },
    )
}

/// Compares the batch that is pointed at; else everything that stands on the host, batch by batch.
pub(super) fn reconcile(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let pointed = aim.batch.filter(|_| words.get(0).is_none());
    let stands = |id: &BatchId| {
        panes::known_batch(model, *id).is_some_and(|batch| {
            let gone = [BatchStatus::RolledBack, BatchStatus::Failed];
            matches!(batch.kind, BatchKind::Import | BatchKind::Adopt)
                && !gone.contains(&batch.batch_status)
        })
    };
    let scope = match (pointed.filter(stands), host(words, aim)) {
        (Some(batch), _) => Scope::Batch(batch),
        (None, Some(host)) => Scope::Host {
            provider: provider(words, aim),
            host,
        },
        (None, None) => return arguments(model, Action::Reconcile),
    };
    ask(model, Asked::Plan, Command::ReconcilePlan { scope })
}

/// The provider of a host's standing batches, when there is just one.
pub(super) fn only_provider(model: &Model, host: Option<&HostId>) -> Option<PackId> {
    let mut providers: Vec<&PackId> = model
        .board()
        .batches
        .iter()
        .filter(|seen| Some(&seen.batch.host) == host)
        .filter(|seen| seen.batch.kind == BatchKind::Import)
        .filter(|seen| seen.batch.batch_status != BatchStatus::RolledBack)
        .map(|seen| &seen.batch.provider)
        .collect();
    providers.sort();
    providers.dedup();
    match providers[..] {
        [one] => Some(one.clone()),
        _ => None,
    }
}

pub(super) fn roll_back(
    model: &mut Model,
    action: Action,
    aim: &Target,
    words: &Words,
) -> Vec<Effect> {
    let delete = action == Action::RollBackDelete;
    match batch(words, aim) {
        Some(batch) => ask(model, Asked::Plan, Command::RollbackPlan { batch, delete }),
        None => arguments(model, action),
    }
}

/// Whether a batch took over what stood on its host.
pub(super) fn is_adoption(model: &Model, id: BatchId) -> bool {
    panes::known_batch(model, id).is_some_and(|batch| batch.kind == BatchKind::Adopt)
}

/// Plans asking the account again that is pointed at.
pub(super) fn recover(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let named = words.get(1).and_then(|word| word.parse().ok());
    let account = named.map(RemoteId).or(aim.account);
    match (host(words, aim), account) {
        (Some(host), Some(account)) => {
            let provider = None;
            let command = Command::RecoverPlan {
                host,
                account,
                provider,
            };
            ask(model, Asked::Plan, command)
        }
        (Some(host), None) if words.get(0).is_some() => {
            let line = format!("{} {host} ", Action::Recover.row().name);
            model.dialog = Some(crate::dialogs::palette(model, &line));
            Vec::new()
        }
        (Some(_), None) if matches!(model.trail.view().place, Place::Pool(_)) => {
            super::run::said(model, "why.no-account")
        }
        _ => arguments(model, Action::Recover),
    }
}

/// Plans taking over what stands on a host.
pub(super) fn adopt(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    match (host(words, aim), provider(words, aim)) {
        (Some(host), Some(provider)) => {
            ask(model, Asked::Plan, Command::AdoptPlan { host, provider })
        }
        (Some(host), None) => {
            // Which provider is asked for, the host is known.
            let line = format!("{} {host} ", Action::Adopt.row().name);
            model.dialog = Some(crate::dialogs::palette(model, &line));
            Vec::new()
        }
        (None, _) => arguments(model, Action::Adopt),
    }
}

/// Plans deleting what is parked.
pub(super) fn prune(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let host = host(words, aim);
    let provider = provider(words, aim).or_else(|| only_provider(model, host.as_ref()));
    match (host, provider) {
        (Some(host), Some(provider)) => {
            ask(model, Asked::Plan, Command::PrunePlan { host, provider })
        }
        _ => arguments(model, Action::Prune),
    }
}

/// Whether the host's API can mend what a check found.
pub(super) fn can_be_mended(model: &Model, pack: &PackId, check: &str) -> bool {
    let known = model.board().baselines.get(pack);
    let mut rows = known.into_iter().flat_map(|known| &known.value.results);
    rows.any(|row| row.id == check && row.repair)
}

/// Whether a batch has ended with keys that did not pass.
pub(super) fn has_failed(model: &Model, id: BatchId) -> bool {
    let mut batches = model.board().batches.iter();
    batches.any(|seen| {
        seen.batch.id == id
            && seen.batch.kind == BatchKind::Import
            && seen.tally.failed > 0
            && !matches!(
                seen.batch.batch_status,
                BatchStatus::Running | BatchStatus::Interrupted
            )
    })
}

/// Asks for the keys of a batch again: those that did not pass are planned anew.
pub(super) fn retry(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let Some(batch) = batch(words, aim) else {
        return arguments(model, Action::Retry);
    };
    if !has_failed(model, batch) {
        return super::run::said(model, "why.none-failed");
    }
    let known = panes::known_batch(model, batch).cloned();
    let (host, provider) = known.map(|batch| (batch.host, batch.provider)).unzip();
    let mut form = ImportForm::new(model, host, provider);
    form.again(batch);
    model.dialog = Some(Dialog::Import(form));
    Vec::new()
}

/// Plans the repair of a check; one that has none says what a person does.
pub(super) fn repair(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    // On a row of the list that nothing can mend, the one that the top line speaks of is meant.
    let pointed = aim
        .check
        .clone()
        .filter(|(pack, check)| can_be_mended(model, pack, check));
    let on_list = model.trail.view().place == Place::Baseline;
    let advised = || panes::mendable(model).filter(|_| on_list);
    let (pack, check) = match (words.get(0), pointed.or_else(advised)) {
        (Some(check), _) => (None, check.to_owned()),
        (None, Some((pack, check))) => (Some(pack), check),
        (None, None) => match &aim.check {
            Some((pack, check)) => (Some(pack.clone()), check.clone()),
            None => return arguments(model, Action::Repair),
        },
    };
    ask(model, Asked::Plan, Command::RepairPlan { pack, check })
}
