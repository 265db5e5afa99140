//! A few keys first, end to end; then the batch stops, says what came of them, and waits for a
//! person: `batch resume` goes on with the others, a rollback takes it back (`product.md` 4).

use super::execute::why;
use super::scene::Scene;
use crate::access::told;
use crate::failure::Outcome;
use cockpit_domain::batch::{AccountStatus, Batch, BatchStatus, Interruption, ProviderStatus};

/// The keys that go first, by their place in the plan; `None` when all go.
pub(super) fn of(scene: &Scene) -> Option<Vec<usize>> {
    let wanted = scene.batch.canary;
    (wanted > 0 && wanted < scene.plan.items.len()).then(|| scene.plan.canary(wanted))
}

/// Leaves the batch where a person decides. The keys stay sealed: the others are to come.
pub(super) async fn stop(
    scene: &Scene,
    mut batch: Batch,
    statuses: &[AccountStatus],
    ready: Option<bool>,
) -> Outcome<Batch> {
    let good = statuses
        .iter()
        .filter(|status| **status != AccountStatus::Failed)
        .count();
    let waiting = scene.plan.items.len() - statuses.len();
    let well = ready == Some(true) && good == statuses.len();
    batch.batch_status = BatchStatus::Interrupted;
    batch.interrupted_by = Some(Interruption::Canary);
    batch.provider_status_from_import = Some(match (well, good) {
        (true, _) => ProviderStatus::Active,
        (false, 0) => ProviderStatus::Failed,
        (false, _) => ProviderStatus::Degraded,
    });
    let found = if well {
        told(&batch.gateway)
    } else {
        why(&batch, statuses, ready)
    };
    batch.reason = format!(
        "canary: {good} of {} key(s) good, {found}; {waiting} key(s) wait",
        statuses.len()
    );
    batch.updated_ms = scene.job.now_ms();
    scene.job.ports.store.save_batch(&batch).await?;
    scene.event(None, "canary", batch.reason.clone()).await?;
    Ok(batch)
}
