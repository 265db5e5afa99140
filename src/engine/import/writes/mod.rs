//! The remote writes of an import and of its rollback, one kind a file: how each is sent, and how
//! an earlier try of it is found again.

mod account;
mod allow;
mod balance;
mod caller;
mod channel;
mod group;
mod key;
mod offer;
mod schedulable;
mod subscription;
mod undo;
mod user;

pub(super) use account::{BindAccount, CreateAccount, TestAccount};
pub(crate) use allow::{AllowGroup, RestoreAllowed};
pub(crate) use balance::{RestoreBalance, SetBalance};
pub(crate) use caller::{BindKey, RestoreKey, target as key_target};
pub(super) use channel::{CorrectChannel, CreateChannel};
pub(super) use group::CreateGroup;
pub(crate) use key::CreateKey;
pub(super) use offer::CreateOffer;
pub(super) use schedulable::ParkAccount;
pub(crate) use schedulable::UnparkAccount;
pub(crate) use subscription::{AssignSubscription, ExtendSubscription, RevokeSubscription};
pub(crate) use undo::{Restore, deletion};
pub(crate) use user::{CreateUser, SetPassword};
