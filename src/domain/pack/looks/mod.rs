//! The kinds of look a check can take, each with what it expects. A kind is a module here (its table
//! of the pack and its rules) and a row in the table below, a judge in `domain::baseline` and eyes in
//! the engine.

mod binding;
mod command;
mod compare;
mod containers;
mod disk;
mod fields;
mod file;
mod http;
mod listening;
mod metrics;
mod nginx;
mod process;
mod profile;
mod rules;
mod service;
mod smoke;
mod sql;
mod stacks;
mod stored;

pub use binding::{BindingLook, Bound};
pub use command::CommandLook;
pub use compare::{CompareLook, Relation};
pub use containers::ContainersLook;
pub use disk::DiskLook;
pub use fields::FieldRule;
pub use file::FileLook;
pub(crate) use file::bits;
pub use http::HttpLook;
pub use listening::{ExpectedPort, ListeningLook};
pub use metrics::{Measure, MetricsLook};
pub use nginx::{ExpectedLocation, NginxLook};
pub use process::ProcessLook;
pub use profile::ProfileLook;
pub(super) use rules::Rules;
pub use service::{Manager, ServiceLook};
pub use smoke::SmokeLook;
pub use sql::SqlLook;
pub use stacks::StacksLook;
pub use stored::StoredLook;

use super::shape::read_shape;
use crate::finding::{Finding, Source};
use serde::Serialize;
use toml::Spanned;
use toml::de::DeValue;

/// What a kind looks through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Any vantage.
    Anywhere,
    /// A machine of the config.
    Machine,
    /// The admin API of the host that the pack is about.
    Host,
}

/// What every kind's table says of itself.
trait Kind {
    /// What it looks through.
    const NEEDS: Needs;

    /// Keys it cannot do without.
    const REQUIRED: &'static [&'static str] = &[];

    /// What it finds that another check may compare; `name.*` is one for every name.
    const FACTS: &'static [&'static str] = &[];

    /// What serde cannot say of the table.
    fn rules(&self, rules: &mut Rules<'_, '_>);
}

/// One row a kind: its word in packs, its name here, its table.
macro_rules! kinds {
    ($($(#[$doc:meta])* $word:literal => $name:ident($look:ty),)+) => {
        /// How a check looks and what it expects.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Look {
            $($(#[$doc])* $name($look),)+
        }

        impl Look {
            /// Every kind's word.
            pub const KINDS: &'static [&'static str] = &[$($word),+];

            /// The kind's word, as the pack has it.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $word,)+
                }
            }

            /// What it looks through.
            pub fn needs(&self) -> Needs {
                match self {
                    $(Self::$name(_) => <$look as Kind>::NEEDS,)+
                }
            }

            /// What it finds that another check may compare; `name.*` is one for every name.
            pub fn facts(&self) -> &'static [&'static str] {
                match self {
                    $(Self::$name(_) => <$look as Kind>::FACTS,)+
                }
            }

            /// Names every fault that the shape does not show.
            pub(super) fn rules(&self, rules: &mut Rules<'_, '_>) {
                match self {
                    $(Self::$name(look) => Kind::rules(look, rules),)+
                }
            }

            /// Reads the table of a kind.
            pub(super) fn read(
                word: &str,
                source: Source<'_>,
                table: Spanned<DeValue<'_>>,
                findings: &mut Vec<Finding>,
            ) -> Option<Self> {
                match word {
                    $($word => read_shape(source, table, <$look as Kind>::REQUIRED, findings)
                        .map(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// One HTTP request.
    "http" => Http(HttpLook),
    /// The effective nginx configuration.
    "nginx" => Nginx(NginxLook),
    /// Running containers.
    "containers" => Containers(ContainersLook),
    /// Listening TCP ports.
    "listening" => Listening(ListeningLook),
    /// Processes.
    "process" => Process(ProcessLook),
    /// A file or folder.
    "file" => File(FileLook),
    /// Room on a disk.
    "disk" => Disk(DiskLook),
    /// Services under a service manager.
    "service" => Service(ServiceLook),
    /// A command of the pack's own.
    "command" => Command(CommandLook),
    /// A question to a database.
    "sql" => Sql(SqlLook),
    /// What one check found against what another one found.
    "compare" => Compare(CompareLook),
    /// Prometheus metrics.
    "metrics" => Metrics(MetricsLook),
    /// A binding stored on the host.
    "binding" => Binding(BindingLook),
    /// Standing conditions of what the host has stored.
    "stored" => Stored(StoredLook),
    /// Temporary stacks.
    "stacks" => Stacks(StacksLook),
    /// A client's profile.
    "profile" => Profile(ProfileLook),
    /// A user's model calls with an active key of the host.
    "smoke" => Smoke(SmokeLook),
}
