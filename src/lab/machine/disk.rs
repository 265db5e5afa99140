//! What lies on a machine's disk and what its processes hold: `stat`, `find /proc/…`, `df`,
//! `openssl x509`, rendered from the state as it is.

use super::{Machine, Output, Process};
use crate::faults::Fault;
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;
use std::sync::PoisonError;

/// A file that is no log.
#[derive(Debug, Clone)]
pub(crate) struct OnDisk {
    pub(crate) text: String,
    pub(crate) mode: u32,
    pub(crate) owner: &'static str,
    pub(crate) modified: Timestamp,
    /// What it holds while a fault is on.
    pub(crate) while_on: Vec<(Fault, String)>,
    /// The fault that has just changed it.
    pub(crate) touched: Option<Fault>,
    /// The fault without which it is not there.
    pub(crate) only_with: Option<Fault>,
}

impl Machine {
    /// A file as it is now.
    pub(super) fn on_disk(&self, path: &str) -> Option<OnDisk> {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match gone.get(path) {
            // Moved here by hand.
            Some(Some(file)) => return Some(file.clone()),
            Some(None) => return None,
            None => self.base.disk.get(path)?,
        };
        drop(gone);
        if known.only_with.is_some_and(|fault| !self.faults.on(fault)) {
            return None;
        }
        let mut file = known.clone();
        let changed = file
            .while_on
            .iter()
            .find(|(fault, _)| self.faults.on(*fault));
        if let Some((_, text)) = changed {
            file.text = text.clone();
        }
        if let Some(since) = file.touched.and_then(|fault| self.faults.since(fault)) {
            file.modified = since;
        }
        Some(file)
    }

    /// `rm [-f] PATH…` and `mv FROM TO`, as a person does it: of files a baseline looks at.
    pub(super) fn by_a_person(&self, program: &str, arguments: &[&str]) -> Output {
        let paths: Vec<&str> = (arguments.iter().copied())
            .filter(|word| !word.starts_with('-'))
            .collect();
        let missing = |path: &str| {
            Output::fail(
                1,
                format!("{program}: cannot stat '{path}': No such file or directory\n"),
            )
        };
        match (program, paths.as_slice()) {
            ("mv", [from, to]) => match self.on_disk(from) {
                Some(file) => {
                    self.put(to, Some(file));
                    self.put(from, None);
                    Output::default()
                }
                None => missing(from),
            },
            ("rm", [_, ..]) => {
                let lost = paths.iter().find(|path| self.on_disk(path).is_none());
                for path in &paths {
                    self.put(path, None);
                }
                match lost {
                    Some(path) if !arguments.contains(&"-f") => missing(path),
                    _ => Output::default(),
                }
            }
            _ => Output::fail(1, format!("{program}: missing operand\n")),
        }
    }

    fn put(&self, path: &str, file: Option<OnDisk>) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.insert(path.to_owned(), file);
    }

    /// The processes as they are now.
    pub(super) fn processes(&self) -> Vec<Process> {
        let mut processes = self.base.processes.clone();
        processes.retain(|process| !process.gone_with.is_some_and(|fault| self.faults.on(fault)));
        for process in &mut processes {
            for (fault, changed) in std::mem::take(&mut process.while_on) {
                if self.faults.on(fault) {
                    process.exe = changed.exe;
                    process.args = changed.args.to_owned();
                    process.open = changed.open;
                }
            }
        }
        let extra = self.base.leftover_processes.iter();
        processes.extend(
            extra
                .filter(|(fault, _)| self.faults.on(*fault))
                .map(|(_, process)| process.clone()),
        );
        processes
    }

    /// `stat -L -c '%a %U %G %s %Y' -- PATH`.
    pub(super) fn stat(&self, arguments: &[&str]) -> Output {
        let path = arguments.last().copied().unwrap_or_default();
        if !arguments.contains(&"%a %U %G %s %Y") {
            return Output::fail(1, "stat: this machine knows one format\n");
        }
        let (mode, owner, size, at) = match (self.on_disk(path), self.text_of(path)) {
            (Some(file), _) => (file.mode, file.owner, file.text.len(), file.modified),
            (None, Some(text)) => {
                let old = Timestamp::now() - SignedDuration::from_hours(24 * 30);
                (0o644, "root", text.len(), old)
            }
            (None, None) => {
                let text = format!("stat: cannot statx '{path}': No such file or directory\n");
                return Output::fail(1, text);
            }
        };
        Output::out(format!(
            "{mode:o} {owner} {owner} {size} {}\n",
            at.as_second()
        ))
    }

    /// `find /proc/PID/exe /proc/PID/cwd /proc/PID/fd … -printf '%p %l\n'`.
    pub(super) fn find_links(&self, arguments: &[&str]) -> Output {
        let Some(pid) = arguments
            .first()
            .and_then(|path| path.strip_prefix("/proc/")?.strip_suffix("/exe"))
        else {
            return Output::fail(1, "find: this machine looks into processes only\n");
        };
        let processes = self.processes();
        let Some(process) = processes
            .iter()
            .find(|process| process.pid.to_string() == pid)
        else {
            let text = format!("find: '/proc/{pid}/exe': No such file or directory\n");
            return Output::fail(1, text);
        };
        let folder = process
            .exe
            .rsplit_once('/')
            .map_or("/", |(folder, _)| folder);
        let mut out = format!(
            "/proc/{pid}/exe {}\n/proc/{pid}/cwd {folder}\n",
            process.exe
        );
        for (number, path) in process.open.iter().enumerate() {
            let _ = writeln!(out, "/proc/{pid}/fd/{} {path}", number + 3);
        }
        Output::out(out)
    }

    /// `df -P -k -- PATH`: one file system holds everything.
    pub(super) fn df(&self) -> Output {
        let all: u64 = 81_106_868;
        let used = if self.faults.on(Fault::DiskFull) && self.base.site.is_some() {
            all / 100 * 97
        } else {
            all / 100 * 41
        };
        let percent = used * 100 / all;
        Output::out(format!(
            "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
             /dev/vda1         {all} {used}  {} {percent}% /\n",
            all - used
        ))
    }

    /// `openssl x509 -checkend SECONDS -noout -in PATH`.
    pub(super) fn openssl(&self, arguments: &[&str]) -> Output {
        let ["x509", "-checkend", seconds, "-noout", "-in", path] = arguments else {
            return Output::fail(
                1,
                "openssl: this machine checks the end of certificates only\n",
            );
        };
        if self.base.site.is_none() || !path.starts_with("/etc/letsencrypt/live/") {
            return Output::fail(
                1,
                format!("Could not open file or uri for loading certificate from {path}\n"),
            );
        }
        let days = if self.faults.on(Fault::Certificate) {
            5
        } else {
            61
        };
        if seconds
            .parse::<u64>()
            .is_ok_and(|asked| asked < days * 86_400)
        {
            Output::out("Certificate will not expire\n")
        } else {
            let mut output = Output::out("Certificate will expire\n");
            output.code = 1;
            output
        }
    }
}
