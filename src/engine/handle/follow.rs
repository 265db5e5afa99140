//! The last known state, before anything is asked; and the store followed while others write.

use super::{Handle, Inner};
use crate::failure::Outcome;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Handle {
    /// Puts the last known state on the board: one read of the store, no network. From then on a
    /// job that wrote has its batch on the board, counted, when its answer comes.
    pub async fn recall(&self) -> Outcome<()> {
        self.inner.recalled.store(true, Ordering::Relaxed);
        self.inner.remember(false).await
    }

    /// Keeps the board up to date with the store, whoever writes to it, until the handle is closed.
    /// Costs nothing while nobody writes. Where the system does not tell of changes, the log file
    /// says so. Must be called inside a runtime.
    pub fn follow_store(&self) {
        let inner = Arc::clone(&self.inner);
        self.inner.tasks.spawn(async move {
            let mut changes = match inner.ports.store.changes() {
                Ok(changes) => changes,
                Err(failure) => {
                    tracing::warn!(%failure, "the store is not followed");
                    return;
                }
            };
            // What was written after the recall and before the watch began.
            let mut counts = false;
            loop {
                if let Err(failure) = inner.remember(counts).await {
                    tracing::warn!(%failure, "the store changed and could not be read");
                }
                counts = true;
                tokio::select! {
                    () = inner.closing.cancelled() => return,
                    heard = changes.changed() => if heard.is_err() { return },
                }
            }
        });
    }
}

impl Inner {
    /// Reads the store anew; `counts` when that is because it changed.
    pub(super) async fn remember(&self, counts: bool) -> Outcome<()> {
        // One at a time: what was read earlier must not be put over what was read later.
        let _turn = self.remembering.lock().await;
        let remembered = self.ports.store.remembered().await?;
        self.change(|state| {
            state.learn(|board| {
                board.store_changes += u64::from(counts);
                board.remember(remembered) | counts
            });
        });
        Ok(())
    }
}
