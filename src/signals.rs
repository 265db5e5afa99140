//! Ctrl-C, SIGTERM and SIGHUP: the first asks to stop after the step in flight, the second does
//! not wait. Ctrl-Z holds what writes, and lets it go on.

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

/// What a program is told to do from outside.
#[derive(Clone, Default)]
pub(crate) struct Stops {
    /// Cancelled at the first signal.
    pub(crate) stop: CancellationToken,
    /// Cancelled before that when the signal was a lost terminal or connection.
    pub(crate) hung_up: CancellationToken,
}

/// Cancels at the first signal; the receiver fires at the second. A terminal that goes may say so
/// several times: that is one loss, and nobody asking again.
pub(crate) fn watch(stops: &Stops) -> Outcome<oneshot::Receiver<()>> {
    let listen = |kind| {
        signal(kind).map_err(|error| {
            Failure::new(FailureKind::Internal, format!("no signal handler: {error}"))
        })
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let (again, second) = oneshot::channel();
    let stops = stops.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => stops.hung_up.cancel(),
        }
        stops.stop.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // Nobody waits any more: the program is past its select.
        let _ = again.send(());
    });
    Ok(second)
}
