//! `access preview`: every precondition named, before anything is written. Reads only; the one login
//! it tries is that of the managed user, where there is one.

use super::closure::managed_session;
use super::status::login_trouble;
use crate::context::Job;
use crate::failure::{FailureKind, Outcome};
use crate::import::CallerKey;
use crate::ports::HostApi;
use crate::view::{Whose, read_view_of};
use cockpit_domain::batch::{AccessMode, ImportMode};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_domain::import::{Holds, HostView, ImportRequest, Precondition, preconditions};
use cockpit_domain::secret::Secret;
use serde::Serialize;

/// What has to hold, and whether it does.
#[derive(Debug, Clone, Serialize)]
pub struct AccessPreview {
    /// Host.
    pub host: HostId,
    /// Provider.
    pub provider: PackId,
    /// Access mode.
    pub access: AccessMode,
    /// Whether nothing stands in the way: each row holds, or a plan makes it so.
    pub open: bool,
    /// Every precondition.
    pub preconditions: Vec<Precondition>,
}

/// Looks.
pub async fn preview(
    job: &Job,
    host: &HostId,
    provider: &PackId,
    access: AccessMode,
    user_key: Option<&CallerKey>,
) -> Outcome<AccessPreview> {
    let doing = format!("looking at what access to `{provider}` on `{host}` needs");
    let settings = job.host(host)?.clone();
    let pack = job.provider(provider)?.for_access(access);
    let caller = match user_key {
        Some(key) => Some(key.read(job).await?),
        None => None,
    };
    let api = job.ports.hosts.api(host).await?;
    let whose = caller.as_ref().map_or(Whose::Managed, Whose::Caller);
    let view = read_view_of(api.as_ref(), provider, whose)
        .await
        .map_err(|failure| failure.doing(doing))?;
    let request = ImportRequest {
        host: host.clone(),
        role: settings.role,
        pack,
        mode: ImportMode::Partial,
        access,
        user_key: caller.as_ref().map(Secret::fingerprint),
        retry_of: None,
        prepare: false,
    };
    let mut rows = preconditions(&request, &view, job.now_ms());
    if caller.is_none() {
        let at = rows.iter().position(|row| row.name == "group");
        let row = login(job, api.as_ref(), host, provider, &view).await?;
        rows.insert(at.unwrap_or(rows.len()), row);
    }
    Ok(AccessPreview {
        host: host.clone(),
        provider: provider.clone(),
        access,
        open: rows
            .iter()
            .all(|row| matches!(row.holds, Holds::Yes | Holds::Planned)),
        preconditions: rows,
    })
}

/// What only a login tells: the second factor, the limit, another password.
async fn login(
    job: &Job,
    api: &dyn HostApi,
    host: &HostId,
    provider: &PackId,
    view: &HostView,
) -> Outcome<Precondition> {
    let row = |holds, found: &str, next: &str| Precondition::new("login", holds, found, next);
    if view.user.is_none() {
        let found = "not tried: the managed user is not there yet";
        return Ok(row(
            Holds::Planned,
            found,
            "the plan logs in as the user it makes",
        ));
    }
    if view.captcha || view.backend_mode {
        let found = "not tried: the host lets no managed user log in";
        return Ok(row(Holds::No, found, "mend what is named above"));
    }
    let local = job.ports.store.local_key().await?;
    Ok(match managed_session(api, &local, host, provider).await {
        Ok(session) => row(
            Holds::Yes,
            &format!("user #{} logs in", session.user_id),
            "",
        ),
        Err(failure) if failure.has_reason("INVALID_CREDENTIALS") => row(
            Holds::Planned,
            "the managed user has another password",
            "the plan sets ours, derived from this installation's own key",
        ),
        Err(failure) if failure.has_reason("REQUIRES_2FA") => row(
            Holds::No,
            "the managed user wants a second factor",
            "switch it off for this user in the host's panel",
        ),
        Err(failure) if failure.status() == 429 => row(
            Holds::Unknown,
            &login_trouble(&failure),
            "wait a minute and look again; make one import at a time",
        ),
        Err(failure) if failure.kind == FailureKind::Unreachable => return Err(failure),
        Err(failure) => row(Holds::No, &login_trouble(&failure), &failure.hint),
    })
}
