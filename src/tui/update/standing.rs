//! How checks stand: their history, what a person puts aside until a time, and the layers that are
//! folded away.

use super::acts::host;
use super::run::{Words, arguments, ask, said};
use crate::actions::Action;
use crate::dialogs::{Confirm, Dialog};
use crate::model::{Asked, Model};
use crate::msg::Effect;
use crate::place::Place;
use crate::target::Target;
use crate::theme::Role;
use cockpit_domain::baseline::{CheckResult, WaiverSubject, read_until};
use cockpit_domain::ids::{MachineId, PackId};
use cockpit_engine::baseline::{Aside, WaiverWish, Waivers};
use cockpit_engine::command::Command;

/// The check that a word or the selection names, with its pack.
fn check(model: &Model, words: &Words, aim: &Target) -> Option<(PackId, String)> {
    let Some(word) = words.get(0) else {
        return aim.check.clone();
    };
    let mut packs = model.board().baselines.iter();
    packs.find_map(|(pack, known)| {
        let found = known.value.results.iter().any(|row| row.id == word);
        found.then(|| (pack.clone(), word.to_owned()))
    })
}

fn row<'m>(model: &'m Model, pack: &PackId, id: &str) -> Option<&'m CheckResult> {
    let known = model.board().baselines.get(pack)?;
    known.value.results.iter().find(|row| row.id == id)
}

/// Whether a waiver or a window is about a check, also one that has run out.
pub(super) fn is_put_aside(model: &Model, pack: &PackId, check: &str) -> bool {
    row(model, pack, check).is_some_and(|row| !row.waivers.is_empty())
}

/// Opens the history of a check.
pub(super) fn history(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    match check(model, words, aim) {
        Some((pack, id)) => super::run::open(model, Place::CheckHistory(pack, id)),
        None => arguments(model, Action::History),
    }
}

/// Reads the history of a check.
pub(super) fn read_history(model: &mut Model, pack: &PackId, check: &str) -> Vec<Effect> {
    let asked = Asked::History(pack.clone(), check.to_owned());
    if model.is_asked(&asked) {
        return Vec::new();
    }
    let command = Command::BaselineHistory {
        pack: Some(pack.clone()),
        check: Some(check.to_owned()),
        since: None,
    };
    ask(model, asked, command)
}

/// Opens two beside each other: those that are named, or the selected host and another one.
pub(super) fn siblings(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let hosts = || model.setup.hosts.iter().map(|host| host.id.to_string());
    let a = words.get(0).map(str::to_owned);
    let Some(a) = a.or_else(|| aim.host.as_ref().map(ToString::to_string)) else {
        return arguments(model, Action::Siblings);
    };
    // Where there are just two, the other one is meant.
    let mut others = hosts().filter(|other| *other != a);
    let only = others.next().filter(|_| others.next().is_none());
    let Some(b) = words.get(1).map(str::to_owned).or(only) else {
        return arguments(model, Action::Siblings);
    };
    model.trail.open(Place::Siblings(a.clone(), b.clone()));
    read_siblings(model, a, b)
}

/// Looks at both.
pub(super) fn read_siblings(model: &mut Model, a: String, b: String) -> Vec<Effect> {
    let asked = Asked::Diff(a.clone(), b.clone());
    if model.is_asked(&asked) {
        return Vec::new();
    }
    ask(model, asked, Command::BaselineDiff { a, b })
}

/// Opens the dialog that puts a check aside.
pub(super) fn waive(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let Some((pack, check)) = check(model, words, aim) else {
        return arguments(model, Action::Waive);
    };
    let aside = Aside::Check {
        pack: Some(pack),
        check,
    };
    model.dialog = Some(Dialog::Confirm(Confirm::waive(model, aside)));
    Vec::new()
}

/// Opens the dialog of a maintenance window of a host.
pub(super) fn maintain(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let Some(host) = host(words, aim) else {
        return arguments(model, Action::Maintain);
    };
    model.dialog = Some(Dialog::Confirm(Confirm::waive(model, Aside::Host(host))));
    Vec::new()
}

