//! Probing: one path a row, each with its result class and the far end's own words. A host is
//! looked at from its machine; the upstream beside it from the same place.

mod hops;
mod split;

pub(crate) use hops::vendor_words;
pub use hops::{HOPS, first_bad, is_bad};
pub use split::{Split, SplitKey, read_item, split};

use crate::board::{MachineLook, MachineState};
use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::model_calls;
use crate::neighbours;
use crate::ports::{MachineCheck, ResultKind, Vantage, WebAnswer, WebRequest};
use cockpit_domain::batch::{Batch, BatchStatus};
use cockpit_domain::finding::suggest;
use cockpit_domain::host::{HostIdentity, HostSettings};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::inventory::ApiKey;
use cockpit_domain::model_answer::{completion_text, listed_models};
use cockpit_domain::neighbours::{LastLook, Writer};
use cockpit_domain::pack::ProviderPack;
use cockpit_domain::resource::ResourceKind;
use cockpit_domain::secret::Secret;
use cockpit_domain::text::shorten;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// How a probe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeClass {
    /// Answers as it should.
    Ok,
    /// Nobody answered.
    Unreachable,
    /// The credential is refused.
    Auth,
    /// No quota or balance.
    Quota,
    /// Asked to slow down.
    RateLimited,
    /// The host has no account for it.
    NoAccount,
    /// The list lacks the smoke model.
    ModelMissing,
    /// Anything else.
    Unexpected,
    /// Not asked, and why.
    Skipped,
}

/// One probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Host.
    pub host: HostId,
    /// Provider.
    pub provider: Option<PackId>,
    /// Which hop: `client`, `nginx`, `host` or `upstream`.
    pub hop: Cow<'static, str>,
    /// `no_key`, `models`, `chat`, `account`.
    pub protocol: Cow<'static, str>,
    /// Class.
    pub class: ProbeClass,
    /// HTTP status, 0 if there was no answer.
    pub status: u16,
    /// `Content-Type` of the answer, lower case, without parameters.
    #[serde(default)]
    pub content_type: String,
    /// What was found, redacted.
    pub found: String,
    /// Milliseconds.
    pub duration_ms: u64,
}

/// A host looked at: who it says it is and how far away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostProbe {
    /// Host.
    pub host: HostId,
    /// Round trip of a command on its machine, ms.
    pub machine_round_trip_ms: u64,
    /// What it says of itself.
    pub identity: HostIdentity,
    /// Its machine, as found on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineLook>,
    /// Who else writes to it, and what could not be looked at.
    #[serde(default)]
    pub writers: Vec<Writer>,
    /// What the next look compares with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_look: Option<LastLook>,
}

/// The subject under which probes of a host are kept: `host`, or `host/provider`.
pub(crate) fn subject(host: &HostId, provider: Option<&PackId>) -> String {
    provider.map_or_else(|| host.to_string(), |provider| format!("{host}/{provider}"))
}

/// Looks at one machine and keeps its state as last known.
pub async fn machine(job: &Job, id: &MachineId) -> Outcome<MachineLook> {
    let doing = format!("checking `{id}`");
    let known = &job.settings.machines;
    if !id.is_local() && !known.contains(id) {
        let names: Vec<&str> = known.iter().map(MachineId::as_str).collect();
        return Err(Failure::new(
            FailureKind::Usage,
            format!("there is no machine `{id}` in the config"),
        )
        .doing(doing)
        .hint(suggest(id.as_str(), &names)));
    }
    job.say(format!("machine `{id}`"));
    let check = job.ports.remote.check(id).await;
    let look = machine_look(id, check.map_err(|failure| failure.doing(doing))?);
    job.keep(ResultKind::Machine, id.as_str(), &look).await;
    Ok(look)
}

fn machine_look(id: &MachineId, check: MachineCheck) -> MachineLook {
    MachineLook {
        machine: id.clone(),
        state: MachineState {
            round_trip_ms: millis(check.round_trip),
            system: check.system,
            reconnects: check.reconnects,
        },
    }
}

/// Looks at one host and keeps its state as last known.
pub async fn host(job: &Job, id: &HostId) -> Outcome<HostProbe> {
    let settings = job.host(id)?.clone();
    let doing = format!("probing `{id}`");
    job.say(format!("machine `{}`", settings.machine));
    let machine = job
        .ports
        .remote
        .check(&settings.machine)
        .await
        .map_err(|f| f.doing(doing.clone()))?;
    job.say(format!("host `{id}`"));
    let api = job
        .ports
        .hosts
        .api(id)
        .await
        .map_err(|f| f.doing(doing.clone()))?;
    let identity = api.identity().await.map_err(|f| f.doing(doing))?;
    job.say(format!("who else writes to `{id}`"));
    let (writers, last_look) = neighbours::look(job, &settings, api.as_ref()).await;
    let probe = HostProbe {
        host: id.clone(),
        machine_round_trip_ms: millis(machine.round_trip),
        identity,
        machine: Some(machine_look(&settings.machine, machine)),
        writers,
        last_look,
    };
    job.keep(ResultKind::Host, id.as_str(), &probe).await;
    Ok(probe)
}

