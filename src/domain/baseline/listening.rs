//! Listening TCP ports: lines of `ss -H -ltnp`, and what a pack expects of them.

use super::glob::matches_glob;
use super::judgement::Judgement;
use super::verdict::Verdict;
use crate::pack::{ExpectedPort, ListeningLook};

/// One listening socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Address as `ss` writes it, without brackets: `127.0.0.1`, `::`, `*`.
    pub address: String,
    /// Port.
    pub port: u16,
    /// Name and pid of each process that holds it; empty when we may not see them.
    pub processes: Vec<(String, u32)>,
}

impl Listener {
    /// `127.0.0.1:8080 nginx[1234]`.
    pub fn label(&self) -> String {
        let mut label = if self.address.contains(':') {
            format!("[{}]:{}", self.address, self.port)
        } else {
            format!("{}:{}", self.address, self.port)
        };
        for (name, pid) in &self.processes {
            label = format!("{label} {name}[{pid}]");
        }
        label
    }
}

/// Reads the output of `ss -H -ltnp`; a head line is passed over.
///
/// # Errors
/// One sentence when a line is no socket.
pub fn read_listeners(text: &str) -> Result<Vec<Listener>, String> {
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("State"))
        .map(|line| read_line(line).ok_or_else(|| format!("`{}` is no socket", line.trim())))
        .collect()
}

fn read_line(line: &str) -> Option<Listener> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    // With a state in front, or without it in some versions.
    let local = if first.chars().all(|c| c.is_ascii_digit()) {
        words.nth(1)?
    } else if first == "LISTEN" {
        words.nth(2)?
    } else {
        return None;
    };
    let (address, port) = local.rsplit_once(':')?;
    let address = address.trim_start_matches('[').trim_end_matches(']');
    // `127.0.0.53%lo`: the interface is no part of the address.
    let address = address.split('%').next().unwrap_or(address);
    let address = address.strip_prefix("::ffff:").unwrap_or(address);
    Some(Listener {
        address: address.to_owned(),
        port: port.parse().ok()?,
        processes: line
            .find("users:(")
            .map(|at| processes(&line[at..]))
            .unwrap_or_default(),
    })
}

/// `users:(("nginx",pid=1,fd=6),("nginx",pid=2,fd=6))`
fn processes(text: &str) -> Vec<(String, u32)> {
    let mut out = Vec::new();
    for part in text.split("(\"").skip(1) {
        let Some((name, rest)) = part.split_once('"') else {
            continue;
        };
        let digits: String = rest
            .split_once("pid=")
            .map_or("", |(_, pid)| pid)
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        if let Ok(pid) = digits.parse() {
            out.push((name.to_owned(), pid));
        }
    }
    out
}

/// Judges what listens. A process we may not see is no fault: it is `unknown`.
pub fn judge_listening(look: &ListeningLook, seen: &[Listener], machine: &str) -> Judgement {
    let mut faults = Vec::new();
    let mut unseen = Vec::new();
    for expected in &look.expect {
        match port_fault(expected, seen) {
            Ok(()) => {}
            Err(PortFault::Wrong(fault)) => faults.push(fault),
            Err(PortFault::Unseen(port)) => unseen.push(port.to_string()),
        }
    }
    for listener in seen {
        if look.banned_ports.contains(&listener.port) {
            faults.push(format!("banned port: {}", listener.label()));
        }
    }
    let expected = expectation(look);
    let evidence: Vec<String> = seen.iter().map(Listener::label).collect();
    let evidence = evidence.join("\n");
    if faults.is_empty() && !unseen.is_empty() {
        return Judgement::unknown(
            &format!(
                "whose process holds port {} is not shown",
                unseen.join(", ")
            ),
            &evidence,
            format!(
                "Set `sudo = \"-n\"` of [machine.{machine}]: only root sees other users' processes."
            ),
        )
        .expecting(expected);
    }
    let good = format!("{} expected ports listen", look.expect.len());
    if faults.is_empty() {
        return Judgement::new(Verdict::Ok, expected, &good, &evidence);
    }
    Judgement::of_faults(expected, &faults, &good, &evidence)
}

enum PortFault {
    Wrong(String),
    Unseen(u16),
}

