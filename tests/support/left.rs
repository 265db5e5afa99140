//! What a program may have left behind: processes, sockets.

use std::fs::read_dir;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Processes whose parent is this one.
pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let all = read_dir("/proc").expect("/proc");
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|id| {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            let after = stat
                .rsplit_once(')')
                .map(|(_, rest)| rest)
                .unwrap_or_default();
            after.split_whitespace().nth(1) == Some(&parent.to_string())
        })
        .collect()
}

/// Sockets anywhere below a folder.
pub(crate) fn sockets_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_socket() {
                found.push(entry.path());
            }
        }
    }
    found
}

/// Processes that have this path on their command line.
pub(crate) fn processes_naming(path: &Path) -> Vec<String> {
    let path = path.to_str().expect("a plain path");
    let all = read_dir("/proc").expect("/proc");
    all.filter_map(|entry| {
        let line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(path).then_some(line)
    })
    .collect()
}

/// Locks that a process holds on files below a folder, as `path: the lock`.
pub(crate) fn locks_under(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().expect("the folder is there");
    let mut found = Vec::new();
    for process in read_dir("/proc").expect("/proc").flatten() {
        // What is no process has no such folder; one that has just ended, neither.
        for open in read_dir(process.path().join("fd")).into_iter().flatten() {
            let Ok(open) = open else { continue };
            let path = std::fs::read_link(open.path()).unwrap_or_default();
            if !path.starts_with(&folder) {
                continue;
            }
            let told = process.path().join("fdinfo").join(open.file_name());
            let told = std::fs::read_to_string(told).unwrap_or_default();
            let locks = told.lines().filter(|line| line.starts_with("lock:"));
            found.extend(locks.map(|lock| format!("{}: {lock}", path.display())));
        }
    }
    // A copy of a handle, such as a child has, is the same lock.
    found.sort();
    found.dedup();
    found
}
