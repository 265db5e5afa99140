//! What a face holds: which sources there are, which are followed and how they fare, and views of
//! what they say.

use super::follow;
use super::ring::{Ring, RingLimits};
use super::view::LogView;
use crate::board::Trouble;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{Clock, Remote};
use cockpit_domain::ids::MachineId;
use cockpit_domain::log::{LogBatch, LogFilter, LogSource, SourceId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Readers are told at most this often.
const TOLD_EVERY: Duration = Duration::from_millis(33);
/// How long the pasts of sources that were asked for together are waited for, to be put in order.
const PAST: Duration = Duration::from_millis(600);

/// How a source fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SourceStatus {
    /// Nobody asked for it.
    #[default]
    Idle,
    /// It is being opened.
    Opening,
    /// Its lines come as they are written.
    Following,
    /// It stopped.
    Stopped {
        /// Why.
        why: Trouble,
        /// When it is opened again, UTC ms.
        again_at_ms: i64,
    },
}

/// A source and how it fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// The source.
    pub source: LogSource,
    /// How it fares.
    pub status: SourceStatus,
    /// Lines that came from it since start.
    pub lines: u64,
}

/// The logs. Cloning shares them.
#[derive(Clone)]
pub struct LogHub {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Seat {
    status: SourceStatus,
    lines: u64,
    /// Ends its task.
    stop: Option<CancellationToken>,
}

/// Pasts that wait for one another.
#[derive(Default)]
struct Staged {
    awaited: BTreeSet<u16>,
    batches: Vec<LogBatch>,
}

pub(super) struct Inner {
    pub(super) remote: Arc<dyn Remote>,
    pub(super) clock: Arc<dyn Clock>,
    sources: Vec<LogSource>,
    names: Arc<[SourceId]>,
    ring: Mutex<Ring>,
    seats: Mutex<Vec<Seat>>,
    staged: Mutex<Staged>,
    /// What a machine's clock is ahead of UTC, once it was asked.
    pub(super) clocks: Mutex<BTreeMap<MachineId, Option<i64>>>,
    bell: Notify,
    version: watch::Sender<u64>,
    tasks: TaskTracker,
    closing: CancellationToken,
    telling: std::sync::Once,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LogHub {
    /// Logs over these ports; nothing is opened yet.
    pub fn new(
        remote: Arc<dyn Remote>,
        clock: Arc<dyn Clock>,
        sources: Vec<LogSource>,
        limits: RingLimits,
    ) -> Self {
        let names = sources.iter().map(|source| source.id.clone()).collect();
        let seats = sources.iter().map(|_| Seat::default()).collect();
        Self {
            inner: Arc::new(Inner {
                remote,
                clock,
                sources,
                names,
                ring: Mutex::new(Ring::new(limits)),
                seats: Mutex::new(seats),
                staged: Mutex::default(),
                clocks: Mutex::default(),
                bell: Notify::new(),
                version: watch::Sender::new(0),
                tasks: TaskTracker::new(),
                closing: CancellationToken::new(),
                telling: std::sync::Once::new(),
            }),
        }
    }

    /// The sources of the config, in its order.
    pub fn sources(&self) -> &[LogSource] {
        &self.inner.sources
    }

    /// The sources and how they fare.
    pub fn states(&self) -> Vec<SourceState> {
        let seats = lock(&self.inner.seats);
        let sources = self.inner.sources.iter();
        sources
            .zip(seats.iter())
            .map(|(source, seat)| SourceState {
                source: source.clone(),
                status: seat.status.clone(),
                lines: seat.lines,
            })
            .collect()
    }

    /// Follows sources until they are stopped; one that is followed already is left alone. Their
    /// pasts are put in order of time. Must be called inside a runtime.
    ///
    /// # Errors
    /// `Usage` when one is not in the config; then none is followed.
    pub fn follow(&self, ids: &[SourceId]) -> Outcome<()> {
        let numbers = self.numbers(ids)?;
        let inner = &self.inner;
        inner.telling.call_once(|| {
            inner.tasks.spawn(tell(Arc::clone(inner)));
        });
        let mut seats = lock(&inner.seats);
        let mut started = Vec::new();
        for number in numbers {
            let Some(seat) = seats.get_mut(usize::from(number)) else {
                continue;
            };
            if seat.stop.is_some() {
                continue;
            }
            let stop = inner.closing.child_token();
            seat.stop = Some(stop.clone());
            seat.status = SourceStatus::Opening;
            started.push((number, stop));
        }
        drop(seats);
        if started.len() > 1 {
            lock(&inner.staged)
                .awaited
                .extend(started.iter().map(|(number, _)| *number));
            let inner = Arc::clone(inner);
            self.inner.tasks.spawn(async move {
                tokio::select! {
                    () = tokio::time::sleep(PAST) => {}
                    () = inner.closing.cancelled() => {}
                }
                let mut staged = lock(&inner.staged);
                staged.awaited.clear();
                inner.settle(&mut staged);
            });
        }
        for (number, stop) in started {
            let inner = Arc::clone(inner);
            let source = inner.sources[usize::from(number)].clone();
            self.inner.tasks.spawn(async move {
                follow::keep(&inner, number, &source, &stop).await;
            });
        }
        inner.bell.notify_one();
        Ok(())
    }

    /// Stops following sources; their lines stay.
    ///
    /// # Errors
    /// `Usage` when one is not in the config; then none is stopped.
    pub fn stop(&self, ids: &[SourceId]) -> Outcome<()> {
        for number in self.numbers(ids)? {
            if let Some(seat) = lock(&self.inner.seats).get_mut(usize::from(number)) {
                if let Some(stop) = seat.stop.take() {
                    stop.cancel();
                }
                seat.status = SourceStatus::Idle;
            }
        }
        self.inner.bell.notify_one();
        Ok(())
    }

    /// Changes when there is something new: lines, or how a source fares. At most some 30 times a
    /// second, and not at all when nothing happens.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.version.subscribe()
    }

