//! Why a key fails although the environment is well: one look per reason, then what an ordinary request
//! with it is answered (`product.md` 5). Reads only; the key is in no argument, address or log.

use crate::context::Job;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::import::CallerKey;
use crate::model_calls;
use crate::ports::{HostApi, RemoteCommand, Vantage};
use crate::triage::meant;
use cockpit_domain::baseline::read_profile;
use cockpit_domain::explain::{
    GatewaySaid, KeyFacts, KeyReason, ProfileSeen, ReasonLook, decided, reasons,
};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::{HostId, RemoteId};
use cockpit_domain::inventory::{ApiKey, User};
use cockpit_domain::model_answer::listed_models;
use cockpit_domain::pack::{Look, Pack, Place, ProfileLook};
use cockpit_domain::secret::Secret;
use cockpit_domain::text::shorten;
use serde::Serialize;

/// Which key is asked about.
#[derive(Debug, Clone)]
pub enum AskedKey {
    /// The key itself, by reference or handed over.
    Text(CallerKey),
    /// Its id on the host.
    Id(RemoteId),
}

impl AskedKey {
    /// How a line names it; never the key.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Text(key) => key.reference().to_owned(),
            Self::Id(id) => format!("id:{id}"),
        }
    }

    /// Out of what was typed: `env:NAME`, `file:PATH` or `id:N`.
    ///
    /// # Errors
    /// `Usage` for anything else, which is never repeated.
    pub fn named(text: String) -> Outcome<Self> {
        if let Some(id) = text.strip_prefix("id:").and_then(|id| id.parse().ok()) {
            return Ok(Self::Id(RemoteId(id)));
        }
        CallerKey::named(text).map(Self::Text).map_err(|failure| Failure {
            doing: "reading which key is asked about".to_owned(),
            hint: "write `env:NAME`, `file:PATH` (0600), `id:NUMBER` of the host, or `-` for standard input".to_owned(),
            ..failure
        })
    }
}

/// Why a key fails.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// The host that was asked.
    pub host: HostId,
    /// The key as it is shown, with its fingerprint where its text is known.
    pub key: String,
    /// The reason that decides; `None` when none of the six holds.
    pub decided: Option<KeyReason>,
    /// Every reason with its look.
    pub reasons: Vec<ReasonLook>,
    /// What `/v1/models` answered to the key itself.
    pub gateway: Option<GatewaySaid>,
    /// What else is known of the key.
    pub notes: Vec<String>,
}

impl Explained {
    /// Whether the key is well: nothing holds, everything was looked at, and the host takes it.
    pub fn is_well(&self) -> bool {
        self.decided.is_none() && self.gateway.as_ref().is_some_and(|said| said.status == 200)
    }
}

