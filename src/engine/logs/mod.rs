//! Logs of many sources: each is followed by a task of its own, reconnected when it stopped, and
//! all of them fill one bounded ring. Readers look through views of their own.

mod follow;
mod hub;
mod recent;
mod ring;
#[cfg(test)]
mod tests;
mod view;

pub use hub::{LogHub, SourceState, SourceStatus};
pub(crate) use recent::recent;
pub use ring::RingLimits;
pub use view::{LogCounts, LogView};
