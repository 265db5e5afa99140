//! A plan as the screen holds it, whichever act it belongs to.

use cockpit_domain::ids::{HostId, PlanId};
use cockpit_domain::plan::{Change, PlanBody, Totals};
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
    /// Its id, its hash, and what it says.
    fn parts(&self) -> (PlanId, &str, &dyn PlanBody) {
        match self {
            Self::Import(of) | Self::Access(of) => (of.id, &of.hash, &of.plan),
            Self::Rollback(of) => (of.id, &of.hash, &of.plan),
            Self::Reconcile(of) => (of.id, &of.hash, &of.report),
            Self::Repair(of) => (of.id, &of.hash, &of.plan),
            Self::Prune(of) => (of.id, &of.hash, &of.plan),
            Self::Adopt(of) => (of.id, &of.hash, &of.plan),
            Self::Recover(of) => (of.id, &of.hash, &of.plan),
            Self::Gate(of) => (of.id, &of.hash, &of.plan),
        }
    }

    /// Its id.
    pub(crate) fn id(&self) -> PlanId {
        self.parts().0
    }

    /// Its hash.
    pub(crate) fn hash(&self) -> &str {
        self.parts().1
    }

    /// The host it is for.
    pub(crate) fn host(&self) -> &HostId {
        self.parts().2.host()
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
        self.parts().2.changes()
    }

    /// How many of each sign.
    pub(crate) fn totals(&self) -> Totals {
        self.parts().2.totals()
    }

    /// Why it cannot be applied as it is.
    pub(crate) fn blockers(&self) -> &[String] {
        self.parts().2.blockers()
    }

    /// Who else writes to the host.
    pub(crate) fn warnings(&self) -> &[String] {
        self.parts().2.warnings()
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
        self.parts().2.expires_ms()
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
