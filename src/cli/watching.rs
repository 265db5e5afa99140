//! `reconcile watch`: a line for every look that found something else than the one before it, until
//! it is stopped or a rollback pauses it; the last verdict decides the exit code.

use crate::dispatch::{Session, call};
use crate::{exit, output};
use cockpit_domain::ids::{HostId, PackId};
use cockpit_engine::command::{Answer, Command};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::reconcile::Looked;
use std::time::Duration;

/// Looks until it is told to stop.
pub(crate) async fn run(
    host: &HostId,
    provider: Option<&PackId>,
    every: Duration,
    session: &Session,
    json: bool,
) -> Outcome<u8> {
    let since_ms = session.handle.ports().clock.now_ms();
    let mut last: Option<Looked> = None;
    let mut trouble: Option<Failure> = None;
    let mut code = exit::CLEAN;
    loop {
        let look = Command::ReconcileLook {
            host: host.clone(),
            provider: provider.cloned(),
            since_ms,
        };
        match call(session, look, json).await {
            Ok(Answer::Looked(looked)) if looked.paused.is_some() => {
                // What was found before it says how it stood.
                output::look(*looked, json);
                return Ok(code);
            }
            Ok(Answer::Looked(looked)) => {
                code = looked.status.map_or(exit::CLEAN, exit::of_drift);
                let news = trouble.take().is_some()
                    || last.as_ref().is_none_or(|last| !last.same(&looked));
                if news && !output::look((*looked).clone(), json) {
                    // Nobody reads us any more.
                    return Ok(code);
                }
                last = Some(*looked);
            }
            Ok(_) => {}
            Err(failure) if failure.kind == FailureKind::Cancelled => {
                return if last.is_none() && trouble.is_none() {
                    Err(failure)
                } else {
                    Ok(code)
                };
            }
            // Words that name nothing will name nothing the next time either.
            Err(failure) if last.is_none() && failure.kind != FailureKind::Unreachable => {
                return Err(failure);
            }
            Err(failure) => {
                code = failure.kind.exit_code();
                let told = trouble.as_ref();
                if told.is_none_or(|told| told.message != failure.message) {
                    output::failure(&failure, json);
                }
                trouble = Some(failure);
            }
        }
        tokio::select! {
            () = session.stop.cancelled() => return Ok(code),
            () = tokio::time::sleep(every) => {}
        }
    }
}
