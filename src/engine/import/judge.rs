//! Judging one key by itself: the host's account test with the smoke model, and a direct look at
//! the upstream with that very key, from the host's machine.

use super::scene::Scene;
use super::writes::TestAccount;
use crate::failure::{FailureKind, Outcome};
use crate::model_calls;
use crate::ports::{AccountTest, Vantage};
use cockpit_domain::batch::{AccountStatus, Item, ItemStage, UpstreamEvidence};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::judge_key;
use cockpit_domain::secret::Secret;
use cockpit_domain::text::shorten;

/// Judges and saves an item.
pub(super) async fn judge(
    scene: &Scene,
    item: &mut Item,
    account: RemoteId,
    key: &Secret,
) -> Outcome<()> {
    let pack = &scene.plan.request.pack;
    item.stage = ItemStage::Validate;
    scene.job.ports.store.save_item(item).await?;
    let asked = TestAccount {
        scene,
        id: account,
        name: item.account_name.clone(),
        model: pack.smoke_model.clone(),
    };
    let mut test = scene.journal.ensure(&asked).await?;
    if matches!(test, AccountTest::Unfinished(_)) {
        // Cut off by the host or by our own way to it? Only a second time speaks of the key.
        reachable(scene).await?;
        test = scene.journal.ensure(&asked).await?;
    }
    let reason = match &test {
        AccountTest::Passed => None,
        AccountTest::Failed(why) => Some(why.clone()),
        AccountTest::Unfinished(last) => Some(format!(
            "the account test ended without a verdict, last seen: {last}"
        )),
    };
    item.upstream = match &reason {
        // The upstream's own list costs nothing and changes nothing.
        None => models_look(scene, key).await?,
        Some(_) => direct_look(scene, key).await?,
    };
    if reason.is_some() && item.upstream.upstream_chat_status == 0 {
        // Silence may be ours: then it is no word about this key.
        reachable(scene).await?;
        item.upstream = direct_look(scene, key).await?;
    }
    let judgement = judge_key(reason.as_deref(), &item.upstream);
    item.account_status = Some(judgement.status);
    item.probe_ok = judgement.probe_ok;
    item.probe_advisory = judgement.probe_advisory;
    item.validation_status = judgement.status.as_str().to_owned();
    item.account_probe_summary = shorten(&judgement.summary, 400);
    item.stage = ItemStage::Done;
    scene.job.ports.store.save_item(item).await?;
    let kind = if judgement.status == AccountStatus::Failed {
        "key_failed"
    } else {
        "key_judged"
    };
    scene
        .event(
            Some(item.id),
            kind,
            format!(
                "{} {}: {}",
                item.key, judgement.status, item.account_probe_summary
            ),
        )
        .await
}

/// Fails when the host itself cannot be reached: nothing that was looked at then may be judged.
pub(super) async fn reachable(scene: &Scene) -> Outcome<()> {
    scene.api.identity().await.map(drop)
}

/// The upstream's model list with one key.
async fn models_look(scene: &Scene, key: &Secret) -> Outcome<UpstreamEvidence> {
    let pack = &scene.plan.request.pack;
    let vantage = Vantage::Machine(scene.host.machine.clone());
    let mut evidence = UpstreamEvidence::default();
    match model_calls::models(scene.job.ports.web.as_ref(), &vantage, &pack.base_url, key).await {
        Ok(answer) => evidence.upstream_models_status = answer.status,
        Err(failure) => silence(failure)?,
    }
    Ok(evidence)
}

/// Models and a minimal chat at the upstream, from the host's machine, with one key: what the host
/// would get if it added nothing and lost nothing.
pub(crate) async fn direct_look(scene: &Scene, key: &Secret) -> Outcome<UpstreamEvidence> {
    let pack = &scene.plan.request.pack;
    let vantage = Vantage::Machine(scene.host.machine.clone());
    let mut evidence = models_look(scene, key).await?;
    let model = pack
        .model_mapping
        .get(&pack.smoke_model)
        .unwrap_or(&pack.smoke_model);
    match model_calls::chat(
        scene.job.ports.web.as_ref(),
        &vantage,
        &pack.base_url,
        key,
        model,
        0,
    )
    .await
    {
        Ok(answer) => {
            evidence.upstream_chat_status = answer.status;
            evidence.upstream_chat_type = answer.content_type;
            evidence.upstream_chat_preview = shorten(answer.body.trim(), 300);
        }
        Err(failure) => {
            evidence.upstream_chat_preview = failure.message.clone();
            silence(failure)?;
        }
    }
    Ok(evidence)
}

/// Silence of the upstream is a finding, not a failure of ours; a broken tunnel is ours.
fn silence(failure: crate::failure::Failure) -> Outcome<()> {
    if failure.kind == FailureKind::Unreachable {
        Ok(())
    } else {
        Err(failure)
    }
}
