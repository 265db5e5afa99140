//! `ss -ltn[p]`, rendered from the listeners.

use super::{Listener, Machine, Output};
use std::fmt::Write as _;

impl Machine {
    pub(super) fn ss(&self, arguments: &[&str]) -> Output {
        let mut header = true;
        let mut process = false;
        for argument in arguments {
            match *argument {
                "--no-header" => header = false,
                "--processes" => process = true,
                "--listening" | "--tcp" | "--numeric" => {}
                flags if flags.starts_with('-') && !flags.starts_with("--") => {
                    for flag in flags[1..].chars() {
                        match flag {
                            'H' => header = false,
                            'p' => process = true,
                            'l' | 't' | 'n' | '4' | 'O' | 'a' | 'e' | 'i' | 'm' | 'o' => {}
                            other => return unknown(&format!("-{other}")),
                        }
                    }
                }
                other => return unknown(other),
            }
        }
        Output::out(render(&self.listeners(), header, process))
    }
}

fn unknown(option: &str) -> Output {
    Output::fail(255, format!("ss: invalid option -- '{option}'\n"))
}

fn render(listeners: &[Listener], header: bool, process: bool) -> String {
    let local = |row: &Listener| format!("{}:{}", row.address, row.port);
    let width = listeners
        .iter()
        .map(|row| local(row).len())
        .max()
        .unwrap_or(0)
        .max("Local Address:Port".len());
    let mut out = String::new();
    if header {
        let tail = if process { "Process" } else { "" };
        let _ = writeln!(
            out,
            "{:<7}{:<7}{:<7}{:>width$} {:>18}{tail}",
            "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port"
        );
    }
    for row in listeners {
        let backlog = if row.comm == "nginx" { 511 } else { 4096 };
        let peer = if row.address.starts_with('[') {
            "[::]:*"
        } else {
            "0.0.0.0:*"
        };
        let _ = write!(
            out,
            "{:<7}{:<7}{:<7}{:>width$} {:>18}",
            "LISTEN",
            0,
            backlog,
            local(row),
            peer
        );
        if process {
            let fd = 5 + row.port % 4;
            let _ = write!(out, " users:((\"{}\",pid={},fd={fd}))", row.comm, row.pid);
        }
        out.push('\n');
    }
    out
}
