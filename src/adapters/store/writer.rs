//! The one thread that writes. It takes whatever is queued into one transaction, each piece of
//! work under a savepoint of its own, and answers only after the commit has reached the disk.

use super::error::{Result, StoreError, failure};
use super::schema::PATIENCE;
use cockpit_engine::failure::{Failure, Outcome};
use rusqlite::{Connection, TransactionBehavior};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Work waiting at most; more makes the askers wait.
const QUEUE: usize = 256;
/// Pieces of work in one transaction at most.
const TOGETHER: usize = 128;

/// A piece of work: run inside the transaction, answered after it.
trait Job: Send {
    /// Returns whether its changes are to be kept.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Whether wiped pages must leave the log once this is committed.
    fn wipes(&self) -> bool;
    /// Answers: its own result, or why the commit failed.
    fn answer(self: Box<Self>, database: &Path, committed: std::result::Result<(), Failure>);
}

struct Work<T, F> {
    todo: Option<F>,
    result: Option<Result<T>>,
    wipes: bool,
    reply: oneshot::Sender<Outcome<T>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        if let Some(work) = self.todo.take() {
            self.result = Some(work(connection));
        }
        matches!(self.result, Some(Ok(_)))
    }

    fn wipes(&self) -> bool {
        self.wipes
    }

    fn answer(self: Box<Self>, database: &Path, committed: std::result::Result<(), Failure>) {
        let outcome = match (self.result, committed) {
            (Some(Err(error)), _) => Err(error.at(database)),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(failure)) => Err(failure),
            (None, Ok(())) => Err(failure("this piece of work was never run")),
        };
        // Nobody waits any more: the work is done all the same.
        drop(self.reply.send(outcome));
    }
}

/// The askers' end.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread over a connection that is set up.
    pub(super) fn start(connection: Connection, database: PathBuf) -> Outcome<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(connection, &database, jobs))
            .map_err(|error| failure(format!("the store's writer did not start: {error}")))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Runs work inside a transaction. What it wrote is on the disk when this is ready.
    pub(super) async fn write<T, F>(&self, wipes: bool, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Work {
            todo: Some(work),
            result: None,
            wipes,
            reply,
        });
        let gone = || failure("the store's writer has stopped").hint("restart the cockpit");
        match &self.queue {
            Some(queue) => queue.send(job).await.map_err(|_| gone())?,
            None => return Err(gone()),
        }
        answer.await.map_err(|_| gone())?
    }

    /// A way to queue work from where nothing can be awaited.
    pub(super) fn aside(&self) -> Option<Aside> {
        self.queue.clone().map(|queue| Aside {
            queue: queue.downgrade(),
        })
    }
}

impl Drop for Writer {
    /// Lets the queue run dry, so that the database is closed when the store is gone.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Queues work whose outcome nobody waits for. Does not keep the writer alive.
pub(super) struct Aside {
    queue: mpsc::WeakSender<Box<dyn Job>>,
}

impl Aside {
    /// Queues the work if there is room.
    pub(super) fn write<F>(&self, work: F)
    where
        F: FnOnce(&Connection) -> Result<()> + Send + 'static,
    {
        let (reply, _) = oneshot::channel();
        if let Some(queue) = self.queue.upgrade() {
            drop(queue.try_send(Box::new(Work {
                todo: Some(work),
                result: None,
                wipes: false,
                reply,
            })));
        }
    }
}

fn run(mut connection: Connection, database: &Path, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
    // A crash may have left wiped pages in the log. When others are at work it is theirs.
    empty_log(&connection, database, Duration::ZERO);
    let mut to_truncate = false;
    while let Some(first) = jobs.blocking_recv() {
        let mut waiting = VecDeque::from([first]);
        while waiting.len() < TOGETHER {
            match jobs.try_recv() {
                Ok(job) => waiting.push_back(job),
                Err(_) => break,
            }
        }
        let wipes = waiting.iter().any(|job| job.wipes());
        to_truncate |= wipes;
        let mut done = Vec::with_capacity(waiting.len());
        let committed =
            together(&mut connection, &mut waiting, &mut done).map_err(|error| error.at(database));
        // A wipe is answered once its pages have left the log, too.
        if to_truncate && committed.is_ok() {
            let patience = if wipes { PATIENCE } else { Duration::ZERO };
            to_truncate = !empty_log(&connection, database, patience);
        }
        for job in done.into_iter().chain(waiting) {
            job.answer(database, committed.clone());
        }
    }
}

/// One transaction over all that waits, moving it to `done` as it is run.
fn together(
    connection: &mut Connection,
    waiting: &mut VecDeque<Box<dyn Job>>,
    done: &mut Vec<Box<dyn Job>>,
) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    while let Some(mut job) = waiting.pop_front() {
        transaction.execute_batch("SAVEPOINT work")?;
        let keep = job.run(&transaction);
        done.push(job);
        // A full disk or a failing one takes the whole transaction back by itself.
        if transaction.is_autocommit() {
            return Err(StoreError::from(failure(
                "the database took a whole transaction back: the disk is full or failing",
            )));
        }
        transaction.execute_batch(if keep {
            "RELEASE work"
        } else {
            "ROLLBACK TO work; RELEASE work"
        })?;
    }
    transaction.commit()?;
    Ok(())
}

/// Writes the log back into the database and empties it. Not while somebody reads: then later.
fn empty_log(connection: &Connection, database: &Path, patience: Duration) -> bool {
    let busy = connection.busy_timeout(patience).and_then(|()| {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
            row.get::<_, i64>(0)
        })
    });
    let restored = connection.busy_timeout(PATIENCE);
    match restored.and(busy) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => {
            tracing::warn!(database = %database.display(), %error, "could not empty the log");
            false
        }
    }
}
