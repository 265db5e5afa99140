//! The files of the state folder: nobody else may read them, whatever the umask.

use super::error::{failure, file_failure};
use cockpit_domain::secret::{Secret, hex};
use cockpit_engine::failure::{Failure, Outcome};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// Name of the database in the state folder.
pub(super) const DATABASE: &str = "cockpit.db";
/// The folder of lock files, in a state folder.
pub(super) const LOCKS: &str = "locks";

/// Makes a folder only we can enter. One that is there already is tightened when it is ours
/// or empty, else refused: it may be somebody's home.
pub(super) fn private_folder(path: &Path, ours: bool) -> Outcome<()> {
    let said = |error: &std::io::Error| file_failure(path, error);
    if !path.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| said(&error))?;
        return set_mode(path, 0o700);
    }
    let meta = std::fs::metadata(path).map_err(|error| said(&error))?;
    if !meta.is_dir() {
        return Err(failure(format!("`{}` is not a folder", path.display()))
            .hint("set `state_dir` to a folder"));
    }
    let shared = meta.mode() & 0o077;
    if shared == 0 {
        return Ok(());
    }
    let empty = std::fs::read_dir(path)
        .map_err(|error| said(&error))?
        .next()
        .is_none();
    if empty || ours {
        return set_mode(path, 0o700);
    }
    // Another process may have found it empty a moment ago and made it private since.
    let now = std::fs::metadata(path).map_err(|error| said(&error))?;
    let still_shared = now.mode() & 0o077;
    if still_shared == 0 {
        return Ok(());
    }
    Err(failure(format!(
        "`{}` is open to other users and holds other files",
        path.display()
    ))
    .hint(format!(
        "run `chmod 700 {0}`, or set `state_dir` to a folder of its own",
        path.display()
    )))
}

/// Opens a file for reading and writing, making it when it is missing; 0600 either way.
pub(super) fn private_file(path: &Path) -> Outcome<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| file_failure(path, &error))?;
    let meta = file
        .metadata()
        .map_err(|error| file_failure(path, &error))?;
    if meta.mode() & 0o777 != 0o600 {
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(|error| file_failure(path, &error))?;
    }
    Ok(file)
}

/// Opens a file in a folder that several users share: whoever may write there may write to it. The
/// folder is theirs to make, and a link in it is nobody's lease.
pub(super) fn shared_file(path: &Path) -> Outcome<File> {
    let said = |error: std::io::Error| file_failure(path, &error);
    let folder = std::fs::metadata(folder_of(path)).map_err(said)?;
    let mode = 0o600 | (folder.mode() & 0o066);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(path)
        .map_err(said)?;
    let meta = file.metadata().map_err(said)?;
    if !meta.is_file() {
        return Err(failure(format!("`{}` is no file", path.display())));
    }
    if meta.mode() & 0o777 != mode {
        // Whose it is not cannot change it, and needs not: it could be opened.
        drop(file.set_permissions(Permissions::from_mode(mode)));
    }
    Ok(file)
}

/// Writes files into a new folder that only we can enter. Gives its path.
pub(super) fn write_new(folder: &Path, files: &[(String, String)]) -> Outcome<String> {
    private_folder(folder, true)?;
    for (name, text) in files {
        let path = folder.join(name);
        let mut file = private_file(&path)?;
        file.set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_all())
            .map_err(|error| file_failure(&path, &error))?;
    }
    Ok(folder.display().to_string())
}

fn set_mode(path: &Path, mode: u32) -> Outcome<()> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(|error| file_failure(path, &error))
}

/// Reads a key of 32 random bytes (as hex) from a 0600 file of the state folder.
///
/// # Errors
/// When its mode lets others read it, when it belongs to somebody else, or when it is no key.
pub(super) fn read_key(path: &Path) -> Outcome<Option<Secret>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_failure(path, &error)),
    };
    let said = |error: std::io::Error| file_failure(path, &error);
    let meta = file.metadata().map_err(said)?;
    let shown = path.display();
    let mode = meta.mode() & 0o777;
    if mode & 0o177 != 0 {
        return Err(failure(format!(
            "`{shown}` has mode {mode:04o}: others may have read this key"
        ))
        .hint(format!("run `chmod 600 {shown}` if nobody could have")));
    }
    let ours = own_user(path).map_err(said)?;
    if meta.uid() != ours {
        return Err(failure(format!(
            "`{shown}` belongs to user {} and this program runs as user {ours}",
            meta.uid()
        ))
        .hint("run as the user who owns the state folder, or set another `state_dir`"));
    }
    let mut text = Zeroizing::new(String::new());
    let read = file.take(4096).read_to_string(&mut text);
    let key = text.trim();
    if read.is_err() || key.len() != 64 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(damaged_key(path));
    }
    Ok(Some(Secret::new(key)))
}

fn damaged_key(path: &Path) -> Failure {
    failure(format!("`{}` does not hold a key", path.display())).hint(
        "put it back from a backup; if there is none, move it away and what it sealed is lost",
    )
}

/// Reads a key, making it when it is missing. The file appears whole or not at all, and never
/// takes the place of one that another process made meanwhile.
pub(super) fn read_or_make_key(path: &Path) -> Outcome<Secret> {
    if let Some(key) = read_key(path)? {
        return Ok(key);
    }
    let mut bytes = Zeroizing::new([0_u8; 32]);
    chacha20poly1305::aead::rand_core::RngCore::fill_bytes(
        &mut chacha20poly1305::aead::OsRng,
        bytes.as_mut(),
    );
    let text = Zeroizing::new(hex(bytes.as_ref()) + "\n");
    let made = make_whole(path, text.as_bytes());
    match made {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(file_failure(path, &error)),
    }
    read_key(path)?.ok_or_else(|| damaged_key(path))
}

fn make_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = folder_of(path);
    let mut draft = tempfile::Builder::new()
        .prefix(".key")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    draft.write_all(content)?;
    draft.as_file().sync_all()?;
    draft
        .persist_noclobber(path)
        .map_err(|persisted| persisted.error)?;
    File::open(folder)?.sync_all()
}

/// The user this process acts as: the owner of a file it just made.
fn own_user(path: &Path) -> std::io::Result<u32> {
    Ok(tempfile::tempfile_in(folder_of(path))?.metadata()?.uid())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}