/// Looks.
///
/// # Errors
/// `Usage` without a host or a key; everything else is said in the reasons.
pub async fn explain(job: &Job, host: Option<&HostId>, asked: &AskedKey) -> Outcome<Explained> {
    let host = meant(job, host)?;
    let text = match asked {
        AskedKey::Text(key) => Some(key.read(job).await?),
        AskedKey::Id(_) => None,
    };
    job.say(format!("looking for the key on `{}`", host.id));
    let api = job.ports.hosts.api(&host.id).await.map_err(short);
    let owner = match &api {
        Ok(api) => find(api.as_ref(), asked, text.as_ref()).await,
        Err(why) => Err(why.clone()),
    };
    if let (AskedKey::Id(id), Ok(None)) = (asked, &owner) {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("no group of `{}` has a key {id}", host.id),
        )
        .doing("looking for the key")
        .hint("a key in no group cannot be found by its id: give its text by `env:NAME` or `file:PATH`"));
    }
    let key = owner.as_ref().ok().and_then(Option::as_ref);
    let text = text.or_else(|| {
        let known = key.map(|(_, key)| key.key.clone());
        known.filter(|key| !key.expose().is_empty())
    });
    let stored = stored(api.as_ref().map(AsRef::as_ref), key).await;
    let elsewhere = match (&text, key) {
        (Some(text), None) => elsewhere(job, &host.id, text).await,
        _ => Vec::new(),
    };
    let (profile_looks, wanted) = expectations(job, &host);
    let mut profiles = Vec::new();
    for (at, place, look) in &profile_looks {
        let seen = profile(job, place, look, at, text.as_ref()).await;
        profiles.push((at.clone(), seen));
    }
    let shown = match &text {
        Some(text) => format!("{} ({})", text.masked(), text.fingerprint()),
        None => asked.word(),
    };
    let (group, accounts, subscriptions) = stored;
    let notes = notes(key);
    let looked_for = match asked {
        AskedKey::Text(_) => "keys of users that their search by its last letters finds",
        AskedKey::Id(_) => "the keys of every group",
    };
    let looks = reasons(&KeyFacts {
        host: &host.id,
        shown: &shown,
        owner: owner.clone(),
        looked_for,
        elsewhere: &elsewhere,
        group,
        accounts,
        subscriptions,
        profiles: &profiles,
        wanted: &wanted,
        now_ms: job.now_ms(),
    });
    let gateway = match &text {
        Some(text) => gateway(job, &host, text).await,
        None => None,
    };
    Ok(Explained {
        host: host.id,
        key: shown,
        decided: decided(&looks),
        reasons: looks,
        gateway,
        notes,
    })
}

fn short(failure: Failure) -> String {
    failure.message
}

type Found = Option<(Option<User>, ApiKey)>;

/// The key on this host: by its text, or by walking the keys of every group.
async fn find(api: &dyn HostApi, asked: &AskedKey, text: Option<&Secret>) -> Result<Found, String> {
    match (asked, text) {
        (AskedKey::Text(_), Some(text)) => {
            let found = api.key_owner(text).await.map_err(short)?;
            Ok(found.map(|(user, key)| (Some(user), key)))
        }
        (AskedKey::Id(id), _) => {
            for group in api.groups().await.map_err(short)? {
                let keys = api.group_keys(group.id).await.map_err(short)?;
                if let Some(key) = keys.into_iter().find(|key| key.id == *id) {
                    let user = api.user(key.user_id).await.map_err(short)?;
                    return Ok(Some((user, key)));
                }
            }
            Ok(None)
        }
        (AskedKey::Text(_), None) => Ok(None),
    }
}

type Stored = (
    Result<Option<cockpit_domain::inventory::Group>, String>,
    Result<Vec<cockpit_domain::inventory::Account>, String>,
    Result<Vec<cockpit_domain::inventory::Subscription>, String>,
);

/// What the host has stored behind the key.
async fn stored(
    api: Result<&dyn HostApi, &String>,
    key: Option<&(Option<User>, ApiKey)>,
) -> Stored {
    let api = match api {
        Ok(api) => api,
        Err(why) => return (Err(why.clone()), Err(why.clone()), Err(why.clone())),
    };
    let Some((_, key)) = key else {
        return (Ok(None), Ok(Vec::new()), Ok(Vec::new()));
    };
    let Some(id) = key.group_id else {
        return (Ok(None), Ok(Vec::new()), Ok(Vec::new()));
    };
    let (groups, accounts, subscriptions) = tokio::join!(
        api.groups(),
        api.accounts(Some(id)),
        api.subscriptions(key.user_id)
    );
    let group = groups.map(|rows| rows.into_iter().find(|row| row.id == id));
    (
        group.map_err(short),
        accounts.map_err(short),
        subscriptions.map_err(short),
    )
}

