//! The outside world behind the engine's ports: one module a means.

pub mod host_http;
pub mod ssh;
pub mod store;
pub mod system;
pub mod web;
