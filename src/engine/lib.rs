//! Orchestration over ports: what can be asked, what happened, what may be seen. Knows no HTTP,
//! no SSH, no SQL and no terminal.

pub mod access;
pub mod adopt;
pub mod approval;
pub mod arming;
pub mod baseline;
pub mod basis;
pub mod batches;
pub mod board;
pub mod command;
pub mod context;
pub mod doctor;
pub mod explain;
pub mod failure;
pub mod gate;
pub mod handle;
pub mod import;
pub mod journal;
mod late;
pub mod leases;
pub mod logs;
pub mod model_calls;
mod neighbours;
pub mod planned;
pub mod pool;
pub mod ports;
pub mod probe;
pub mod reconcile;
pub mod registry;
pub mod repair;
pub mod rollback;
pub mod runbook;
pub mod stacks;
pub mod supervisor;
pub mod triage;
mod view;
