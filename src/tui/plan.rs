//! A plan as the screen holds it, whichever act it belongs to.

use cockpit_domain::ids::{HostId, PlanId};
use cockpit_domain::plan::{Change, Totals};
use cockpit_engine::adopt::PlannedAdopt;
use cockpit_engine::approval::{Approval, Risk};
use cockpit_engine::command::Command;
use cockpit_engine::gate::PlannedGate;
use cockpit_engine::import::PlannedImport;
use cockpit_engine::pool::{PlannedPrune, PlannedRecover};
use cockpit_engine::reconcile::PlannedReconcile;
use cockpit_engine::repair::PlannedRepair;
use cockpit_engine::rollback::PlannedRollback;

/// A plan that was read.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    /// Of an import.
    Import(Box<PlannedImport>),
    /// Of preparing access.
    Access(Box<PlannedImport>),
    /// Of taking a batch back.
    Rollback(Box<PlannedRollback>),
    /// What reconcile found, and what of it can be put back.
    Reconcile(Box<PlannedReconcile>),
    /// Of mending what a check found.
    Repair(Box<PlannedRepair>),
    /// Of deleting what is parked.
    Prune(Box<PlannedPrune>),
    /// Of taking over what stands on a host.
    Adopt(Box<PlannedAdopt>),
    /// Of asking an account again.
    Recover(Box<PlannedRecover>),
    /// What the deploy gate would do.
    Gate(Box<PlannedGate>),
}

impl Plan {
    /// Its id.
    pub(crate) fn id(&self) -> PlanId {
        match self {
            Self::Import(plan) | Self::Access(plan) => plan.id,
            Self::Rollback(plan) => plan.id,
            Self::Reconcile(plan) => plan.id,
            Self::Repair(plan) => plan.id,
            Self::Prune(plan) => plan.id,
            Self::Adopt(plan) => plan.id,
            Self::Recover(plan) => plan.id,
            Self::Gate(plan) => plan.id,
        }
    }

    /// Its hash.
    pub(crate) fn hash(&self) -> &str {
        match self {
            Self::Import(plan) | Self::Access(plan) => &plan.hash,
            Self::Rollback(plan) => &plan.hash,
            Self::Reconcile(plan) => &plan.hash,
            Self::Repair(plan) => &plan.hash,
            Self::Prune(plan) => &plan.hash,
            Self::Adopt(plan) => &plan.hash,
            Self::Recover(plan) => &plan.hash,
            Self::Gate(plan) => &plan.hash,
        }
    }

    /// The host it is for.
    pub(crate) fn host(&self) -> &HostId {
        match self {
            Self::Import(plan) | Self::Access(plan) => &plan.plan.request.host,
            Self::Rollback(plan) => &plan.plan.host,
            Self::Reconcile(plan) => &plan.report.host,
            Self::Repair(plan) => &plan.plan.host,
            Self::Prune(plan) => &plan.plan.host,
            Self::Adopt(plan) => &plan.plan.host,
            Self::Recover(plan) => &plan.plan.host,
            Self::Gate(plan) => &plan.plan.host,
        }
    }