fn port_fault(expected: &ExpectedPort, seen: &[Listener]) -> Result<(), PortFault> {
    let holders: Vec<&Listener> = seen
        .iter()
        .filter(|listener| listener.port == expected.port)
        .collect();
    if holders.is_empty() {
        return Err(PortFault::Wrong(format!(
            "nothing listens on {}",
            expected.port
        )));
    }
    if expected.process.is_empty() {
        return Ok(());
    }
    let mut processes = holders
        .iter()
        .flat_map(|listener| &listener.processes)
        .peekable();
    if processes.peek().is_none() {
        return Err(PortFault::Unseen(expected.port));
    }
    let right = processes.any(|(name, _)| {
        expected
            .process
            .iter()
            .any(|pattern| matches_glob(pattern, name))
    });
    if right {
        return Ok(());
    }
    let labels: Vec<String> = holders.iter().map(|listener| listener.label()).collect();
    Err(PortFault::Wrong(format!(
        "{} is held by {}, expected {}",
        expected.port,
        labels.join(" and "),
        expected.process.join(" or ")
    )))
}

pub(super) fn expectation(look: &ListeningLook) -> String {
    let mut parts: Vec<String> = look
        .expect
        .iter()
        .map(|port| {
            if port.process.is_empty() {
                port.port.to_string()
            } else {
                format!("{} by {}", port.port, port.process.join(" or "))
            }
        })
        .collect();
    if !look.banned_ports.is_empty() {
        let banned: Vec<String> = look.banned_ports.iter().map(u16::to_string).collect();
        parts.push(format!("nothing on {}", banned.join(", ")));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SS: &str = "\
LISTEN 0      511          0.0.0.0:443       0.0.0.0:*    users:((\"nginx\",pid=812,fd=8),(\"nginx\",pid=811,fd=8))
LISTEN 0      4096       127.0.0.1:8080      0.0.0.0:*    users:((\"docker-proxy\",pid=2211,fd=4))
LISTEN 0      4096   127.0.0.53%lo:53        0.0.0.0:*
LISTEN 0      511             [::]:80           [::]:*    users:((\"nginx\",pid=811,fd=7))
LISTEN 0      4096               *:18190           *:*    users:((\"sub2api-cn-rela\",pid=901,fd=3))
LISTEN 0      4096 [::ffff:127.0.0.1]:9000       *:*
";

    #[test]
    fn every_way_ss_writes_an_address_is_read() {
        let rows: Vec<(String, u16, usize)> = read_listeners(SS)
            .unwrap()
            .into_iter()
            .map(|row| (row.address, row.port, row.processes.len()))
            .collect();
        let expected = [
            ("0.0.0.0", 443, 2),
            ("127.0.0.1", 8080, 1),
            ("127.0.0.53", 53, 0),
            ("::", 80, 1),
            ("*", 18190, 1),
            ("127.0.0.1", 9000, 0),
        ];
        assert_eq!(
            rows,
            expected.map(|(address, port, count)| (address.to_owned(), port, count))
        );
        let with_head =
            format!("State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n{SS}");
        assert_eq!(read_listeners(&with_head).unwrap().len(), 6);
        assert!(read_listeners("ss: command not found").is_err());
        assert_eq!(read_listeners(""), Ok(Vec::new()));
    }

    #[test]
    fn ports_are_judged_with_their_process() {
        let port = |port: u16, process: &[&str]| ExpectedPort {
            port,
            process: process.iter().map(|name| (*name).to_owned()).collect(),
        };
        let seen = read_listeners(SS).unwrap();
        let rows = [
            (
                "both there",
                vec![
                    port(8080, &["docker-proxy"]),
                    port(18190, &["sub2api-cn-rela*"]),
                ],
                vec![18169],
                Verdict::Ok,
                "2 expected ports listen",
            ),
            (
                "any process",
                vec![port(53, &[])],
                vec![],
                Verdict::Ok,
                "1 expected ports listen",
            ),
            (
                "one missing",
                vec![port(8081, &[])],
                vec![],
                Verdict::Fail,
                "nothing listens on 8081",
            ),
            (
                "held by another",
                vec![port(8080, &["sub2api*"])],
                vec![],
                Verdict::Fail,
                "8080 is held by 127.0.0.1:8080 docker-proxy[2211], expected sub2api*",
            ),
            (
                "a banned one listens",
                vec![port(8080, &[])],
                vec![18190],
                Verdict::Fail,
                "banned port: *:18190 sub2api-cn-rela[901]",
            ),
            (
                "a process we may not see",
                vec![port(9000, &["x"])],
                vec![],
                Verdict::Unknown,
                "whose process holds port 9000 is not shown",
            ),
            (
                "a fault beats what is not seen",
                vec![port(9000, &["x"]), port(1, &[])],
                vec![],
                Verdict::Fail,
                "nothing listens on 1",
            ),
        ];
        for (name, expect, banned_ports, verdict, found) in rows {
            let look = ListeningLook {
                expect,
                banned_ports,
            };
            let judgement = judge_listening(&look, &seen, "m1");
            assert_eq!(
                (judgement.verdict, judgement.found.as_str()),
                (verdict, found),
                "{name}"
            );
        }
    }
}