/// The other hosts of the config, each asked for the same key.
async fn elsewhere(
    job: &Job,
    host: &HostId,
    key: &Secret,
) -> Vec<(HostId, Result<Option<RemoteId>, String>)> {
    let others = job.settings.hosts.keys().filter(|id| *id != host);
    let asked = others.map(|id| async move {
        let seen = async {
            let api = job.ports.hosts.api(id).await?;
            api.key_owner(key).await
        };
        let seen = seen.await.map_err(short);
        (id.clone(), seen.map(|found| found.map(|(_, key)| key.id)))
    });
    futures_util::future::join_all(asked).await
}

/// Profiles and models that the host's baseline names.
fn expectations(
    job: &Job,
    host: &HostSettings,
) -> (Vec<(String, Place, ProfileLook)>, Vec<String>) {
    let pack = host
        .baseline
        .as_ref()
        .and_then(|id| job.ports.packs.read(id).ok());
    let Some(Pack::Baseline(pack)) = pack else {
        return (Vec::new(), Vec::new());
    };
    let mut profiles = Vec::new();
    let mut wanted: Vec<String> = Vec::new();
    for check in &pack.checks {
        match &check.look {
            Look::Profile(look) => {
                let at = match &check.vantage {
                    Place::Here | Place::Outside => look.path.clone(),
                    Place::Machine(machine) => format!("{machine}:{}", look.path),
                };
                profiles.push((at, check.vantage.clone(), look.clone()));
            }
            Look::Smoke(look) => {
                for model in &look.models {
                    if !wanted.contains(model) {
                        wanted.push(model.clone());
                    }
                }
            }
            _ => {}
        }
    }
    (profiles, wanted)
}

/// Reads a profile: only where it sends to and whether it keeps this key leave here.
async fn profile(
    job: &Job,
    place: &Place,
    look: &ProfileLook,
    at: &str,
    key: Option<&Secret>,
) -> Result<ProfileSeen, String> {
    let Place::Machine(machine) = place else {
        return Err("a profile is looked at on a machine".to_owned());
    };
    let mut command = RemoteCommand::new(["cat", "--", look.path.as_str()]);
    command.sealed = true;
    let mut output = job
        .ports
        .remote
        .run(machine, &command)
        .await
        .map_err(short)?;
    if output.status != Some(0) {
        return Err(format!("{} cannot be read", look.path));
    }
    let sealed = output.sealed.take().unwrap_or_else(|| Secret::new(""));
    let (base_url, kept) = read_profile(look, &sealed)
        .ok_or_else(|| format!("{} has no key where it should", look.path))?;
    Ok(ProfileSeen {
        at: at.to_owned(),
        holds_key: key.is_some_and(|key| key.fingerprint() == kept.fingerprint()),
        base_url,
        wanted_url: look.base_url.clone(),
    })
}

/// What an ordinary request with the key is answered, from the host's own machine. Nobody answering is
/// no word about the key.
async fn gateway(job: &Job, host: &HostSettings, key: &Secret) -> Option<GatewaySaid> {
    let vantage = Vantage::Machine(host.machine.clone());
    let web = job.ports.web.as_ref();
    let answer = model_calls::models(web, &vantage, &host.base_url(), key).await;
    let answer = answer
        .inspect_err(|failure| tracing::info!(%failure, "the gateway was not asked"))
        .ok()?;
    let found = match listed_models(&answer.body).filter(|_| answer.status == 200) {
        Some(models) => models.join(", "),
        None => shorten(answer.body.trim(), 200),
    };
    Some(GatewaySaid {
        status: answer.status,
        found,
    })
}

/// What else stands against a key.
fn notes(key: Option<&(Option<User>, ApiKey)>) -> Vec<String> {
    let Some((user, key)) = key else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    if key.status != "active" {
        notes.push(format!("key {} is `{}` on the host", key.id, key.status));
    }
    if let Some(user) = user {
        if user.status != "active" {
            notes.push(format!("its owner, user {}, is `{}`", user.id, user.status));
        }
        if user.balance <= 0.0 {
            notes.push(format!("its owner, user {}, has no balance", user.id));
        }
    }
    notes
}
