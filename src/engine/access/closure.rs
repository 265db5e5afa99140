//! The managed closure: one ordinary user per host and provider, subscribed or with a balance, and
//! with a key of its own (`product.md` 4, access closure; order: `host-contract.md` trap 8). Where a
//! caller's own key is to be proven its owner takes the user's place, and no key is made.

use super::login::log_in_as_managed;
use super::user;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::Scene;
use crate::import::{
    AssignSubscription, BindKey, CreateKey, CreateUser, ExtendSubscription, RevokeSubscription,
    key_target,
};
use crate::ports::{HostApi, Session};
use cockpit_domain::batch::AccessMode;
use cockpit_domain::ids::{HostId, PackId, RemoteId};
use cockpit_domain::import::{managed_email, managed_password, subscription_notes};
use cockpit_domain::inventory::{ApiKey, NewUser, Standing, Subscription, SubscriptionSpec, User};
use cockpit_domain::journal::{JournalRow, StepKind};
use cockpit_domain::plan::Sign;
use cockpit_domain::recorded;
use cockpit_domain::resource::ResourceKind;
use cockpit_domain::secret::Secret;
use serde_json::json;

/// Makes user, subscription or balance, and key true, and returns the key.
pub(crate) async fn close(scene: &Scene, group: RemoteId) -> Outcome<ApiKey> {
    if let Some(key) = &scene.caller {
        return close_for_caller(scene, key, group).await;
    }
    let request = &scene.plan.request;
    let email = managed_email(&request.pack.id);
    let password = managed_password(&scene.local, &request.host, &request.pack.id);
    scene.job.say("closing access: managed user");
    let user = ensure_user(scene, &email, &password).await?;
    match request.access {
        AccessMode::Subscription => {
            scene.job.say("closing access: subscription");
            ensure_subscription(scene, &user, group).await?;
        }
        AccessMode::SelfService => {
            scene.job.say("closing access: balance");
            user::ensure(scene, &user, group).await?;
        }
    }
    scene.job.say("closing access: managed key");
    if let Some(key) = left_by_earlier(scene, &user).await? {
        let recorded = recorded::of_key(&key);
        scene
            .adopt(ResourceKind::Key, key.id, &key.name, recorded)
            .await?;
        return Ok(key);
    }
    let (job, api) = (&scene.job, scene.api.as_ref());
    let session = log_in_as_managed(job, api, &scene.journal, (user.id, email), password).await?;
    scene
        .journal
        .ensure(&CreateKey {
            scene,
            session,
            group,
        })
        .await
}

/// The managed key of an earlier import that the plan proves with. Nobody logs in for it.
async fn left_by_earlier(scene: &Scene, user: &User) -> Outcome<Option<ApiKey>> {
    let mut changes = scene.plan.changes.iter();
    let kept = changes.find(|row| row.kind == ResourceKind::Key && row.sign == Sign::Keep);
    let Some(id) = kept.and_then(|row| row.host_resource_id) else {
        return Ok(None);
    };
    let keys = scene.api.user_keys(user.id).await?;
    let key = keys.into_iter().find(|key| key.id == id);
    key.map(Some).ok_or_else(|| {
        Failure::new(
            FailureKind::Conflict,
            format!("managed key #{id} is gone since the plan was made"),
        )
        .doing("closing access")
        .hint("roll the batch back and plan again")
    })
}

async fn ensure_user(scene: &Scene, email: &str, password: &Secret) -> Outcome<User> {
    // One that this batch never asked for was there before, for an earlier run as well.
    let asked = scene.journal.last(StepKind::CreateUser, email);
    if asked.is_none()
        && let Some(user) = scene.api.user_by_email(email).await?
    {
        scene
            .adopt(ResourceKind::User, user.id, email, recorded::of_user(&user))
            .await?;
        return Ok(user);
    }
    let new = NewUser {
        email: email.to_owned(),
        password: password.clone(),
        balance: 0.0,
        allowed_groups: Vec::new(),
    };
    scene.journal.ensure(&CreateUser { scene, new }).await
}

