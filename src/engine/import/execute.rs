//! The import itself, in its fixed order: frame, keys, replacement, access, proof, words. Every
//! part finds what an earlier run did, so that a resume is the same walk.

use super::canary;
use super::carry::carry_all;
use super::frame::frame;
use super::judge::{direct_look, reachable};
use super::park::{may_replace, park_failed, park_older, wake_older, wake_own};
use super::scene::Scene;
use super::sweep::sweep;
use crate::access::{GatewayLook, close, conversations, is_ready, own_accounts, prove, told};
use crate::failure::Outcome;
use crate::rollback;
use crate::view::{Whose, read_view_of};
use cockpit_domain::batch::{
    AccessMode, AccountStatus, Batch, BatchKind, BatchStatus, GatewayEvidence, ImportMode, Item,
    UpstreamEvidence,
};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::{HostView, classify, final_words};
use cockpit_domain::inventory::ApiKey;
use cockpit_domain::secret::Secret;

/// `effective_key_source` where a caller's own key was proven.
pub(crate) const USER_KEY: &str = "user_key";

/// Walks the whole import. An error leaves the batch to be resumed.
pub(super) async fn execute(scene: &Scene, view: Option<HostView>) -> Outcome<Batch> {
    let view = match view {
        Some(view) => view,
        None => {
            let whose = scene.caller.as_ref().map_or(Whose::Managed, Whose::Caller);
            read_view_of(scene.api.as_ref(), &scene.plan.request.pack.id, whose).await?
        }
    };
    let group = frame(scene, &view).await?;
    if scene.batch.kind == BatchKind::Access {
        return prepared(scene, group).await;
    }
    let first = canary::of(scene);
    let items = carry_all(scene, group, first.as_deref()).await?;
    sweep(scene).await?;
    let statuses: Vec<AccountStatus> = items
        .iter()
        .filter_map(|item| item.account_status)
        .collect();
    let request = &scene.plan.request;
    let early = final_words(&statuses, None, request.mode, request.access);
    let mut batch = crate::batches::load(&scene.job, scene.batch.id).await?;
    let of_status = |failed: bool| {
        let found = items
            .iter()
            .find(|item| (item.account_status == Some(AccountStatus::Failed)) == failed);
        key_of(scene, found.or(items.first()))
    };
    let strict = request.mode == ImportMode::Strict;
    if early.undo && (first.is_none() || strict) {
        // The evidence is about a key that failed.
        batch.upstream = direct_look(scene, of_status(true)).await?;
        return take_back(scene, batch, &statuses).await;
    }
    park_failed(scene, &items).await?;
    if early.undo {
        // None of the first keys serves; the others may yet, if a person says so.
        batch.upstream = direct_look(scene, of_status(true)).await?;
        return canary::stop(scene, batch, &statuses, None).await;
    }
    wake_own(scene, &items).await?;
    if first.is_none() && may_replace(&items) {
        park_older(scene, &view).await?;
    }
    let key = close(scene, group).await?;
    proven_with(scene, &mut batch, &key);
    scene.job.ports.store.save_batch(&batch).await?;
    batch.gateway = verdict(scene, &key, group, &items, batch.last_write_ms).await?;
    let ready = is_ready(&batch.gateway);
    if !ready {
        reachable(scene).await?;
        wake_older(scene).await?;
    }
    scene
        .job
        .say("asking the upstream directly, from the host's machine");
    batch.upstream = direct_look(scene, of_status(false)).await?;
    if first.is_some() {
        return canary::stop(scene, batch, &statuses, Some(ready)).await;
    }
    finish(scene, batch, &statuses, Some(ready)).await
}

/// The key of an item; the plan's first one for none.
fn key_of<'a>(scene: &'a Scene, item: Option<&Item>) -> &'a Secret {
    let at = item.and_then(|item| {
        let mut planned = scene.plan.items.iter();
        planned.position(|planned| planned.fingerprint == item.fingerprint)
    });
    &scene.keys[at.unwrap_or(0)]
}

/// Writes down whose key the batch goes by.
fn proven_with(scene: &Scene, batch: &mut Batch, key: &ApiKey) {
    let request = &scene.plan.request;
    batch.last_write_ms = scene.job.now_ms();
    batch.effective_key_source = match (&request.user_key, request.access) {
        (Some(_), _) => USER_KEY,
        (None, AccessMode::Subscription) => "managed_subscription",
        (None, AccessMode::SelfService) => "managed_self_service",
    }
    .to_owned();
    batch.key_fingerprint = Some(key.key.fingerprint());
}

