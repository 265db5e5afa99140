//! One key on its way: account made or taken over, bound, judged.

use super::judge::judge;
use super::scene::Scene;
use super::writes::{BindAccount, CreateAccount};
use crate::failure::{Failure, FailureKind, Outcome};
use cockpit_domain::batch::{Item, ItemStage};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::KeyState;
use cockpit_domain::inventory::{Account, NewAccount};
use cockpit_domain::journal::{JournalRow, StepKind};
use cockpit_domain::recorded;
use cockpit_domain::resource::{Origin, ResourceKind};
use cockpit_domain::secret::Secret;
use serde_json::json;

/// Carries one item to its judgement. An item judged before (by an earlier run) is left.
pub(super) async fn carry(
    scene: &Scene,
    mut item: Item,
    key: &Secret,
    group: RemoteId,
) -> Outcome<Item> {
    if item.stage == ItemStage::Done {
        return Ok(item);
    }
    scene.job.go_on().await?;
    item.stage = ItemStage::Provision;
    item.attempts += 1;
    if item.attempts > 1 {
        let text = format!("{} taken up again, attempt {}", item.key, item.attempts);
        scene.event(Some(item.id), "key_again", text).await?;
    }
    scene.job.ports.store.save_item(&item).await?;
    let account = match own_account(scene, &item).await? {
        Some(account) => account,
        None => {
            scene
                .journal
                .ensure(&CreateAccount {
                    scene,
                    new: new_account(scene, &item, key, group),
                })
                .await?
        }
    };
    if item.account_id.is_none() {
        let text = format!("{} is account #{}", item.key, account.id);
        scene.event(Some(item.id), "account_there", text).await?;
    }
    item.account_id = Some(account.id);
    item.stage = ItemStage::Confirm;
    scene.job.ports.store.save_item(&item).await?;
    confirm_binding(scene, &account, group).await?;
    judge(scene, &mut item, account.id, key).await?;
    Ok(item)
}

/// The account the plan found on the host for this key; recorded as adopted.
async fn own_account(scene: &Scene, item: &Item) -> Outcome<Option<Account>> {
    let planned = scene
        .plan
        .items
        .iter()
        .find(|planned| planned.fingerprint == item.fingerprint);
    if !planned.is_some_and(|planned| {
        matches!(
            planned.state,
            KeyState::Same | KeyState::Changed | KeyState::Unbound
        )
    }) {
        return Ok(None);
    }
    let Some(found) = scene
        .api
        .accounts_named(&item.account_name)
        .await?
        .into_iter()
        .next()
    else {
        return Err(Failure::new(
            FailureKind::Conflict,
            format!(
                "account `{}` is gone since the plan was made",
                item.account_name
            ),
        )
        .hint("make the plan again"));
    };
    scene
        .adopt(
            ResourceKind::Account,
            found.id,
            &found.name,
            recorded::of_account(&found),
        )
        .await?;
    Ok(Some(found))
}

fn new_account(scene: &Scene, item: &Item, key: &Secret, group: RemoteId) -> NewAccount {
    let pack = &scene.plan.request.pack;
    NewAccount {
        name: item.account_name.clone(),
        platform: pack.platform.clone(),
        base_url: pack.base_url.clone(),
        api_key: key.clone(),
        model_mapping: scene.plan.request.account_models(),
        responses_mode: pack.responses_mode,
        group_ids: vec![group],
        concurrency: pack.concurrency,
        priority: pack.priority,
    }
}

/// The create answer says nothing of groups (trap 14): read again, bind what is not bound.
async fn confirm_binding(scene: &Scene, account: &Account, group: RemoteId) -> Outcome<()> {
    let Some(stored) = scene.api.account(account.id).await? else {
        return Err(Failure::new(
            FailureKind::Conflict,
            format!("account #{} vanished right after it was made", account.id),
        )
        .doing(format!("confirming account `{}`", account.name))
        .hint(
            "somebody else is at work on this host; look at its audit, then resume or roll back",
        ));
    };
    let tried = scene.journal.last(StepKind::BindAccount, &account.name);
    let bound = stored.group_ids.contains(&group);
    if bound && !tried.as_ref().is_some_and(JournalRow::is_open) {
        return Ok(());
    }
    let mut groups = stored.group_ids.clone();
    if !bound {
        groups.push(group);
    }
    let held = scene.job.ports.store.resources(scene.batch.id).await?;
    let made = held.iter().any(|row| {
        row.kind == ResourceKind::Account
            && row.host_resource_id == stored.id
            && row.origin == Origin::Created
    });
    // A resume keeps what the first run found.
    let before = tried.map_or_else(|| json!({"group_ids": stored.group_ids}), |row| row.before);
    scene
        .journal
        .ensure(&BindAccount {
            scene,
            stored: &stored,
            groups,
            before,
            made,
        })
        .await
}
