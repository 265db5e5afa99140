//! The gateway verdict: the list holds the smoke model, a minimal chat answers, and the host's
//! usage row names one of our accounts. Within the warming window a refusal is no verdict yet
//! (`product.md` 4.7).

use crate::context::Job;
use crate::failure::{FailureKind, Outcome};
use crate::model_calls;
use crate::ports::{HostApi, UsageQuery, Vantage};
use cockpit_domain::batch::GatewayEvidence;
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::import::{HostView, is_warming};
use cockpit_domain::inventory::{ApiKey, UsageRow};
use cockpit_domain::model_answer::{completion_text, listed_models};
use cockpit_domain::pool::unserved;
use cockpit_domain::text::shorten;
use std::time::Duration;

/// What is asked.
pub(crate) struct GatewayLook<'a> {
    /// The job, for cancel, progress and ports.
    pub(crate) job: &'a Job,
    /// The host's API, for usage rows.
    pub(crate) api: &'a dyn HostApi,
    /// The host.
    pub(crate) host: &'a HostSettings,
    /// The ordinary key.
    pub(crate) key: &'a ApiKey,
    /// The smoke model.
    pub(crate) model: &'a str,
    /// Accounts that count as ours.
    pub(crate) ours: &'a [RemoteId],
    /// UTC ms of our last write to the host.
    pub(crate) last_write_ms: i64,
    /// How many more conversations to open when somebody else's account served the first.
    pub(crate) conversations: u32,
}

/// How many conversations may be needed until one of ours has its turn: hosts choose the least
/// recently used account, so one for each other account that may serve the group, within reason.
pub(crate) async fn conversations(
    api: &dyn HostApi,
    group: RemoteId,
    ours: &[RemoteId],
) -> Outcome<u32> {
    const MOST: usize = 60;
    let others = api
        .accounts(Some(group))
        .await?
        .iter()
        .filter(|account| account.schedulable && account.status == "active")
        .filter(|account| !ours.contains(&account.id))
        .count();
    Ok(u32::try_from((others + 1).min(MOST)).unwrap_or(0))
}

/// How long the host's scheduler may not see an account bound just now (`host-contract.md` 7.7:
/// about a second); conversations opened before that cannot be served by it.
const BOUND_UNSEEN: Duration = Duration::from_millis(1500);

/// Waits until so long after our last write.
async fn unseen(look: &GatewayLook<'_>, after: Duration) -> Outcome<()> {
    let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
    let until = look.last_write_ms.saturating_add(after);
    if let Ok(left @ 1..) = u64::try_from(until - look.job.now_ms()) {
        let told = "the host's scheduler sees new accounts after a second";
        look.job.wait_for(told, until);
        look.job.pause(Duration::from_millis(left)).await;
    }
    look.job.check_cancel()
}

/// Asks until there is a verdict.
pub(crate) async fn prove(look: &GatewayLook<'_>) -> Outcome<GatewayEvidence> {
    let timing = &look.job.settings.timing;
    let window = i64::try_from(timing.warming.as_millis()).unwrap_or(i64::MAX);
    let mut evidence = GatewayEvidence::default();
    let mut wait = timing.first_wait;
    let mut refused = false;
    let mut conversation = 0;
    unseen(look, timing.first_look).await?;
    // What it was held is no part of the window.
    let mut held_ms = 0;
    loop {
        held_ms += look.job.held().await?;
        evidence.tries += 1;
        let warming = ask(look, &mut evidence, refused, conversation).await?;
        let elsewhere = evidence.served_by_account.is_some() && !evidence.served_by_ours;
        if elsewhere && conversation < look.conversations {
            // Somebody else's turn: other accounts of the group serve as well, each in its turn.
            conversation += 1;
            unseen(look, BOUND_UNSEEN).await?;
            continue;
        }
        refused |= evidence.status_code == 403 || evidence.completion_status == 403;
        let end = look.last_write_ms + window + held_ms;
        let left = end - look.job.now_ms();
        if !warming {
            return Ok(evidence);
        }
        if left <= 0 {
            // No answer of the gateway tells why (trap 24).
            evidence.stored = stored(look).await;
            return Ok(evidence);
        }
        look.job.check_cancel()?;
        look.job.wait_for(
            format!("warming, no verdict yet: {}", so_far(&evidence)),
            end,
        );
        let nap = wait.min(Duration::from_millis(
            u64::try_from(left).unwrap_or(0).max(50),
        ));
        look.job.pause_or_hold(nap).await;
        wait = (wait * 2).min(Duration::from_secs(4));
    }
}

/// What stored state says of a group that serves nobody.
async fn stored(look: &GatewayLook<'_>) -> String {
    let Some(group) = look.key.group_id else {
        return "the key is bound to no group".to_owned();
    };
    let api = look.api;
    let read = tokio::try_join!(api.groups(), api.channels(), api.accounts(Some(group)));
    match read {
        Ok((groups, channels, accounts)) => {
            let view = HostView {
                groups,
                channels,
                accounts,
                ..HostView::default()
            };
            unserved(&view, group, look.model, look.job.now_ms())
        }
        Err(failure) => format!("it could not be read: {failure}"),
    }
}

