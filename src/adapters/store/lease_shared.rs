//! The optional shared folder of leases, for several users of one jump host: a locked file a place,
//! beside the one in the user's own state folder. It holds owner, reason and time, and no secret.

use super::error::file_failure;
use super::files::shared_file;
use super::lock_file::{lock, said_by, unreadable};
use super::{SqliteStore, blocking};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::LeaseInfo;
use std::fs::File;
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
