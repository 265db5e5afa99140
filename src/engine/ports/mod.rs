//! The traits the engine reaches the world through. Adapters implement them; `main` wires them.

mod faults;
mod host_api;
mod packs;
mod registrar;
mod remote;
mod secrets;
mod store;
mod web;

pub use faults::{FaultBoard, FaultState, SeenRequest};
pub use host_api::{AccountTest, HostApi, Hosts, NewKey, Session, TrialCredential, UsageQuery};
pub use packs::{PackEntry, Packs};
pub use registrar::{CheckedBlock, Registrar, Section};
pub use remote::{MachineCheck, Remote, RemoteCommand, RunOutput, StreamText};
pub use secrets::SecretRefs;
pub use store::{
    AuditRow, CheckLook, Clock, FolderEntry, KeptResult, KeyUse, Lease, LeaseFolder, LeaseInfo,
    NewPlan, Remembered, ResultKind, SavedPlan, Store,
};
pub use web::{Vantage, Web, WebAnswer, WebRequest};
