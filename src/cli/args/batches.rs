//! Words about what is planned and applied: imports, batches and all that changes them.

use clap::{Args, Subcommand, ValueEnum};
use cockpit_domain::batch::{AccessMode, ImportMode};
use cockpit_domain::ids::{BatchId, HostId, PackId, PlanId};
use std::path::PathBuf;
use std::time::Duration;

/// `import …`
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Read the host and say what would be done. Writes nothing to the host.
    Plan {
        /// Host of the config.
        #[arg(long)]
        host: HostId,
        /// Provider pack.
        #[arg(long)]
        provider: PackId,
        /// File with one key a line, a table with a column `key`, or JSON; `-` reads standard input.
        #[arg(long, value_name = "FILE|-")]
        keys: String,
        /// What to do when some keys fail.
        #[arg(long, value_enum, default_value_t = Mode::Partial)]
        mode: Mode,
        /// How ordinary users get at the model.
        #[arg(long, value_enum, default_value_t = AccessArg::Subscription)]
        access: AccessArg,
        /// Prove with this caller's key instead of a managed one: env:NAME or file:PATH.
        #[arg(long, value_name = "REF")]
        user_key: Option<String>,
    },
    /// Carry out exactly the plan that was read.
    Apply {
        /// The plan.
        plan: PlanId,
        /// The approval.
        #[command(flatten)]
        word: Word,
        /// Carry so many keys first, end to end, then stop: `batch resume` goes on with the others.
        #[arg(long, value_name = "K", default_value_t = 0)]
        canary: usize,
    },
}

/// A person's word for one plan.
#[derive(Debug, Args)]
pub struct Word {
    /// Head of the plan's hash, 12 hex digits or more: arms this one plan.
    #[arg(long, value_name = "HASH")]
    pub yes: Option<String>,
    /// The host's name, typed; wanted for production.
    #[arg(long, value_name = "NAME")]
    pub host_name: Option<String>,
    /// Why; wanted for production, kept in the audit.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// A plan that was read, and the word for it.
#[derive(Debug, Args)]
pub struct Apply {
    /// The plan.
    pub plan: PlanId,
    /// The approval.
    #[command(flatten)]
    pub word: Word,
}

/// `--mode`
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Mode {
    /// All keys or nothing.
    Strict,
    /// Keep what works.
    Partial,
}

impl From<Mode> for ImportMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Strict => Self::Strict,
            Mode::Partial => Self::Partial,
        }
    }
}

/// `--access`
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AccessArg {
    /// Through a subscription group.
    Subscription,
    /// Through a standard group and the user's balance.
    #[value(name = "self_service")]
    SelfService,
}

impl From<AccessArg> for AccessMode {
    fn from(access: AccessArg) -> Self {
        match access {
            AccessArg::Subscription => Self::Subscription,
            AccessArg::SelfService => Self::SelfService,
        }
    }
}

/// `batch …`
#[derive(Debug, Subcommand)]
pub enum Batch {
    /// List batches, newest first.
    List {
        /// Of one host only.
        #[arg(long)]
        host: Option<HostId>,
    },
    /// Show one batch: resources, items, events, journal.
    Show {
        /// The batch.
        batch: BatchId,
    },
    /// Write the keys that did not pass to a new file (0600), to be mended and imported again.
    Failed {
        /// The batch.
        batch: BatchId,
        /// The key input as it was given to the import; `-` reads standard input.
        #[arg(long, value_name = "FILE|-")]
        keys: String,
        /// The file to make.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Plan those keys of a batch again that did not pass; applied with `import apply`.
    Retry {
        /// The batch.
        batch: BatchId,
        /// The key input as it was given to the import; `-` reads standard input.
        #[arg(long, value_name = "FILE|-")]
        keys: String,
    },
    /// Go on with an interrupted batch.
    Resume {
        /// The batch.
        batch: BatchId,
    },
}

/// `reconcile …`
#[derive(Debug, Subcommand)]
pub enum Reconcile {
    /// Compare what stands on a host with our records, batch by batch; each is a plan of its own.
    Plan {
        /// Host of the config.
        #[arg(long, required_unless_present = "batch")]
        host: Option<HostId>,
        /// Provider pack; default is every provider that stands there.
        #[arg(long)]
        provider: Option<PackId>,
        /// One batch only.
        #[arg(long, conflicts_with_all = ["host", "provider"])]
        batch: Option<BatchId>,
    },
    /// Look again and again, with a line whenever something else is found, until Ctrl-C. Only reads.
    Watch {
        /// Host of the config.
        #[arg(long)]
        host: HostId,
        /// Provider pack; default is every provider that stands there.
        #[arg(long)]
        provider: Option<PackId>,
        /// Between two looks; each costs one small completion a managed key at most.
        #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = span)]
        every: Duration,
    },
    /// Put back what a plan found changed, and prove it by reconciling again. Deletes nothing.
    Apply(Apply),
}

fn span(text: &str) -> Result<Duration, String> {
    let span: Option<jiff::SignedDuration> = text.parse().ok();
    let span = span.and_then(|span| Duration::try_from(span).ok());
    span.filter(|span| (1..=86_400).contains(&span.as_secs()))
        .ok_or_else(|| "a span is written such as `60s` or `5m`, between 1s and 24h".to_owned())
}

/// `repair …`
#[derive(Debug, Subcommand)]
pub enum Repair {
    /// Say what would mend a failed check of a baseline. Writes nothing to the host.
    Plan {
        /// The check, as `baseline run` names it.
        #[arg(long, value_name = "ID")]
        check: String,
        /// Its baseline pack; default is the one that the config's hosts name.
        #[arg(long)]
        pack: Option<PackId>,
    },
    /// Carry out exactly the plan that was read, and prove it with the same checks.
    Apply(Apply),
}

/// `rollback …`
#[derive(Debug, Subcommand)]
pub enum Rollback {
    /// Say what taking a batch back would do, and what it will not undo.
    Plan {
        /// The batch.
        batch: BatchId,
        /// Of an adoption: delete what was taken over instead of releasing it. Cannot be undone.
        #[arg(long)]
        delete: bool,
    },
    /// Carry out exactly the plan that was read, and prove it by listing.
    Apply(Apply),
}

/// `adopt …`
#[derive(Debug, Subcommand)]
pub enum Adopt {
    /// Say what has the names and patterns of a pack and can be taken over, what not and why.
    Plan {
        /// Host of the config.
        #[arg(long)]
        host: HostId,
        /// Provider pack.
        #[arg(long)]
        provider: PackId,
    },
    /// Record exactly what the plan names. Writes nothing to the host.
    Apply(Apply),
}

/// `prune …`
#[derive(Debug, Subcommand)]
pub enum Prune {
    /// Say which parked accounts could go, what stays and why. Deletes nothing.
    Plan {
        /// Host of the config.
        #[arg(long)]
        host: HostId,
        /// Provider pack.
        #[arg(long)]
        provider: PackId,
    },
    /// Delete exactly what the plan names, and prove it by listing. Cannot be taken back.
    Apply(Apply),
}

/// `recover …`
#[derive(Debug, Subcommand)]
pub enum Recover {
    /// Say why an account is not chosen, how it would be asked again, and what that costs.
    Plan {
        /// Host of the config.
        #[arg(long)]
        host: HostId,
        /// The account's id there, as `provider status` lists it.
        #[arg(long, value_name = "ID")]
        account: i64,
        /// Whose it is; default is told by our records, its name, its upstream.
        #[arg(long)]
        provider: Option<PackId>,
    },
    /// Ask it once; only a good answer lets it in again.
    Apply(Apply),
}