/// Probes a host and, where a batch of the provider stands on it, the way of an ordinary key.
pub async fn run(job: &Job, host: &HostId, provider: Option<&PackId>) -> Outcome<Vec<Probe>> {
    let settings = job.host(host)?.clone();
    let vantage = Vantage::Machine(settings.machine.clone());
    let base = settings.base_url();
    let mut row = Rows {
        host: host.clone(),
        provider: provider.cloned(),
        probes: Vec::new(),
    };
    job.say(format!("no-key request to `{host}`"));
    let no_key = job
        .ports
        .web
        .fetch(&WebRequest::get(
            vantage.clone(),
            format!("{base}/v1/models"),
        ))
        .await;
    row.add("host", "no_key", &no_key, no_key_row);
    let public = hops::public_base(job, &settings);
    if let Some(provider) = provider {
        let pack = job.provider(provider)?;
        let batch = newest(job, host, provider).await?;
        match managed_key(job, batch.as_ref()).await {
            Ok(key) => {
                if let Some(public) = &public {
                    outer_way(job, &settings, &pack, public, &key.key, &mut row).await;
                }
                user_way(job, &settings, &pack, &key, &mut row).await;
            }
            Err(failure) => {
                for protocol in ["models", "chat"] {
                    row.skip("host", protocol, &failure.message);
                }
            }
        }
        let url = model_calls::endpoint(&pack.base_url, "models");
        job.say("the upstream's model list, without a key");
        let answer = job.ports.web.fetch(&WebRequest::get(vantage, url)).await;
        row.add("upstream", "models", &answer, |answer| {
            match answer.status {
                // Without a key every refusal proves that it answers.
                200 | 401 | 403 => (
                    ProbeClass::Ok,
                    format!("answers {} without a key", answer.status),
                ),
                _ => (class_of(answer), words(answer)),
            }
        });
    } else if let Some(public) = &public {
        for (hop, from) in [("client", Vantage::Here), ("nginx", vantage)] {
            let request = WebRequest::get(from, model_calls::endpoint(public, "models"));
            let answer = job.ports.web.fetch(&request).await;
            row.add(hop, "no_key", &answer, no_key_row);
        }
    }
    row.in_order();
    let subject = subject(host, provider);
    job.keep(ResultKind::Probe, &subject, &row.probes).await;
    Ok(row.probes)
}

/// The newest batch of a provider that stands and has keys.
async fn newest(job: &Job, host: &HostId, provider: &PackId) -> Outcome<Option<Batch>> {
    let batches = job.ports.store.batches(Some(host)).await?;
    Ok(batches.into_iter().find(|batch| {
        batch.kind.has_keys()
            && batch.provider == *provider
            && batch.batch_status != BatchStatus::RolledBack
    }))
}

fn no_key_row(answer: &WebAnswer) -> (ProbeClass, String) {
    match answer.status {
        401 => (
            ProbeClass::Ok,
            "401 without a key: the request reached the host".to_owned(),
        ),
        _ => (class_of(answer), words(answer)),
    }
}

/// The managed key of the newest standing batch, read back from the host as its owner's.
async fn managed_key(job: &Job, batch: Option<&Batch>) -> Outcome<ApiKey> {
    let none = || {
        Failure::new(
            FailureKind::Conflict,
            "no standing batch of this provider holds a key here",
        )
    };
    let batch = batch.ok_or_else(none)?;
    let resources = job.ports.store.resources(batch.id).await?;
    let held = resources
        .iter()
        .find(|row| row.kind == ResourceKind::Key && !row.undone)
        .ok_or_else(none)?;
    let api = job.ports.hosts.api(&batch.host).await?;
    let owner = resources
        .iter()
        .find(|row| row.kind == ResourceKind::User && !row.undone)
        .ok_or_else(none)?;
    let keys = api.user_keys(owner.host_resource_id).await?;
    keys.into_iter()
        .find(|key| key.id == held.host_resource_id)
        .ok_or_else(none)
}

async fn user_way(
    job: &Job,
    host: &HostSettings,
    pack: &ProviderPack,
    key: &ApiKey,
    rows: &mut Rows,
) {
    let vantage = Vantage::Machine(host.machine.clone());
    let web = job.ports.web.as_ref();
    let base = host.base_url();
    job.say("models with an ordinary key");
    let models = model_calls::models(web, &vantage, &base, &key.key).await;
    rows.add("host", "models", &models, |answer| list_row(pack, answer));
    job.say("completion with an ordinary key");
    let chat = model_calls::chat(web, &vantage, &base, &key.key, &pack.smoke_model, 0).await;
    rows.add("host", "chat", &chat, |answer| {
        match completion_text(&answer.body) {
            Some(text) if answer.status == 200 => (ProbeClass::Ok, shorten(&text, 120)),
            _ => (class_of(answer), words(answer)),
        }
    });
    let answered = chat.as_ref().is_ok_and(|answer| answer.status == 200);
    if let (false, Some(group)) = (answered, key.group_id) {
        // Why, in the vendor's own words: the host keeps them with the account.
        let accounts = async {
            let api = job.ports.hosts.api(&host.id).await?;
            api.accounts(Some(group)).await
        };
        for (class, found) in vendor_words(&accounts.await.unwrap_or_default(), job.now_ms()) {
            rows.told(class, &found);
        }
    }
}

