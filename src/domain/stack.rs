//! Temporary stacks: what stands beside production for a while, why, and until when. Nothing of
//! production may be taken, and what is over has to go.

use crate::baseline::Verdict;
use crate::batch::words;
use crate::ids::{HostId, MachineId, PackId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What a stack that is kept on purpose is marked with: a label of its container, or a file.
pub const MARK: &str = "do-not-route-public";

words! {
    /// Where a stack is known from.
    StackSource {
        /// A host of the config with the role `temporary`.
        Config = "config",
        /// Registered with us.
        Registered = "registered",
    }
}

words! {
    /// What a file of a stack is.
    StackFileKind {
        /// Its environment.
        Env = "env",
        /// What set it up.
        Bootstrap = "bootstrap",
        /// An SSH tunnel's file.
        Tunnel = "tunnel",
    }
}

words! {
    /// How a stack stands to its clean-up.
    StackState {
        /// It may stand.
        Standing = "standing",
        /// Today is its last day.
        Due = "due",
        /// It should be gone.
        Overdue = "overdue",
    }
}

/// A file that goes with a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackFile {
    /// What it is.
    pub kind: StackFileKind,
    /// Where it is, on the stack's machine.
    pub path: String,
}

/// One temporary stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Its name; a host's, where the config has it as one.
    pub name: HostId,
    /// Where it stands.
    pub machine: MachineId,
    /// Why.
    pub reason: String,
    /// The port it takes there.
    pub port: u16,
    /// Its container.
    pub container: String,
    /// Containers of its database and its Redis, or the path of its SQLite file.
    #[serde(default)]
    pub databases: Vec<String>,
    /// The acceptance batch it belongs to: stacks of one batch may share databases.
    #[serde(default)]
    pub batch: Option<String>,
    /// Files that go with it.
    #[serde(default)]
    pub files: Vec<StackFile>,
    /// Last day it may stand, `2027-01-31`, counted in UTC.
    pub until: String,
    /// Kept on purpose: then it has to carry the mark.
    #[serde(default)]
    pub keep: bool,
    /// Path of the file that marks it; a label of the container does when there is none.
    #[serde(default)]
    pub mark_file: Option<String>,
    /// Where it is known from.
    pub source: StackSource,
    /// Who registered it; empty for one of the config.
    #[serde(default)]
    pub by: String,
    /// UTC ms of that.
    #[serde(default)]
    pub created_ms: i64,
}

/// The day of a moment, in UTC.
pub fn day_of(now_ms: i64) -> Option<Date> {
    let at = jiff::Timestamp::from_millisecond(now_ms).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).date())
}

impl Stack {
    /// How it stands to its clean-up. A day that cannot be read is over.
    pub fn state(&self, now_ms: i64) -> StackState {
        let (Ok(until), Some(today)) = (self.until.parse::<Date>(), day_of(now_ms)) else {
            return StackState::Overdue;
        };
        match today.cmp(&until) {
            std::cmp::Ordering::Less => StackState::Standing,
            std::cmp::Ordering::Equal => StackState::Due,
            std::cmp::Ordering::Greater => StackState::Overdue,
        }
    }

    /// Databases that are containers.
    pub fn database_containers(&self) -> impl Iterator<Item = &String> {
        self.databases.iter().filter(|name| !name.starts_with('/'))
    }

    /// Whether another stack stands on the same databases for the same acceptance batch.
    pub fn shares(&self, database: &str, other: &Self) -> bool {
        self.name != other.name
            && self.machine == other.machine
            && self.batch.is_some()
            && self.batch == other.batch
            && other.databases.iter().any(|name| name == database)
    }

    /// What is wrong with its own fields, each with what to write instead.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.reason.trim().is_empty() {
            faults.push("a reason is missing: say why it stands there".to_owned());
        }
        if self.port == 0 {
            faults.push("0 is no port: write 1 to 65535".to_owned());
        }
        for name in std::iter::once(&self.container).chain(self.database_containers()) {
            if !is_container(name) {
                faults.push(format!(
                    "`{name}` is no container's name: letters, digits, `_`, `-`, `.`, beginning with a letter or digit"
                ));
            }
        }
        let paths = self.files.iter().map(|file| &file.path);
        let databases = self.databases.iter().filter(|name| name.starts_with('/'));
        for path in paths.chain(databases).chain(&self.mark_file) {
            let odd = |c: char| c.is_control() || "\"'\\{}".contains(c);
            if !path.starts_with('/') || path.contains(odd) {
                faults.push(format!(
                    "`{path}` is no whole path: begin it with /, without quotes, braces and backslashes"
                ));
            }
        }
        if self.until.len() != 10 || self.until.parse::<Date>().is_err() {
            faults.push(format!(
                "`{}` is no day: write one such as 2027-01-31",
                self.until
            ));
        }
        faults
    }
}

