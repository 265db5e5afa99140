//! What the black-box tests share: a lab in its own process, and the program run against it.

pub(crate) mod inside;

pub(crate) mod escapes;
pub(crate) mod far;
pub(crate) mod fields;
pub(crate) mod following;
pub(crate) mod importing;
pub(crate) mod left;
pub(crate) mod pty;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub(crate) const COCKPIT: &str = env!("CARGO_BIN_EXE_cockpit");

/// Whether the OpenSSH client is here; says so when a test has to be left out.
pub(crate) fn has_ssh() -> bool {
    let there = Command::new("ssh")
        .arg("-V")
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !there {
        println!("SKIPPED: no ssh client");
    }
    there
}

/// A lab that runs until it is dropped.
pub(crate) struct Lab {
    child: Child,
    /// Config file to pass with `--config`.
    pub(crate) config: PathBuf,
}

impl Lab {
    /// Starts `cockpit lab serve` and waits for its line.
    pub(crate) fn start() -> Self {
        let mut child = Command::new(COCKPIT)
            .args(["lab", "serve"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("one JSON line");
        let config = PathBuf::from(ready["config"].as_str().expect("config"));
        Self { child, config }
    }

    /// Runs a command against this lab.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        run(
            Command::new(COCKPIT)
                .args(words)
                .arg("--config")
                .arg(&self.config),
            None,
        )
    }

    /// Runs a command with text on its standard input.
    pub(crate) fn run_with(&self, words: &[&str], input: &str) -> Ran {
        run(
            Command::new(COCKPIT)
                .args(words)
                .arg("--config")
                .arg(&self.config),
            Some(input),
        )
    }

    /// The folder the lab keeps its files in.
    pub(crate) fn folder(&self) -> &Path {
        self.config.parent().expect("the config lies in a folder")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // SIGTERM, so that the lab takes its folder with it.
        drop(
            Command::new("kill")
                .arg(self.child.id().to_string())
                .status(),
        );
        drop(self.child.wait());
    }
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit code; -1 for a signal.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(crate) fn run(command: &mut Command, input: Option<&str>) -> Ran {
    use std::io::Write;
    let mut child = command
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    if let Some(input) = input {
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(input.as_bytes())
            .expect("it reads its input");
    }
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("it ends");
    Ran {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// Runs the program with no config named.
pub(crate) fn bare(words: &[&str]) -> Ran {
    run(Command::new(COCKPIT).args(words), None)
}

/// Asks until a condition holds, at most `limit`.
pub(crate) fn wait_until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < limit, "waited {limit:?} for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
