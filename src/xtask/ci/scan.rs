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

/// Runs the command, shows what it prints, and tells whether it and the rule were kept.
pub(super) fn run(mut command: Command, strict: bool) -> io::Result<bool> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut left_out = thread::scope(|scope| {
        let errors = scope.spawn(|| follow(err, say::error));
        let mut lines = follow(out, say::line);
        lines.extend(errors.join().unwrap_or_default());
        lines
    });
    left_out.sort();
    left_out.dedup();
    let passed = child.wait()?.success();
    if !left_out.is_empty() {
        say::line(&format!(
            "\ntests that were left out here ({}):",
            left_out.len()
        ));
        for line in &left_out {
            say::line(&format!("  {line}"));
        }
    }
    let complete = left_out.iter().all(|line| line.contains(NOBODY_S));
    if strict && !complete {
        say::error("CI=true leaves no test out: give it what the lines above ask for");
    }
    Ok(passed && (complete || !strict))
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

    fn shell(script: String) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script);
        command
    }

    #[test]
    fn a_test_left_out_fails_a_strict_run_only() {
        for stream in ["", " >&2"] {
            let script = format!("echo fine; echo '{MARK}: no ssh client'{stream}");
            assert!(run(shell(script.clone()), false).unwrap());
            assert!(!run(shell(script), true).unwrap());
        }
        assert!(run(shell("echo fine".to_owned()), true).unwrap());
        let live = format!("echo '{MARK} {NOBODY_S}: set ADDRESS'");
        assert!(run(shell(live.clone()), true).unwrap());
        let both = format!("{live}; echo '{MARK}: no ssh client'");
        assert!(!run(shell(both), true).unwrap());
        assert!(!run(shell("exit 1".to_owned()), false).unwrap());
    }
}
