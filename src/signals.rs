//! Ctrl-C, SIGTERM and SIGHUP: the first asks to stop after the step in flight, the second does
//! not wait.

use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

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
