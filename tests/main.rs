//! Black-box tests: the built program, the lab, real sockets. One binary, so one link.

mod bad_input;
mod crash;
mod drift;
mod drill;
mod secrets;
mod spine;
mod support;
