//! One source, followed for as long as it is wanted: opened again after a wait when it stopped,
//! without showing a second time what it says again.

use super::hub::{Inner, SourceStatus};
use crate::board::Trouble;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{RemoteCommand, StreamText};
use cockpit_domain::ids::MachineId;
use cockpit_domain::log::{LogBatch, LogPlace, LogSource};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Lines of the past a source begins with.
const PAST_LINES: u32 = 200;
/// Parts of the stream that may wait; each is up to some 100 KiB.
const PARTS: usize = 16;
/// First wait before a source is opened again; doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A stream that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(30);
/// A silent stream that did not fail within this is taken for open.
const OPENED: Duration = Duration::from_secs(2);

/// Follows until stopped.
pub(super) async fn keep(
    inner: &Arc<Inner>,
    number: u16,
    source: &LogSource,
    stop: &CancellationToken,
) {
    let mut wait = FIRST_WAIT;
    while !stop.is_cancelled() {
        inner.fares(number, stop, SourceStatus::Opening);
        let began = Instant::now();
        let why = once(inner, number, source, stop).await;
        if stop.is_cancelled() {
            return;
        }
        if began.elapsed() >= GOOD {
            wait = FIRST_WAIT;
        }
        let ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let status = SourceStatus::Stopped {
            why: Trouble::from(&why.doing(format!("following the log `{}`", source.id))),
            again_at_ms: inner.clock.now_ms().saturating_add(ms),
        };
        inner.fares(number, stop, status);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Follows to the end of one stream, and says why it ended.
async fn once(
    inner: &Arc<Inner>,
    number: u16,
    source: &LogSource,
    stop: &CancellationToken,
) -> Failure {
    let mut east_ms = None;
    if matches!(source.place, LogPlace::File(_)) {
        tokio::select! {
            found = clock_of(inner, &source.machine) => east_ms = found,
            () = stop.cancelled() => {}
        }
    }
    let mut seen = Seen::of(inner, number);
    let (sender, mut parts) = mpsc::channel(PARTS);
    let argv = source.place.argv(PAST_LINES);
    let stream = inner
        .remote
        .follow(&source.machine, &argv, sender, stop.clone());
    let mut last_words = String::new();
    let reading = async {
        let opened = tokio::time::sleep(OPENED);
        tokio::pin!(opened);
        let mut silent = true;
        loop {
            let part: StreamText = tokio::select! {
                part = parts.recv() => match part {
                    Some(part) => part,
                    None => return,
                },
                () = &mut opened, if silent => {
                    silent = false;
                    inner.fares(number, stop, SourceStatus::Following);
                    continue;
                }
            };
            // What the tool itself says when it fails must not pass for a log that is open.
            let of_tool = part.is_stderr && !matches!(source.place, LogPlace::Container(_));
            if part.is_stderr {
                part.lines()
                    .last()
                    .unwrap_or_default()
                    .clone_into(&mut last_words);
            }
            if !of_tool {
                silent = false;
                inner.fares(number, stop, SourceStatus::Following);
            }
            let text = seen.without(part.text);
            if !text.is_empty() {
                inner.take(number, LogBatch::read(text, number, east_ms));
            }
        }
    };
    let (ended, ()) = tokio::join!(stream, reading);
    explain(ended, &last_words)
}

fn explain(ended: Outcome<Option<i32>>, last_words: &str) -> Failure {
    let status = match ended {
        Err(failure) => return failure,
        Ok(Some(code)) => format!("the command ended with status {code}"),
        Ok(None) => "the command was ended".to_owned(),
    };
    let message = if last_words.is_empty() {
        status
    } else {
        format!("{status}: {last_words}")
    };
    Failure::new(FailureKind::Remote, message)
        .hint("look whether the [log.NAME] block names what is there; it is opened again by itself")
}

/// What a machine's clock is ahead of UTC, asked once: files name no zone in their times.
async fn clock_of(inner: &Arc<Inner>, machine: &MachineId) -> Option<i64> {
    let known = |inner: &Inner| {
        let clocks = inner.clocks.lock().unwrap_or_else(PoisonError::into_inner);
        clocks.get(machine).copied()
    };
    if let Some(known) = known(inner) {
        return known;
    }
    let asked = RemoteCommand::new(["date", "+%z"]);
    // A machine that does not answer is asked again with the next try.
    let output = inner.remote.run(machine, &asked).await.ok()?;
    let east = east_ms(output.stdout.trim());
    let mut clocks = inner.clocks.lock().unwrap_or_else(PoisonError::into_inner);
    clocks.insert(machine.clone(), east);
    east
}

/// `+0800` in ms.
pub(super) fn east_ms(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let number: i64 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    Some(sign * (number / 100 * 60 + number % 100) * 60_000)
}

/// Lines that were shown before the stream broke: its new beginning repeats them.
struct Seen {
    lines: HashSet<u64>,
    /// Lines of the new beginning that may still be such.
    left: usize,
}

fn hash(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

impl Seen {
    fn of(inner: &Inner, number: u16) -> Self {
        let lines: HashSet<u64> = {
            let ring = inner.ring();
            let last = ring.last_of(number, PAST_LINES as usize);
            last.into_iter().map(hash).collect()
        };
        Self {
            left: if lines.is_empty() {
                0
            } else {
                PAST_LINES as usize
            },
            lines,
        }
    }

    /// The text without the lines that were shown.
    fn without(&mut self, text: String) -> String {
        if self.left == 0 {
            return text;
        }
        let mut fresh = String::new();
        for line in text.split_inclusive('\n') {
            let shown = self.left > 0 && self.lines.contains(&hash(line.trim_end_matches('\n')));
            self.left = self.left.saturating_sub(1);
            if !shown {
                fresh.push_str(line);
            }
        }
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_as_date_prints_them() {
        assert_eq!(east_ms("+0800"), Some(28_800_000));
        assert_eq!(east_ms("-0330"), Some(-12_600_000));
        assert_eq!(east_ms("+0000"), Some(0));
        for wrong in ["", "UTC", "+08:00", "0800", "+8"] {
            assert_eq!(east_ms(wrong), None, "{wrong}");
        }
    }
}
