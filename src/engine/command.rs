//! What may be asked of the engine. Every face asks by these and by nothing else; what comes of it is
//! an [`Answer`].

mod answer;
mod line;

pub use answer::Answer;

use crate::approval::Approval;
use crate::baseline::{Aside, WaiverWish};
use crate::explain::AskedKey;
use crate::gate::GateWord;
use crate::import::CallerKey;
use crate::probe::SplitKey;
use crate::reconcile::Scope;
use crate::runbook::{NewWalk, Word};
use cockpit_domain::batch::{AccessMode, ImportMode};
use cockpit_domain::ids::{BatchId, HostId, MachineId, PackId, PlanId, RemoteId, RunId};
use cockpit_domain::new_host::NewHost;
use cockpit_domain::secret::Secret;
use cockpit_domain::stack::Stack;
use std::time::Duration;

/// A request.
#[derive(Debug, Clone)]
pub enum Command {
    /// Run a baseline pack, or the one that a host names.
    BaselineRun {
        /// The pack; `None` takes the only one that the config's hosts name.
        pack: Option<PackId>,
        /// Whether rows that need not be looked at yet are taken from the last run.
        due: bool,
    },
    /// What the checks of a baseline came to over time.
    BaselineHistory {
        /// The pack; `None` takes the only one that the config's hosts name.
        pack: Option<PackId>,
        /// One check only.
        check: Option<String>,
        /// How far back; a week when nothing is said.
        since: Option<Duration>,
    },
    /// Draft a baseline pack out of what is seen on a machine or a host.
    BaselineDraft {
        /// The machine or host.
        of: String,
    },
    /// Hold two machines, hosts or packs against each other.
    BaselineDiff {
        /// The one.
        a: String,
        /// The other.
        b: String,
    },
    /// List what is put aside.
    BaselineWaivers,
    /// Put a check, a machine or a host aside until a time.
    BaselineWaive {
        /// The person's word.
        wish: Box<WaiverWish>,
    },
    /// Take that back.
    BaselineClear {
        /// What was put aside.
        aside: Aside,
    },
    /// Look at one host.
    HostProbe {
        /// The host.
        host: HostId,
    },
    /// Look at one machine: does it answer, how far away is it.
    MachineCheck {
        /// The machine.
        machine: MachineId,
    },
    /// List what a host stores, as before-and-after proofs compare it.
    HostListing {
        /// The host.
        host: HostId,
        /// The provider whose managed user is listed too.
        provider: PackId,
    },
    /// Plan an import.
    ImportPlan {
        /// Host.
        host: HostId,
        /// Provider.
        provider: PackId,
        /// The key input as read.
        keys: Secret,
        /// Strict or partial.
        mode: ImportMode,
        /// Access mode.
        access: AccessMode,
        /// The caller's own key, when that is to be proven instead of a managed one.
        user_key: Option<CallerKey>,
    },
    /// Apply an import plan.
    ImportApply {
        /// The plan.
        plan: PlanId,
        /// The person's word.
        approval: Approval,
        /// So many keys go first, end to end; the others wait for a word. 0 is none.
        canary: usize,
    },
    /// List batches.
    BatchList {
        /// Of one host only.
        host: Option<HostId>,
    },
    /// Show one batch.
    BatchShow {
        /// The batch.
        batch: BatchId,
    },
    /// Go on with an interrupted batch.
    BatchResume {
        /// The batch.
        batch: BatchId,
    },
    /// Plan those keys of a batch again that did not pass.
    BatchRetry {
        /// The batch.
        batch: BatchId,
        /// The key input: those of it that failed are taken.
        keys: Secret,
    },
    /// Name everything that access needs, before anything is written.
    AccessPreview {
        /// Host.
        host: HostId,
        /// Provider.
        provider: PackId,
        /// Access mode.
        access: AccessMode,
        /// The caller's own key, when that is to be proven.
        user_key: Option<CallerKey>,
    },
    /// Plan what makes access true, without keys of the provider.
    AccessPlan {
        /// Host.
        host: HostId,
        /// Provider.
        provider: PackId,
        /// Access mode.
        access: AccessMode,
        /// The caller's own key, when access is prepared for it instead of a managed one.
        user_key: Option<CallerKey>,
    },
    /// Apply such a plan.
    AccessApply {
        /// The plan.
        plan: PlanId,
        /// The person's word.
        approval: Approval,
    },
    /// List the writers' places.
    LeaseList,
    /// Take one over from an owner that is gone.
    LeaseTake {
        /// Host.
        host: HostId,
        /// Provider.
        provider: PackId,
        /// Why; kept in the audit.
        reason: String,
        /// Whether to take it from an owner on another machine that looks alive.
        even_if_alive: bool,
    },
    /// Check a host that is to be added, and give the block to write.
    HostAdd {
        /// The host.
        new: Box<NewHost>,
    },
    /// Check that a host can go, and give the lines to take out.
    HostRemove {
        /// The host.
        host: HostId,
    },
    /// Look at a batch's access anew.
    AccessStatus {
        /// The batch.
        batch: BatchId,
    },
    /// Look at the accounts that serve a provider: who is chosen, and why not.
    ProviderStatus {
        /// Host.
        host: HostId,
        /// Provider; `None` looks at every group of the host.
        provider: Option<PackId>,
    },
    /// Compare records with a host.
    ReconcilePlan {
        /// Which records.
        scope: Scope,
    },
    /// Look once for a watch: compare what stands on a host, without a plan of it.
    ReconcileLook {
        /// Host.
        host: HostId,
        /// Of one provider only.
        provider: Option<PackId>,
        /// UTC ms since when the watch is on: a rollback that began later pauses it.
        since_ms: i64,
    },
    /// Put back what a reconcile found changed.
    ReconcileApply {
        /// The plan.
        plan: PlanId,
        /// The person's word.
        approval: Approval,
    },
    /// Plan the repair of a failed check through the host's API.
    RepairPlan {
        /// The baseline pack; `None` takes the only one that the config's hosts name.
        pack: Option<PackId>,
        /// The check.
        check: String,
    },
    /// Apply a repair plan.
    RepairApply {
        /// The plan.
        plan: PlanId,
        /// The person's word.
        approval: Approval,
    },
    /// Plan taking a batch back.
    RollbackPlan {
        /// The batch.
        batch: BatchId,
        /// What it took over is deleted, where else its records are released.
        delete: bool,
    },
    /// Apply a rollback plan.
    RollbackApply {
        /// The plan.
        plan: PlanId,
        /// The person's word.
        approval: Approval,
    },
    /// What standing batches hold on a host.
    ProviderResources {
        /// Host.
        host: HostId,
        /// Of one provider only.
        provider: Option<PackId>,
    },
    /// The last live proof of every pack on every host.
    ProviderList,
    /// Plan taking over what stands on a host.
    AdoptPlan {
        /// Host.
        host: HostId,
        /// Provider.
        provider: PackId,
    },
    /// Apply a plan to take over.
    AdoptApply {
        /// The plan.
        plan: PlanId,
        /// The person's word.
        approval: Approval,
    },
    /// Plan deleting the parked accounts of a provider.
    PrunePlan {
        /// Host.
        host: HostId,
        /// Provider.
        provider: PackId,
    },
    /// Apply such a plan.
    PruneApply {
        /// The plan.
        plan: PlanId,
        /// The person's word.
        approval: Approval,
    },
    /// Plan asking an account again that was put aside.
    RecoverPlan {
        /// Host.
        host: HostId,
        /// The account there.
        account: RemoteId,
        /// Whose it is; `None` finds it by records, name and upstream.
        provider: Option<PackId>,
    },
    /// Apply such a plan.
    RecoverApply {
        /// The plan.
        plan: PlanId,
        /// The person's word.
        approval: Approval,
    },
    /// Probe a host, and a provider on it.
    ProbeRun {
        /// Host.
        host: HostId,
        /// Provider.
        provider: Option<PackId>,
    },
    /// Make the same small calls at the upstream and through the host, and write the pack of them.
    ProbeSplit {
        /// Host.
        host: HostId,
        /// Provider.
        provider: PackId,
        /// The upstream key.
        key: SplitKey,
        /// Whether the upstream is called from here as well.
        here: bool,
    },
    /// List the runbooks of the packs at hand.
    RunbookList,
    /// Show one runbook.
    RunbookShow {
        /// Its name, or `PACK/NAME`.
        book: String,
    },
    /// Begin a run of a runbook and take every step that needs no person.
    RunbookRun {
        /// Of which, and about what.
        walk: NewWalk,
    },
    /// List runs of runbooks, or show one.
    RunbookRuns {
        /// The one.
        run: Option<RunId>,
    },
    /// Go on with a run, with a person's word where it waits for one.
    RunbookResume {
        /// The run.
        run: RunId,
        /// The word.
        word: Word,
    },
    /// Begin the run that takes back what another one did.
    RunbookBack {
        /// The other one.
        run: RunId,
    },
    /// Look before a deployment and record it.
    GateBefore {
        /// The pack; `None` takes the only one that the config's hosts name.
        pack: Option<PackId>,
    },
    /// Look after it, compare, and plan what has to be done.
    GateAfter {
        /// The pack.
        pack: Option<PackId>,
    },
    /// What is recorded of the deploy gate, without a look.
    GateShow {
        /// The pack.
        pack: Option<PackId>,
    },
    /// Say of a step of the gate whose end nobody saw whether it was done.
    GateAnswer {
        /// The pack.
        pack: Option<PackId>,
        /// What is said.
        said: GateWord,
    },
    /// Do what the gate planned, and say whether it is passed.
    GateApply {
        /// The plan.
        plan: PlanId,
        /// The person's word.
        approval: Approval,
    },
    /// List the temporary stacks that stand.
    StackList,
    /// Look at one: what of it is there, and whether anybody is sent to it.
    StackShow {
        /// The stack.
        stack: HostId,
    },
    /// Begin the clean-up of one, or go on with it.
    StackClean {
        /// The stack.
        stack: HostId,
    },
    /// Make one known.
    StackRegister {
        /// The stack.
        new: Box<Stack>,
    },
    /// Look at every hop.
    Doctor,
    /// Say why a key fails, by a look per reason.
    ExplainKey {
        /// The host; `None` takes the one that a baseline judges.
        host: Option<HostId>,
        /// Which key.
        key: AskedKey,
    },
    /// Say where to look first.
    Triage {
        /// The host; `None` takes the one that a baseline judges.
        host: Option<HostId>,
        /// Whether its baseline is run first.
        look: bool,
    },
}

