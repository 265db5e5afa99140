//! The one writer's place of a (host, provider): a locked file that the system frees when its
//! holder dies, and a row that says who holds it.

use super::error::file_failure;
use super::files::private_file;
use super::writer::Aside;
use super::{SqliteStore, batches, blocking};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_domain::text::clean_line;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{Lease, LeaseInfo};
use rusqlite::{OptionalExtension, params};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A look at a lock holds it, shared, for an instant; a taker tries for longer than that.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// The folder of lock files.
#[derive(Debug, Clone)]
pub(super) struct Locks(PathBuf);

impl Locks {
    /// The file of a (host, provider). Dots inside ids are doubled, since one parts the two.
    fn file(&self, host: &HostId, provider: &PackId) -> PathBuf {
        let part = |id: &str| id.replace('.', "..");
        self.0.join(format!(
            "{}.{}.lock",
            part(host.as_str()),
            part(provider.as_str())
        ))
    }

    /// Whether nobody holds it. What cannot be read counts as held.
    pub(super) fn is_free(&self, host: &HostId, provider: &PackId) -> bool {
        match File::open(self.file(host, provider)) {
            Ok(file) => file.try_lock_shared().is_ok(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }
}

/// A held lease. The file goes before the lock does, so that no lock file outlives its holder.
struct Held {
    file: File,
    path: PathBuf,
    row: Option<i64>,
    aside: Option<Aside>,
}

impl Lease for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        if let (Some(row), Some(aside)) = (self.row, &self.aside) {
            aside.write(move |db| {
                db.execute("DELETE FROM leases WHERE id = ?1", [row])?;
                Ok(())
            });
        }
        if is_at(&self.file, &self.path) {
            drop(std::fs::remove_file(&self.path));
        }
        drop(self.file.unlock());
    }
}

impl SqliteStore {
    pub(super) fn locks(&self) -> Locks {
        Locks(self.state_dir.join("locks"))
    }

    pub(super) async fn take_lease(
        &self,
        host: &HostId,
        provider: &PackId,
        info: &LeaseInfo,
    ) -> Outcome<Box<dyn Lease>> {
        let info = LeaseInfo {
            owner: self.guard.prose(&info.owner),
            reason: self.guard.prose(&info.reason),
            since_ms: info.since_ms,
        };
        let path = self.locks().file(host, provider);
        let note = note(&info);
        let locked = blocking(move || lock(&path, &note)).await?;
        let Some((file, path)) = locked else {
            return Err(self.held(host, provider, &info).await);
        };
        let mut held = Held {
            file,
            path,
            row: None,
            aside: self.writer.aside(),
        };
        let (host, provider) = (host.clone(), provider.clone());
        let row = self
            .write(move |db| {
                batches::interrupt_stale(db, &host, &provider, info.since_ms, &info.owner)?;
                db.execute(
                    "INSERT OR REPLACE INTO leases (host, provider, owner, reason, since_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![
                        host.as_str(),
                        provider.as_str(),
                        info.owner,
                        info.reason,
                        info.since_ms
                    ],
                )?;
                Ok(db.last_insert_rowid())
            })
            .await?;
        held.row = Some(row);
        Ok(Box::new(held))
    }

    /// Says who holds it: by the row, by the note in the file, or that neither can be read.
    async fn held(&self, host: &HostId, provider: &PackId, asker: &LeaseInfo) -> Failure {
        let path = self.locks().file(host, provider);
        let (row_host, row_provider) = (host.clone(), provider.clone());
        let row = self
            .read(move |db| {
                Ok(db
                    .query_row(
                        "SELECT owner, reason, since_ms FROM leases
                         WHERE host = ?1 AND provider = ?2",
                        [row_host.as_str(), row_provider.as_str()],
                        |row| {
                            Ok(LeaseInfo {
                                owner: row.get(0)?,
                                reason: row.get(1)?,
                                since_ms: row.get(2)?,
                            })
                        },
                    )
                    .optional()?)
            })
            .await;
        let holder = match blocking(move || Ok(read_note(&path))).await {
            Ok(Some(note)) => Some(note),
            _ => row.ok().flatten(),
        };
        let place = format!("host `{host}` provider `{provider}` is held by");
        let message = match &holder {
            Some(holder) => format!(
                "{place} {} since {} for {}",
                clean_line(&holder.owner),
                age(asker.since_ms - holder.since_ms),
                clean_line(&holder.reason)
            ),
            None => format!("{place} somebody whose note cannot be read"),
        };
        Failure::new(FailureKind::Busy, message)
            .hint("wait until it is done, or end that process; its work can then be resumed")
    }
}

/// Takes the lock, or finds it held.
fn lock(path: &Path, note: &str) -> Outcome<Option<(File, PathBuf)>> {
    for attempt in 0..TRIES {
        if attempt > 0 {
            std::thread::sleep(BETWEEN_TRIES);
        }
        let mut file = private_file(path).map_err(|failure| unreadable(path, &failure))?;
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

fn unreadable(path: &Path, cause: &Failure) -> Failure {
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

fn note(info: &LeaseInfo) -> String {
    serde_json::json!({
        "owner": info.owner, "reason": info.reason, "since_ms": info.since_ms,
    })
    .to_string()
}

fn read_note(path: &Path) -> Option<LeaseInfo> {
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

/// `8s`, `4m12s`, `3h05m`, `2d04h`.
fn age(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    if days > 0 {
        format!("{days}d{:02}h", hours % 24)
    } else if hours > 0 {
        format!("{hours}h{:02}m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes}m{:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_read_at_a_glance() {
        let ages = [-5, 8_000, 252_000, 11_100_000, 187_200_000].map(age);
        assert_eq!(ages, ["0s", "8s", "4m12s", "3h05m", "2d04h"]);
    }

    #[test]
    fn no_two_places_share_a_lock_file() {
        let locks = Locks(PathBuf::new());
        let file = |host: &str, provider: &str| {
            locks.file(&HostId::new(host).unwrap(), &PackId::new(provider).unwrap())
        };
        assert_eq!(file("lab", "good").to_str(), Some("lab.good.lock"));
        assert_ne!(file("a.b", "c"), file("a", "b.c"));
        assert_ne!(file("a.", "b"), file("a", "b"));
    }
}
