//! The embedded fleet: what `cockpit --lab` and the tests stand on. Only the far ends are
//! simulated; sockets, SSH and HTTP are real.

pub mod net;
pub mod request_log;
