//! Putting a known fault aside until a time, and taking that back. Nothing is written to a host; the
//! audit says who did it and why.

use super::command::{meant, only_pack};
use super::history::no_such_check;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::AuditRow;
use cockpit_domain::baseline::{LONGEST_DAYS, Waiver, WaiverSubject};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use jiff::Timestamp;
use serde::Serialize;

/// What is to be put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aside {
    /// One check.
    Check {
        /// Its pack; `None` takes the only one that the config's hosts name.
        pack: Option<PackId>,
        /// The check.
        check: String,
    },
    /// What is on a machine: a maintenance window.
    Machine(MachineId),
    /// What judges a host: a maintenance window.
    Host(HostId),
}

impl std::fmt::Display for Aside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Check { check, .. } => f.write_str(check),
            Self::Machine(machine) => write!(f, "{machine}"),
            Self::Host(host) => write!(f, "{host}"),
        }
    }
}

/// A person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverWish {
    /// What.
    pub aside: Aside,
    /// Why.
    pub reason: String,
    /// Until when, UTC ms.
    pub until_ms: i64,
    /// Who answers for it; whoever runs this, when nobody is named.
    pub owner: Option<String>,
}

/// What is put aside, and what was changed about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waivers {
    /// The one that was made now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<Waiver>,
    /// What is put aside no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleared: Option<WaiverSubject>,
    /// All there are, also those that have run out and were not cleared.
    pub waivers: Vec<Waiver>,
    /// UTC ms of this.
    pub at_ms: i64,
}

/// All of them.
pub async fn waivers(job: &Job) -> Outcome<Waivers> {
    Ok(Waivers {
        made: None,
        cleared: None,
        waivers: job.ports.store.waivers().await?,
        at_ms: job.now_ms(),
    })
}

/// Puts something aside, in the place of an earlier waiver of it.
///
/// # Errors
/// `Usage` for what the config or the pack does not know, for a time that is past or too far; `Denied`
/// without a reason.
pub async fn waive(job: &Job, wish: &WaiverWish) -> Outcome<Waivers> {
    let now_ms = job.now_ms();
    if wish.reason.trim().is_empty() {
        return Err(
            Failure::new(FailureKind::Denied, "a reason has to be given")
                .doing("putting a check aside")
                .hint("add `--reason \"why\"`; it is shown beside the check and kept in the audit"),
        );
    }
    let longest = now_ms + LONGEST_DAYS * 86_400_000;
    if wish.until_ms <= now_ms || wish.until_ms > longest {
        return Err(Failure::new(
            FailureKind::Usage,
            "a waiver ends later than now and within a year",
        )
        .doing("putting a check aside")
        .hint("name the end with `--until`, such as `3d` or `2030-01-31`"));
    }
    let (subject, host) = subject_of(job, &wish.aside)?;
    let owner = wish.owner.as_deref().map(str::trim).unwrap_or_default();
    let waiver = Waiver {
        subject: subject.clone(),
        reason: wish.reason.trim().to_owned(),
        owner: if owner.is_empty() {
            person(&job.settings.owner).to_owned()
        } else {
            owner.to_owned()
        },
        since_ms: now_ms,
        until_ms: wish.until_ms,
    };
    let until = Timestamp::from_millisecond(waiver.until_ms).unwrap_or_default();
    let audit = AuditRow {
        reason: waiver.reason.clone(),
        ..line(
            job,
            &host,
            format!("waive {subject} until {until:.0}"),
            &waiver.owner,
        )
    };
    job.ports.store.put_waiver(&waiver, &audit).await?;
    Ok(Waivers {
        made: Some(waiver),
        ..waivers(job).await?
    })
}

/// Takes a waiver back before its time, or one that has run out off the list.
///
/// # Errors
/// `Usage` when there is none.
pub async fn clear(job: &Job, aside: &Aside) -> Outcome<Waivers> {
    let (subject, host) = match subject_of(job, aside) {
        Ok(found) => found,
        // A check that went out of its pack can be cleared all the same.
        Err(failure) => match aside {
            Aside::Check { pack, check } => {
                let pack = match pack {
                    Some(pack) => pack.clone(),
                    None => only_pack(&job.settings)?,
                };
                let host = named(pack.as_str())?;
                (WaiverSubject::Check(pack, check.clone()), host)
            }
            _ => return Err(failure),
        },
    };
    let audit = line(job, &host, format!("clear the waiver of {subject}"), "");
    if !job.ports.store.clear_waiver(&subject, &audit).await? {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("nothing is put aside for {subject}"),
        )
        .doing("clearing a waiver")
        .hint("`cockpit baseline waivers` lists what is put aside"));
    }
    Ok(Waivers {
        cleared: Some(subject),
        ..waivers(job).await?
    })
}

/// What a wish is about, and the host under which the audit files it.
fn subject_of(job: &Job, aside: &Aside) -> Outcome<(WaiverSubject, HostId)> {
    match aside {
        Aside::Check { pack, check } => {
            let (pack, host) = meant(job, pack.as_ref())?;
            if pack.check(check).is_none() {
                let order: Vec<String> = pack.checks.iter().map(|check| check.id.clone()).collect();
                return Err(no_such_check(&pack.id, check, &order));
            }
            let host = host.map_or_else(|| named(pack.id.as_str()), Ok)?;
            Ok((WaiverSubject::Check(pack.id, check.clone()), host))
        }
        Aside::Machine(machine) => {
            if !job.settings.machines.contains(machine) {
                let found = format!("there is no machine `{machine}` in the config");
                return Err(Failure::new(FailureKind::Usage, found)
                    .doing("looking up the machine")
                    .hint("`cockpit machine list` shows the machines"));
            }
            let mut hosts = job.settings.hosts.values();
            let host = hosts.find(|host| host.machine == *machine);
            let host = host.map_or_else(|| named(machine.as_str()), |host| Ok(host.id.clone()))?;
            Ok((WaiverSubject::Machine(machine.clone()), host))
        }
        Aside::Host(host) => Ok((
            WaiverSubject::Host(host.clone()),
            job.host(host)?.id.clone(),
        )),
    }
}

/// The audit files every line under a host: what is about none is filed under its own name.
fn named(name: &str) -> Outcome<HostId> {
    HostId::new(name).map_err(|bad| Failure::new(FailureKind::Internal, bad.to_string()))
}

fn line(job: &Job, host: &HostId, request: String, owner: &str) -> AuditRow {
    let answer = match owner {
        "" => "done".to_owned(),
        owner => format!("done; {owner} answers for it"),
    };
    job.audit_row(host, request, answer)
}

/// `user@machine` of `user@machine pid N`.
fn person(owner: &str) -> &str {
    owner.split(" pid ").next().unwrap_or(owner)
}
