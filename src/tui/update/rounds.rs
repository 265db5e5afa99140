//! Looking again by itself, and waking up for it: nothing is drawn or asked while nothing is due.

use super::watching;
use crate::model::{Asked, Model};
use crate::msg::Effect;
use cockpit_engine::command::Command;

/// Between two runs of the baselines, and two looks at hosts that are watched for drift. Each costs one minimal completion.
const BASELINE_EVERY_MS: i64 = 120_000;
/// Between two looks at hosts and machines.
const HOSTS_EVERY_MS: i64 = 30_000;
/// Between two beats of the mark that says that work goes on.
const BEAT_MS: i64 = 500;
/// When a look was under way already.
const AGAIN_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60_000;

/// What time brings: a message goes, a look is due.
pub(super) fn tick(model: &mut Model) -> Vec<Effect> {
    let now = model.now_ms;
    if model
        .toast
        .as_ref()
        .is_some_and(|toast| toast.until_ms <= now)
    {
        model.toast = None;
    }
    if model
        .snapshot
        .jobs
        .iter()
        .any(cockpit_engine::supervisor::JobView::is_live)
    {
        model.beat = model.beat.wrapping_add(1);
    }
    let mut effects = Vec::new();
    if !model.logs.asked {
        model.logs.asked = true;
        effects.push(Effect::FollowLogs(Vec::new()));
    }
    if model.closing || model.frozen.is_some() || model.setup.hosts.is_empty() {
        return effects;
    }
    if model.next_round.hosts_ms <= now {
        model.next_round.hosts_ms = now + HOSTS_EVERY_MS;
        effects.extend(look_at_hosts(model));
    }
    if model.next_round.baseline_ms <= now {
        model.next_round.baseline_ms = now + BASELINE_EVERY_MS;
        effects.extend(look_at_baselines(model, true));
        effects.extend(watching::look_at_watched(model));
    }
    effects
}

/// Everything anew, now.
pub(super) fn look_at_all(model: &mut Model) -> Vec<Effect> {
    let now = model.now_ms;
    model.next_round.hosts_ms = now + HOSTS_EVERY_MS;
    model.next_round.baseline_ms = now + BASELINE_EVERY_MS;
    let mut effects = look_at_hosts(model);
    effects.extend(look_at_baselines(model, false));
    effects.extend(watching::look_at_watched(model));
    effects
}

pub(super) fn look_at_hosts(model: &mut Model) -> Vec<Effect> {
    let machines = model.setup.machines.clone();
    let hosts: Vec<_> = model
        .setup
        .hosts
        .iter()
        .map(|host| host.id.clone())
        .collect();
    let commands = machines
        .into_iter()
        .map(|machine| Command::MachineCheck { machine })
        .chain(hosts.into_iter().map(|host| Command::HostProbe { host }));
    commands
        .collect::<Vec<_>>()
        .into_iter()
        .filter_map(|command| look(model, command))
        .collect()
}

/// Rounds look at what is `due`; a person who asks sees everything anew.
pub(super) fn look_at_baselines(model: &mut Model, due: bool) -> Vec<Effect> {
    model
        .setup
        .baselines()
        .into_iter()
        .filter_map(|pack| {
            look(
                model,
                Command::BaselineRun {
                    pack: Some(pack),
                    due,
                },
            )
        })
        .collect()
}

/// A look. While the same one is under way the round comes again, soon: what it is told may be older
/// than what was asked for.
fn look(model: &mut Model, command: Command) -> Option<Effect> {
    if is_under_way(model, &command) {
        let soon = model.now_ms + AGAIN_MS;
        let due = &mut model.next_round;
        let due = match command {
            Command::BaselineRun { .. } => &mut due.baseline_ms,
            _ => &mut due.hosts_ms,
        };
        *due = soon.min(*due);
        return None;
    }
    Some(Effect::Send(model.ticket(Asked::Look), command))
}

/// Whether the same is being done.
pub(super) fn is_under_way(model: &Model, command: &Command) -> bool {
    model
        .snapshot
        .jobs
        .iter()
        .any(|job| job.is_live() && job.name == command.name() && job.subject == command.subject())
}

/// When the screen has to be woken without anything from outside, UTC ms.
pub(crate) fn next_wake(model: &Model) -> i64 {
    let now = model.now_ms;
    // The clock in the corner shows minutes.
    let mut wake = now - now.rem_euclid(MINUTE_MS) + MINUTE_MS;
    let mut at = |when: i64| wake = wake.min(when.max(now + 1));
    if let Some(toast) = &model.toast {
        at(toast.until_ms);
    }
    if model.armed().is_some() {
        // The window is shown in seconds.
        at(now - now.rem_euclid(1_000) + 1_000);
    }
    if model
        .snapshot
        .jobs
        .iter()
        .any(cockpit_engine::supervisor::JobView::is_live)
    {
        at(now + BEAT_MS);
    }
    if !model.closing && model.frozen.is_none() && !model.setup.hosts.is_empty() {
        at(model.next_round.hosts_ms);
        at(model.next_round.baseline_ms);
    }
    wake
}
