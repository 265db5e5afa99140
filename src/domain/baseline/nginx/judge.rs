//! Holds an effective configuration against what a pack expects of it.

use super::effective::{Effect, Server, plain};
use super::location::Location;
use super::parse::{Directive, MARK, NginxConfig};
use crate::baseline::glob::matches_glob;
use crate::baseline::judgement::Judgement;
use crate::baseline::verdict::Verdict;
use crate::pack::{ExpectedLocation, NginxLook};
use std::fmt::Write as _;

/// Judges the text of `nginx -T`.
pub fn judge_nginx(look: &NginxLook, dump: &str) -> Judgement {
    let expected = expectation(look);
    let config = match read(look, dump) {
        Ok(config) => config,
        Err(reason) => {
            let what = look.file.as_deref().unwrap_or("the output of `nginx -T`");
            return Judgement::unknown(
                &format!("{what} cannot be read: {reason}"),
                dump.lines().next().unwrap_or_default(),
                "Run `nginx -T` there by hand and see whether it prints its files.",
            )
            .expecting(expected);
        }
    };
    let mut faults = banned_ports(look, &config);
    faults.extend(banned_names(look, &config));
    let mut undecided = Vec::new();
    let mut evidence = String::new();
    if let Some(name) = &look.server_name {
        match config.server_for(name) {
            None => faults.push(format!("no server block answers to `{name}`")),
            Some(server) => {
                for location in &look.location {
                    faults.extend(location_faults(&config, server, location));
                }
                for (uri, target) in &look.routes {
                    match route_fault(&config, server, uri, target) {
                        Ok(fault) => faults.extend(fault),
                        Err(reason) => undecided.push(reason),
                    }
                }
                faults.extend(strange_upstreams(look, &config, name));
                evidence = site_lines(server);
            }
        }
    }
    if evidence.is_empty() {
        evidence = proxy_lines(&config);
    }
    if faults.is_empty() && !undecided.is_empty() {
        return Judgement::unknown(
            &undecided.join("\n"),
            &evidence,
            "Follow these locations by hand, or write the site without them.",
        )
        .expecting(expected);
    }
    let good = if look.server_name.is_some() {
        format!(
            "{} locations and {} routes as expected",
            look.location.len(),
            look.routes.len()
        )
    } else if look.banned_names.is_empty() {
        "none of the banned ports is named".to_owned()
    } else {
        "nothing that is banned is named".to_owned()
    };
    if faults.is_empty() {
        return Judgement::new(Verdict::Ok, expected, &good, &evidence);
    }
    Judgement::of_faults(expected, &faults, &good, &evidence)
}

fn read(look: &NginxLook, dump: &str) -> Result<NginxConfig, String> {
    match &look.file {
        // A site's file stands inside `http`; on one line, so that places stay true.
        Some(path) => NginxConfig::read(&format!("{MARK}{path}:\nhttp {{{dump}\n}}\n")),
        None => NginxConfig::read(dump),
    }
}

/// Every directive of the site's server, one a line, without comments and the writer's own spacing: for
/// comparing it with another one.
pub fn server_text(look: &NginxLook, dump: &str) -> Option<String> {
    let config = read(look, dump).ok()?;
    let server = config.server_for(look.server_name.as_deref()?)?;
    let mut text = String::new();
    write_block(server.directive, 0, &mut text);
    Some(text)
}

fn write_block(directive: &Directive, depth: usize, text: &mut String) {
    let value = directive.value();
    let gap = if value.is_empty() { "" } else { " " };
    let _ = write!(text, "{:depth$}{}{gap}{value}", "", directive.name);
    match &directive.block {
        None => text.push_str(";\n"),
        Some(inner) => {
            text.push_str(" {\n");
            for directive in inner {
                write_block(directive, depth + 2, text);
            }
            let _ = writeln!(text, "{:depth$}}}", "");
        }
    }
}

pub(crate) fn expectation(look: &NginxLook) -> String {
    let mut parts = Vec::new();
    if let Some(name) = &look.server_name {
        let mut goes: Vec<String> = look
            .location
            .iter()
            .filter_map(|location| {
                let (_, value) = location.directives().first().copied()?;
                Some(format!("{} -> {value}", location.label()))
            })
            .collect();
        if goes.is_empty() {
            goes.extend(look.routes.iter().map(|(uri, to)| format!("{uri} -> {to}")));
        }
        parts.push(format!("`{name}`: {}", goes.join(", ")));
    }
    if !look.upstreams.is_empty() {
        parts.push(format!("upstreams only {}", look.upstreams.join(", ")));
    }
    if !look.banned_names.is_empty() {
        parts.push(format!("no word {}", look.banned_names.join(", ")));
    }
    if !look.banned_ports.is_empty() {
        let banned: Vec<String> = look.banned_ports.iter().map(u16::to_string).collect();
        parts.push(format!("nothing names port {}", banned.join(", ")));
    }
    parts.join("; ")
}

/// Every directive that names a banned port, with its place.
fn banned_ports(look: &NginxLook, config: &NginxConfig) -> Vec<String> {
    let mut faults = Vec::new();
    for directive in config.walk() {
        for port in &look.banned_ports {
            if directive
                .args
                .iter()
                .any(|arg| names_port(directive, arg, *port))
            {
                faults.push(format!(
                    "port {port} at {}: {} {}",
                    directive.place(),
                    directive.name,
                    directive.value()
                ));
            }
        }
    }
    faults
}

