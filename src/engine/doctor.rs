//! `doctor`: every hop between this computer and each host, each with a fix line.

use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::MachineId;
use futures_util::FutureExt;
use serde::Serialize;

/// One finding of the doctor.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// `ssh web1`, `tunnel prod`, `credential prod`, `version prod`, `store`, `packs`.
    pub subject: String,
    /// Whether it is well.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// What to do; empty when well.
    pub fix: String,
}

/// Versions of the host whose contract this client was written against.
const KNOWN_VERSION: &str = "0.1.129";

/// Looks at everything. One dead machine does not hide the others.
pub async fn examine(job: &Job) -> Vec<Diagnosis> {
    let mut machine_looks = Vec::new();
    for machine in &job.settings.machines {
        machine_looks.push(machine_hop(job, machine).boxed());
    }
    let mut host_looks = Vec::new();
    for host in job.settings.hosts.values() {
        host_looks.push(host_hops(job, host).boxed());
    }
    let (mut found, hosts) = futures_util::future::join(
        futures_util::future::join_all(machine_looks),
        futures_util::future::join_all(host_looks),
    )
    .await;
    found.extend(hosts.into_iter().flatten());
    if job.settings.hosts.is_empty() {
        found.push(Diagnosis {
            subject: "config".to_owned(),
            ok: false,
            found: "no host is configured".to_owned(),
            fix:
                "add [machine.NAME] and [host.NAME] blocks (README, \"A real host\"), or try --lab"
                    .to_owned(),
        });
    }
    found
}

async fn machine_hop(job: &Job, machine: &MachineId) -> Diagnosis {
    let subject = format!("ssh {machine}");
    judge(subject, job.ports.remote.check(machine).await, |check| {
        format!(
            "{} answers in {} ms",
            check.system,
            check.round_trip.as_millis()
        )
    })
}

async fn host_hops(job: &Job, host: &HostSettings) -> Vec<Diagnosis> {
    let opened = job.ports.hosts.api(&host.id).await;
    let api = match opened {
        Ok(api) => api,
        // What cannot be read where its reference points was never shown to the host.
        Err(failure) if matches!(failure.kind, FailureKind::Config | FailureKind::Usage) => {
            return vec![ill(format!("credential {}", host.id), &failure)];
        }
        Err(failure) => return vec![ill(format!("tunnel {}", host.id), &failure)],
    };
    let looked = api.identity().await;
    let mut found = Vec::new();
    match looked {
        Ok(identity) => {
            found.push(well(
                format!("tunnel {}", host.id),
                format!("health in {} ms", identity.round_trip_ms),
            ));
            found.push(well(
                format!("credential {}", host.id),
                match identity.login_until_ms.and_then(moment) {
                    Some(until) => format!(
                        "the {} is taken; runs out {until}, renewed by itself",
                        identity.credential
                    ),
                    None => format!("the {} is taken", identity.credential),
                },
            ));
            let known = identity.version.starts_with(KNOWN_VERSION);
            found.push(Diagnosis {
                subject: format!("version {}", host.id),
                ok: true,
                found: if known {
                    identity.version
                } else {
                    format!(
                        "{}; this client is proven against {KNOWN_VERSION}",
                        identity.version
                    )
                },
                fix: String::new(),
            });
        }
        Err(failure) => {
            // Whoever says no was reached.
            let hop = if failure.kind == FailureKind::Denied {
                found.push(well(
                    format!("tunnel {}", host.id),
                    "the host answers".to_owned(),
                ));
                "credential"
            } else {
                "tunnel"
            };
            found.push(ill(format!("{hop} {}", host.id), &failure));
        }
    }
    found
}

fn moment(ms: i64) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(ms).ok()?;
    Some(format!("{at:.0}"))
}

fn judge<T>(subject: String, looked: Outcome<T>, say: impl FnOnce(T) -> String) -> Diagnosis {
    match looked {
        Ok(value) => well(subject, say(value)),
        Err(failure) => ill(subject, &failure),
    }
}

fn well(subject: String, found: String) -> Diagnosis {
    Diagnosis {
        subject,
        ok: true,
        found,
        fix: String::new(),
    }
}

fn ill(subject: String, failure: &Failure) -> Diagnosis {
    Diagnosis {
        subject,
        ok: false,
        found: failure.message.clone(),
        fix: failure.hint.clone(),
    }
}
