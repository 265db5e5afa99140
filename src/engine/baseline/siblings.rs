//! Siblings: what stands on machines and hosts, and what packs pin, looked at with the tools that
//! checks use, compared, or drafted into a pack. Only reads.

use super::command::run_for;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{RemoteCommand, RunOutput};
use cockpit_domain::baseline::nginx::NginxConfig;
use cockpit_domain::baseline::{
    System, ToolOutput, Verdict, read_containers, read_services, read_stat, read_tool, service_list,
};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::pack::{Manager, Pack, ServiceLook};
use cockpit_domain::siblings::{
    Comparison, DraftCheck, DraftOf, FactKind, MachineSeen, Side, assemble, compare, draft,
    folders, pinned,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Folders that are looked at.
const MOST_FOLDERS: usize = 20;
/// Longest run of one look.
const LIMIT: Duration = Duration::from_secs(20);
/// A configuration with many sites is a few hundred kilobytes.
const MOST_OUTPUT: usize = 8 << 20;

/// A drafted pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drafted {
    /// Of what.
    pub of: String,
    /// Its text, green at once.
    pub text: String,
    /// How many checks it has.
    pub checks: usize,
    /// What is not in it, with the reason.
    pub left_out: Vec<String>,
}

/// What a name means.
enum Meant {
    Machine(MachineId),
    Host(HostId),
    Pack(PackId),
}

/// Compares two machines, hosts or packs.
///
/// # Errors
/// `Usage` for a name that means nothing; `Unreachable` and the like when a machine does not answer.
pub async fn diff(job: &Job, a: &str, b: &str) -> Outcome<Comparison> {
    let (a, b) = futures_util::future::try_join(side(job, a), side(job, b)).await?;
    Ok(compare(&a, &b))
}

/// Drafts a pack out of what is seen on a machine, or on a host's machine. Every check is looked at
/// once; what is not green is left out and said.
///
/// # Errors
/// As [`diff`]; `Usage` when there is nothing to pin.
pub async fn draft_of(job: &Job, name: &str) -> Outcome<Drafted> {
    let doing = format!("drafting a baseline of `{name}`");
    let (machine, base) = match meant(job, name)? {
        Meant::Machine(machine) => (machine, None),
        Meant::Host(host) => {
            let host = job.host(&host)?;
            (host.machine.clone(), Some(host.base_url()))
        }
        Meant::Pack(_) => {
            return Err(
                Failure::new(FailureKind::Usage, format!("`{name}` is a pack already"))
                    .doing(doing)
                    .hint("name a machine or a host of the config"),
            );
        }
    };
    let of = DraftOf {
        name: name.to_owned(),
        machine,
        base,
    };
    let mut unseen = BTreeMap::new();
    let seen = look(job, &of.machine, &mut unseen).await?;
    let mut left_out: Vec<String> = unseen
        .iter()
        .map(|(kind, why)| format!("{kind}: {why}"))
        .collect();
    // One that the reader of packs refuses takes no other with it.
    let mut checks = Vec::new();
    for check in draft(&of, &seen) {
        match read(&of, std::slice::from_ref(&check)) {
            Ok(_) => checks.push(check),
            Err(why) => left_out.push(format!("{}: {why}", check.id)),
        }
    }
    if checks.is_empty() {
        return Err(Failure::new(
            FailureKind::Usage,
            format!(
                "there is nothing on `{name}` to pin: {}",
                left_out.join("; ")
            ),
        )
        .doing(doing)
        .hint("see what its tools say: nginx, docker, ss, systemctl"));
    }
    let pack = read(&of, &checks)
        .map_err(|why| Failure::new(FailureKind::Internal, why).doing(doing.clone()))?;
    let report = run_for(job, &pack, None).await;
    job.check_cancel()?;
    for row in report
        .results
        .iter()
        .filter(|row| row.verdict != Verdict::Ok)
    {
        checks.retain(|check| check.id != row.id);
        left_out.push(format!("{} is {}: {}", row.id, row.verdict, row.found));
    }
    Ok(Drafted {
        of: name.to_owned(),
        text: assemble(&of, &checks, &left_out),
        checks: checks.len(),
        left_out,
    })
}

