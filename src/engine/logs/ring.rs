//! The lines that are kept: batches, oldest first, dropped whole when there are too many. Pure.

use cockpit_domain::log::LogBatch;
use std::collections::VecDeque;
use std::sync::Arc;

/// Batches grow up to this, so that a quiet log does not become one batch a line.
const BATCH_LINES: usize = 1000;
const BATCH_BYTES: usize = 64 * 1024;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingLimits {
    /// Lines.
    pub lines: usize,
    /// Bytes of memory.
    pub bytes: usize,
}

impl Default for RingLimits {
    fn default() -> Self {
        Self {
            lines: 50_000,
            bytes: 32 << 20,
        }
    }
}

/// A batch and the number of its first line.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) first: u64,
    pub(super) batch: Arc<LogBatch>,
}

impl Kept {
    /// The number behind its last line.
    pub(super) fn end(&self) -> u64 {
        self.first + self.batch.len() as u64
    }
}

/// The ring.
#[derive(Debug, Default)]
pub(super) struct Ring {
    limits: RingLimits,
    kept: VecDeque<Kept>,
    /// Number of the next line; lines count from 0.
    end: u64,
    bytes: usize,
}

impl Ring {
    pub(super) fn new(limits: RingLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Number of the oldest line that is kept: so many were dropped.
    pub(super) fn first(&self) -> u64 {
        self.kept.front().map_or(self.end, |kept| kept.first)
    }

    /// Number of the next line.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, batch: LogBatch) {
        if batch.is_empty() {
            return;
        }
        let lines = batch.len();
        match self.kept.back_mut() {
            Some(last)
                if last.batch.len() + lines <= BATCH_LINES
                    && last.batch.bytes() + batch.bytes() <= BATCH_BYTES =>
            {
                self.bytes -= last.batch.bytes();
                // A view that holds it keeps what it had.
                let grown = Arc::make_mut(&mut last.batch);
                for line in batch.iter() {
                    grown.push(line);
                }
                self.bytes += last.batch.bytes();
            }
            _ => {
                self.bytes += batch.bytes();
                self.kept.push_back(Kept {
                    first: self.end,
                    batch: Arc::new(batch),
                });
            }
        }
        self.end += lines as u64;
        self.trim();
    }

    fn trim(&mut self) {
        let (lines, bytes) = (self.limits.lines as u64, self.limits.bytes);
        while self.kept.len() > 1 && (self.end - self.first() > lines || self.bytes > bytes) {
            if let Some(oldest) = self.kept.pop_front() {
                self.bytes -= oldest.batch.bytes();
            }
        }
    }

    /// The batches with lines from `number` on, newest last.
    pub(super) fn since(&self, number: u64) -> impl Iterator<Item = &Kept> {
        let at = self.kept.partition_point(|kept| kept.end() <= number);
        self.kept.range(at..)
    }

    /// The last lines of a source, newest first.
    pub(super) fn last_of(&self, source: u16, most: usize) -> Vec<&str> {
        self.kept
            .iter()
            .rev()
            .flat_map(|kept| kept.batch.iter().rev())
            .filter(|line| line.source == source)
            .map(|line| line.text)
            .take(most)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lines: usize, source: u16) -> LogBatch {
        LogBatch::read("a line of twenty chr\n".repeat(lines), source, None)
    }

    #[test]
    fn the_oldest_go_and_are_counted_and_numbers_stay() {
        let mut ring = Ring::new(RingLimits {
            lines: 2500,
            bytes: usize::MAX,
        });
        for _ in 0..5 {
            ring.push(batch(1000, 0));
        }
        assert_eq!((ring.first(), ring.end()), (3000, 5000));
        let firsts: Vec<_> = ring.since(4000).map(|kept| kept.first).collect();
        assert_eq!(firsts, [4000]);
        assert_eq!(ring.since(3999).count(), 2);
        assert_eq!(ring.since(0).count(), 2);
        assert_eq!(ring.since(5000).count(), 0);
    }

    #[test]
    fn memory_is_bounded_by_bytes_too() {
        let limits = RingLimits {
            lines: usize::MAX,
            bytes: 300_000,
        };
        let mut ring = Ring::new(limits);
        for _ in 0..100 {
            ring.push(batch(900, 0));
            assert!(ring.bytes() <= limits.bytes, "{}", ring.bytes());
        }
        let real: usize = ring.since(0).map(|kept| kept.batch.bytes()).sum();
        assert_eq!(ring.bytes(), real);
    }

    #[test]
    fn single_lines_grow_into_batches_and_who_holds_one_keeps_it() {
        let mut ring = Ring::default();
        ring.push(batch(1, 0));
        let held: Vec<Kept> = ring.since(0).cloned().collect();
        for source in [1, 0, 1] {
            ring.push(batch(1, source));
        }
        assert_eq!(ring.since(0).count(), 1);
        assert_eq!(ring.since(0).map(|kept| kept.batch.len()).sum::<usize>(), 4);
        assert_eq!(held[0].batch.len(), 1);
        assert_eq!(ring.last_of(1, 10).len(), 2);
        assert_eq!(ring.last_of(0, 1).len(), 1);
        let real: usize = ring.since(0).map(|kept| kept.batch.bytes()).sum();
        assert_eq!(ring.bytes(), real);
    }
}
