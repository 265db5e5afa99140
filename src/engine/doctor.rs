//! `doctor`: every hop between this computer and each host, each with a fix line.

use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::LeaseFolder;
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::MachineId;
use cockpit_domain::text::span;
use futures_util::FutureExt;
use serde::Serialize;

/// One finding of the doctor.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// `ssh web1`, `tunnel prod`, `credential prod`, `clock prod`, `version prod`, `lease_dir`.
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
    match job.ports.store.lease_folder().await {
        Ok(folder) => found.extend(folder.as_ref().map(lease_dir)),
        Err(failure) => found.push(ill("lease_dir".to_owned(), &failure)),
    }
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
            found.extend(clock(host, identity.clock_ahead_ms));
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

/// Clocks that differ by more than this are worth a word: cooldowns last minutes.
const CLOCKS_DIFFER_MS: i64 = 60_000;

/// Whether the host's clock goes with ours; no row where its answers have no date.
fn clock(host: &HostSettings, ahead_ms: Option<i64>) -> Option<Diagnosis> {
    let ahead = ahead_ms?;
    let off_ms = ahead.saturating_abs();
    let subject = format!("clock {}", host.id);
    if off_ms < CLOCKS_DIFFER_MS {
        return Some(well(subject, "goes with this computer's".to_owned()));
    }
    let where_to = if ahead > 0 { "ahead of" } else { "behind" };
    Some(Diagnosis {
        subject,
        ok: false,
        found: format!("{} {where_to} this computer's", span(off_ms)),
        fix: "set whichever is wrong (`timedatectl` on both): rights and cooldowns end by the host's clock"
            .to_owned(),
    })
}

/// Whether the shared folder of leases does what it is for: who writes to a host is seen in it by
/// everybody of its group, and by nobody else.
fn lease_dir(folder: &LeaseFolder) -> Diagnosis {
    let path = &folder.path;
    let fault = |found: String, fix: String| Diagnosis {
        subject: "lease_dir".to_owned(),
        ok: false,
        found,
        fix,
    };
    let Some(entry) = &folder.entry else {
        return fault(
            format!("`{path}` is not there: nothing can be written to any host"),
            format!("`mkdir -m 2770 {path}` and give it to the group of those who share it"),
        );
    };
    let whose = format!(
        "`{path}` mode {:04o} of {}, group {}",
        entry.mode & 0o7777,
        entry.owner,
        entry.group
    );
    if !entry.is_folder {
        return fault(
            format!("`{path}` is no folder"),
            "set `lease_dir` to a folder".to_owned(),
        );
    }
    if !entry.writable {
        return fault(
            format!("{whose}: this user cannot write there, so nothing can be written to any host"),
            format!(
                "become a member of group {} and log in again, or `chmod g+rwxs {path}` as its owner",
                entry.group
            ),
        );
    }
    if entry.mode & 0o007 != 0 {
        return fault(
            format!("{whose}: users outside the group get in"),
            format!("`chmod o= {path}`, as its owner"),
        );
    }
    if let Some(first) = folder.shut.first() {
        return fault(
            format!(
                "{whose}: {} lease(s) in it cannot be opened, `{first}` first: those places count as held",
                folder.shut.len()
            ),
            format!("`chmod g+rw` them as their owner, and `chmod g+s {path}`"),
        );
    }
    let who = if entry.mode & 0o070 == 0 {
        "only its owner gets in"
    } else {
        "its group gets in and nobody else"
    };
    well("lease_dir".to_owned(), format!("{whose}: {who}"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::FolderEntry;
    use cockpit_domain::host::Role;
    use cockpit_domain::ids::HostId;

    fn folder(mode: u32, writable: bool, shut: &[&str]) -> LeaseFolder {
        LeaseFolder {
            path: "/srv/leases".to_owned(),
            entry: Some(FolderEntry {
                is_folder: true,
                mode,
                owner: "ann".to_owned(),
                group: "ops".to_owned(),
                writable,
            }),
            shut: shut.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn the_shared_folder_is_well_only_where_its_group_gets_in_and_nobody_else() {
        let gone = LeaseFolder {
            entry: None,
            ..folder(0, true, &[])
        };
        let mut file = folder(0o2770, true, &[]);
        if let Some(entry) = &mut file.entry {
            entry.is_folder = false;
        }
        let cases = [
            (
                folder(0o42770, true, &[]),
                true,
                "mode 2770 of ann, group ops",
                "",
            ),
            (
                folder(0o40700, true, &[]),
                true,
                "only its owner gets in",
                "",
            ),
            (gone, false, "is not there", "mkdir -m 2770 /srv/leases"),
            (file, false, "is no folder", "set `lease_dir`"),
            (
                folder(0o42770, false, &[]),
                false,
                "cannot write",
                "member of group ops",
            ),
            (
                folder(0o41777, true, &[]),
                false,
                "outside the group",
                "chmod o= /srv/leases",
            ),
            (
                folder(0o42775, true, &[]),
                false,
                "outside the group",
                "chmod o=",
            ),
            (
                folder(0o42770, true, &["accept.lab.lock"]),
                false,
                "1 lease(s) in it cannot be opened, `accept.lab.lock` first",
                "chmod g+rw",
            ),
        ];
        for (folder, ok, found, fix) in cases {
            let row = lease_dir(&folder);
            assert_eq!(row.ok, ok, "{row:?}");
            assert!(row.found.contains(found), "{row:?}");
            assert!(row.fix.contains(fix), "{row:?}");
        }
    }

    #[test]
    fn a_clock_that_is_off_is_told_with_its_side_and_a_small_difference_is_well() {
        let host = HostSettings::new(
            HostId::new("accept").expect("an id"),
            MachineId::new("edge-1").expect("an id"),
            "127.0.0.1:8080",
            Role::Acceptance,
        );
        assert!(clock(&host, None).is_none());
        let cases = [
            (59_999, true, "goes with this computer's"),
            (-59_999, true, "goes with this computer's"),
            (61 * 60_000, false, "1h01m ahead of this computer's"),
            (
                -(79 * 3600 + 59) * 1000,
                false,
                "3d07h behind this computer's",
            ),
        ];
        for (ahead_ms, ok, told) in cases {
            let row = clock(&host, Some(ahead_ms)).expect("a row");
            assert_eq!((row.ok, row.found.as_str()), (ok, told));
        }
    }
}
