//! The cockpit's own memory in SQLite: one writer thread, short-lived readers, one folder that
//! nobody else can enter.

mod batches;
mod error;
mod files;
mod guard;
mod history;
mod journal;
mod lease;
mod lease_shared;
mod lock_file;
mod plans;
mod remembered;
mod resources;
mod results;
mod runs;
mod schema;
mod seal;
mod stacks;
#[cfg(test)]
mod tests;
mod watched;
mod writer;

use async_trait::async_trait;
use cockpit_domain::baseline::{Stretch, Waiver, WaiverSubject};
use cockpit_domain::batch::{Batch, BatchEvent, Item};
use cockpit_domain::ids::{BatchId, HostId, PackId, PlanId, RemoteId, RunId, StepId};
use cockpit_domain::journal::{Intent, JournalRow, StepState};
use cockpit_domain::resource::{BatchResource, ResourceKind};
use cockpit_domain::runbook::Run;
use cockpit_domain::secret::{Fingerprint, Secret};
use cockpit_domain::stack::Stack;
use cockpit_domain::text::Redactor;
use cockpit_engine::board::LeaseSeen;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::ports::{
    AuditRow, CheckLook, KeptResult, KeyUse, Lease, LeaseFolder, LeaseInfo, NewPlan, Remembered,
    ResultKind, SavedPlan, Store,
};
use guard::Guard;
use rusqlite::Connection;
use seal::Sealer;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;
use watched::Watched;
use writer::Writer;

/// The store in a state folder. Several processes may have it open at the same time.
pub struct SqliteStore {
    state_dir: PathBuf,
    lease_dir: Option<PathBuf>,
    database: PathBuf,
    guard: Guard,
    sealer: Sealer,
    mine: lease::Mine,
    watched: Mutex<Option<Watched>>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the store of a state folder, making and migrating it as needed.
    ///
    /// # Errors
    /// `Store` when the folder or the database cannot be used, naming what to do.
    pub fn open(state_dir: &Path, redactor: Redactor) -> Outcome<Self> {
        let (connection, database) = schema::open(state_dir)?;
        Ok(Self {
            state_dir: state_dir.to_owned(),
            lease_dir: None,
            writer: Writer::start(connection, database.clone())?,
            database,
            guard: Guard::new(redactor),
            sealer: Sealer::new(state_dir),
            mine: lease::Mine::default(),
            watched: Mutex::default(),
        })
    }

    /// The database file: its `data_version` tells a watcher that something changed.
    pub fn database(&self) -> &Path {
        &self.database
    }

    async fn write<T, F>(&self, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> error::Result<T> + Send + 'static,
    {
        self.writer.write(false, work).await
    }

    async fn read<T, F>(&self, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> error::Result<T> + Send + 'static,
    {
        let database = self.database.clone();
        blocking(move || {
            schema::reader(&database)
                .and_then(|connection| work(&connection))
                .map_err(|error| error.at(&database))
        })
        .await
    }
}

/// Runs work that blocks away from the event loop.
async fn blocking<T, F>(work: F) -> Outcome<T>
where
    T: Send + 'static,
    F: FnOnce() -> Outcome<T> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Failure::new(
                FailureKind::Internal,
                format!("a read of the store broke off: {error}"),
            ))
        })
}

#[async_trait]
impl Store for SqliteStore {
    async fn save_plan(&self, plan: &NewPlan) -> Outcome<PlanId> {
        self.save_new_plan(plan).await
    }

    async fn plan(&self, id: PlanId) -> Outcome<Option<SavedPlan>> {
        self.read(move |db| plans::find(db, id)).await
    }

    async fn plan_keys(&self, id: PlanId) -> Outcome<Vec<Secret>> {
        self.open_plan_keys(id).await
    }

    async fn wipe_plan_keys(&self, id: PlanId) -> Outcome<()> {
        self.writer
            .write(true, move |db| plans::wipe_keys(db, id))
            .await
    }

    async fn use_plan(&self, id: PlanId, at_ms: i64) -> Outcome<()> {
        self.write(move |db| plans::mark_used(db, id, at_ms, None))
            .await
    }

    async fn create_batch(&self, batch: &Batch, items: &[Item]) -> Outcome<BatchId> {
        self.make_batch(batch, items).await
    }

    async fn save_batch(&self, batch: &Batch) -> Outcome<()> {
        self.replace_batch(batch).await
    }

