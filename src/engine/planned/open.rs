//! Opening a saved plan: everything that needs no host is checked first, then the one writer's place
//! is taken, and only then is the host asked.

use super::Kind;
use super::kinds::{ROLLBACK, use_instead};
use crate::approval::Approval;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{HostApi, Lease, LeaseInfo, SavedPlan};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::{HostId, PackId, PlanId};
use cockpit_domain::plan::PlanBody;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// An approved plan at work: nobody else writes to its host for its provider while it is held.
pub(crate) struct Open<P> {
    /// The plan as saved.
    pub(crate) saved: SavedPlan,
    /// Its content.
    pub(crate) plan: P,
    /// Its host.
    pub(crate) host: HostSettings,
    /// The host's API.
    pub(crate) api: Arc<dyn HostApi>,
    /// Why, in the words of who approved.
    pub(crate) reason: String,
    /// What is being done.
    pub(crate) doing: String,
    _lease: Box<dyn Lease>,
}

/// Opens a plan. The host has not been read again yet.
pub(crate) async fn open<P: PlanBody + DeserializeOwned>(
    job: &Job,
    kind: Kind,
    id: PlanId,
    approval: &Approval,
) -> Outcome<Open<P>> {
    let doing = format!("applying {id}");
    let (saved, plan) = load(job, kind, id, approval, &doing).await?;
    let held = lease(job, &saved.host, &saved.provider, &doing).await?;
    let api = job.ports.hosts.api(&saved.host).await?;
    job.say("reading the host again");
    Ok(Open {
        host: job.host(&saved.host)?.clone(),
        saved,
        plan,
        api,
        reason: approval.reason.clone().unwrap_or_default(),
        doing,
        _lease: held,
    })
}

impl<P> Open<P> {
    /// What refuses a plan that is not what would be planned now: `what` changed, and how.
    pub(crate) fn stale(&self, what: &str, told: &str) -> Failure {
        let message = format!("{what} changed since the plan was made: {told}");
        Failure::new(FailureKind::Conflict, message).doing(&self.doing)
    }
}

/// Loads a plan and checks everything that needs no host.
pub(crate) async fn load<P: PlanBody + DeserializeOwned>(
    job: &Job,
    kind: Kind,
    id: PlanId,
    approval: &Approval,
    doing: &str,
) -> Outcome<(SavedPlan, P)> {
    let refuse = |what: FailureKind, message: String, hint: String| {
        Err(Failure::new(what, message).doing(doing).hint(hint))
    };
    let Some(saved) = job.ports.store.plan(id).await? else {
        let hint = format!(
            "`cockpit {}` makes one and prints its id and hash",
            kind.made_by
        );
        return refuse(FailureKind::Usage, format!("there is no {id}"), hint);
    };
    if saved.kind != kind.word {
        let message = format!("{id} is no {} plan", kind.word);
        return refuse(FailureKind::Usage, message, use_instead(&saved.kind, id));
    }
    approval.check(&saved, job.host(&saved.host)?)?;
    job.may_write(&saved.host)?;
    let plan: P = content(&saved, doing)?;
    if saved.used_ms.is_some() {
        let (by, tells) = match saved.batch {
            // It is written down in the batch that it takes back.
            Some(batch) if kind == ROLLBACK => (String::new(), Some(batch)),
            Some(batch) => (format!(", as {batch}"), Some(batch)),
            None => (String::new(), None),
        };
        let tells =
            tells.map(|batch| format!("`cockpit batch show {}` tells what it did; ", batch.0));
        let hint = format!(
            "{}make a new plan: it sees what is there now",
            tells.unwrap_or_default()
        );
        let message = format!("{id} was applied already{by}");
        return refuse(FailureKind::Conflict, message, hint);
    }
    if plan.expires_ms().is_some_and(|end| job.now_ms() > end) {
        let message = "the plan is older than 15 minutes, too old for production".to_owned();
        let hint = "make the plan again and read it again".to_owned();
        return refuse(FailureKind::Conflict, message, hint);
    }
    if !plan.blockers().is_empty() {
        let hint = "a plan with blockers is never applied; mend what it names and plan again";
        let message = plan.blockers().join("; ");
        return refuse(FailureKind::Conflict, message, hint.to_owned());
    }
    Ok((saved, plan))
}

/// The content of a saved plan.
pub(super) fn content<P: DeserializeOwned>(saved: &SavedPlan, doing: &str) -> Outcome<P> {
    serde_json::from_value(saved.body.clone()).map_err(|error| {
        let message = format!("the saved plan cannot be read: {error}");
        Failure::new(FailureKind::Store, message)
            .doing(doing)
            .hint("make the plan again")
    })
}

/// Takes the one writer's place.
pub(crate) async fn lease(
    job: &Job,
    host: &HostId,
    provider: &PackId,
    why: &str,
) -> Outcome<Box<dyn Lease>> {
    let info = LeaseInfo {
        owner: job.settings.owner.clone(),
        reason: why.to_owned(),
        since_ms: job.now_ms(),
    };
    let taken = job.ports.store.lease(host, provider, &info).await;
    taken.map_err(|failure| failure.doing(why))
}
