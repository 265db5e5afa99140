//! Who else writes to a host (`product.md` 4, Neighbours): another control plane that listens
//! beside it, and resources that appeared since the last look and are none of ours.

use crate::baseline::Listener;
use crate::ids::RemoteId;
use crate::recorded::Listing;
use crate::resource::ResourceKind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody who writes to a host beside us, or a look for one that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// Who, as far as it can be told.
    pub who: String,
    /// What gives them away, or why nobody could look.
    pub what: String,
    /// UTC ms since when, where that is known.
    pub since_ms: Option<i64>,
    /// Whether it was looked at: what could not be is no proof that nobody writes.
    pub looked: bool,
}

impl Writer {
    /// A look that could not be made.
    pub fn not_looked(who: impl Into<String>, why: &str) -> Self {
        Self {
            who: who.into(),
            what: format!("could not look: {}", crate::text::clean_line(why)),
            since_ms: None,
            looked: false,
        }
    }

    /// One line for people, without its time.
    pub fn line(&self) -> String {
        format!("{}: {}", self.who, self.what)
    }
}

/// A resource somebody else made between two looks of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: ResourceKind,
    /// The host's id.
    pub id: RemoteId,
    /// Its name.
    pub name: String,
    /// UTC ms of the last look that did not see it.
    pub since_ms: i64,
}

/// What a look leaves for the next one. Ids only grow over there, so the highest of each kind is
/// enough to know what is new.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastLook {
    /// UTC ms.
    pub at_ms: i64,
    /// Highest id of each kind.
    pub newest: BTreeMap<ResourceKind, i64>,
    /// Strangers seen by now, so that a second look does not hide what the first one found.
    pub strangers: Vec<Stranger>,
}

/// How long a stranger is told of.
const TOLD_MS: i64 = 24 * 60 * 60 * 1000;
/// Names in one line.
const NAMED: usize = 4;
/// Kinds that are looked at. Users and keys come and go by themselves on a living host.
const KINDS: [ResourceKind; 4] = [
    ResourceKind::Group,
    ResourceKind::Channel,
    ResourceKind::Plan,
    ResourceKind::Account,
];

/// Compares what a host lists with the last look at it. `ours` is what our records hold. The first
/// look knows of nobody: it only remembers.
pub fn look_again(
    before: Option<&LastLook>,
    rows: &Listing,
    ours: &BTreeSet<(ResourceKind, i64)>,
    now_ms: i64,
) -> LastLook {
    let mut newest = before.map(|look| look.newest.clone()).unwrap_or_default();
    let mut strangers = Vec::new();
    let rows = rows.keys().filter(|(kind, _, _)| KINDS.contains(kind));
    for (kind, name, id) in rows {
        let known = before.and_then(|look| {
            let mut told = look.strangers.iter();
            told.find(|row| row.kind == *kind && row.id.0 == *id)
        });
        let since_ms = match (known, before) {
            (Some(known), _) => Some(known.since_ms),
            (None, Some(look)) => {
                let seen = look.newest.get(kind).copied().unwrap_or(0);
                (*id > seen).then_some(look.at_ms)
            }
            (None, None) => None,
        };
        if let Some(since_ms) = since_ms
            && !ours.contains(&(*kind, *id))
            && now_ms - since_ms <= TOLD_MS
        {
            strangers.push(Stranger {
                kind: *kind,
                id: RemoteId(*id),
                name: name.clone(),
                since_ms,
            });
        }
        let highest = newest.entry(*kind).or_insert(*id);
        *highest = (*highest).max(*id);
    }
    strangers.sort_by_key(|row| (row.since_ms, row.kind, row.id));
    LastLook {
        at_ms: now_ms,
        newest,
        strangers,
    }
}

/// The strangers of a look as one writer.
pub fn by_strangers(look: &LastLook) -> Option<Writer> {
    let first = look.strangers.first()?;
    let count = look.strangers.len();
    let mut named: Vec<String> = look
        .strangers
        .iter()
        .take(NAMED)
        .map(|row| format!("{} {} #{}", row.kind, row.name, row.id))
        .collect();
    if count > NAMED {
        named.push(format!("and {} more", count - NAMED));
    }
    let named = named.join(", ");
    let what = if count == 1 {
        format!("1 resource appeared that is not ours: {named}")
    } else {
        format!("{count} resources appeared that are not ours: {named}")
    };
    Some(Writer {
        who: "somebody else".to_owned(),
        what,
        since_ms: Some(first.since_ms),
        looked: true,
    })
}

/// Who listens at the addresses where another control plane may stand. Nobody there is no writer;
/// a look that failed is said for each address.
pub fn at_addresses(addresses: &[String], seen: &Result<Vec<Listener>, String>) -> Vec<Writer> {
    let row = |address: &String| match seen {
        Err(why) => Some(Writer::not_looked(address, why)),
        Ok(seen) => {
            let held = seen.iter().find(|listener| listens(listener, address))?;
            let processes: Vec<String> = held
                .processes
                .iter()
                .map(|(name, pid)| format!(" {name}[{pid}]"))
                .collect();
            Some(Writer {
                who: crate::text::clean_line(&format!("{address}{}", processes.concat())),
                what: "another control plane listens beside this host".to_owned(),
                since_ms: None,
                looked: true,
            })
        }
    };
    addresses.iter().filter_map(row).collect()
}

