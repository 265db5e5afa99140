//! Words about looks: baselines, providers, probes, logs, packs, the lab.

use clap::{Args, Subcommand};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::log::{Level, SourceId};
use std::path::PathBuf;
use std::time::Duration;

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
        /// Write the run as JUnit XML to this file as well.
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
        /// Write it as Prometheus text, for a collector that reads files.
        #[arg(long, value_name = "FILE")]
        prometheus: Option<PathBuf>,
    },
    /// Say what the checks came to over time: since when, last change, how often they turned.
    History {
        /// One check, with all it came to; default is a row for every check.
        check: Option<String>,
        /// The pack; default is the one that the config's hosts name.
        #[arg(long)]
        pack: Option<PackId>,
        /// How far back, such as 24h or 7d.
        #[arg(long, value_name = "SPAN", default_value = "7d", value_parser = window)]
        since: Duration,
    },
    /// Put a known fault aside until a time; or a machine or host, while it is worked on.
    Waive(Box<Waive>),
    /// Draft a pack out of what is seen on a machine or a host: containers, ports, services, nginx. It is
    /// green at once; read it, edit it, and pin it as a pack of your own.
    Draft {
        /// A machine or a host of the config.
        #[arg(value_name = "MACHINE|HOST")]
        of: String,
        /// Write it to this new file; default is standard output.
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Hold two machines, hosts or baseline packs against each other; differences exit 1.
    Diff {
        /// The one: a machine, a host, or a pack.
        a: String,
        /// The other.
        b: String,
    },
    /// List what is put aside, by whom, until when; also what has run out.
    Waivers,
    /// Show the last run with its age, without looking.
    Show {
        /// The pack; default is the only one with a run.
        #[arg(long)]
        pack: Option<PackId>,
    },
}

/// `baseline waive`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["check", "machine", "host"]))]
pub struct Waive {
    /// The check: what is judged of it counts no more. Not being able to look still does.
    pub check: Option<String>,
    /// The pack of the check; default is the one that the config's hosts name.
    #[arg(long, conflicts_with_all = ["machine", "host"])]
    pub pack: Option<PackId>,
    /// A maintenance window for every check that looks on this machine or goes through it.
    #[arg(long, value_name = "NAME")]
    pub machine: Option<MachineId>,
    /// A maintenance window for the whole baseline that judges this host.
    #[arg(long, value_name = "NAME")]
    pub host: Option<HostId>,
    /// Why; shown beside the check and kept in the audit.
    #[arg(long, value_name = "TEXT", required_unless_present = "clear")]
    pub reason: Option<String>,
    /// Until when: `3d`, `90m`, 2030-01-31 (to its end), or "2030-01-31 18:00".
    #[arg(long, value_name = "TIME", required_unless_present = "clear")]
    pub until: Option<String>,
    /// Who answers for it; default is who runs this.
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Take the waiver back.
    #[arg(long, conflicts_with_all = ["reason", "until", "owner"])]
    pub clear: bool,
}

fn window(text: &str) -> Result<Duration, String> {
    let span: Option<jiff::Span> = text.parse().ok();
    let span = span.and_then(|span| {
        span.to_duration(jiff::SpanRelativeTo::days_are_24_hours())
            .ok()
    });
    let span = span.and_then(|span| Duration::try_from(span).ok());
    span.filter(|span| (60..=366 * 86_400).contains(&span.as_secs()))
        .ok_or_else(|| "a span is written such as `24h` or `7d`, between 1m and a year".to_owned())
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

/// `explain …`
#[derive(Debug, Subcommand)]
pub enum Explain {
    /// Say why a key fails: whose it is, its group, accounts, subscription, profile and models.
    Key {
        /// env:NAME, file:PATH, `-` for standard input, or id:NUMBER of the host.
        #[arg(value_name = "KEY")]
        key: String,
        /// Host of the config; default is the one that a baseline judges.
        #[arg(long)]
        host: Option<HostId>,
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
