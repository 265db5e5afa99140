//! The grammar of the command line, nothing else. Spellings are stable (`--json` names too).

use clap::{Args, Parser, Subcommand, ValueEnum};
use cockpit_domain::batch::{AccessMode, ImportMode};
use cockpit_domain::host::Role;
use cockpit_domain::ids::{BatchId, HostId, MachineId, PackId, PlanId};
use cockpit_domain::log::{Level, SourceId};
use cockpit_domain::new_host::{NewAdmin, NewHost, NewTerms};
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
    /// Look at every hop to every host: ssh, tunnel, credential, version.
    Doctor,
    /// Play the whole main job on a fresh lab and hold it against the lab's own request log.
    Drill(Drill),
}

/// `baseline …`
#[derive(Debug, Subcommand)]
pub enum Baseline {
    /// Run every check of a baseline pack.
    Run {
        /// The pack; default is the one that the config's hosts name.
        #[arg(long)]
        pack: Option<PackId>,
    },
    /// Show the last run with its age, without looking.
    Show {
        /// The pack; default is the only one with a run.
        #[arg(long)]
        pack: Option<PackId>,
    },
}

/// `host …`
#[derive(Debug, Subcommand)]
pub enum Host {
    /// List the hosts of the config with what is known of them.
    List,
    /// Look at one host without side effects.
    Probe {
        /// The host.
        host: HostId,
    },
    /// Check a new host (config, credential, answer) and print the block to write into the config.
    Add(Box<HostAdd>),
    /// Check that nothing of ours stands on a host and print the lines to take out of the config.
    Remove {
        /// The host.
        host: HostId,
    },
    /// List what a host stores, as rollback compares it before and after.
    Listing {
        /// The host.
        host: HostId,
        /// The provider whose managed user is listed too.
        #[arg(long)]
        provider: PackId,
    },
}

/// `host add`
#[derive(Debug, Args)]
pub struct HostAdd {
    /// The new host's name.
    pub host: HostId,
    /// Its machine, as the config names it; none for a public https address.
    #[arg(long)]
    pub machine: Option<MachineId>,
    /// Its address as seen from there, or a public https address.
    #[arg(long, value_name = "HOST:PORT|URL")]
    pub address: String,
    /// What it is for.
    #[arg(long, value_enum)]
    pub role: RoleArg,
    /// Where its admin key is kept (with --login the password): env:NAME, file:PATH, command:WORDS.
    #[arg(long, value_name = "REF")]
    pub admin: String,
    /// Open it by the login of this admin instead of the admin key.
    #[arg(long, value_name = "EMAIL")]
    pub login: Option<String>,
    /// Baseline pack to judge it by.
    #[arg(long)]
    pub baseline: Option<PackId>,
    /// Why a temporary host stands there.
    #[arg(long, value_name = "TEXT", requires_all = ["port", "expires", "container"])]
    pub reason: Option<String>,
    /// The port a temporary host takes.
    #[arg(long)]
    pub port: Option<u16>,
    /// Last day a temporary host may stand, such as 2027-01-31.
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// A temporary host's own container.
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// Container of its PostgreSQL.
    #[arg(long, value_name = "NAME")]
    pub db_container: Option<String>,
    /// Container of its Redis.
    #[arg(long, value_name = "NAME")]
    pub redis_container: Option<String>,
}

/// `--role`
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleArg {
    /// Users call it.
    Production,
    /// Imports are tried out on it.
    Acceptance,
    /// Stands for a while beside others.
    Temporary,
}

impl From<HostAdd> for NewHost {
    fn from(add: HostAdd) -> Self {
        let terms = match (add.reason, add.port, add.expires, add.container) {
            (Some(reason), Some(port), Some(expires), Some(container)) => Some(NewTerms {
                reason,
                port,
                expires,
                container,
            }),
            _ => None,
        };
        Self {
            id: add.host,
            machine: add.machine,
            address: add.address,
            role: match add.role {
                RoleArg::Production => Role::Production,
                RoleArg::Acceptance => Role::Acceptance,
                RoleArg::Temporary => Role::Temporary,
            },
            admin: NewAdmin {
                login: add.login,
                reference: add.admin,
            },
            baseline: add.baseline,
            terms,
            db_container: add.db_container,
            redis_container: add.redis_container,
        }
    }
}

