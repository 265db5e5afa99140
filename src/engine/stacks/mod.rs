//! Temporary stacks: what the config and our own register know of them, registering one, and looking
//! whether it is still in somebody's way. The config is the register of hosts and is never written:
//! a host with the role `temporary` is a stack by itself, and what is registered under its name adds
//! what the config has no place for.

mod claims;
mod clean;
mod lines;

pub use clean::clean;
pub use lines::{StackLook, look};

use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::AuditRow;
use cockpit_domain::host::{HostSettings, HostTerms, Role};
use cockpit_domain::ids::{HostId, MachineId};
use cockpit_domain::stack::{Claim, Stack, StackSource, StackState, collisions};
use serde::Serialize;

/// A stack with how it stands to its clean-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StackSeen {
    /// The stack.
    #[serde(flatten)]
    pub stack: Stack,
    /// How it stands.
    pub state: StackState,
}

/// Every stack that stands, the most urgent first.
pub async fn list(job: &Job) -> Outcome<Vec<StackSeen>> {
    let now = job.now_ms();
    let mut rows: Vec<StackSeen> = (known(job).await?)
        .into_iter()
        .map(|stack| StackSeen {
            state: stack.state(now),
            stack,
        })
        .collect();
    rows.sort_by(|a, b| (&a.stack.until, &a.stack.name).cmp(&(&b.stack.until, &b.stack.name)));
    Ok(rows)
}

/// Every stack that stands, by name.
pub(crate) async fn known(job: &Job) -> Outcome<Vec<Stack>> {
    let mut stacks = clean::standing(job).await?;
    for (id, host) in &job.settings.hosts {
        let Some(configured) = of_config(host, job.settings.terms.get(id)) else {
            continue;
        };
        match stacks.iter_mut().find(|stack| stack.name == *id) {
            // The config decides what it says; the register adds the rest.
            Some(stack) => {
                let added = stack.databases.drain(..);
                let mut databases = configured.databases.clone();
                databases.extend(added.filter(|name| !configured.databases.contains(name)));
                *stack = Stack {
                    databases,
                    batch: stack.batch.take(),
                    files: std::mem::take(&mut stack.files),
                    keep: stack.keep,
                    mark_file: stack.mark_file.take(),
                    by: std::mem::take(&mut stack.by),
                    created_ms: stack.created_ms,
                    ..configured
                };
            }
            None => stacks.push(configured),
        }
    }
    stacks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(stacks)
}

/// A temporary host of the config, as a stack.
fn of_config(host: &HostSettings, terms: Option<&HostTerms>) -> Option<Stack> {
    let terms = terms?;
    let stay = terms
        .stay
        .as_ref()
        .filter(|_| host.role == Role::Temporary)?;
    let databases = [&host.db_container, &host.redis_container];
    Some(Stack {
        name: host.id.clone(),
        machine: host.machine.clone(),
        reason: stay.reason.clone(),
        port: stay.port,
        container: terms.container.clone().unwrap_or_default(),
        databases: databases.into_iter().flatten().cloned().collect(),
        batch: None,
        files: Vec::new(),
        until: stay.until.clone(),
        keep: false,
        mark_file: None,
        source: StackSource::Config,
        by: String::new(),
        created_ms: 0,
    })
}

/// One stack by its name.
pub(crate) async fn find(job: &Job, name: &HostId) -> Outcome<(Stack, Vec<Stack>)> {
    let mut stacks = known(job).await?;
    let at = stacks.iter().position(|stack| stack.name == *name);
    let Some(at) = at else {
        let names: Vec<&str> = stacks.iter().map(|stack| stack.name.as_str()).collect();
        return Err(
            Failure::new(FailureKind::Usage, format!("there is no stack `{name}`"))
                .doing("looking up the stack")
                .hint(if names.is_empty() {
                    "`cockpit stack register` makes one known".to_owned()
                } else {
                    format!("known: {}; see `cockpit stack list`", names.join(", "))
                }),
        );
    };
    let stack = stacks.remove(at);
    Ok((stack, stacks))
}

