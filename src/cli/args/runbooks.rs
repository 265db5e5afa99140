//! Words about runbooks.

use super::Word;
use clap::{Args, Subcommand};
use cockpit_domain::ids::{HostId, MachineId, RunId};

/// `runbook …`
#[derive(Debug, Subcommand)]
pub enum Runbook {
    /// List the runbooks of the packs at hand; those that are called for come first.
    List,
    /// Show a runbook: its prose and its steps.
    Show {
        /// Its name, or PACK/NAME.
        book: String,
    },
    /// Begin a run: looks are taken, and it stops at the first question or act.
    Run {
        /// The runbook: its name, or PACK/NAME.
        book: String,
        /// The host it is about; default is the one that the pack judges.
        #[arg(long)]
        host: Option<HostId>,
        /// The machine it is about; default is what the pack or the host says.
        #[arg(long)]
        machine: Option<MachineId>,
    },
    /// List runs, or show one with all that was found and done.
    Runs {
        /// One run.
        run: Option<RunId>,
    },
    /// Go on with a run, with what it waits for.
    Resume(Resume),
    /// Begin the run that takes back what a run did, the newest act first.
    Back {
        /// The run.
        run: RunId,
    },
}

/// `runbook resume`
#[derive(Debug, Args)]
pub struct Resume {
    /// The run.
    pub run: RunId,
    /// The answer to its question: yes, no, done, not done, or a value.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["yes", "skip", "stop"])]
    pub answer: Option<String>,
    #[command(flatten)]
    pub word: Word,
    /// Leave out what would be done.
    #[arg(long, conflicts_with_all = ["yes", "stop"])]
    pub skip: bool,
    /// End the run, and why.
    #[arg(long, value_name = "TEXT", conflicts_with = "yes")]
    pub stop: Option<String>,
}
