//! `access status`: a separate look, later, with everything read anew. Only it may say
//! `fully_ready` (`product.md` 4.9).

use super::closure::managed_session;
use super::gateway::{GatewayLook, conversations, is_ready, prove};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::USER_KEY;
use crate::ports::{HostApi, KeptResult, ResultKind, Session};
use cockpit_domain::batch::{AccessMode, AccessStatus, Batch, BatchKind, GatewayEvidence};
use cockpit_domain::ids::{BatchId, HostId, PackId, RemoteId};
use cockpit_domain::import::usd;
use cockpit_domain::inventory::{ApiKey, Standing};
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use serde::Serialize;

/// What the look found.
#[derive(Debug, Clone, Serialize)]
pub struct AccessLook {
    /// The batch.
    pub batch: BatchId,
    /// Host.
    pub host: HostId,
    /// Provider.
    pub provider: PackId,
    /// Access at import, never rewritten.
    pub access_status: Option<AccessStatus>,
    /// Access now.
    pub latest_access_status: AccessStatus,
    /// Whether an ordinary user can call the model now.
    pub available: bool,
    /// Each precondition with what was found.
    pub preconditions: Vec<Precondition>,
    /// Gateway evidence of this look.
    pub gateway: GatewayEvidence,
}

/// One thing that must hold.
#[derive(Debug, Clone, Serialize)]
pub struct Precondition {
    /// `login` (`user` where a caller's own key is proven), `subscription` or `balance`, `key`,
    /// `group`.
    pub name: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// Whether it could be looked at at all: what could not is no finding.
    pub looked: bool,
    /// What was found.
    pub found: String,
}

/// Looks.
pub async fn status(job: &Job, id: BatchId) -> Outcome<AccessLook> {
    let doing = format!("looking at the access of {id}");
    let mut batch = crate::batches::load(job, id).await?;
    let resources: Vec<BatchResource> = job
        .ports
        .store
        .resources(id)
        .await?
        .into_iter()
        .filter(|resource| !resource.undone)
        .collect();
    let find = |kind| resources.iter().find(|resource| resource.kind == kind);
    let (Some(key), Some(group)) = (find(ResourceKind::Key), find(ResourceKind::Group)) else {
        return Err(Failure::new(
            FailureKind::Conflict,
            "the batch holds no key and no group to prove access with",
        )
        .doing(doing)
        .hint(format!(
            "`cockpit batch resume {}` closes access, if the batch is not rolled back",
            id.0
        )));
    };
    let host = job.host(&batch.host)?.clone();
    let api = job.ports.hosts.api(&batch.host).await?;
    let local = job.ports.store.local_key().await?;
    let mut checks = Vec::new();
    let own = batch.effective_key_source == USER_KEY;
    checks.push(if own {
        owner(api.as_ref(), &resources).await?
    } else {
        job.say("fresh login as the managed user");
        let session = managed_session(api.as_ref(), &local, &batch.host, &batch.provider).await;
        login_row(session)
    });
    let stored = stored_key(
        job,
        batch.access_mode,
        &mut checks,
        api.as_ref(),
        &resources,
        key,
    )
    .await?;
    let group_now = api
        .groups()
        .await?
        .into_iter()
        .find(|row| row.id == group.host_resource_id);
    checks.push(Precondition {
        name: "group",
        ok: group_now.as_ref().is_some_and(|row| row.status == "active"),
        looked: true,
        found: group_now.map_or("gone".to_owned(), |row| {
            format!("{} is {}", row.spec.name, row.status)
        }),
    });
    let mut gateway = GatewayEvidence::default();
    if let Some(stored) = &stored {
        let ours = serving(api.as_ref(), &batch, group.host_resource_id, &resources).await?;
        let pack = job.provider(&batch.provider)?;
        gateway = prove(&GatewayLook {
            job,
            api: api.as_ref(),
            host: &host,
            key: stored,
            model: &pack.smoke_model,
            ours: &ours,
            last_write_ms: batch.last_write_ms,
            conversations: conversations(api.as_ref(), group.host_resource_id, &ours).await?,
        })
        .await?;
    }
    let available = is_ready(&gateway);
    let holds = available && checks.iter().all(|check| check.ok || !check.looked);
    let whole = holds && checks.iter().all(|check| check.ok);
    let settled = i64::try_from(job.settings.timing.settled_after.as_millis()).unwrap_or(0);
    let late_enough = job.now_ms() - batch.last_write_ms >= settled;
    let latest = match (holds, whole && late_enough) {
        (false, _) => AccessStatus::Broken,
        (true, true) => AccessStatus::FullyReady,
        (true, false) => match batch.access_mode {
            AccessMode::Subscription => AccessStatus::SubscriptionReady,
            AccessMode::SelfService => AccessStatus::SelfServiceReady,
        },
    };
    let look = AccessLook {
        batch: id,
        host: batch.host.clone(),
        provider: batch.provider.clone(),
        access_status: batch.access_status,
        latest_access_status: latest,
        available,
        preconditions: checks,
        gateway,
    };
    save(job, &mut batch, &look).await?;
    Ok(look)
}

