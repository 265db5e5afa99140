//! What a user of a standard group needs: money, and leave to bind a key where the group is
//! exclusive. What was there is kept for the way back; a resume keeps what the first run found.

use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::{AllowGroup, Scene, SetBalance};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::{STARTING_BALANCE, usd};
use cockpit_domain::inventory::User;
use cockpit_domain::journal::StepKind;
use cockpit_domain::resource::{Origin, ResourceKind};
use serde_json::{Value, json};

/// Makes both true.
pub(super) async fn ensure(scene: &Scene, user: &User, group: RemoteId) -> Outcome<()> {
    let last = |kind| scene.journal.last(kind, &user.email);
    let (allowed, paid) = (last(StepKind::AllowGroup), last(StepKind::SetBalance));
    let shut = scene.plan.request.prepare && is_shut(scene, user, group).await?;
    let lets_in = allowed.is_some() || shut;
    let pays = paid.is_some() || !scene.plan.request.can_pay(user.balance);
    if !lets_in && !pays {
        return Ok(());
    }
    let held = scene.job.ports.store.resources(scene.batch.id).await?;
    let made = held.iter().any(|row| {
        row.kind == ResourceKind::User
            && row.host_resource_id == user.id
            && row.origin == Origin::Created
    });
    // One before-image for both: a stop between them loses neither way back.
    let before = allowed.or(paid).map_or_else(
        || as_found(user, lets_in.then_some(group), pays),
        |row| row.before,
    );
    if lets_in {
        let write = AllowGroup {
            scene,
            user,
            group,
            before: before.clone(),
            made,
        };
        scene.journal.ensure(&write).await?;
    }
    if pays {
        pay(scene, user, before, made).await?;
    }
    Ok(())
}

fn as_found(user: &User, group: Option<RemoteId>, pays: bool) -> Value {
    let mut before = json!({});
    if let Some(group) = group {
        before["granted"] = json!(group);
        before["allowed_groups"] = json!(user.allowed_groups);
    }
    if pays {
        before["balance"] = json!(user.balance);
    }
    before
}

async fn is_shut(scene: &Scene, user: &User, id: RemoteId) -> Outcome<bool> {
    if user.allowed_groups.contains(&id) {
        return Ok(false);
    }
    let groups = scene.api.groups().await?;
    let mut groups = groups.iter();
    Ok(groups.any(|group| group.id == id && group.spec.is_exclusive))
}

async fn pay(scene: &Scene, user: &User, before: Value, made: bool) -> Outcome<()> {
    let write = SetBalance {
        scene,
        user,
        before,
        made,
    };
    let paid = scene.journal.ensure(&write).await?;
    if scene.plan.request.can_pay(paid.balance) {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Remote,
        format!(
            "user `{}` #{} has a balance of {} after it was set to {}",
            user.email,
            user.id,
            usd(paid.balance),
            usd(STARTING_BALANCE)
        ),
    )
    .doing("closing access")
    .hint("set it in the host's panel and resume"))
}
