//! Words about deployments and temporary stacks.

use super::Apply;
use clap::{Args, Subcommand, ValueEnum};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::stack::{Stack, StackFile, StackFileKind, StackSource};
use cockpit_engine::gate::GateWord;

/// `deploy …`
#[derive(Debug, Subcommand)]
pub enum Deploy {
    /// The gate around a deployment: its steps before, the same after, and what is different.
    #[command(subcommand)]
    Gate(Gate),
}

/// `deploy gate …`
#[derive(Debug, Subcommand)]
pub enum Gate {
    /// Look before the deployment and record it.
    Before {
        /// The baseline pack; default is the one that the config's hosts name.
        #[arg(long)]
        pack: Option<PackId>,
    },
    /// Look after the deployment, compare, and plan what has to be done, such as a reload.
    After {
        /// The baseline pack; default is the one that the config's hosts name.
        #[arg(long)]
        pack: Option<PackId>,
    },
    /// Show what is recorded, without looking.
    Show {
        /// The baseline pack; default is the one that the config's hosts name.
        #[arg(long)]
        pack: Option<PackId>,
    },
    /// Say of a step that was begun, and whose end nobody saw, whether it was done.
    Answer {
        /// What you found there.
        #[arg(value_enum)]
        said: Said,
        /// The baseline pack; default is the one that the config's hosts name.
        #[arg(long)]
        pack: Option<PackId>,
    },
    /// Do exactly what `after` planned, take every step, and say whether the gate is passed.
    Apply(Apply),
}

/// What a person found.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Said {
    /// It was done: the looks behind it are taken.
    Done,
    /// It was not done: the next `after` plans it again.
    NotDone,
}

impl From<Said> for GateWord {
    fn from(said: Said) -> Self {
        match said {
            Said::Done => Self::Done,
            Said::NotDone => Self::NotDone,
        }
    }
}

/// `stack …`
#[derive(Debug, Subcommand)]
pub enum StackWord {
    /// List the temporary stacks that stand, with those that are due or overdue.
    List,
    /// Look at one: what of it is there, and whether anybody is sent to it.
    Show {
        /// The stack.
        stack: HostId,
    },
    /// Clean one up: every line looked at, what is left stopped behind an approval or removed by a
    /// person, production proven at the end. Begins the run, or goes on with the one that was begun.
    Clean {
        /// The stack.
        stack: HostId,
    },
    /// Make one known: why it stands, what it takes, until when.
    Register(Box<Register>),
}

/// `stack register`
#[derive(Debug, Args)]
pub struct Register {
    /// Its name; that of a temporary host of the config, where it is one.
    pub stack: HostId,
    /// The machine it stands on.
    #[arg(long)]
    pub machine: MachineId,
    /// Why it stands there.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The port it takes there.
    #[arg(long)]
    pub port: u16,
    /// Its container.
    #[arg(long, value_name = "NAME")]
    pub container: String,
    /// Last day it may stand, such as 2027-01-31, counted in UTC.
    #[arg(long, value_name = "DATE")]
    pub until: String,
    /// Container of its database or Redis, or the path of its SQLite file; may be given several times.
    #[arg(long, value_name = "NAME|PATH")]
    pub database: Vec<String>,
    /// The acceptance batch it belongs to; stacks of one batch may share databases.
    #[arg(long, value_name = "NAME")]
    pub batch: Option<String>,
    /// Its environment file there; may be given several times.
    #[arg(long, value_name = "PATH")]
    pub env: Vec<String>,
    /// A file that set it up; may be given several times.
    #[arg(long, value_name = "PATH")]
    pub bootstrap: Vec<String>,
    /// A file of an SSH tunnel to it; may be given several times.
    #[arg(long, value_name = "PATH")]
    pub tunnel: Vec<String>,
    /// It is kept on purpose: then it has to carry the mark do-not-route-public.
    #[arg(long)]
    pub keep: bool,
    /// The file that marks it; default is a label of its container.
    #[arg(long, value_name = "PATH", requires = "keep")]
    pub mark_file: Option<String>,
}

impl From<Register> for Stack {
    fn from(words: Register) -> Self {
        let files = [
            (StackFileKind::Env, words.env),
            (StackFileKind::Bootstrap, words.bootstrap),
            (StackFileKind::Tunnel, words.tunnel),
        ];
        Self {
            name: words.stack,
            machine: words.machine,
            reason: words.reason,
            port: words.port,
            container: words.container,
            databases: words.database,
            batch: words.batch,
            files: files
                .into_iter()
                .flat_map(|(kind, paths)| {
                    paths.into_iter().map(move |path| StackFile { kind, path })
                })
                .collect(),
            until: words.until,
            keep: words.keep,
            mark_file: words.mark_file,
            source: StackSource::Registered,
            by: String::new(),
            created_ms: 0,
        }
    }
}
