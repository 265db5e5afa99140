//! A patient login, for jobs that cannot go on without one: a lost answer is asked for again, the
//! host's login limit is waited out, with a countdown, and a managed user that has another password
//! than ours gets ours.

use crate::context::Job;
use crate::failure::{FailureKind, Outcome};
use crate::import::SetPassword;
use crate::journal::Journal;
use crate::ports::{HostApi, Session};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::secret::Secret;
use std::time::Duration;

/// Tries after one whose answer was lost.
const AGAIN: u32 = 3;
/// Time between two tries at the limit. A refused one does not make the host's minute longer.
const BETWEEN: Duration = Duration::from_secs(5);

/// Logs in. A login changes nothing, so it may be sent as often as it takes.
async fn log_in_patiently(
    job: &Job,
    api: &dyn HostApi,
    email: &str,
    password: &Secret,
) -> Outcome<Session> {
    let window = i64::try_from(job.settings.timing.login_limit.as_millis()).unwrap_or(i64::MAX);
    let mut lost = 0;
    let mut until = None;
    loop {
        match api.login(email, password).await {
            Err(failure) if failure.kind == FailureKind::Unreachable && lost < AGAIN => {
                job.pause(Duration::from_millis(500 << lost)).await;
                lost += 1;
            }
            Err(failure) if failure.status() == 429 => {
                let until = *until.get_or_insert(job.now_ms().saturating_add(window));
                let left = Duration::from_millis(u64::try_from(until - job.now_ms()).unwrap_or(0));
                if left.is_zero() {
                    return Err(failure);
                }
                job.wait_for("the host's login limit is reached: waiting it out", until);
                job.pause(BETWEEN.min(left)).await;
            }
            other => return other,
        }
        job.check_cancel()?;
    }
}

/// Logs in with the derived password. A managed user that has another one (set by hand, or by
/// another installation that shares the host) gets ours, as a step of the batch.
pub(crate) async fn log_in_as_managed(
    job: &Job,
    api: &dyn HostApi,
    journal: &Journal,
    (id, email): (RemoteId, String),
    password: Secret,
) -> Outcome<Session> {
    match log_in_patiently(job, api, &email, &password).await {
        Err(failure) if failure.has_reason("INVALID_CREDENTIALS") => {
            let told = format!("user `{email}` had another password; ours was set");
            journal.event("password_set", told).await?;
            journal
                .ensure(&SetPassword {
                    api,
                    id,
                    email: email.clone(),
                    password: password.clone(),
                })
                .await?;
            log_in_patiently(job, api, &email, &password).await
        }
        other => other,
    }
}
