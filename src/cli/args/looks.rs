//! Words about looks: baselines, providers, probes, logs, packs, the lab.

use clap::{Args, Subcommand};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::log::{Level, SourceId};
use std::path::PathBuf;

/// `baseline …`
#[derive(Debug, Subcommand)]
pub enum Baseline {
    /// Run every check of a baseline pack.
    Run {
        /// The pack; default is the one that the config's hosts name.
        #[arg(long)]
        pack: Option<PackId>,
        /// Look only at what is due: a check that is looked at seldom stands as it was.
        #[arg(long)]
        due: bool,
    },
    /// Show the last run with its age, without looking.
    Show {
        /// The pack; default is the only one with a run.
        #[arg(long)]
        pack: Option<PackId>,
    },
}

/// `pack …`
#[derive(Debug, Subcommand)]
pub enum Pack {
    /// List the packs at hand.
    List,
    /// Check packs; every finding with file, line and a fix.
    Check {
        /// A pack file, or a pack id; default is every pack at hand.
        what: Option<String>,
    },
}

/// `provider …`
#[derive(Debug, Subcommand)]
pub enum Provider {
    /// Say of every pack on every host what the last live call came to, and when.
    List,
    /// List what standing batches hold on a host: what, how it came there, since when.
    Resources {
        /// Host of the config.
        #[arg(long)]
        host: HostId,
        /// Of one provider pack only.
        #[arg(long)]
        provider: Option<PackId>,
    },
    /// Say of every account whether it would be chosen, and if not, why, who did it, until when.
    Status {
        /// Host of the config.
        #[arg(long)]
        host: HostId,
        /// Provider pack; default is every group of the host, whoever made it.
        #[arg(long)]
        provider: Option<PackId>,
    },
}

/// `audit …`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List the newest lines.
    List {
        /// Lines at most.
        #[arg(long, default_value_t = 50)]
        most: usize,
    },
}

/// `probe …`
#[derive(Debug, Subcommand)]
pub enum Probe {
    /// List the last probes of every path, without probing.
    List,
    /// Probe a host, or every host of the config.
    Run {
        /// One host only.
        #[arg(long)]
        host: Option<HostId>,
        /// A provider on it: its managed key, its upstream.
        #[arg(long)]
        provider: Option<PackId>,
    },
    /// Make the same small calls at the upstream and through the host, and write them down,
    /// redacted, for an issue report.
    Split {
        /// Host of the config.
        #[arg(long)]
        host: HostId,
        /// Provider pack.
        #[arg(long)]
        provider: PackId,
        /// The upstream key: env:NAME or file:PATH; default is one of the newest batch that is kept.
        #[arg(long, value_name = "REF", conflicts_with = "item")]
        key: Option<String>,
        /// The upstream key of one item of a batch, such as batch/42#item7.
        #[arg(long, value_name = "BATCH#ITEM")]
        item: Option<String>,
        /// Call the upstream from this computer as well.
        #[arg(long)]
        here: bool,
    },
}

/// `log …`
#[derive(Debug, Subcommand)]
pub enum Log {
    /// List the sources of the config.
    List,
    /// Follow sources of the config until stopped, merged; or one file or container of a machine.
    Tail(Tail),
}

/// `log tail`
#[derive(Debug, Args)]
pub struct Tail {
    /// Source of the config; may be given several times, default is all of them.
    #[arg(long, value_name = "NAME")]
    pub source: Vec<SourceId>,
    /// No line below this level: trace, debug, info, warn or error.
    #[arg(long, value_name = "LEVEL", conflicts_with = "machine")]
    pub level: Option<Level>,
    /// Only lines with this text, in whatever case.
    #[arg(long, value_name = "TEXT", conflicts_with = "machine")]
    pub grep: Option<String>,
    /// Machine of the config, for a file or container that is no source.
    #[arg(long, conflicts_with = "source")]
    pub machine: Option<MachineId>,
    /// File to follow there.
    #[arg(
        long,
        value_name = "PATH",
        conflicts_with = "container",
        requires = "machine"
    )]
    pub file: Option<String>,
    /// Container to follow there.
    #[arg(long, value_name = "NAME", requires = "machine")]
    pub container: Option<String>,
    /// Lines of the past to begin with.
    #[arg(long, default_value_t = 20)]
    pub lines: u32,
}

/// `lab …`
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Run the lab until stopped; prints one line when it is ready.
    Serve {
        /// Folder to keep its state in; default is a private one that goes with it.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Switch faults.
    #[command(subcommand)]
    Fault(Fault),
}

/// `lab fault …`
#[derive(Debug, Subcommand)]
pub enum Fault {
    /// List the faults.
    List,
    /// Switch one on.
    Set {
        /// The fault.
        name: String,
    },
    /// Switch one off.
    Clear {
        /// The fault.
        name: String,
    },
}

/// `drill`
#[derive(Debug, Args)]
pub struct Drill {
    /// Switch this fault on first; the drill must then fail at the right step.
    #[arg(long, value_name = "NAME")]
    pub fault: Option<String>,
}