    /// Word of its kind in the catalogues and on the command line.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Import(_) => "import",
            Self::Access(_) => "access",
            Self::Rollback(_) => "rollback",
            Self::Reconcile(_) => "reconcile",
            Self::Repair(_) => "repair",
            Self::Prune(_) => "prune",
            Self::Adopt(_) => "adopt",
            Self::Recover(_) => "recover",
            Self::Gate(_) => "gate",
        }
    }

    /// Whether its confirmation wants the host's name and a reason.
    pub(crate) fn wants_name(&self, production: bool) -> bool {
        let risk = match self {
            Self::Rollback(plan) if plan.plan.delete => Risk::Final,
            _ => Risk::of(self.kind()),
        };
        risk.wants_name(production)
    }

    /// What would be done.
    pub(crate) fn changes(&self) -> Vec<Change> {
        match self {
            Self::Import(plan) | Self::Access(plan) => plan.plan.changes.clone(),
            Self::Rollback(plan) => plan
                .plan
                .steps
                .iter()
                .map(|step| {
                    let mut change = step.change.clone();
                    if let Some(why) = &step.blocked {
                        change.sign = cockpit_domain::plan::Sign::Attention;
                        change.reason.clone_from(why);
                    }
                    change
                })
                .collect(),
            Self::Reconcile(plan) => plan.report.changes.clone(),
            Self::Repair(plan) => plan.plan.changes.clone(),
            Self::Prune(plan) => plan.plan.changes.clone(),
            Self::Adopt(plan) => plan.plan.changes.clone(),
            Self::Recover(plan) => plan.plan.changes.clone(),
            // Its page says what it runs: no resource of a host changes.
            Self::Gate(_) => Vec::new(),
        }
    }

    /// How many of each sign.
    pub(crate) fn totals(&self) -> Totals {
        match self {
            Self::Import(plan) | Self::Access(plan) => plan.plan.totals,
            Self::Rollback(plan) => plan.plan.totals,
            Self::Reconcile(plan) => plan.report.totals,
            Self::Repair(plan) => plan.plan.totals,
            Self::Prune(plan) => plan.plan.totals,
            Self::Adopt(plan) => plan.plan.totals,
            Self::Recover(plan) => plan.plan.totals,
            Self::Gate(_) => Totals::default(),
        }
    }

    /// Why it cannot be applied as it is.
    pub(crate) fn blockers(&self) -> &[String] {
        match self {
            Self::Import(plan) | Self::Access(plan) => &plan.plan.blockers,
            Self::Repair(plan) => &plan.plan.blockers,
            Self::Prune(plan) => &plan.plan.blockers,
            Self::Adopt(plan) => &plan.plan.blockers,
            Self::Recover(plan) => &plan.plan.blockers,
            Self::Gate(plan) => &plan.plan.blockers,
            Self::Rollback(_) | Self::Reconcile(_) => &[],
        }
    }

    /// Who else writes to the host.
    pub(crate) fn warnings(&self) -> &[String] {
        match self {
            Self::Import(plan) | Self::Access(plan) => &plan.plan.warnings,
            Self::Rollback(plan) => &plan.plan.warnings,
            Self::Repair(plan) => &plan.plan.warnings,
            Self::Reconcile(plan) => &plan.report.warnings,
            Self::Prune(plan) => &plan.plan.warnings,
            Self::Adopt(plan) => &plan.plan.warnings,
            Self::Recover(plan) => &plan.plan.warnings,
            Self::Gate(_) => &[],
        }
    }

    /// What it leaves as it is, and says so.
    pub(crate) fn will_not_undo(&self) -> &[String] {
        match self {
            Self::Rollback(plan) => &plan.plan.will_not_undo,
            _ => &[],
        }
    }

    /// UTC ms after which it is refused.
    pub(crate) fn expires_ms(&self) -> Option<i64> {
        match self {
            Self::Import(plan) | Self::Access(plan) => plan.plan.expires_ms,
            Self::Rollback(plan) => plan.plan.expires_ms,
            Self::Repair(plan) => plan.plan.expires_ms,
            Self::Reconcile(plan) => plan.report.expires_ms,
            Self::Prune(plan) => plan.plan.expires_ms,
            Self::Adopt(plan) => plan.plan.expires_ms,
            Self::Recover(plan) => plan.plan.expires_ms,
            Self::Gate(plan) => Some(plan.plan.expires_ms),
        }
    }

    /// The command that applies it; `None` for one that is only read.
    pub(crate) fn apply(&self, approval: Approval, canary: usize) -> Option<Command> {
        let plan = self.id();
        match self {
            Self::Import(_) => Some(Command::ImportApply {
                plan,
                approval,
                canary,
            }),
            Self::Access(_) => Some(Command::AccessApply { plan, approval }),
            Self::Rollback(_) => Some(Command::RollbackApply { plan, approval }),
            Self::Repair(_) => Some(Command::RepairApply { plan, approval }),
            Self::Reconcile(planned) => (!planned.report.mends.is_empty())
                .then_some(Command::ReconcileApply { plan, approval }),
            Self::Prune(_) => Some(Command::PruneApply { plan, approval }),
            Self::Adopt(_) => Some(Command::AdoptApply { plan, approval }),
            Self::Recover(_) => Some(Command::RecoverApply { plan, approval }),
            Self::Gate(_) => Some(Command::GateApply { plan, approval }),
        }
    }
}
