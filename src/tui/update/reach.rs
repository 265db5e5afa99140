//! What access needs, leases, and blocks for the config: acts that come back as something to read.

use super::acts::{host, provider};
use super::run::{Words, arguments, ask, said};
use crate::actions::Action;
use crate::content::{Cell, Note, note};
use crate::dialogs::{Confirm, Dialog, ImportForm, Message};
use crate::model::{Asked, Model};
use crate::msg::Effect;
use crate::target::Target;
use crate::theme::Role;
use cockpit_domain::batch::AccessMode;
use cockpit_domain::host::Role as HostRole;
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::import::Holds;
use cockpit_domain::new_host::{NewAdmin, NewHost};
use cockpit_engine::access::AccessPreview;
use cockpit_engine::board::LeaseState;
use cockpit_engine::command::{Answer, Command};

fn pair(aim: &Target, words: &Words) -> Option<(HostId, PackId)> {
    host(words, aim).zip(provider(words, aim))
}

/// The access mode as a third word; by subscription when there is none.
fn mode(words: &Words) -> AccessMode {
    words
        .get(2)
        .and_then(AccessMode::parse)
        .unwrap_or(AccessMode::Subscription)
}

pub(super) fn preview(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let Some((host, provider)) = pair(aim, words) else {
        return arguments(model, Action::AccessPreview);
    };
    let command = Command::AccessPreview {
        host,
        provider,
        access: mode(words),
        user_key: None,
    };
    ask(model, Asked::Told, command)
}

/// Opens the form of what is prepared, with what is pointed at filled in.
pub(super) fn prepare(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let mut form = ImportForm::new(model, host(words, aim), provider(words, aim));
    form.prepare = true;
    form.self_service = mode(words) == AccessMode::SelfService;
    if words.get(1).is_some() {
        form.said();
    }
    model.dialog = Some(Dialog::Import(form));
    Vec::new()
}

/// The form is complete.
pub(super) fn plan_access(model: &mut Model, form: &ImportForm) -> Vec<Effect> {
    let Some((host, provider)) = form.pair() else {
        return Vec::new();
    };
    let told = model.say("toast.planning");
    model.tell(told, Role::Muted);
    let command = Command::AccessPlan {
        host,
        provider,
        access: form.access(),
        user_key: form.own(),
    };
    ask(model, Asked::Plan, command)
}

/// Opens the confirmation of a take-over. Whether it may be taken the engine says.
pub(super) fn take_lease(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    let named = pair(aim, words);
    let mut leases = model.board().leases.iter();
    // Without words the one that somebody left is meant, if there is just one.
    let lease = match named {
        Some((host, provider)) => {
            leases.find(|lease| lease.host == host && lease.provider == provider)
        }
        None => {
            let mut left = leases.filter(|lease| lease.state == LeaseState::Left);
            left.next().filter(|_| left.next().is_none())
        }
    };
    let Some(lease) = lease else {
        return if words.get(0).is_some() {
            said(model, "why.no-lease")
        } else {
            arguments(model, Action::LeaseTake)
        };
    };
    let place = (lease.host.clone(), lease.provider.clone());
    let owner = lease.info.owner.clone();
    model.dialog = Some(Dialog::Confirm(Confirm::take_lease(model, place, &owner)));
    Vec::new()
}

/// The person said yes, and why.
pub(super) fn lease_confirmed(model: &mut Model, confirm: &Confirm) -> Vec<Effect> {
    let Some((host, provider)) = confirm.lease.clone() else {
        return Vec::new();
    };
    let command = Command::LeaseTake {
        host,
        provider,
        reason: confirm.typed_reason().unwrap_or_default(),
        // Taking from an owner that looks alive is for the command line, with all its words.
        even_if_alive: false,
    };
    ask(model, Asked::Told, command)
}

