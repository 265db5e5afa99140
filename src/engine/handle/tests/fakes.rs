//! Ports that answer what these tests want and break whoever asks for anything else: a write that
//! was not allowed ends in a panic that names it.

use crate::board::LeaseSeen;
use crate::context::Ports;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ports::{
    AuditRow, CheckLook, CheckedBlock, Clock, HostApi, Hosts, KeptResult, KeyUse, Lease,
    LeaseFolder, LeaseInfo, MachineCheck, NewPlan, PackEntry, Packs, Registrar, Remembered, Remote,
    RemoteCommand, ResultKind, RunOutput, SavedPlan, SecretRefs, Section, Store, StreamText, Web,
    WebAnswer, WebRequest,
};
use async_trait::async_trait;
use cockpit_domain::baseline::{Stretch, Waiver, WaiverSubject};
use cockpit_domain::batch::{Batch, BatchEvent, Item};
use cockpit_domain::ids::{BatchId, HostId, MachineId, PackId, PlanId, RemoteId, RunId, StepId};
use cockpit_domain::journal::{Intent, JournalRow, StepState};
use cockpit_domain::pack::Pack;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use cockpit_domain::runbook::Run;
use cockpit_domain::secret::{Fingerprint, Secret};
use cockpit_domain::stack::Stack;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// What the fakes know and were told.
pub(super) struct World {
    pub(super) now_ms: i64,
    pub(super) plan: Option<SavedPlan>,
    pub(super) batch: Option<Batch>,
    pub(super) remembered: Remembered,
    pub(super) audit: Vec<AuditRow>,
    pub(super) audit_fails: bool,
    pub(super) kept: Vec<(ResultKind, String)>,
    /// Leases that were taken over.
    pub(super) taken: Vec<String>,
    /// What a check of a machine comes to; the greatest number never comes.
    pub(super) check: Outcome<u64>,
}

#[derive(Clone)]
pub(super) struct Fakes {
    world: Arc<Mutex<World>>,
    pub(super) changes: watch::Sender<u64>,
}

impl Fakes {
    pub(super) fn new() -> Self {
        Self {
            world: Arc::new(Mutex::new(World {
                now_ms: 1_000,
                plan: None,
                batch: None,
                remembered: Remembered::default(),
                audit: Vec::new(),
                audit_fails: false,
                kept: Vec::new(),
                taken: Vec::new(),
                check: Ok(7),
            })),
            changes: watch::channel(0).0,
        }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(super) fn ports(&self) -> Ports {
        Ports {
            hosts: Arc::new(self.clone()),
            remote: Arc::new(self.clone()),
            web: Arc::new(self.clone()),
            store: Arc::new(self.clone()),
            packs: Arc::new(self.clone()),
            secrets: Arc::new(self.clone()),
            registrar: Arc::new(self.clone()),
            clock: Arc::new(self.clone()),
            faults: None,
        }
    }
}

fn never(what: &str) -> ! {
    panic!("`{what}` was called")
}

#[async_trait]
impl Registrar for Fakes {
    async fn check(&self, _block: &str, _host: &HostId) -> Outcome<CheckedBlock> {
        never("check")
    }

    async fn section(&self, _host: &HostId) -> Outcome<Section> {
        never("section")
    }
}

#[async_trait]
impl SecretRefs for Fakes {
    async fn read(&self, _reference: &str) -> Outcome<Secret> {
        never("read")
    }
}

impl Clock for Fakes {
    fn now_ms(&self) -> i64 {
        self.world().now_ms
    }

    fn uuid(&self) -> String {
        never("uuid")
    }
}

#[async_trait]
impl Hosts for Fakes {
    async fn api(&self, _host: &HostId) -> Outcome<Arc<dyn HostApi>> {
        Err(Failure::new(
            FailureKind::Unreachable,
            "the host was opened",
        ))
    }
}

#[async_trait]
impl Remote for Fakes {
    async fn run(&self, _machine: &MachineId, _command: &RemoteCommand) -> Outcome<RunOutput> {
        never("run")
    }

