//! What every operation is given: ports, settings, and its job's progress and cancel.

use crate::arming::Gate;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{
    AuditRow, Clock, FaultBoard, Hosts, KeptResult, Packs, Registrar, Remote, ResultKind,
    SecretRefs, Store, Web,
};
use cockpit_domain::batch::Interruption;
use cockpit_domain::finding::suggest;
use cockpit_domain::host::{HostSettings, HostTerms};
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::log::LogSource;
use cockpit_domain::pack::ProviderPack;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// The outside world, wired once by `main`.
#[derive(Clone)]
pub struct Ports {
    /// Host APIs.
    pub hosts: Arc<dyn Hosts>,
    /// Commands on machines.
    pub remote: Arc<dyn Remote>,
    /// HTTP from a vantage.
    pub web: Arc<dyn Web>,
    /// Our own memory.
    pub store: Arc<dyn Store>,
    /// Packs.
    pub packs: Arc<dyn Packs>,
    /// References to secrets that a person names.
    pub secrets: Arc<dyn SecretRefs>,
    /// The config file as people edit it.
    pub registrar: Arc<dyn Registrar>,
    /// Time and ids.
    pub clock: Arc<dyn Clock>,
    /// Where faults can be switched; only a lab has one.
    pub faults: Option<Arc<dyn FaultBoard>>,
}

/// Waits and limits, in one place so that tests can shorten them.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Warming window after our last write (`product.md` 4.7).
    pub warming: Duration,
    /// How long after our last write the gateway is first asked. Asked before the host's scheduler has
    /// seen new accounts, about a second, it gives a list without them and keeps that for 15 s.
    pub first_look: Duration,
    /// First wait between tries inside it; doubles up to 4 s.
    pub first_wait: Duration,
    /// How long a usage row may take to appear.
    pub usage_wait: Duration,
    /// Items at work at once on one host.
    pub items_in_flight: usize,
    /// Longest time a host works on one request; a replay key that is in use for longer is stuck.
    pub processing: Duration,
    /// Tries of one write whose answer was lost, before the batch is left `interrupted`.
    pub write_tries: u32,
    /// How long a request whose answer was lost may still take effect on the host: before that,
    /// lists are not believed where it matters.
    pub late_answer: Duration,
    /// Least age of a batch's last write before a look may say `fully_ready`.
    pub settled_after: Duration,
    /// How long a job waits at the host's login limit, which counts by the minute.
    pub login_limit: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            warming: Duration::from_secs(45),
            first_look: Duration::from_millis(1500),
            first_wait: Duration::from_millis(250),
            usage_wait: Duration::from_secs(8),
            items_in_flight: 4,
            processing: Duration::from_secs(32),
            write_tries: 6,
            late_answer: Duration::from_secs(15),
            settled_after: Duration::from_secs(16),
            login_limit: Duration::from_secs(75),
        }
    }
}

/// What the user's config says, as far as the engine needs it.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Hosts by id.
    pub hosts: BTreeMap<HostId, HostSettings>,
    /// What else the config says of hosts: containers, and how long a temporary one may stand.
    pub terms: BTreeMap<HostId, HostTerms>,
    /// Machines by id.
    pub machines: Vec<MachineId>,
    /// The machine that looks from outside.
    pub outside: Option<MachineId>,
    /// Pack variables, `PACK.VAR`.
    pub vars: BTreeMap<String, String>,
    /// Fingerprints of own packs whose commands may run, by pack.
    pub trust: BTreeMap<PackId, String>,
    /// Sources of log lines.
    pub logs: Vec<LogSource>,
    /// `user@machine pid N`: who holds leases and is named in the audit.
    pub owner: String,
    /// Waits and limits.
    pub timing: Timing,
}

/// What a running job tells the world.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// What is being done, one short line.
    pub text: String,
    /// Things done, of `total`.
    pub done: usize,
    /// Things to do; 0 when unknown.
    pub total: usize,
    /// Writes to hosts that were answered so far.
    pub steps: u64,
    /// UTC ms until when it waits, when it waits for a time.
    pub until_ms: Option<i64>,
}

/// A person's hold on a job that writes: steps in flight are finished, none is begun while it is on.
#[derive(Debug, Clone)]
pub struct Hold(Arc<watch::Sender<bool>>);

impl Default for Hold {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Hold {
    /// Puts it on or takes it off.
    pub fn set(&self, on: bool) {
        self.0.send_replace(on);
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        *self.0.borrow()
    }

    /// Ready as soon as it is on.
    async fn on(&self) {
        drop(self.0.subscribe().wait_for(|on| *on).await);
    }

    /// Ready as soon as it is off.
    async fn off(&self) {
        // The sender lives as long as we do.
        drop(self.0.subscribe().wait_for(|on| !on).await);
    }
}

/// One job at work: ports, settings, cancel and progress.
#[derive(Clone)]
pub struct Job {
    /// The outside world.
    pub ports: Ports,
    /// The user's config.
    pub settings: Arc<Settings>,
    /// Cancelled when a person stops the job; steps in flight are finished first.
    pub cancel: CancellationToken,
    /// Cancelled when the person's terminal, or the connection to it, was lost: a stop after that
    /// was asked for by nobody.
    pub hung_up: CancellationToken,
    /// On while a person holds the job.
    pub hold: Hold,
    /// Where progress goes; dropped lines do no harm.
    pub progress: mpsc::Sender<Progress>,
    /// Writes to hosts that were answered so far.
    pub(crate) steps: Arc<AtomicU64>,
    /// What stands between the job and a host.
    pub(crate) gate: Arc<Gate>,
}

impl Job {
    /// Says what is being done.
    pub fn say(&self, text: impl Into<String>) {
        self.count(text, 0, 0);
    }