fn read(of: &DraftOf, checks: &[DraftCheck]) -> Result<cockpit_domain::pack::BaselinePack, String> {
    let id = PackId::new("draft").map_err(|bad| bad.to_string())?;
    let text = assemble(of, checks, &[]);
    match cockpit_domain::pack::read(&id, "draft", &text, &BTreeMap::new()) {
        Ok(Pack::Baseline(pack)) => Ok(pack),
        Ok(Pack::Provider(_) | Pack::Triage(_)) => Err("no baseline came of it".to_owned()),
        Err(findings) => Err(findings
            .first()
            .map_or_else(String::new, |finding| finding.message.clone())),
    }
}

/// What a name means: `machine:NAME`, `host:NAME`, `pack:NAME`, or one of these by its bare name, in
/// the order host, machine, pack.
fn meant(job: &Job, name: &str) -> Outcome<Meant> {
    let (sort, bare) = name.split_once(':').unwrap_or(("", name));
    let host = HostId::new(bare).ok();
    let host = host.filter(|id| job.settings.hosts.contains_key(id));
    let machine = MachineId::new(bare).ok();
    let machine = machine.filter(|id| job.settings.machines.contains(id));
    let pack = PackId::new(bare).ok();
    let pack = pack.filter(|id| matches!(job.ports.packs.read(id), Ok(Pack::Baseline(_))));
    let found = match sort {
        "host" => host.map(Meant::Host),
        "machine" => machine.map(Meant::Machine),
        "pack" => pack.map(Meant::Pack),
        "" => host
            .map(Meant::Host)
            .or(machine.map(Meant::Machine))
            .or(pack.map(Meant::Pack)),
        _ => None,
    };
    found.ok_or_else(|| {
        Failure::new(
            FailureKind::Usage,
            format!("`{name}` is no host, machine or baseline pack"),
        )
        .doing("looking up what is meant")
        .hint("`cockpit host list`, `machine list` and `pack list` show the names; write `machine:NAME` where a host has the same")
    })
}

async fn side(job: &Job, name: &str) -> Outcome<Side> {
    let mut side = Side {
        name: name.to_owned(),
        ..Side::default()
    };
    let machine = match meant(job, name)? {
        Meant::Pack(id) => match job.ports.packs.read(&id)? {
            Pack::Baseline(pack) => {
                return Ok(Side {
                    name: name.to_owned(),
                    ..pinned(&pack)
                });
            }
            Pack::Provider(_) | Pack::Triage(_) => return Ok(side),
        },
        Meant::Machine(machine) => machine,
        Meant::Host(host) => {
            of_host(job, &host, &mut side).await?;
            job.host(&host)?.machine.clone()
        }
    };
    job.say(format!("looking at {machine}"));
    let mut unseen = BTreeMap::new();
    look(job, &machine, &mut unseen).await?.into_side(&mut side);
    side.unseen.extend(unseen);
    Ok(side)
}

/// What a host says of itself, through its API.
async fn of_host(job: &Job, host: &HostId, side: &mut Side) -> Outcome<()> {
    let api = job.ports.hosts.api(host).await?;
    let identity = api.identity().await?;
    side.put(
        FactKind::Version,
        [("sub2api".to_owned(), identity.version)],
    );
    let groups = api.groups().await?;
    let group = |group: &cockpit_domain::inventory::Group| {
        let how = format!("{} {}", group.spec.platform, group.status);
        (group.spec.name.clone(), how)
    };
    side.put(FactKind::Group, groups.iter().map(group));
    let channels = api.channels().await?;
    side.put(
        FactKind::Channel,
        channels
            .iter()
            .map(|channel| (channel.spec.name.clone(), channel.status.clone())),
    );
    let mut accounts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for account in api.accounts(None).await? {
        let count = accounts.entry(account.base_url.clone()).or_default();
        count.0 += 1;
        if account.status == "active" && account.schedulable {
            count.1 += 1;
        }
    }
    side.put(
        FactKind::Accounts,
        accounts
            .into_iter()
            .map(|(upstream, (all, open))| (upstream, format!("{open} of {all} open"))),
    );
    Ok(())
}

