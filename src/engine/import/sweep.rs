//! Doubles after lost answers. A request whose answer was lost may commit late, after a replay
//! made the same thing again; accounts and offers have no unique names to stop it
//! (`host-contract.md` 2.4, traps 14, 31). What carries our deterministic name and is not the one
//! we recorded is such a double.

use super::scene::Scene;
use super::writes::deletion;
use crate::failure::Outcome;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::resource::{Origin, ResourceKind};

/// Removes doubles of what this batch made. Does nothing when no answer was ever lost.
pub(super) async fn sweep(scene: &Scene) -> Outcome<()> {
    if !scene.journal.had_lost_answers() {
        return Ok(());
    }
    let made: Vec<_> = scene
        .job
        .ports
        .store
        .resources(scene.batch.id)
        .await?
        .into_iter()
        .filter(|resource| resource.origin == Origin::Created && !resource.undone)
        .collect();
    for resource in made {
        let same_name: Vec<RemoteId> = match resource.kind {
            ResourceKind::Account => scene
                .api
                .accounts_named(&resource.name)
                .await?
                .iter()
                .map(|account| account.id)
                .collect(),
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
            _ => continue,
        };
        for id in same_name
            .into_iter()
            .filter(|id| *id != resource.host_resource_id)
        {
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
