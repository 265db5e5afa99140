//! The grammar of the command line, nothing else. Spellings are stable (`--json` names too).

mod batches;
mod hosts;
mod looks;
mod runbooks;
mod stacks;

pub(crate) use batches::{
    AccessArg, Adopt, Apply, Batch, Import, Prune, Reconcile, Recover, Repair, Rollback, Word,
};
pub(crate) use hosts::{Access, Host, Lease, Machine, Prepare};
pub(crate) use looks::{Audit, Baseline, Explain, Fault, Log, Pack, Probe, Provider, Tail, Waive};
pub use looks::{Drill, Lab};
pub(crate) use runbooks::{Resume, Runbook};
pub(crate) use stacks::{Deploy, Gate, StackWord};

use clap::{Parser, Subcommand};
use cockpit_domain::ids::HostId;
use std::path::PathBuf;

/// Operations cockpit for an LLM relay fleet. Without a command it opens the screen.
#[derive(Debug, Parser)]
#[command(name = "cockpit", version, max_term_width = 100)]
pub(crate) struct Line {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Config file; default is relay-cockpit/config.toml in the user's config folder.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Run against a fresh embedded lab that ends with the command.
    #[arg(long, global = true, conflicts_with = "config")]
    pub lab: bool,
    /// What to do.
    #[command(subcommand)]
    pub noun: Option<Noun>,
}

/// A command with what goes for all of them.
#[derive(Debug)]
pub struct Cli {
    /// Print JSON instead of text.
    pub json: bool,
    /// Config file.
    pub config: Option<PathBuf>,
    /// Run against a fresh embedded lab.
    pub lab: bool,
    /// What to do.
    pub noun: Noun,
}

/// The screen is wanted.
#[derive(Debug)]
pub struct Screen {
    /// Config file.
    pub config: Option<PathBuf>,
    /// Run against a fresh embedded lab.
    pub lab: bool,
}

/// The nouns.
#[derive(Debug, Subcommand)]
pub enum Noun {
    /// Judge an environment by its baseline.
    #[command(subcommand)]
    Baseline(Baseline),
    /// The hosts of the config.
    #[command(subcommand)]
    Host(Host),
    /// The machines of the config.
    #[command(subcommand)]
    Machine(Machine),
    /// Packs: providers and baselines as data.
    #[command(subcommand)]
    Pack(Pack),
    /// Import a provider's keys into a host: plan, then apply exactly that plan.
    #[command(subcommand)]
    Import(Import),
    /// Batches: what was imported, and how it went.
    #[command(subcommand)]
    Batch(Batch),
    /// Whether ordinary users can call the model.
    #[command(subcommand)]
    Access(Access),
    /// Leases: who may write to a provider on a host.
    #[command(subcommand)]
    Lease(Lease),
    /// Providers on a host: the accounts that serve them.
    #[command(subcommand)]
    Provider(Provider),
    /// Compare our records with a host.
    #[command(subcommand)]
    Reconcile(Reconcile),
    /// Repair a failed check through the host's API: plan, then apply exactly that plan.
    #[command(subcommand)]
    Repair(Repair),
    /// Runbooks: led through looks, questions and acts, step by step.
    #[command(subcommand)]
    Runbook(Runbook),
    /// Take a batch back: plan, then apply exactly that plan.
    #[command(subcommand)]
    Rollback(Rollback),
    /// Delete parked accounts whose successors serve: plan, then apply exactly that plan.
    #[command(subcommand)]
    Prune(Prune),
    /// Take over what stands on a host into our records: plan, then apply exactly that plan.
    #[command(subcommand)]
    Adopt(Adopt),
    /// Let an account in again that was put aside: plan, then apply exactly that plan.
    #[command(subcommand)]
    Recover(Recover),
    /// Deployments: the gate before and after one.
    #[command(subcommand)]
    Deploy(Deploy),
    /// Temporary stacks beside production: why they stand, until when, and their clean-up.
    #[command(subcommand)]
    Stack(StackWord),
    /// Probe paths: host, provider, protocol.
    #[command(subcommand)]
    Probe(Probe),
    /// What was written to hosts: who, when, what, how it was answered.
    #[command(subcommand)]
    Audit(Audit),
    /// Logs of machines and containers.
    #[command(subcommand)]
    Log(Log),
    /// The embedded lab and its faults.
    #[command(subcommand)]
    Lab(Lab),
    /// Say where to look first: checks, logs, accounts, batches and probes against the triage rules.
    Triage {
        /// Host of the config; default is the one that a baseline judges.
        host: Option<HostId>,
    },
    /// Say why something fails, by a look per reason.
    #[command(subcommand)]
    Explain(Explain),
    /// Look at every hop to every host: ssh, tunnel, credential, clock, version; and at shared leases.
    Doctor,
    /// Play the whole main job on a fresh lab and hold it against the lab's own request log.
    Drill(Drill),
}

impl Noun {
    /// Whether the command works on what an earlier one left: a fresh lab has nothing for it.
    pub fn needs_earlier_state(&self) -> bool {
        matches!(
            self,
            Self::Import(Import::Apply { .. })
                | Self::Baseline(
                    Baseline::Show { .. }
                        | Baseline::History { .. }
                        | Baseline::Waive(_)
                        | Baseline::Waivers
                )
                | Self::Probe(Probe::List)
                | Self::Audit(_)
                | Self::Batch(
                    Batch::Show { .. }
                        | Batch::Failed { .. }
                        | Batch::Retry { .. }
                        | Batch::Resume { .. }
                )
                | Self::Access(Access::Status { .. } | Access::Prepare(Prepare::Apply { .. }))
                | Self::Lease(_)
                | Self::Reconcile(_)
                | Self::Repair(Repair::Apply { .. })
                | Self::Rollback(_)
                | Self::Runbook(Runbook::Runs { .. } | Runbook::Resume(_) | Runbook::Back { .. })
                | Self::Prune(Prune::Apply { .. })
                | Self::Adopt(Adopt::Apply { .. })
                | Self::Recover(Recover::Apply { .. })
                | Self::Deploy(Deploy::Gate(Gate::Apply { .. } | Gate::Show { .. }))
        )
    }
}
