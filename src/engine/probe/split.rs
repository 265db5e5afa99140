//! The split: models and a chat at the upstream itself, then the same chat through the host, with
//! everything that was said written down for an issue report.

use super::hops::vendor_words;
use super::{managed_key, millis, newest};
use crate::batches;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::CallerKey;
use crate::model_calls;
use crate::ports::{HostApi, UsageQuery, Vantage, WebAnswer};
use cockpit_domain::batch::{Batch, CompletionClass, UpstreamEvidence};
use cockpit_domain::ids::{BatchId, HostId, ItemId, PackId};
use cockpit_domain::import::{account_name, classify};
use cockpit_domain::inventory::{ApiKey, UsageRow};
use cockpit_domain::model_answer::completion_text;
use cockpit_domain::pack::ProviderPack;
use cockpit_domain::secret::Secret;
use cockpit_domain::split::{SplitCall, SplitReport};
use cockpit_domain::text::shorten;
use serde::Serialize;
use serde_json::Value;

/// Where the upstream key comes from.
#[derive(Debug, Clone)]
pub enum SplitKey {
    /// A key of the newest standing batch that is still kept.
    Kept,
    /// One key of a batch.
    Item(BatchId, ItemId),
    /// A reference that a person gives.
    Named(CallerKey),
}

/// A split, and where its pack lies.
#[derive(Debug, Clone, Serialize)]
pub struct Split {
    /// What was found.
    #[serde(flatten)]
    pub report: SplitReport,
    /// The folder with `split.md` and `split.json`.
    pub folder: String,
}

/// Longest answer kept of a call.
const MOST: usize = 4000;

/// Makes the three calls and writes the pack.
pub async fn split(
    job: &Job,
    host: &HostId,
    provider: &PackId,
    key: &SplitKey,
    here: bool,
) -> Outcome<Split> {
    let doing = format!("splitting the path of `{provider}` through `{host}`");
    let settings = job.host(host)?.clone();
    let pack = job.provider(provider)?;
    let batch = newest(job, host, provider).await?;
    let upstream_key = upstream_key(job, batch.as_ref(), key)
        .await
        .map_err(|failure| failure.doing(doing.clone()))?;
    let api = job.ports.hosts.api(host).await?;
    let identity = api.identity().await?;
    let vantage = Vantage::Machine(settings.machine.clone());
    let from = settings.machine.to_string();
    let web = job.ports.web.as_ref();
    let upstream_model = pack
        .model_mapping
        .get(&pack.smoke_model)
        .unwrap_or(&pack.smoke_model)
        .clone();

    job.count("models at the upstream", 0, 3);
    let models = timed(job, "models direct", &from, async {
        model_calls::models(web, &vantage, &pack.base_url, &upstream_key).await
    });
    let (models, _) = models.await?;
    job.count("chat at the upstream", 1, 3);
    let direct = timed(job, "chat direct", &from, async {
        model_calls::chat(
            web,
            &vantage,
            &pack.base_url,
            &upstream_key,
            &upstream_model,
            0,
        )
        .await
    });
    let (direct, _) = direct.await?;
    job.count("chat through the host", 2, 3);
    let (user_key, before) = ordinary(job, api.as_ref(), batch.as_ref()).await?;
    let base = settings.base_url();
    let through = timed(job, "chat via host", &from, async {
        model_calls::chat(web, &vantage, &base, &user_key.key, &pack.smoke_model, 0).await
    });
    let (through, text) = through.await?;

    let evidence = UpstreamEvidence {
        upstream_models_status: models.status,
        upstream_chat_status: direct.status,
        upstream_chat_type: direct.content_type.clone(),
        upstream_chat_preview: direct.answer.clone(),
    };
    let class = classify(text.is_some(), &evidence);
    let row = served(job, api.as_ref(), &user_key, before, text.is_some()).await?;
    let account = match &row {
        Some(row) => api.account(row.account_id).await?,
        None => None,
    };
    let mut calls = calls(&pack, &base, [models, direct, through]);
    if here {
        job.say("the same at the upstream, from here");
        calls.extend(from_here(job, &pack, &upstream_key).await?);
    }
    let fingerprint = upstream_key.fingerprint();
    let own = account_name(provider, &fingerprint);
    let accounts = match user_key.group_id {
        Some(group) => api.accounts(Some(group)).await?,
        None => Vec::new(),
    };
    let stored = vendor_words(&accounts, job.now_ms());
    let report = SplitReport {
        host: host.clone(),
        host_version: identity.version,
        provider: provider.clone(),
        upstream: pack.base_url.clone(),
        model: pack.smoke_model.clone(),
        upstream_model,
        key: upstream_key.masked(),
        fingerprint: fingerprint.to_string(),
        served_by: account
            .as_ref()
            .map(|account| format!("account {} #{}", account.name, account.id)),
        same_key: account.map(|account| account.name == own),
        completion_classification: class,
        first_bad_hop: first_bad(class),
        stored: stored.into_iter().map(|(_, line)| line).collect(),
        calls,
        made_by: format!("cockpit {}", env!("CARGO_PKG_VERSION")),
    };
    let folder = write(job, &report).await?;
    Ok(Split { report, folder })
}

