//! The cockpit's own memory. Everything durable goes through here; a write has reached the disk
//! when its future is ready (`synchronous=FULL`), because intent must outlive a crash.

use crate::board::{LeaseSeen, Tally};
use crate::failure::Outcome;
use async_trait::async_trait;
use cockpit_domain::baseline::{Stretch, Verdict, Waiver, WaiverSubject};
use cockpit_domain::batch::{AccountStatus, Batch, BatchEvent, Item};
use cockpit_domain::ids::{BatchId, HostId, ItemId, PackId, PlanId, RemoteId, RunId, StepId};
use cockpit_domain::journal::{Intent, JournalRow, StepState};
use cockpit_domain::resource::{BatchResource, ResourceKind};
use cockpit_domain::runbook::Run;
use cockpit_domain::secret::{Fingerprint, Secret};
use cockpit_domain::stack::Stack;
use serde::Serialize;
use tokio::sync::watch;

/// A plan to save. `body` is its canonical content without secrets; the keys are sealed beside
/// it and wiped when no longer needed.
#[derive(Debug, Clone)]
pub struct NewPlan {
    /// What it is of: a word of `planned/kinds.rs`, or `runbook` for a command of a run.
    pub kind: &'static str,
    /// Host it is for.
    pub host: HostId,
    /// Provider it is about.
    pub provider: PackId,
    /// Batch it is about, for rollback and reconcile.
    pub batch: Option<BatchId>,
    /// SHA-256 of the canonical content, 64 hex digits.
    pub hash: String,
    /// Canonical content.
    pub body: serde_json::Value,
    /// Keys to seal, in input order.
    pub keys: Vec<Secret>,
    /// UTC ms.
    pub created_ms: i64,
}

/// The folder that users of one machine share their writers' places in, as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseFolder {
    /// Where the configuration says it is.
    pub path: String,
    /// What is there; `None` for nothing.
    pub entry: Option<FolderEntry>,
    /// Files of places in it that this user cannot open: nobody can tell whether those are held.
    pub shut: Vec<String>,
}

/// What a look at a folder found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its mode, as the system gives it.
    pub mode: u32,
    /// Name or number of the user it belongs to.
    pub owner: String,
    /// Name or number of its group.
    pub group: String,
    /// Whether this user may make files in it.
    pub writable: bool,
}

/// A plan as saved.
#[derive(Debug, Clone)]
pub struct SavedPlan {
    /// Its id.
    pub id: PlanId,
    /// What it is of, as in [`NewPlan`].
    pub kind: String,
    /// Host it is for.
    pub host: HostId,
    /// Provider it is about.
    pub provider: PackId,
    /// Batch it is about, until it is applied: then the batch that records it.
    pub batch: Option<BatchId>,
    /// Its hash.
    pub hash: String,
    /// Canonical content.
    pub body: serde_json::Value,
    /// UTC ms.
    pub created_ms: i64,
    /// UTC ms of its use; a plan is applied once.
    pub used_ms: Option<i64>,
}

/// Where a key is known from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// Which key.
    pub fingerprint: Fingerprint,
    /// On which host.
    pub host: HostId,
    /// Under which provider.
    pub provider: PackId,
    /// By which batch (not rolled back).
    pub batch: BatchId,
    /// As which account, if it was made.
    pub account: Option<RemoteId>,
    /// As which item of that batch.
    pub item: ItemId,
    /// What it came to there.
    pub account_status: Option<AccountStatus>,
    /// What was said of it.
    pub summary: String,
}

/// Who holds the one writer's place of a (host, provider).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeaseInfo {
    /// `user@machine pid N`.
    pub owner: String,
    /// What for.
    pub reason: String,
    /// UTC ms since when.
    pub since_ms: i64,
}

/// Held while its value lives; dropping it (or dying) frees the lease.
pub trait Lease: Send + Sync {}

/// One line of the append-only audit: every write, who, when, what, how answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// UTC ms.
    pub at_ms: i64,
    /// Who.
    pub who: String,
    /// Which host.
    pub host: HostId,
    /// Batch, if any.
    pub batch: Option<BatchId>,
    /// Plan hash that allowed it.
    pub plan_hash: String,
    /// The request in words, redacted: `create_account lab.0123456789ab`.
    pub request: String,
    /// The answer in words, redacted.
    pub answer: String,
    /// Reason given by the person, for production.
    pub reason: String,
}

/// A result kept for history: checks, probes, reconcile runs, host states.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeptResult {
    /// UTC ms.
    pub at_ms: i64,
    /// The result as JSON.
    pub body: serde_json::Value,
}

