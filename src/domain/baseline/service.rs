//! Services: what systemd, launchd and PM2 print, and what a pack expects of each.

use super::glob::matches_glob;
use super::judgement::Judgement;
use crate::pack::{Manager, ServiceLook};
use serde_json::Value;

/// One service as its manager knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Name.
    pub name: String,
    /// Whether it runs.
    pub running: bool,
    /// The manager's own word for how it is.
    pub state: String,
    /// Whether it starts with the machine; `None` when the manager does not say.
    pub enabled: Option<bool>,
    /// Restarts counted; `None` when the manager does not count.
    pub restarts: Option<u64>,
}

/// The words that list a look's services.
pub fn service_list(look: &ServiceLook) -> Vec<String> {
    let words: &[&str] = match look.manager {
        Manager::Systemd => &[
            "systemctl",
            "show",
            "--no-pager",
            "--property=Id,LoadState,ActiveState,SubState,UnitFileState,NRestarts",
            "--",
        ],
        Manager::Launchd => &["launchctl", "list"],
        Manager::Pm2 => &["pm2", "jlist"],
    };
    let mut argv: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    if look.manager == Manager::Systemd {
        // A pattern lists the loaded units that match it; a name is shown also when there is none.
        argv.extend(look.running.iter().chain(&look.banned).cloned());
    }
    argv
}

/// Reads what [`service_list`] prints.
///
/// # Errors
/// One sentence when it is nothing of the kind.
pub fn read_services(manager: Manager, text: &str) -> Result<Vec<Service>, String> {
    match manager {
        Manager::Systemd => text.split("\n\n").filter_map(unit).collect(),
        Manager::Launchd => text
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with("PID"))
            .map(job)
            .collect(),
        Manager::Pm2 => apps(text),
    }
}

/// `KEY=VALUE` lines of one unit; nothing for a blank block.
fn unit(block: &str) -> Option<Result<Service, String>> {
    let block = block.trim();
    if block.is_empty() {
        return None;
    }
    let field = |name: &str| {
        block
            .lines()
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.trim())
    };
    let Some(name) = field("Id") else {
        return Some(Err(format!(
            "`{}` is no unit",
            block.lines().next().unwrap_or_default()
        )));
    };
    let active = field("ActiveState").unwrap_or_default();
    let loaded = field("LoadState").unwrap_or_default();
    let state = if loaded == "loaded" {
        format!("{active} ({})", field("SubState").unwrap_or_default())
    } else {
        loaded.to_owned()
    };
    Some(Ok(Service {
        name: name.to_owned(),
        running: active == "active",
        state,
        enabled: field("UnitFileState").map(|word| word.starts_with("enabled")),
        restarts: field("NRestarts").and_then(|count| count.parse().ok()),
    }))
}

/// `PID STATUS LABEL`; no number means that it does not run.
fn job(line: &str) -> Result<Service, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [pid, status, label] = words.as_slice() else {
        return Err(format!("`{}` is no job", line.trim()));
    };
    let running = pid.parse::<u32>().is_ok();
    Ok(Service {
        name: (*label).to_owned(),
        running,
        state: if running {
            format!("pid {pid}")
        } else {
            format!("ended with {status}")
        },
        enabled: None,
        restarts: None,
    })
}

/// A JSON list of PM2's apps; lines of its daemon in front of it are passed over.
fn apps(text: &str) -> Result<Vec<Service>, String> {
    let start = text
        .match_indices('[')
        .map(|(at, _)| at)
        .find(|at| text[*at..].starts_with("[{") || text[*at..].trim_end() == "[]")
        .ok_or("there is no list of apps")?;
    let rows: Vec<Value> = serde_json::from_str(text[start..].trim())
        .map_err(|error| format!("the list of apps is no JSON: {error}"))?;
    rows.iter()
        .map(|row| {
            let name = row["name"].as_str().ok_or("an app without a name")?;
            let state = row["pm2_env"]["status"].as_str().unwrap_or("unknown");
            Ok(Service {
                name: name.to_owned(),
                running: state == "online",
                state: state.to_owned(),
                enabled: None,
                restarts: row["pm2_env"]["restart_time"].as_u64(),
            })
        })
        .collect()
}

/// Judges the services.
pub fn judge_services(look: &ServiceLook, seen: &[Service]) -> Judgement {
    let mut faults = Vec::new();
    for name in &look.running {
        let found = seen
            .iter()
            .find(|service| service.name == *name || service.name == format!("{name}.service"));
        match found {
            None => faults.push(format!("`{name}` is not known")),
            Some(service) => faults.extend(faults_of(look, name, service)),
        }
    }
    for service in seen.iter().filter(|service| service.running) {
        let banned = look
            .banned
            .iter()
            .find(|pattern| matches_glob(pattern, &service.name));
        if let Some(pattern) = banned {
            faults.push(format!(
                "`{}` runs and is banned by `{pattern}`: {}",
                service.name, service.state
            ));
        }
    }
    let evidence: Vec<String> = seen
        .iter()
        .map(|service| {
            let restarts = service
                .restarts
                .map_or(String::new(), |count| format!("  {count} restarts"));
            format!("{}  {}{restarts}", service.name, service.state)
        })
        .collect();
    let good = format!("{} expected services run", look.running.len());
    Judgement::of_faults(expectation(look), &faults, &good, &evidence.join("\n"))
}

