//! The writers' places: who holds them, and taking over what a dead owner left.

use crate::board::{LeaseSeen, LeaseState};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{AuditRow, LeaseInfo};
use cockpit_domain::ids::{BatchId, HostId, PackId};
use serde::Serialize;

/// What a take-over came to.
#[derive(Debug, Clone, Serialize)]
pub struct LeaseTaken {
    /// Host.
    pub host: HostId,
    /// Provider.
    pub provider: PackId,
    /// Who had it.
    pub was: LeaseInfo,
    /// Whether its owner may still be alive, on another machine.
    pub alive: bool,
    /// Batches that its owner left in the middle.
    pub interrupted: Vec<BatchId>,
}

/// All of them.
pub async fn list(job: &Job) -> Outcome<Vec<LeaseSeen>> {
    job.ports.store.leases().await
}

/// Takes a place over from an owner that is gone; from one that may be alive only on another
/// machine, and only with a stronger word. What cannot be read is never taken.
pub async fn take(
    job: &Job,
    host: &HostId,
    provider: &PackId,
    reason: &str,
    even_if_alive: bool,
) -> Outcome<LeaseTaken> {
    let doing = format!("taking over the lease of `{provider}` on `{host}`");
    let refuse = |kind, message: String, hint: String| {
        Err(Failure::new(kind, message).doing(doing.clone()).hint(hint))
    };
    if reason.trim().is_empty() {
        return refuse(
            FailureKind::Denied,
            "a reason has to be given".to_owned(),
            "add `--reason \"why\"`; it is kept in the audit".to_owned(),
        );
    }
    let mut rows = job.ports.store.leases().await?;
    rows.retain(|row| row.host == *host && row.provider == *provider);
    let Some(row) = rows.pop() else {
        return refuse(
            FailureKind::Conflict,
            "nobody holds it: there is nothing to take over".to_owned(),
            "`cockpit lease list` shows the leases there are".to_owned(),
        );
    };
    let owner = &row.info.owner;
    let elsewhere = machine_of(owner) != machine_of(&job.settings.owner);
    match row.state {
        LeaseState::Unreadable => {
            return refuse(
                FailureKind::Busy,
                format!("{}, so somebody may hold it", row.info.reason),
                "make its file one that this user can read and write; it is never taken unread"
                    .to_owned(),
            );
        }
        LeaseState::Held if !elsewhere => {
            return refuse(
                FailureKind::Busy,
                format!("it is held by {owner}, which is alive on this machine"),
                "wait until it is done, or end that process: its lease goes with it".to_owned(),
            );
        }
        LeaseState::Held if !even_if_alive => {
            return refuse(
                FailureKind::Busy,
                format!("it is held by {owner} on another machine, which looks alive from here"),
                "make sure that it is gone; then say so with `--even-if-alive`".to_owned(),
            );
        }
        LeaseState::Held | LeaseState::Left => {}
    }
    let audit = AuditRow {
        reason: reason.trim().to_owned(),
        ..job.audit_row(
            host,
            format!("take over the lease of {provider} on {host}"),
            format!("from {owner}, who held it for {}", row.info.reason),
        )
    };
    job.ports.store.add_audit(&audit).await?;
    let taker = LeaseInfo {
        owner: job.settings.owner.clone(),
        reason: doing.clone(),
        since_ms: job.now_ms(),
    };
    let alive = row.state == LeaseState::Held;
    let interrupted = job
        .ports
        .store
        .take_over(host, provider, &taker, alive)
        .await;
    Ok(LeaseTaken {
        host: host.clone(),
        provider: provider.clone(),
        was: row.info,
        alive,
        interrupted: interrupted.map_err(|failure| failure.doing(doing))?,
    })
}

/// The machine in `user@machine pid N`.
fn machine_of(owner: &str) -> &str {
    let host = owner.split_once('@').map_or("", |(_, rest)| rest);
    host.split(' ').next().unwrap_or_default()
}
