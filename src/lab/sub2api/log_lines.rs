//! The host's log as `docker logs` would show it: console format, two streams.

use jiff::Timestamp;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{broadcast, watch};

/// Lines kept for late readers.
const KEPT: usize = 20_000;

/// One line of the host's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Counts from 1.
    pub no: u64,
    /// When it was written.
    pub at: Timestamp,
    /// WARN and above go to standard error, the rest to standard output.
    pub stderr: bool,
    /// Tab separated: time, level, caller, message, JSON fields.
    pub text: String,
}

/// The log; cloning shares it.
#[derive(Clone)]
pub struct LogLines {
    kept: Arc<Mutex<VecDeque<LogLine>>>,
    live: broadcast::Sender<LogLine>,
    last: watch::Sender<usize>,
}

impl Default for LogLines {
    fn default() -> Self {
        Self {
            kept: Arc::default(),
            live: broadcast::channel(4096).0,
            last: watch::Sender::new(0),
        }
    }
}

impl LogLines {
    /// Lines after number `after` (0 for all that are kept).
    pub fn since(&self, after: u64) -> Vec<LogLine> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Numbers have no gaps.
        let first = kept.front().map_or(1, |line| line.no);
        let skip = usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        kept.iter().skip(skip).cloned().collect()
    }

    /// Lines kept so far and a receiver of all later ones, without a gap between them.
    pub fn follow(&self) -> (Vec<LogLine>, broadcast::Receiver<LogLine>) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        (kept.iter().cloned().collect(), self.live.subscribe())
    }

    /// Number of the last line, as it changes.
    pub fn last(&self) -> watch::Receiver<usize> {
        self.last.subscribe()
    }

    /// Writes a line.
    pub fn add(&self, at: Timestamp, level: &str, caller: &str, message: &str, fields: &Value) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // The container runs in Asia/Shanghai, which has no summer time.
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
        let time = at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.3f%z");
        let line = LogLine {
            no: kept.back().map_or(1, |last| last.no + 1),
            at,
            stderr: !matches!(level, "DEBUG" | "INFO"),
            text: format!("{time}\t{level}\t{caller}\t{message}\t{fields}"),
        };
        kept.push_back(line.clone());
        if kept.len() > KEPT {
            kept.pop_front();
        }
        self.last
            .send_replace(usize::try_from(line.no).unwrap_or(usize::MAX));
        // No receiver is no fault: the line is kept.
        let _unheard = self.live.send(line).is_err();
    }
}