/// The production host on a machine: whose word an act there needs, and whose pack proves it.
pub(crate) fn production_on<'a>(job: &'a Job, machine: &MachineId) -> Option<&'a HostSettings> {
    let mut hosts = job.settings.hosts.values();
    hosts.find(|host| {
        host.machine == *machine && host.role == Role::Production && !host.address.contains("://")
    })
}

/// Makes a stack known. Refused when it takes anything of production or of another stack, naming
/// what and whose.
pub async fn register(job: &Job, new: &Stack) -> Outcome<StackSeen> {
    let doing = format!("registering stack `{}`", new.name);
    let refuse = |kind, told: Vec<String>, hint: &str| {
        Err(Failure::new(kind, told.join("\n"))
            .doing(doing.clone())
            .hint(hint))
    };
    let mut stack = new.clone();
    stack.source = StackSource::Registered;
    stack.by.clone_from(&job.settings.owner);
    stack.created_ms = job.now_ms();
    let mut faults = stack.faults();
    if !job.settings.machines.contains(&stack.machine) {
        let known: Vec<&str> = job
            .settings
            .machines
            .iter()
            .map(MachineId::as_str)
            .collect();
        faults.push(format!(
            "there is no machine `{}` in the config; known: {}",
            stack.machine,
            known.join(", ")
        ));
    }
    faults.extend(beside_config(job, &stack));
    if faults.is_empty() && stack.state(stack.created_ms) == StackState::Overdue {
        faults.push(format!("{} is over already", stack.until));
    }
    if !faults.is_empty() {
        return refuse(
            FailureKind::Usage,
            faults,
            "mend what is named and register it again",
        );
    }
    let mut claims = claims::of_production(job, &stack.machine)?;
    let others = known(job).await?;
    let others = others
        .iter()
        .filter(|other| other.machine == stack.machine && other.name != stack.name);
    claims.extend(others.flat_map(Claim::of_stack));
    let taken = collisions(&stack, &claims);
    if !taken.is_empty() {
        return refuse(
            FailureKind::Conflict,
            taken,
            "give the stack a port, containers and a database of its own; stacks of one `--batch` may share a database",
        );
    }
    let audit = AuditRow {
        reason: stack.reason.clone(),
        ..job.audit_row(
            &stack.name,
            format!(
                "stack register {} on {}: port {}, {}, until {}",
                stack.name, stack.machine, stack.port, stack.container, stack.until
            ),
            "registered",
        )
    };
    let added = job.ports.store.add_stack(&stack, &audit).await;
    added.map_err(|failure| failure.doing(doing))?;
    let (stack, _) = find(job, &stack.name).await?;
    Ok(StackSeen {
        state: stack.state(job.now_ms()),
        stack,
    })
}

/// What the config says otherwise of a host of the same name.
fn beside_config(job: &Job, stack: &Stack) -> Vec<String> {
    let Some(host) = job.settings.hosts.get(&stack.name) else {
        return Vec::new();
    };
    let Some(configured) = of_config(host, job.settings.terms.get(&host.id)) else {
        return vec![format!(
            "`{}` is a {} host of the config, not a temporary one",
            host.id,
            host.role.as_str()
        )];
    };
    let mut faults = Vec::new();
    for (what, theirs, ours) in [
        (
            "machine",
            configured.machine.as_str(),
            stack.machine.as_str(),
        ),
        (
            "container",
            configured.container.as_str(),
            stack.container.as_str(),
        ),
        ("until", configured.until.as_str(), stack.until.as_str()),
        (
            "port",
            &configured.port.to_string(),
            &stack.port.to_string(),
        ),
    ] {
        if theirs != ours {
            faults.push(format!(
                "the config says {what} {theirs} of `{}`, not {ours}: change it there",
                host.id
            ));
        }
    }
    faults
}
