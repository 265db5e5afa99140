//! The optional shared folder of leases, for several users of one jump host: a locked file a place,
//! beside the one in the user's own state folder. It holds owner, reason and time, and no secret. The
//! doctor looks at what the folder itself is.

use super::error::file_failure;
use super::files::shared_file;
use super::lock_file::{lock, said_by, unreadable};
use super::{SqliteStore, blocking};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_domain::text::clean_line;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{FolderEntry, LeaseFolder, LeaseInfo};
use nix::errno::Errno;
use nix::unistd::{AccessFlags, Gid, Group, Uid, User, access};
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file of a (host, provider) in a folder of leases. Dots inside ids are doubled, since one parts
/// the two.
pub(super) fn file_in(folder: &Path, host: &HostId, provider: &PackId) -> PathBuf {
    let part = |id: &str| id.replace('.', "..");
    folder.join(format!(
        "{}.{}.lock",
        part(host.as_str()),
        part(provider.as_str())
    ))
}

impl SqliteStore {
    /// Shares the writers' places with the other users of a folder.
    #[must_use]
    pub fn sharing(mut self, lease_dir: Option<PathBuf>) -> Self {
        self.lease_dir = lease_dir;
        self
    }

    /// Takes the place in the shared folder, where there is one.
    pub(super) async fn take_shared(
        &self,
        host: &HostId,
        provider: &PackId,
        info: &LeaseInfo,
        note: String,
    ) -> Outcome<Option<(File, PathBuf)>> {
        let Some(folder) = self.lease_dir.clone() else {
            return Ok(None);
        };
        let path = file_in(&folder, host, provider);
        let place = path.clone();
        if let Some(locked) = blocking(move || lock(&place, &note, shared_file)).await? {
            return Ok(Some(locked));
        }
        let by = said_by(&path, info);
        Err(Failure::new(
            FailureKind::Busy,
            format!(
                "host `{host}` provider `{provider}` is held by {by}, as the shared folder `{}` tells",
                folder.display()
            ),
        )
        .hint("wait until it is done, or ask its owner; `cockpit lease list` shows it, and a lease ends with its process"))
    }

    /// What the shared folder is, for those who ask why nothing can be written.
    pub(super) async fn look_at_shared(&self) -> Outcome<Option<LeaseFolder>> {
        let Some(folder) = self.lease_dir.clone() else {
            return Ok(None);
        };
        blocking(move || look_at(&folder)).await.map(Some)
    }

    /// Fails when there is a shared folder that cannot be looked into: whoever writes may stand there.
    pub(super) async fn shared_is_readable(&self) -> Outcome<()> {
        let Some(folder) = self.lease_dir.clone() else {
            return Ok(());
        };
        blocking(move || match std::fs::read_dir(&folder) {
            Ok(_) => Ok(()),
            Err(error) => Err(unreadable(&folder, &file_failure(&folder, &error))),
        })
        .await
    }
}

fn look_at(folder: &Path) -> Outcome<LeaseFolder> {
    let mut looked = LeaseFolder {
        path: folder.display().to_string(),
        entry: None,
        shut: Vec::new(),
    };
    let meta = match std::fs::metadata(folder) {
        Ok(meta) => meta,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(looked),
        Err(error) => return Err(file_failure(folder, &error)),
    };
    looked.entry = Some(entry(folder, &meta));
    // What it holds is asked about only where it can be looked into; the mode says the rest.
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        // Asked, not opened: somebody may have put something there that never answers.
        let may = access(&file.path(), AccessFlags::R_OK | AccessFlags::W_OK);
        if Path::new(&name)
            .extension()
            .is_some_and(|kind| kind == "lock")
            && may == Err(Errno::EACCES)
        {
            looked.shut.push(clean_line(&name));
        }
    }
    looked.shut.sort();
    Ok(looked)
}

fn entry(folder: &Path, meta: &Metadata) -> FolderEntry {
    let (user, group) = (Uid::from_raw(meta.uid()), Gid::from_raw(meta.gid()));
    let owner = User::from_uid(user).ok().flatten().map(|user| user.name);
    let named = Group::from_gid(group).ok().flatten();
    FolderEntry {
        is_folder: meta.is_dir(),
        mode: meta.mode(),
        owner: owner.unwrap_or_else(|| user.to_string()),
        group: named.map_or_else(|| group.to_string(), |group| group.name),
        writable: access(folder, AccessFlags::W_OK | AccessFlags::X_OK).is_ok(),
    }
}
