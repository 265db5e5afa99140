//! Ctrl-C, SIGTERM and SIGHUP: the first asks to stop after the step in flight, the second does
//! not wait.

use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use nix::libc::{SIGCONT, SIGTSTP};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Ctrl-Z (SIGTSTP) holds what is running instead of suspending a process that has calls in flight,
/// and the next one, or SIGCONT, lets it go on. Listening begins with this call.
pub(crate) fn holds() -> watch::Receiver<bool> {
    let (tell, holds) = watch::channel(false);
    let listen = |number| signal(SignalKind::from_raw(number));
    match (listen(SIGTSTP), listen(SIGCONT)) {
        (Ok(mut hold), Ok(mut go_on)) => {
            tokio::spawn(async move {
                while !tell.is_closed() {
                    let on = tokio::select! {
                        _ = hold.recv() => !*tell.borrow(),
                        _ = go_on.recv() => false,
                    };
                    tell.send_if_modified(|held| std::mem::replace(held, on) != on);
                }
            });
        }
        (Err(error), _) | (_, Err(error)) => tracing::warn!(%error, "nothing can be held here"),
    }
    holds
}

/// Cancels `stop` at the first signal; the receiver fires at the second.
pub(crate) fn watch(stop: &CancellationToken) -> Outcome<oneshot::Receiver<()>> {
    let listen = |kind| {
        signal(kind).map_err(|error| {
            Failure::new(FailureKind::Internal, format!("no signal handler: {error}"))
        })
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let (again, second) = oneshot::channel();
    let stop = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        };
        next().await;
        stop.cancel();
        next().await;
        // Nobody waits any more: the program is past its select.
        let _ = again.send(());
    });
    Ok(second)
}
