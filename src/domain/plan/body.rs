//! What every plan says of itself, whichever act it is of, and how long it may be applied.

use super::{Change, Sign, Totals};
use crate::adopt::AdoptPlan;
use crate::gate::GatePlan;
use crate::host::Role;
use crate::ids::{HostId, PackId};
use crate::import::ImportPlan;
use crate::pool::{PrunePlan, RecoverPlan};
use crate::reconcile::ReconcileReport;
use crate::repair::RepairPlan;
use crate::rollback::{RollbackPlan, UndoStep};

/// How long a plan that ages may be applied.
pub(crate) const LIFE_MS: i64 = 15 * 60 * 1000;

/// UTC ms after which a plan made now is refused: on production it ages (`product.md` 11).
pub fn expiry(role: Role, now_ms: i64) -> Option<i64> {
    (role == Role::Production).then_some(now_ms + LIFE_MS)
}

/// A plan, whichever act it is of.
pub trait PlanBody {
    /// The host it is for.
    fn host(&self) -> &HostId;

    /// The pack it is about.
    fn provider(&self) -> &PackId;

    /// What would be done.
    fn changes(&self) -> Vec<Change>;

    /// How many of each sign.
    fn totals(&self) -> Totals;

    /// Why it cannot be carried out; empty when it can. A plan without says row by row what it leaves.
    fn blockers(&self) -> &[String] {
        &[]
    }

    /// Who else writes to the host, and what is given up.
    fn warnings(&self) -> &[String];

    /// UTC ms after which it is refused.
    fn expires_ms(&self) -> Option<i64>;
}

/// A plan that has a field for each, by these paths to its host, its pack and its blockers if any.
macro_rules! plain {
    ($($plan:ty: $($host:ident).+, $($provider:ident).+ $(, $blockers:ident)?;)+) => {$(
        impl PlanBody for $plan {
            fn host(&self) -> &HostId {
                &self.$($host).+
            }

            fn provider(&self) -> &PackId {
                &self.$($provider).+
            }

            fn changes(&self) -> Vec<Change> {
                self.changes.clone()
            }

            fn totals(&self) -> Totals {
                self.totals
            }

            $(fn blockers(&self) -> &[String] {
                &self.$blockers
            })?

            fn warnings(&self) -> &[String] {
                &self.warnings
            }

            fn expires_ms(&self) -> Option<i64> {
                self.expires_ms
            }
        }
    )+};
}

plain! {
    ImportPlan: request.host, request.pack.id, blockers;
    RepairPlan: host, pack, blockers;
    AdoptPlan: host, provider, blockers;
    PrunePlan: host, provider, blockers;
    RecoverPlan: host, provider, blockers;
    ReconcileReport: host, provider;
}

impl PlanBody for RollbackPlan {
    fn host(&self) -> &HostId {
        &self.host
    }

    fn provider(&self) -> &PackId {
        &self.provider
    }

    fn changes(&self) -> Vec<Change> {
        let shown = |step: &UndoStep| {
            let mut change = step.change.clone();
            if let Some(why) = &step.blocked {
                change.sign = Sign::Attention;
                change.reason.clone_from(why);
            }
            change
        };
        self.steps.iter().map(shown).collect()
    }

    fn totals(&self) -> Totals {
        self.totals
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn expires_ms(&self) -> Option<i64> {
        self.expires_ms
    }
}

impl PlanBody for GatePlan {
    fn host(&self) -> &HostId {
        &self.host
    }

    fn provider(&self) -> &PackId {
        &self.pack
    }

    /// It runs commands: no resource of a host changes.
    fn changes(&self) -> Vec<Change> {
        Vec::new()
    }

    fn totals(&self) -> Totals {
        Totals::default()
    }

    fn blockers(&self) -> &[String] {
        &self.blockers
    }

    fn warnings(&self) -> &[String] {
        &[]
    }

    /// Wherever its host stands: a deployment is judged while it is fresh.
    fn expires_ms(&self) -> Option<i64> {
        Some(self.expires_ms)
    }
}
