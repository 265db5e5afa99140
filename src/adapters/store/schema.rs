//! Opening: folder, file modes, settings of a connection, migrations.

use super::error::{Result, StoreError, damaged, failure, file_failure};
use super::files::{DATABASE, LOCKS, private_file, private_folder};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const STEPS: &[M<'static>] = &[
    M::up(include_str!("migrations/0001_first.sql")),
    M::up(include_str!("migrations/0002_lost_answers.sql")),
    M::up(include_str!("migrations/0003_tallies.sql")),
    M::up(include_str!("migrations/0004_runs.sql")),
    M::up(include_str!("migrations/0005_stacks.sql")),
    M::up(include_str!("migrations/0006_check_history.sql")),
];

/// How long one process waits for another's transaction.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the writer's connection of a state folder.
pub(super) fn open(state_dir: &Path) -> Outcome<(Connection, PathBuf)> {
    private_folder(state_dir, state_dir.join(DATABASE).exists())?;
    let locks = state_dir.join(LOCKS);
    private_folder(&locks, true)?;
    let database = state_dir.join(DATABASE);
    // Two processes that find no database must not both make it. The folder itself is locked:
    // no file of its own would ever have to be removed.
    let opening = File::open(&locks).map_err(|error| file_failure(&locks, &error))?;
    wait_for(&opening, &database)?;
    // SQLite gives `-wal` and `-shm` the mode of the database itself.
    drop(private_file(&database)?);
    let connection = prepare(&database).map_err(|error| error.at(&database))?;
    Ok((connection, database))
}

fn wait_for(opening: &File, database: &Path) -> Outcome<()> {
    let until = Instant::now() + PATIENCE;
    while opening.try_lock().is_err() {
        if Instant::now() >= until {
            return Err(Failure::new(
                FailureKind::Busy,
                format!("another process is opening `{}`", database.display()),
            )
            .hint("look for a stopped `cockpit` process and end it"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn prepare(database: &Path) -> Result<Connection> {
    let mut connection = Connection::open_with_flags(
        database,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::from(
            failure(format!(
                "`{}` cannot keep a write-ahead log (journal mode `{mode}`)",
                database.display()
            ))
            .hint("set `state_dir` to a folder on a local disk"),
        ));
    }
    // `fullfsync` matters on macOS only, where a plain fsync leaves data in the drive's cache.
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA secure_delete = ON;
         PRAGMA foreign_keys = ON;",
    )?;
    migrate(&mut connection, database)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, database: &Path) -> Result<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if version > known {
        return Err(StoreError::from(
            failure(format!(
                "`{}` was written by a newer cockpit: its schema is {version}, this one knows {known}",
                database.display()
            ))
            .hint("use the newer cockpit, or set another `state_dir`; nothing was changed"),
        ));
    }
    if version == known {
        return Ok(());
    }
    migrations()
        .to_latest(connection)
        .map_err(|error| match error {
            rusqlite_migration::Error::RusqliteError { err, .. } => StoreError::Sqlite(err),
            other => StoreError::from(failure(format!(
                "`{}` could not be brought to schema {known}: {other}",
                database.display()
            ))),
        })
}

/// All steps, oldest first.
pub(super) fn migrations() -> Migrations<'static> {
    Migrations::from_slice(STEPS)
}

/// A connection that reads, for one look.
pub(super) fn reader(database: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(
        database,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// Reads a word of ours back from a column.
pub(super) fn word<T>(what: &str, text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    parse(text).ok_or_else(|| damaged(what))
}

/// Reads JSON of ours back from a column.
pub(super) fn json<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        tracing::warn!(what, %error, "unreadable row");
        damaged(what)
    })
}

/// Writes a value as JSON for a column.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| {
        StoreError::from(Failure::new(
            FailureKind::Internal,
            format!("a row could not be written as JSON: {error}"),
        ))
    })
}
