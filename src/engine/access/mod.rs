//! Closing access and proving it: an ordinary key gets a completion from one of our accounts.

mod closure;
mod gateway;
mod login;
mod preview;
mod status;
mod user;

pub(crate) use closure::close;
pub(crate) use gateway::{GatewayLook, conversations, is_ready, prove, told};
pub(crate) use login::log_in_as_managed;
pub use preview::{AccessPreview, preview};
pub(crate) use status::own_accounts;
pub use status::{AccessLook, Precondition, status};
