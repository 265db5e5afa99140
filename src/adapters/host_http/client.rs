//! Sending one request and coming back with its data: way, credential, limits, retries of reads.

use super::auth::{Auth, Shown};
use super::call::{As, Call, Effect};
use super::credential::Credential;
use super::gate::Gate;
use super::judge::{self, Raw, Trouble};
use super::tunnels::Tunnels;
use super::way::{ClientShape, Route, Way};
use backon::{ExponentialBuilder, Retryable};
use cockpit_domain::host::HostSettings;
use cockpit_domain::ids::HostId;
use cockpit_domain::text::Redactor;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use reqwest::Url;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long and how much one host may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Longest wait for a whole answer.
    pub call: Duration,
    /// Longest silence inside an account test.
    pub test_silence: Duration,
    /// Longest account test.
    pub test: Duration,
    /// How often a failed read is sent again.
    pub retries: usize,
    /// Wait before the first such time; doubles.
    pub first_wait: Duration,
    /// Longest such wait; a host that asks for more gets its answer reported instead.
    pub longest_wait: Duration,
    /// Most bytes of one answer.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(30),
            test_silence: Duration::from_secs(90),
            test: Duration::from_mins(5),
            retries: 2,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(5),
            body: 32 << 20,
        }
    }
}

/// One host's admin API over HTTP.
pub struct HostHttp {
    pub(super) host: HostId,
    /// Shown to people: `127.0.0.1:8080`.
    pub(super) address: String,
    pub(super) base: Url,
    pub(super) way: Way,
    pub(super) auth: Auth,
    pub(super) redactor: Redactor,
    pub(super) limits: Limits,
    pub(super) gate: Gate,
}

impl HostHttp {
    /// Makes the client of a host. Sends nothing yet.
    ///
    /// An `https://` address is reached directly, and so is every address of the local machine;
    /// everything else is an address as its machine sees it.
    ///
    /// # Errors
    /// `Config` when the address is no HTTP address.
    pub fn new(
        settings: &HostSettings,
        tunnels: Arc<dyn Tunnels>,
        credential: Credential,
        redactor: Redactor,
        limits: Limits,
    ) -> Outcome<Self> {
        let base = base_of(settings)?;
        let tls = base.scheme() == "https";
        let route = match (base.host_str(), base.port_or_known_default()) {
            (Some(host), Some(port)) if !tls && !settings.machine.is_local() => Route::Tunnel {
                tunnels,
                machine: settings.machine.clone(),
                host: host.trim_matches(['[', ']']).to_owned(),
                port,
            },
            _ => Route::Direct,
        };
        redactor.learn(credential.secret());
        let shape = ClientShape {
            tls,
            connect: limits.connect,
            idle: settings.in_flight,
        };
        Ok(Self {
            host: settings.id.clone(),
            address: settings.address.clone(),
            base,
            way: Way::new(route, shape),
            auth: Auth::new(credential),
            redactor,
            limits,
            gate: Gate::new(settings.in_flight, settings.calls_per_second),
        })
    }

    /// Opens the way without asking the host anything.
    pub(super) async fn open(&self) -> Outcome<()> {
        self.way.client().await.map(drop)
    }

    /// Whether the host refused our credential since this was made: it should be resolved anew.
    pub(super) fn is_refused(&self) -> bool {
        self.auth.refused.load(Ordering::Relaxed)
    }

    /// The `data` of the answer, read as `T`.
    pub(super) async fn get<T: DeserializeOwned>(&self, call: &Call<'_>) -> Outcome<T> {
        let data = self.data(call).await?;
        self.decode(call, data)
    }

