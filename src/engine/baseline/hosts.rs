//! Looks through a host's admin API.

use super::machines::sealed;
use super::run::{BaselineContext, Shared};
use super::tools::Seen;
use super::trouble::could_not_look;
use crate::failure::Outcome;
use crate::ports::HostApi;
use cockpit_domain::baseline::{
    AccountSeen, Judgement, StoredSeen, judge_account, judge_members, judge_profile, judge_stored,
};
use cockpit_domain::ids::{HostId, RemoteId};
use cockpit_domain::pack::{BindingLook, Bound, Check, ProfileLook, StoredLook};
use std::sync::Arc;

/// What to do when the host's admin API does not let us look.
pub(super) const HOST_FIX: &str =
    "`cockpit host probe` says whether the host answers and takes its credential.";

/// The host of the pack and its API.
///
/// # Errors
/// The judgement when there is none or it cannot be opened.
pub(super) async fn open(
    context: &BaselineContext,
) -> Result<(&HostId, Arc<dyn HostApi>), Judgement> {
    let Some(host) = &context.host else {
        return Err(Judgement::unknown(
            "no host of the config is judged by this pack",
            "",
            "Add `baseline = \"PACK\"` to the [host.NAME] this pack is about.",
        ));
    };
    match context.hosts.api(host).await {
        Ok(api) => Ok((host, api)),
        Err(failure) => Err(could_not_look(&failure, HOST_FIX)),
    }
}

/// A stored binding.
pub(super) async fn binding(shared: &Shared, look: &BindingLook) -> Judgement {
    let api = match open(&shared.context).await {
        Ok((_, api)) => api,
        Err(judgement) => return judgement,
    };
    match judged(shared, api.as_ref(), look).await {
        Ok(judgement) => judgement,
        Err(failure) => could_not_look(&failure, HOST_FIX),
    }
}

/// Standing conditions.
pub(super) async fn stored(shared: &Shared, look: &StoredLook) -> Seen {
    let (_, api) = open(&shared.context).await?;
    let read = async { tokio::try_join!(api.groups(), api.channels(), api.accounts(None)) };
    let (groups, channels, accounts) = read
        .await
        .map_err(|failure| could_not_look(&failure, HOST_FIX))?;
    Ok(judge_stored(
        look,
        StoredSeen {
            groups: &groups,
            channels: &channels,
            accounts: &accounts,
        },
    ))
}

/// A client's profile, by the keys that the host has in its group.
pub(super) async fn profile(shared: &Shared, check: &Check, look: &ProfileLook) -> Seen {
    let file = sealed(shared, check, &look.path).await?;
    let (_, api) = open(&shared.context).await?;
    let keys = api.group_keys(RemoteId(look.group)).await;
    let keys = keys.map_err(|failure| could_not_look(&failure, HOST_FIX))?;
    Ok(judge_profile(look, &file, &keys))
}

async fn judged(shared: &Shared, api: &dyn HostApi, look: &BindingLook) -> Outcome<Judgement> {
    Ok(match look.bound() {
        Some(Bound::Account(id)) => {
            let account = api.account(RemoteId(id)).await?;
            judge_account(
                look,
                AccountSeen {
                    account: account.as_ref(),
                    now_ms: shared.context.clock.now_ms(),
                },
            )
        }
        Some(Bound::Channel(id)) => {
            let channels = api.channels().await?;
            let found = channels.iter().find(|channel| channel.id == RemoteId(id));
            judge_members(
                "channel",
                id,
                look,
                found.map(|channel| channel.spec.group_ids.as_slice()),
            )
        }
        Some(Bound::Key(id)) => {
            // There is no look-up of a key by its id: ask each expected group for its keys.
            let mut groups = Vec::new();
            for group in look.groups.iter().copied().map(RemoteId) {
                let keys = api.group_keys(group).await?;
                if keys.iter().any(|key| key.id == RemoteId(id)) {
                    groups.push(group);
                }
            }
            judge_members("key", id, look, Some(&groups))
        }
        None => Judgement::unknown(
            "this check names nothing to look at",
            "",
            "Name one of account, channel, key.",
        ),
    })
}
