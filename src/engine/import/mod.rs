//! Importing a provider's keys into a host: plan, apply, resume (`product.md` 4).

mod account;
mod apply;
mod caller;
mod canary;
mod carry;
mod execute;
mod frame;
mod judge;
mod park;
mod plan;
mod policy;
mod scene;
mod sweep;
mod writes;

pub use apply::{apply, apply_access, resume};
pub use caller::CallerKey;
pub(crate) use execute::USER_KEY;
pub use plan::{PlannedImport, Wish, plan, plan_access, retry};
pub(crate) use scene::Scene;
pub(crate) use writes::{
    AllowGroup, AssignSubscription, BindKey, CreateKey, CreateUser, ExtendSubscription, Restore,
    RestoreAllowed, RestoreBalance, RestoreKey, RevokeSubscription, SetBalance, SetPassword,
    UnparkAccount, deletion, key_target,
};
