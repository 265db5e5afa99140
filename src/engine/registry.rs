//! `host add` and `host remove`: checked edits of the config. The block is checked with the rest of the
//! file, its credential and its host are tried, and then it is printed: the file stays the user's.

use crate::board::LeaseState;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::TrialCredential;
use cockpit_domain::batch::BatchStatus;
use cockpit_domain::host::HostIdentity;
use cockpit_domain::ids::HostId;
use cockpit_domain::new_host::NewHost;
use serde::Serialize;

/// What to write into the config, and what the new host said.
#[derive(Debug, Clone, Serialize)]
pub struct HostBlock {
    /// The host.
    pub host: HostId,
    /// The file to write it into.
    pub file: String,
    /// The block.
    pub block: String,
    /// What the host says of itself.
    pub identity: HostIdentity,
}

/// What to take out of the config.
#[derive(Debug, Clone, Serialize)]
pub struct HostLines {
    /// The host.
    pub host: HostId,
    /// The file.
    pub file: String,
    /// First line to take out.
    pub first_line: usize,
    /// Last one.
    pub last_line: usize,
    /// The lines.
    pub block: String,
}

/// Checks a host that is to be added and gives the block to write.
pub async fn add(job: &Job, new: &NewHost) -> Outcome<HostBlock> {
    let doing = format!("checking the new host `{}`", new.id);
    if job.settings.hosts.contains_key(&new.id) {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("there is a host `{}` in the config already", new.id),
        )
        .doing(doing)
        .hint("choose another name, or edit that block by hand"));
    }
    let block = new.block().ok_or_else(|| {
        Failure::new(
            FailureKind::Usage,
            "a credential is given by reference, never itself: arguments can be seen by other users",
        )
        .doing(doing.clone())
        .hint("write `env:NAME`, `file:PATH` (mode 0600) or `command:PROGRAM WORDS`")
    })?;
    let checked = job.ports.registrar.check(&block, &new.id).await;
    let checked = checked.map_err(|failure| failure.doing(doing.clone()))?;
    job.say("resolving its credential");
    let secret = job.ports.secrets.read(&new.admin.reference).await;
    let secret = secret.map_err(|failure| failure.doing(doing.clone()))?;
    let credential = match &new.admin.login {
        Some(email) => TrialCredential::Login {
            email: email.clone(),
            password: secret,
        },
        None => TrialCredential::Key(secret),
    };
    job.say("asking the host who it is");
    let api = job.ports.hosts.trial(&checked.settings, credential).await?;
    let identity = api
        .identity()
        .await
        .map_err(|failure| failure.doing(doing))?;
    Ok(HostBlock {
        host: new.id.clone(),
        file: checked.file,
        block,
        identity,
    })
}

/// Checks that nothing stands on a host any more and gives the lines to take out.
pub async fn remove(job: &Job, host: &HostId) -> Outcome<HostLines> {
    job.host(host)?;
    let doing = format!("checking that `{host}` can go");
    let mut held: Vec<String> = (job.ports.store.batches(Some(host)).await?)
        .into_iter()
        .filter(|batch| {
            !matches!(
                batch.batch_status,
                BatchStatus::RolledBack | BatchStatus::Failed
            )
        })
        .map(|batch| format!("{} is {}", batch.id, batch.batch_status))
        .collect();
    let leases = job.ports.store.leases().await?;
    held.extend(
        leases
            .into_iter()
            .filter(|lease| lease.host == *host && lease.state != LeaseState::Left)
            .map(|lease| format!("{} works on `{}`", lease.info.owner, lease.provider)),
    );
    if !held.is_empty() {
        return Err(Failure::new(
            FailureKind::Conflict,
            format!("`{host}` still holds work of ours: {}", held.join("; ")),
        )
        .doing(doing)
        .hint("roll those batches back first (`cockpit rollback plan BATCH`): without the host in the config nothing can take them back"));
    }
    let section = job.ports.registrar.section(host).await?;
    Ok(HostLines {
        host: host.clone(),
        file: section.file,
        first_line: section.first,
        last_line: section.last,
        block: section.text,
    })
}
