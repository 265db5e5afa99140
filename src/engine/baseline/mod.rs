//! Runs a baseline pack: every check looks at the same time, each within its own limit, and what
//! they come to is judged by `cockpit_domain::baseline`.

mod command;
mod facts;
mod grace;
mod history;
mod hosts;
mod machines;
mod memory;
mod own;
mod processes;
mod run;
mod siblings;
mod smoke;
mod sql;
mod tools;
mod trouble;
mod waive;
mod web;

pub use cockpit_domain::baseline::BaselineReport;
pub use command::command;
pub(crate) use command::{
    is_trusted, keep_report, meant, meant_for, only_pack, run_as, run_for, run_own,
};
pub use history::{Histories, history};
pub use run::{BaselineContext, run};
pub use siblings::{Drafted, diff, draft_of};
pub use waive::{Aside, WaiverWish, Waivers, clear, waive, waivers};

#[cfg(test)]
mod due_tests;
#[cfg(test)]
mod fakes;
#[cfg(test)]
mod many_tests;
#[cfg(test)]
mod smoke_tests;
#[cfg(test)]
mod tests;
