//! The frame of an import: group, channel and offer, each made, taken over or corrected as the plan
//! says. What somebody made since under its name is taken over by a resume where it is all that the
//! plan would make, and by nobody else.

use super::scene::Scene;
use super::writes::{CorrectChannel, CreateChannel, CreateGroup, CreateOffer};
use crate::failure::{Failure, FailureKind, Outcome};
use cockpit_domain::batch::AccessMode;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::HostView;
use cockpit_domain::inventory::{Channel, Group, GroupLimits, OfferSpec};
use cockpit_domain::journal::{JournalRow, StepKind};
use cockpit_domain::plan::{Sign, diff_fields};
use cockpit_domain::recorded;
use cockpit_domain::resource::{Origin, ResourceKind};
use serde_json::json;

/// Makes the frame true and gives its group.
pub(super) async fn frame(scene: &Scene, view: &HostView) -> Outcome<RemoteId> {
    scene.job.say("group, channel and plan");
    let group = group(scene, view).await?;
    channel(scene, view, group).await?;
    if scene.plan.request.access == AccessMode::Subscription {
        offer(scene, view, group).await?;
    }
    Ok(group)
}

async fn group(scene: &Scene, view: &HostView) -> Outcome<RemoteId> {
    let spec = scene.plan.request.group_spec();
    let stored = match planned_id(scene, ResourceKind::Group) {
        Some(id) => {
            let found = view.groups.iter().find(|group| group.id == id);
            Some(found.ok_or_else(|| gone("group", id))?)
        }
        None if scene.journal.asked(StepKind::CreateGroup, &spec.name) => None,
        None => view.group(&spec.name).filter(|row| is_planned(scene, row)),
    };
    let Some(stored) = stored else {
        let made = scene.journal.ensure(&CreateGroup { scene, spec }).await?;
        return Ok(made.id);
    };
    let (id, name) = (stored.id, &stored.spec.name);
    scene
        .adopt(ResourceKind::Group, id, name, recorded::of_group(stored))
        .await?;
    Ok(id)
}

/// Whether a group is what the plan would make.
fn is_planned(scene: &Scene, row: &Group) -> bool {
    let wanted = scene.plan.request.group_spec();
    (row.status.as_str(), &row.spec, row.limits) == ("active", &wanted, GroupLimits::default())
}

async fn channel(scene: &Scene, view: &HostView, group: RemoteId) -> Outcome<()> {
    let request = &scene.plan.request;
    if let Some(id) = planned_id(scene, ResourceKind::Channel) {
        return correct_channel(scene, view, id, group).await;
    }
    let spec = request.channel_spec(group);
    let mut rows = view.channels.iter();
    let there = rows.find(|row| row.spec.name == spec.name);
    let nothing_to_correct = |row: &&Channel| {
        let wanted = request.corrected_channel(row, group);
        row.status == "active" && diff_fields(&json!(row.spec), &json!(wanted)).is_empty()
    };
    match there.filter(nothing_to_correct) {
        Some(row) if !scene.journal.asked(StepKind::CreateChannel, &spec.name) => {
            let recorded = recorded::of_channel(row);
            let name = &row.spec.name;
            scene
                .adopt(ResourceKind::Channel, row.id, name, recorded)
                .await
        }
        _ => {
            let made = scene.journal.ensure(&CreateChannel { scene, spec }).await;
            made.map(drop)
        }
    }
}

async fn offer(scene: &Scene, view: &HostView, group: RemoteId) -> Outcome<()> {
    let template = &scene.plan.request.pack.subscription;
    let stored = match planned_id(scene, ResourceKind::Plan) {
        Some(id) => {
            let found = view.offers.iter().find(|offer| offer.id == id);
            Some(found.ok_or_else(|| gone("plan", id))?)
        }
        None if scene.journal.asked(StepKind::CreatePlan, &template.plan) => None,
        // A second one of its name would only confuse.
        None => {
            let mut rows = view.offers.iter();
            rows.find(|row| row.spec.name == template.plan && row.spec.group_id == group)
        }
    };
    if let Some(stored) = stored {
        let (name, recorded) = (&stored.spec.name, recorded::of_offer(stored));
        return scene
            .adopt(ResourceKind::Plan, stored.id, name, recorded)
            .await;
    }
    let spec = OfferSpec {
        name: template.plan.clone(),
        group_id: group,
        price: template.price,
        validity_days: template.validity_days,
        for_sale: false,
    };
    let made = scene.journal.ensure(&CreateOffer { scene, spec }).await;
    made.map(drop)
}

/// The id of what the plan found on the host, `None` when it is to be made.
fn planned_id(scene: &Scene, kind: ResourceKind) -> Option<RemoteId> {
    scene
        .plan
        .changes
        .iter()
        .find(|change| change.kind == kind && matches!(change.sign, Sign::Keep | Sign::Change))
        .and_then(|change| change.host_resource_id)
}

fn gone(what: &str, id: RemoteId) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        format!("{what} #{id} is gone since the plan was made"),
    )
    .hint("roll the batch back and plan again")
}

async fn correct_channel(
    scene: &Scene,
    view: &HostView,
    id: RemoteId,
    group: RemoteId,
) -> Outcome<()> {
    let stored = view
        .channels
        .iter()
        .find(|channel| channel.id == id)
        .ok_or_else(|| gone("channel", id))?;
    let spec = scene.plan.request.corrected_channel(stored, group);
    let held = scene.job.ports.store.resources(scene.batch.id).await?;
    let corrected = held.iter().any(|row| {
        row.kind == ResourceKind::Channel
            && row.host_resource_id == id
            && row.origin == Origin::Corrected
    });
    if corrected {
        return Ok(());
    }
    // An earlier run may have corrected it without learning so: then what it found first is the
    // before-image, and what stands there now is our own work, not somebody's to adopt.
    let tried = scene.journal.last(StepKind::CorrectChannel, &spec.name);
    let tried = tried.filter(JournalRow::is_open);
    if tried.is_none() && diff_fields(&json!(stored.spec), &json!(spec)).is_empty() {
        return scene
            .adopt(
                ResourceKind::Channel,
                id,
                &stored.spec.name,
                recorded::of_channel(stored),
            )
            .await;
    }
    let before = tried.map_or_else(|| recorded::of_channel(stored), |row| row.before);
    scene
        .journal
        .ensure(&CorrectChannel {
            scene,
            id,
            spec,
            before,
        })
        .await?;
    Ok(())
}
