//! The systems a machine may run, and the commands each understands. One table, so that a look is
//! the same row on both; what differs is only how it is asked and read.

use super::listening::{Listener, read_listeners};

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
    fn a_system_is_known_by_its_kernel() {
        assert_eq!(System::parse("Linux\n"), Some(System::Linux));
        assert_eq!(System::parse("Darwin"), Some(System::MacOs));
        assert_eq!(System::parse("FreeBSD"), None);
    }
}
