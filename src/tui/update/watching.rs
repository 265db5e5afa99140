//! Watching a host for drift: switched on and off by a person, off by default, looked at in the rounds
//! that are made anyway. A rollback pauses it until a person turns it on again.

use super::answers::one_line;
use super::rounds;
use super::run::{Words, arguments};
use crate::actions::Action;
use crate::model::{Asked, Model, Watch};
use crate::msg::Effect;
use crate::target::Target;
use crate::theme::Role;
use cockpit_domain::batch::Batch;
use cockpit_domain::ids::HostId;
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{FailureKind, Outcome};
use cockpit_engine::reconcile::{Looked, Paused};

/// Switches it on, or off; one that is paused goes on.
pub(super) fn switch(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let Some(host) = super::acts::host(words, aim) else {
        return arguments(model, Action::Watch);
    };
    let on = model.watches.get(&host);
    if on.is_some_and(|watch| watch.paused.is_none()) {
        drop(model.watches.remove(&host));
        let told = model.fill("watch.off", &[("host", host.as_str())]);
        model.tell(told, Role::Muted);
        return Vec::new();
    }
    let watch = Watch {
        since_ms: model.now_ms,
        ..Watch::default()
    };
    drop(model.watches.insert(host.clone(), watch));
    look_at(model, &host).into_iter().collect()
}

/// The looks of a round.
pub(super) fn look_at_watched(model: &mut Model) -> Vec<Effect> {
    let on = model.watches.iter();
    let on = on.filter(|(_, watch)| watch.paused.is_none());
    let hosts: Vec<HostId> = on.map(|(host, _)| host.clone()).collect();
    hosts
        .iter()
        .filter_map(|host| look_at(model, host))
        .collect()
}

fn look_at(model: &mut Model, host: &HostId) -> Option<Effect> {
    let command = Command::ReconcileLook {
        host: host.clone(),
        provider: None,
        since_ms: model.watches.get(host)?.since_ms,
    };
    // The next round comes by itself.
    if rounds::is_under_way(model, &command) {
        return None;
    }
    let ticket = model.ticket(Asked::Watch(host.clone()));
    Some(Effect::Send(ticket, command))
}

/// Takes in what a look came to.
pub(super) fn looked(model: &mut Model, host: &HostId, outcome: Outcome<Answer>) {
    let Some(watch) = model.watches.get_mut(host) else {
        return;
    };
    match outcome {
        Ok(Answer::Looked(looked)) => {
            if let Some(paused) = looked.paused {
                // One that was turned on again since then is not paused by what was before.
                if paused.at_ms >= watch.since_ms {
                    pause(model, host, paused);
                }
                return;
            }
            watch.failed = false;
            let news = watch.last.as_ref().is_some_and(|last| !last.same(&looked));
            let status = looked.status;
            watch.last = Some(*looked);
            if let Some(status) = status.filter(|_| news) {
                let word = model.say(&format!("drift.{}", status.as_str()));
                let said = [("host", host.as_str()), ("status", word.as_str())];
                let told = model.fill("watch.news", &said);
                model.tell(told, role_of(model.watches.get(host)));
            }
        }
        Ok(_) => {}
        Err(failure) if failure.kind == FailureKind::Cancelled => {}
        Err(failure) => {
            // Said once; the line that says that it is watched shows it from then on.
            if !std::mem::replace(&mut watch.failed, true) {
                model.tell(one_line(&failure), super::role_of(failure.kind));
            }
        }
    }
}

/// What was found at the last look.
pub(crate) fn role_of(watch: Option<&Watch>) -> Role {
    use cockpit_domain::reconcile::ReconcileStatus;
    let last: Option<&Looked> = watch.and_then(|watch| watch.last.as_ref());
    match last.and_then(|last| last.status) {
        Some(ReconcileStatus::Active) => Role::Ok,
        Some(ReconcileStatus::Degraded) => Role::Warn,
        Some(ReconcileStatus::Drifted) => Role::Drifted,
        None => Role::Muted,
    }
}

/// A batch was taken back here: the next round need not find it out.
pub(super) fn taken_back(model: &mut Model, batch: &Batch) {
    let paused = Paused {
        batch: batch.id,
        at_ms: model.now_ms,
    };
    let host = batch.host.clone();
    pause(model, &host, paused);
}

fn pause(model: &mut Model, host: &HostId, paused: Paused) {
    if let Some(watch) = model.watches.get_mut(host)
        && watch.paused.is_none()
    {
        watch.paused = Some(paused);
    }
}
