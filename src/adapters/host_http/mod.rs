//! The host's admin API over HTTP. What stands here: the way there (a tunnel's socket or a direct
//! connection), credentials on the wire, the envelope, paging, and one file an endpoint group.
//! What does not: policy, journalling, and the reading of results.
//!
//! A TLS provider of `rustls` must be installed in the process before the first client is built.

mod account_test;
mod accounts;
mod api;
mod auth;
mod call;
mod channels;
mod client;
mod credential;
mod exchange;
mod gate;
mod groups;
mod hints;
mod identity;
mod judge;
mod keys;
mod offers;
mod over_ssh;
mod paging;
mod registry;
mod session;
mod subscriptions;
pub(crate) mod transport;
mod tunnels;
mod usage;
mod users;
pub(crate) mod way;
mod wire;

#[cfg(test)]
pub(crate) mod tests;

pub use client::{HostHttp, Limits};
pub use credential::{Credential, Credentials};
pub use registry::HostRegistry;
pub use tunnels::{TunnelGuard, Tunnels};
