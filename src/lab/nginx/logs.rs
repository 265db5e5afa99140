//! access.log and error.log in nginx's own formats.

use crate::machine::LivingLog;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The two logs of an nginx, and its connection counter.
#[derive(Clone)]
pub(crate) struct NginxLogs {
    pub(crate) access: Arc<LivingLog>,
    pub(crate) error: Arc<LivingLog>,
    connections: Arc<AtomicU64>,
}

/// A request, as the logs name it.
pub(super) struct Logged<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) agent: &'a str,
    pub(super) server: &'a str,
    pub(super) host: &'a str,
}

impl NginxLogs {
    pub(crate) fn new() -> Self {
        Self {
            access: LivingLog::new(),
            error: LivingLog::new(),
            connections: Arc::default(),
        }
    }

    pub(super) fn access(&self, request: &Logged<'_>, status: u16, bytes: u64) {
        let at = Timestamp::now().strftime("%d/%b/%Y:%H:%M:%S +0000");
        let Logged {
            method,
            path,
            agent,
            ..
        } = request;
        self.access.add(
            false,
            &format!(
                "127.0.0.1 - - [{at}] \"{method} {path} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\""
            ),
        );
    }

    /// The line of a refused upstream.
    pub(super) fn refused(&self, request: &Logged<'_>, upstream: &str) {
        let at = Timestamp::now().strftime("%Y/%m/%d %H:%M:%S");
        let connection = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let Logged {
            method,
            path,
            server,
            host,
            ..
        } = request;
        self.error.add(
            false,
            &format!(
                "{at} [error] 811#811: *{connection} connect() failed (111: Connection refused) \
                 while connecting to upstream, client: 127.0.0.1, server: {server}, \
                 request: \"{method} {path} HTTP/1.1\", upstream: \"{upstream}\", host: \"{host}\""
            ),
        );
    }
}