/// Whether an argument names a port: after a colon, or alone after `listen`.
fn names_port(directive: &Directive, arg: &str, port: u16) -> bool {
    let digits = port.to_string();
    if directive.name == "listen" && arg == digits {
        return true;
    }
    if directive.name == "set" && arg == digits {
        return true;
    }
    let needle = format!(":{digits}");
    arg.match_indices(&needle)
        .any(|(at, _)| !arg[at + needle.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

/// Every word that a banned name matches, with its place.
fn banned_names(look: &NginxLook, config: &NginxConfig) -> Vec<String> {
    let mut faults = Vec::new();
    for directive in config.walk() {
        let words = directive.args.iter().flat_map(|arg| {
            arg.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        });
        for word in words {
            if let Some(pattern) = look
                .banned_names
                .iter()
                .find(|name| matches_glob(name, word))
            {
                faults.push(format!(
                    "`{word}` at {} is banned by `{pattern}`",
                    directive.place()
                ));
            }
        }
    }
    faults
}

/// Upstreams that the site can reach and that are not on the list: of every server that answers to
/// its name, in every location.
fn strange_upstreams(look: &NginxLook, config: &NginxConfig, name: &str) -> Vec<String> {
    if look.upstreams.is_empty() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let named = |server: &Server<'_>| server.names().any(|own| own == name);
    for server in config.servers().into_iter().filter(named) {
        for directive in server.directive.walk() {
            let passes = directive.name.ends_with("_pass") && !directive.args.is_empty();
            if !passes {
                continue;
            }
            for target in config.targets(&directive.value()) {
                let at = target
                    .split_once("://")
                    .map_or(target.as_str(), |(_, rest)| rest);
                let at = at.split('/').next().unwrap_or(at);
                if !look
                    .upstreams
                    .iter()
                    .any(|pattern| matches_glob(pattern, at))
                {
                    faults.push(format!(
                        "{at} at {} is on no list of upstreams",
                        directive.place()
                    ));
                }
            }
        }
    }
    faults
}

fn location_faults(
    config: &NginxConfig,
    server: Server<'_>,
    expected: &ExpectedLocation,
) -> Vec<String> {
    let locations = Location::all_in(server.directive);
    let found = locations.iter().find(|location| {
        location.path == expected.path && location.modifier_text() == expected.modifier
    });
    let Some(found) = found else {
        let other = locations
            .iter()
            .find(|location| location.path == expected.path)
            .map(|location| {
                format!(
                    "; there is `{}` at {}",
                    location.label(),
                    location.directive.place()
                )
            })
            .unwrap_or_default();
        return vec![format!("location {} is missing{other}", expected.label())];
    };
    let mut faults = Vec::new();
    for (name, value) in expected.directives() {
        let Some(directive) = found.directive.child(name) else {
            faults.push(format!(
                "{} at {} has no {name}, expected {value}",
                found.label(),
                found.directive.place()
            ));
            continue;
        };
        let same = if name == "proxy_pass" {
            config
                .targets(&directive.value())
                .iter()
                .all(|target| *target == plain(value))
        } else {
            directive.value() == value
        };
        if !same {
            faults.push(format!(
                "{}: {name} {} at {}, expected {value}",
                found.label(),
                directive.value(),
                directive.place()
            ));
        }
    }
    faults
}

fn route_fault(
    config: &NginxConfig,
    server: Server<'_>,
    uri: &str,
    target: &str,
) -> Result<Option<String>, String> {
    let effect = server
        .effect(config, uri)
        .map_err(|reason| format!("{uri}: {}", reason.0))?;
    let found = match effect {
        Effect::Proxy(urls) if !urls.is_empty() && urls.iter().all(|url| *url == plain(target)) => {
            return Ok(None);
        }
        Effect::Proxy(urls) if urls.is_empty() => "an upstream without a server".to_owned(),
        Effect::Proxy(urls) => urls.join(" or "),
        Effect::Local(directive) => format!("`{directive}`"),
        Effect::Nothing => "no location that answers".to_owned(),
    };
    Ok(Some(format!("{uri} goes to {found}, expected {target}")))
}

/// The site's locations as evidence.
fn site_lines(server: Server<'_>) -> String {
    let mut out = String::new();
    for location in Location::all_in(server.directive) {
        let _ = writeln!(out, "{}  {}", location.directive.place(), location.label());
        for directive in location.directive.block.iter().flatten() {
            if matches!(
                directive.name.as_str(),
                "proxy_pass" | "alias" | "root" | "index" | "try_files" | "return" | "rewrite"
            ) {
                let _ = writeln!(
                    out,
                    "{}    {} {}",
                    directive.place(),
                    directive.name,
                    directive.value()
                );
            }
        }
    }
    out
}

/// Every upstream the configuration names, as evidence.
fn proxy_lines(config: &NginxConfig) -> String {
    let mut out = String::new();
    for directive in config.walk() {
        let upstream = directive.name == "server" && directive.block.is_none();
        if directive.name == "proxy_pass" || directive.name == "listen" || upstream {
            let _ = writeln!(
                out,
                "{}  {} {}",
                directive.place(),
                directive.name,
                directive.value()
            );
        }
    }
    out
}
