//! Machines and hosts: how far away, which version, whether the connection stands.

use super::said::{age, clock, is_stale};
use crate::content::{Cell, Column, Content, List, Note, Row, field, note};
use crate::model::Model;
use crate::place::Place;
use crate::theme::Role;
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::{HostId, MachineId};
use cockpit_engine::board::{Known, LeaseState, Trouble};
use cockpit_engine::failure::FailureKind;

const COLUMNS: [Column; 9] = [
    Column::fit("", 1, 1, 0),
    Column::fit("col.host-name", 6, 20, 0),
    Column::fit("col.role", 4, 12, 2),
    Column::fit("col.machine", 4, 16, 4),
    Column::fit("col.version", 4, 12, 3),
    Column::fit("col.round-trip", 4, 8, 5).right(),
    Column::fit("col.tunnel", 2, 14, 6),
    Column::grow("col.state", 12, 0),
    Column::fit("col.age", 3, 4, 1).right(),
];

fn mark(trouble: &Trouble) -> (&'static str, Role) {
    match trouble.kind {
        FailureKind::Unreachable => ("/", Role::Unreachable),
        _ => ("x", Role::Fail),
    }
}

/// Whether the connection to a machine stands, and how often it was made anew.
fn tunnel(model: &Model, machine: &MachineId) -> Cell {
    let seen = model.board().machines.get(machine);
    match seen.map(|seen| (&seen.trouble, &seen.check)) {
        Some((Some(_), _)) => Cell::new(model.say("machine.down"), Role::Unreachable),
        Some((None, Some(check))) if check.value.reconnects > 0 => {
            let count = check.value.reconnects.to_string();
            Cell::new(
                model.fill("machine.again", &[("count", &count)]),
                Role::Warn,
            )
        }
        Some((None, Some(_))) => Cell::muted(model.say("machine.up")),
        _ => Cell::muted(""),
    }
}

/// Hosts in trouble first, then production; the config's order besides.
fn ordered(model: &Model) -> Vec<&HostSettings> {
    let mut hosts: Vec<&HostSettings> = model.setup.hosts.iter().collect();
    hosts.sort_by_key(|host| {
        let seen = model.board().hosts.get(&host.id);
        let troubled = seen.is_some_and(|seen| seen.trouble.is_some());
        (!troubled, !model.setup.is_production(&host.id))
    });
    hosts
}

pub(super) fn list(model: &Model) -> Content {
    let board = model.board();
    let rows = ordered(model)
        .into_iter()
        .map(|host| {
            let seen = board.hosts.get(&host.id);
            let probe = seen.and_then(|seen| seen.probe.as_ref());
            let trouble = seen.and_then(|seen| seen.trouble.as_ref());
            let ((glyph, role), state, at) = match (trouble, probe) {
                (Some(trouble), _) => (
                    mark(&trouble.value),
                    trouble.value.message.clone(),
                    Some(trouble.at_ms),
                ),
                (None, Some(probe)) if is_stale(model, probe.at_ms) => (
                    ("?", Role::Unknown),
                    model.say("verdict.stale"),
                    Some(probe.at_ms),
                ),
                (None, Some(probe)) => (
                    ("+", Role::Ok),
                    model.say("host.answers"),
                    Some(probe.at_ms),
                ),
                (None, None) => (("?", Role::Unknown), model.say("host.not-looked"), None),
            };
            // What is older than the newest trouble is not shown as if it were now.
            let fresh = probe.filter(|_| trouble.is_none());
            let round_trip = fresh.map_or_else(String::new, |probe| {
                format!("{} ms", probe.value.identity.round_trip_ms)
            });
            Row::new(
                host.id.as_str(),
                vec![
                    Cell::new(glyph, role),
                    Cell::plain(host.id.as_str()),
                    Cell::new(
                        model.say(&format!("role.{}", host.role.as_str())),
                        if model.setup.is_production(&host.id) {
                            Role::Title
                        } else {
                            Role::Text
                        },
                    ),
                    Cell::muted(host.machine.as_str()),
                    Cell::new(
                        probe.map_or("", |probe| probe.value.identity.version.as_str()),
                        if fresh.is_some() {
                            Role::Text
                        } else {
                            Role::Muted
                        },
                    ),
                    Cell::plain(round_trip),
                    tunnel(model, &host.machine),
                    Cell::new(state, if trouble.is_some() { role } else { Role::Muted }),
                    Cell::muted(at.map_or_else(String::new, |at| age(model, at))),
                ],
            )
            .broken(trouble.is_some() || probe.is_none())
            .opens(Place::Host(host.id.clone()))
        })
        .collect();
    Content::list(List {
        columns: COLUMNS.to_vec(),
        rows,
        empty: vec![note(model.say("hosts.empty"), Role::Text)],
    })
}

