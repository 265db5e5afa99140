//! One `[host.NAME]`, without the rules between hosts.

use super::credential::admin;
use super::read::{Placed, Reader, Section};
use super::{HostExtras, Temporary};
use crate::secrets::CredentialRef;
use cockpit_domain::finding::suggest;
use cockpit_domain::host::{HostSettings, Role};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const KEYS: [&str; 15] = [
    "machine",
    "address",
    "role",
    "baseline",
    "in_flight",
    "calls_per_second",
    "neighbours",
    "db_container",
    "redis_container",
    "container",
    "env_file",
    "admin",
    "reason",
    "port",
    "expires",
];

/// A host with the places of its values, for the rules between hosts.
pub(super) struct HostDraft {
    pub(super) settings: HostSettings,
    pub(super) extras: HostExtras,
    pub(super) credential: Option<CredentialRef>,
    /// Where the values stand, by key.
    pub(super) spans: BTreeMap<&'static str, Range<usize>>,
}

impl HostDraft {
    /// Where a value stands.
    pub(super) fn span(&self, key: &str) -> Range<usize> {
        self.spans.get(key).cloned().unwrap_or_default()
    }

    /// Whether it stands on its machine, rather than being looked at from there.
    pub(super) fn is_on_machine(&self) -> bool {
        !self.settings.address.contains("://")
    }

    /// The port it takes on its machine.
    pub(super) fn port(&self) -> Option<u16> {
        if self.is_on_machine() {
            self.settings.address.rsplit_once(':')?.1.parse().ok()
        } else {
            None
        }
    }
}

/// Reads a host. `None` when too little of it can be used; the findings say why.
pub(super) fn host(
    reader: &mut Reader<'_>,
    name: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    machines: &[String],
) -> Option<HostDraft> {
    let at = name.span();
    let id = reader.id(name.get_ref(), &at, |text| HostId::new(text).ok());
    let Some(table) = value.get_ref().as_table() else {
        reader.wrong_type(value, "a table", "write [host.NAME] with its keys below");
        return None;
    };
    let what = format!("host `{}`", id.as_ref().map_or("?", HostId::as_str));
    let section = Section {
        table,
        what: &what,
        at: &at,
    };
    reader.known_keys(table, &KEYS);

    let mut spans = BTreeMap::from([("name", at.clone())]);
    let address = reader
        .wanted_text(section, "address", "\"127.0.0.1:8080\"")
        .and_then(|text| address(reader, text));
    let machine = machine(reader, section, machines);
    let role = reader.wanted_text(section, "role", "\"production\"");
    let role = reader.word(
        role,
        &[
            ("production", Role::Production),
            ("acceptance", Role::Acceptance),
            ("temporary", Role::Temporary),
        ],
    );
    if let Some(role) = &role {
        spans.insert("role", role.span.clone());
    }
    let baseline = reader
        .text(table, "baseline")
        .and_then(|text| reader.id(&text.value, &text.span, |text| PackId::new(text).ok()));
    let in_flight = pace(reader, table, "in_flight");
    let calls_per_second = pace(reader, table, "calls_per_second");
    let neighbours = neighbours(reader, table);
    let mut container = |reader: &mut Reader<'_>, key: &'static str| {
        let text = reader.text(table, key)?;
        spans.insert(key, text.span.clone());
        container_name(reader, text)
    };
    let db_container = container(reader, "db_container");
    let redis_container = container(reader, "redis_container");
    let own_container = container(reader, "container");
    let env_file = env_file(reader, table, &mut spans);
    let temporary = temporary(
        reader,
        section,
        role.as_ref().map(|role| role.value),
        &mut spans,
    );
    let credential = table.get("admin").and_then(|value| admin(reader, value));

    let (id, address, role) = (id?, address?, role?.value);
    spans.insert("address", address.span);
    Some(HostDraft {
        settings: HostSettings {
            id,
            machine: machine?,
            address: address.value,
            role,
            baseline,
            in_flight: in_flight.unwrap_or(HostSettings::IN_FLIGHT),
            calls_per_second,
            neighbours,
            db_container,
            redis_container,
        },
        extras: HostExtras {
            container: own_container,
            env_file,
            temporary,
        },
        credential,
        spans,
    })
}

fn machine(
    reader: &mut Reader<'_>,
    section: Section<'_>,
    machines: &[String],
) -> Option<MachineId> {
    let address = section.table.get("address");
    let is_url = address
        .and_then(|address| address.get_ref().as_str())
        .is_some_and(|address| address.contains("://"));
    if is_url && !section.table.contains_key("machine") {
        return Some(MachineId::local());
    }
    let text = reader.wanted_text(section, "machine", "\"NAME\"")?;
    known_machine(reader, section.what, &text, machines)
}

/// A machine that this file describes, or `local`.
pub(super) fn known_machine(
    reader: &mut Reader<'_>,
    what: &str,
    text: &Placed<String>,
    machines: &[String],
) -> Option<MachineId> {
    let machine = reader.id(&text.value, &text.span, |text| MachineId::new(text).ok())?;
    if !machine.is_local() && !machines.contains(&text.value) {
        let mut valid: Vec<&str> = machines.iter().map(String::as_str).collect();
        valid.push("local");
        reader.fault(
            &text.span,
            format!("{what} names machine `{machine}`, which is not in this file"),
            format!(
                "{} or add [machine.{machine}]",
                suggest(&text.value, &valid)
            ),
        );
    }
    Some(machine)
}

