//! The fleet behind the pictures: `cockpit lab serve` in a folder of its own, and what is
//! broken in it before a picture is taken.

use serde_json::Value;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A lab that runs until it is dropped.
pub(super) struct Lab {
    child: Child,
    /// Config to look at it with.
    pub(super) config: String,
    /// Home of every program that is run: no setting of a person reaches a picture.
    pub(super) home: TempDir,
}

impl Lab {
    /// Starts one and waits for the line that says it is ready.
    pub(super) fn start(program: &Path) -> Result<Self, Box<dyn Error>> {
        let home = tempfile::Builder::new().prefix("shots").tempdir()?;
        let mut child = at_home(program, home.path())
            .args(["lab", "serve"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("the lab has no output")?;
        let read = BufReader::new(out).read_line(&mut line);
        let lab = Self {
            child,
            config: serde_json::from_str::<Value>(&line)
                .ok()
                .and_then(|ready| ready["config"].as_str().map(str::to_owned))
                .unwrap_or_default(),
            home,
        };
        read?;
        if lab.config.is_empty() {
            return Err(format!("`lab serve` did not say where its config is: {line}").into());
        }
        Ok(lab)
    }

    /// Breaks something in it.
    pub(super) fn set_fault(&self, program: &Path, name: &str) -> Result<(), Box<dyn Error>> {
        let ran = at_home(program, self.home.path())
            .args(["lab", "fault", "set", name, "--config", &self.config])
            .stdin(Stdio::null())
            .output()?;
        if ran.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&ran.stderr).into_owned();
        Err(format!("`cockpit lab fault set {name}`: {} {why}", ran.status).into())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A polite end: the lab takes its folder with it.
        let id = self.child.id().to_string();
        drop(Command::new("kill").arg(id).status());
        drop(self.child.wait());
    }
}

/// A program with a home of its own, and nothing of this shell's environment but its path.
fn at_home(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(environment(home));
    command
}

/// What every program is given.
pub(super) fn environment(home: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("HOME", home.display().to_string()),
        ("USER", "oncall".to_owned()),
    ]
}
