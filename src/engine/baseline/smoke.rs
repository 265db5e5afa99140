//! The user smoke: an active key, taken from the host now and kept nowhere, walks the way of an
//! ordinary client; the host's own usage rows then say which way the answers took.

use super::hosts::{HOST_FIX, open};
use super::run::Shared;
use super::trouble::could_not_look;
use super::web::vantage;
use crate::failure::Outcome;
use crate::ports::{HostApi, UsageQuery, Vantage, WebAnswer, WebRequest};
use crate::probe::vendor_words;
use cockpit_domain::baseline::{CompletionSeen, Judgement, SmokeSeen, judge_smoke};
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{ApiKey, UsageRow};
use cockpit_domain::pack::{Check, SmokeLook};
use futures_util::future::join_all;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Keys tried before a refusal is taken for the environment's: one may be an owner's without
/// balance.
const MOST_KEYS: usize = 3;
/// Usage rows of the key that are read back; others may use it as well.
const MOST_ROWS: usize = 50;
/// The first pause before usage rows are asked for again, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Takes a key, lists the models, asks each for its answer.
pub(super) async fn smoke(shared: &Shared, check: &Check, look: &SmokeLook) -> Judgement {
    let api = match open(&shared.context).await {
        Ok((_, api)) => api,
        Err(judgement) => return judgement,
    };
    let keys = match active_keys(api.as_ref(), look).await {
        Ok(keys) => keys,
        Err(judgement) => return judgement,
    };
    let from = match vantage(shared, &check.vantage) {
        Ok(from) => from,
        Err(judgement) => return judgement,
    };
    let mut tried: Option<(&ApiKey, WebAnswer)> = None;
    for key in keys.iter().take(MOST_KEYS) {
        match models(shared, &from, check, look, key).await {
            Err(failure) => {
                return could_not_look(
                    &failure,
                    "See whether the public address answers from here at all.",
                );
            }
            Ok(answer) => {
                let refused = matches!(answer.status, 401 | 403);
                tried = Some((key, answer));
                if !refused {
                    break;
                }
            }
        }
    }
    let Some((key, listed)) = tried else {
        return Judgement::unknown(
            &format!("group {} has no active key to smoke with", look.group),
            "",
            format!(
                "Make one for group {}: `cockpit access prepare` does it as a plan.",
                look.group
            ),
        );
    };
    let newest = usage(api.as_ref(), key, 1).await;
    let completions = if listed.status == 200 {
        let asked = look
            .models
            .iter()
            .map(|model| complete(shared, &from, check, look, key, model));
        join_all(asked).await
    } else {
        Vec::new()
    };
    let answered = |seen: &CompletionSeen| seen.status == Some(200);
    let stored = if completions.iter().all(answered) {
        Vec::new()
    } else {
        stored(shared, api.as_ref(), look).await
    };
    let usage = match newest {
        Ok(rows) => {
            let newest = rows.first().map_or(RemoteId(0), |row| row.id);
            let asked: Vec<&str> = completions
                .iter()
                .filter(|seen| seen.answers(look))
                .map(|seen| seen.model.as_str())
                .collect();
            booked(api.as_ref(), check, key, newest, &asked).await
        }
        Err(failure) => Err(failure),
    };
    judge_smoke(
        look,
        &SmokeSeen {
            key: key.id,
            masked: key.key.masked(),
            models_status: listed.status,
            models_body: listed.body,
            completions,
            stored,
            usage: usage.map_err(|failure| failure.to_string()),
        },
    )
}

/// The newest usage rows of a key.
async fn usage(api: &dyn HostApi, key: &ApiKey, most: usize) -> Outcome<Vec<UsageRow>> {
    let query = UsageQuery {
        api_key_id: Some(key.id),
        most,
        ..UsageQuery::default()
    };
    api.usage(&query).await
}

/// The rows that a key left since the newest one before, as soon as each model that answered has
/// one: the host books a moment after it answers. What is missing then was not booked there.
async fn booked(
    api: &dyn HostApi,
    check: &Check,
    key: &ApiKey,
    newest: RemoteId,
    asked: &[&str],
) -> Outcome<Vec<UsageRow>> {
    // What list and completions may take leaves a tenth of the check's own limit.
    let deadline = Instant::now() + check.time_limit / 12;
    let [mut pause, longest] = PAUSES;
    loop {
        let mut rows = usage(api, key, MOST_ROWS).await?;
        rows.retain(|row| row.id > newest);
        let is_there = |model: &&str| rows.iter().any(|row| row.model == *model);
        if asked.iter().all(is_there) || Instant::now() >= deadline {
            return Ok(rows);
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// What answers of the upstream did to the accounts of the group: the vendor's own words, which the
/// gateway hides behind one of its own. A look that fails leaves the row as it is.
async fn stored(shared: &Shared, api: &dyn HostApi, look: &SmokeLook) -> Vec<String> {
    let accounts = api.accounts(Some(RemoteId(look.group))).await;
    let words = vendor_words(&accounts.unwrap_or_default(), shared.context.clock.now_ms());
    words.into_iter().map(|(_, line)| line).collect()
}

async fn active_keys(api: &dyn HostApi, look: &SmokeLook) -> Result<Vec<ApiKey>, Judgement> {
    let mut keys = api
        .group_keys(RemoteId(look.group))
        .await
        .map_err(|failure| could_not_look(&failure, HOST_FIX))?;
    keys.retain(|key| key.status == "active" && !key.key.expose().is_empty());
    keys.sort_by_key(|key| key.id);
    Ok(keys)
}

fn endpoint(look: &SmokeLook, path: &str) -> String {
    format!("{}/v1/{path}", look.base.trim_end_matches('/'))
}

async fn models(
    shared: &Shared,
    from: &Vantage,
    check: &Check,
    look: &SmokeLook,
    key: &ApiKey,
) -> Outcome<WebAnswer> {
    let mut request = WebRequest::get(from.clone(), endpoint(look, "models"));
    request.bearer = Some(key.key.clone());
    request.time_limit = check.time_limit / 6;
    shared.context.web.fetch(&request).await
}

/// One completion. No answer is an answer of the environment here: the list came a moment ago.
async fn complete(
    shared: &Shared,
    from: &Vantage,
    check: &Check,
    look: &SmokeLook,
    key: &ApiKey,
    model: &str,
) -> CompletionSeen {
    let mut request = WebRequest::get(from.clone(), endpoint(look, "chat/completions"));
    request.method = "POST";
    request.bearer = Some(key.key.clone());
    // No token limit: a model that thinks first would be cut before it answers.
    request.json = Some(json!({
        "model": model,
        "messages": [{"role": "user", "content": look.prompt}],
        "stream": false,
    }));
    // The list may have taken three sixths, so that this ends before the check's own limit.
    request.time_limit = check.time_limit * 2 / 5;
    match shared.context.web.fetch(&request).await {
        Ok(answer) => CompletionSeen {
            model: model.to_owned(),
            status: Some(answer.status),
            body: answer.body,
        },
        Err(failure) => CompletionSeen {
            model: model.to_owned(),
            status: None,
            body: failure.to_string(),
        },
    }
}