    async fn follow(
        &self,
        _machine: &MachineId,
        _argv: &[String],
        _lines: mpsc::Sender<StreamText>,
        _stop: CancellationToken,
    ) -> Outcome<Option<i32>> {
        never("follow")
    }

    async fn check(&self, _machine: &MachineId) -> Outcome<MachineCheck> {
        let check = self.world().check.clone();
        if matches!(&check, Ok(u64::MAX)) {
            return std::future::pending().await;
        }
        check.map(|ms| MachineCheck {
            round_trip: Duration::from_millis(ms),
            system: "Linux".to_owned(),
            reconnects: 0,
        })
    }

    async fn close(&self) {}
}

#[async_trait]
impl Web for Fakes {
    async fn fetch(&self, _request: &WebRequest) -> Outcome<WebAnswer> {
        never("fetch")
    }
}

impl Packs for Fakes {
    fn is_built_in(&self, _id: &PackId) -> bool {
        never("is_built_in")
    }

    fn list(&self) -> Outcome<Vec<PackEntry>> {
        never("list")
    }

    fn check(&self, _what: &std::path::Path) -> Outcome<PackEntry> {
        never("check")
    }

    fn read(&self, _id: &PackId) -> Outcome<Pack> {
        never("read")
    }
}

#[async_trait]
impl Store for Fakes {
    async fn plan(&self, _id: PlanId) -> Outcome<Option<SavedPlan>> {
        Ok(self.world().plan.clone())
    }

    async fn batch(&self, _id: BatchId) -> Outcome<Option<Batch>> {
        Ok(self.world().batch.clone())
    }

    async fn remembered(&self) -> Outcome<Remembered> {
        Ok(self.world().remembered.clone())
    }

    fn changes(&self) -> Outcome<watch::Receiver<u64>> {
        Ok(self.changes.subscribe())
    }

    async fn keep(&self, kind: ResultKind, subject: &str, _result: &KeptResult) -> Outcome<()> {
        self.world().kept.push((kind, subject.to_owned()));
        Ok(())
    }

    async fn add_audit(&self, row: &AuditRow) -> Outcome<()> {
        let mut world = self.world();
        if world.audit_fails {
            return Err(Failure::new(FailureKind::Store, "the disk is full"));
        }
        world.audit.push(row.clone());
        Ok(())
    }

    async fn add_run(&self, _run: &Run) -> Outcome<RunId> {
        never("add_run")
    }

    async fn save_run(&self, _run: &Run, _audit: Option<&AuditRow>) -> Outcome<()> {
        never("save_run")
    }

    async fn run(&self, _id: RunId) -> Outcome<Option<Run>> {
        never("run")
    }

    async fn runs(&self, _most: usize) -> Outcome<Vec<Run>> {
        never("runs")
    }

    async fn stacks(&self) -> Outcome<Vec<Stack>> {
        never("stacks")
    }

    async fn add_stack(&self, _stack: &Stack, _audit: &AuditRow) -> Outcome<()> {
        never("add_stack")
    }

    async fn end_stack(&self, _name: &HostId, _audit: &AuditRow) -> Outcome<bool> {
        never("end_stack")
    }

    async fn evidence(&self, _name: &str, _files: &[(String, String)]) -> Outcome<String> {
        never("evidence")
    }

    async fn save_plan(&self, _plan: &NewPlan) -> Outcome<PlanId> {
        never("save_plan")
    }

    async fn plan_keys(&self, _id: PlanId) -> Outcome<Vec<Secret>> {
        never("plan_keys")
    }

    async fn wipe_plan_keys(&self, _id: PlanId) -> Outcome<()> {
        never("wipe_plan_keys")
    }

    async fn use_plan(&self, _id: PlanId, _at_ms: i64) -> Outcome<()> {
        never("use_plan")
    }

    async fn create_batch(&self, _batch: &Batch, _items: &[Item]) -> Outcome<BatchId> {
        never("create_batch")
    }

