//! One reader's look at the ring: a filter, and which kept lines it takes. Kept up by reading only
//! what is new. What a view holds stays as it is until it is refreshed: pausing is not refreshing.

use super::hub::Inner;
use super::ring::Kept;
use cockpit_domain::log::{Level, LineMatcher, LineRef, LogFilter, LogLine, SourceId};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// How many lines there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Lines that are kept.
    pub kept: u64,
    /// Of those, lines the filter takes.
    pub matching: u64,
    /// Lines that were dropped, to keep memory bounded.
    pub dropped: u64,
}

/// A look at the kept lines through a filter.
pub struct LogView {
    hub: Arc<Inner>,
    names: Arc<[SourceId]>,
    filter: LogFilter,
    matcher: LineMatcher,
    kept: VecDeque<Kept>,
    /// Number of the oldest kept line.
    first: u64,
    /// Number behind the newest line that was looked at.
    end: u64,
    /// Numbers of the lines the filter takes; empty and unused when it takes all.
    matches: VecDeque<u64>,
}

impl LogView {
    pub(super) fn new(hub: Arc<Inner>, filter: LogFilter) -> Self {
        let names = hub.names();
        let mut view = Self {
            matcher: LineMatcher::new(&filter, &names),
            hub,
            names,
            filter,
            kept: VecDeque::new(),
            first: 0,
            end: 0,
            matches: VecDeque::new(),
        };
        view.refresh();
        view
    }

    /// Another look at the same lines.
    #[must_use]
    pub fn another(&self, filter: LogFilter) -> Self {
        Self::new(Arc::clone(&self.hub), filter)
    }

    /// Takes over what came since, and says whether anything did.
    pub fn refresh(&mut self) -> bool {
        let before = (self.first, self.end);
        let looked_at = self.end;
        {
            let ring = self.hub.ring();
            (self.first, self.end) = (ring.first(), ring.end());
            if before == (self.first, self.end) {
                return false;
            }
            while self
                .kept
                .front()
                .is_some_and(|kept| kept.end() <= ring.first())
            {
                self.kept.pop_front();
            }
            // The last one may have grown.
            let from = self.kept.pop_back().map_or(ring.first(), |last| last.first);
            self.kept.extend(ring.since(from).cloned());
        }
        self.look(looked_at);
        true
    }

    /// Finds the lines from a number on that the filter takes.
    fn look(&mut self, from: u64) {
        if self.matcher.is_open() {
            return;
        }
        while self.matches.front().is_some_and(|no| *no < self.first) {
            self.matches.pop_front();
        }
        let at = self.kept.partition_point(|kept| kept.end() <= from);
        for kept in self.kept.range(at..) {
            let skip = usize::try_from(from.saturating_sub(kept.first)).unwrap_or(usize::MAX);
            let numbered = (kept.first..).zip(kept.batch.iter()).skip(skip);
            let taken = numbered.filter(|(_, line)| self.matcher.takes(line));
            self.matches.extend(taken.map(|(no, _)| no));
        }
    }

    /// Asks for other lines.
    pub fn set_filter(&mut self, filter: LogFilter) {
        if filter == self.filter {
            return;
        }
        self.matcher = LineMatcher::new(&filter, &self.names);
        self.filter = filter;
        self.matches.clear();
        self.look(self.first);
    }

    /// What is asked for.
    pub fn filter(&self) -> &LogFilter {
        &self.filter
    }

    /// How many lines there are.
    pub fn counts(&self) -> LogCounts {
        LogCounts {
            kept: self.end - self.first,
            matching: self.matching(),
            dropped: self.first,
        }
    }

    fn matching(&self) -> u64 {
        if self.matcher.is_open() {
            self.end - self.first
        } else {
            self.matches.len() as u64
        }
    }

    /// Up to `count` matching lines, of which `start` matching ones stand before.
    pub fn window(&self, start: u64, count: usize) -> Vec<LogLine> {
        let end = self.matching().min(start.saturating_add(count as u64));
        (start..end)
            .filter_map(|place| self.line(self.number(place)?))
            .collect()
    }

    /// The last `count` matching lines.
    pub fn tail(&self, count: usize) -> Vec<LogLine> {
        self.window(self.matching().saturating_sub(count as u64), count)
    }

    /// How many matching lines stand before the line of this number: where a line that was
    /// selected is now, or where it would stand.
    pub fn place_of(&self, no: u64) -> u64 {
        if self.matcher.is_open() {
            no.clamp(self.first, self.end) - self.first
        } else {
            self.matches.partition_point(|taken| *taken < no) as u64
        }
    }

    /// The place of the next matching line behind `place` (before it, when not `forward`) that is at
    /// least as bad as `floor`.
    pub fn next_at(&self, place: u64, forward: bool, floor: Level) -> Option<u64> {
        let bad = |place: &u64| {
            let line = self.number(*place).and_then(|no| self.look_up(no));
            line.is_some_and(|line| line.level.rank() >= floor.rank())
        };
        if forward {
            (place.saturating_add(1)..self.matching()).find(bad)
        } else {
            (0..place.min(self.matching())).rev().find(bad)
        }
    }

    /// A line by its number, if it is kept.
    pub fn line(&self, no: u64) -> Option<LogLine> {
        let line = self.look_up(no)?;
        Some(LogLine {
            no,
            at_ms: line.at_ms,
            level: line.level,
            source: self.names.get(usize::from(line.source))?.clone(),
            status: line.status,
            text: line.text.to_owned(),
        })
    }

    fn look_up(&self, no: u64) -> Option<LineRef<'_>> {
        let at = self.kept.partition_point(|kept| kept.end() <= no);
        let kept = self.kept.get(at)?;
        kept.batch
            .line(usize::try_from(no.checked_sub(kept.first)?).ok()?)
    }

    /// Number of a matching line by its place.
    fn number(&self, place: u64) -> Option<u64> {
        if self.matcher.is_open() {
            return Some(self.first + place);
        }
        self.matches.get(usize::try_from(place).ok()?).copied()
    }
}

impl fmt::Debug for LogView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogView")
            .field("filter", &self.filter)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
