//! Runbooks: what a person is led through when something is wrong. A runbook is a list of steps
//! (`look`, `ask`, `do`, `watch`); a run is one walk along it, written down after every step, so that
//! it can be gone on with by another process. The steps may come from a pack's Markdown or from us.

mod book;
mod markdown;
mod named;
mod raw;
mod read;
mod reader;
mod run;
mod step;
mod translate;
mod values;

pub use book::Runbook;
pub use read::{read_check, read_runbook};
pub use run::{Mark, Origin, PlannedDeed, Run, RunState, RunStep, Seen, tail};
pub use step::{
    Act, Answer, AskStep, Deed, DoStep, LookAt, LookStep, Step, StepWords, WatchStep, When,
};
pub use translate::{TRANSLATION, with_translation};
pub use values::{fill, fill_known, is_value, placeholders, take_value};

#[cfg(test)]
mod tests;