/// Models and a chat at the upstream as this computer reaches it: what only the host's machine
/// cannot reach is told apart.
async fn from_here(job: &Job, pack: &ProviderPack, key: &Secret) -> Outcome<Vec<SplitCall>> {
    let web = job.ports.web.as_ref();
    let model = pack.model_mapping.get(&pack.smoke_model);
    let model = model.unwrap_or(&pack.smoke_model);
    let base = &pack.base_url;
    let models = timed(job, "models direct", "here", async {
        model_calls::models(web, &Vantage::Here, base, key).await
    });
    let (models, _) = models.await?;
    let chat = timed(job, "chat direct", "here", async {
        model_calls::chat(web, &Vantage::Here, base, key, model, 0).await
    });
    let (chat, _) = chat.await?;
    Ok(vec![
        SplitCall {
            request: format!("GET {}", model_calls::endpoint(base, "models")),
            ..models
        },
        SplitCall {
            request: format!("POST {}", model_calls::endpoint(base, "chat/completions")),
            sent: model_calls::payload(model, 0),
            ..chat
        },
    ])
}

fn first_bad(class: CompletionClass) -> Option<String> {
    match class {
        CompletionClass::Ok => None,
        CompletionClass::HostCompatibilityGap => Some("host".to_owned()),
        _ => Some("upstream".to_owned()),
    }
}

/// The requests as they were sent, beside what came back.
fn calls(pack: &ProviderPack, base: &str, made: [SplitCall; 3]) -> Vec<SplitCall> {
    let upstream = &pack.model_mapping;
    let there = upstream.get(&pack.smoke_model).unwrap_or(&pack.smoke_model);
    let sent = [
        (
            "GET",
            model_calls::endpoint(&pack.base_url, "models"),
            Value::Null,
        ),
        (
            "POST",
            model_calls::endpoint(&pack.base_url, "chat/completions"),
            model_calls::payload(there, 0),
        ),
        (
            "POST",
            model_calls::endpoint(base, "chat/completions"),
            model_calls::payload(&pack.smoke_model, 0),
        ),
    ];
    made.into_iter()
        .zip(sent)
        .map(|(call, (method, url, body))| SplitCall {
            request: format!("{method} {url}"),
            sent: body,
            ..call
        })
        .collect()
}

/// Makes a call and writes down what came back. Silence is an answer here; a broken tunnel is not.
async fn timed(
    job: &Job,
    name: &str,
    from: &str,
    call: impl Future<Output = Outcome<WebAnswer>>,
) -> Outcome<(SplitCall, Option<String>)> {
    let at = jiff::Timestamp::from_millisecond(job.now_ms()).unwrap_or_default();
    let mut made = SplitCall {
        name: name.to_owned(),
        vantage: from.to_owned(),
        request: String::new(),
        sent: Value::Null,
        status: 0,
        content_type: String::new(),
        answer: String::new(),
        duration_ms: 0,
        at: at.to_string(),
    };
    let mut text = None;
    match call.await {
        Ok(answer) => {
            made.status = answer.status;
            made.duration_ms = millis(answer.took);
            made.answer = shorten(answer.body.trim(), MOST);
            text = completion_text(&answer.body).filter(|_| answer.status == 200);
            made.content_type = answer.content_type;
        }
        Err(failure) if failure.kind == FailureKind::Unreachable => made.answer = failure.message,
        Err(failure) => return Err(failure),
    }
    Ok((made, text))
}