/// `host-add NAME MACHINE ADDRESS ROLE REFERENCE`.
pub(super) fn add_host(model: &mut Model, words: &Words) -> Vec<Effect> {
    let [name, machine, address, role, reference] = words.0.as_slice() else {
        let effects = arguments(model, Action::HostAdd);
        drop(said(model, "why.host-add"));
        return effects;
    };
    let role = match role.as_str() {
        "production" => Some(HostRole::Production),
        "acceptance" => Some(HostRole::Acceptance),
        _ => None,
    };
    let (Ok(id), Ok(machine), Some(role)) = (HostId::new(name), MachineId::new(machine), role)
    else {
        return said(model, "why.host-add");
    };
    let new = NewHost {
        id,
        machine: Some(machine),
        address: address.clone(),
        role,
        admin: NewAdmin {
            login: None,
            reference: reference.clone(),
        },
        baseline: None,
        terms: None,
        db_container: None,
        redis_container: None,
    };
    let command = Command::HostAdd { new: Box::new(new) };
    ask(model, Asked::Told, command)
}

pub(super) fn remove_host(model: &mut Model, aim: &Target, words: &Words) -> Vec<Effect> {
    match host(words, aim) {
        Some(host) => ask(model, Asked::Told, Command::HostRemove { host }),
        None => arguments(model, Action::HostRemove),
    }
}

/// Shows what came back in front of the page; a block goes to the clipboard as well.
pub(super) fn told(model: &mut Model, answer: &Answer) -> Vec<Effect> {
    let (lines, copied) = match answer {
        Answer::Explained(found) => {
            super::explaining::told(model, found);
            return Vec::new();
        }
        Answer::Preview(look) => (preview_lines(model, look), None),
        Answer::LeaseTaken(taken) => {
            let mut lines = vec![note(
                model.fill("lease.taken", &[("owner", &taken.was.owner)]),
                Role::Ok,
            )];
            for batch in &taken.interrupted {
                let text = model.fill("lease.left", &[("batch", &batch.to_string())]);
                lines.push(note(text, Role::Text));
            }
            (lines, None)
        }
        Answer::HostBlock(new) => {
            let words = [
                ("host", new.host.as_str()),
                ("version", new.identity.version.as_str()),
                ("file", new.file.as_str()),
            ];
            let head = model.fill("host.add", &words);
            (
                block_lines(model, &head, &new.block),
                Some(new.block.clone()),
            )
        }
        Answer::HostLines(gone) => {
            let (first, last) = (gone.first_line.to_string(), gone.last_line.to_string());
            let words = [
                ("host", gone.host.as_str()),
                ("first", first.as_str()),
                ("last", last.as_str()),
                ("file", gone.file.as_str()),
            ];
            let head = model.fill("host.remove", &words);
            (
                block_lines(model, &head, &gone.block),
                Some(gone.block.clone()),
            )
        }
        _ => return Vec::new(),
    };
    model.dialog = Some(Dialog::Message(Message::lines(lines)));
    copied.map(Effect::Copy).into_iter().collect()
}

fn block_lines(model: &Model, head: &str, block: &str) -> Vec<Note> {
    let mut lines = vec![note(head, Role::Text), Vec::new()];
    lines.extend(block.lines().map(|line| note(line, Role::Key)));
    lines.push(Vec::new());
    lines.push(note(model.say("host.block-copied"), Role::Muted));
    lines
}

fn preview_lines(model: &Model, look: &AccessPreview) -> Vec<Note> {
    let what = model.say(&format!("access-mode.{}", look.access));
    let head = if look.open {
        "preview.open"
    } else {
        "preview.shut"
    };
    let mut lines = vec![
        vec![
            Cell::new(format!("{} -> {}", look.provider, look.host), Role::Title),
            Cell::plain(format!("  {what}")),
        ],
        note(
            model.say(head),
            if look.open { Role::Ok } else { Role::Fail },
        ),
        Vec::new(),
    ];
    for row in &look.preconditions {
        let (glyph, role) = match row.holds {
            Holds::Yes => ("=", Role::Muted),
            Holds::Planned => ("+", Role::Create),
            Holds::No => ("x", Role::Fail),
            Holds::Unknown => ("?", Role::Unknown),
        };
        lines.push(vec![
            Cell::new(format!("{glyph} {}: ", row.name), role),
            Cell::plain(row.found.clone()),
        ]);
        if !row.next.is_empty() {
            lines.push(note(format!("    {}", row.next), Role::Key));
        }
    }
    lines
}
