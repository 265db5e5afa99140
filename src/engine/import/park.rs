//! Parking older accounts and waking them again; never deleting (`product.md` 4.6).

use super::scene::Scene;
use super::writes::{ParkAccount, UnparkAccount};
use crate::failure::Outcome;
use crate::journal::RemoteWrite;
use cockpit_domain::batch::{AccountStatus, Item};
use cockpit_domain::import::HostView;
use cockpit_domain::journal::StepKind;
use cockpit_domain::plan::Sign;
use cockpit_domain::resource::{Origin, ResourceKind};
use serde_json::json;
use std::collections::BTreeSet;

/// Whether the new keys are good enough to take the older ones out of service: every one passed,
/// or forgiven with a direct chat of 200.
pub(super) fn may_replace(items: &[Item]) -> bool {
    !items.is_empty()
        && items.iter().all(|item| match item.account_status {
            Some(AccountStatus::Passed) => true,
            Some(AccountStatus::Warning) => {
                item.probe_advisory && item.upstream.upstream_chat_status == 200
            }
            _ => false,
        })
}

/// Parks what the plan said, but for what somebody else switched off or took away before this run:
/// that is theirs, and never ours to switch on again.
pub(super) async fn park_older(scene: &Scene, view: &HostView) -> Outcome<usize> {
    let older = scene
        .plan
        .changes
        .iter()
        .filter(|change| change.sign == Sign::Remove && change.kind == ResourceKind::Account);
    let mut parked = 0;
    for change in older {
        let Some(id) = change.host_resource_id else {
            continue;
        };
        let park = ParkAccount {
            scene,
            id,
            name: change.name.clone(),
            older: true,
        };
        let begun = scene
            .journal
            .last(StepKind::ParkAccount, &park.write().target);
        let serves = (view.accounts.iter()).any(|row| row.id == id && row.schedulable);
        if begun.is_none() && !serves {
            let text = format!(
                "{} #{id} is out of service already, and not by this batch",
                change.name
            );
            scene.event(None, "older_left", text).await?;
            continue;
        }
        scene.journal.ensure(&park).await?;
        parked += 1;
    }
    if parked > 0 {
        scene
            .event(
                None,
                "older_parked",
                format!("{parked} older account(s) parked"),
            )
            .await?;
    }
    Ok(parked)
}

/// Takes our own failed keys out of scheduling: failover would hide them (`product.md` 4.5).
pub(super) async fn park_failed(scene: &Scene, items: &[Item]) -> Outcome<()> {
    let store = &scene.job.ports.store;
    let held = store.resources(scene.batch.id).await?;
    for item in items
        .iter()
        .filter(|item| item.account_status == Some(AccountStatus::Failed))
    {
        let Some(id) = item.account_id else { continue };
        let park = ParkAccount {
            scene,
            id,
            name: item.account_name.clone(),
            older: false,
        };
        scene.journal.ensure(&park).await?;
        let ours = held
            .iter()
            .find(|row| row.kind == ResourceKind::Account && row.host_resource_id == id);
        if let Some(mut resource) = ours.cloned() {
            resource.recorded["schedulable"] = false.into();
            store.record(&resource).await?;
        }
    }
    Ok(())
}

/// Makes our own accounts schedulable that were found parked and whose keys pass now: an earlier
/// import took them out of service, or a person did and the plan said so.
pub(super) async fn wake_own(scene: &Scene, items: &[Item]) -> Outcome<()> {
    let parked: BTreeSet<&str> = scene
        .plan
        .changes
        .iter()
        .filter(|change| change.kind == ResourceKind::Account)
        .filter(|change| {
            change
                .fields
                .iter()
                .any(|field| field.field == "schedulable")
        })
        .map(|change| change.name.as_str())
        .collect();
    let woken = items.iter().filter(|item| {
        item.account_status != Some(AccountStatus::Failed)
            && parked.contains(item.account_name.as_str())
    });
    let mut held = None;
    for item in woken {
        let Some(id) = item.account_id else { continue };
        let store = &scene.job.ports.store;
        if held.is_none() {
            held = Some(store.resources(scene.batch.id).await?);
        }
        let ours = held
            .iter()
            .flatten()
            .find(|row| row.kind == ResourceKind::Account && row.host_resource_id == id);
        if let Some(mut resource) = ours.cloned() {
            // Recorded before it is sent: also what a lost answer did is put back.
            resource.recorded["schedulable"] = true.into();
            if resource.origin != Origin::Created {
                resource.origin = Origin::Corrected;
                if resource.before.is_null() {
                    resource.before = json!({});
                }
                resource.before["schedulable"] = false.into();
            }
            store.record(&resource).await?;
        }
        let (api, name) = (scene.api.as_ref(), item.account_name.clone());
        scene
            .journal
            .ensure(&UnparkAccount { api, id, name })
            .await?;
    }
    Ok(())
}

/// Wakes everything this batch parked, because its own work did not prove itself.
pub(super) async fn wake_older(scene: &Scene) -> Outcome<usize> {
    let parked: Vec<_> = scene
        .job
        .ports
        .store
        .resources(scene.batch.id)
        .await?
        .into_iter()
        .filter(|resource| resource.origin == Origin::Parked && !resource.undone)
        .collect();
    for resource in &parked {
        let (id, name) = (resource.host_resource_id, resource.name.clone());
        scene
            .journal
            .ensure(&UnparkAccount {
                api: scene.api.as_ref(),
                id,
                name,
            })
            .await?;
        scene
            .job
            .ports
            .store
            .mark_undone(scene.batch.id, resource.kind, id)
            .await?;
    }
    if !parked.is_empty() {
        let text = format!(
            "{} older account(s) made schedulable again: the new ones are not proven",
            parked.len()
        );
        scene.event(None, "older_unparked", text).await?;
    }
    Ok(parked.len())
}
