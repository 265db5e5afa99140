//! Remote writes that survive a crash: intent durable before, outcome after, and a lost answer
//! looked up before anything is sent again (`product.md` 4, journal; `host-contract.md` 2.4).

use crate::basis::Basis;
use crate::context::Job;
use crate::failure::{Failure, Outcome};
use crate::planned;
use crate::ports::AuditRow;
use async_trait::async_trait;
use cockpit_domain::canonical::hash_of;
use cockpit_domain::ids::{BatchId, HostId, StepId};
use cockpit_domain::journal::{Intent, JournalRow, StepKind, StepState};
use cockpit_domain::resource::{BatchResource, ResourceKind};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a write is, without its secrets.
#[derive(Debug, Clone)]
pub struct Write {
    /// Which write.
    pub kind: StepKind,
    /// Kind of the resource.
    pub resource: ResourceKind,
    /// Deterministic name of the target.
    pub target: String,
    /// The request without secrets: its digest goes into the journal.
    pub request: Value,
    /// What the target was before, or null.
    pub before: Value,
}

/// One remote write: how to send it, and how to find out whether an earlier try of it took.
#[async_trait]
pub trait RemoteWrite: Send + Sync {
    /// What comes of it.
    type Made: Send + Sync;

    /// What it is.
    fn write(&self) -> Write;

    /// What the plan read of the target, beside what is there now: asked right before it is sent.
    /// `None` where nothing of the host's is overwritten: what is made new is guarded by its name.
    async fn basis(&self) -> Outcome<Option<Basis>> {
        Ok(None)
    }

    /// Finds what an earlier try made, by deterministic name. `key` is the replay key of that try.
    async fn look(&self, key: &str) -> Outcome<Option<Self::Made>>;

    /// Sends it. `key` is the same on every replay.
    async fn send(&self, key: &str) -> Outcome<Self::Made>;

    /// What is to be recorded of it, if anything.
    fn record(&self, made: &Self::Made) -> Option<BatchResource>;

    /// What the host said, in a few words, for journal and audit.
    fn answer(&self, _made: &Self::Made) -> String {
        "done".to_owned()
    }
}

/// What a look right before sending came to, where nobody stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ready {
    /// It may be sent.
    Go,
    /// What an earlier try made has come meanwhile.
    CameLate,
}

/// The journal of one batch while a job works on it.
pub struct Journal {
    job: Job,
    batch: BatchId,
    host: HostId,
    plan_hash: String,
    reason: String,
    rows: Mutex<Rows>,
}

/// The steps in order, found by their id and by what they do to whom: thousands of keys look their
/// steps up all the time.
#[derive(Default)]
struct Rows {
    all: Vec<JournalRow>,
    by_id: HashMap<StepId, usize>,
    last: HashMap<(StepKind, String), usize>,
}

impl Rows {
    fn put(&mut self, row: JournalRow) {
        let at = self.all.len();
        self.by_id.insert(row.id, at);
        self.last.insert((row.kind, row.target.clone()), at);
        self.all.push(row);
    }

    fn get(&self, step: StepId) -> Option<&JournalRow> {
        self.by_id.get(&step).map(|at| &self.all[*at])
    }
}

impl Journal {
    /// Opens the journal of a batch, reading what earlier runs left.
    pub async fn open(
        job: &Job,
        batch: BatchId,
        host: &HostId,
        plan_hash: &str,
        reason: &str,
    ) -> Outcome<Self> {
        let mut rows = Rows::default();
        for row in job.ports.store.journal(batch).await? {
            rows.put(row);
        }
        Ok(Self {
            job: job.clone(),
            batch,
            host: host.clone(),
            plan_hash: plan_hash.to_owned(),
            reason: reason.to_owned(),
            rows: Mutex::new(rows),
        })
    }

