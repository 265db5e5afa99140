//! Making and saving an import plan. Reads only.

use super::caller::CallerKey;
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::neighbours;
use crate::ports::NewPlan;
use crate::view::{Whose, read_view_of};
use cockpit_domain::batch::{AccessMode, ImportMode};
use cockpit_domain::canonical::hash_of;
use cockpit_domain::ids::{HostId, PackId, PlanId};
use cockpit_domain::import::{
    ImportPlan, ImportRequest, KeyFact, KeyInput, plan_import, read_keys,
};
use cockpit_domain::secret::{Fingerprint, Secret};
use serde::Serialize;

/// A plan with its id and hash.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedImport {
    /// Store id.
    pub id: PlanId,
    /// Hash of the content: what an approval names.
    pub hash: String,
    /// The content.
    pub plan: ImportPlan,
}

/// How an import is wished for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Strict or partial.
    pub mode: ImportMode,
    /// Access mode.
    pub access: AccessMode,
    /// The caller's own key, when that is to be proven.
    pub user_key: Option<CallerKey>,
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
    let settings = job.host(host)?.clone();
    let pack = job.provider(provider)?.for_access(wish.access);
    let input = good_keys(keys).map_err(|failure| failure.doing(doing.clone()))?;
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
    };
    let mut plan = plan_import(request, &input, &facts, &view, job.now_ms());
    plan.warnings = neighbours::warnings(job, &settings, &view).await;
    let hash =
        hash_of(&plan).map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
    let body = serde_json::to_value(&plan)
        .map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
    let id = job
        .ports
        .store
        .save_plan(&NewPlan {
            kind: "import",
            host: host.clone(),
            provider: provider.clone(),
            batch: None,
            hash: hash.clone(),
            body,
            keys: (input.keys.into_iter().map(|line| line.key))
                .chain(caller)
                .collect(),
            created_ms: job.now_ms(),
        })
        .await?;
    Ok(PlannedImport { id, hash, plan })
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
    Ok(fingerprints
        .into_iter()
        .filter_map(|fingerprint| {
            let elsewhere: Vec<String> = uses
                .iter()
                .filter(|known| known.fingerprint == fingerprint)
                .filter(|known| known.host != *host || known.provider != *provider)
                .map(|known| {
                    format!(
                        "host {}, provider {}, {}",
                        known.host, known.provider, known.batch
                    )
                })
                .collect();
            (!elsewhere.is_empty()).then_some(KeyFact {
                fingerprint,
                elsewhere,
            })
        })
        .collect())
}
