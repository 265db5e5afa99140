//! Against a real OpenSSH server, started on loopback by each test that needs one.

mod clean;
mod commands;
mod follows;
mod forwards;
mod lab;
mod server;
mod trouble;
