//! The file from top to bottom: single values, `[lab]`, `[vars]`, `[machine.NAME]`, `[host.NAME]`;
//! `[log.NAME]`, `[screen]` and `[keys]` have files of their own.

use super::hosts::{self, HostDraft};
use super::read::{Reader, Section};
use super::{logs, rules, screen};
use crate::ssh::{MachineSettings, Os, Sudo};
use cockpit_domain::finding::{Finding, Source};
use cockpit_domain::ids::{MachineId, PackId};
use cockpit_domain::log::LogSource;
use cockpit_domain::screen::{KeySetting, ScreenSettings};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Everything a faultless file says.
pub(super) struct Sections {
    pub(super) state_dir: Option<PathBuf>,
    pub(super) lease_dir: Option<PathBuf>,
    pub(super) ssh_config: Option<PathBuf>,
    pub(super) timezone: Option<String>,
    pub(super) packs_dir: Option<PathBuf>,
    pub(super) lab_control: Option<PathBuf>,
    pub(super) vars: BTreeMap<String, String>,
    pub(super) trust: BTreeMap<PackId, String>,
    pub(super) machines: BTreeMap<MachineId, MachineSettings>,
    pub(super) outside: Option<MachineId>,
    pub(super) hosts: Vec<HostDraft>,
    pub(super) logs: Vec<LogSource>,
    pub(super) screen: ScreenSettings,
    pub(super) keys: Vec<KeySetting>,
}

/// Reads a text, or says everything that is wrong with it.
pub(super) fn read(
    source: Source<'_>,
    path: &Path,
    home: Option<&Path>,
) -> Result<Sections, Vec<Finding>> {
    let (root, errors) = DeTable::parse_recoverable(source.text);
    if !errors.is_empty() {
        // What could be read beside a syntax error is guesswork: only the errors are sure.
        return Err(syntax(source, &errors));
    }
    let base = path.parent().unwrap_or(Path::new("."));
    let mut reader = Reader::new(source, base, home);
    let root = root.get_ref();
    reader.known_keys(
        root,
        &[
            "state_dir",
            "lease_dir",
            "ssh_config",
            "timezone",
            "packs_dir",
            "lab",
            "vars",
            "trust",
            "machine",
            "host",
            "log",
            "screen",
            "keys",
        ],
    );
    let (machines, outside, names) = machines(&mut reader, root);
    let mut hosts: Vec<_> = reader
        .table(root, "host")
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| hosts::host(&mut reader, name, value, &names))
        .collect();
    // In the order of the file, which the parser does not keep.
    hosts.sort_by_key(|host| host.span("name").start);
    rules::check(&mut reader, &hosts);
    let sections = Sections {
        state_dir: reader.path(root, "state_dir"),
        lease_dir: reader.path(root, "lease_dir"),
        ssh_config: reader.path(root, "ssh_config"),
        timezone: timezone(&mut reader, root),
        packs_dir: reader.path(root, "packs_dir"),
        lab_control: lab(&mut reader, root),
        vars: vars(&mut reader, root),
        trust: trust(&mut reader, root),
        logs: logs::logs(&mut reader, root, &names),
        screen: screen::screen(&mut reader, root),
        keys: screen::keys(&mut reader, root),
        machines,
        outside,
        hosts,
    };
    let findings = reader.into_findings();
    if findings.is_empty() {
        Ok(sections)
    } else {
        Err(findings)
    }
}

/// One finding a line: what follows on the same line is an echo of the first.
fn syntax(source: Source<'_>, errors: &[toml::de::Error]) -> Vec<Finding> {
    let mut findings: Vec<_> = errors
        .iter()
        .map(|error| {
            let mut finding = source.toml_error(error);
            if finding.hint.is_empty() {
                "text stands in \"quotes\", tables in [brackets]".clone_into(&mut finding.hint);
            }
            finding
        })
        .collect();
    findings.sort_by_key(|finding| (finding.line, finding.column));
    findings.dedup_by_key(|finding| finding.line);
    findings
}

fn timezone(reader: &mut Reader<'_>, root: &DeTable<'_>) -> Option<String> {
    let text = reader.text(root, "timezone")?;
    if jiff::tz::TimeZone::get(&text.value).is_ok() {
        return Some(text.value);
    }
    reader.fault(
        &text.span,
        "there is no such time zone",
        "write a name such as \"Asia/Shanghai\" or \"UTC\"",
    );
    None
}

fn lab(reader: &mut Reader<'_>, root: &DeTable<'_>) -> Option<PathBuf> {
    let table = reader.table(root, "lab")?;
    reader.known_keys(table, &["control"]);
    reader.path(table, "control")
}

/// `"PACK.VAR" = ".."`; the same without quotes is a table in TOML and means the same.
fn vars(reader: &mut Reader<'_>, root: &DeTable<'_>) -> BTreeMap<String, String> {
    let mut vars = BTreeMap::new();
    for (key, value) in reader.table(root, "vars").into_iter().flatten() {
        if let Some(inner) = value.get_ref().as_table() {
            for (name, value) in inner {
                let whole = format!("{}.{}", key.get_ref(), name.get_ref());
                var(reader, &whole, key, value, &mut vars);
            }
        } else {
            var(reader, key.get_ref(), key, value, &mut vars);
        }
    }
    vars
}