    /// Like [`Self::get`]; `None` when the host says there is no such thing.
    pub(super) async fn find<T: DeserializeOwned>(&self, call: &Call<'_>) -> Outcome<Option<T>> {
        match self.get(call).await {
            Ok(found) => Ok(Some(found)),
            Err(failure) if judge::is_absent(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Sends a request whose answer's data does not matter; `false` when the host says there is
    /// no such thing.
    pub(super) async fn remove(&self, call: &Call<'_>) -> Outcome<bool> {
        match self.data(call).await {
            Ok(_) => Ok(true),
            Err(failure) if judge::is_absent(&failure) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// A plain array; `null` is an empty one.
    pub(super) async fn array<T: DeserializeOwned>(&self, call: &Call<'_>) -> Outcome<Vec<T>> {
        self.get::<Option<Vec<T>>>(call)
            .await
            .map(Option::unwrap_or_default)
    }

    /// The `data` of the answer.
    pub(super) async fn data(&self, call: &Call<'_>) -> Outcome<Value> {
        let raw = self.answer(call).await?;
        judge::data(&raw, call, &self.redactor).map_err(|failure| self.name(call, failure))
    }

    /// A good answer, whatever its body. Reads are sent again when the way or a proxy fails.
    pub(super) async fn answer(&self, call: &Call<'_>) -> Outcome<Raw> {
        let attempt = || async {
            let raw = self.authorised(call).await?;
            judge::accept(raw, call, &self.redactor)
        };
        let outcome = if call.effect == Effect::Read {
            let waits = ExponentialBuilder::new()
                .with_min_delay(self.limits.first_wait)
                .with_max_delay(self.limits.longest_wait)
                .with_max_times(self.limits.retries)
                .with_jitter();
            attempt
                .retry(waits)
                .when(|trouble: &Trouble| trouble.again)
                .adjust(|trouble, wait| self.wait_for(trouble, wait))
                .await
        } else {
            attempt().await
        };
        outcome.map_err(|trouble| self.name(call, trouble.failure))
    }

    /// The host's own wish about the wait; none at all when it is longer than we would sit there.
    fn wait_for(&self, trouble: &Trouble, wait: Option<Duration>) -> Option<Duration> {
        let wish = trouble
            .failure
            .answer
            .as_ref()
            .and_then(|answer| answer.retry_after)
            .map(Duration::from_secs);
        match wish {
            Some(wish) if wish > self.limits.longest_wait => None,
            Some(wish) => wait.map(|wait| wait.max(wish)),
            None => wait,
        }
    }

    /// Sends with a credential; renews an admin's login once when the host says it ran out. That
    /// is safe for writes too: the layer that says so stands before everything else.
    async fn authorised(&self, call: &Call<'_>) -> Result<Raw, Trouble> {
        let mut spent = None;
        loop {
            let shown = match call.speaker {
                As::Nobody => None,
                As::User(token) => Some(Shown::bearer(token)?),
                As::Admin => Some(self.admin_header(spent.as_ref()).await?),
            };
            let header = shown.as_ref().map(|shown| (&shown.name, &shown.value));
            // Only now: the login above is a call of its own.
            let permit = self.permit().await?;
            let response = self.exchange(call, header).await?;
            let raw = self.read(call, response).await?;
            drop(permit);
            if spent.is_none()
                && let Some(token) = shown.and_then(|shown| shown.token)
                && judge::login_ran_out(&raw)
            {
                spent = Some(token);
                continue;
            }
            if matches!(call.speaker, As::Admin) && raw.status == 401 {
                self.auth.refused.store(true, Ordering::Relaxed);
            }
            return Ok(raw);
        }
    }

    /// Adds what was being done.
    pub(super) fn name(&self, call: &Call<'_>, failure: Failure) -> Failure {
        let doing = format!("{} on `{}`", call.doing, self.host);
        failure.doing(judge::one_line(&self.redactor, &doing))
    }

    pub(super) fn decode<T: DeserializeOwned>(&self, call: &Call<'_>, data: Value) -> Outcome<T> {
        serde_json::from_value(data).map_err(|error| {
            let failure = judge::unreadable(&self.redactor, &error.to_string(), call);
            self.name(call, failure)
        })
    }

    /// Remote text of one line, redacted and harmless.
    pub(super) fn line(&self, text: &str) -> String {
        self.redactor.admit(&text.replace(['\r', '\n'], " "))
    }
}

fn base_of(settings: &HostSettings) -> Outcome<Url> {
    let bad = |why: &str| {
        Failure::new(
            FailureKind::Config,
            format!("the address of host `{}` {why}", settings.id),
        )
        .hint("write `127.0.0.1:8080` as the machine sees it, or an `https://` URL")
    };
    let base = Url::parse(&settings.base_url()).map_err(|_| bad("cannot be read as an address"))?;
    if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
        return Err(bad("is no HTTP address"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(bad("carries a login, which belongs into its credential"));
    }
    Ok(base)
}
