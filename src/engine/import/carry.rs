//! Many keys on their way at once: as many as the host takes, held and stopped as one.

use super::account::carry;
use super::scene::Scene;
use crate::failure::{Failure, FailureKind, Outcome};
use cockpit_domain::batch::{Item, ItemStage};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::secret::Secret;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use tokio_util::sync::CancellationToken;

/// Keys beside those that have a call in flight: while they write to the store or ask the vendor,
/// the host is not left waiting.
const BESIDE: usize = 4;

/// Carries the keys, or the first ones only, as many at once as the host takes. A stop finishes what
/// is in flight and begins nothing new.
pub(super) async fn carry_all(
    scene: &Scene,
    group: RemoteId,
    only: Option<&[usize]>,
) -> Outcome<Vec<Item>> {
    let items = scene.job.ports.store.items(scene.batch.id).await?;
    let meant = |at: &usize| only.is_none_or(|only| only.contains(at));
    let total = (0..items.len()).filter(meant).count();
    let mut carried = Vec::with_capacity(total);
    let mut first_failure = None;
    // After the first failure nothing new is begun: a dead host would fail every key in turn.
    let stop = scene.job.cancel.child_token();
    // Collected and boxed: a lazy stream of borrowing futures is not `Send` enough to be spawned.
    let work: Vec<BoxFuture<'_, Outcome<Item>>> = items
        .into_iter()
        .zip(&scene.keys)
        .enumerate()
        .filter(|(at, _)| meant(at))
        .map(|(_, (item, key))| begin(scene, &stop, item, key, group).boxed())
        .collect();
    let at_once = scene.host.in_flight.saturating_add(BESIDE);
    let mut running = futures_util::stream::iter(work).buffer_unordered(at_once);
    let mut done = 0;
    while let Some(result) = running.next().await {
        done += 1;
        match result {
            Ok(item) => {
                let told = format!("key {} {}", item.key, item.validation_status);
                scene.job.count(told, done, total);
                carried.push(item);
            }
            Err(failure) => {
                stop.cancel();
                first_failure.get_or_insert(failure);
            }
        }
    }
    // In input order again: they ended in any.
    carried.sort_by_key(|item: &Item| item.id);
    match first_failure {
        Some(failure) => Err(failure),
        None => Ok(carried),
    }
}

/// Begins an item unless another one failed before.
async fn begin(
    scene: &Scene,
    stop: &CancellationToken,
    item: Item,
    key: &Secret,
    group: RemoteId,
) -> Outcome<Item> {
    if item.stage == ItemStage::Done {
        // Judged by an earlier run.
        return Ok(item);
    }
    scene.job.go_on().await?;
    if stop.is_cancelled() {
        return Err(Failure::new(
            FailureKind::Cancelled,
            "stopped before this key was begun",
        ));
    }
    carry(scene, item, key, group).await
}
