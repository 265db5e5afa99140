//! The private folder for sockets: one sub-folder a program run, held by a file lock, so that a
//! later run can tell the sockets of the living from those of the dead.

use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a UNIX socket address holds on the narrowest system, with its final zero byte.
const ADDRESS: usize = 104;
/// What ssh appends while it makes a control socket.
const SSH_SUFFIX: usize = 17;

/// Our own sub-folder. Removed with everything in it at the end.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
    next: AtomicU64,
    /// The name is free again then: another one may have taken it.
    is_removed: AtomicBool,
}

impl Folder {
    /// Makes the root private, sweeps it and makes our own sub-folder.
    pub(super) fn open(root: &Path, ssh: &Path) -> Outcome<Self> {
        let trouble = |found: String| {
            Failure::new(FailureKind::Config, found)
                .doing(format!("preparing the socket folder {}", root.display()))
                .hint("point the runtime folder to a short path of your own, such as $XDG_RUNTIME_DIR/cockpit")
        };
        let longest = root.join("p4194304-99/c99999").as_os_str().len() + SSH_SUFFIX + 1;
        if longest > ADDRESS {
            return Err(trouble(format!(
                "the path is {} bytes too long for UNIX sockets",
                longest - ADDRESS
            )));
        }
        make_private(root).map_err(|error| trouble(error.to_string()))?;
        sweep(root, ssh);
        for number in 0..100 {
            let path = root.join(format!("p{}-{number}", std::process::id()));
            match claim(&path) {
                Ok(Some(lock)) => {
                    if owner(&path) != owner(root) {
                        discard(&path);
                        return Err(trouble("it belongs to somebody else".to_owned()));
                    }
                    return Ok(Self {
                        path,
                        _lock: lock,
                        next: AtomicU64::new(0),
                        is_removed: AtomicBool::new(false),
                    });
                }
                Ok(None) => {}
                Err(error) => return Err(trouble(error.to_string())),
            }
        }
        Err(trouble("no free name was found there".to_owned()))
    }

    /// A path nobody used before: a forward on a used name fails.
    pub(super) fn fresh(&self, letter: char) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.path.join(format!("{letter}{number}"))
    }

    /// Removes our sub-folder with everything in it.
    pub(super) fn remove(&self) {
        if !self.is_removed.swap(true, Ordering::Relaxed) {
            discard(&self.path);
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.remove();
    }
}

fn make_private(root: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    let meta = fs::symlink_metadata(root)?;
    if !meta.is_dir() {
        return Err(io::Error::other("it is no folder but a link or a file"));
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(root, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn owner(path: &Path) -> Option<u32> {
    fs::symlink_metadata(path).ok().map(|meta| meta.uid())
}

/// Makes a sub-folder and locks it; `None` if the name is taken.
fn claim(path: &Path) -> io::Result<Option<File>> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(error),
    }
    let name = path.join("lock");
    let opened = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&name);
    let Ok(lock) = opened else {
        return Ok(None);
    };
    // Another program may sweep between our `create` and our lock: the file must still be there.
    let held = lock.try_lock().is_ok();
    let same = fs::metadata(&name).is_ok_and(|there| {
        lock.metadata()
            .is_ok_and(|ours| there.ino() == ours.ino() && there.dev() == ours.dev())
    });
    if !same {
        return Ok(None);
    }
    if !held {
        tracing::debug!("the socket folder cannot be locked; nobody will sweep it");
    }
    Ok(Some(lock))
}

/// Removes the sub-folders of dead programs.
fn sweep(root: &Path, ssh: &Path) {
    let Ok(entries) = fs::read_dir(root) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let named = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"p"));
        if !named || fs::symlink_metadata(&path).map_or(true, |meta| !meta.is_dir()) {
            continue;
        }
        match File::open(path.join("lock")) {
            // Just being made, or half removed; only an empty folder goes.
            Err(_) => drop(fs::remove_dir(&path)),
            Ok(lock) if lock.try_lock().is_ok() => {
                if !end_masters(&path, ssh) {
                    discard(&path);
                }
            }
            Ok(_) => {}
        }
    }
}

/// Asks masters that outlived their program to end. They end with it by themselves; this is for
/// the day their watcher was killed too. Whether there was one: its folder is swept next time.
fn end_masters(folder: &Path, ssh: &Path) -> bool {
    let mut found = false;
    for path in fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
    {
        let control = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"c"));
        if !control || UnixStream::connect(&path).is_err() {
            continue;
        }
        found = true;
        let asked = Command::new(ssh)
            .args(["-F", "none", "-O", "exit", "-S"])
            .arg(&path)
            .arg("none")
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if let Ok(mut child) = asked {
            // A frozen master answers never: waited for aside.
            drop(std::thread::spawn(move || child.wait()));
        }
    }
    found
}

/// Removes a folder with its files, the lock last.
fn discard(path: &Path) {
    let Ok(entries) = fs::read_dir(path) else {
        return;
    };
    let lock = path.join("lock");
    for entry in entries.flatten().filter(|entry| entry.path() != lock) {
        drop(fs::remove_file(entry.path()));
    }
    drop(fs::remove_file(&lock));
    drop(fs::remove_dir(path));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_program_left_is_swept_and_the_living_stay() {
        let base = tempfile::tempdir().unwrap();
        let root = base.path().join("r");
        let alive = Folder::open(&root, Path::new("ssh")).unwrap();
        let dead = root.join("p1-0");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("lock"), "").unwrap();
        fs::write(dead.join("f3"), "").unwrap();
        let second = Folder::open(&root, Path::new("ssh")).unwrap();
        assert!(!dead.exists());
        assert!(alive.path.exists() && second.path.exists());
        assert_ne!(alive.path, second.path);
        assert_eq!(fs::metadata(&root).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&second.path).unwrap().mode() & 0o777, 0o700);
        alive.remove();
        assert!(!alive.path.exists());
        let third = Folder::open(&root, Path::new("ssh")).unwrap();
        assert_eq!(third.path, alive.path);
        drop(alive);
        assert!(
            third.path.exists(),
            "the first one removed it under the third"
        );
    }

    #[test]
    fn a_path_too_long_for_sockets_is_named_before_anything_is_made() {
        let root = std::env::temp_dir().join("x".repeat(90));
        let failure = Folder::open(&root, Path::new("ssh")).err().unwrap();
        assert_eq!(failure.kind, FailureKind::Config);
        assert!(failure.message.contains("too long"), "{failure}");
        assert!(!root.exists());
    }

    #[test]
    fn a_link_in_place_of_the_folder_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let root = base.path().join("r");
        std::os::unix::fs::symlink(base.path(), &root).unwrap();
        assert!(Folder::open(&root, Path::new("ssh")).is_err());
    }
}
