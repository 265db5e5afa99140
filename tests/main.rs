//! Black-box tests: the built program, the lab, real sockets. One binary, so one link.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends by panicking, and says on standard output why it was skipped"
)]

mod access;
mod adopt;
mod armed;
mod bad_input;
mod cockpit_terminal;
mod crash;
mod drift;
mod drill;
mod gate;
mod import_run;
mod live;
mod looks;
mod moved;
mod neighbours;
mod pools;
mod prune;
mod recordings;
mod recover;
mod registry;
mod repair;
mod runbook_guard;
mod runbook_person;
mod runbooks;
mod scenario;
mod screen;
mod secrets;
mod spine;
mod split;
mod stacks;
mod standing;
mod support;
mod terminal;
mod triage;
mod triage_rows;
mod warming;
