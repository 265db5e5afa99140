//! One lock file: locked, looked at, let go, and the note in it that says who holds it.

use super::error::file_failure;
use cockpit_domain::text::{clean_line, span};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::LeaseInfo;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A look at a lock holds it, shared, for an instant; a taker tries for longer than that.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// What a look at a lock found. It never takes the place: its own hold is shared and lasts an
/// instant.
pub(super) enum Probed {
    Absent,
    Free,
    Held,
    Unreadable(String),
}

impl Probed {
    /// Which of two looks at one place counts.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Absent => 0,
            Self::Free => 1,
            Self::Unreadable(_) => 2,
            Self::Held => 3,
        }
    }
}

pub(super) fn probe(path: &Path) -> Probed {
    let unreadable = |error: &std::io::Error| Probed::Unreadable(error.to_string());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Probed::Absent,
        Err(error) => return unreadable(&error),
    };
    if !file.metadata().is_ok_and(|seen| seen.is_file()) {
        return Probed::Unreadable("it is no file".to_owned());
    }
    match file.try_lock_shared() {
        Ok(()) => Probed::Free,
        Err(TryLockError::WouldBlock) => Probed::Held,
        Err(TryLockError::Error(error)) => unreadable(&error),
    }
}

/// Takes the lock, or finds it held.
pub(super) fn lock(
    path: &Path,
    note: &str,
    open: fn(&Path) -> Outcome<File>,
) -> Outcome<Option<(File, PathBuf)>> {
    for attempt in 0..TRIES {
        if attempt > 0 {
            std::thread::sleep(BETWEEN_TRIES);
        }
        let mut file = open(path).map_err(|failure| unreadable(path, &failure))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => {
                return Err(unreadable(path, &file_failure(path, &error)));
            }
        }
        // The holder before us removed this very file: a newer one may be locked by now.
        if !is_at(&file, path) {
            continue;
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(note.as_bytes()));
        return match written {
            Ok(()) => Ok(Some((file, path.to_owned()))),
            Err(error) => Err(file_failure(path, &error)),
        };
    }
    Ok(None)
}

/// Takes the file away before its lock, so that none outlives its holder.
pub(super) fn let_go(file: &File, path: &Path) {
    if is_at(file, path) {
        drop(std::fs::remove_file(path));
    }
    drop(file.unlock());
}

/// Removes a file, if it is there.
pub(super) fn no_file(path: &Path) -> Outcome<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file_failure(path, &error))
        }
        _ => Ok(()),
    }
}

pub(super) fn unreadable(path: &Path, cause: &Failure) -> Failure {
    Failure::new(
        FailureKind::Busy,
        format!(
            "the lease cannot be read, so somebody may hold it: {}",
            cause.message
        ),
    )
    .hint(format!(
        "make `{}` a file this user can read and write",
        path.display()
    ))
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// What is written into it.
pub(super) fn note(info: &LeaseInfo) -> String {
    serde_json::json!({
        "owner": info.owner, "reason": info.reason, "since_ms": info.since_ms,
    })
    .to_string()
}

pub(super) fn read_note(path: &Path) -> Option<LeaseInfo> {
    let mut text = String::new();
    File::open(path)
        .ok()?
        .take(8192)
        .read_to_string(&mut text)
        .ok()?;
    let note: serde_json::Value = serde_json::from_str(&text).ok()?;
    let field = |name: &str| note[name].as_str().map(str::to_owned);
    Some(LeaseInfo {
        owner: field("owner")?,
        reason: field("reason")?,
        since_ms: note["since_ms"].as_i64()?,
    })
}

/// Who holds a place by the note in its file, as a part of a sentence.
pub(super) fn said_by(path: &Path, asker: &LeaseInfo) -> String {
    match read_note(path) {
        Some(holder) => told(&holder, asker),
        None => "somebody whose note cannot be read".to_owned(),
    }
}

pub(super) fn told(holder: &LeaseInfo, asker: &LeaseInfo) -> String {
    format!(
        "{} since {} for {}",
        clean_line(&holder.owner),
        span(asker.since_ms - holder.since_ms),
        clean_line(&holder.reason)
    )
}
