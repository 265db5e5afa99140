//! The one writer's place of a (host, provider): a locked file that the system frees when its
//! holder dies, and a row that says who holds it.

use super::error::{Result, damaged};
use super::files::{LOCKS, private_file};
use super::lease_shared::file_in;
use super::lock_file::{Probed, let_go, lock, no_file, note, probe, read_note, told};
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
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

#[cfg(test)]
mod tests {
    use super::*;

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