async fn ensure_subscription(scene: &Scene, user: &User, group: RemoteId) -> Outcome<()> {
    let held = scene.job.ports.store.resources(scene.batch.id).await?;
    let ours = |id| {
        held.iter()
            .any(|row| row.kind == ResourceKind::Subscription && row.host_resource_id == id)
    };
    let found = scene
        .api
        .subscriptions(user.id)
        .await?
        .into_iter()
        .find(|row| row.group_id == group);
    let assigned_before = scene
        .journal
        .last(StepKind::AssignSubscription, &user.email)
        .is_some();
    let row = match found {
        // A managed user's suspended right: an extension would leave it suspended, and an assign
        // conflicts with it.
        Some(row) if stands(&row, scene)? == Standing::Suspended => {
            if scene.caller.is_some() {
                return Err(suspended(&row));
            }
            let name = user.email.clone();
            scene
                .journal
                .ensure(&RevokeSubscription { scene, row, name })
                .await?;
            assign(scene, user, group).await?
        }
        Some(row) if !assigned_before => {
            // What has run out is corrected below; the rest is taken over as it is.
            let extending = (scene.journal)
                .last(StepKind::ExtendSubscription, &user.email)
                .is_some_and(|row| row.is_open());
            if !ours(row.id) && !extending && stands(&row, scene)? == Standing::Alive {
                let recorded = recorded::of_subscription(&row);
                scene
                    .adopt(ResourceKind::Subscription, row.id, &user.email, recorded)
                    .await?;
            }
            row
        }
        _ => assign(scene, user, group).await?,
    };
    // An extension whose answer was lost may have taken effect: what it found first is its
    // before-image.
    let tried = scene
        .journal
        .last(StepKind::ExtendSubscription, &user.email)
        .filter(JournalRow::is_open);
    let was = tried
        .as_ref()
        .and_then(|row| row.before["expires_at"].as_str());
    // Assigning an expired row answers 200 with the expired row (trap 7): the date decides.
    let standing = stands(&row, scene)?;
    if was.is_some() || matches!(standing, Standing::Over | Standing::OverThere) {
        if standing == Standing::OverThere {
            let text = format!(
                "subscription #{} {}: the two clocks differ, `cockpit doctor` says by how much; it is extended",
                row.id,
                row.over_there()
            );
            scene.event(None, "clocks_differ", text).await?;
        }
        let mut row = row;
        if let Some(was) = was {
            was.clone_into(&mut row.expires_at);
        }
        let extended = scene
            .journal
            .ensure(&ExtendSubscription {
                scene,
                row,
                days: scene.plan.request.pack.subscription.validity_days,
                name: user.email.clone(),
            })
            .await?;
        match stands(&extended, scene)? {
            Standing::Alive => {}
            Standing::OverThere => return Err(still_over_there(&extended)),
            Standing::Over | Standing::Suspended => {
                return Err(Failure::new(
                    FailureKind::Remote,
                    format!(
                        "subscription #{} is over since {} and could not be extended",
                        extended.id, extended.expires_at
                    ),
                )
                .doing("closing access")
                .hint("revoke it in the host's panel and resume"));
            }
        }
    }
    Ok(())
}

async fn assign(scene: &Scene, user: &User, group: RemoteId) -> Outcome<Subscription> {
    let pack = &scene.plan.request.pack;
    let spec = SubscriptionSpec {
        user_id: user.id,
        group_id: group,
        validity_days: pack.subscription.validity_days,
        notes: subscription_notes(&pack.id),
    };
    let name = user.email.clone();
    scene
        .journal
        .ensure(&AssignSubscription { scene, spec, name })
        .await
}

/// An extension that ends before the host's clock says now.
fn still_over_there(row: &Subscription) -> Failure {
    Failure::new(
        FailureKind::Remote,
        format!("subscription #{} {}", row.id, row.over_there()),
    )
    .doing("closing access")
    .hint("set the clock of the host's machine (`cockpit doctor` says how far it is off), then resume")
}

fn suspended(row: &Subscription) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        format!(
            "subscription #{} of the key's owner is {}",
            row.id, row.status
        ),
    )
    .doing("closing access")
    .hint("somebody took this right away: ask who runs the host; the plan does not overrule it")
}

/// The caller's own key: its owner gets the right, this very key is bound. Falling back to a managed
/// key is forbidden, so whatever is missing ends it.
async fn close_for_caller(scene: &Scene, key: &Secret, group: RemoteId) -> Outcome<ApiKey> {
    scene.job.say("closing access: the caller's own key");
    let found = scene.api.key_owner(key).await?;
    let Some((user, key)) = found else {
        return Err(Failure::new(
            FailureKind::Conflict,
            "the host no longer holds the caller's key",
        )
        .doing("closing access")
        .hint("no managed key is made in its place; roll the batch back and plan again"));
    };
    let recorded = recorded::of_user(&user);
    scene
        .adopt(ResourceKind::User, user.id, &user.email, recorded)
        .await?;
    match scene.plan.request.access {
        AccessMode::Subscription => {
            scene.job.say("closing access: subscription");
            ensure_subscription(scene, &user, group).await?;
        }
        // Only a plan that prepares access says that it gives somebody else something.
        AccessMode::SelfService if scene.plan.request.prepare => {
            user::ensure(scene, &user, group).await?;
        }
        AccessMode::SelfService => {}
    }
    let tried = scene.journal.last(StepKind::BindKey, &key_target(&key));
    if tried.is_none() && key.group_id == Some(group) {
        let recorded = recorded::of_key(&key);
        scene
            .adopt(ResourceKind::Key, key.id, &key.name, recorded)
            .await?;
        return Ok(key);
    }
    let as_found = || json!({"user_id": key.user_id, "group_id": key.group_id});
    let before = tried.map_or_else(as_found, |row| row.before);
    scene
        .journal
        .ensure(&BindKey {
            scene,
            key: &key,
            group,
            before,
        })
        .await
}

fn stands(row: &Subscription, scene: &Scene) -> Outcome<Standing> {
    row.standing(scene.job.now_ms()).ok_or_else(|| {
        Failure::new(
            FailureKind::Remote,
            format!("the host gave `{}` as an expiry date", row.expires_at),
        )
        .doing("reading a subscription")
        .hint("the host's version may differ; `cockpit doctor` shows it")
    })
}

/// A session of the managed user, for looks that only tell.
pub(crate) async fn managed_session(
    api: &dyn HostApi,
    local: &Secret,
    host: &HostId,
    provider: &PackId,
) -> Outcome<Session> {
    let password = managed_password(local, host, provider);
    api.login(&managed_email(provider), &password).await
}