    /// Says how far it is.
    pub fn count(&self, text: impl Into<String>, done: usize, total: usize) {
        self.tell(Progress {
            text: text.into(),
            done,
            total,
            ..Progress::default()
        });
    }

    /// Says what is waited for, and until when at most (UTC ms).
    pub fn wait_for(&self, text: impl Into<String>, until_ms: i64) {
        self.tell(Progress {
            text: text.into(),
            until_ms: Some(until_ms),
            ..Progress::default()
        });
    }

    fn tell(&self, progress: Progress) {
        let steps = self.steps.load(Ordering::Relaxed);
        // A full channel means the face is slow: the next line replaces this one anyway.
        drop(self.progress.try_send(Progress { steps, ..progress }));
    }

    /// Counts a write that was answered.
    pub(crate) fn stepped(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// Fails when a person stopped the job.
    pub fn check_cancel(&self) -> Outcome<()> {
        if self.cancel.is_cancelled() {
            return Err(Failure::new(FailureKind::Cancelled, "stopped by request"));
        }
        Ok(())
    }

    /// Waits while a person holds the job; fails when it was stopped. Asked before anything new is
    /// begun, so that what is in flight is finished first.
    pub async fn go_on(&self) -> Outcome<()> {
        if self.hold.is_on() {
            tokio::select! {
                () = self.hold.off() => {}
                () = self.cancel.cancelled() => {}
            }
        }
        self.check_cancel()
    }

    /// As `go_on`; gives the milliseconds it was held.
    pub async fn held(&self) -> Outcome<i64> {
        if !self.hold.is_on() {
            return self.check_cancel().map(|()| 0);
        }
        let since = self.now_ms();
        self.go_on().await?;
        Ok((self.now_ms() - since).max(0))
    }

    /// Waits, or returns at once when it is cancelled or held.
    pub async fn pause_or_hold(&self, wait: Duration) {
        tokio::select! {
            () = self.pause(wait) => {}
            () = self.hold.on() => {}
        }
    }

    /// What sort of stop a failure is for the batch it leaves in the middle.
    pub(crate) fn interruption(&self, failure: &Failure) -> Interruption {
        match failure.kind {
            FailureKind::Cancelled if self.hung_up.is_cancelled() => Interruption::HungUp,
            FailureKind::Cancelled if self.hold.is_on() => Interruption::Paused,
            FailureKind::Cancelled => Interruption::Aborted,
            FailureKind::Unreachable => Interruption::LostConnection,
            FailureKind::Conflict => Interruption::HostChanged,
            _ => Interruption::Failed,
        }
    }

    /// Waits, or returns at once when cancelled.
    pub async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.cancel.cancelled() => {}
        }
    }

    /// Fails unless this host may be written to now. Every job that writes asks this once it knows
    /// its host, before anything is written: where arming is wanted, the host has to be armed.
    pub fn may_write(&self, host: &HostId) -> Outcome<()> {
        self.gate.check(host, self.now_ms())
    }

    /// UTC milliseconds now.
    pub fn now_ms(&self) -> i64 {
        self.ports.clock.now_ms()
    }

    /// A line of the audit, told by whoever runs this.
    pub fn audit_row(&self, host: &HostId, request: String, answer: impl Into<String>) -> AuditRow {
        AuditRow {
            at_ms: self.now_ms(),
            who: self.settings.owner.clone(),
            host: host.clone(),
            batch: None,
            plan_hash: String::new(),
            request,
            answer: answer.into(),
            reason: String::new(),
        }
    }

    /// A machine of the config, or this one.
    pub fn machine(&self, name: &str) -> Outcome<MachineId> {
        let known = &self.settings.machines;
        MachineId::new(name)
            .ok()
            .filter(|machine| machine.is_local() || known.contains(machine))
            .ok_or_else(|| {
                let message = format!("there is no machine `{name}` in the config");
                let known: Vec<&str> = known.iter().map(MachineId::as_str).collect();
                Failure::new(FailureKind::Usage, message).hint(suggest(name, &known))
            })
    }

    /// A host of the config.
    pub fn host(&self, id: &HostId) -> Outcome<&HostSettings> {
        self.settings.hosts.get(id).ok_or_else(|| {
            let known: Vec<&str> = self.settings.hosts.keys().map(HostId::as_str).collect();
            Failure::new(
                FailureKind::Usage,
                format!("there is no host `{id}` in the config"),
            )
            .doing("looking up the host")
            .hint(if known.is_empty() {
                "add a [host.NAME] block to the config file; `cockpit doctor` shows where it is"
                    .to_owned()
            } else {
                format!("known hosts: {}; see `cockpit host list`", known.join(", "))
            })
        })
    }

    /// Keeps a result as last known. The result is worth more than its record: a store that
    /// refuses is logged, not returned.
    pub async fn keep(&self, kind: ResultKind, subject: &str, result: &impl Serialize) {
        let at_ms = self.now_ms();
        keep(self.ports.store.as_ref(), kind, subject, at_ms, result).await;
    }

    /// A provider pack.
    pub fn provider(&self, id: &PackId) -> Outcome<ProviderPack> {
        self.ports.packs.provider(id)
    }
}

/// Keeps a result as found at `at_ms`; a store that refuses is logged.
pub(crate) async fn keep(
    store: &dyn Store,
    kind: ResultKind,
    subject: &str,
    at_ms: i64,
    result: &impl Serialize,
) {
    let kept = match serde_json::to_value(result) {
        Ok(body) => store.keep(kind, subject, &KeptResult { at_ms, body }).await,
        Err(error) => Err(Failure::new(FailureKind::Internal, error.to_string())),
    };
    if let Err(failure) = kept {
        tracing::warn!(%failure, ?kind, subject, "a result was not kept");
    }
}