fn login_row(session: Outcome<Session>) -> Precondition {
    match session {
        Ok(session) => Precondition {
            name: "login",
            ok: true,
            looked: true,
            found: format!("user #{}", session.user_id),
        },
        Err(failure) => Precondition {
            name: "login",
            ok: false,
            looked: !says_nothing(&failure),
            found: login_trouble(&failure),
        },
    }
}

/// Why a login was refused, in words that name the switch or the limit behind it.
pub(crate) fn login_trouble(failure: &Failure) -> String {
    let reason = failure
        .answer
        .as_ref()
        .map_or("", |answer| answer.reason.as_str());
    match (failure.status(), reason) {
        (429, _) => "the host's login limit is reached: 20 a minute for one address, shared by all behind a proxy; the key goes on working".to_owned(),
        (_, "REQUIRES_2FA") => "the managed user wants a second factor: switch it off for this user in the host's panel".to_owned(),
        (_, "BACKEND_MODE_ADMIN_ONLY") => "the host is in backend mode: only admins log in; switch it off in the host's settings".to_owned(),
        (_, reason) if reason.starts_with("TURNSTILE") => "the host wants a captcha on login; switch it off in the host's settings for the look".to_owned(),
        _ => failure.message.clone(),
    }
}

/// The owner of a caller's own key: nobody logs in for it, the host has to know them as active.
async fn owner(api: &dyn HostApi, resources: &[BatchResource]) -> Outcome<Precondition> {
    let held = resources.iter().find(|row| row.kind == ResourceKind::User);
    let found = match held {
        Some(row) => api.user(row.host_resource_id).await?,
        None => None,
    };
    Ok(Precondition {
        name: "user",
        ok: found.as_ref().is_some_and(|user| user.status == "active"),
        looked: true,
        found: found.map_or("gone".to_owned(), |user| {
            format!("`{}` #{} is {}", user.email, user.id, user.status)
        }),
    })
}

/// Whether a failed login tells nothing of the access: silence, a login limit, a captcha. The key
/// goes on working all the same.
fn says_nothing(failure: &Failure) -> bool {
    let reason = failure
        .answer
        .as_ref()
        .map_or("", |answer| answer.reason.as_str());
    failure.kind == FailureKind::Unreachable
        || failure.status() == 429
        || failure.status() >= 500
        || reason.starts_with("TURNSTILE")
}

/// Accounts that a proof may be served by: the batch's own. One that prepared access has none, and
/// whoever stands in the group serves its user.
async fn serving(
    api: &dyn HostApi,
    batch: &Batch,
    group: RemoteId,
    resources: &[BatchResource],
) -> Outcome<Vec<RemoteId>> {
    if batch.kind != BatchKind::Access {
        return Ok(own_accounts(resources));
    }
    let accounts = api.accounts(Some(group)).await?;
    Ok(accounts.into_iter().map(|account| account.id).collect())
}

