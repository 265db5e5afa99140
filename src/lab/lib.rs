//! The embedded fleet: what `cockpit --lab` and the tests stand on. Only the far ends are
//! simulated; sockets, SSH and HTTP are real.

mod control;
mod crm;
#[cfg(test)]
mod drills;
mod error;
mod faults;
pub mod fleet;
mod folder;
mod lab;
mod machine;
mod machines;
pub mod net;
mod nginx;
pub mod request_log;
pub mod scripted;
mod serve;
mod ssh;
pub mod sub2api;
mod switch;
pub mod upstream;

pub use error::LabError;
pub use faults::FaultRow;
pub use lab::{Lab, LabOptions};
