//! Pure types and rules of the cockpit. No async, no I/O, no clock, no name of any one system.

pub mod batch;
pub mod canonical;
pub mod finding;
pub mod host;
pub mod ids;
pub mod import;
pub mod inventory;
pub mod journal;
pub mod pack;
pub mod plan;
pub mod resource;
pub mod secret;
pub mod text;
