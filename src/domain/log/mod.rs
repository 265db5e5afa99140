//! Logs: where lines come from, what one line says. Pure: text in, values out.

mod source;

pub use source::{LogPlace, LogSource, SourceId};
