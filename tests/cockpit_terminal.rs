//! The screen of the real program in a terminal: what it draws, how it ends, and how quiet it is.

mod drawing;
mod exits;
mod fleet;
mod quiet;
mod writes;

use crate::support::left::{locks_under, processes_naming, sockets_under};
use crate::support::pty::{Launch, Pty, key};
use crate::support::{COCKPIT, has_ssh};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long what is no picture may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Folders of a program's own: nothing of it lies anywhere else.
struct Home(tempfile::TempDir);

impl Home {
    /// Empty folders, or none where the ssh client is missing.
    fn new() -> Option<Self> {
        has_ssh().then(|| {
            let home = Self(tempfile::tempdir().expect("a folder"));
            for name in ["home", "config", "state", "run", "tmp"] {
                std::fs::create_dir(home.path().join(name)).expect("a folder in it");
            }
            home
        })
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program with these words.
    fn cockpit(&self, words: &[&str]) -> Launch {
        self.within(COCKPIT, words)
    }

    /// Another program that runs it.
    fn within(&self, program: &str, words: &[&str]) -> Launch {
        let folder = |name| self.path().join(name);
        Launch::of(program, words)
            .env("HOME", folder("home"))
            .env("XDG_CONFIG_HOME", folder("config"))
            .env("XDG_STATE_HOME", folder("state"))
            .env("XDG_RUNTIME_DIR", folder("run"))
            .env("TMPDIR", folder("tmp"))
            .limit(Duration::from_mins(1))
    }

    /// What still runs, listens or is locked.
    fn left(&self) -> Vec<String> {
        let shown = |paths: Vec<PathBuf>| paths.into_iter().map(|path| path.display().to_string());
        let mut left = processes_naming(self.path());
        left.extend(shown(sockets_under(self.path())));
        left.extend(locks_under(self.path()));
        left
    }
}

/// Waits until the baseline of the lab is judged: every connection stands.
fn settled(pty: &Pty) -> vt100::Screen {
    pty.wait_for("nothing is broken")
}

/// Types a line into the palette.
fn command(pty: &mut Pty, line: &str) {
    pty.send(":");
    pty.wait_for("Command");
    pty.send(line);
    pty.wait_for(line);
    pty.send(key::ENTER);
}
