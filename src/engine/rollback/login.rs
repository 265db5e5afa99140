//! The session that deletes a managed user's key: no admin call does (trap 6). A user that goes with
//! the same plan is logged in as all the same, for the host leaves a deleted user's keys standing.

use crate::access::log_in_as_managed;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::journal::Journal;
use crate::ports::{HostApi, Session};
use cockpit_domain::batch::Batch;
use cockpit_domain::import::{HostView, managed_email, managed_password};
use cockpit_domain::resource::ResourceKind;
use cockpit_domain::rollback::{UndoAct, UndoStep};

/// Logs in where a key of ours is to be deleted.
pub(super) async fn session_for_keys(
    job: &Job,
    api: &dyn HostApi,
    journal: &Journal,
    batch: &Batch,
    view: &HostView,
    steps: &[UndoStep],
) -> Outcome<Option<Session>> {
    let wanted = steps.iter().any(|step| {
        step.change.kind == ResourceKind::Key
            && step.act == UndoAct::Delete
            && step.blocked.is_none()
    });
    if !wanted {
        return Ok(None);
    }
    let email = managed_email(&batch.provider);
    let doing = "logging in as the managed user to delete its key";
    let hint = format!(
        "mend the login (captcha, backend mode); `cockpit access prepare --host {} --provider {}` makes a managed user that is gone; then plan the rollback again",
        batch.host, batch.provider
    );
    let Some(user) = view.user.as_ref().filter(|user| user.email == email) else {
        let message = format!("user `{email}` is gone, and only its owner can delete a key");
        return Err(Failure::new(FailureKind::Conflict, message)
            .doing(doing)
            .hint(hint));
    };
    let local = job.ports.store.local_key().await?;
    let password = managed_password(&local, &batch.host, &batch.provider);
    let session = log_in_as_managed(job, api, journal, (user.id, email), password).await;
    session
        .map(Some)
        .map_err(|failure| failure.doing(doing).hint(hint))
}