fn trouble_lines(model: &Model, trouble: &Known<Trouble>, lines: &mut Vec<Note>) {
    let (glyph, role) = mark(&trouble.value);
    let text = format!("{glyph} {}", trouble.value.message);
    lines.push(field(&model.say("field.found"), text, role));
    if !trouble.value.hint.is_empty() {
        lines.push(field(
            &model.say("field.next"),
            trouble.value.hint.clone(),
            Role::Key,
        ));
    }
    lines.push(field(
        &model.say("field.looked"),
        format!("{}, {}", clock(model, trouble.at_ms), trouble.value.doing),
        Role::Muted,
    ));
}

pub(super) fn host(model: &Model, id: &HostId) -> Content {
    let Some(settings) = model.setup.host(id) else {
        return Content::text(vec![note(model.say("host.gone"), Role::Muted)]);
    };
    let board = model.board();
    let mut lines = vec![
        vec![
            Cell::new(id.as_str(), Role::Title),
            Cell::plain(format!(
                "  {}  {}",
                model.say(&format!("role.{}", settings.role.as_str())),
                settings.address
            )),
        ],
        Vec::new(),
    ];
    if let Some(seen) = board.hosts.get(id) {
        if let Some(trouble) = &seen.trouble {
            trouble_lines(model, trouble, &mut lines);
        }
        if let Some(probe) = &seen.probe {
            let identity = &probe.value.identity;
            let text = format!(
                "{}, {} ms, {} ({})",
                identity.version,
                identity.round_trip_ms,
                identity.credential,
                age(model, probe.at_ms)
            );
            // Beside a newer refusal the last good look says nothing of now.
            let refused = seen.trouble.as_ref();
            let refused = refused.filter(|trouble| trouble.at_ms >= probe.at_ms);
            if refused.is_some() {
                let text = model.fill("host.before", &[("found", &text)]);
                lines.push(field(&model.say("field.host"), text, Role::Muted));
            } else {
                lines.push(field(&model.say("field.host"), text, Role::Text));
            }
            if let Some(at) = identity.login_at_ms {
                let until = identity.login_until_ms;
                let until = until.map_or_else(|| "?".to_owned(), |at| clock(model, at));
                let words = [("age", age(model, at)), ("until", until)];
                let words = words.each_ref().map(|(name, text)| (*name, text.as_str()));
                let text = model.fill("host.login", &words);
                lines.push(field(&model.say("field.login"), text, Role::Muted));
            }
            for writer in &probe.value.writers {
                let text = format!("{}: {}", writer.who, writer.what);
                let role = if writer.looked {
                    Role::Warn
                } else {
                    Role::Unknown
                };
                lines.push(field(&model.say("field.writer"), text, role));
            }
            if identity.captcha {
                lines.push(field("", model.say("host.captcha"), Role::Warn));
            }
            if identity.backend_mode {
                lines.push(field("", model.say("host.backend-mode"), Role::Warn));
            }
        }
    }
    lines.push(Vec::new());
    lines.push(note(
        format!("{} {}", model.say("field.machine"), settings.machine),
        Role::Title,
    ));
    if let Some(seen) = board.machines.get(&settings.machine) {
        if let Some(trouble) = &seen.trouble {
            trouble_lines(model, trouble, &mut lines);
        }
        if let Some(check) = &seen.check {
            let text = model.fill(
                "machine.answers",
                &[
                    ("system", &check.value.system),
                    ("ms", &check.value.round_trip_ms.to_string()),
                    ("count", &check.value.reconnects.to_string()),
                    ("age", &age(model, check.at_ms)),
                ],
            );
            lines.push(field(&model.say("field.tunnel"), text, Role::Text));
        }
    }
    for lease in board.leases.iter().filter(|lease| lease.host == *id) {
        let mut text = format!("{} {}", lease.provider, lease.info.owner);
        if lease.info.since_ms > 0 {
            text = format!("{text} ({})", age(model, lease.info.since_ms));
        }
        text = format!("{text}: {}", lease.info.reason);
        let role = match lease.state {
            LeaseState::Held if !lease.foreign => Role::Text,
            LeaseState::Unreadable => Role::Unknown,
            LeaseState::Held | LeaseState::Left => Role::Warn,
        };
        lines.push(field(&model.say("field.writer"), text, role));
        if lease.state == LeaseState::Left {
            let words = [("host", id.as_str()), ("provider", lease.provider.as_str())];
            let text = model.fill("lease.take", &words);
            lines.push(field("", text, Role::Key));
        }
    }
    lines.push(Vec::new());
    lines.push(field(
        &model.say("field.command"),
        format!("cockpit host probe {id}"),
        Role::Muted,
    ));
    Content::text(lines)
}