    async fn save_batch(&self, _batch: &Batch) -> Outcome<()> {
        never("save_batch")
    }

    async fn batches(&self, _host: Option<&HostId>) -> Outcome<Vec<Batch>> {
        never("batches")
    }

    async fn items(&self, _batch: BatchId) -> Outcome<Vec<Item>> {
        never("items")
    }

    async fn save_item(&self, _item: &Item) -> Outcome<()> {
        never("save_item")
    }

    async fn add_event(&self, _batch: BatchId, _event: &BatchEvent) -> Outcome<()> {
        never("add_event")
    }

    async fn events(&self, _batch: BatchId) -> Outcome<Vec<BatchEvent>> {
        never("events")
    }

    async fn intend(&self, _intent: &Intent) -> Outcome<StepId> {
        never("intend")
    }

    async fn mark_sent(&self, _step: StepId) -> Outcome<()> {
        never("mark_sent")
    }

    async fn settle(
        &self,
        _step: StepId,
        _state: StepState,
        _answer: &str,
        _resource: Option<&BatchResource>,
        _audit: &AuditRow,
    ) -> Outcome<()> {
        never("settle")
    }

    async fn journal(&self, _batch: BatchId) -> Outcome<Vec<JournalRow>> {
        never("journal")
    }

    async fn record(&self, _resource: &BatchResource) -> Outcome<()> {
        never("record")
    }

    async fn resources(&self, _batch: BatchId) -> Outcome<Vec<BatchResource>> {
        never("resources")
    }

    async fn host_resources(
        &self,
        _host: &HostId,
        _provider: &PackId,
    ) -> Outcome<Vec<BatchResource>> {
        never("host_resources")
    }

    async fn mark_undone(
        &self,
        _batch: BatchId,
        _kind: ResourceKind,
        _id: RemoteId,
    ) -> Outcome<()> {
        never("mark_undone")
    }

    async fn key_uses(&self, _fingerprints: &[Fingerprint]) -> Outcome<Vec<KeyUse>> {
        never("key_uses")
    }

    async fn lease(
        &self,
        _host: &HostId,
        _provider: &PackId,
        _info: &LeaseInfo,
    ) -> Outcome<Box<dyn Lease>> {
        never("lease")
    }

    async fn take_over(
        &self,
        host: &HostId,
        provider: &PackId,
        _taker: &LeaseInfo,
        alive: bool,
    ) -> Outcome<Vec<BatchId>> {
        let taken = format!("{host}/{provider} alive {alive}");
        self.world().taken.push(taken);
        Ok(vec![BatchId(4)])
    }

    async fn lease_folder(&self) -> Outcome<Option<LeaseFolder>> {
        never("lease_folder")
    }

    async fn leases(&self) -> Outcome<Vec<LeaseSeen>> {
        Ok(self.world().remembered.leases.clone())
    }

    async fn kept(
        &self,
        _kind: ResultKind,
        _subject: &str,
        _most: usize,
    ) -> Outcome<Vec<KeptResult>> {
        never("kept")
    }

    async fn keep_looks(&self, _pack: &PackId, _looks: &[CheckLook]) -> Outcome<()> {
        never("keep_looks")
    }

    async fn stretches(
        &self,
        _pack: &PackId,
        _check: Option<&str>,
        _since_ms: i64,
    ) -> Outcome<Vec<(String, Stretch)>> {
        never("stretches")
    }

    async fn waivers(&self) -> Outcome<Vec<Waiver>> {
        never("waivers")
    }

    async fn put_waiver(&self, _waiver: &Waiver, _audit: &AuditRow) -> Outcome<()> {
        never("put_waiver")
    }

    async fn clear_waiver(&self, _subject: &WaiverSubject, _audit: &AuditRow) -> Outcome<bool> {
        never("clear_waiver")
    }

    async fn audit(&self, _most: usize) -> Outcome<Vec<AuditRow>> {
        never("audit")
    }

    async fn local_key(&self) -> Outcome<Secret> {
        never("local_key")
    }
}
