//! The whole screen in this process, on a lab: keys in, picture out, named conditions waited for.

mod beside;
mod drift;
mod faults;
mod gate;
mod keys;
mod logs;
mod main_job;
mod mashing;
mod runbooks;
mod siblings;
mod stage;
mod triage;
