//! Whether anybody wrote to the store. The system says when its files change, so that nothing wakes
//! up while nobody writes; SQLite says whether that was a commit.

use super::error::{Result, failure};
use super::files::{DATABASE, LOCKS};
use super::schema;
use cockpit_engine::failure::Outcome;
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Changes closer together than this count as one.
const TOGETHER: Duration = Duration::from_millis(100);

/// A watch over the files of a store.
pub(super) struct Watched {
    changes: watch::Receiver<u64>,
    watcher: Option<RecommendedWatcher>,
    thread: Option<JoinHandle<()>>,
}

impl Watched {
    /// Begins to watch.
    pub(super) fn start(state_dir: &Path, database: &Path) -> Outcome<Self> {
        let at = |error: super::error::StoreError| error.at(database);
        let connection = schema::reader(database).map_err(at)?;
        let version = version(&connection).map_err(at)?;
        let (ring, rings) = sync_channel(1);
        let freed = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&freed);
        let refused = |error: notify::Error| {
            failure(format!("changes of the store cannot be followed: {error}"))
                .hint("what other processes do is then seen when something is asked for again")
        };
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let moved = meaning(&event);
            if moved == Moved::Lock {
                seen.store(true, Ordering::Relaxed);
            }
            if moved != Moved::Nothing {
                // Full means that it rings already.
                let _rings_now: bool = ring.try_send(()).is_ok();
            }
        })
        .map_err(refused)?;
        watcher
            .watch(state_dir, RecursiveMode::NonRecursive)
            .and_then(|()| watcher.watch(&state_dir.join(LOCKS), RecursiveMode::NonRecursive))
            .map_err(refused)?;
        let (told, changes) = watch::channel(0);
        let thread = std::thread::Builder::new()
            .name("store-watch".to_owned())
            .spawn(move || tell(&connection, version, &rings, &freed, &told))
            .map_err(|error| failure(format!("the watch of the store did not start: {error}")))?;
        Ok(Self {
            changes,
            watcher: Some(watcher),
            thread: Some(thread),
        })
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }
}

impl Drop for Watched {
    /// The thread's connection is closed before the writer's, which then can tidy the log away.
    fn drop(&mut self) {
        self.watcher = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// What an event of the system may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moved {
    Nothing,
    /// Something was written to the database or its log.
    Database,
    /// A lock was taken or given back: also by a process that was killed, which writes nothing.
    Lock,
}

fn meaning(event: &notify::Result<Event>) -> Moved {
    let Ok(event) = event else {
        // An error may hide anything.
        return Moved::Database;
    };
    if event.need_rescan() {
        return Moved::Lock;
    }
    let closed = matches!(
        event.kind,
        EventKind::Access(AccessKind::Close(AccessMode::Write))
    );
    // Reading opens and closes files, too: ours would never come to rest.
    if !closed && matches!(event.kind, EventKind::Access(_)) {
        return Moved::Nothing;
    }
    let names = || {
        event
            .paths
            .iter()
            .filter_map(|path| path.file_name()?.to_str())
    };
    if (closed || event.kind.is_remove())
        && names().any(|name| name.strip_suffix(".lock").is_some())
    {
        Moved::Lock
    } else if names().any(|name| name.strip_suffix("-wal").unwrap_or(name) == DATABASE) {
        Moved::Database
    } else {
        Moved::Nothing
    }
}

/// Ends when the watcher is gone.
fn tell(
    connection: &Connection,
    mut version: i64,
    rings: &Receiver<()>,
    freed: &AtomicBool,
    told: &watch::Sender<u64>,
) {
    while rings.recv().is_ok() {
        let until = Instant::now() + TOGETHER;
        loop {
            match rings.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let freed = freed.swap(false, Ordering::Relaxed);
        match self::version(connection) {
            Ok(now) if now == version && !freed => {}
            Ok(now) => {
                version = now;
                told.send_modify(|count| *count += 1);
            }
            Err(error) => tracing::warn!(?error, "could not ask for the version of the store"),
        }
    }
}

/// Changes with every commit of another connection, whosever it is.
fn version(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
}