    /// A look at the kept lines.
    pub fn view(&self, filter: LogFilter) -> LogView {
        LogView::new(Arc::clone(&self.inner), filter)
    }

    /// Stops everything and waits until it has ended.
    pub async fn close(&self) {
        self.inner.closing.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    fn numbers(&self, ids: &[SourceId]) -> Outcome<Vec<u16>> {
        let number = |id: &SourceId| {
            let at = self.inner.names.iter().position(|name| name == id);
            at.and_then(|at| u16::try_from(at).ok())
        };
        ids.iter()
            .map(|id| number(id).ok_or_else(|| self.unknown(id)))
            .collect()
    }

    fn unknown(&self, id: &SourceId) -> Failure {
        let known: Vec<&str> = self.inner.names.iter().map(SourceId::as_str).collect();
        Failure::new(
            FailureKind::Usage,
            format!("there is no log `{id}` in the config"),
        )
        .doing("looking up the log")
        .hint(if known.is_empty() {
            "add a [log.NAME] block to the config file".to_owned()
        } else {
            format!("known logs: {}; see `cockpit log list`", known.join(", "))
        })
    }
}

/// Tells readers, but not of every batch.
async fn tell(inner: Arc<Inner>) {
    loop {
        tokio::select! {
            () = inner.bell.notified() => {}
            () = inner.closing.cancelled() => return,
        }
        inner.version.send_modify(|version| *version += 1);
        tokio::select! {
            () = tokio::time::sleep(TOLD_EVERY) => {}
            () = inner.closing.cancelled() => return,
        }
    }
}

impl Inner {
    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        lock(&self.ring)
    }

    pub(super) fn names(&self) -> Arc<[SourceId]> {
        Arc::clone(&self.names)
    }

    /// Takes lines of a source in.
    pub(super) fn take(&self, number: u16, batch: LogBatch) {
        if let Some(seat) = lock(&self.seats).get_mut(usize::from(number)) {
            seat.lines += batch.len() as u64;
        }
        let mut staged = lock(&self.staged);
        if staged.awaited.is_empty() {
            drop(staged);
            self.ring().push(batch);
        } else {
            staged.batches.push(batch);
            staged.awaited.remove(&number);
            self.settle(&mut staged);
        }
        self.bell.notify_one();
    }

    /// Puts staged pasts in order, once none is awaited.
    fn settle(&self, staged: &mut Staged) {
        if !staged.awaited.is_empty() || staged.batches.is_empty() {
            return;
        }
        let batches = std::mem::take(&mut staged.batches);
        let mut lines = Vec::new();
        let mut last = BTreeMap::new();
        for line in batches.iter().flat_map(LogBatch::iter) {
            // A line without a time belongs behind the one before it.
            let at = last.entry(line.source).or_insert(i64::MIN);
            *at = line.at_ms.unwrap_or(*at).max(*at);
            lines.push((*at, line));
        }
        lines.sort_by_key(|(at, _)| *at);
        let mut ring = self.ring();
        for some in lines.chunks(500) {
            let mut batch = LogBatch::default();
            for (_, line) in some {
                batch.push(*line);
            }
            ring.push(batch);
        }
        drop(ring);
        self.bell.notify_one();
    }

    /// Says how a source fares, unless it was stopped meanwhile.
    pub(super) fn fares(&self, number: u16, stop: &CancellationToken, status: SourceStatus) {
        let mut seats = lock(&self.seats);
        if let Some(seat) = seats.get_mut(usize::from(number))
            && !stop.is_cancelled()
            && seat.status != status
        {
            seat.status = status;
            self.bell.notify_one();
        }
    }
}
