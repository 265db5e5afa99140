//! Drills of the lab through real clients: the `ssh` program, UNIX sockets, HTTP.

mod faults;
mod life;
mod pulse;
mod ssh;
mod stacks;
mod tools;
mod traffic;
