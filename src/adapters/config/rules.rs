//! What holds between hosts: no two names for one, and nothing non-production takes what
//! production uses.

use super::hosts::HostDraft;
use super::read::Reader;
use cockpit_domain::host::Role;

/// Checks every rule between hosts.
pub(super) fn check(reader: &mut Reader<'_>, hosts: &[HostDraft]) {
    for (index, host) in hosts.iter().enumerate() {
        for earlier in &hosts[..index] {
            one_name_each(reader, host, earlier);
        }
        if host.settings.role == Role::Production || !host.is_on_machine() {
            continue;
        }
        let neighbours = hosts.iter().filter(|other| {
            other.settings.role == Role::Production
                && other.is_on_machine()
                && other.settings.machine == host.settings.machine
        });
        for production in neighbours {
            beside_production(reader, host, production);
        }
    }
}

/// Two names would be two leases, and two writers at once.
fn one_name_each(reader: &mut Reader<'_>, host: &HostDraft, earlier: &HostDraft) {
    if host.settings.machine == earlier.settings.machine && place(host) == place(earlier) {
        reader.fault(
            &host.span("address"),
            format!(
                "hosts `{}` and `{}` are one: same machine, same address",
                earlier.settings.id, host.settings.id
            ),
            "keep one of the two",
        );
    }
}

/// An address with the names of the own computer folded into one.
fn place(host: &HostDraft) -> String {
    let address = host.settings.address.trim_end_matches('/').to_lowercase();
    match address.rsplit_once(':') {
        Some(("localhost" | "127.0.0.1" | "0.0.0.0" | "[::1]", port)) => {
            format!("127.0.0.1:{port}")
        }
        _ => address,
    }
}

fn beside_production(reader: &mut Reader<'_>, host: &HostDraft, production: &HostDraft) {
    let (name, other) = (&host.settings.id, &production.settings.id);
    if host.settings.role != Role::Temporary {
        reader.fault(
            &host.span("role"),
            format!(
                "host `{name}` shares machine `{}` with production host `{other}`, so it must be temporary",
                host.settings.machine
            ),
            "write role = \"temporary\" with reason, port, container and expires, or use another machine",
        );
        return;
    }
    let own_port = host.extras.temporary.as_ref().map(|stay| stay.port);
    for (key, port) in [("port", own_port), ("address", host.port())] {
        if port.is_some() && port == production.port() && place(host) != place(production) {
            reader.fault(
                &host.span(key),
                format!("`{key}` takes the port of production host `{other}`"),
                "give the temporary host a port of its own",
            );
        }
    }
    let theirs = [
        &production.extras.container,
        &production.settings.db_container,
        &production.settings.redis_container,
    ];
    for (key, own) in [
        ("container", &host.extras.container),
        ("db_container", &host.settings.db_container),
        ("redis_container", &host.settings.redis_container),
    ] {
        if own.is_some() && theirs.contains(&own) {
            reader.fault(
                &host.span(key),
                format!("`{key}` is a container of production host `{other}`"),
                "give the temporary host containers and a database of its own",
            );
        }
    }
    if host.extras.env_file.is_some() && host.extras.env_file == production.extras.env_file {
        reader.fault(
            &host.span("env_file"),
            format!("`env_file` is the one of production host `{other}`, and so is its database"),
            "give the temporary host an environment and a database of its own",
        );
    }
}
