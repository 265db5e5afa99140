//! Logs: where lines come from, what one line says, which lines are wanted. Pure: text in, values
//! out. Lines come many at a time and are kept that way: nothing is allocated for a single one.

mod batch;
mod filter;
mod gist;
mod level;
mod parse;
#[cfg(test)]
mod samples;
mod source;
mod stamp;

pub use batch::{LineRef, LogBatch, LogLine};
pub use filter::{LineMatcher, LogFilter};
pub use gist::gist;
pub use level::Level;
pub use parse::{Parsed, parse_line};
#[cfg(test)]
pub(crate) use samples::samples;
pub use source::{LogPlace, LogSource, SourceId};