    async fn batch(&self, id: BatchId) -> Outcome<Option<Batch>> {
        self.find_batch(id).await
    }

    async fn batches(&self, host: Option<&HostId>) -> Outcome<Vec<Batch>> {
        self.list_batches(host).await
    }

    async fn items(&self, batch: BatchId) -> Outcome<Vec<Item>> {
        self.read(move |db| batches::items(db, batch)).await
    }

    async fn save_item(&self, item: &Item) -> Outcome<()> {
        self.replace_item(item).await
    }

    async fn add_event(&self, batch: BatchId, event: &BatchEvent) -> Outcome<()> {
        let event = BatchEvent {
            text: self.guard.prose(&event.text),
            ..event.clone()
        };
        self.write(move |db| batches::add_event(db, batch, &event))
            .await
    }

    async fn events(&self, batch: BatchId) -> Outcome<Vec<BatchEvent>> {
        self.read(move |db| batches::events(db, batch)).await
    }

    async fn intend(&self, intent: &Intent) -> Outcome<StepId> {
        let target = self.guard.exact("target", &intent.target)?;
        let before = self.guard.exact_json("before", &intent.before)?;
        let intent = intent.clone();
        self.write(move |db| journal::intend(db, &intent, &target, &before))
            .await
    }

    async fn mark_sent(&self, step: StepId) -> Outcome<()> {
        self.write(move |db| journal::mark_sent(db, step)).await
    }

    async fn settle(
        &self,
        step: StepId,
        state: StepState,
        answer: &str,
        resource: Option<&BatchResource>,
        audit: &AuditRow,
    ) -> Outcome<()> {
        let answer = self.guard.prose(answer);
        let row = resource
            .map(|resource| resources::Row::of(resource, &self.guard))
            .transpose()?;
        let audit = results::guarded(audit, &self.guard);
        self.write(move |db| {
            let id = row.as_ref().map(|row| row.resource.host_resource_id);
            journal::settle(db, step, state, &answer, id, audit.at_ms)?;
            if let Some(row) = &row {
                row.save(db)?;
            }
            results::add_audit(db, &audit)
        })
        .await
    }

    async fn journal(&self, batch: BatchId) -> Outcome<Vec<JournalRow>> {
        self.read(move |db| journal::of_batch(db, batch)).await
    }

    async fn record(&self, resource: &BatchResource) -> Outcome<()> {
        let row = resources::Row::of(resource, &self.guard)?;
        self.write(move |db| row.save(db)).await
    }

    async fn resources(&self, batch: BatchId) -> Outcome<Vec<BatchResource>> {
        self.read(move |db| resources::of_batch(db, batch)).await
    }

    async fn host_resources(
        &self,
        host: &HostId,
        provider: &PackId,
    ) -> Outcome<Vec<BatchResource>> {
        let (host, provider) = (host.clone(), provider.clone());
        self.read(move |db| resources::held(db, &host, &provider))
            .await
    }

    async fn mark_undone(&self, batch: BatchId, kind: ResourceKind, id: RemoteId) -> Outcome<()> {
        self.write(move |db| resources::mark_undone(db, batch, kind, id))
            .await
    }

    async fn key_uses(&self, fingerprints: &[Fingerprint]) -> Outcome<Vec<KeyUse>> {
        let fingerprints = fingerprints.to_vec();
        self.read(move |db| batches::key_uses(db, &fingerprints))
            .await
    }

    async fn lease(
        &self,
        host: &HostId,
        provider: &PackId,
        info: &LeaseInfo,
    ) -> Outcome<Box<dyn Lease>> {
        self.take_lease(host, provider, info).await
    }

    async fn keep(&self, kind: ResultKind, subject: &str, result: &KeptResult) -> Outcome<()> {
        let (subject, at_ms) = (subject.to_owned(), result.at_ms);
        let body = self.guard.json(&result.body).to_string();
        self.write(move |db| results::keep(db, kind, &subject, at_ms, &body))
            .await
    }

    async fn kept(&self, kind: ResultKind, subject: &str, most: usize) -> Outcome<Vec<KeptResult>> {
        let subject = subject.to_owned();
        self.read(move |db| results::kept(db, kind, &subject, most))
            .await
    }

    async fn stacks(&self) -> Outcome<Vec<Stack>> {
        self.read(stacks::standing).await
    }