fn var(
    reader: &mut Reader<'_>,
    whole: &str,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    vars: &mut BTreeMap<String, String>,
) {
    let named = whole.rsplit_once('.').is_some_and(|(pack, name)| {
        PackId::new(pack).is_ok()
            && !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    });
    if !named {
        reader.fault(
            &key.span(),
            "a variable is named by its pack and its name",
            "write \"PACK.VARIABLE\" = \"..\"",
        );
    } else if let Some(text) = reader.text_of(value) {
        vars.insert(whole.to_owned(), text.value);
    }
}

/// `PACK = "FINGERPRINT"`: own packs whose commands may run.
fn trust(reader: &mut Reader<'_>, root: &DeTable<'_>) -> BTreeMap<PackId, String> {
    let mut trust = BTreeMap::new();
    for (key, value) in reader.table(root, "trust").into_iter().flatten() {
        let id = reader.id(key.get_ref(), &key.span(), |text| PackId::new(text).ok());
        let Some(text) = reader.text_of(value) else {
            continue;
        };
        if text.value.len() != 64 || !text.value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            reader.fault(
                &text.span,
                "this is no fingerprint of a pack",
                "`cockpit pack check PACK` prints the line",
            );
        } else if let Some(id) = id {
            trust.insert(id, text.value.to_ascii_lowercase());
        }
    }
    trust
}

/// The machines that can be used, and the names of all.
fn machines(
    reader: &mut Reader<'_>,
    root: &DeTable<'_>,
) -> (
    BTreeMap<MachineId, MachineSettings>,
    Option<MachineId>,
    Vec<String>,
) {
    let mut outside: Option<MachineId> = None;
    let mut machines = BTreeMap::from([(MachineId::local(), MachineSettings::default())]);
    let mut names = Vec::new();
    for (name, value) in reader.table(root, "machine").into_iter().flatten() {
        names.push(name.get_ref().to_string());
        let at = name.span();
        let id = reader.id(name.get_ref(), &at, |text| MachineId::new(text).ok());
        let Some(table) = value.get_ref().as_table() else {
            reader.wrong_type(value, "a table", "write [machine.NAME] with its keys below");
            continue;
        };
        let Some(id) = id else { continue };
        let what = format!("machine `{id}`");
        let section = Section {
            table,
            what: &what,
            at: &at,
        };
        let settings = machine(reader, section, id.is_local());
        if reader.flag(table, "outside") == Some(true) {
            match &outside {
                Some(other) => reader.fault(
                    &at,
                    format!("`{other}` stands outside already"),
                    "one machine looks from outside: leave `outside` at one",
                ),
                None => outside = Some(id.clone()),
            }
        }
        machines.insert(id, settings);
    }
    (machines, outside, names)
}

fn machine(reader: &mut Reader<'_>, section: Section<'_>, is_local: bool) -> MachineSettings {
    let table = section.table;
    reader.known_keys(table, &["ssh", "sudo", "path", "os", "outside"]);
    let sudo = reader.text(table, "sudo");
    let sudo = reader.word(sudo, &[("no", Sudo::No), ("-n", Sudo::NonInteractive)]);
    let os = reader.text(table, "os");
    let os = reader.word(os, &[("linux", Os::Linux), ("macos", Os::MacOs)]);
    MachineSettings {
        ssh: ssh_alias(reader, section, is_local),
        path: folders(reader, table),
        sudo: sudo.map_or(Sudo::No, |sudo| sudo.value),
        os: os.map(|os| os.value),
    }
}

fn ssh_alias(reader: &mut Reader<'_>, section: Section<'_>, is_local: bool) -> Option<String> {
    if is_local {
        if let Some((key, _)) = section.table.get_key_value("ssh") {
            reader.fault(
                &key.span(),
                "`local` is this computer and is not reached by ssh",
                "leave `ssh` out, or give the machine another name",
            );
        }
        return None;
    }
    let text = reader.wanted_text(section, "ssh", "\"ALIAS\"")?;
    // An alias that begins with `-` would be taken for an option of ssh.
    if text.value.starts_with('-') || text.value.contains(char::is_whitespace) {
        reader.fault(
            &text.span,
            "this is no ssh alias",
            "write the name that stands after `Host` in your ~/.ssh/config",
        );
        return None;
    }
    Some(text.value)
}

/// Folders put in front of `PATH` there.
fn folders(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Vec<String> {
    let folders = reader.texts(table, "path").unwrap_or_default();
    let good = |folder: &String| folder.starts_with('/') && !folder.contains(':');
    if let Some(value) = table.get("path")
        && !folders.iter().all(good)
    {
        reader.fault(
            &value.span(),
            "`path` wants whole paths of folders",
            "write [\"/opt/homebrew/bin\"]",
        );
    }
    folders
}
