//! Importing a provider's keys into a host: plan, apply, resume (`product.md` 4).

mod account;
mod apply;
mod execute;
mod judge;
mod park;
mod plan;
mod policy;
mod scene;
mod sweep;
mod writes;

pub(crate) use apply::lease;
pub use apply::{apply, resume};
pub use plan::{PlannedImport, plan};
pub(crate) use scene::Scene;
pub(crate) use writes::{
    AssignSubscription, CreateKey, CreateUser, ExtendSubscription, Restore, RestoreBalance,
    SetBalance, SetPassword, UnparkAccount, deletion,
};
