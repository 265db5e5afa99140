//! The systems a machine may run, and the commands each understands. One table, so that a look is
//! the same row on both; what differs is only how it is asked and read.

use super::listening::{Listener, read_listeners};
use super::process::Insides;

/// The system of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// GNU/Linux.
    Linux,
    /// macOS.
    MacOs,
}

impl System {
    /// By what `uname -s` says.
    pub fn parse(uname: &str) -> Option<Self> {
        match uname.trim() {
            "Linux" => Some(Self::Linux),
            "Darwin" => Some(Self::MacOs),
            _ => None,
        }
    }

    /// Lists listening TCP sockets with the processes that hold them.
    pub fn listening(self) -> &'static [&'static str] {
        match self {
            Self::Linux => &["ss", "-H", "-ltnp"],
            Self::MacOs => &[
                "lsof",
                "-nP",
                "+c",
                "0",
                "-iTCP",
                "-sTCP:LISTEN",
                "-F",
                "pcn",
            ],
        }
    }

    /// Shows what a process holds: program, folder, open files.
    pub fn insides(self, pid: u32) -> Vec<String> {
        match self {
            Self::Linux => {
                let inside = |name: &str| format!("/proc/{pid}/{name}");
                let mut argv = vec!["find".to_owned()];
                argv.extend(["exe", "cwd", "fd"].map(inside));
                argv.extend(
                    ["-maxdepth", "1", "-type", "l", "-printf", "%p %l\\n"].map(str::to_owned),
                );
                argv
            }
            Self::MacOs => ["lsof", "-nP", "-p", &pid.to_string(), "-F", "ftn"]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    /// Reads what [`Self::insides`] prints.
    pub fn read_insides(self, text: &str) -> Insides {
        match self {
            Self::Linux => links_of(text),
            Self::MacOs => lsof_of(text),
        }
    }

    /// Says mode, owner, group, size and last change of a path in one line.
    pub fn stat(self, path: &str) -> Vec<String> {
        let (option, format) = match self {
            Self::Linux => ("-c", "%a %U %G %s %Y"),
            Self::MacOs => ("-f", "%Lp %Su %Sg %z %m"),
        };
        // In plain English, so that "not there" can be told from "may not look".
        ["env", "LC_ALL=C", "stat", "-L", option, format, "--", path]
            .map(str::to_owned)
            .to_vec()
    }

    /// Reads what [`Self::listening`] prints.
    ///
    /// # Errors
    /// One sentence when it is nothing of the kind.
    pub fn read_listening(self, text: &str) -> Result<Vec<Listener>, String> {
        match self {
            Self::Linux => read_listeners(text),
            Self::MacOs => read_lsof(text),
        }
    }
}

/// `/proc/7/exe /usr/bin/x`, a line each.
fn links_of(text: &str) -> Insides {
    let mut insides = Insides::default();
    for (link, target) in text.lines().filter_map(|line| line.split_once(' ')) {
        let target = target.to_owned();
        match link.rsplit('/').next() {
            Some("exe") => insides.executable = Some(target),
            Some("cwd") => insides.cwd = Some(target),
            _ => insides.open_files.push(target),
        }
    }
    insides
}

/// `lsof -F ftn`: of each descriptor its name, its type and what it stands for. The first text
/// file is the program.
fn lsof_of(text: &str) -> Insides {
    let mut insides = Insides::default();
    let (mut descriptor, mut kind) = ("", "");
    for line in text.lines() {
        let Some((field, value)) = line.split_at_checked(1) else {
            continue;
        };
        match (field, descriptor) {
            ("f", _) => descriptor = value,
            ("t", _) => kind = value,
            ("n", "cwd") => insides.cwd = Some(value.to_owned()),
            ("n", "txt") if insides.executable.is_none() => {
                insides.executable = Some(value.to_owned());
            }
            ("n", _) if kind == "REG" => insides.open_files.push(value.to_owned()),
            _ => {}
        }
    }
    insides
}

/// Reads `lsof -F pcn`: one field a line, its letter in front; a process, then its sockets.
fn read_lsof(text: &str) -> Result<Vec<Listener>, String> {
    let mut listeners: Vec<Listener> = Vec::new();
    let (mut pid, mut name) = (0, String::new());
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut letters = line.chars();
        let (field, value) = (letters.next(), letters.as_str());
        match field {
            Some('p') => pid = value.parse().map_err(|_| no_field(line))?,
            Some('c') => value.clone_into(&mut name),
            Some('f') => {}
            Some('n') => {
                let (address, port) = value.rsplit_once(':').ok_or_else(|| no_field(line))?;
                let address = address.trim_start_matches('[').trim_end_matches(']');
                let port = port.parse().map_err(|_| no_field(line))?;
                let known = listeners
                    .iter_mut()
                    .find(|known| known.port == port && known.address == address);
                let process = (name.clone(), pid);
                match known {
                    Some(known) if known.processes.contains(&process) => {}
                    Some(known) => known.processes.push(process),
                    None => listeners.push(Listener {
                        address: address.to_owned(),
                        port,
                        processes: vec![process],
                    }),
                }
            }
            _ => return Err(no_field(line)),
        }
    }
    Ok(listeners)
}

fn no_field(line: &str) -> String {
    format!("`{}` is no field of a socket", line.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lsof_prints_on_a_mac_is_read() {
        let text = "p501\ncnode\nf23\nn127.0.0.1:3000\nf24\nn[::1]:3000\np77\ncnginx\nf6\nn*:80\nf7\nn*:80\n\
                    p78\ncnginx\nf6\nn*:80\n";
        let rows: Vec<String> = System::MacOs
            .read_listening(text)
            .unwrap()
            .iter()
            .map(Listener::label)
            .collect();
        assert_eq!(
            rows,
            [
                "127.0.0.1:3000 node[501]",
                "[::1]:3000 node[501]",
                "*:80 nginx[77] nginx[78]"
            ]
        );
        assert_eq!(System::MacOs.read_listening(""), Ok(Vec::new()));
        for strange in [
            "lsof: illegal option",
            "pmany",
            "n127.0.0.1",
            "n1.2.3.4:http",
        ] {
            assert!(System::MacOs.read_listening(strange).is_err(), "{strange}");
        }
    }

    #[test]
    fn what_a_process_holds_is_read_on_both_systems() {
        let expected = Insides {
            executable: Some("/srv/crm/server".to_owned()),
            cwd: Some("/srv/crm".to_owned()),
            open_files: vec!["/srv/crm/crm.db".to_owned()],
        };
        let linux =
            "/proc/7/exe /srv/crm/server\n/proc/7/cwd /srv/crm\n/proc/7/fd/3 /srv/crm/crm.db\n";
        assert_eq!(System::Linux.read_insides(linux), expected);
        let mac = "p7\nfcwd\ntDIR\nn/srv/crm\nftxt\ntREG\nn/srv/crm/server\nftxt\ntREG\nn/usr/lib/dyld\n\
                   f0\ntCHR\nn/dev/null\nf3\ntREG\nn/srv/crm/crm.db\n";
        let mut seen = System::MacOs.read_insides(mac);
        seen.open_files.retain(|path| path != "/usr/lib/dyld");
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_system_is_known_by_its_kernel() {
        assert_eq!(System::parse("Linux\n"), Some(System::Linux));
        assert_eq!(System::parse("Darwin"), Some(System::MacOs));
        assert_eq!(System::parse("FreeBSD"), None);
    }
}