fn faults_of(look: &ServiceLook, name: &str, service: &Service) -> Vec<String> {
    let mut faults = Vec::new();
    if !service.running {
        faults.push(format!("`{name}` does not run: {}", service.state));
    }
    if look.enabled && service.enabled != Some(true) {
        faults.push(format!("`{name}` does not start with the machine"));
    }
    if let (Some(most), Some(count)) = (look.max_restarts, service.restarts)
        && count > most
    {
        faults.push(format!(
            "`{name}` was restarted {count} times, expected at most {most}"
        ));
    }
    faults
}

pub(super) fn expectation(look: &ServiceLook) -> String {
    let mut parts = Vec::new();
    if !look.running.is_empty() {
        parts.push(format!("running: {}", look.running.join(", ")));
    }
    if look.enabled {
        parts.push("started with the machine".to_owned());
    }
    parts.extend(
        look.max_restarts
            .map(|most| format!("at most {most} restarts")),
    );
    if !look.banned.is_empty() {
        parts.push(format!("banned: {}", look.banned.join(", ")));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: &str = "Id=nginx.service\nLoadState=loaded\nActiveState=active\nSubState=running\n\
        UnitFileState=enabled\nNRestarts=0\n\nId=app.service\nLoadState=loaded\nActiveState=activating\n\
        SubState=auto-restart\nUnitFileState=disabled\nNRestarts=12\n\nId=gone.service\nLoadState=not-found\n\
        ActiveState=inactive\nSubState=dead\nUnitFileState=\nNRestarts=0\n";
    const JOBS: &str = "PID\tStatus\tLabel\n501\t0\tcom.example.gateway\n-\t78\tcom.example.sync\n";
    const APPS: &str = r#">>>> In-memory PM2 is out-of-date, do:
[{"name":"web","pm2_env":{"status":"online","restart_time":2}},{"name":"sync","pm2_env":{"status":"errored","restart_time":10}}]"#;

    fn look(manager: Manager, running: &[&str]) -> ServiceLook {
        ServiceLook {
            manager,
            running: running.iter().map(|name| (*name).to_owned()).collect(),
            banned: Vec::new(),
            enabled: manager == Manager::Systemd,
            max_restarts: (manager != Manager::Launchd).then_some(9),
        }
    }

    fn found(look: &ServiceLook, text: &str) -> String {
        judge_services(look, &read_services(look.manager, text).unwrap()).found
    }

    #[test]
    fn services_of_every_manager_are_read_and_judged() {
        use Manager::{Launchd, Pm2, Systemd};
        let rows = [
            (Systemd, UNITS, "nginx", "1 expected services run"),
            (
                Systemd,
                UNITS,
                "app.service",
                "`app.service` does not run: activating (auto-restart)\n\
                 `app.service` does not start with the machine\n\
                 `app.service` was restarted 12 times, expected at most 9",
            ),
            (
                Systemd,
                UNITS,
                "gone.service",
                "`gone.service` does not run: not-found\n`gone.service` does not start with the machine",
            ),
            (
                Launchd,
                JOBS,
                "com.example.gateway",
                "1 expected services run",
            ),
            (
                Launchd,
                JOBS,
                "com.example.sync",
                "`com.example.sync` does not run: ended with 78",
            ),
            (
                Launchd,
                JOBS,
                "com.example.no",
                "`com.example.no` is not known",
            ),
            (Pm2, APPS, "web", "1 expected services run"),
            (
                Pm2,
                APPS,
                "sync",
                "`sync` does not run: errored\n`sync` was restarted 10 times, expected at most 9",
            ),
        ];
        for (manager, text, name, expected) in rows {
            assert_eq!(
                found(&look(manager, &[name]), text),
                expected,
                "{manager:?} {name}"
            );
        }
        let mut banned = look(Pm2, &["web"]);
        banned.banned = vec!["we*".to_owned()];
        assert_eq!(
            found(&banned, APPS),
            "`web` runs and is banned by `we*`: online"
        );
        assert_eq!(read_services(Pm2, "[]"), Ok(Vec::new()));
        for (manager, text) in [
            (Pm2, "pm2: error"),
            (Launchd, "Could not find domain"),
            (Systemd, "Failed to connect"),
        ] {
            assert!(read_services(manager, text).is_err(), "{manager:?}");
        }
    }
}
