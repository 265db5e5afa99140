//! What plans are called: in the store, and by the commands that make and apply them.

use cockpit_domain::ids::PlanId;

/// A kind of plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its word in the store.
    pub(crate) word: &'static str,
    /// The command that makes one.
    pub(super) made_by: &'static str,
    /// The command that applies one.
    applied_by: &'static str,
}

impl Kind {
    const fn of(word: &'static str, made_by: &'static str, applied_by: &'static str) -> Self {
        Self {
            word,
            made_by,
            applied_by,
        }
    }
}

/// An import of keys.
pub(crate) const IMPORT: Kind = Kind::of("import", "import plan", "import apply");
/// What makes access true without any key of a provider.
pub(crate) const ACCESS: Kind = Kind::of("access", "access prepare plan", "access prepare apply");
/// Taking a batch back.
pub(crate) const ROLLBACK: Kind = Kind::of("rollback", "rollback plan BATCH", "rollback apply");
/// The drift of a batch.
pub(crate) const RECONCILE: Kind = Kind::of("reconcile", "reconcile plan", "reconcile apply");
/// One failed check.
pub(crate) const REPAIR: Kind = Kind::of("repair", "repair plan --check ID", "repair apply");
/// Taking over what stands on a host.
pub(crate) const ADOPT: Kind = Kind::of("adopt", "adopt plan", "adopt apply");
/// Deleting what is parked.
pub(crate) const PRUNE: Kind = Kind::of("prune", "prune plan", "prune apply");
/// Asking one account again.
pub(crate) const RECOVER: Kind = Kind::of("recover", "recover plan", "recover apply");
/// What the deploy gate would run.
pub(crate) const GATE: Kind = Kind::of("gate", "deploy gate after", "deploy gate apply");

const ALL: [Kind; 9] = [
    IMPORT, ACCESS, ROLLBACK, RECONCILE, REPAIR, ADOPT, PRUNE, RECOVER, GATE,
];

/// What to do with a plan of this word instead of what was tried.
pub(super) fn use_instead(word: &str, id: PlanId) -> String {
    match ALL.iter().find(|kind| kind.word == word) {
        Some(kind) => format!("use `cockpit {} {}`", kind.applied_by, id.0),
        None => "it is a step of a run: `cockpit runbook runs` lists them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_the_command_that_applies_it() {
        for kind in ALL {
            let told = use_instead(kind.word, PlanId(7));
            assert!(
                told.contains(kind.applied_by) && told.contains(" 7"),
                "{told}"
            );
        }
        assert!(use_instead("runbook", PlanId(7)).contains("runbook runs"));
    }
}
