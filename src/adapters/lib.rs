//! The outside world behind the engine's ports: one module a means.

pub mod config;
pub mod host_http;
pub mod lab_control;
pub mod packs;
pub mod secrets;
pub mod ssh;
pub mod store;
pub mod system;
pub mod web;
