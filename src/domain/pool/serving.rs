//! Who serves a group: the account that a new conversation would go to now, why that one, and who
//! served last. The order is the host's: priority, then load, then who waited longest
//! (`host-contract.md` 7.7). Load is not stored, so that among equals the host may decide otherwise.

use super::Seat;
use crate::batch::words;
use crate::ids::RemoteId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

words! {
    /// Why it is this account.
    Because {
        /// Nobody would be chosen.
        Nobody = "nobody",
        /// Group or channel let no account serve.
        Blocked = "blocked",
        /// There is no other.
        Only = "only",
        /// Its priority comes before every other.
        Priority = "priority",
        /// Of those of its priority it was never used.
        NeverUsed = "never_used",
        /// Of those of its priority it waited longest.
        WaitedLongest = "waited_longest",
    }
}

/// Who serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Serving {
    /// The account, `None` when nobody serves.
    pub next: Option<RemoteId>,
    /// Its name.
    pub name: String,
    /// Its priority.
    pub priority: i64,
    /// Why this one.
    pub because: Because,
    /// Others of the same priority: load may send a conversation to one of them.
    pub equals: usize,
    /// When it was used last, RFC 3339.
    pub last_used_at: Option<String>,
    /// The newest completion that the group served, by the host's usage rows.
    pub last: Option<Served>,
}

/// A completion that was served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Served {
    /// By which account.
    pub account: RemoteId,
    /// Its name; empty when it is no account of the group any more.
    pub name: String,
    /// The model.
    pub model: String,
    /// RFC 3339.
    pub at: String,
}

impl Serving {
    fn nobody(because: Because) -> Self {
        Self {
            next: None,
            name: String::new(),
            priority: 0,
            because,
            equals: 0,
            last_used_at: None,
            last: None,
        }
    }

    /// In words.
    pub fn told(&self) -> String {
        let name = match self.next {
            Some(id) => format!("{} #{id}", self.name),
            None => String::new(),
        };
        let may = match self.equals {
            0 => String::new(),
            equals => format!("; its load may bring one of {equals} other(s) before it"),
        };
        match self.because {
            Because::Nobody => "nobody: no account would be chosen".to_owned(),
            Because::Blocked => "nobody: group or channel let no account serve".to_owned(),
            Because::Only => format!("{name}: no other would be chosen"),
            Because::Priority => format!("{name}: its priority {} comes first", self.priority),
            Because::NeverUsed => format!(
                "{name}: of priority {}, and never used yet{may}",
                self.priority
            ),
            Because::WaitedLongest => format!(
                "{name}: of priority {}, and waited longest{may}",
                self.priority
            ),
        }
    }

    /// The last completion in words, without its time.
    pub fn last_told(&self) -> Option<String> {
        let last = self.last.as_ref()?;
        Some(format!("{} by {}", last.model, last.by()))
    }
}

impl Served {
    /// The account by name and id.
    pub fn by(&self) -> String {
        if self.name.is_empty() {
            format!("account #{}, which is in the group no more", self.account)
        } else {
            format!("{} #{}", self.name, self.account)
        }
    }
}

/// Who serves of these seats.
pub(super) fn serving(seats: &[Seat], is_blocked: bool) -> Serving {
    if is_blocked {
        return Serving::nobody(Because::Blocked);
    }
    let open: Vec<&Seat> = seats.iter().filter(|seat| seat.is_choosable()).collect();
    let used = |seat: &Seat| -> Option<Timestamp> { seat.last_used_at.as_ref()?.parse().ok() };
    // Never used comes before used long ago.
    let next = open
        .iter()
        .min_by_key(|seat| (seat.priority, used(seat), seat.account));
    let Some(next) = next else {
        return Serving::nobody(Because::Nobody);
    };
    let equals = open.iter().filter(|seat| seat.priority == next.priority);
    let equals = equals.count() - 1;
    let because = match (open.len(), equals, used(next)) {
        (1, _, _) => Because::Only,
        (_, 0, _) => Because::Priority,
        (_, _, None) => Because::NeverUsed,
        (_, _, Some(_)) => Because::WaitedLongest,
    };
    Serving {
        next: Some(next.account),
        name: next.name.clone(),
        priority: next.priority,
        because,
        equals,
        last_used_at: next.last_used_at.clone(),
        last: None,
    }
}
