//! `docker ps|logs|stop|start|restart|rm|inspect|exec`, rendered from the containers.

use super::answer::{Follow, last};
use super::docker_format::{fields, render, state};
use super::psql::psql;
use super::{Answer, Container, ContainerState, Machine, Output};
use serde_json::json;
use std::collections::BTreeMap;

impl Machine {
    pub(super) fn docker(&self, arguments: &[&str]) -> Answer {
        let Some((verb, rest)) = arguments.split_first() else {
            return Output::fail(1, "docker: name a command\n").into();
        };
        match (*verb, rest) {
            ("container", rest) if !rest.is_empty() => self.docker(rest),
            ("ps" | "ls", rest) => self.ps_containers(rest).into(),
            ("logs", rest) => self.logs(rest),
            ("stop" | "kill", names) => each(names, |name| self.stop(name)).into(),
            ("start" | "restart", names) => each(names, |name| self.start(name)).into(),
            ("rm", names) => each(names, |name| self.remove(name)).into(),
            ("exec", rest) => self.exec_in(rest).into(),
            ("inspect", rest) => self.inspect(rest).into(),
            ("version" | "--version", _) => {
                Output::out("Docker version 27.5.1, build 9f9e405\n").into()
            }
            (other, _) => Output::fail(
                1,
                format!("docker: '{other}' is not a docker command.\nSee 'docker --help'\n"),
            )
            .into(),
        }
    }

    fn ps_containers(&self, arguments: &[&str]) -> Output {
        let (mut all, mut full, mut quiet) = (false, false, false);
        let (mut format, mut filters) = (None, Vec::new());
        let mut rest = arguments.iter().copied();
        while let Some(argument) = rest.next() {
            match argument {
                "-a" | "--all" => all = true,
                "--no-trunc" => full = true,
                "-q" | "--quiet" => quiet = true,
                "-aq" | "-qa" => (all, quiet) = (true, true),
                "--format" => format = rest.next(),
                "-f" | "--filter" => filters.extend(rest.next()),
                other => {
                    if let Some(value) = other.strip_prefix("--format=") {
                        format = Some(value);
                    } else if let Some(value) = other.strip_prefix("--filter=") {
                        filters.push(value);
                    } else {
                        return Output::fail(125, format!("unknown flag: {other}\n"));
                    }
                }
            }
        }
        let shown = |container: &Container| {
            (all || !matches!(container.state, ContainerState::Exited { .. }))
                && filters.iter().all(|filter| match filter.split_once('=') {
                    Some(("name", part)) => container.name.contains(part.trim_matches(['^', '$'])),
                    Some(("status", word)) => state(container.state) == word,
                    _ => false,
                })
        };
        let mut containers: Vec<Container> = self.containers().into_iter().filter(shown).collect();
        // docker lists the youngest first.
        containers.sort_by_key(|container| std::cmp::Reverse(container.created));
        let rows: Vec<_> = containers
            .iter()
            .map(|container| fields(container, full))
            .collect();
        let format = if quiet { Some("{{.ID}}") } else { format };
        match render(&rows, format) {
            Ok(text) => Output::out(text),
            Err(error) => Output::fail(1, format!("{error}\n")),
        }
    }

    fn logs(&self, arguments: &[&str]) -> Answer {
        let (mut follow, mut count, mut name) = (false, usize::MAX, None);
        let mut rest = arguments.iter().copied();
        while let Some(argument) = rest.next() {
            match argument {
                "-f" | "--follow" => follow = true,
                "-n" | "--tail" => count = tail(rest.next()),
                "--since" | "--until" => {
                    rest.next();
                }
                "-t" | "--timestamps" | "--" => {}
                other => {
                    if let Some(value) = other.strip_prefix("--tail=") {
                        count = tail(Some(value));
                    } else if other.starts_with("--since=") {
                        // Every line of the lab is young.
                    } else if other.starts_with('-') {
                        return Output::fail(125, format!("unknown flag: {other}\n")).into();
                    } else {
                        name = Some(other);
                    }
                }
            }
        }
        let name = name.unwrap_or_default();
        let Some(container) = self.find(name) else {
            return no_such(name).into();
        };
        let (lines, next) = container.log.lines_from(0);
        let output = Output {
            lines: last(lines, count),
            code: 0,
        };
        if follow && container.running() {
            Answer::following(output, Follow::new(container.log, next, |_| true))
        } else {
            output.into()
        }
    }

    fn find(&self, name: &str) -> Option<Container> {
        let named = |known: &Container| {
            known.name == name || (name.len() >= 6 && known.id().starts_with(name))
        };
        self.containers().into_iter().find(named)
    }

