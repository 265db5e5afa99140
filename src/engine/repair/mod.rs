//! Repairing a failed check through the host's API: plan, apply exactly that plan, prove it with
//! the same checks (`product.md` 5). A repair is recorded as a batch without keys, so that a stop in
//! the middle is seen, gone on with and taken back like any other.

mod apply;
mod plan;
mod prove;
mod write;

pub(crate) use apply::resume;
pub use apply::{Repaired, apply};
pub use plan::{PlannedRepair, plan};
pub(crate) use write::{RestoreBinding, RestoreSwitch};
