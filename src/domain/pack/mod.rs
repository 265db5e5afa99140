//! Packs: data that teaches the cockpit a provider or a system. Text in, value or findings out.

mod baseline;
mod check_rules;
mod gate;
mod looks;
mod pace;
mod provider;
mod provider_rules;
mod read;
mod read_baseline;
mod read_provider;
mod read_triage;
mod runbooks;
mod shape;
mod triage;
mod triage_books;

pub use baseline::{BaselinePack, Check, Layer, Level, Place};
pub use gate::{Gate, GateAct, GateStep, StackRules};
pub(crate) use looks::bits;
pub use looks::{
    BindingLook, Bound, CommandLook, CompareLook, ContainersLook, DiskLook, ExpectedLocation,
    ExpectedPort, FieldRule, FileLook, HttpLook, ListeningLook, Look, Manager, Measure,
    MetricsLook, Needs, NginxLook, ProcessLook, ProfileLook, Relation, ServiceLook, SmokeLook,
    SqlLook, StacksLook, StoredLook,
};
pub use pace::{Grace, Lasting, Pace};
pub use provider::{ProviderPack, SubscriptionTemplate, upstream_root};
pub use read::{Pack, read};
pub(crate) use read_baseline::read_one;
pub use runbooks::{RunbookFile, with_runbooks};
pub(crate) use shape::{filled, read_shape};
pub use triage::{NextAct, Rung, Seen, Sort, TriagePack, TriageRule, When};
pub use triage_books::{BookAtHand, books_meant, unknown_books};

#[cfg(test)]
mod tests;