/// A name that no program takes for an option.
fn is_container(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Something that is taken on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// A port.
    Port(u16),
    /// A container, by name.
    Container(String),
    /// A database: a container or a file.
    Database(String),
    /// A file.
    File(String),
}

/// Something that is taken, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What.
    pub taken: Taken,
    /// By whom, in words: "production host `prod`".
    pub whose: String,
    /// The acceptance batch of the stack that has it.
    pub batch: Option<String>,
}

impl Claim {
    /// Something of production.
    pub fn of_production(taken: Taken, whose: &str) -> Self {
        Self {
            taken,
            whose: whose.to_owned(),
            batch: None,
        }
    }

    /// Everything that a stack takes.
    pub fn of_stack(stack: &Stack) -> Vec<Self> {
        let whose = format!("stack `{}`", stack.name);
        let claim = |taken| Self {
            taken,
            whose: whose.clone(),
            batch: stack.batch.clone(),
        };
        let mut claims = vec![
            claim(Taken::Port(stack.port)),
            claim(Taken::Container(stack.container.clone())),
        ];
        claims.extend(
            stack
                .databases
                .iter()
                .cloned()
                .map(Taken::Database)
                .map(claim),
        );
        claims.extend(
            stack
                .files
                .iter()
                .map(|file| claim(Taken::File(file.path.clone()))),
        );
        claims
    }
}

/// What of a new stack is taken already, each with what and by whom.
pub fn collisions(stack: &Stack, claims: &[Claim]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for claim in claims {
        let whose = &claim.whose;
        let hit = match &claim.taken {
            Taken::Port(port) => {
                (stack.port == *port).then(|| format!("port {port} is the one of {whose}"))
            }
            Taken::Container(name) => (stack.container == *name || stack.databases.contains(name))
                .then(|| format!("container `{name}` is the one of {whose}")),
            Taken::Database(name) => {
                let shared = stack.batch.is_some() && stack.batch == claim.batch;
                let same = stack.databases.contains(name) && !shared;
                (same || stack.container == *name)
                    .then(|| format!("database `{name}` is the one of {whose}"))
            }
            Taken::File(path) => {
                let own = stack.files.iter().any(|file| file.path == *path);
                (own || stack.databases.contains(path))
                    .then(|| format!("file {path} is the one of {whose}"))
            }
        };
        if let Some(hit) = hit
            && !found.contains(&hit)
        {
            found.push(hit);
        }
    }
    found
}

words! {
    /// Who makes a line of the clean-up true.
    CleanBy {
        /// The cockpit runs a command.
        Do = "do",
        /// A person does it.
        Ask = "ask",
        /// It is looked at only.
        Look = "look",
    }
}

/// One line of the clean-up's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanLine {
    /// Unique in the list, such as `container` or `file-2`.
    pub id: String,
    /// What must be true, in words.
    pub title: String,
    /// Who makes it true.
    pub by: CleanBy,
    /// The command, of a line that runs one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// What a person does, of a line that asks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ask: String,
    /// Why the line is left out: a stack of the same batch still uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excepted: Option<String>,
}

/// A line as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanRow {
    /// The line.
    #[serde(flatten)]
    pub line: CleanLine,
    /// What the look came to; `waived` for one that is left out.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
}

impl CleanRow {
    /// Whether nothing is left to do about it.
    pub fn is_clear(&self) -> bool {
        matches!(self.verdict, Verdict::Ok | Verdict::Waived | Verdict::Warn)
    }
}

/// A plan to clean a stack up. Its hash is over this value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanPlan {
    /// The stack as it was planned.
    pub stack: Stack,
    /// The production host on its machine: whose word an act needs.
    pub host: HostId,
    /// The pack that proves production well afterwards.
    pub pack: Option<PackId>,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The list, in order.
    pub lines: Vec<CleanLine>,
    /// Why it cannot be carried out; empty when it can.
    pub blockers: Vec<String>,
    /// UTC ms after which it is refused.
    pub expires_ms: i64,
}

#[cfg(test)]
mod tests;
