//! What is seen on a machine, as facts.

use super::{FactKind, Side};
use crate::baseline::nginx::{Directive, Location, NginxConfig, Server};
use crate::baseline::{Container, FileSeen, Listener, Service};
use std::collections::{BTreeMap, BTreeSet};

/// From here on the system gives ports to whoever asks: they are others tomorrow.
pub(super) const FIRST_PASSING_PORT: u16 = 32_768;
/// Directives that say what a location does.
const DOES: [&str; 6] = [
    "proxy_pass",
    "alias",
    "root",
    "index",
    "try_files",
    "return",
];

/// What the looks at a machine came to; `None` for what could not be looked at.
#[derive(Debug, Default)]
pub struct MachineSeen {
    /// `Linux`, `Darwin`.
    pub system: String,
    /// Running containers.
    pub containers: Option<Vec<Container>>,
    /// Listening ports.
    pub listeners: Option<Vec<Listener>>,
    /// Services of systemd.
    pub services: Option<Vec<Service>>,
    /// The effective nginx configuration.
    pub nginx: Option<NginxConfig>,
    /// Folders that nginx serves.
    pub folders: Vec<(String, FileSeen)>,
}

impl MachineSeen {
    /// Puts what was seen into a side.
    pub fn into_side(&self, side: &mut Side) {
        side.put(
            FactKind::System,
            [("kernel".to_owned(), self.system.clone())],
        );
        if let Some(containers) = &self.containers {
            let up = || containers.iter().filter(|one| one.running);
            let state = |one: &Container| {
                let state = if one.is_unhealthy() {
                    "unhealthy"
                } else {
                    "up"
                };
                (one.name.clone(), state.to_owned())
            };
            side.put(FactKind::Container, up().map(state));
            let image = |one: &Container| (one.name.clone(), one.image.clone());
            side.put(FactKind::Image, up().map(image));
        }
        if let Some(listeners) = &self.listeners {
            let ports = ports(listeners);
            side.put(
                FactKind::Port,
                ports
                    .into_iter()
                    .map(|(port, names)| (port.to_string(), names.join(", "))),
            );
        }
        if let Some(services) = &self.services {
            let running = services.iter().filter(|service| starts(service));
            side.put(
                FactKind::Service,
                running.map(|service| {
                    let state = if service.running {
                        "running"
                    } else {
                        "not running"
                    };
                    (service.name.clone(), state.to_owned())
                }),
            );
        }
        if let Some(config) = &self.nginx {
            let rows = sites(config).into_iter().flat_map(|(name, server)| {
                let locations = Location::all_in(server.directive);
                locations
                    .iter()
                    .map(|location| (format!("{name} {}", label(location)), does(location)))
                    .collect::<Vec<_>>()
            });
            side.put(FactKind::Location, rows);
            let folders = self.folders.iter();
            side.put(
                FactKind::Folder,
                folders.map(|(path, seen)| {
                    let how = format!("{:o} {}:{}", seen.mode, seen.owner, seen.group);
                    (path.clone(), how)
                }),
            );
        }
    }
}

/// Lasting ports, each with the names of the processes behind it, as far as they may be seen.
pub(super) fn ports(listeners: &[Listener]) -> BTreeMap<u16, Vec<String>> {
    let mut ports: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
    for listener in listeners.iter().filter(|row| row.port < FIRST_PASSING_PORT) {
        let names = ports.entry(listener.port).or_default();
        names.extend(listener.processes.iter().map(|(name, _)| name.clone()));
    }
    ports
        .into_iter()
        .map(|(port, names)| (port, names.into_iter().collect()))
        .collect()
}

/// Whether a service starts with the machine: what a session began is gone tomorrow.
pub(super) fn starts(service: &Service) -> bool {
    service.enabled == Some(true) && service.name.ends_with(".service")
}

/// The named sites, each with the server that answers to the name.
pub(super) fn sites(config: &NginxConfig) -> BTreeMap<String, Server<'_>> {
    let servers = config.servers();
    let names: BTreeSet<String> = servers
        .iter()
        .flat_map(Server::names)
        .filter(|name| {
            name.contains('.') && !name.starts_with(['~', '*', '.']) && !name.ends_with('*')
        })
        .map(str::to_owned)
        .collect();
    names
        .into_iter()
        .filter_map(|name| config.server_for(&name).map(|server| (name, server)))
        .collect()
}

/// As a pack writes it.
fn label(location: &Location<'_>) -> String {
    let modifier = location.modifier_text();
    if modifier.is_empty() {
        location.path.to_owned()
    } else {
        format!("{modifier} {}", location.path)
    }
}

fn does(location: &Location<'_>) -> String {
    let said = DOES.iter().filter_map(|name| {
        let directive = location.directive.child(name)?;
        Some(format!("{name} {}", directive.value()))
    });
    said.collect::<Vec<_>>().join("; ")
}

/// Folders that the sites serve, each once.
pub fn folders(config: &NginxConfig) -> Vec<String> {
    let mut found = BTreeSet::new();
    for server in sites(config).values() {
        for location in Location::all_in(server.directive) {
            for name in ["alias", "root"] {
                let value = location.directive.child(name).map(Directive::value);
                found.extend(value.filter(|path| path.starts_with('/') && !path.contains('$')));
            }
        }
    }
    found.into_iter().collect()
}
