//! Doubles after lost answers. A request whose answer was lost may commit late, after it was sent
//! again and made the same thing once more; accounts and offers have no unique names to stop it
//! (`host-contract.md` 2.4, traps 14, 31). What carries our deterministic name and is not the one
//! we recorded is such a double.

use super::scene::Scene;
use super::writes::deletion;
use crate::failure::Outcome;
use crate::late;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::journal::{JournalRow, StepKind};
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};

/// Removes doubles of what this batch made, once none can come any more. Does nothing when nothing
/// of that sort was sent twice.
pub(super) async fn sweep(scene: &Scene) -> Outcome<()> {
    let mut doubtful = scene.journal.doubtful();
    doubtful.retain(|row| matches!(row.kind, StepKind::CreateAccount | StepKind::CreatePlan));
    if doubtful.is_empty() {
        return Ok(());
    }
    late::settle(&scene.job, &doubtful).await?;
    let mut made = scene.job.ports.store.resources(scene.batch.id).await?;
    made.retain(|resource| resource.origin == Origin::Created && !resource.undone);
    for resource in made.iter().filter(|made| is_of(made, &doubtful)) {
        for id in doubles(scene, resource).await? {
            let write = deletion(scene.api.as_ref(), resource.kind, id, &resource.name, None);
            scene.journal.ensure(&write).await?;
            let text = format!(
                "{} `{}` #{id} was a double of #{} from a lost answer; deleted",
                resource.kind, resource.name, resource.host_resource_id
            );
            scene.event(None, "double_swept", text).await?;
        }
    }
    Ok(())
}

fn is_of(resource: &BatchResource, steps: &[JournalRow]) -> bool {
    steps
        .iter()
        .any(|row| row.resource == resource.kind && row.target == resource.name)
}

/// Rows of the same name that are not the recorded one.
async fn doubles(scene: &Scene, resource: &BatchResource) -> Outcome<Vec<RemoteId>> {
    let mut ids: Vec<RemoteId> = match resource.kind {
        ResourceKind::Account => {
            let accounts = scene.api.accounts_named(&resource.name).await?;
            accounts.iter().map(|account| account.id).collect()
        }
        ResourceKind::Plan => {
            let group = resource.recorded.get("group_id").cloned();
            let offers = scene.api.offers().await?;
            offers
                .iter()
                .filter(|offer| offer.spec.name == resource.name)
                .filter(|offer| serde_json::to_value(offer.spec.group_id).ok() == group)
                .map(|offer| offer.id)
                .collect()
        }
        _ => Vec::new(),
    };
    ids.retain(|id| *id != resource.host_resource_id);
    Ok(ids)
}
