//! Reading the far ends' request log: what a step said it did against what was seen there.

use cockpit_engine::failure::Outcome;
use cockpit_engine::ports::{FaultBoard, SeenRequest};

/// What was seen since a mark.
pub(super) struct Seen {
    rows: Vec<SeenRequest>,
}

/// The number of the newest request.
pub(super) async fn mark(board: &dyn FaultBoard) -> Outcome<u64> {
    Ok(board.requests(0).await?.last().map_or(0, |row| row.no))
}

/// Everything since a mark.
pub(super) async fn since(board: &dyn FaultBoard, mark: u64) -> Outcome<Seen> {
    Ok(Seen {
        rows: board.requests(mark).await?,
    })
}

impl Seen {
    /// Writes that reached a host's admin or user API.
    pub(super) fn writes(&self, host: &str) -> usize {
        self.rows
            .iter()
            .filter(|row| row.service == format!("host:{host}"))
            .filter(|row| row.method != "GET" && row.path.starts_with("/api/v1/"))
            // Logging in and looking through an account change nothing.
            .filter(|row| {
                !row.path.ends_with("/auth/login") && !row.path.ends_with("/sync-upstream")
            })
            .count()
    }

    /// Answered well: method and exact path at a host.
    pub(super) fn count(&self, host: &str, method: &str, path: &str) -> usize {
        self.rows
            .iter()
            .filter(|row| row.service == format!("host:{host}") && row.method == method)
            .filter(|row| row.path.split('?').next() == Some(path) && row.status < 300)
            .count()
    }

    /// Fingerprints of the keys that asked upstreams for completions, in order, each once.
    pub(super) fn upstream_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self
            .rows
            .iter()
            .filter(|row| row.service.starts_with("upstream:"))
            .filter(|row| row.path.contains("/chat/completions") || row.path.contains("/responses"))
            .map(|row| row.key_fingerprint.clone())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// How many requests there were.
    pub(super) fn total(&self) -> usize {
        self.rows.len()
    }
}
