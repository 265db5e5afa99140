//! Runbooks: one walk along steps that look, ask, do and watch, written down after every step.
//!
//! The runner takes steps from anybody: [`begin`] writes a run down, [`go_on`] takes every step that
//! needs no person, [`say`] takes a person's word: an answer, an approval, the end. Each gives the
//! run as it then stands. What a `do` step would do is a plan of its own, approved by its hash like
//! every write; it is marked as sent, durably, before anything is sent, and settled together with its
//! line of the audit. A step whose end nobody saw is asked about, never repeated by itself.

mod books;
mod deed;
mod look;
mod walk;

pub use books::{Book, BookRow, NewWalk, book, books, start};
pub use walk::{NewRun, Word, back, begin, find, go_on, runs, say};

use crate::context::Job;
use crate::failure::Outcome;
use crate::ports::AuditRow;
use cockpit_domain::runbook::Run;

/// Saves what changed in a run, with a line of the audit where something was done or said.
async fn save(job: &Job, run: &mut Run, audit: Option<AuditRow>) -> Outcome<()> {
    run.settle(job.now_ms());
    job.ports.store.save_run(run, audit.as_ref()).await?;
    run.revision += 1;
    Ok(())
}
