//! The command line: grammar in, engine commands out, text or JSON back, an exit code. Talks to
//! the engine only.

mod args;
mod dispatch;
mod drill;
mod exit;
mod failed;
mod input;
mod judging;
mod known;
mod logs;
mod output;
mod packs;
mod parse;
mod reports;
mod runbooks;
mod watching;

pub use args::{Cli, Drill, Lab, Noun, Screen};
pub use dispatch::{Session, run};
pub use exit::refuse;
pub use output::{Spoken, overheard};
pub use parse::{Parsed, parse};
