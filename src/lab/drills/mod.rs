//! Drills of the lab through real clients: the `ssh` program, UNIX sockets, HTTP.

mod ssh;
mod tools;
