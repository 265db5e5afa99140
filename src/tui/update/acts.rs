//! The acts: import, reconcile, roll back, repair, resume, probe, arm. A key opens a plan; applying
//! it is another act, behind arming and a confirmation.

use super::run::{Words, arguments, ask};
use crate::actions::Action;
use crate::dialogs::{Confirm, Dialog, ImportForm, Subject};
use crate::model::{Act, Asked, Model};
use crate::msg::{Effect, Ticket};
use crate::panes;
use crate::place::Place;
use crate::target::{Target, host_looked_at};
use crate::theme::Role;
use cockpit_domain::batch::{BatchKind, BatchStatus};
use cockpit_domain::ids::{BatchId, HostId, PackId, PlanId, RemoteId};
use cockpit_domain::secret::Secret;
use cockpit_engine::approval::Approval;
use cockpit_engine::command::Command;
use cockpit_engine::failure::Outcome;
use cockpit_engine::import::CallerKey;
use cockpit_engine::probe::SplitKey;
use cockpit_engine::reconcile::Scope;
use std::time::Duration;

/// A window for writes, if the person names no other.
const WINDOW: Duration = Duration::from_mins(10);

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
fn only_provider(model: &Model, host: Option<&HostId>) -> Option<PackId> {
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

/// Whether a batch has no keys: there is no access to prove.
pub(super) fn is_keyless(model: &Model, id: BatchId) -> bool {
    panes::known_batch(model, id)
        .is_some_and(|batch| !batch.kind.has_keys() && batch.kind != BatchKind::Access)
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

/// Whether a batch waits to be gone on with.
pub(super) fn is_interrupted(model: &Model, id: BatchId) -> bool {
    panes::known_batch(model, id)
        .is_some_and(|batch| batch.batch_status == BatchStatus::Interrupted)
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

pub(super) fn arm(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    // From a key there is a host in sight; the window is opened by typing, never by a key alone.
    let Some(word) = words.get(0) else {
        let line = aim
            .host
            .as_ref()
            .map_or_else(|| "arm ".to_owned(), |host| format!("arm {host} 10m"));
        model.dialog = Some(crate::dialogs::palette(model, &line));
        return Vec::new();
    };
    let window = match words.get(1).map(read_window) {
        None => Some(WINDOW),
        Some(read) => read,
    };
    match (HostId::new(word), window) {
        (Ok(host), Some(window)) => {
            let was = model.armed().map(|(was, _)| was.clone());
            model.rearmed = was
                .filter(|was| *was != host)
                .map(|was| (was, host.clone()));
            vec![Effect::Arm(host, window)]
        }
        (_, None) => super::run::said(model, "why.window"),
        (Err(_), _) => super::run::said(model, "why.no-such-host"),
    }
}

/// Says which host lost its window to the one that was armed just now.
pub(super) fn rearmed(model: &mut Model) {
    if let Some((was, host)) = model.rearmed.take() {
        let words = [("was", was.as_str()), ("host", host.as_str())];
        let told = model.fill("toast.armed-instead", &words);
        model.tell(told, Role::Warn);
    }
}

/// `10m`, `90s`, `1h`; bare numbers are minutes.
fn read_window(text: &str) -> Option<Duration> {
    if let Ok(minutes) = text.parse::<u64>() {
        return Some(Duration::from_secs(minutes.saturating_mul(60)));
    }
    let span: jiff::SignedDuration = text.parse().ok()?;
    Duration::try_from(span).ok()
}

pub(super) fn resume(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let Some(batch) = batch(words, aim) else {
        return arguments(model, Action::Resume);
    };
    let Some(seen) = model
        .board()
        .batches
        .iter()
        .find(|seen| seen.batch.id == batch)
    else {
        return super::run::said(model, "why.no-such-batch");
    };
    if seen.batch.batch_status == BatchStatus::Running {
        let owner = seen.batch.owner.clone();
        let text = model.fill("why.runs", &[("owner", &owner)]);
        model.tell(text, Role::Warn);
        return Vec::new();
    }
    if seen.batch.batch_status == BatchStatus::RolledBack {
        return super::run::said(model, "why.taken-back");
    }
    if seen.batch.batch_status != BatchStatus::Interrupted {
        return super::run::said(model, "why.not-interrupted");
    }
    let host = seen.batch.host.clone();
    if !model.is_armed(&host) {
        return not_armed(model, &host);
    }
    model.dialog = Some(Dialog::Confirm(Confirm::new(
        model,
        Subject::Resume(batch),
        &host,
    )));
    Vec::new()
}

/// Whether a plan is one to be applied, now or once its host is armed.
pub(super) fn can_be_applied(model: &Model, id: Option<PlanId>) -> bool {
    let plan = id.and_then(|id| model.plans.get(&id));
    plan.is_some_and(|plan| {
        plan.blockers().is_empty() && plan.apply(Approval::default(), 0).is_some()
    })
}

/// Why a plan cannot be applied now; `None` when it can. Asks no page: the plan's own page says it.
pub(crate) fn why_not_apply(model: &Model, id: Option<PlanId>) -> Option<String> {
    let Some(plan) = id.and_then(|id| model.plans.get(&id)) else {
        return Some(model.say("why.no-plan"));
    };
    if plan.apply(Approval::default(), 0).is_none() {
        return Some(model.say("why.only-read"));
    }
    if model.acts.contains_key(&plan.id()) {
        return Some(model.say("why.applied"));
    }
    if !plan.blockers().is_empty() {
        return Some(model.say("why.blocked"));
    }
    if plan.expires_ms().is_some_and(|at| at <= model.now_ms) {
        return Some(model.say("why.expired"));
    }
    if !model.is_armed(plan.host()) {
        return Some(model.fill("why.unarmed", &[("host", plan.host().as_str())]));
    }
    None
}

fn not_armed(model: &mut Model, host: &HostId) -> Vec<Effect> {
    let text = model.fill("why.unarmed", &[("host", host.as_str())]);
    model.tell(text, Role::Warn);
    Vec::new()
}

/// Opens the confirmation of a plan.
pub(super) fn apply(model: &mut Model, aim: &Target) -> Vec<Effect> {
    let Some(plan) = aim.plan.and_then(|id| model.plans.get(&id)) else {
        return Vec::new();
    };
    let (id, host) = (plan.id(), plan.host().clone());
    model.dialog = Some(Dialog::Confirm(Confirm::new(
        model,
        Subject::Apply(id),
        &host,
    )));
    Vec::new()
}

/// The person said yes. The engine asks for the same word again, and for the window.
pub(crate) fn confirmed(model: &mut Model, confirm: &Confirm) -> Vec<Effect> {
    match confirm.subject {
        Subject::Quit => super::close(model),
        Subject::Deed(run) => super::runbooks::confirmed(model, run, confirm),
        Subject::TakeLease => super::reach::lease_confirmed(model, confirm),
        Subject::Waive => super::standing::confirmed(model, confirm),
        Subject::Resume(batch) => ask(model, Asked::Resume(batch), Command::BatchResume { batch }),
        Subject::Apply(id) => {
            let Some(plan) = model.plans.get(&id) else {
                return Vec::new();
            };
            let approval = Approval {
                hash: plan.hash().to_owned(),
                host_name: confirm.typed_name(),
                reason: confirm.typed_reason(),
            };
            let Some(command) = plan.apply(approval, confirm.canary()) else {
                return Vec::new();
            };
            model.acts.insert(
                id,
                Act {
                    job: None,
                    result: None,
                },
            );
            model.trail.open(Place::Outcome(id));
            ask(model, Asked::Apply(id), command)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_read_in_the_usual_ways() {
        for (text, seconds) in [
            ("10m", Some(600)),
            ("90s", Some(90)),
            ("1h", Some(3600)),
            ("5", Some(300)),
            ("ten", None),
            ("-3m", None),
        ] {
            assert_eq!(
                read_window(text),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }
}
