//! The faults: their names, what they mean, which are on. What they do is decided where the state
//! is read, so that dump and traffic cannot differ.

use crate::error::LabError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A fault that can be switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    NginxOldPort,
    BindingLost,
    LeftoverContainer,
    UpstreamQuota,
    Host502,
    TunnelDown,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] = [
        Self::NginxOldPort,
        Self::BindingLost,
        Self::LeftoverContainer,
        Self::UpstreamQuota,
        Self::Host502,
        Self::TunnelDown,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NginxOldPort => "nginx-old-port",
            Self::BindingLost => "binding-lost",
            Self::LeftoverContainer => "leftover-container",
            Self::UpstreamQuota => "upstream-quota",
            Self::Host502 => "host-502",
            Self::TunnelDown => "tunnel-down",
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::NginxOldPort => {
                "nginx sends / to 127.0.0.1:18169, an old stack's port where nothing listens"
            }
            Self::BindingLost => "account 7 is no longer bound to group 3",
            Self::LeftoverContainer => {
                "a route lab container of an old acceptance run is up again on port 18192"
            }
            Self::UpstreamQuota => "every upstream vendor answers 403 insufficient_user_quota",
            Self::Host502 => {
                "the production sub2api container is restarting and does not listen on 8080"
            }
            Self::TunnelDown => {
                "sshd refuses port forwarding on every machine and drops open forwards"
            }
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self, LabError> {
        Self::ALL
            .into_iter()
            .find(|fault| fault.name() == name)
            .ok_or_else(|| LabError::UnknownFault {
                name: name.to_owned(),
                nearest: nearest(name),
            })
    }
}

/// A fault as the control socket lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRow {
    /// Its name.
    pub name: String,
    /// Is it on?
    pub on: bool,
    /// What it does, in one sentence.
    pub what: String,
}

/// Which faults are on, and since when. Cloning shares it.
#[derive(Clone, Default)]
pub(crate) struct FaultBoard {
    since: Arc<RwLock<BTreeMap<Fault, Timestamp>>>,
}

impl FaultBoard {
    /// Since when a fault is on.
    pub(crate) fn since(&self, fault: Fault) -> Option<Timestamp> {
        let since = self.since.read().unwrap_or_else(PoisonError::into_inner);
        since.get(&fault).copied()
    }

    pub(crate) fn on(&self, fault: Fault) -> bool {
        self.since(fault).is_some()
    }

    /// Switches; says whether that changed anything.
    pub(crate) fn switch(&self, fault: Fault, on: bool) -> bool {
        let mut since = self.since.write().unwrap_or_else(PoisonError::into_inner);
        if since.contains_key(&fault) == on {
            return false;
        }
        if on {
            since.insert(fault, Timestamp::now());
        } else {
            since.remove(&fault);
        }
        true
    }

    pub(crate) fn rows(&self) -> Vec<FaultRow> {
        Fault::ALL
            .into_iter()
            .map(|fault| FaultRow {
                name: fault.name().to_owned(),
                on: self.on(fault),
                what: fault.what().to_owned(),
            })
            .collect()
    }
}

/// The fault that has the typed text in its name, else the one fewest edits away.
fn nearest(name: &str) -> &'static str {
    let apart = |known: &&'static str| {
        let part = !name.is_empty() && known.contains(name);
        (!part, distance(name, known))
    };
    Fault::ALL
        .into_iter()
        .map(Fault::name)
        .min_by_key(apart)
        .unwrap_or_default()
}

/// Edit distance over bytes; names are short and plain.
fn distance(from: &str, to: &str) -> usize {
    let to = to.as_bytes();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, a) in from.bytes().take(64).enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (column, b) in to.iter().enumerate() {
            let above = row[column + 1];
            row[column + 1] = (corner + usize::from(a != *b))
                .min(above + 1)
                .min(row[column] + 1);
            corner = above;
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_fault_names_the_nearest_one() {
        for (typed, meant) in [
            ("nginx-oldport", "nginx-old-port"),
            ("tunel-down", "tunnel-down"),
            ("host502", "host-502"),
            ("quota", "upstream-quota"),
        ] {
            let Err(error) = Fault::parse(typed) else {
                panic!("{typed} is no fault");
            };
            assert!(error.hint().contains(meant), "{typed}: {}", error.hint());
        }
    }

    #[test]
    fn switching_twice_changes_once() {
        let board = FaultBoard::default();
        assert!(board.switch(Fault::Host502, true));
        assert!(!board.switch(Fault::Host502, true));
        assert!(board.on(Fault::Host502));
        assert!(board.switch(Fault::Host502, false));
        assert!(!board.switch(Fault::Host502, false));
        assert!(!board.on(Fault::Host502));
    }
}
