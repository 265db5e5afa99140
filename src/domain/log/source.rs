//! A source of log lines as the config names it, and the command that follows it.

use crate::ids::{BadSlug, HostId, MachineId};
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// Names a source (`[log.NAME]`). Every kept line holds one, so cloning shares the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(Arc<str>);

impl SourceId {
    /// Checks the text: the same rule as for names of hosts and machines.
    pub fn new(text: &str) -> Result<Self, BadSlug> {
        HostId::new(text).map(|slug| Self(slug.as_str().into()))
    }

    /// The text as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for SourceId {
    type Err = BadSlug;
    fn from_str(text: &str) -> Result<Self, BadSlug> {
        Self::new(text)
    }
}

impl Serialize for SourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Where the lines stand on their machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogPlace {
    /// A file, by its whole path.
    File(String),
    /// A container's output.
    Container(String),
    /// A unit of systemd.
    Unit(String),
}

impl LogPlace {
    /// The command that prints the last lines and then follows. A file is followed by its name, so
    /// that a rotation is no end.
    pub fn argv(&self, last_lines: u32) -> Vec<String> {
        self.words(last_lines, true)
    }

    /// The command that prints the last lines and ends.
    pub fn last(&self, lines: u32) -> Vec<String> {
        self.words(lines, false)
    }

    fn words(&self, last_lines: u32, follow: bool) -> Vec<String> {
        let last = last_lines.to_string();
        let (command, flag, place): (&[&str], _, &[&str]) = match self {
            Self::File(path) => (&["tail", "-n", &last], "-F", &["--", path]),
            Self::Container(name) => (&["docker", "logs", "--tail", &last], "--follow", &[name]),
            Self::Unit(name) => (
                &[
                    "journalctl",
                    "--no-pager",
                    "--output=short-iso",
                    "-n",
                    &last,
                ],
                "-f",
                &["-u", name],
            ),
        };
        let flag = follow.then_some(flag);
        let words = command
            .iter()
            .copied()
            .chain(flag)
            .chain(place.iter().copied());
        words.map(str::to_owned).collect()
    }
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(path),
            Self::Container(name) => write!(f, "container {name}"),
            Self::Unit(name) => write!(f, "unit {name}"),
        }
    }
}

/// One `[log.NAME]` of the config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogSource {
    /// Its name.
    pub id: SourceId,
    /// Where it is followed.
    pub machine: MachineId,
    /// The host it belongs to, if the config ties it to one.
    pub host: Option<HostId>,
    /// What is followed there.
    #[serde(rename = "what")]
    pub place: LogPlace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_followed_with_the_tool_of_its_kind() {
        let words = |place: LogPlace| place.argv(5).join(" ");
        assert_eq!(
            words(LogPlace::File("/var/log/a b.log".to_owned())),
            "tail -n 5 -F -- /var/log/a b.log"
        );
        assert_eq!(
            words(LogPlace::Container("relay".to_owned())),
            "docker logs --tail 5 --follow relay"
        );
        assert_eq!(
            words(LogPlace::Unit("relay.service".to_owned())),
            "journalctl --no-pager --output=short-iso -n 5 -f -u relay.service"
        );
    }

    #[test]
    fn a_name_of_a_source_is_a_slug() {
        assert_eq!(
            SourceId::new("nginx-access").unwrap().as_str(),
            "nginx-access"
        );
        assert!(SourceId::new("Nginx access").is_err());
    }
}
