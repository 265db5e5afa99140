//! What the lab saw: one row a request, for drills and tests to hold the client's story against.

use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// One request that reached a simulated service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRequest {
    /// Counts from 1 over the whole lab.
    pub no: u64,
    /// Who answered: `host:prod`, `upstream:good`, `nginx:remote43`.
    pub service: String,
    /// HTTP method.
    pub method: String,
    /// Path with query, without secrets.
    pub path: String,
    /// Status answered.
    pub status: u16,
    /// First 12 hex digits of SHA-256 of the bearer or api key, empty if none was sent.
    pub key_fingerprint: String,
    /// Model named in the body, empty if none.
    pub model: String,
}

/// Shared, append-only; cloning shares it.
#[derive(Clone, Default)]
pub struct RequestLog {
    rows: Arc<Mutex<Vec<SeenRequest>>>,
}

impl RequestLog {
    /// Adds a row and numbers it.
    pub fn add(&self, mut row: SeenRequest) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        row.no = rows.len() as u64 + 1;
        rows.push(row);
    }

    /// Rows after number `after` (0 for all).
    pub fn since(&self, after: u64) -> Vec<SeenRequest> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().filter(|row| row.no > after).cloned().collect()
    }

    /// Number of the last row.
    pub fn last(&self) -> u64 {
        self.rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len() as u64
    }
}
