//! The lab's address table: what answers at (machine, name, port). Every entry is a real
//! listener on this computer's loopback.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

type Key = (String, String, u16);

/// Shared table; cloning shares it. The machine `*` stands for every machine, and for this
/// computer (names such as `good.upstream.lab`).
#[derive(Clone, Default)]
pub struct AddressTable {
    entries: Arc<RwLock<BTreeMap<Key, SocketAddr>>>,
}

impl AddressTable {
    /// Puts a listener at an address, replacing what was there.
    pub fn bind(&self, machine: &str, name: &str, port: u16, at: SocketAddr) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert((machine.to_owned(), name.to_owned(), port), at);
    }

    /// Takes an address away: connecting to it is then refused.
    pub fn unbind(&self, machine: &str, name: &str, port: u16) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.remove(&(machine.to_owned(), name.to_owned(), port));
    }

    /// What answers at `name:port` as seen from `machine`. `localhost` means `127.0.0.1`.
    pub fn resolve(&self, machine: &str, name: &str, port: u16) -> Option<SocketAddr> {
        let name = if name == "localhost" {
            "127.0.0.1"
        } else {
            name
        };
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        [machine, "*"].iter().find_map(|machine| {
            entries
                .get(&((*machine).to_owned(), name.to_owned(), port))
                .copied()
        })
    }

    /// Ports of `127.0.0.1` that answer on a machine, in order.
    pub fn local_ports(&self, machine: &str) -> Vec<u16> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries
            .keys()
            .filter(|(at, name, _)| at == machine && name == "127.0.0.1")
            .map(|(_, _, port)| *port)
            .collect()
    }
}
