//! What production has on a machine: by the config, and by the baseline that judges it.

use crate::context::Job;
use crate::failure::Outcome;
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::MachineId;
use cockpit_domain::pack::{Look, Pack, Place};
use cockpit_domain::stack::{Claim, Taken};

/// Everything a stack on this machine may not take.
pub(super) fn of_production(job: &Job, machine: &MachineId) -> Outcome<Vec<Claim>> {
    let mut claims = Vec::new();
    if let Some(host) = super::production_on(job, machine) {
        of_host(job, host, &mut claims);
    }
    // A baseline may judge a machine on which the config has no host.
    let mut packs: Vec<_> = (job.settings.hosts.values())
        .filter_map(|host| host.baseline.as_ref())
        .collect();
    packs.sort();
    packs.dedup();
    for id in packs {
        let Pack::Baseline(pack) = job.ports.packs.read(id)? else {
            continue;
        };
        for check in &pack.checks {
            if check.vantage == Place::Machine(machine.clone()) {
                let whose = format!("production: `{}` of pack `{}`", check.id, pack.id);
                of_look(&check.look, &whose, &mut claims);
            }
        }
    }
    Ok(claims)
}

fn of_host(job: &Job, host: &HostSettings, claims: &mut Vec<Claim>) {
    let whose = format!("production host `{}`", host.id);
    let mut claim = |taken| claims.push(Claim::of_production(taken, &whose));
    let port = |address: &str| {
        address
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok())
    };
    if let Some(port) = port(&host.address) {
        claim(Taken::Port(port));
    }
    for database in [&host.db_container, &host.redis_container]
        .into_iter()
        .flatten()
    {
        claim(Taken::Database(database.clone()));
    }
    if let Some(terms) = job.settings.terms.get(&host.id) {
        if let Some(container) = &terms.container {
            claim(Taken::Container(container.clone()));
        }
        if let Some(file) = &terms.env_file {
            claim(Taken::File(file.clone()));
        }
    }
    for neighbour in &host.neighbours {
        if let Some(port) = port(neighbour) {
            let whose = format!("the neighbour of production host `{}`", host.id);
            claims.push(Claim::of_production(Taken::Port(port), &whose));
        }
    }
}

fn of_look(look: &Look, whose: &str, claims: &mut Vec<Claim>) {
    let mut claim = |taken| claims.push(Claim::of_production(taken, whose));
    match look {
        Look::Containers(look) => {
            for name in &look.running {
                claim(Taken::Container(name.clone()));
            }
        }
        Look::Listening(look) => {
            for expected in &look.expect {
                claim(Taken::Port(expected.port));
            }
        }
        Look::Process(look) => {
            if let Some(port) = look.port {
                claim(Taken::Port(port));
            }
            for file in look.open_files.iter().chain(&look.executable) {
                claim(Taken::File(file.clone()));
            }
        }
        _ => {}
    }
}
