//! What can go wrong inside the store, and how it is said at its border.

use cockpit_engine::failure::{Failure, FailureKind};
use rusqlite::ErrorCode;
use std::path::Path;

/// Inside the store: SQLite's own words, or a failure that is ready to be shown.
#[derive(Debug)]
pub(super) enum StoreError {
    Sqlite(rusqlite::Error),
    Ready(Box<Failure>),
}

pub(super) type Result<T> = std::result::Result<T, StoreError>;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        Self::Ready(Box::new(failure))
    }
}

impl StoreError {
    /// As faces see it.
    pub(super) fn at(self, database: &Path) -> Failure {
        match self {
            Self::Ready(failure) => *failure,
            Self::Sqlite(error) => sqlite_failure(database, &error),
        }
    }
}

/// A failure of the store with what was found.
pub(super) fn failure(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Store, message)
}

/// A row or file that is not as this program writes it.
pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::from(failure(format!("{what} cannot be read back")).hint(
        "a newer or damaged store: use the newest cockpit, or keep a copy and begin a new store",
    ))
}

/// A file or folder of the state folder that the system refused.
pub(super) fn file_failure(path: &Path, error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        std::io::ErrorKind::PermissionDenied => "check who owns the state folder",
        std::io::ErrorKind::StorageFull => "make room on that disk",
        std::io::ErrorKind::ReadOnlyFilesystem => "set `state_dir` to a folder that can be written",
        _ => "",
    };
    failure(format!("`{}`: {error}", path.display())).hint(hint)
}

fn sqlite_failure(database: &Path, error: &rusqlite::Error) -> Failure {
    let shown = database.display();
    let code = error.sqlite_error_code();
    let hint = match code {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => format!(
            "no host is harmed: move `{shown}` and its `-wal` away and start again, \
             or save what is left with `sqlite3 {shown} .recover`"
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process holds the database for long: look for a stopped `cockpit`".to_owned()
        }
        Some(ErrorCode::DiskFull) => "make room on that disk".to_owned(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "check who owns the state folder and whether it can be written".to_owned()
        }
        _ => String::new(),
    };
    let message = match (code, error) {
        (Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt), _) => {
            format!("`{shown}` is damaged: {error}")
        }
        // The text of a statement is of no use to a person.
        (_, rusqlite::Error::SqlInputError { msg, .. }) => format!("`{shown}`: {msg}"),
        _ => format!("`{shown}`: {error}"),
    };
    failure(message).hint(hint)
}
