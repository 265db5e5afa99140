//! Packs: data that teaches the cockpit a provider or a system. Text in, value or findings out.

mod provider;

pub use provider::{ProviderPack, SubscriptionTemplate};
