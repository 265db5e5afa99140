//! Arming and disarming: the gate, the snapshot, the audit, and the end that comes by itself.

use super::{Handle, Inner, lock};
use crate::arming::Armed;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::AuditRow;
use crate::supervisor::Event;
use cockpit_domain::finding::suggest;
use cockpit_domain::ids::HostId;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

impl Handle {
    /// Makes every host read-only until it is armed. For faces with keys; the command line arms
    /// each plan by its hash.
    pub fn require_arming(&self) {
        self.inner.gate.require();
    }

    /// Lets a host be written to for a while. Another one that was armed is read-only again. The
    /// audit has it before it is so. Must be called inside a runtime.
    ///
    /// # Errors
    /// `Usage` for an unknown host or a time that is too long, `Store` when the audit cannot be
    /// written: then nothing is armed.
    pub async fn arm(&self, host: HostId, how_long: Duration) -> Outcome<()> {
        self.inner.known_host(&host)?;
        let armed = Armed::new(host, self.inner.ports.clock.now_ms(), how_long)?;
        let minutes = how_long.as_secs().div_ceil(60);
        let request = format!("arm {} for {minutes} min", armed.host);
        self.inner.audit(&armed.host, request, "armed").await?;
        let until = Instant::now() + how_long;
        let stop = self.inner.closing.child_token();
        std::mem::replace(&mut *lock(&self.inner.lapse), stop.clone()).cancel();
        let replaced = self.inner.gate.arm(armed.clone(), until);
        self.inner.apply(Event::Armed(Some(armed.clone())));
        let (inner, mine) = (Arc::clone(&self.inner), armed.clone());
        self.inner.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep_until(until) => {
                    let ended = inner.gate.disarm_only(&mine);
                    inner.end_arming(ended, "its time is over").await;
                }
            }
        });
        if let Some(was) = replaced.filter(|was| was.host != armed.host) {
            let why = format!("`{}` is armed instead", armed.host);
            self.inner.told(&was.host, &why).await;
        }
        Ok(())
    }

    /// Makes the armed host read-only again, if there is one.
    pub async fn disarm(&self) {
        lock(&self.inner.lapse).cancel();
        let ended = self.inner.gate.disarm();
        self.inner.end_arming(ended, "disarmed").await;
    }
}

impl Inner {
    fn known_host(&self, host: &HostId) -> Outcome<()> {
        // A machine without a host of its own is armed by its name: a runbook may have to act there.
        let machine = || {
            let mut machines = self.settings.machines.iter();
            machines.any(|machine| machine.as_str() == host.as_str())
        };
        if self.settings.hosts.contains_key(host) || machine() {
            return Ok(());
        }
        let known: Vec<&str> = self.settings.hosts.keys().map(HostId::as_str).collect();
        Err(Failure::new(
            FailureKind::Usage,
            format!("there is no host `{host}` in the config"),
        )
        .doing("arming a host")
        .hint(suggest(host.as_str(), &known)))
    }

    async fn end_arming(&self, ended: Option<Armed>, why: &str) {
        if let Some(was) = ended {
            self.apply(Event::Armed(None));
            self.told(&was.host, why).await;
        }
    }

    /// The end of an arming needs nobody's leave: an audit that refuses is logged.
    async fn told(&self, host: &HostId, why: &str) {
        if let Err(failure) = self.audit(host, format!("disarm {host}"), why).await {
            tracing::warn!(%failure, %host, "the end of an arming is not in the audit");
        }
    }

    async fn audit(&self, host: &HostId, request: String, answer: &str) -> Outcome<()> {
        let row = AuditRow {
            at_ms: self.ports.clock.now_ms(),
            who: self.settings.owner.clone(),
            host: host.clone(),
            batch: None,
            plan_hash: String::new(),
            request,
            answer: answer.to_owned(),
            reason: String::new(),
        };
        self.ports.store.add_audit(&row).await
    }
}