/// Accounts of the batch that may serve: made or taken over, not parked.
pub(crate) fn own_accounts(resources: &[BatchResource]) -> Vec<RemoteId> {
    resources
        .iter()
        .filter(|resource| {
            resource.kind == ResourceKind::Account && resource.origin != Origin::Parked
        })
        .map(|resource| resource.host_resource_id)
        .collect()
}

async fn stored_key(
    job: &Job,
    mode: AccessMode,
    checks: &mut Vec<Precondition>,
    api: &dyn HostApi,
    resources: &[BatchResource],
    key: &BatchResource,
) -> Outcome<Option<ApiKey>> {
    let Some(user) = resources
        .iter()
        .find(|resource| resource.kind == ResourceKind::User)
    else {
        checks.push(Precondition {
            name: "key",
            ok: false,
            looked: true,
            found: "the batch holds no user".to_owned(),
        });
        return Ok(None);
    };
    checks.push(match mode {
        AccessMode::Subscription => subscribed(job, api, resources, user).await?,
        AccessMode::SelfService => can_pay(api, user).await?,
    });
    let stored = api
        .user_keys(user.host_resource_id)
        .await?
        .into_iter()
        .find(|row| row.id == key.host_resource_id);
    let bound = |row: &ApiKey| {
        let group = resources
            .iter()
            .find(|held| held.kind == ResourceKind::Group);
        group.is_some_and(|group| row.group_id == Some(group.host_resource_id))
    };
    checks.push(Precondition {
        name: "key",
        ok: stored
            .as_ref()
            .is_some_and(|row| row.status == "active" && bound(row)),
        looked: true,
        found: stored.as_ref().map_or("gone".to_owned(), |row| {
            let group = row.group_id.map_or_else(
                || "bound to no group".to_owned(),
                |id| format!("bound to group #{id}"),
            );
            format!(
                "#{} {} is {}, {group}",
                row.id,
                row.key.masked(),
                row.status
            )
        }),
    });
    Ok(stored)
}

/// Whether the user is subscribed, by the date.
async fn subscribed(
    job: &Job,
    api: &dyn HostApi,
    resources: &[BatchResource],
    user: &BatchResource,
) -> Outcome<Precondition> {
    let rows = api.subscriptions(user.host_resource_id).await?;
    let row = rows.iter().find(|row| {
        resources
            .iter()
            .any(|held| held.kind == ResourceKind::Subscription && held.host_resource_id == row.id)
    });
    let alive = row.is_some_and(|row| row.standing(job.now_ms()) == Some(Standing::Alive));
    Ok(Precondition {
        name: "subscription",
        ok: alive,
        looked: true,
        found: row.map_or("gone".to_owned(), |row| match row.standing(job.now_ms()) {
            Some(Standing::Suspended) => {
                format!("#{} is {} until {}", row.id, row.status, row.until())
            }
            Some(Standing::Over) => format!("#{} ran out at {}", row.id, row.until()),
            Some(Standing::OverThere) => format!("#{} {}", row.id, row.over_there()),
            _ => format!("#{} until {}", row.id, row.until()),
        }),
    })
}

/// Whether the user can pay: a standard group refuses who has nothing (trap 10).
async fn can_pay(api: &dyn HostApi, user: &BatchResource) -> Outcome<Precondition> {
    let found = api.user(user.host_resource_id).await?;
    Ok(Precondition {
        name: "balance",
        ok: found.as_ref().is_some_and(|user| user.balance > 0.0),
        looked: true,
        found: found.map_or("the user is gone".to_owned(), |user| usd(user.balance)),
    })
}

async fn save(job: &Job, batch: &mut Batch, look: &AccessLook) -> Outcome<()> {
    batch.latest_access_status = Some(look.latest_access_status);
    batch.updated_ms = job.now_ms();
    job.ports.store.save_batch(batch).await?;
    let body = serde_json::to_value(look).unwrap_or_default();
    let kept = KeptResult {
        at_ms: job.now_ms(),
        body,
    };
    job.ports
        .store
        .keep(ResultKind::Access, &batch.id.to_string(), &kept)
        .await
}
