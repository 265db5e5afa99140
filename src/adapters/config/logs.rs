//! `[log.NAME]`: where log lines are followed.

use super::hosts::{container_name, known_machine};
use super::read::{Placed, Reader, Section};
use cockpit_domain::finding::suggest;
use cockpit_domain::ids::HostId;
use cockpit_domain::log::{LogPlace, LogSource, SourceId};
use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The three kinds of place, of which a source names one.
const PLACES: [&str; 3] = ["file", "container", "unit"];

/// Reads every source, in the order of the file.
pub(super) fn logs(
    reader: &mut Reader<'_>,
    root: &DeTable<'_>,
    machines: &[String],
) -> Vec<LogSource> {
    let hosts: Vec<String> = root
        .get("host")
        .and_then(|hosts| hosts.get_ref().as_table())
        .into_iter()
        .flatten()
        .map(|(name, _)| name.get_ref().to_string())
        .collect();
    let mut logs: Vec<_> = reader
        .table(root, "log")
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let source = source(reader, name, value, machines, &hosts)?;
            Some((name.span().start, source))
        })
        .collect();
    // The parser does not keep the order.
    logs.sort_by_key(|(at, _)| *at);
    logs.into_iter().map(|(_, source)| source).collect()
}

fn source(
    reader: &mut Reader<'_>,
    name: &Spanned<Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    machines: &[String],
    hosts: &[String],
) -> Option<LogSource> {
    let at = name.span();
    let id = reader.id(name.get_ref(), &at, |text| SourceId::new(text).ok());
    let Some(table) = value.get_ref().as_table() else {
        reader.wrong_type(value, "a table", "write [log.NAME] with its keys below");
        return None;
    };
    let what = format!("log `{}`", id.as_ref().map_or("?", SourceId::as_str));
    let section = Section {
        table,
        what: &what,
        at: &at,
    };
    reader.known_keys(table, &["machine", "host", "file", "container", "unit"]);
    let machine = reader
        .wanted_text(section, "machine", "\"NAME\"")
        .and_then(|text| known_machine(reader, &what, &text, machines));
    let host = reader
        .text(table, "host")
        .and_then(|text| known_host(reader, &what, &text, hosts));
    let place = place(reader, section);
    Some(LogSource {
        id: id?,
        machine: machine?,
        host,
        place: place?,
    })
}

fn known_host(
    reader: &mut Reader<'_>,
    what: &str,
    text: &Placed<String>,
    hosts: &[String],
) -> Option<HostId> {
    let host = reader.id(&text.value, &text.span, |text| HostId::new(text).ok())?;
    if hosts.contains(&text.value) {
        return Some(host);
    }
    let valid: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let hint = match suggest(&text.value, &valid) {
        none if none.is_empty() => "leave it out".to_owned(),
        some => format!("{some} or leave it out"),
    };
    reader.fault(
        &text.span,
        format!("{what} names host `{host}`, which is not in this file"),
        hint,
    );
    None
}

fn place(reader: &mut Reader<'_>, section: Section<'_>) -> Option<LogPlace> {
    let named: Vec<_> = PLACES
        .into_iter()
        .filter(|key| section.table.contains_key(*key))
        .collect();
    let [key] = named[..] else {
        reader.fault(
            section.at,
            if named.is_empty() {
                format!("{} says not what is followed", section.what)
            } else {
                format!(
                    "{} names {}: a source has one place",
                    section.what,
                    named.join(" and ")
                )
            },
            "write exactly one of file = \"/var/log/..\", container = \"NAME\" or unit = \"NAME\"",
        );
        return None;
    };
    let text = reader.text(section.table, key)?;
    match key {
        "file" => file(reader, text).map(LogPlace::File),
        "container" => container_name(reader, text).map(LogPlace::Container),
        _ => unit(reader, text).map(LogPlace::Unit),
    }
}

fn file(reader: &mut Reader<'_>, text: Placed<String>) -> Option<String> {
    if text.value.starts_with('/') {
        return Some(text.value);
    }
    reader.fault(
        &text.span,
        "`file` is a path on the machine and must begin with `/`",
        "write the whole path as it is there",
    );
    None
}

/// A name that cannot be taken for an option or a pattern.
fn unit(reader: &mut Reader<'_>, text: Placed<String>) -> Option<String> {
    let good = text.value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.:@\\".contains(c));
    if good {
        return Some(text.value);
    }
    reader.fault(
        &text.span,
        "this is no name of a unit",
        "write it as `systemctl` lists it, such as \"nginx.service\"",
    );
    None
}