/// `host:port` on the machine, or a public `https://` URL.
fn address(reader: &mut Reader<'_>, text: Placed<String>) -> Option<Placed<String>> {
    let hint = "write `127.0.0.1:8080` as seen from the machine, or a public `https://` URL";
    if let Some((scheme, rest)) = text.value.split_once("://") {
        let url = url::Url::parse(&text.value).ok();
        let plain = url.as_ref().is_some_and(|url| {
            url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if scheme == "https" && plain {
            return Some(text);
        }
        let message = if rest.contains('@') {
            "an address carries no user and no password"
        } else if scheme == "https" {
            "this is no address"
        } else {
            "only `https://` is taken as a URL: the admin key must not travel in the clear"
        };
        reader.fault(&text.span, message, hint);
        return None;
    }
    if is_host_port(&text.value) {
        Some(text)
    } else {
        reader.fault(&text.span, "this is no address", hint);
        None
    }
}

fn is_host_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
        !host.is_empty()
            && !host.starts_with('-')
            && host.chars().all(is_host)
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// Where another control plane may listen on the host's machine.
fn neighbours(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Vec<String> {
    let Some(value) = table.get("neighbours") else {
        return Vec::new();
    };
    let Some(list) = value.get_ref().as_array() else {
        reader.wrong_type(value, "a list", "write [\"127.0.0.1:18190\"]");
        return Vec::new();
    };
    let mut addresses = Vec::new();
    for value in list {
        let Some(text) = reader.text_of(value) else {
            continue;
        };
        if is_host_port(&text.value) {
            addresses.push(text.value);
        } else {
            let hint = "write `127.0.0.1:18190` as seen from the host's machine";
            reader.fault(&text.span, "this is no address of a neighbour", hint);
        }
    }
    addresses
}

/// A name that cannot be taken for an option by the program that gets it.
pub(super) fn container_name(reader: &mut Reader<'_>, text: Placed<String>) -> Option<String> {
    let good = text.value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if good {
        return Some(text.value);
    }
    reader.fault(
        &text.span,
        "this is no container name",
        "letters, digits, `_`, `-`, `.`, beginning with a letter or digit",
    );
    None
}

fn env_file(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    spans: &mut BTreeMap<&'static str, Range<usize>>,
) -> Option<String> {
    let text = reader.text(table, "env_file")?;
    spans.insert("env_file", text.span.clone());
    if text.value.starts_with('/') {
        return Some(text.value);
    }
    reader.fault(
        &text.span,
        "`env_file` is a path on the machine and must begin with `/`",
        "write the whole path as it is there",
    );
    None
}

/// What only a temporary host has, and must have.
fn temporary(
    reader: &mut Reader<'_>,
    section: Section<'_>,
    role: Option<Role>,
    spans: &mut BTreeMap<&'static str, Range<usize>>,
) -> Option<Temporary> {
    if role != Some(Role::Temporary) {
        for key in ["reason", "port", "expires"] {
            if let (Some(_), Some((found, _))) = (role, section.table.get_key_value(key)) {
                reader.fault(
                    &found.span(),
                    format!("`{key}` is for temporary hosts only"),
                    "leave it out, or write role = \"temporary\"",
                );
            }
        }
        return None;
    }
    let reason = reader.wanted_text(section, "reason", "\"why it stands there\"");
    if !section.table.contains_key("container") {
        reader.missing(section, "container", "\"its own container\"");
    }
    let port = port(reader, section, spans);
    let expires = expires(reader, section);
    Some(Temporary {
        reason: reason?.value,
        port: port?,
        expires: expires?,
    })
}

fn port(
    reader: &mut Reader<'_>,
    section: Section<'_>,
    spans: &mut BTreeMap<&'static str, Range<usize>>,
) -> Option<u16> {
    let Some(value) = section.table.get("port") else {
        reader.missing(section, "port", "18080");
        return None;
    };
    spans.insert("port", value.span());
    let Some(number) = value.get_ref().as_integer() else {
        reader.wrong_type(value, "a whole number", "write the number without quotes");
        return None;
    };
    let port = u16::from_str_radix(number.as_str(), number.radix());
    match port {
        Ok(port) if port > 0 => Some(port),
        _ => {
            reader.fault(&value.span(), "this is no port", "write 1 to 65535");
            None
        }
    }
}

/// How much a host is asked at once or in one second.
fn pace(reader: &mut Reader<'_>, table: &DeTable<'_>, key: &str) -> Option<usize> {
    let value = table.get(key)?;
    let Some(number) = value.get_ref().as_integer() else {
        reader.wrong_type(value, "a whole number", "write the number without quotes");
        return None;
    };
    match usize::from_str_radix(number.as_str(), number.radix()) {
        Ok(count @ 1..=1000) => Some(count),
        _ => {
            reader.fault(
                &value.span(),
                format!("`{key}` cannot be that"),
                "write 1 to 1000",
            );
            None
        }
    }
}

fn expires(reader: &mut Reader<'_>, section: Section<'_>) -> Option<jiff::civil::Date> {
    let Some(value) = section.table.get("expires") else {
        reader.missing(section, "expires", "2027-01-31");
        return None;
    };
    let text = match value.get_ref() {
        DeValue::Datetime(date) => date.to_string(),
        DeValue::String(text) => text.to_string(),
        _ => String::new(),
    };
    let date = text.parse().ok();
    if date.is_none() || text.len() != 10 {
        reader.fault(&value.span(), "this is no date", "write 2027-01-31");
        return None;
    }
    date
}