/// Whether a listener answers at an address: at just that one, or at every one of the machine.
fn listens(listener: &Listener, address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else {
        return false;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    port.parse() == Ok(listener.port)
        && (listener.address == host || matches!(listener.address.as_str(), "*" | "0.0.0.0" | "::"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn rows(rows: &[(ResourceKind, &str, i64)]) -> Listing {
        rows.iter()
            .map(|(kind, name, id)| ((*kind, (*name).to_owned(), *id), Value::Null))
            .collect()
    }

    fn names(look: &LastLook) -> Vec<&str> {
        look.strangers.iter().map(|row| row.name.as_str()).collect()
    }

    use ResourceKind::{Account, Group, User};

    #[test]
    fn the_first_look_remembers_and_later_ones_tell_what_is_new_and_not_ours() {
        let old = rows(&[(Account, "old", 7), (Group, "g", 3)]);
        let none = BTreeSet::new();
        let first = look_again(None, &old, &none, 100);
        assert_eq!(by_strangers(&first), None);
        let more = rows(&[
            (Account, "old", 7),
            (Account, "theirs", 8),
            (Account, "ours", 9),
            (Group, "g", 3),
            (User, "somebody", 900),
        ]);
        let ours = BTreeSet::from([(Account, 9)]);
        let second = look_again(Some(&first), &more, &ours, 200);
        assert_eq!(names(&second), ["theirs"]);
        let writer = by_strangers(&second).unwrap();
        assert_eq!(writer.since_ms, Some(100));
        assert_eq!(
            writer.line(),
            "somebody else: 1 resource appeared that is not ours: account theirs #8"
        );
        // Looking again hides nothing, and says the same moment.
        let third = look_again(Some(&second), &more, &ours, 300);
        assert_eq!(third.strangers, second.strangers);
    }

    #[test]
    fn a_stranger_is_forgotten_when_it_is_gone_taken_over_or_old() {
        let first = look_again(None, &rows(&[(Account, "old", 7)]), &BTreeSet::new(), 100);
        let with = rows(&[(Account, "old", 7), (Account, "theirs", 8)]);
        let second = look_again(Some(&first), &with, &BTreeSet::new(), 200);
        let gone = look_again(
            Some(&second),
            &rows(&[(Account, "old", 7)]),
            &BTreeSet::new(),
            300,
        );
        assert_eq!(names(&gone), Vec::<&str>::new());
        let adopted = look_again(Some(&second), &with, &BTreeSet::from([(Account, 8)]), 300);
        assert_eq!(names(&adopted), Vec::<&str>::new());
        let late = look_again(Some(&second), &with, &BTreeSet::new(), 101 + TOLD_MS);
        assert_eq!(names(&late), Vec::<&str>::new());
        let again = look_again(Some(&late), &with, &BTreeSet::new(), 102 + TOLD_MS);
        assert_eq!(names(&again), Vec::<&str>::new());
    }

    #[test]
    fn many_strangers_are_counted_and_the_first_are_named() {
        let first = look_again(None, &rows(&[]), &BTreeSet::new(), 100);
        let many: Vec<(ResourceKind, &str, i64)> = (1..=6).map(|id| (Account, "a", id)).collect();
        let second = look_again(Some(&first), &rows(&many), &BTreeSet::new(), 200);
        let line = by_strangers(&second).unwrap().line();
        assert!(line.contains("6 resources appeared"), "{line}");
        assert!(line.ends_with("account a #4, and 2 more"), "{line}");
    }

    fn listener(address: &str, port: u16) -> Listener {
        Listener {
            address: address.to_owned(),
            port,
            processes: vec![("crm".to_owned(), 12)],
        }
    }

    #[test]
    fn a_neighbour_is_found_where_it_listens_and_a_failed_look_is_said() {
        let asked = ["127.0.0.1:18190".to_owned(), "127.0.0.1:9".to_owned()];
        for (address, found) in [
            ("127.0.0.1", true),
            ("*", true),
            ("::", true),
            ("10.0.0.5", false),
        ] {
            let seen = Ok(vec![listener(address, 18190)]);
            let writers = at_addresses(&asked, &seen);
            assert_eq!(writers.len(), usize::from(found), "{address}");
        }
        let seen = Ok(vec![listener("127.0.0.1", 18190)]);
        assert_eq!(
            at_addresses(&asked, &seen)[0].who,
            "127.0.0.1:18190 crm[12]"
        );
        let blind = at_addresses(&asked, &Err("`ss` is not there".to_owned()));
        assert_eq!(blind.len(), 2);
        assert!(blind.iter().all(|writer| !writer.looked), "{blind:?}");
        assert!(blind[0].what.contains("could not look"), "{blind:?}");
    }
}