/// What is seen on a machine. What a tool does not say is unseen, with the reason.
async fn look(
    job: &Job,
    machine: &MachineId,
    unseen: &mut BTreeMap<FactKind, String>,
) -> Outcome<MachineSeen> {
    let kernel = job.ports.remote.check(machine).await?.system;
    let mut seen = MachineSeen {
        system: kernel.clone(),
        ..MachineSeen::default()
    };
    let system = System::parse(&kernel);
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let docker = words(&["docker", "ps", "--format", "{{json .}}"]);
    let nginx = words(&["nginx", "-T"]);
    let of_manager = |manager| {
        service_list(&ServiceLook {
            manager,
            running: vec!["*.service".to_owned()],
            banned: Vec::new(),
            enabled: false,
            max_restarts: None,
        })
    };
    let sockets = system.map(|system| words(system.listening()));
    let manager = match system {
        Some(System::MacOs) => Manager::Launchd,
        _ => Manager::Systemd,
    };
    let (own, pm2) = (of_manager(manager), of_manager(Manager::Pm2));
    let (containers, config, units, apps, listeners) = tokio::join!(
        printed(job, machine, &docker),
        printed(job, machine, &nginx),
        printed(job, machine, &own),
        // It is there on some machines only.
        printed_if_there(job, machine, &pm2),
        async {
            match &sockets {
                Some(argv) => printed(job, machine, argv).await,
                None => Err(format!("{kernel} is not known here")),
            }
        },
    );
    let mut keep = |kind: FactKind, why: String| drop(unseen.insert(kind, why));
    match containers.and_then(|text| read_containers(&text)) {
        Ok(rows) => seen.containers = Some(rows),
        Err(why) => keep(FactKind::Container, why),
    }
    match units.and_then(|text| read_services(manager, &text)) {
        Ok(rows) => seen.services = Some((manager, rows)),
        Err(why) => keep(FactKind::Service, why),
    }
    if let Some(apps) = apps {
        match apps.and_then(|text| read_services(Manager::Pm2, &text)) {
            Ok(rows) => seen.apps = rows,
            // Half a list of services would look like a difference.
            Err(why) => {
                seen.services = None;
                keep(FactKind::Service, why);
            }
        }
    }
    match config.and_then(|text| NginxConfig::read(&text)) {
        Ok(config) => seen.nginx = Some(config),
        Err(why) => keep(FactKind::Location, why),
    }
    let listeners = listeners.and_then(|text| match system {
        Some(system) => system.read_listening(&text),
        None => Err(String::new()),
    });
    match listeners {
        Ok(rows) => seen.listeners = Some(rows),
        Err(why) => keep(FactKind::Port, why),
    }
    let served = seen.nginx.as_ref().map(folders).unwrap_or_default();
    if let Some(system) = system {
        for path in served.into_iter().take(MOST_FOLDERS) {
            // What is not there is a matter for the checks of the site.
            if let Ok(text) = printed(job, machine, &system.stat(&path)).await
                && let Ok(file) = read_stat(&text)
            {
                seen.folders.push((path, file));
            }
        }
    }
    Ok(seen)
}

/// Runs a tool; gives what it printed, or why there is nothing to read.
async fn printed(job: &Job, machine: &MachineId, argv: &[String]) -> Result<String, String> {
    let mut command = RemoteCommand::new(argv);
    command.time_limit = LIMIT;
    command.byte_limit = MOST_OUTPUT;
    let output = job.ports.remote.run(machine, &command).await;
    let output = output.map_err(|failure| failure.message)?;
    said(machine, argv, &output)
}

/// The same of a tool that not every machine has; `None` where it is not there.
async fn printed_if_there(
    job: &Job,
    machine: &MachineId,
    argv: &[String],
) -> Option<Result<String, String>> {
    let mut command = RemoteCommand::new(argv);
    command.time_limit = LIMIT;
    command.byte_limit = MOST_OUTPUT;
    match job.ports.remote.run(machine, &command).await {
        Ok(output) if output.is_missing_program() => None,
        Ok(output) => Some(said(machine, argv, &output)),
        Err(failure) => Some(Err(failure.message)),
    }
}

/// What a tool printed, or why there is nothing to read.
fn said(machine: &MachineId, argv: &[String], output: &RunOutput) -> Result<String, String> {
    let line = argv.join(" ");
    let tool = ToolOutput {
        tool: argv.first().map(String::as_str).unwrap_or_default(),
        command: &line,
        machine: machine.as_str(),
        status: output.status,
        stdout: &output.stdout,
        stderr: &output.stderr,
        truncated: output.truncated,
    };
    match read_tool(tool) {
        Ok(text) => Ok(text.to_owned()),
        Err(judgement) => Err(judgement.found),
    }
}
