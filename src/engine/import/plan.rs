//! Making and saving an import plan. Reads only.

use super::USER_KEY;
use super::caller::CallerKey;
use crate::batches;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::neighbours;
use crate::planned::{self, ACCESS, IMPORT, Kind, Planned};
use crate::view::{Whose, read_view_of};
use cockpit_domain::batch::{
    AccessMode, AccountStatus, Attempt, BatchKind, BatchStatus, ImportMode, Item,
};
use cockpit_domain::ids::{BatchId, HostId, PackId};
use cockpit_domain::import::{
    ImportPlan, ImportRequest, KeyFact, KeyInput, plan_import, read_keys,
};
use cockpit_domain::secret::{Fingerprint, Secret};
use std::collections::{BTreeMap, BTreeSet};

/// A plan with its id and hash.
pub type PlannedImport = Planned<ImportPlan>;

/// How an import is wished for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Strict or partial.
    pub mode: ImportMode,
    /// Access mode.
    pub access: AccessMode,
    /// The caller's own key, when that is to be proven.
    pub user_key: Option<CallerKey>,
    /// The batch whose failed keys are tried again.
    pub retry_of: Option<BatchId>,
    /// Keys of the input that are not tried again, each with its reason.
    pub left_out: Vec<String>,
}

/// Plans what makes access true without any key of a provider: group and channel, user, right or
/// balance, and a user key.
pub async fn plan_access(
    job: &Job,
    host: &HostId,
    provider: &PackId,
    access: AccessMode,
    user_key: Option<CallerKey>,
) -> Outcome<PlannedImport> {
    let wish = Wish {
        mode: ImportMode::Partial,
        access,
        user_key,
        retry_of: None,
        left_out: Vec::new(),
    };
    let doing = format!("planning access to `{provider}` on `{host}`");
    make(
        job,
        ACCESS,
        (host, provider),
        KeyInput::default(),
        &wish,
        doing,
    )
    .await
}

/// Reads the host, plans and saves. The keys are sealed beside the plan.
pub async fn plan(
    job: &Job,
    host: &HostId,
    provider: &PackId,
    keys: &Secret,
    wish: &Wish,
) -> Outcome<PlannedImport> {
    let doing = format!("planning an import of `{provider}` into `{host}`");
    job.host(host)?;
    job.provider(provider)?;
    let input = good_keys(keys).map_err(|failure| failure.doing(doing.clone()))?;
    make(job, IMPORT, (host, provider), input, wish, doing).await
}

async fn make(
    job: &Job,
    kind: Kind,
    (host, provider): (&HostId, &PackId),
    input: KeyInput,
    wish: &Wish,
    doing: String,
) -> Outcome<PlannedImport> {
    let settings = job.host(host)?.clone();
    let pack = job.provider(provider)?.for_access(wish.access);
    job.say(format!("reading `{host}`"));
    let api = job.ports.hosts.api(host).await?;
    let caller = match &wish.user_key {
        Some(key) => Some(key.read(job).await?),
        None => None,
    };
    let whose = caller.as_ref().map_or(Whose::Managed, Whose::Caller);
    let view = read_view_of(api.as_ref(), provider, whose)
        .await
        .map_err(|failure| failure.doing(doing.clone()))?;
    let facts = key_facts(job, host, provider, &input).await?;
    let request = ImportRequest {
        host: host.clone(),
        role: settings.role,
        pack,
        mode: wish.mode,
        access: wish.access,
        user_key: caller.as_ref().map(Secret::fingerprint),
        retry_of: wish.retry_of,
        prepare: kind == ACCESS,
    };
    let mut plan = plan_import(request, &input, &facts, &view, job.now_ms());
    plan.left_out.clone_from(&wish.left_out);
    plan.warnings = neighbours::warnings(job, &settings, &view).await;
    let keys = (input.keys.into_iter().map(|line| line.key)).chain(caller);
    planned::save_with(job, kind, plan, None, keys.collect()).await
}

