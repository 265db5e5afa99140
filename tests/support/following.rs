//! A command of the program that goes on until it is ended, and what it says line by line.

use super::{COCKPIT, Lab};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A command at work; ended when dropped.
pub(crate) struct Following {
    /// Its process.
    pub(crate) child: Child,
    lines: mpsc::Receiver<String>,
}

impl Following {
    /// Starts a command against a lab.
    pub(crate) fn start(lab: &Lab, words: &[&str]) -> Self {
        let mut child = Command::new(COCKPIT)
            .args(words)
            .arg("--config")
            .arg(&lab.config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().expect("piped");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line, unless none comes in time.
    pub(crate) fn line(&self, limit: Duration) -> Option<String> {
        self.lines.recv_timeout(limit).ok()
    }

    /// Reads on until a line is as wanted.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            match self.line(left) {
                Some(line) if wanted(&line) => return line,
                Some(_) => {}
                None => break,
            }
        }
        panic!("never {what}");
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // Gone already is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