/// Access without accounts of its own: the same closure, and no verdict. The user's password is
/// derived from this installation's own key, so there is nothing to hand out or to lose.
async fn prepared(scene: &Scene, group: RemoteId) -> Outcome<Batch> {
    sweep(scene).await?;
    let key = close(scene, group).await?;
    let mut batch = crate::batches::load(&scene.job, scene.batch.id).await?;
    proven_with(scene, &mut batch, &key);
    batch.batch_status = BatchStatus::Succeeded;
    batch.updated_ms = scene.job.now_ms();
    scene.job.ports.store.save_batch(&batch).await?;
    let told = format!(
        "access is prepared; user key #{} {}",
        key.id,
        key.key.masked()
    );
    scene.event(None, "finished", told).await?;
    Ok(batch)
}

async fn verdict(
    scene: &Scene,
    key: &ApiKey,
    group: RemoteId,
    items: &[Item],
    last_write_ms: i64,
) -> Outcome<GatewayEvidence> {
    scene.job.say("asking the gateway with an ordinary key");
    let failed: Vec<RemoteId> = items
        .iter()
        .filter(|item| item.account_status == Some(AccountStatus::Failed))
        .filter_map(|item| item.account_id)
        .collect();
    let resources = scene.job.ports.store.resources(scene.batch.id).await?;
    let ours: Vec<RemoteId> = own_accounts(&resources)
        .into_iter()
        .filter(|id| !failed.contains(id))
        .collect();
    prove(&GatewayLook {
        job: &scene.job,
        api: scene.api.as_ref(),
        host: &scene.host,
        key,
        model: &scene.plan.request.pack.smoke_model,
        ours: &ours,
        last_write_ms,
        conversations: conversations(scene.api.as_ref(), group, &ours).await?,
    })
    .await
}

/// Nothing usable, or strict with a failure: own work is undone, evidence stays.
async fn take_back(scene: &Scene, batch: Batch, statuses: &[AccountStatus]) -> Outcome<Batch> {
    scene
        .event(
            None,
            "taking_back",
            "the keys do not pass: this batch's own work is undone",
        )
        .await?;
    rollback::undo_own(scene).await?;
    finish(scene, batch, statuses, None).await
}

async fn finish(
    scene: &Scene,
    mut batch: Batch,
    statuses: &[AccountStatus],
    ready: Option<bool>,
) -> Outcome<Batch> {
    let request = &scene.plan.request;
    let words = final_words(statuses, ready, request.mode, request.access);
    batch.batch_status = words.batch;
    batch.canary = 0;
    batch.provider_status_from_import = words.provider;
    batch.access_status = Some(words.access);
    batch.latest_access_status = Some(words.access);
    // A gateway that was never asked cannot lag behind its upstream.
    let asked = batch.gateway.tries > 0 || batch.upstream.upstream_chat_status != 200;
    batch.completion_classification =
        asked.then(|| classify(batch.gateway.completion_ok, &batch.upstream));
    batch.updated_ms = scene.job.now_ms();
    batch.reason = why(&batch, statuses, ready);
    scene.job.ports.store.save_batch(&batch).await?;
    let told = format!(
        "{}{}",
        batch.batch_status,
        if batch.reason.is_empty() {
            String::new()
        } else {
            format!(": {}", batch.reason)
        }
    );
    scene.event(None, "finished", told).await?;
    scene.job.ports.store.wipe_plan_keys(batch.plan).await?;
    Ok(batch)
}

/// One sentence on why it is not a plain success.
pub(super) fn why(batch: &Batch, statuses: &[AccountStatus], ready: Option<bool>) -> String {
    let failed = statuses
        .iter()
        .filter(|status| **status == AccountStatus::Failed)
        .count();
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(format!("{failed} of {} key(s) failed", statuses.len()));
    }
    if ready == Some(false) {
        parts.push(told(&batch.gateway));
    }
    if !parts.is_empty()
        && batch.upstream != UpstreamEvidence::default()
        && batch.upstream.upstream_chat_status != 200
    {
        parts.push(format!(
            "asked directly the upstream answers {}: {}",
            batch.upstream.upstream_chat_status, batch.upstream.upstream_chat_preview
        ));
    }
    parts.join("; ")
}
