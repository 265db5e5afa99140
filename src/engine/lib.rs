//! Orchestration over ports: what can be asked, what happened, what may be seen. Knows no HTTP,
//! no SSH, no SQL and no terminal.

pub mod failure;
pub mod ports;
