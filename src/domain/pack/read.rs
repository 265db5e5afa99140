//! The way from a pack's text to its value: header first, then the reader of its kind.

use super::baseline::BaselinePack;
use super::provider::ProviderPack;
use super::triage::TriagePack;
use super::{read_baseline, read_provider, read_triage};
use crate::finding::{Finding, Source, suggest};
use crate::ids::PackId;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// A pack of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Pack {
    /// An upstream vendor or relay.
    Provider(ProviderPack),
    /// The expectations of an environment.
    Baseline(BaselinePack),
    /// Where to look first.
    Triage(TriagePack),
}

impl Pack {
    /// Folder name below `packs/`.
    pub fn id(&self) -> &PackId {
        match self {
            Self::Provider(pack) => &pack.id,
            Self::Baseline(pack) => &pack.id,
            Self::Triage(pack) => &pack.id,
        }
    }

    /// The word of `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Provider(_) => "provider",
            Self::Baseline(_) => "baseline",
            Self::Triage(_) => "triage",
        }
    }

    /// Name for people.
    pub fn title(&self) -> &str {
        match self {
            Self::Provider(pack) => &pack.title,
            Self::Baseline(pack) => &pack.title,
            Self::Triage(pack) => &pack.title,
        }
    }

    /// SHA-256 of the pack text, 64 hex digits.
    pub fn fingerprint(&self) -> &str {
        match self {
            Self::Provider(pack) => &pack.fingerprint,
            Self::Baseline(pack) => &pack.fingerprint,
            Self::Triage(pack) => &pack.fingerprint,
        }
    }
}

/// The only format there is.
const SCHEMA: &str = "1";
/// Every kind of pack.
const KINDS: [&str; 3] = ["provider", "baseline", "triage"];

/// Reads a pack. `file` is how the file is shown; `vars` are the config's `[vars]`, of which the
/// ones named `ID.name` are this pack's.
///
/// # Errors
/// Every finding, in the order of the file.
pub fn read(
    id: &PackId,
    file: &str,
    text: &str,
    vars: &BTreeMap<String, String>,
) -> Result<Pack, Vec<Finding>> {
    let source = Source::new(file, text);
    let table = DeTable::parse(text).map_err(|error| vec![source.toml_error(&error)])?;
    let mut findings = Vec::new();
    let kind = header(source, table.get_ref(), &mut findings);
    let pack = match kind.as_deref() {
        Some("provider") => {
            read_provider::read(id, source, table, &mut findings).map(Pack::Provider)
        }
        Some("baseline") => {
            let own: BTreeMap<String, String> = vars
                .iter()
                .filter_map(|(name, value)| {
                    let name = name.strip_prefix(id.as_str())?.strip_prefix('.')?;
                    Some((name.to_owned(), value.clone()))
                })
                .collect();
            read_baseline::read(id, source, table, &own, &mut findings).map(Pack::Baseline)
        }
        Some("triage") => read_triage::read(id, source, table, &mut findings).map(Pack::Triage),
        _ => None,
    };
    match pack {
        Some(pack) if findings.is_empty() => Ok(pack),
        _ => {
            findings.sort_by_key(|finding| (finding.line, finding.column));
            findings.dedup();
            Err(findings)
        }
    }
}

/// Checks `schema` and `kind`; gives the kind if it is one of ours.
fn header(source: Source<'_>, table: &DeTable<'_>, findings: &mut Vec<Finding>) -> Option<String> {
    match table.get("schema") {
        None => findings.push(source.whole("`schema` is missing", "add `schema = 1`")),
        Some(schema) => {
            let known = schema
                .get_ref()
                .as_integer()
                .is_some_and(|number| number.as_str() == SCHEMA);
            if !known {
                findings.push(source.at(
                    schema.span(),
                    "this program reads schema 1 only",
                    "write `schema = 1`",
                ));
            }
        }
    }
    let Some(kind) = table.get("kind") else {
        findings.push(source.whole(
            "`kind` is missing",
            "add `kind = \"provider\"`, `\"baseline\"` or `\"triage\"`",
        ));
        return None;
    };
    match kind.get_ref() {
        DeValue::String(word) if KINDS.contains(&word.as_ref()) => Some(word.to_string()),
        DeValue::String(word) => {
            findings.push(source.at(kind.span(), "unknown kind of pack", suggest(word, &KINDS)));
            None
        }
        _ => {
            findings.push(source.at(
                kind.span(),
                "`kind` is a text",
                "write `kind = \"provider\"`, `\"baseline\"` or `\"triage\"`",
            ));
            None
        }
    }
}