/// The machine of what is pointed at: the one that a check looks on or goes through, or a host's.
pub(super) fn machine_of(model: &Model, aim: &Target) -> Option<MachineId> {
    let checked = aim.check.as_ref();
    let row = checked.and_then(|(pack, id)| row(model, pack, id));
    row.and_then(|row| row.machine.clone())
        .or_else(|| aim.machine.clone())
}

/// Opens the dialog of a maintenance window of a machine: of everything that looks there.
pub(super) fn maintain_machine(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let machine = match words.get(0) {
        Some(word) => MachineId::new(word).ok(),
        None => machine_of(model, aim),
    };
    let Some(machine) = machine else {
        return arguments(model, Action::MaintainMachine);
    };
    let aside = Aside::Machine(machine);
    model.dialog = Some(Dialog::Confirm(Confirm::waive(model, aside)));
    Vec::new()
}

/// Folds the layer of the selected row away, or brings one back.
pub(super) fn fold(model: &mut Model) -> Vec<Effect> {
    let shown = super::shown(model);
    let Some(at) = shown.selected else {
        return Vec::new();
    };
    let Some(heading) = shown.rows[..=at].iter().rev().find(|row| row.heading) else {
        return Vec::new();
    };
    let id = heading.id.clone();
    let view = model.trail.view();
    if !view.filter.is_empty() || view.only_broken {
        // What is looked for is shown wherever it stands.
        return said(model, "why.no-folding");
    }
    if !model.folded.remove(&id) {
        model.folded.insert(id.clone());
    }
    model.trail.view_mut().selected = Some(id);
    Vec::new()
}

/// The person said until when, and why.
pub(super) fn confirmed(model: &mut Model, confirm: &Confirm) -> Vec<Effect> {
    let Some(aside) = confirm.aside.clone() else {
        return Vec::new();
    };
    let until = read_until(confirm.until(), model.now_ms, &model.setup.zone);
    let until_ms = match until {
        Ok(until_ms) => until_ms,
        Err(wrong) => {
            model.tell(wrong, Role::Fail);
            return Vec::new();
        }
    };
    let wish = WaiverWish {
        aside,
        reason: confirm.typed_reason().unwrap_or_default(),
        until_ms,
        owner: None,
    };
    let wish = Box::new(wish);
    ask(model, Asked::Told, Command::BaselineWaive { wish })
}

/// Takes back what puts a check aside: its own waiver first, then a window.
pub(super) fn clear(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let Some((pack, id)) = check(model, words, aim) else {
        return arguments(model, Action::ClearWaiver);
    };
    let waivers = row(model, &pack, &id).map_or(&[][..], |row| &row.waivers);
    let own = waivers
        .iter()
        .find(|waiver| !waiver.subject.is_maintenance());
    let aside = match own.or(waivers.first()).map(|waiver| &waiver.subject) {
        None => return said(model, "why.no-waiver"),
        Some(WaiverSubject::Check(pack, check)) => Aside::Check {
            pack: Some(pack.clone()),
            check: check.clone(),
        },
        Some(WaiverSubject::Machine(machine)) => Aside::Machine(machine.clone()),
        Some(WaiverSubject::Host(host)) => Aside::Host(host.clone()),
    };
    ask(model, Asked::Told, Command::BaselineClear { aside })
}

/// Says what was put aside or taken back; the page shows it as soon as the board knows.
pub(super) fn told(model: &mut Model, told: &Waivers) {
    let text = match (&told.made, &told.cleared) {
        (Some(made), _) => {
            let until = crate::panes::clock(model, made.until_ms);
            let what = made.subject.to_string();
            model.fill("toast.waived", &[("what", &what), ("until", &until)])
        }
        (None, Some(cleared)) => {
            model.fill("toast.counts-again", &[("what", &cleared.to_string())])
        }
        (None, None) => return,
    };
    model.tell(text, Role::Text);
}
