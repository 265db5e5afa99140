//! The terminal: taken over once, put back on every way out, and never asked anything. A thread of
//! its own writes to it, so that a terminal that takes nothing holds up the picture and nothing else.

use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, queue};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, Write, stdout};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long the last words may take to reach a terminal that is stuck.
const PATIENCE: Duration = Duration::from_millis(500);
/// A frame on its way, one that waits, and the last words.
const PARCELS: usize = 3;

/// Something to be written at once.
struct Parcel {
    bytes: Vec<u8>,
    /// Told when it is written, for the last words.
    told: Option<SyncSender<()>>,
}

/// The way to the terminal. Puts it back when it goes.
pub(crate) struct Line {
    parcels: SyncSender<Parcel>,
    written: mpsc::Receiver<io::Result<()>>,
    taken: Arc<AtomicBool>,
    in_flight: bool,
}

impl Line {
    /// Takes the terminal over. What opens it goes out with the first frame.
    pub(crate) fn take() -> Outcome<(Self, Vec<u8>)> {
        let out = File::from(
            stdout()
                .as_fd()
                .try_clone_to_owned()
                .map_err(|error| failed(&error))?,
        );
        let (parcels, waiting) = sync_channel::<Parcel>(PARCELS);
        let (tell, written) = mpsc::channel(PARCELS);
        let writer = move || {
            let mut out = out;
            for parcel in waiting {
                let done = out.write_all(&parcel.bytes);
                match parcel.told {
                    // Whoever asked may have lost patience.
                    Some(told) => drop(told.try_send(())),
                    None => drop(tell.blocking_send(done)),
                }
            }
        };
        let named = std::thread::Builder::new().name("screen".to_owned());
        drop(named.spawn(writer).map_err(|error| failed(&error))?);
        enable_raw_mode().map_err(|error| failed(&error))?;
        let taken = Arc::new(AtomicBool::new(true));
        let line = Self {
            parcels,
            written,
            taken,
            in_flight: false,
        };
        line.put_back_on_panic();
        let mut opening = Vec::new();
        queue!(
            opening,
            EnterAlternateScreen,
            EnableBracketedPaste,
            cursor::Hide
        )
        .map_err(|error| failed(&error))?;
        Ok((line, opening))
    }

    fn put_back_on_panic(&self) {
        let (parcels, taken) = (self.parcels.clone(), Arc::clone(&self.taken));
        let me = std::thread::current().id();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // A job that panics ends as a failed job; only our own end gives the terminal back.
            if std::thread::current().id() == me {
                put_back(&parcels, &taken);
                before(info);
            } else {
                tracing::error!(panic = %info, "a task panicked");
            }
        }));
    }

    /// Whether the last frame is still on its way.
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight
    }

    /// Sends a frame. There must be none on its way.
    pub(crate) fn send(&mut self, bytes: Vec<u8>) {
        let parcel = Parcel { bytes, told: None };
        // The writer ends with us only.
        self.in_flight = self.parcels.try_send(parcel).is_ok();
    }

    /// Waits until the frame on its way was taken by the terminal. An error means that the terminal
    /// is gone.
    pub(crate) async fn sent(&mut self) -> io::Result<()> {
        let done = self.written.recv().await;
        self.in_flight = false;
        done.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        put_back(&self.parcels, &self.taken);
    }
}

/// Tells when the terminal is gone. SIGHUP does not reach everybody, and who waits for keys finds no
/// end in what a lost terminal gives.
pub(crate) fn watch() -> Outcome<oneshot::Receiver<()>> {
    let tty = stdout()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| failed(&error))?;
    let (tell, gone) = oneshot::channel();
    let watcher = move || {
        let mut there = [PollFd::new(tty.as_fd(), PollFlags::empty())];
        while poll(&mut there, PollTimeout::NONE) == Err(Errno::EINTR) {}
        // The screen may have ended first.
        let _ = tell.send(());
    };
    let named = std::thread::Builder::new().name("hangup".to_owned());
    drop(named.spawn(watcher).map_err(|error| failed(&error))?);
    Ok(gone)
}

/// Once; behind the frame that is on its way. A terminal that is gone or stuck cannot be put back,
/// but its line settings can.
fn put_back(parcels: &SyncSender<Parcel>, taken: &AtomicBool) {
    if !taken.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut bytes = Vec::new();
    let queued = queue!(
        bytes,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    drop(queued);
    let (told, heard) = sync_channel(1);
    let told = Some(told);
    if parcels.try_send(Parcel { bytes, told }).is_ok() {
        // No longer than that: a terminal that is stuck is left as it is.
        let _ = heard.recv_timeout(PATIENCE);
    }
    drop(disable_raw_mode());
}

fn failed(error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::Usage,
        format!("the terminal cannot be used: {error}"),
    )
    .doing("opening the screen")
    .hint("run it on a terminal, or use the commands: `cockpit --help`")
}

/// The sequence that puts text into the terminal's clipboard (OSC 52), if it is not too long for
/// terminals to take.
pub(crate) fn clipboard(text: &str) -> Option<String> {
    use base64::Engine as _;
    const MOST: usize = 74_994;
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    (encoded.len() <= MOST).then(|| format!("\u{1b}]52;c;{encoded}\u{7}"))
}