/// `machine …`
#[derive(Debug, Subcommand)]
pub enum Machine {
    /// List the machines of the config with what is known of them.
    List,
    /// Look at one machine: does it answer, how far away is it.
    Check {
        /// The machine.
        machine: MachineId,
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

/// `lease …`
#[derive(Debug, Subcommand)]
pub enum Lease {
    /// List the leases that are held, and those that an owner who is gone left behind.
    List,
    /// Take over a lease whose owner is gone; what it left in the middle can then be resumed.
    Take {
        /// The lease, as `lease list` names it: HOST/PROVIDER.
        #[arg(value_name = "HOST/PROVIDER", value_parser = lease_name)]
        lease: (HostId, PackId),
        /// Why; kept in the audit.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Take it from an owner on another machine that looks alive from here.
        #[arg(long)]
        even_if_alive: bool,
    },
}

fn lease_name(text: &str) -> Result<(HostId, PackId), String> {
    let parts = text
        .split_once('/')
        .and_then(|(host, provider)| Some((HostId::new(host).ok()?, PackId::new(provider).ok()?)));
    parts.ok_or_else(|| "a lease is named HOST/PROVIDER, as `cockpit lease list` does".to_owned())
}

/// `access prepare …`
#[derive(Debug, Subcommand)]
pub enum Prepare {
    /// Say what would be made: group and channel, user, right or balance, user key.
    Plan {
        /// Host of the config.
        #[arg(long)]
        host: HostId,
        /// Provider pack.
        #[arg(long)]
        provider: PackId,
        /// How ordinary users get at the model.
        #[arg(long, value_enum, default_value_t = AccessArg::Subscription)]
        access: AccessArg,
    },
    /// Carry out exactly the plan that was read; it is taken back like a batch.
    Apply {
        /// The plan.
        plan: PlanId,
        /// The approval.
        #[command(flatten)]
        word: Word,
    },
}

/// `access …`
#[derive(Debug, Subcommand)]
pub enum Access {
    /// Name every precondition of access and who makes it true. Writes nothing to the host.
    Preview {
        /// Host of the config.
        #[arg(long)]
        host: HostId,
        /// Provider pack.
        #[arg(long)]
        provider: PackId,
        /// How ordinary users get at the model.
        #[arg(long, value_enum, default_value_t = AccessArg::Subscription)]
        access: AccessArg,
        /// With this caller's key instead of a managed one: env:NAME or file:PATH.
        #[arg(long, value_name = "REF")]
        user_key: Option<String>,
    },
    /// Make access true without importing keys: plan, then apply exactly that plan.
    #[command(subcommand)]
    Prepare(Prepare),
    /// Look anew: login, subscription, group, key, completion.
    Status {
        /// The batch.
        batch: BatchId,
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
    /// Put back what a plan found changed, and prove it by reconciling again. Deletes nothing.
    Apply {
        /// The plan.
        plan: PlanId,
        /// The approval.
        #[command(flatten)]
        word: Word,
    },
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
    Apply {
        /// The plan.
        plan: PlanId,
        /// The approval.
        #[command(flatten)]
        word: Word,
    },
}

/// `rollback …`
#[derive(Debug, Subcommand)]
pub enum Rollback {
    /// Say what taking a batch back would do, and what it will not undo.
    Plan {
        /// The batch.
        batch: BatchId,
    },
    /// Carry out exactly the plan that was read, and prove it by listing.
    Apply {
        /// The plan.
        plan: PlanId,
        /// The approval.
        #[command(flatten)]
        word: Word,
    },
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
    Apply {
        /// The plan.
        plan: PlanId,
        /// The approval.
        #[command(flatten)]
        word: Word,
    },
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
    Apply {
        /// The plan.
        plan: PlanId,
        /// The approval; its host's name and a reason are always wanted.
        #[command(flatten)]
        word: Word,
    },
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
    Apply {
        /// The plan.
        plan: PlanId,
        /// The approval.
        #[command(flatten)]
        word: Word,
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

impl Noun {
    /// Whether the command works on what an earlier one left: a fresh lab has nothing for it.
    pub fn needs_earlier_state(&self) -> bool {
        matches!(
            self,
            Self::Import(Import::Apply { .. })
                | Self::Baseline(Baseline::Show { .. })
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
                | Self::Prune(Prune::Apply { .. })
                | Self::Adopt(Adopt::Apply { .. })
                | Self::Recover(Recover::Apply { .. })
        )
    }
}