/// What sort of result is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultKind {
    /// A baseline run; subject is `pack`.
    Baseline,
    /// A probe; subject is `host/provider`.
    Probe,
    /// A reconcile run; subject is `batch/N`: a batch shows its own runs only.
    Reconcile,
    /// How a batch stood to its host at the newest look, short; subject is `batch/N`.
    Drift,
    /// Last known state of a host; subject is the host id.
    Host,
    /// An access look; subject is `batch/N`.
    Access,
    /// Last known state of a machine; subject is the machine id.
    Machine,
    /// How an account answered that was asked again; subject is `batch/N`.
    Recover,
    /// Why the newest look came to nothing; subject is `host/ID`, `machine/ID` or `baseline/ID`.
    Trouble,
    /// One side of a deployment; subject is `pack/before` or `pack/after`.
    Gate,
    /// A sample of a metric; subject is `pack/check`.
    Sample,
}

/// What a check came to in one run, for its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLook {
    /// The check.
    pub check: String,
    /// What it came to, whatever is put aside.
    pub verdict: Verdict,
    /// What was found, in one line.
    pub found: String,
    /// UTC ms.
    pub at_ms: i64,
}

/// What a board is begun from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remembered {
    /// The newest result of each subject, of the kinds a board shows.
    pub results: Vec<(ResultKind, String, KeptResult)>,
    /// The newest batches and all that are not ended, newest first, read as [`Store::batch`] does.
    pub batches: Vec<(Batch, Tally)>,
    /// Writers' places that are held.
    pub leases: Vec<LeaseSeen>,
    /// What is put aside, also where its time has run out.
    pub waivers: Vec<Waiver>,
}

/// The store.
///
/// # Errors
/// `Store` with the file and what SQLite said; `Busy` from [`Store::lease`] with owner, reason
/// and age; `Conflict` when a plan was already used.
#[async_trait]
pub trait Store: Send + Sync {
    /// Saves a plan and seals its keys.
    async fn save_plan(&self, plan: &NewPlan) -> Outcome<PlanId>;
    /// Reads a plan.
    async fn plan(&self, id: PlanId) -> Outcome<Option<SavedPlan>>;
    /// The sealed keys of a plan, in input order; empty once wiped.
    async fn plan_keys(&self, id: PlanId) -> Outcome<Vec<Secret>>;
    /// Wipes the sealed keys of a plan.
    async fn wipe_plan_keys(&self, id: PlanId) -> Outcome<()>;
    /// Marks a non-import plan used. `Conflict` when it was before.
    async fn use_plan(&self, id: PlanId, at_ms: i64) -> Outcome<()>;

    /// Makes a batch with its items out of a plan, marks the plan used, all in one transaction.
    /// Ids in the arguments are ignored. `Conflict` when the plan was used before.
    async fn create_batch(&self, batch: &Batch, items: &[Item]) -> Outcome<BatchId>;
    /// Saves a batch whole.
    async fn save_batch(&self, batch: &Batch) -> Outcome<()>;
    /// Reads a batch. A `running` one whose lease is free reads as `interrupted`.
    async fn batch(&self, id: BatchId) -> Outcome<Option<Batch>>;
    /// All batches, newest first, read as [`Store::batch`] does; of one host if given.
    async fn batches(&self, host: Option<&HostId>) -> Outcome<Vec<Batch>>;
    /// Items of a batch in input order.
    async fn items(&self, batch: BatchId) -> Outcome<Vec<Item>>;
    /// Saves an item whole.
    async fn save_item(&self, item: &Item) -> Outcome<()>;
    /// Adds an event.
    async fn add_event(&self, batch: BatchId, event: &BatchEvent) -> Outcome<()>;
    /// Events of a batch, oldest first.
    async fn events(&self, batch: BatchId) -> Outcome<Vec<BatchEvent>>;

    /// Writes an intent. Durable when ready.
    async fn intend(&self, intent: &Intent) -> Outcome<StepId>;
    /// Marks a step as handed to the connection. Durable when ready.
    async fn mark_sent(&self, step: StepId) -> Outcome<()>;
    /// Writes a step's outcome and, in the same transaction, the resource it made or touched and
    /// the audit line.
    async fn settle(
        &self,
        step: StepId,
        state: StepState,
        answer: &str,
        resource: Option<&BatchResource>,
        audit: &AuditRow,
    ) -> Outcome<()>;
    /// The journal of a batch, oldest first.
    async fn journal(&self, batch: BatchId) -> Outcome<Vec<JournalRow>>;

    /// Records a resource of a batch without a write of ours (adoption), or replaces its row.
    async fn record(&self, resource: &BatchResource) -> Outcome<()>;
    /// Resources of a batch, in the order recorded.
    async fn resources(&self, batch: BatchId) -> Outcome<Vec<BatchResource>>;
    /// Resources on a host that batches of a provider hold and have not undone.
    async fn host_resources(&self, host: &HostId, provider: &PackId)
    -> Outcome<Vec<BatchResource>>;
    /// Marks a resource of a batch as undone.
    async fn mark_undone(&self, batch: BatchId, kind: ResourceKind, id: RemoteId) -> Outcome<()>;
    /// Where these keys are known from, in batches that are not rolled back.
    async fn key_uses(&self, fingerprints: &[Fingerprint]) -> Outcome<Vec<KeyUse>>;

