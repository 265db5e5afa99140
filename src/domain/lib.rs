//! Pure types and rules of the cockpit. No async, no I/O, no clock, no name of any one system.

pub mod ids;
pub mod secret;
pub mod text;
