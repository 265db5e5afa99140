//! The whole screen in this process, on a lab: keys in, picture out, named conditions waited for.

mod faults;
mod logs;
mod main_job;
mod stage;
