//! The terminal: taken over once, put back on every way out, and never asked anything.

use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use std::io::{Stdout, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is ours: the panic hook and the guard both put it back, once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Puts the terminal back when it goes.
pub(crate) struct Guard;

impl Guard {
    /// Takes the terminal over.
    pub(crate) fn take() -> Outcome<Self> {
        enable_raw_mode().map_err(|error| failed(&error))?;
        TAKEN.store(true, Ordering::SeqCst);
        let guard = Self;
        let me = std::thread::current().id();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // A job that panics ends as a failed job; only our own end gives the terminal back.
            if std::thread::current().id() == me {
                put_back();
                before(info);
            } else {
                tracing::error!(panic = %info, "a task panicked");
            }
        }));
        execute!(
            stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            cursor::Hide
        )
        .map_err(|error| failed(&error))?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        put_back();
    }
}

fn put_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone cannot be put back, and need not be.
        drop(execute!(
            stdout(),
            DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show
        ));
        drop(disable_raw_mode());
    }
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Usage,
        format!("the terminal cannot be used: {error}"),
    )
    .doing("opening the screen")
    .hint("run it on a terminal, or use the commands: `cockpit --help`")
}

/// What frames are written to.
pub(crate) fn output() -> Stdout {
    stdout()
}

/// The sequence that puts text into the terminal's clipboard (OSC 52), if it is not too long for
/// terminals to take.
pub(crate) fn clipboard(text: &str) -> Option<String> {
    use base64::Engine as _;
    const MOST: usize = 74_994;
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    (encoded.len() <= MOST).then(|| format!("\u{1b}]52;c;{encoded}\u{7}"))
}