    /// `docker exec NAME PROGRAM`: the container's own settings and whether it answers.
    fn exec_in(&self, arguments: &[&str]) -> Output {
        let mut rest = arguments.iter().copied();
        let mut name = "";
        while let Some(argument) = rest.next() {
            match argument {
                "-u" | "--user" | "-w" | "-e" => {
                    rest.next();
                }
                flag if flag.starts_with('-') => {}
                found => {
                    name = found;
                    break;
                }
            }
        }
        let words: Vec<&str> = rest.collect();
        let Some(container) = self.find(name) else {
            return no_such(name);
        };
        if !container.running() {
            let failed = format!("Error response from daemon: container {name} is not running\n");
            return Output::fail(1, failed);
        }
        let row = |(name, value): &(String, String)| format!("{name}={value}\n");
        match (words.as_slice(), container.port) {
            (["env" | "printenv"], _) => {
                Output::out(container.env.iter().map(row).collect::<String>())
            }
            (["printenv", wanted], _) => {
                match container.env.iter().find(|(name, _)| name == wanted) {
                    Some((_, value)) => Output::out(format!("{value}\n")),
                    None => Output::code(1),
                }
            }
            (["redis-cli", "ping"], 6379) => Output::out("PONG\n"),
            (["pg_isready", ..], 5432) => {
                Output::out("/var/run/postgresql:5432 - accepting connections\n")
            }
            (["psql", words @ ..], 5432) => psql(&container, words),
            ([program, ..], _) => Output::fail(
                127,
                format!(
                    "OCI runtime exec failed: exec: \"{program}\": executable file not found in $PATH\n"
                ),
            ),
            ([], _) => Output::fail(1, "docker: name a program\n"),
        }
    }

    /// `docker inspect NAME [--format '{{json .Config.Env}}']`: the few parts a check reads.
    fn inspect(&self, arguments: &[&str]) -> Output {
        let (mut format, mut name) = (None, "");
        let mut rest = arguments.iter().copied();
        while let Some(argument) = rest.next() {
            match argument {
                "-f" | "--format" => format = rest.next(),
                other => match other.strip_prefix("--format=") {
                    Some(value) => format = Some(value),
                    None => name = other,
                },
            }
        }
        let Some(container) = self.find(name) else {
            let failed = format!("Error: No such object: {name}\n");
            return Output::fail(1, failed).and_out("[]\n");
        };
        let env: Vec<String> = container
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let (ContainerState::Running { since: started }
        | ContainerState::Restarting { since: started, .. }
        | ContainerState::Exited { since: started, .. }) = container.state;
        let all = json!({
            "Id": container.id(),
            "Name": format!("/{}", container.name),
            "Created": container.created.to_string(),
            "State": {
                "Status": state(container.state),
                "Running": container.running(),
                "Restarting": matches!(container.state, ContainerState::Restarting { .. }),
                "StartedAt": started.to_string(),
            },
            "Config": {
                "Image": container.image,
                "Env": env,
                "Hostname": &container.id()[..12],
                "Labels": container.labels.iter().copied().collect::<BTreeMap<_, _>>(),
            },
            "RestartCount": if container.running() { 0 } else { 12 },
            "NetworkSettings": { "Networks": { "sub2api_default": {
                "Aliases": [container.name, &container.id()[..12]],
            } } },
        });
        let Some(format) = format else {
            return Output::out(format!("{:#}\n", json!([all])));
        };
        let inner = format
            .trim()
            .trim_start_matches("{{")
            .trim_end_matches("}}")
            .trim();
        let (quoted, path) = match inner.strip_prefix("json ") {
            Some(path) => (true, path.trim()),
            None => (false, inner),
        };
        match (
            all.pointer(&path.trim_end_matches('.').replace('.', "/")),
            quoted,
        ) {
            (Some(serde_json::Value::String(text)), false) => Output::out(format!("{text}\n")),
            (Some(value), _) => Output::out(format!("{value}\n")),
            (None, _) => Output::fail(1, format!("template: can't evaluate field {path}\n")),
        }
    }
}

/// Acts on each name and says it, or says that there is none.
fn each(names: &[&str], act: impl Fn(&str) -> bool) -> Output {
    let mut output = Output::default();
    for name in names.iter().filter(|name| !name.starts_with('-')) {
        if act(name) {
            output = output.and_out(format!("{name}\n"));
        } else {
            let failed = no_such(name);
            output.lines.extend(failed.lines);
            output.code = failed.code;
        }
    }
    output
}

fn tail(text: Option<&str>) -> usize {
    text.and_then(|text| text.parse().ok())
        .unwrap_or(usize::MAX)
}

fn no_such(name: &str) -> Output {
    Output::fail(
        1,
        format!("Error response from daemon: No such container: {name}\n"),
    )
}
