//! What is seen on a machine, as facts.

use super::{FactKind, Side};
use crate::baseline::nginx::{Directive, Location, NginxConfig, Server};
use crate::baseline::{Container, FileSeen, Listener, Service};
use crate::pack::Manager;
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
    /// Services of the system's own manager.
    pub services: Option<(Manager, Vec<Service>)>,
    /// Apps of PM2, where it is there.
    pub apps: Vec<Service>,
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
        // Without the system's own manager nothing can be said of what runs beside PM2.
        if let Some((manager, services)) = &self.services {
            let told = |manager: Manager, service: &Service| {
                let state = if service.running {
                    "running"
                } else {
                    "not running"
                };
                (
                    format!("{}{}", prefix(manager), service.name),
                    state.to_owned(),
                )
            };
            let own = services.iter().filter(|one| starts(*manager, one));
            let apps = self.apps.iter().map(|app| told(Manager::Pm2, app));
            side.put(
                FactKind::Service,
                own.map(|one| told(*manager, one)).chain(apps),
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

/// What stands before the name of a service, so that an app is no service of the same name.
pub(super) fn prefix(manager: Manager) -> &'static str {
    match manager {
        Manager::Systemd | Manager::Launchd => "",
        Manager::Pm2 => "pm2 ",
    }
}

/// Whether a service starts with the machine: what a session began is gone tomorrow.
pub(super) fn starts(manager: Manager, service: &Service) -> bool {
    match manager {
        Manager::Systemd => service.enabled == Some(true) && service.name.ends_with(".service"),
        // Jobs of the system itself and of windows that are open are there on every Mac.
        Manager::Launchd => !["com.apple.", "application."]
            .iter()
            .any(|head| service.name.starts_with(head)),
        Manager::Pm2 => true,
    }
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
