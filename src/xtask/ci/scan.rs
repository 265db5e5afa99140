//! Runs tests and reads along: a test that could not run here prints a line with `SKIPPED`, which
//! is fine on a laptop and a failure on CI.

use crate::say;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;

/// Written in halves, so that the name of a test of ours is no mark.
const MARK: &str = concat!("SKIP", "PED");

/// The one reason that fails nothing: such a test wants a host that somebody lends it, and no gate has
/// one. Every other reason is a program that could be installed.
const NOBODY_S: &str = "(no live host named)";

/// What a run of tests came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ran {
    passed: bool,
    /// Lines that say that a test was left out, each once.
    left_out: Vec<String>,
}

/// Runs the command, shows what it prints, and tells whether it and the rule were kept.
pub(super) fn run(command: Command, strict: bool) -> io::Result<bool> {
    let ran = watch(command, say::line, say::error)?;
    if !ran.left_out.is_empty() {
        say::line(&format!(
            "\ntests that were left out here ({}):",
            ran.left_out.len()
        ));
        for line in &ran.left_out {
            say::line(&format!("  {line}"));
        }
    }
    if strict && !ran.is_complete() {
        say::error("CI=true leaves no test out: give it what the lines above ask for");
    }
    Ok(ran.is_good(strict))
}

impl Ran {
    fn is_complete(&self) -> bool {
        self.left_out.iter().all(|line| line.contains(NOBODY_S))
    }

    fn is_good(&self, strict: bool) -> bool {
        self.passed && (!strict || self.is_complete())
    }
}

fn watch(mut command: Command, out: fn(&str), err: fn(&str)) -> io::Result<Ran> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (printed, complained) = (child.stdout.take(), child.stderr.take());
    let mut left_out = thread::scope(|scope| {
        let complaints = scope.spawn(|| follow(complained, err));
        let mut lines = follow(printed, out);
        lines.extend(complaints.join().unwrap_or_default());
        lines
    });
    left_out.sort();
    left_out.dedup();
    Ok(Ran {
        passed: child.wait()?.success(),
        left_out,
    })
}

/// Shows every line as it comes and keeps those that say that a test was left out.
fn follow(stream: Option<impl Read>, show: fn(&str)) -> Vec<String> {
    let mut kept = Vec::new();
    let Some(stream) = stream else { return kept };
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        show(&line);
        if line.contains(MARK) {
            kept.push(line.trim().to_owned());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Silent: what this test plays must not be read as its own word by the run it is part of.
    fn played(script: &str) -> Ran {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script);
        watch(command, |_| (), |_| ()).unwrap()
    }

    #[test]
    fn a_test_left_out_fails_a_strict_run_only() {
        for stream in ["", " >&2"] {
            let ran = played(&format!("echo fine; echo '{MARK}: no ssh client'{stream}"));
            assert_eq!(ran.left_out, [format!("{MARK}: no ssh client")]);
            assert!(ran.is_good(false) && !ran.is_good(true));
        }
        assert!(played("echo fine").is_good(true));
        assert!(!played("exit 1").is_good(false));
    }

    #[test]
    fn a_host_that_nobody_lends_fails_no_run() {
        let live = format!("echo '{MARK} {NOBODY_S}: set ADDRESS'");
        assert!(played(&live).is_good(true));
        assert!(!played(&format!("{live}; echo '{MARK}: no ssh client'")).is_good(true));
    }
}