/// The model list as an ordinary key sees it.
fn list_row(pack: &ProviderPack, answer: &WebAnswer) -> (ProbeClass, String) {
    match listed_models(&answer.body) {
        Some(ids) if answer.status == 200 && ids.contains(&pack.smoke_model) => (
            ProbeClass::Ok,
            format!("{} models, `{}` among them", ids.len(), pack.smoke_model),
        ),
        Some(ids) if answer.status == 200 => (
            ProbeClass::ModelMissing,
            format!(
                "`{}` is not in: {}",
                pack.smoke_model,
                shorten(&ids.join(", "), 160)
            ),
        ),
        _ => (class_of(answer), words(answer)),
    }
}

/// The way of a client to the host: from here by its public address, and the same asked on the
/// machine itself, where nginx answers without the network in between. Lists cost no tokens.
async fn outer_way(
    job: &Job,
    host: &HostSettings,
    pack: &ProviderPack,
    public: &str,
    key: &Secret,
    rows: &mut Rows,
) {
    let web = job.ports.web.as_ref();
    let machine = Vantage::Machine(host.machine.clone());
    for (hop, from) in [("client", Vantage::Here), ("nginx", machine)] {
        job.say(format!("models by the public address, as {hop}"));
        let answer = model_calls::models(web, &from, public, key).await;
        rows.add(hop, "models", &answer, |answer| list_row(pack, answer));
    }
}

struct Rows {
    host: HostId,
    provider: Option<PackId>,
    probes: Vec<Probe>,
}

impl Rows {
    /// From the client to the vendor.
    fn in_order(&mut self) {
        let place = |probe: &Probe| HOPS.iter().position(|hop| probe.hop == *hop);
        self.probes.sort_by_key(place);
    }

    fn add(
        &mut self,
        hop: &'static str,
        protocol: &'static str,
        answer: &Outcome<WebAnswer>,
        judge: impl FnOnce(&WebAnswer) -> (ProbeClass, String),
    ) {
        let (class, found) = match answer {
            Ok(answer) => judge(answer),
            Err(failure) => (ProbeClass::Unreachable, failure.message.clone()),
        };
        let answer = answer.as_ref().ok();
        self.probes.push(Probe {
            host: self.host.clone(),
            provider: self.provider.clone(),
            hop: Cow::Borrowed(hop),
            protocol: Cow::Borrowed(protocol),
            class,
            status: answer.map_or(0, |answer| answer.status),
            content_type: answer.map_or_else(String::new, |answer| answer.content_type.clone()),
            found,
            duration_ms: answer.map_or(0, |answer| millis(answer.took)),
        });
    }

    fn skip(&mut self, hop: &'static str, protocol: &'static str, why: &str) {
        self.probes.push(Probe {
            host: self.host.clone(),
            provider: self.provider.clone(),
            hop: Cow::Borrowed(hop),
            protocol: Cow::Borrowed(protocol),
            class: ProbeClass::Skipped,
            status: 0,
            content_type: String::new(),
            found: why.to_owned(),
            duration_ms: 0,
        });
    }

    /// What the host stores of an answer of the upstream.
    fn told(&mut self, class: ProbeClass, found: &str) {
        self.skip("upstream", "account", found);
        if let Some(row) = self.probes.last_mut() {
            row.class = class;
        }
    }
}

fn class_of(answer: &WebAnswer) -> ProbeClass {
    let body = answer.body.to_lowercase();
    match answer.status {
        403 | 429 if body.contains("quota") || body.contains("balance") => ProbeClass::Quota,
        402 => ProbeClass::Quota,
        401 | 403 => ProbeClass::Auth,
        429 => ProbeClass::RateLimited,
        503 if body.contains("no available accounts")
            || body.contains("temporarily unavailable") =>
        {
            ProbeClass::NoAccount
        }
        _ => ProbeClass::Unexpected,
    }
}

fn words(answer: &WebAnswer) -> String {
    format!("{} {}", answer.status, shorten(answer.body.trim(), 200))
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// Whether every probe that was made is well.
pub fn all_ok(probes: &[Probe]) -> bool {
    probes
        .iter()
        .all(|probe| matches!(probe.class, ProbeClass::Ok | ProbeClass::Skipped))
}