    async fn add_stack(&self, stack: &Stack, audit: &AuditRow) -> Outcome<()> {
        let row = stacks::Row::of(stack, &self.guard)?;
        let audit = results::guarded(audit, &self.guard);
        self.write(move |db| row.add(db, &audit)).await
    }

    async fn end_stack(&self, name: &HostId, audit: &AuditRow) -> Outcome<bool> {
        let name = name.clone();
        let audit = results::guarded(audit, &self.guard);
        self.write(move |db| stacks::end(db, &name, &audit)).await
    }

    async fn keep_looks(&self, pack: &PackId, looks: &[CheckLook]) -> Outcome<()> {
        let pack = pack.clone();
        let looks: Vec<CheckLook> = looks
            .iter()
            .map(|look| CheckLook {
                found: self.guard.prose(&look.found),
                ..look.clone()
            })
            .collect();
        self.write(move |db| history::keep(db, &pack, &looks)).await
    }

    async fn stretches(
        &self,
        pack: &PackId,
        check: Option<&str>,
        since_ms: i64,
    ) -> Outcome<Vec<(String, Stretch)>> {
        let (pack, check) = (pack.clone(), check.map(str::to_owned));
        self.read(move |db| history::stretches(db, &pack, check.as_deref(), since_ms))
            .await
    }

    async fn waivers(&self) -> Outcome<Vec<Waiver>> {
        self.read(history::waivers).await
    }

    async fn put_waiver(&self, waiver: &Waiver, audit: &AuditRow) -> Outcome<()> {
        let waiver = Waiver {
            reason: self.guard.prose(&waiver.reason),
            owner: self.guard.prose(&waiver.owner),
            ..waiver.clone()
        };
        let audit = results::guarded(audit, &self.guard);
        self.write(move |db| history::put(db, &waiver, &audit))
            .await
    }

    async fn clear_waiver(&self, subject: &WaiverSubject, audit: &AuditRow) -> Outcome<bool> {
        let subject = subject.clone();
        let audit = results::guarded(audit, &self.guard);
        self.write(move |db| history::clear(db, &subject, &audit))
            .await
    }

    async fn add_audit(&self, row: &AuditRow) -> Outcome<()> {
        let row = results::guarded(row, &self.guard);
        self.write(move |db| results::add_audit(db, &row)).await
    }

    async fn audit(&self, most: usize) -> Outcome<Vec<AuditRow>> {
        self.read(move |db| results::audit(db, most)).await
    }

    async fn remembered(&self) -> Outcome<Remembered> {
        self.remember().await
    }

    async fn take_over(
        &self,
        host: &HostId,
        provider: &PackId,
        taker: &LeaseInfo,
        alive: bool,
    ) -> Outcome<Vec<BatchId>> {
        self.clear_lease(host, provider, taker, alive).await
    }

    async fn lease_folder(&self) -> Outcome<Option<LeaseFolder>> {
        self.look_at_shared().await
    }

    async fn leases(&self) -> Outcome<Vec<LeaseSeen>> {
        self.shared_is_readable().await?;
        self.held_leases().await
    }

    fn changes(&self) -> Outcome<watch::Receiver<u64>> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = watched.as_ref() {
            return Ok(watched.changes());
        }
        let started = Watched::start(&self.state_dir, &self.database)?;
        Ok(watched.insert(started).changes())
    }

    async fn add_run(&self, run: &Run) -> Outcome<RunId> {
        self.add_new_run(run).await
    }

    async fn save_run(&self, run: &Run, audit: Option<&AuditRow>) -> Outcome<()> {
        self.replace_run(run, audit).await
    }

    async fn run(&self, id: RunId) -> Outcome<Option<Run>> {
        self.read(move |db| runs::find(db, id)).await
    }

    async fn runs(&self, most: usize) -> Outcome<Vec<Run>> {
        self.read(move |db| runs::list(db, most)).await
    }

    async fn evidence(&self, name: &str, files: &[(String, String)]) -> Outcome<String> {
        let folder = self.state_dir.join("evidence").join(name);
        let files: Vec<(String, String)> = files
            .iter()
            .map(|(name, text)| (name.clone(), self.guard.prose(text)))
            .collect();
        blocking(move || files::write_new(&folder, &files)).await
    }

    async fn local_key(&self) -> Outcome<Secret> {
        let file = self.state_dir.join("local.key");
        blocking(move || files::read_or_make_key(&file)).await
    }
}