impl Command {
    /// Whether it writes to a host. Such a job finishes its step before the program ends.
    pub fn writes(&self) -> bool {
        matches!(
            self,
            Self::ImportApply { .. }
                | Self::AccessApply { .. }
                | Self::BatchResume { .. }
                | Self::ReconcileApply { .. }
                | Self::RepairApply { .. }
                | Self::RollbackApply { .. }
                | Self::AdoptApply { .. }
                | Self::PruneApply { .. }
                | Self::RecoverApply { .. }
                | Self::RunbookResume {
                    word: Word::Approve(_),
                    ..
                }
                | Self::GateApply { .. }
        )
    }

    /// Its name in events and progress.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BaselineRun { .. } => "baseline run",
            Self::BaselineHistory { .. } => "baseline history",
            Self::BaselineWaivers => "baseline waivers",
            Self::BaselineDraft { .. } => "baseline draft",
            Self::BaselineDiff { .. } => "baseline diff",
            Self::BaselineWaive { .. } | Self::BaselineClear { .. } => "baseline waive",
            Self::HostProbe { .. } => "host probe",
            Self::MachineCheck { .. } => "machine check",
            Self::HostListing { .. } => "host listing",
            Self::ImportPlan { .. } => "import plan",
            Self::ImportApply { .. } => "import apply",
            Self::BatchList { .. } => "batch list",
            Self::BatchShow { .. } => "batch show",
            Self::BatchResume { .. } => "batch resume",
            Self::BatchRetry { .. } => "batch retry",
            Self::AccessPreview { .. } => "access preview",
            Self::AccessPlan { .. } => "access prepare plan",
            Self::AccessApply { .. } => "access prepare apply",
            Self::LeaseList => "lease list",
            Self::LeaseTake { .. } => "lease take",
            Self::HostAdd { .. } => "host add",
            Self::HostRemove { .. } => "host remove",
            Self::AccessStatus { .. } => "access status",
            Self::ProviderStatus { .. } => "provider status",
            Self::ReconcilePlan { .. } => "reconcile plan",
            Self::ReconcileLook { .. } => "reconcile watch",
            Self::ReconcileApply { .. } => "reconcile apply",
            Self::RepairPlan { .. } => "repair plan",
            Self::RepairApply { .. } => "repair apply",
            Self::RollbackPlan { .. } => "rollback plan",
            Self::RollbackApply { .. } => "rollback apply",
            Self::ProviderResources { .. } => "provider resources",
            Self::ProviderList => "provider list",
            Self::AdoptPlan { .. } => "adopt plan",
            Self::AdoptApply { .. } => "adopt apply",
            Self::PrunePlan { .. } => "prune plan",
            Self::PruneApply { .. } => "prune apply",
            Self::RecoverPlan { .. } => "recover plan",
            Self::RecoverApply { .. } => "recover apply",
            Self::ProbeRun { .. } => "probe run",
            Self::ProbeSplit { .. } => "probe split",
            Self::RunbookList => "runbook list",
            Self::RunbookShow { .. } => "runbook show",
            Self::RunbookRun { .. } => "runbook run",
            Self::RunbookRuns { .. } => "runbook runs",
            Self::RunbookResume { .. } => "runbook resume",
            Self::RunbookBack { .. } => "runbook back",
            Self::GateBefore { .. } => "deploy gate before",
            Self::GateAfter { .. } => "deploy gate after",
            Self::GateShow { .. } => "deploy gate show",
            Self::GateAnswer { .. } => "deploy gate answer",
            Self::GateApply { .. } => "deploy gate apply",
            Self::StackList => "stack list",
            Self::StackShow { .. } => "stack show",
            Self::StackClean { .. } => "stack clean",
            Self::StackRegister { .. } => "stack register",
            Self::Doctor => "doctor",
            Self::Triage { .. } => "triage",
            Self::ExplainKey { .. } => "explain key",
        }
    }
}
