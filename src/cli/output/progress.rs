//! Progress on standard error, only when it is a terminal: one line, overwritten.

use cockpit_engine::supervisor::{JobState, JobView};
use std::io::{IsTerminal, Write};

/// The one progress line.
pub(crate) struct ProgressLine {
    shown: bool,
    on: bool,
}

impl ProgressLine {
    /// A line that shows nothing when standard error is no terminal or JSON was asked for.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            shown: false,
            on: !json && std::io::stderr().is_terminal(),
        }
    }

    /// Whether anybody sees it.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Shows how far a job is.
    pub(crate) fn show(&mut self, job: &JobView, now_ms: i64) {
        let Some(progress) = &job.progress else {
            return;
        };
        let held = if job.state == JobState::Paused {
            "held: "
        } else {
            ""
        };
        let count = if progress.total > 0 {
            format!("{}/{} ", progress.done, progress.total)
        } else {
            String::new()
        };
        let pace = job.pace(now_ms).map_or_else(String::new, |pace| {
            let left = pace.left_ms / 1000 + 1;
            format!("{:.1} steps/s, {left} s left  ", pace.steps_per_second)
        });
        let until = job
            .left_ms(now_ms)
            .map_or_else(String::new, |left| format!("{} s left  ", left / 1000 + 1));
        self.put(&format!("{held}{count}{pace}{until}{}", progress.text));
    }

    /// Says something that stays.
    pub(crate) fn note(&mut self, text: &str) {
        if self.on {
            self.clear();
            drop(writeln!(std::io::stderr().lock(), "{text}"));
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.on && self.shown {
            drop(write!(std::io::stderr().lock(), "\r\x1b[K"));
            self.shown = false;
        }
    }

    fn put(&mut self, text: &str) {
        if self.on {
            let text = cockpit_domain::text::shorten(&cockpit_domain::text::clean_line(text), 78);
            let mut stderr = std::io::stderr().lock();
            drop(write!(stderr, "\r\x1b[K{text}"));
            drop(stderr.flush());
            self.shown = true;
        }
    }
}