    /// Takes the one writer's place of (host, provider), marking batches that an earlier holder
    /// left `running` as `interrupted`. Refuses with `Busy` when held or unreadable.
    async fn lease(
        &self,
        host: &HostId,
        provider: &PackId,
        info: &LeaseInfo,
    ) -> Outcome<Box<dyn Lease>>;

    /// The writers' places that are held now or were left by owners that are gone. Looking takes none
    /// over; one that cannot be looked at is listed and says so.
    async fn leases(&self) -> Outcome<Vec<LeaseSeen>>;
    /// The shared folder of places as it is found; `None` where none is configured.
    async fn lease_folder(&self) -> Outcome<Option<LeaseFolder>>;
    /// Clears what an owner left, marking batches it left `running` as `interrupted`; gives those.
    /// `alive` takes it from an owner whose lock is still seen. `Busy` when it came to be held.
    async fn take_over(
        &self,
        host: &HostId,
        provider: &PackId,
        taker: &LeaseInfo,
        alive: bool,
    ) -> Outcome<Vec<BatchId>>;
    /// Everything a board is begun from, in one read.
    async fn remembered(&self) -> Outcome<Remembered>;
    /// Counts changes of the store, ours and those of other processes. Costs nothing while nothing
    /// is written; several changes close together count as one.
    fn changes(&self) -> Outcome<watch::Receiver<u64>>;

    /// Keeps a result.
    async fn keep(&self, kind: ResultKind, subject: &str, result: &KeptResult) -> Outcome<()>;
    /// Kept results of a subject, newest first, at most `most`.
    async fn kept(&self, kind: ResultKind, subject: &str, most: usize) -> Outcome<Vec<KeptResult>>;

    /// Registered stacks that stand, by name.
    async fn stacks(&self) -> Outcome<Vec<Stack>>;
    /// Registers a stack, or puts one that stands in other terms, with its audit line. `Conflict` when
    /// another one of its name stands: another machine, port or container.
    async fn add_stack(&self, stack: &Stack, audit: &AuditRow) -> Outcome<()>;
    /// Ends a stack, with its audit line; `false` when none of that name stands.
    async fn end_stack(&self, name: &HostId, audit: &AuditRow) -> Outcome<bool>;
    /// Takes in what the checks of a pack came to in one run. The history of a check is bounded.
    async fn keep_looks(&self, pack: &PackId, looks: &[CheckLook]) -> Outcome<()>;
    /// The history of a pack's checks, or of one of them: the stretches that reach into the window and
    /// the newest ones, by check, oldest first.
    async fn stretches(
        &self,
        pack: &PackId,
        check: Option<&str>,
        since_ms: i64,
    ) -> Outcome<Vec<(String, Stretch)>>;
    /// What is put aside, by subject, also where its time has run out.
    async fn waivers(&self) -> Outcome<Vec<Waiver>>;
    /// Puts something aside, in the place of an earlier waiver of it, with its line of the audit.
    async fn put_waiver(&self, waiver: &Waiver, audit: &AuditRow) -> Outcome<()>;
    /// Takes a waiver away, with its line of the audit; gives whether there was one.
    async fn clear_waiver(&self, subject: &WaiverSubject, audit: &AuditRow) -> Outcome<bool>;

    /// Adds a line to the audit that belongs to no step. Durable when ready.
    async fn add_audit(&self, row: &AuditRow) -> Outcome<()>;
    /// The audit, newest first, at most `most`.
    async fn audit(&self, most: usize) -> Outcome<Vec<AuditRow>>;

    /// Writes down a run of a runbook that begins; gives its id.
    async fn add_run(&self, run: &Run) -> Outcome<RunId>;
    /// Saves a run whole and counts its revision up, with a line of the audit in the same
    /// transaction. `Conflict` when somebody saved it since it was read.
    async fn save_run(&self, run: &Run, audit: Option<&AuditRow>) -> Outcome<()>;
    /// Reads a run.
    async fn run(&self, id: RunId) -> Outcome<Option<Run>>;
    /// The newest runs, at most `most`.
    async fn runs(&self, most: usize) -> Outcome<Vec<Run>>;

    /// Writes files into a new folder of this name under the state folder; nobody else may read
    /// them. Gives the folder.
    async fn evidence(&self, name: &str, files: &[(String, String)]) -> Outcome<String>;

    /// The installation's own secret (a 0600 file), from which managed keys and passwords are
    /// derived so that a replayed request is byte-equal.
    async fn local_key(&self) -> Outcome<Secret>;
}

/// Time and fresh ids, passed in so that tests can fix them.
pub trait Clock: Send + Sync {
    /// UTC milliseconds since the epoch.
    fn now_ms(&self) -> i64;
    /// A fresh UUIDv7 as text.
    fn uuid(&self) -> String;
}
