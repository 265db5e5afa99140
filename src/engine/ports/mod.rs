//! The traits the engine reaches the world through. Adapters implement them; `main` wires them.

mod remote;

pub use remote::{MachineCheck, Remote, RemoteCommand, RunOutput, StreamLine};
