//! Words about hosts, machines, places of writers and access.

use super::AccessArg;
use super::Apply;
use clap::{Args, Subcommand, ValueEnum};
use cockpit_domain::host::Role;
use cockpit_domain::ids::{BatchId, HostId, MachineId, PackId};
use cockpit_domain::new_host::{NewAdmin, NewHost, NewTerms};

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
        /// For this caller's key and its owner instead of a managed user: env:NAME or file:PATH.
        #[arg(long, value_name = "REF")]
        user_key: Option<String>,
    },
    /// Carry out exactly the plan that was read; it is taken back like a batch.
    Apply(Apply),
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
