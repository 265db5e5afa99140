//! Closing access and proving it: an ordinary key gets a completion from one of our accounts.

mod closure;
mod gateway;
mod preview;
mod status;

pub(crate) use closure::{close, managed_session};
pub(crate) use gateway::{GatewayLook, conversations, is_ready, prove, told};
pub use preview::{AccessPreview, preview};
pub(crate) use status::own_accounts;
pub use status::{AccessLook, Precondition, status};
