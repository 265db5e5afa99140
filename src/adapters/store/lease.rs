//! The one writer's place of a (host, provider): a locked file that the system frees when its
//! holder dies, and a row that says who holds it.

use super::error::{Result, damaged, file_failure};
use super::files::{LOCKS, private_file};
use super::lease_shared::file_in;
use super::writer::Aside;
use super::{SqliteStore, batches, blocking};
use cockpit_domain::ids::{BatchId, HostId, PackId};
use cockpit_domain::text::clean_line;
use cockpit_engine::board::{LeaseSeen, LeaseState};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{Lease, LeaseInfo};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A look at a lock holds it, shared, for an instant; a taker tries for longer than that.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// The places that are held through this handle.
pub(super) type Mine = Arc<Mutex<BTreeSet<(HostId, PackId)>>>;

/// The folder of lock files, and which of them are ours.
#[derive(Debug, Clone)]
pub(super) struct Locks {
    folder: PathBuf,
    shared: Option<PathBuf>,
    mine: Mine,
}

impl Locks {
    fn file(&self, host: &HostId, provider: &PackId) -> PathBuf {
        file_in(&self.folder, host, provider)
    }

    /// The folders of lock files: ours, and the one we share.
    fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.folder).chain(&self.shared)
    }

    /// Whether nobody holds it. What cannot be read counts as held.
    pub(super) fn is_free(&self, host: &HostId, provider: &PackId) -> bool {
        match File::open(self.file(host, provider)) {
            Ok(file) => file.try_lock_shared().is_ok(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }

    /// The places that are held now, or were left: by whom, what for, since when. A lock that cannot be looked
    /// at is listed and says so.
    pub(super) fn held(&self, db: &Connection) -> Result<Vec<LeaseSeen>> {
        let mut rows = rows(db)?;
        let mut places: BTreeSet<(HostId, PackId)> = rows.keys().cloned().collect();
        // A holder writes its row a moment after its file.
        for entry in self.folders().flat_map(std::fs::read_dir).flatten() {
            places.extend(entry.ok().and_then(|entry| place_of(&entry.file_name())));
        }
        let mut held = Vec::new();
        for place in places {
            let mut state = LeaseState::Held;
            // Who holds it in one of the two holds it.
            let looked = self.folders().map(|folder| {
                let path = file_in(folder, &place.0, &place.1);
                (probe(&path), path)
            });
            let Some((probed, path)) = looked.max_by_key(|(probed, _)| probed.rank()) else {
                continue;
            };
            let info = match probed {
                // Its owner tidied up, or is about to: the row goes a moment after.
                Probed::Absent => continue,
                // Its owner ended without tidying up.
                Probed::Free => {
                    state = LeaseState::Left;
                    match rows.remove(&place).or_else(|| read_note(&path)) {
                        Some(known) => known,
                        None => continue,
                    }
                }
                Probed::Held => {
                    let known = read_note(&path).or_else(|| rows.remove(&place));
                    known.unwrap_or_else(|| LeaseInfo {
                        owner: "somebody".to_owned(),
                        reason: "its note cannot be read".to_owned(),
                        since_ms: 0,
                    })
                }
                Probed::Unreadable(why) => {
                    state = LeaseState::Unreadable;
                    LeaseInfo {
                        owner: "perhaps somebody".to_owned(),
                        reason: format!("the lease cannot be read: {why}"),
                        since_ms: 0,
                    }
                }
            };
            held.push(LeaseSeen {
                foreign: !lock_set(&self.mine).contains(&place),
                state,
                host: place.0,
                provider: place.1,
                info: LeaseInfo {
                    owner: clean_line(&info.owner),
                    reason: clean_line(&info.reason),
                    since_ms: info.since_ms,
                },
            });
        }
        Ok(held)
    }
}

/// What a look at a lock found. It never takes the place: its own hold is shared and lasts an
/// instant.
enum Probed {
    Absent,
    Free,
    Held,
    Unreadable(String),
}

impl Probed {
    /// Which of two looks at one place counts.
    fn rank(&self) -> u8 {
        match self {
            Self::Absent => 0,
            Self::Free => 1,
            Self::Unreadable(_) => 2,
            Self::Held => 3,
        }
    }
}

fn probe(path: &Path) -> Probed {
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

/// The place a lock file is of: the reverse of [`Locks::file`]. Ids begin with a letter or digit,
/// so the one run of dots of odd length ends with the dot that parts them.
fn place_of(name: &OsStr) -> Option<(HostId, PackId)> {
    let name = name.to_str()?.strip_suffix(".lock")?;
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let dots = bytes[at..].iter().take_while(|byte| **byte == b'.').count();
        at += dots.max(1);
        if dots % 2 == 1 {
            let whole = |part: &str| part.replace("..", ".");
            let host = HostId::new(whole(&name[..at - 1])).ok()?;
            return Some((host, PackId::new(whole(&name[at..])).ok()?));
        }
    }
    None
}

fn rows(db: &Connection) -> Result<BTreeMap<(HostId, PackId), LeaseInfo>> {
    let mut rows = db.prepare("SELECT host, provider, owner, reason, since_ms FROM leases")?;
    let rows = rows.query_map([], |row| {
        let info = LeaseInfo {
            owner: row.get(2)?,
            reason: row.get(3)?,
            since_ms: row.get(4)?,
        };
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, info))
    })?;
    rows.map(|row| {
        let (host, provider, info) = row?;
        let unreadable = || damaged("the place of a lease");
        let host = HostId::new(host).map_err(|_| unreadable())?;
        let provider = PackId::new(provider).map_err(|_| unreadable())?;
        Ok(((host, provider), info))
    })
    .collect()
}