/// Plans those keys of a batch again that did not pass. The keys come anew: they are not kept once a
/// batch has ended.
pub async fn retry(job: &Job, id: BatchId, keys: &Secret) -> Outcome<PlannedImport> {
    let doing = format!("planning the failed keys of {id} again");
    let refuse = |message: String, hint: String| {
        Failure::new(FailureKind::Usage, message)
            .doing(doing.clone())
            .hint(hint)
    };
    let batch = batches::load(job, id).await?;
    if batch.kind != BatchKind::Import {
        return Err(refuse(
            format!("{id} is no import: it has no keys"),
            "`cockpit batch list` shows which are".to_owned(),
        ));
    }
    if matches!(
        batch.batch_status,
        BatchStatus::Running | BatchStatus::Interrupted
    ) {
        return Err(refuse(
            format!(
                "{id} is {}: its keys are not all judged",
                batch.batch_status
            ),
            format!("`cockpit batch resume {}` goes on with it first", id.0),
        ));
    }
    if batch.effective_key_source == USER_KEY {
        return Err(refuse(
            format!("{id} was proven with a caller's own key, which is not kept"),
            "import those keys again with `--user-key`: no managed key takes its place".to_owned(),
        ));
    }
    let items = job.ports.store.items(id).await?;
    let (passed, failed): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| {
        matches!(
            item.account_status,
            Some(AccountStatus::Passed | AccountStatus::Warning)
        )
    });
    let prints = |items: Vec<Item>| -> BTreeSet<Fingerprint> {
        items.into_iter().map(|item| item.fingerprint).collect()
    };
    let (passed, failed) = (prints(passed), prints(failed));
    if failed.is_empty() {
        return Err(refuse(
            format!("every key of {id} passed"),
            "there is nothing to try again".to_owned(),
        ));
    }
    let mut input = good_keys(keys).map_err(|failure| failure.doing(doing.clone()))?;
    let left_out = left_out(id, &input, &passed, &failed);
    input
        .keys
        .retain(|line| failed.contains(&line.key.fingerprint()));
    input
        .duplicates
        .retain(|(_, _, repeated)| failed.contains(repeated));
    if input.keys.is_empty() {
        return Err(refuse(
            format!(
                "none of the {} failed key(s) of {id} is in the input",
                failed.len()
            ),
            format!(
                "give the input as the import had it; `cockpit batch show {}` lists the keys by fingerprint",
                id.0
            ),
        ));
    }
    let wish = Wish {
        mode: batch.mode,
        access: batch.access_mode,
        user_key: None,
        retry_of: Some(id),
        left_out,
    };
    let doing = format!(
        "planning an import of `{}` into `{}`",
        batch.provider, batch.host
    );
    let place = (&batch.host, &batch.provider);
    make(job, IMPORT, place, input, &wish, doing).await
}

/// The keys of the input that are not tried again.
fn left_out(
    id: BatchId,
    input: &KeyInput,
    passed: &BTreeSet<Fingerprint>,
    failed: &BTreeSet<Fingerprint>,
) -> Vec<String> {
    let mut told = Vec::new();
    for line in &input.keys {
        let print = line.key.fingerprint();
        if failed.contains(&print) {
            continue;
        }
        let why = if passed.contains(&print) {
            format!("passed in {id}")
        } else {
            format!("is no key of {id}: import it by itself")
        };
        told.push(format!("line {} {} {why}", line.line, line.key.masked()));
    }
    told
}

/// Reads the key input and refuses it whole when a line is bad: nothing is sent for half a file.
fn good_keys(text: &Secret) -> Outcome<KeyInput> {
    let input = read_keys(text.expose());
    if !input.bad.is_empty() {
        let lines: Vec<String> = input.bad.iter().take(20).map(ToString::to_string).collect();
        let more = input.bad.len().saturating_sub(20);
        let tail = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        return Err(Failure::new(
            FailureKind::Usage,
            format!(
                "the key input has {} bad line(s): {}{tail}",
                input.bad.len(),
                lines.join("; ")
            ),
        )
        .hint("mend those lines; nothing was sent and nothing was saved"));
    }
    if input.keys.is_empty() {
        return Err(
            Failure::new(FailureKind::Usage, "the key input holds no key").hint(
                "write one key a line (`#` begins a comment), a table with a column `key`, or JSON",
            ),
        );
    }
    Ok(input)
}

/// What our records know of these keys elsewhere.
async fn key_facts(
    job: &Job,
    host: &HostId,
    provider: &PackId,
    input: &KeyInput,
) -> Outcome<Vec<KeyFact>> {
    let fingerprints: Vec<Fingerprint> = input
        .keys
        .iter()
        .map(|line| line.key.fingerprint())
        .collect();
    let uses = job.ports.store.key_uses(&fingerprints).await?;
    let mut facts: BTreeMap<Fingerprint, KeyFact> = BTreeMap::new();
    for known in uses {
        let fact = facts
            .entry(known.fingerprint.clone())
            .or_insert_with(|| KeyFact {
                fingerprint: known.fingerprint.clone(),
                elsewhere: Vec::new(),
                beside: Vec::new(),
                earlier: Vec::new(),
            });
        if known.host == *host && known.provider == *provider {
            fact.earlier.push(Attempt {
                batch: known.batch,
                item: known.item,
                account_status: known.account_status,
                summary: known.summary,
            });
        } else if known.host == *host {
            let place = format!("provider {}, {}", known.provider, known.batch);
            fact.beside.push((known.account, place));
        } else {
            fact.elsewhere.push(format!(
                "host {}, provider {}, {}",
                known.host, known.provider, known.batch
            ));
        }
    }
    Ok(facts.into_values().collect())
}
