//! Processes of a machine.

use super::rules::Rules;
use super::{Kind, Needs};
use serde::{Deserialize, Serialize};

/// Which processes are meant, and how each of them must run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessLook {
    /// Pattern of the whole command line (`*` is any text).
    #[serde(default)]
    pub command: Option<String>,
    /// TCP port that it listens on.
    #[serde(default)]
    pub port: Option<u16>,
    /// How many there must be; without it, at least one.
    #[serde(default)]
    pub count: Option<usize>,
    /// Path of the program that it really runs.
    #[serde(default)]
    pub executable: Option<String>,
    /// Its working folder.
    #[serde(default)]
    pub cwd: Option<String>,
    /// A file that it must have been started after: its program, its settings.
    #[serde(default)]
    pub started_after: Option<String>,
    /// Files that it must have open.
    #[serde(default)]
    pub open_files: Vec<String>,
    /// Patterns of command lines that nothing may run.
    #[serde(default)]
    pub banned: Vec<String>,
}

impl ProcessLook {
    /// Whether it names processes that must run.
    pub fn wants_some(&self) -> bool {
        self.command.is_some() || self.port.is_some()
    }

    /// Whether it must be known what a process holds: program, folder, files.
    pub fn wants_insides(&self) -> bool {
        self.executable.is_some() || self.cwd.is_some() || !self.open_files.is_empty()
    }
}

impl Kind for ProcessLook {
    const NEEDS: Needs = Needs::Machine;
    const FACTS: &'static [&'static str] = &["started", "executable", "cwd"];

    fn rules(&self, rules: &mut Rules<'_, '_>) {
        if !self.wants_some() && self.banned.is_empty() {
            rules.nothing("`command`, `port` or `banned`");
        }
        let more = self.count.is_some() || self.started_after.is_some() || self.wants_insides();
        if more && !self.wants_some() {
            rules.fault(
                "it is not said which process is meant",
                "add `command` or `port`",
            );
        }
        rules.no_blank(self.command.iter().chain(&self.banned));
        let paths = [&self.executable, &self.cwd, &self.started_after];
        rules.paths(paths.into_iter().flatten().chain(&self.open_files));
    }
}