/// A held lease. The file goes before the lock does, so that no lock file outlives its holder.
struct Held {
    file: File,
    path: PathBuf,
    shared: Option<(File, PathBuf)>,
    row: Option<i64>,
    aside: Option<Aside>,
    place: (HostId, PackId),
    mine: Mine,
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
        if let Some((file, path)) = &self.shared {
            let_go(file, path);
        }
        let_go(&self.file, &self.path);
        lock_set(&self.mine).remove(&self.place);
    }
}

fn let_go(file: &File, path: &Path) {
    if is_at(file, path) {
        drop(std::fs::remove_file(path));
    }
    drop(file.unlock());
}

fn lock_set(mine: &Mine) -> MutexGuard<'_, BTreeSet<(HostId, PackId)>> {
    mine.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SqliteStore {
    pub(super) fn locks(&self) -> Locks {
        Locks {
            folder: self.state_dir.join(LOCKS),
            shared: self.lease_dir.clone(),
            mine: Arc::clone(&self.mine),
        }
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
        let ours = note.clone();
        let locked = blocking(move || lock(&path, &ours, private_file)).await?;
        let Some((file, path)) = locked else {
            return Err(self.held(host, provider, &info).await);
        };
        let mut held = Held {
            file,
            path,
            shared: None,
            row: None,
            aside: self.writer.aside(),
            place: (host.clone(), provider.clone()),
            mine: Arc::clone(&self.mine),
        };
        lock_set(&held.mine).insert(held.place.clone());
        held.shared = self.take_shared(host, provider, &info, note).await?;
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

    /// Clears a place: takes its lock (or, from an owner that may live elsewhere, puts a new file in
    /// its place), marks what its owner left, and lets go.
    pub(super) async fn clear_lease(
        &self,
        host: &HostId,
        provider: &PackId,
        taker: &LeaseInfo,
        alive: bool,
    ) -> Outcome<Vec<BatchId>> {
        if alive {
            let locks = self.locks();
            let files: Vec<PathBuf> = (locks.folders())
                .map(|folder| file_in(folder, host, provider))
                .collect();
            blocking(move || files.iter().try_for_each(|path| no_file(path))).await?;
        }
        let (of_host, of_provider) = (host.clone(), provider.clone());
        let running = self
            .read(move |db| batches::running(db, &of_host, &of_provider))
            .await?;
        drop(self.take_lease(host, provider, taker).await?);
        Ok(running)
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
        let lease_name = format!("{host}/{provider}");
        let message = match &holder {
            Some(holder) => format!("{place} {}", told(holder, asker)),
            None => format!("{place} somebody whose note cannot be read"),
        };
        Failure::new(FailureKind::Busy, message)
            .hint(format!(
                "wait until it is done, or end that process; its work can then be resumed. If it is gone for good: `cockpit lease take {lease_name} --reason ..`, on the screen `:lease-take {host} {provider}`"
            ))
    }
}

/// Removes a file, if it is there.
fn no_file(path: &Path) -> Outcome<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file_failure(path, &error))
        }
        _ => Ok(()),
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

/// Who holds a place by the note in its file, as a part of a sentence.
pub(super) fn said_by(path: &Path, asker: &LeaseInfo) -> String {
    match read_note(path) {
        Some(holder) => told(&holder, asker),
        None => "somebody whose note cannot be read".to_owned(),
    }
}

fn told(holder: &LeaseInfo, asker: &LeaseInfo) -> String {
    format!(
        "{} since {} for {}",
        clean_line(&holder.owner),
        age(asker.since_ms - holder.since_ms),
        clean_line(&holder.reason)
    )
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
        let locks = Locks {
            shared: None,
            folder: PathBuf::new(),
            mine: Mine::default(),
        };
        let file = |host: &str, provider: &str| {
            locks.file(&HostId::new(host).unwrap(), &PackId::new(provider).unwrap())
        };
        assert_eq!(file("lab", "good").to_str(), Some("lab.good.lock"));
        assert_ne!(file("a.b", "c"), file("a", "b.c"));
        assert_ne!(file("a.", "b"), file("a", "b"));
        for (host, provider) in [
            ("lab", "good"),
            ("a.b", "c"),
            ("a.", "b.c."),
            ("a..", "b..c"),
        ] {
            let (read, with) = place_of(file(host, provider).as_os_str()).unwrap();
            assert_eq!((read.as_str(), with.as_str()), (host, provider));
        }
        for other in ["x.lock", "lab.good", ".lock", "a..b.lock"] {
            assert_eq!(place_of(OsStr::new(other)), None, "{other}");
        }
    }
}
