//! What a baseline pack pins, as facts.

use super::machine::prefix;
use super::{FactKind, Side};
use crate::pack::{BaselinePack, Look};

/// The side of a pack: only kinds it speaks of are compared.
pub fn pinned(pack: &BaselinePack) -> Side {
    let mut side = Side {
        name: pack.id.to_string(),
        ..Side::default()
    };
    for check in &pack.checks {
        match &check.look {
            Look::Containers(look) if !look.running.is_empty() => {
                let names = look.running.iter();
                side.put(
                    FactKind::Container,
                    names.map(|name| (name.clone(), "up".to_owned())),
                );
            }
            Look::Listening(look) if !look.expect.is_empty() => {
                side.seen.insert(FactKind::Port);
                for port in &look.expect {
                    // Patterns are held against what runs by the check itself.
                    let plain = port.process.iter().all(|name| !name.contains('*'));
                    let names =
                        (plain && !port.process.is_empty()).then(|| port.process.join(", "));
                    let key = (FactKind::Port, port.port.to_string());
                    side.facts.insert(key, names);
                }
            }
            Look::Service(look) if !look.running.is_empty() => {
                let prefix = prefix(look.manager);
                let names = look.running.iter();
                side.put(
                    FactKind::Service,
                    names.map(|name| (format!("{prefix}{name}"), "running".to_owned())),
                );
            }
            Look::Nginx(look) if !look.location.is_empty() => {
                let server = look.server_name.clone().unwrap_or_default();
                side.put(
                    FactKind::Location,
                    look.location.iter().map(|location| {
                        let does = location.directives().into_iter();
                        let does = does.map(|(name, value)| format!("{name} {value}"));
                        let does = does.collect::<Vec<_>>().join("; ");
                        (format!("{server} {}", location.label()), does)
                    }),
                );
            }
            _ => {}
        }
    }
    side
}
