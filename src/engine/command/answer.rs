//! What comes of a command.

use crate::access::{AccessLook, AccessPreview};
use crate::adopt::{Adopted, PlannedAdopt};
use crate::baseline::{BaselineReport, Drafted, Histories, Waivers};
use crate::batches::BatchDetail;
use crate::board::{LeaseSeen, MachineLook};
use crate::doctor::Diagnosis;
use crate::explain::Explained;
use crate::gate::GateReport;
use crate::import::PlannedImport;
use crate::leases::LeaseTaken;
use crate::pool::{PlannedPrune, PlannedRecover, Pruned, Recovered, Resources};
use crate::probe::{HostProbe, Probe, Split};
use crate::reconcile::{Looked, Mended, Reconciled};
use crate::registry::{HostBlock, HostLines};
use crate::repair::{PlannedRepair, Repaired};
use crate::rollback::{PlannedRollback, RolledBack};
use crate::runbook::{Book, BookRow};
use crate::stacks::{StackLook, StackSeen};
use crate::triage::Triage;
use cockpit_domain::batch::Batch;
use cockpit_domain::pool::{Pairing, Pool};
use cockpit_domain::recorded::Listing;
use cockpit_domain::runbook::Run;
use cockpit_domain::siblings::Comparison;

/// What comes of a command.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Of `baseline run`.
    Baseline(BaselineReport),
    /// Of `baseline history`.
    History(Box<Histories>),
    /// Of `baseline draft`.
    Draft(Box<Drafted>),
    /// Of `baseline diff`.
    Diff(Box<Comparison>),
    /// Of `baseline waive` and `baseline waivers`.
    Waivers(Box<Waivers>),
    /// Of `host probe`.
    Host(HostProbe),
    /// Of `machine check`.
    Machine(MachineLook),
    /// Of `host listing`.
    Listing(Listing),
    /// Of `import plan`.
    Import(Box<PlannedImport>),
    /// Of `import apply` and `batch resume`.
    Batch(Box<Batch>),
    /// Of `batch list`.
    Batches(Vec<Batch>),
    /// Of `batch show`.
    Detail(Box<BatchDetail>),
    /// Of `access preview`.
    Preview(Box<AccessPreview>),
    /// Of `access prepare plan`.
    AccessPlan(Box<PlannedImport>),
    /// Of `lease list`.
    Leases(Vec<LeaseSeen>),
    /// Of `lease take`.
    LeaseTaken(Box<LeaseTaken>),
    /// Of `host add`.
    HostBlock(Box<HostBlock>),
    /// Of `host remove`.
    HostLines(Box<HostLines>),
    /// Of `access status`.
    Access(Box<AccessLook>),
    /// Of `provider status`.
    Pools(Vec<Pool>),
    /// Of `reconcile plan`.
    Reconcile(Box<Reconciled>),
    /// Of a look of `reconcile watch`.
    Looked(Box<Looked>),
    /// Of `reconcile apply`.
    Mended(Box<Mended>),
    /// Of `repair plan`.
    Repair(Box<PlannedRepair>),
    /// Of `repair apply`.
    Repaired(Box<Repaired>),
    /// Of `rollback plan`.
    Rollback(Box<PlannedRollback>),
    /// Of `rollback apply`.
    RolledBack(Box<RolledBack>),
    /// Of `provider resources`.
    Resources(Box<Resources>),
    /// Of `provider list`.
    Matrix(Vec<Pairing>),
    /// Of `adopt plan`.
    Adopt(Box<PlannedAdopt>),
    /// Of `adopt apply`.
    Adopted(Box<Adopted>),
    /// Of `prune plan`.
    Prune(Box<PlannedPrune>),
    /// Of `prune apply`.
    Pruned(Box<Pruned>),
    /// Of `recover plan`.
    Recover(Box<PlannedRecover>),
    /// Of `recover apply`.
    Recovered(Box<Recovered>),
    /// Of `probe run`.
    Probes(Vec<Probe>),
    /// Of `probe split`.
    Split(Box<Split>),
    /// Of `runbook list`.
    Runbooks(Vec<BookRow>),
    /// Of `runbook show`.
    Runbook(Box<Book>),
    /// Of `runbook runs`.
    Runs(Vec<Run>),
    /// Of everything that walks one run.
    Run(Box<Run>),
    /// Of `deploy gate before`, `after`, `show` and `apply`.
    Gate(Box<GateReport>),
    /// Of `stack list`.
    Stacks(Vec<StackSeen>),
    /// Of `stack register`.
    Stack(Box<StackSeen>),
    /// Of `stack show`.
    StackLook(Box<StackLook>),
    /// Of `doctor`.
    Doctor(Vec<Diagnosis>),
    /// Of `explain key`.
    Explained(Box<Explained>),
    /// Of `triage`.
    Triage(Box<Triage>),
}
