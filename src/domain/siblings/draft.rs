//! A baseline pack out of what is seen on a machine: a text for a person to read, edit and pin.

use super::machine::{MachineSeen, ports, sites, starts};
use crate::baseline::nginx::Location;
use crate::ids::MachineId;
use crate::pack::Manager;
use std::fmt::Write as _;

/// What is drafted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftOf {
    /// Name of the machine or the host.
    pub name: String,
    /// The machine its checks look on.
    pub machine: MachineId,
    /// The host's address as seen from there, of a host.
    pub base: Option<String>,
}

/// One check as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftCheck {
    /// Its id.
    pub id: String,
    /// Its table of the pack.
    pub text: String,
}

/// A text as TOML has it. JSON's way of writing one is also TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn listed<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

/// A table with what every check says.
fn check(of: &DraftOf, id: &str, layer: &str, title: &str, look: &str) -> DraftCheck {
    let mut text = format!(
        "[[check]]\nid = {}\nlayer = \"{layer}\"\nlevel = \"must\"\n",
        quoted(id)
    );
    let vantage = quoted(&format!("machine:{}", of.machine));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "vantage = {vantage}\ntitle = {}", quoted(title));
    text.push_str("why = \"Seen when this was drafted: say here why it matters.\"\n");
    text.push_str("next_step = \"Say here what to do when it is not so.\"\n");
    text.push_str(look);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    DraftCheck {
        id: id.to_owned(),
        text,
    }
}

/// The checks that pin what was seen, one table each.
pub fn draft(of: &DraftOf, seen: &MachineSeen) -> Vec<DraftCheck> {
    let mut checks = Vec::new();
    if let Some(base) = &of.base {
        let look = format!(
            "http = {{ url = {}, status = 200 }}\n",
            quoted(&format!("{base}/health"))
        );
        checks.push(check(
            of,
            "host.health",
            "host",
            "The host answers its health call",
            &look,
        ));
        let url = quoted(&format!("{base}/v1/models"));
        let look = format!("http = {{ url = {url}, status = 401 }}\n");
        checks.push(check(
            of,
            "entry.no-key",
            "entry",
            "No key: the models are refused",
            &look,
        ));
    }
    if let Some(config) = &seen.nginx {
        for (at, (site, server)) in sites(config).into_iter().enumerate() {
            let mut look = format!("[check.nginx]\nserver_name = {}\n", quoted(&site));
            let mut any = false;
            for location in Location::all_in(server.directive) {
                if let Some(table) = pinned_location(&location) {
                    look.push_str(&table);
                    any = true;
                }
            }
            if any {
                let id = format!("entry.nginx-{}", at + 1);
                let title = format!("nginx: the locations of {site}");
                checks.push(check(of, &id, "entry", &title, &look));
            }
        }
    }
    if let Some(containers) = &seen.containers {
        let mut names: Vec<&str> = containers
            .iter()
            .filter(|one| one.running)
            .map(|one| one.name.as_str())
            .collect();
        names.sort_unstable();
        if !names.is_empty() {
            let look = format!(
                "containers = {{ running = {} }}\n",
                listed(names.into_iter())
            );
            checks.push(check(
                of,
                "host.containers",
                "host",
                "The containers run",
                &look,
            ));
        }
    }
    if let Some(listeners) = &seen.listeners {
        let ports = ports(listeners);
        let mut look = "[check.listening]\nexpect = [\n".to_owned();
        for (port, names) in &ports {
            let process = if names.is_empty() {
                String::new()
            } else {
                format!(", process = {}", listed(names.iter().map(String::as_str)))
            };
            let _ = writeln!(look, "    {{ port = {port}{process} }},");
        }
        look.push_str("]\n");
        if !ports.is_empty() {
            checks.push(check(
                of,
                "host.listening",
                "host",
                "The ports are served",
                &look,
            ));
        }
    }
    let own = seen.services.iter().map(|(manager, all)| (*manager, all));
    for (manager, services) in own.chain([(Manager::Pm2, &seen.apps)]) {
        let running = services
            .iter()
            .filter(|one| starts(manager, one) && one.running);
        let mut names: Vec<&str> = running.map(|one| one.name.as_str()).collect();
        names.sort_unstable();
        if names.is_empty() {
            continue;
        }
        let names = listed(names.into_iter());
        let (word, id, title) = match manager {
            Manager::Systemd => ("systemd", "host.services", "The services run"),
            Manager::Launchd => ("launchd", "host.services", "The services run"),
            Manager::Pm2 => ("pm2", "host.apps", "The apps of PM2 run"),
        };
        let look = format!("service = {{ manager = \"{word}\", running = {names} }}\n");
        checks.push(check(of, id, "host", title, &look));
    }
    for (at, (path, file)) in seen.folders.iter().enumerate() {
        let look = format!(
            "file = {{ path = {}, mode = \"{:04o}\", owner = {} }}\n",
            quoted(path),
            file.mode,
            quoted(&file.owner)
        );
        let id = format!("portal.folder-{}", at + 1);
        let title = format!("The folder {path} is as nginx needs it");
        checks.push(check(of, &id, "portal", &title, &look));
    }
    checks
}

/// A location as a pack writes it; nothing when it does none of what a pack can pin.
fn pinned_location(location: &Location<'_>) -> Option<String> {
    let mut table = format!(
        "[[check.nginx.location]]\npath = {}\n",
        quoted(location.path)
    );
    let modifier = location.modifier_text();
    if !modifier.is_empty() {
        let _ = writeln!(table, "modifier = {}", quoted(modifier));
    }
    let mut any = false;
    for name in ["proxy_pass", "alias", "root", "index", "try_files"] {
        if let Some(directive) = location.directive.child(name) {
            let _ = writeln!(table, "{name} = {}", quoted(&directive.value()));
            any = true;
        }
    }
    any.then_some(table)
}

/// The whole pack, with what was left out as comments.
pub fn assemble(of: &DraftOf, checks: &[DraftCheck], left_out: &[String]) -> String {
    let mut text = format!(
        "# A draft of what was seen on {}. Read it, say why each check matters, take out what does not,\n\
         # save it as packs/NAME/pack.toml of your packs folder, and name it as `baseline` of a host.\n",
        crate::text::clean_line(&of.name)
    );
    for line in left_out {
        let _ = writeln!(text, "# left out: {}", crate::text::clean_line(line));
    }
    let title = quoted(&format!("{} as it was drafted", of.name));
    let _ = writeln!(text, "schema = 1\nkind = \"baseline\"\ntitle = {title}");
    for check in checks {
        let _ = write!(text, "\n{}", check.text);
    }
    text
}
