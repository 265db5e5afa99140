//! What a command gives back: lines on two streams, an exit code, and for the commands that
//! follow something, the rest as it happens.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Text for one of the two streams, with its line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) stderr: bool,
    pub(crate) text: String,
}

/// Everything a finished command printed.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) lines: Vec<Line>,
    pub(crate) code: u32,
}

impl Output {
    pub(crate) fn out(text: impl Into<String>) -> Self {
        Self::default().and_out(text)
    }

    /// A failure: text on standard error and a code.
    pub(crate) fn fail(code: u32, text: impl Into<String>) -> Self {
        let mut output = Self::default().and_err(text);
        output.code = code;
        output
    }

    pub(crate) fn code(code: u32) -> Self {
        Self {
            lines: Vec::new(),
            code,
        }
    }

    pub(crate) fn and_out(mut self, text: impl Into<String>) -> Self {
        self.push(false, text.into());
        self
    }

    pub(crate) fn and_err(mut self, text: impl Into<String>) -> Self {
        self.push(true, text.into());
        self
    }

    fn push(&mut self, stderr: bool, text: String) {
        if !text.is_empty() {
            self.lines.push(Line { stderr, text });
        }
    }
}

/// Output, and what follows it.
pub(crate) struct Answer {
    output: Output,
    follow: Option<Follow>,
    /// Ends when the client closes its input.
    pub(crate) kept: bool,
}

impl Answer {
    pub(crate) fn following(output: Output, follow: Follow) -> Self {
        Self {
            output,
            follow: Some(follow),
            kept: false,
        }
    }

    pub(crate) fn into_parts(self) -> (Output, Option<Follow>) {
        (self.output, self.follow)
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            output,
            follow: None,
            kept: false,
        }
    }
}

/// Something with numbered lines that grows: a log file, a journal, a container's streams.
pub(crate) trait Growing: Send + Sync {
    /// Lines from number `from` on, and the number after the last one.
    fn lines_from(&self, from: usize) -> (Vec<Line>, usize);

    /// Told when lines were added; without it the follower looks again now and then.
    fn changes(&self) -> Option<watch::Receiver<usize>>;
}

/// How often a follower looks where nobody tells it.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// A reader at the end of something that grows.
pub(crate) struct Follow {
    source: Arc<dyn Growing>,
    keep: Box<dyn Fn(&Line) -> bool + Send + Sync>,
    at: usize,
}

impl Follow {
    pub(crate) fn new(
        source: Arc<dyn Growing>,
        at: usize,
        keep: impl Fn(&Line) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            source,
            keep: Box::new(keep),
            at,
        }
    }

    /// Waits for the next lines.
    pub(crate) async fn next(&mut self) -> Vec<Line> {
        let mut changes = self.source.changes();
        loop {
            let (lines, next) = self.source.lines_from(self.at);
            self.at = next;
            let lines: Vec<Line> = lines.into_iter().filter(|line| (self.keep)(line)).collect();
            if !lines.is_empty() {
                return lines;
            }
            let told = match &mut changes {
                Some(changes) => changes.changed().await.is_ok(),
                None => false,
            };
            if !told {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

/// How many lines a living log keeps.
const KEPT: usize = 20_000;

struct Kept {
    lines: VecDeque<Line>,
    first: usize,
}

/// A log in memory that its readers can follow.
pub(crate) struct LivingLog {
    kept: Mutex<Kept>,
    end: watch::Sender<usize>,
}

impl LivingLog {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            kept: Mutex::new(Kept {
                lines: VecDeque::new(),
                first: 0,
            }),
            end: watch::Sender::new(0),
        })
    }

    /// Adds one line (without its line end).
    pub(crate) fn add(&self, stderr: bool, text: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.lines.push_back(Line {
            stderr,
            text: format!("{text}\n"),
        });
        if kept.lines.len() > KEPT {
            kept.lines.pop_front();
            kept.first += 1;
        }
        self.end.send_replace(kept.first + kept.lines.len());
    }
}

impl Growing for LivingLog {
    fn lines_from(&self, from: usize) -> (Vec<Line>, usize) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = kept.lines.iter().skip(from.saturating_sub(kept.first));
        (
            lines.cloned().collect(),
            (kept.first + kept.lines.len()).max(from),
        )
    }

    fn changes(&self) -> Option<watch::Receiver<usize>> {
        Some(self.end.subscribe())
    }
}

/// The last `count` of the lines.
pub(crate) fn last(mut lines: Vec<Line>, count: usize) -> Vec<Line> {
    let cut = lines.len().saturating_sub(count);
    lines.drain(..cut);
    lines
}