    /// The steps that may have had more effects than the one we know of, in this run or an
    /// earlier one: names that the host does not keep unique have to be swept for doubles.
    pub fn doubtful(&self) -> Vec<JournalRow> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.all
            .iter()
            .filter(|row| row.may_have_more())
            .cloned()
            .collect()
    }

    /// The last row of a kind for a target.
    pub fn last(&self, kind: StepKind, target: &str) -> Option<JournalRow> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.last
            .get(&(kind, target.to_owned()))
            .map(|at| rows.all[*at].clone())
    }

    /// Whether the host may have been asked for this and have done it: what stands there under that
    /// name may be ours.
    pub fn asked(&self, kind: StepKind, target: &str) -> bool {
        let row = self.last(kind, target);
        row.is_some_and(|row| !matches!(row.state, StepState::Intended | StepState::Failed))
    }

    /// Makes a write true, whatever an earlier run left of it. At most one effect: a try whose
    /// answer was lost is looked up first, replayed with its own key second.
    pub async fn ensure<W: RemoteWrite>(&self, remote: &W) -> Outcome<W::Made> {
        let write = remote.write();
        let doing = format!(
            "{} `{}` on `{}`",
            write.kind.as_str().replace('_', " "),
            write.target,
            self.host
        );
        let prior = self.last(write.kind, &write.target);
        let (step, key, lost) = match prior {
            Some(row) if row.state == StepState::Done => {
                if let Some(made) = remote.look(&row.idempotency_key).await? {
                    return Ok(made);
                }
                // Somebody took it away since. Its replay key would answer with what is gone.
                self.ready(remote, &write, false).await?;
                let (step, key) = self.intend(&write).await?;
                (step, key, false)
            }
            Some(row) if row.state == StepState::Intended => {
                self.ready(remote, &write, false).await?;
                (row.id, row.idempotency_key, false)
            }
            Some(row) if row.is_open() => {
                if row.state == StepState::Sent {
                    let answer = "the program ended before an answer came";
                    self.settle(row.id, StepState::Unknown, &write, answer, None)
                        .await?;
                }
                let mut found = remote.look(&row.idempotency_key).await?;
                if found.is_none() && self.ready(remote, &write, true).await? == Ready::CameLate {
                    found = remote.look(&row.idempotency_key).await?;
                }
                if let Some(made) = found {
                    let answer = "found on the host after its answer was lost";
                    self.settle(
                        row.id,
                        StepState::Done,
                        &write,
                        answer,
                        remote.record(&made),
                    )
                    .await?;
                    return Ok(made);
                }
                (row.id, row.idempotency_key, true)
            }
            _ => {
                self.ready(remote, &write, false).await?;
                let (step, key) = self.intend(&write).await?;
                (step, key, false)
            }
        };
        self.send(remote, &write, step, &key, lost)
            .await
            .map_err(|failure| failure.doing(doing))
    }

    /// Waits while the job is held, and then reads again what the write rests on: where somebody
    /// else changed it since the plan read it, nothing is written down and nothing sent.
    async fn ready<W: RemoteWrite>(&self, remote: &W, write: &Write, lost: bool) -> Outcome<Ready> {
        loop {
            self.job.go_on().await?;
            let basis = remote.basis().await?;
            // Held while it was read: that may be long ago by the time it goes on.
            if self.job.hold.is_on() {
                continue;
            }
            return match basis {
                // A try without an answer may be what took it away: asking again tells.
                Some(basis) if lost && basis.now.is_none() => Ok(Ready::Go),
                // And what was not there a moment ago may be what that try made.
                Some(basis) if lost && basis.appeared.is_some() => Ok(Ready::CameLate),
                Some(basis) => self.stands(&basis, write).map(|()| Ready::Go),
                None => Ok(Ready::Go),
            };
        }
    }

    /// Fails when somebody else changed what a write rests on, with the next step.
    fn stands(&self, basis: &Basis, write: &Write) -> Outcome<()> {
        let id = self.batch.0;
        let take_back = format!("`cockpit rollback plan {id}` takes back what was done");
        let next = match &basis.appeared {
            Some(made) if made.other.is_empty() => {
                format!("`cockpit batch resume {id}` takes it over as it is, {take_back}")
            }
            Some(_) => format!(
                "{take_back}, and a new plan says what it does with it; where somebody takes it away again, `cockpit batch resume {id}` goes on"
            ),
            None => {
                format!("`cockpit batch resume {id}` goes on from what is there now, {take_back}")
            }
        };
        basis.stands(&label(write)).map_err(|failure| {
            failure
                .doing("reading it again before it is written to")
                .hint(format!("nothing was sent; {next}"))
        })
    }

    /// What a host's "there is one already" is about, where nothing of ours can have made it.
    async fn named<W: RemoteWrite>(&self, remote: &W, write: &Write, said: Failure) -> Failure {
        match remote.basis().await {
            Ok(Some(basis)) => self.stands(&basis, write).err().unwrap_or(said),
            _ => said,
        }
    }

    /// Adds a line to the batch's story.
    pub async fn event(&self, kind: &str, text: String) -> Outcome<()> {
        planned::event(&self.job, self.batch, kind, text).await
    }

    async fn send<W: RemoteWrite>(
        &self,
        remote: &W,
        write: &Write,
        step: StepId,
        key: &str,
        mut lost: bool,
    ) -> Outcome<W::Made> {
        let (mut step, mut key) = (step, key.to_owned());
        let mut wait = Duration::from_millis(300);
        let mut attempt = 0;
        loop {
            self.job.ports.store.mark_sent(step).await?;
            self.with_row(step, |row| row.sends += 1);
            let failure = match remote.send(&key).await {
                Ok(made) => {
                    let answer = remote.answer(&made);
                    self.settle(step, StepState::Done, write, &answer, remote.record(&made))
                        .await?;
                    return Ok(made);
                }
                Err(failure) => failure,
            };
            let in_progress = failure.has_reason("IDEMPOTENCY_IN_PROGRESS");
            let busy = in_progress || failure.has_reason("IDEMPOTENCY_RETRY_BACKOFF");
            let exists = failure
                .answer
                .as_ref()
                .is_some_and(|a| a.reason.ends_with("_EXISTS"));
            if !(failure.maybe_done || busy || (exists && lost)) {
                // A clear no answers this try; an earlier one may have taken effect all the same.
                let state = if lost {
                    StepState::Unknown
                } else {
                    StepState::Failed
                };
                self.settle(step, state, write, &failure.message, None)
                    .await?;
                let taken = failure.answer.as_ref().is_some_and(|a| a.status == 409);
                return Err(if taken && !lost {
                    self.named(remote, write, failure).await
                } else {
                    failure
                });
            }
            lost = true;
            self.settle(step, StepState::Unknown, write, &failure.message, None)
                .await?;
            let asked = failure
                .answer
                .as_ref()
                .and_then(|answer| answer.retry_after);
            let nap = asked.map_or(wait, |seconds| Duration::from_secs(seconds.min(10)));
            // While the host says that it is still at work on it, waiting is no try of ours.
            attempt += u32::from(!in_progress);
            if attempt >= self.job.settings.timing.write_tries || self.job.cancel.is_cancelled() {
                return Err(failure.hint("`cockpit batch resume` looks it up and goes on"));
            }
            tokio::time::sleep(nap).await;
            wait = (wait * 2).min(Duration::from_secs(5));
            // An unreachable host cannot be looked at either: the next try decides.
            let looked = remote.look(&key).await;
            if let Ok(Some(made)) = looked {
                let answer = "found on the host after its answer was lost";
                self.settle(step, StepState::Done, write, answer, remote.record(&made))
                    .await?;
                return Ok(made);
            }
            if in_progress && looked.is_ok() && self.is_stuck(step) {
                // The host never takes such a record over: a request whose client went away
                // leaves it `processing` for a day (seen on 0.1.129), with nothing made.
                (step, key) = self.intend(write).await?;
            } else if in_progress {
                self.job
                    .say("the host says it is still at work on a request whose answer was lost");
            }
        }
    }

    /// Whether a step is older than the longest time a host works on one request
    /// (`host-contract.md` 2.4).
    fn is_stuck(&self, step: StepId) -> bool {
        let longest =
            i64::try_from(self.job.settings.timing.processing.as_millis()).unwrap_or(i64::MAX);
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.get(step)
            .is_some_and(|row| self.job.now_ms() - row.at_ms > longest)
    }

    async fn intend(&self, write: &Write) -> Outcome<(StepId, String)> {
        self.job.go_on().await?;
        let key = self.job.ports.clock.uuid();
        let intent = Intent {
            batch: self.batch,
            host: self.host.clone(),
            kind: write.kind,
            resource: write.resource,
            target: write.target.clone(),
            request_digest: hash_of(&write.request).unwrap_or_default(),
            idempotency_key: key.clone(),
            before: write.before.clone(),
            at_ms: self.job.now_ms(),
        };
        let step = self.job.ports.store.intend(&intent).await?;
        self.put(JournalRow {
            id: step,
            kind: write.kind,
            resource: write.resource,
            target: write.target.clone(),
            state: StepState::Intended,
            host_resource_id: None,
            idempotency_key: key.clone(),
            request_digest: intent.request_digest,
            before: intent.before,
            answer: String::new(),
            at_ms: intent.at_ms,
            sends: 0,
            lost_ms: None,
        });
        Ok((step, key))
    }

    async fn settle(
        &self,
        step: StepId,
        state: StepState,
        write: &Write,
        answer: &str,
        resource: Option<BatchResource>,
    ) -> Outcome<()> {
        let audit = AuditRow {
            batch: Some(self.batch),
            plan_hash: self.plan_hash.clone(),
            reason: self.reason.clone(),
            ..self.job.audit_row(
                &self.host,
                format!("{} {}", write.kind, write.target),
                format!("{state}: {answer}"),
            )
        };
        self.job
            .ports
            .store
            .settle(step, state, answer, resource.as_ref(), &audit)
            .await?;
        if state == StepState::Done {
            self.job.stepped();
        }
        self.with_row(step, |row| {
            row.state = state;
            row.host_resource_id = resource.map(|resource| resource.host_resource_id);
            if state == StepState::Unknown {
                row.lost_ms = Some(audit.at_ms);
            }
        });
        Ok(())
    }

    fn with_row(&self, step: StepId, change: impl FnOnce(&mut JournalRow)) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = rows.by_id.get(&step).copied() {
            change(&mut rows.all[at]);
        }
    }

    fn put(&self, row: JournalRow) {
        self.rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .put(row);
    }
}

/// A write's target as people read it.
fn label(write: &Write) -> String {
    match write.kind {
        // Its target says what it is.
        StepKind::Delete => write.target.clone(),
        _ => format!("{} {}", write.resource, write.target),
    }
}