/// What the newest try saw, in a few words.
fn so_far(evidence: &GatewayEvidence) -> String {
    let status = match (evidence.status_code, evidence.completion_status) {
        (0, _) => "no answer".to_owned(),
        (200, 0) => "models".to_owned(),
        (200, chat) => format!("completion {chat}"),
        (models, _) => format!("models {models}"),
    };
    format!("{status} {}", shorten(&evidence.completion_preview, 60))
}

/// One try. Returns whether its failure is no verdict yet.
async fn ask(
    look: &GatewayLook<'_>,
    evidence: &mut GatewayEvidence,
    refused: bool,
    conversation: u32,
) -> Outcome<bool> {
    let web = look.job.ports.web.as_ref();
    let vantage = Vantage::Machine(look.host.machine.clone());
    let base = look.host.base_url();
    evidence.completion_ok = false;
    evidence.served_by_account = None;
    evidence.served_by_ours = false;
    evidence.completion_status = 0;
    let models = match model_calls::models(web, &vantage, &base, &look.key.key).await {
        Ok(answer) => answer,
        Err(failure) if failure.kind == FailureKind::Unreachable => {
            evidence.status_code = 0;
            evidence.completion_preview = failure.message;
            return Ok(true);
        }
        Err(failure) => return Err(failure),
    };
    evidence.status_code = models.status;
    evidence.models_ok = models.status == 200
        && listed_models(&models.body).is_some_and(|ids| ids.iter().any(|id| id == look.model));
    if models.status != 200 {
        evidence.completion_preview = shorten(models.body.trim(), 300);
        return Ok(is_warming(models.status, &models.body, refused));
    }
    if !evidence.models_ok {
        // The list is up to 15 s old (trap 23).
        evidence.completion_preview = format!("the models list does not hold `{}` yet", look.model);
        return Ok(true);
    }
    let before = newest(look).await?;
    let chat = match model_calls::chat(
        web,
        &vantage,
        &base,
        &look.key.key,
        look.model,
        conversation,
    )
    .await
    {
        Ok(answer) => answer,
        Err(failure) if failure.kind == FailureKind::Unreachable => {
            evidence.completion_preview = failure.message;
            return Ok(true);
        }
        Err(failure) => return Err(failure),
    };
    evidence.completion_status = chat.status;
    evidence.completion_type.clone_from(&chat.content_type);
    let text = completion_text(&chat.body).filter(|_| chat.status == 200);
    evidence.completion_preview = shorten(text.as_deref().unwrap_or(chat.body.trim()), 300);
    if text.is_none() {
        return Ok(is_warming(chat.status, &chat.body, refused));
    }
    evidence.completion_ok = true;
    let row = served(look, before).await?;
    evidence.served_by_account = row.as_ref().map(|row| row.account_id);
    evidence.served_by_ours = row.is_some_and(|row| look.ours.contains(&row.account_id));
    Ok(false)
}

async fn newest(look: &GatewayLook<'_>) -> Outcome<Option<UsageRow>> {
    let query = UsageQuery {
        api_key_id: Some(look.key.id),
        account_id: None,
        group_id: None,
        most: 1,
    };
    Ok(look.api.usage(&query).await?.into_iter().next())
}

/// The usage row our chat left behind; the host writes it a moment after the answer.
async fn served(look: &GatewayLook<'_>, before: Option<UsageRow>) -> Outcome<Option<UsageRow>> {
    let timing = &look.job.settings.timing;
    let deadline = look.job.now_ms() + i64::try_from(timing.usage_wait.as_millis()).unwrap_or(0);
    let old = before.map(|row| row.id);
    let mut wait = Duration::from_millis(50);
    loop {
        let row = newest(look).await?.filter(|row| Some(row.id) != old);
        if row.is_some() || look.job.now_ms() >= deadline {
            return Ok(row);
        }
        look.job.check_cancel()?;
        look.job.pause(wait).await;
        wait = (wait * 2).min(Duration::from_millis(800));
    }
}

/// What the gateway came to, in words.
pub(crate) fn told(evidence: &GatewayEvidence) -> String {
    if !evidence.completion_ok {
        let mut told = format!(
            "the gateway answered models {} and completion {}: {}",
            evidence.status_code, evidence.completion_status, evidence.completion_preview
        );
        if !evidence.stored.is_empty() {
            told = format!("{told}; stored state: {}", evidence.stored);
        }
        return told;
    }
    match evidence.served_by_account {
        Some(id) if evidence.served_by_ours => {
            format!("the completion was served by our account #{id}")
        }
        Some(id) => {
            format!("the completion was served by account #{id}, which is not one of this batch")
        }
        None => {
            "the completion left no usage row, so nobody knows which account served it".to_owned()
        }
    }
}

/// Whether the evidence makes access ready: list, completion, and served by one of ours.
pub(crate) fn is_ready(evidence: &GatewayEvidence) -> bool {
    evidence.models_ok && evidence.completion_ok && evidence.served_by_ours
}
