//! Siblings beside each other: what is seen on machines and hosts, or pinned in a pack, as facts of
//! one sort, compared name by name; and a pack drafted out of what is seen.

mod draft;
mod machine;
mod pinned;

pub use draft::{DraftCheck, DraftOf, assemble, draft};
pub use machine::{MachineSeen, folders};
pub use pinned::pinned;

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// The machine's system.
    System,
    /// A running container.
    Container,
    /// The image of a container.
    Image,
    /// A listening TCP port and the processes behind it.
    Port,
    /// A service that starts with the machine.
    Service,
    /// A location of an nginx site.
    Location,
    /// A folder that nginx serves: mode and owner.
    Folder,
    /// The version of a host.
    Version,
    /// A group of a host.
    Group,
    /// A channel of a host.
    Channel,
    /// Accounts of a host, by upstream address.
    Accounts,
}

impl FactKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::System,
        Self::Container,
        Self::Image,
        Self::Port,
        Self::Service,
        Self::Location,
        Self::Folder,
        Self::Version,
        Self::Group,
        Self::Channel,
        Self::Accounts,
    ];

    /// The word in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Container => "container",
            Self::Image => "image",
            Self::Port => "port",
            Self::Service => "service",
            Self::Location => "location",
            Self::Folder => "folder",
            Self::Version => "version",
            Self::Group => "group",
            Self::Channel => "channel",
            Self::Accounts => "accounts",
        }
    }
}

impl fmt::Display for FactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What stands, by kind and name; `None` is "any": it has to be there, whatever it is like.
pub type Facts = BTreeMap<(FactKind, String), Option<String>>;

/// One of two that are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// What stands there.
    pub facts: Facts,
    /// Kinds that were looked at, or that the pack speaks of.
    pub seen: BTreeSet<FactKind>,
    /// Kinds that could not be looked at, with the reason.
    pub unseen: BTreeMap<FactKind, String>,
}

impl Side {
    /// Puts in what a look came to.
    pub fn put(&mut self, kind: FactKind, facts: impl IntoIterator<Item = (String, String)>) {
        self.seen.insert(kind);
        let facts = facts.into_iter();
        self.facts
            .extend(facts.map(|(name, value)| ((kind, name), Some(value))));
    }
}

/// One fact of either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// What it is about.
    pub kind: FactKind,
    /// Its name.
    pub name: String,
    /// What it is like on the first; `None` when it is not there.
    pub a: Option<String>,
    /// On the second.
    pub b: Option<String>,
    /// Whether both are alike.
    pub same: bool,
}

/// Two beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of the first.
    pub a: String,
    /// Name of the second.
    pub b: String,
    /// How many facts differ.
    pub differences: usize,
    /// Every fact that both could be asked for; what differs first.
    pub rows: Vec<Beside>,
    /// What could not be looked at: whose, what, why. Nothing is said of it.
    pub unseen: Vec<(String, FactKind, String)>,
}

/// Holds two sides against each other. A kind that one of them was not asked for, or that could not be
/// looked at there, is no difference.
pub fn compare(a: &Side, b: &Side) -> Comparison {
    let kinds: BTreeSet<FactKind> = a.seen.intersection(&b.seen).copied().collect();
    let names: BTreeSet<&(FactKind, String)> = a.facts.keys().chain(b.facts.keys()).collect();
    let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "any".to_owned());
    let mut rows: Vec<Beside> = names
        .into_iter()
        .filter(|(kind, _)| kinds.contains(kind))
        .map(|key| {
            let (of_a, of_b) = (a.facts.get(key), b.facts.get(key));
            let same = match (of_a, of_b) {
                (Some(Some(a)), Some(Some(b))) => a == b,
                (Some(_), Some(_)) => true,
                _ => false,
            };
            Beside {
                kind: key.0,
                name: key.1.clone(),
                a: of_a.map(said),
                b: of_b.map(said),
                same,
            }
        })
        .collect();
    rows.sort_by_key(|row| row.same);
    let unseen = [a, b].into_iter().flat_map(|side| {
        let why = side.unseen.iter();
        why.map(|(kind, why)| (side.name.clone(), *kind, why.clone()))
    });
    Comparison {
        a: a.name.clone(),
        b: b.name.clone(),
        differences: rows.iter().filter(|row| !row.same).count(),
        unseen: unseen.collect(),
        rows,
    }
}

#[cfg(test)]
mod tests;
