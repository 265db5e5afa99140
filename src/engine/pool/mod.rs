//! The accounts behind groups: who is chosen and why not, asking one again, and deleting what was
//! parked once its successors serve (`product.md` 4).

mod matrix;
mod prune;
mod recover;
mod resources;
mod status;
mod writes;

pub use matrix::matrix;
pub(crate) use prune::resume as resume_prune;
pub use prune::{PlannedPrune, Pruned, apply as apply_prune, plan as plan_prune};
pub(crate) use recover::resume as resume_recover;
pub use recover::{PlannedRecover, Recovered, apply as apply_recover, plan as plan_recover};
pub use resources::{Held, Resources, resources};
pub use status::status;
