//! A terminal of the tests' own: a program runs in a PTY, what it writes is drawn by a terminal
//! emulator, and a test waits for named conditions of the screen. Nothing here answers what a
//! program may ask of its terminal; whether it asked is told by `escapes.rs`.

use super::escapes::Traffic;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a condition of the screen may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Opening a terminal must not make it ours; the value on Linux.
const O_NOCTTY: i32 = 0o400;
/// Writing must not wait; the value on Linux.
const O_NONBLOCK: i32 = 0o4000;

/// Bytes that a terminal sends for keys.
pub(crate) mod key {
    pub(crate) const ENTER: &str = "\r";
    pub(crate) const ESC: &str = "\x1b";
    pub(crate) const CTRL_C: &str = "\x03";
}

/// What to start, and in what kind of terminal.
pub(crate) struct Launch {
    command: CommandBuilder,
    columns: u16,
    rows: u16,
    limit: Duration,
}

impl Launch {
    /// A program with words, at 80x24, with little more than a path in its environment.
    pub(crate) fn of(program: &str, words: &[&str]) -> Self {
        let mut command = CommandBuilder::new(program);
        command.args(words);
        command.env_clear();
        for kept in ["PATH", "HOME", "USER", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        // A panic is to be read on the screen, not scrolled away.
        command.env("RUST_BACKTRACE", "0");
        // Left out, it would be the home of whoever runs the tests.
        command.cwd(std::env::current_dir().expect("a folder"));
        Self {
            command,
            columns: 80,
            rows: 24,
            limit: LIMIT,
        }
    }

    /// Columns and rows of the terminal.
    pub(crate) fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    /// One more variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// How long any condition may take.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts it.
    pub(crate) fn start(self) -> Pty {
        let pair = native_pty_system()
            .openpty(pty_size(self.columns, self.rows))
            .expect("a PTY");
        let found = pair.master.get_termios().expect("its settings");
        let child = pair.slave.spawn_command(self.command).expect("it starts");
        drop(pair.slave);
        let shared = Arc::new(Shared {
            seen: Mutex::new(Seen {
                parser: vt100::Parser::new(cells(self.rows), cells(self.columns), 0),
                raw: Vec::new(),
                silent: false,
                unplugged: false,
                held: false,
                ended: None,
            }),
            changed: Condvar::new(),
        });
        let reader = pair.master.try_clone_reader().expect("a reader");
        let pty = Pty {
            id: child.process_id().expect("an id"),
            writer: Some(pair.master.take_writer().expect("a writer")),
            tty: pair.master.tty_name().expect("a name"),
            shown: Box::new(move |master| master.get_termios() == Some(found.clone())),
            master: Some(pair.master),
            reader: Some(std::thread::spawn({
                let shared = shared.clone();
                move || shared.read_all(reader)
            })),
            shared: shared.clone(),
            limit: self.limit,
        };
        // Waiting has no deadline of its own, so somebody else waits.
        std::thread::spawn(move || shared.reap(child));
        pty
    }
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a code of its own.
    Code(u32),
    /// By a signal, as the system calls it.
    Signal(String),
}

/// A program in its terminal. Dropping it kills the program.
pub(crate) struct Pty {
    id: u32,
    tty: PathBuf,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    reader: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    /// Whether the line settings are those from before the start.
    shown: Box<dyn Fn(&dyn MasterPty) -> bool>,
    limit: Duration,
}

struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
    /// Nobody has the terminal open any more: everything that was written is here.
    silent: bool,
    /// The terminal is being taken away; what comes now is not read.
    unplugged: bool,
    /// The line is stuck: what comes is not read until it is let go.
    held: bool,
    ended: Option<Ended>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_all(&self, mut from: Box<dyn Read + Send>) {
        let mut bytes = [0; 8192];
        loop {
            let got = from.read(&mut bytes).unwrap_or(0);
            let mut seen = self.lock();
            if got == 0 || seen.unplugged {
                seen.silent = true;
                self.changed.notify_all();
                return;
            }
            seen.raw.extend_from_slice(&bytes[..got]);
            seen.parser.process(&bytes[..got]);
            self.changed.notify_all();
            while seen.held && seen.ended.is_none() && !seen.unplugged {
                seen = self
                    .changed
                    .wait(seen)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn reap(&self, mut child: Box<dyn Child + Send + Sync>) {
        let status = child.wait().expect("it is our child");
        let ended = match status.signal() {
            Some(signal) => Ended::Signal(signal.to_owned()),
            None => Ended::Code(status.exit_code()),
        };
        self.lock().ended = Some(ended);
        self.changed.notify_all();
    }
}

impl Pty {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Sends keys as they come from a keyboard.
    pub(crate) fn send(&mut self, keys: &str) {
        let writer = self.writer.as_mut().expect("a terminal that is there");
        writer.write_all(keys.as_bytes()).expect("keys are taken");
        writer.flush().expect("keys are taken");
    }

    /// Pastes as a terminal does: in brackets for a program that asked for them, else as keys.
    pub(crate) fn paste(&mut self, text: &str) {
        let typed = text.replace('\n', "\r");
        if self.screen().bracketed_paste() {
            self.send(&format!("\x1b[200~{typed}\x1b[201~"));
        } else {
            self.send(&typed);
        }
    }

    /// Makes the terminal another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        // The picture first: what the program draws next is for the new size.
        let mut seen = self.shared.lock();
        seen.parser.set_size(cells(rows), cells(columns));
        let master = self.master.as_ref().expect("a terminal that is there");
        master
            .resize(pty_size(columns, rows))
            .expect("it is resized");
    }

    /// Reads nothing more, as a line that is stuck does: what the program writes piles up in the
    /// terminal until it takes no more.
    pub(crate) fn hold(&self) {
        self.shared.lock().held = true;
    }

    /// Reads again.
    pub(crate) fn let_go(&self) {
        self.shared.lock().held = false;
        self.shared.changed.notify_all();
    }

    /// The screen as it is now.
    pub(crate) fn screen(&self) -> vt100::Screen {
        self.shared.lock().parser.screen().clone()
    }

    fn second_handle(&self, flags: i32) -> File {
        let mut open = OpenOptions::new();
        let open = open.read(true).write(true).custom_flags(O_NOCTTY | flags);
        open.open(&self.tty).expect("the terminal opens")
    }

    /// Writes on the screen behind the program's back, as a message of the system does.
    pub(crate) fn scribble(&self, text: &str) {
        let mut tty = self.second_handle(0);
        tty.write_all(text.as_bytes()).expect("it is written");
    }

    /// Whether a program that writes now has to wait.
    pub(crate) fn is_stuck(&self) -> bool {
        // A byte that a terminal ignores.
        let tried = self.second_handle(O_NONBLOCK).write(b"\0");
        tried.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Waits for a stretch of time in which nothing is written.
    #[track_caller]
    pub(crate) fn wait_for_silence(&self, stretch: Duration) {
        let mut heard = (0, Instant::now());
        let mut longest = Duration::ZERO;
        let until = Instant::now() + self.limit;
        let mut seen = self.shared.lock();
        while longest < stretch {
            let now = Instant::now();
            if seen.raw.len() != heard.0 {
                heard = (seen.raw.len(), now);
            }
            longest = longest.max(now - heard.1);
            if now >= until {
                let said = String::from_utf8_lossy(&seen.raw[seen.raw.len().saturating_sub(400)..]);
                let said = said.into_owned();
                drop(seen);
                panic!("never silent for {stretch:?}, at most for {longest:?}; it said {said:?}");
            }
            let waited = self
                .shared
                .changed
                .wait_timeout(seen, stretch.saturating_sub(longest));
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Everything that was written so far.
    pub(crate) fn raw(&self) -> Vec<u8> {
        self.shared.lock().raw.clone()
    }

    /// Waits for a condition of the screen and gives the screen that met it.
    #[track_caller]
    pub(crate) fn wait_until(
        &self,
        what: &str,
        mut holds: impl FnMut(&vt100::Screen) -> bool,
    ) -> vt100::Screen {
        self.wait(what, |seen| {
            let screen = seen.parser.screen();
            holds(screen).then(|| screen.clone())
        })
    }

    /// Waits until a text stands on the screen.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> vt100::Screen {
        self.wait_until(&format!("`{text}` on the screen"), |screen| {
            screen.contents().contains(text)
        })
    }

    /// Waits for the end of the program and of all that it wrote.
    #[track_caller]
    pub(crate) fn ended(&self) -> Ended {
        self.wait(
            "the program has ended and nobody holds its terminal",
            |seen| seen.ended.clone().filter(|_| seen.silent),
        )
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, mut look: impl FnMut(&Seen) -> Option<T>) -> T {
        let until = Instant::now() + self.limit;
        let mut seen = self.shared.lock();
        loop {
            if let Some(found) = look(&seen) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let (limit, ended) = (self.limit, seen.ended.clone());
                let picture = framed(seen.parser.screen());
                // A panic with the lock held would hang whoever reads the screen while unwinding.
                drop(seen);
                panic!("waited {limit:?} for: {what}\nended: {ended:?}\n{picture}");
            }
            let waited = self.shared.changed.wait_timeout(seen, left);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sends a signal, named as `kill` names it.
    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill")
            .args([format!("-{name}"), self.id.to_string()])
            .status();
        assert!(told.expect("kill runs").success(), "SIG{name} was not sent");
    }

    /// Takes the terminal away, as a lost connection does. No key is pressed on the way.
    pub(crate) fn hang_up(&mut self) {
        self.shared.lock().unplugged = true;
        self.shared.changed.notify_all();
        let mut tty = self.second_handle(0);
        // The writer says good-bye with a newline and the end-of-file key, if there is such a key.
        let stdin = Stdio::from(tty.try_clone().expect("a second handle"));
        let unset = Command::new("stty")
            .args(["eof", "undef"])
            .stdin(stdin)
            .status();
        assert!(unset.expect("stty runs").success(), "no end-of-file key");
        // A byte wakes the reader, which sees that it is to stop and closes its handle.
        tty.write_all(b" ").expect("the reader is woken");
        self.reader
            .take()
            .expect("the terminal was there")
            .join()
            .expect("the reader stops");
        drop(self.writer.take());
        drop(self.master.take());
    }

    /// What the program did not put back; empty when the terminal is as it was found.
    pub(crate) fn not_put_back(&self) -> Vec<String> {
        let mut left = Traffic::of(&self.raw()).left_on;
        let screen = self.screen();
        if screen.alternate_screen() {
            left.push("the alternate screen".to_owned());
        }
        if screen.hide_cursor() {
            left.push("a hidden cursor".to_owned());
        }
        let master = self.master.as_deref().expect("a terminal that is there");
        if !(self.shown)(master) {
            left.push("line settings, such as raw mode".to_owned());
        }
        left
    }

    /// What the program asked of its terminal and had to wait for.
    pub(crate) fn asked(&self) -> Vec<String> {
        Traffic::of(&self.raw()).queries
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if self.shared.lock().ended.is_none() {
            let id = self.id.to_string();
            // It may have ended in this moment.
            drop(Command::new("kill").args(["-KILL", &id]).status());
        }
    }
}

/// A screen with a frame round it, for messages.
pub(crate) fn framed(screen: &vt100::Screen) -> String {
    let columns = screen.size().1.get();
    let edge = format!("+{}+\n", "-".repeat(usize::from(columns)));
    let rows = screen.rows(0, columns).map(|row| format!("|{row}\n"));
    format!("{edge}{}{edge}", rows.collect::<String>())
}

/// Rows of a screen that hold a text.
pub(crate) fn rows_with(screen: &vt100::Screen, text: &str) -> Vec<String> {
    let rows = screen.rows(0, screen.size().1.get());
    rows.filter(|row| row.contains(text)).collect()
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has cells")
}

fn pty_size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}