/// The ordinary key, and the newest usage row that it has left so far.
async fn ordinary(
    job: &Job,
    api: &dyn HostApi,
    batch: Option<&Batch>,
) -> Outcome<(ApiKey, Option<UsageRow>)> {
    let key = managed_key(job, batch).await?;
    let before = row_of(api, &key).await?;
    Ok((key, before))
}

async fn row_of(api: &dyn HostApi, key: &ApiKey) -> Outcome<Option<UsageRow>> {
    let query = UsageQuery {
        api_key_id: Some(key.id),
        account_id: None,
        group_id: None,
        most: 1,
    };
    Ok(api.usage(&query).await?.into_iter().next())
}

/// The row that the call through the host left; the host writes it a moment after the answer.
async fn served(
    job: &Job,
    api: &dyn HostApi,
    key: &ApiKey,
    before: Option<UsageRow>,
    answered: bool,
) -> Outcome<Option<UsageRow>> {
    if !answered {
        return Ok(None);
    }
    let timing = &job.settings.timing;
    let deadline = job.now_ms() + i64::try_from(timing.usage_wait.as_millis()).unwrap_or(0);
    let old = before.map(|row| row.id);
    loop {
        let row = row_of(api, key).await?.filter(|row| Some(row.id) != old);
        if row.is_some() || job.now_ms() >= deadline {
            return Ok(row);
        }
        job.check_cancel()?;
        job.pause(timing.first_wait).await;
    }
}

/// The upstream key that was asked for.
async fn upstream_key(job: &Job, batch: Option<&Batch>, key: &SplitKey) -> Outcome<Secret> {
    let wiped = |what: &str| {
        Failure::new(
            FailureKind::Conflict,
            format!("{what}: upstream keys are wiped when their batch has ended"),
        )
        .hint("name the key: `--key env:NAME` or `--key file:PATH`")
    };
    match key {
        SplitKey::Named(reference) => reference.read(job).await,
        SplitKey::Item(batch, item) => {
            let batch = batches::load(job, *batch).await?;
            let items = job.ports.store.items(batch.id).await?;
            let Some(at) = items.iter().position(|row| row.id == *item) else {
                let message = format!("{} has no {item}", batch.id);
                let hint = format!("`cockpit batch show {} --json` lists its items", batch.id.0);
                return Err(Failure::new(FailureKind::Usage, message).hint(hint));
            };
            let kept = job.ports.store.plan_keys(batch.plan).await?;
            let found = kept.into_iter().nth(at);
            found
                .filter(|key| key.fingerprint() == items[at].fingerprint)
                .ok_or_else(|| wiped(&format!("the key of {}#{item} is not kept", batch.id)))
        }
        SplitKey::Kept => {
            let kept = match batch {
                Some(batch) => job.ports.store.plan_keys(batch.plan).await?,
                None => Vec::new(),
            };
            kept.into_iter()
                .next()
                .ok_or_else(|| wiped("no upstream key is at hand"))
        }
    }
}

/// Writes the pack into a folder of its own; nobody else may read it.
async fn write(job: &Job, report: &SplitReport) -> Outcome<String> {
    let at = jiff::Timestamp::from_millisecond(job.now_ms()).unwrap_or_default();
    let name = format!(
        "{}_split_{}_{}",
        at.strftime("%Y%m%dT%H%M%SZ"),
        report.host,
        report.provider
    );
    let json = serde_json::to_string_pretty(report)
        .map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
    let files = [
        ("split.md".to_owned(), report.markdown()),
        ("split.json".to_owned(), format!("{json}\n")),
    ];
    job.ports.store.evidence(&name, &files).await
}

/// Reads `batch/42#item7`.
///
/// # Errors
/// `Usage` with the shape.
pub fn read_item(text: &str) -> Outcome<(BatchId, ItemId)> {
    let read = text.split_once('#').and_then(|(batch, item)| {
        let item = item.strip_prefix("item").unwrap_or(item);
        let item = item.strip_prefix('/').unwrap_or(item);
        Some((batch.parse().ok()?, ItemId(item.parse().ok()?)))
    });
    read.ok_or_else(|| {
        Failure::new(
            FailureKind::Usage,
            format!("`{text}` names no key of a batch"),
        )
        .doing("reading the command line")
        .hint("write `batch/42#item7`; `cockpit batch show 42 --json` lists the items")
    })
}
