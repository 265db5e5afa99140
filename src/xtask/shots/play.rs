//! Plays a script in a terminal of our own and gives the screen it ends with.

use super::frame::Frame;
use super::lab::{Lab, environment};
use super::table::{Shot, Step};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::error::Error;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a text may take to appear.
const LIMIT: Duration = Duration::from_mins(1);
/// A screen that nothing was written to for so long is one to look at.
const QUIET: Duration = Duration::from_millis(700);
/// One that never rests, such as a log, is taken after this.
const RESTLESS: Duration = Duration::from_secs(6);

/// Starts a lab, does what the shot wants, and takes the screen.
pub(super) fn play(shot: &Shot, program: &Path) -> Result<Frame, Box<dyn Error>> {
    let lab = Lab::start(program)?;
    for fault in shot.faults {
        lab.set_fault(program, fault)?;
    }
    let mut command = CommandBuilder::new(program);
    command.args(["--config", &lab.config]);
    command.env_clear();
    for (name, value) in environment(lab.home.path()) {
        command.env(name, value);
    }
    command.env("TERM", "xterm-256color");
    command.env("LANG", shot.language);
    command.cwd(lab.home.path());
    let mut terminal = Terminal::start(command, shot.size)?;
    for step in shot.script {
        match step {
            Step::See(text) => terminal.see(text)?,
            Step::Keys(keys) => terminal.send(keys)?,
            Step::Paste(text) => terminal.paste(text)?,
            Step::Rest => drop(terminal.settled()?),
        }
    }
    let mut frame = Frame::of(&terminal.settled()?);
    if let Some(folder) = Path::new(&lab.config).parent().and_then(Path::to_str) {
        frame.replace(folder, "~/lab");
    }
    if let Ok(machine) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        // A picture keeps its columns: a short name gets a short one.
        let shown = if machine.trim().len() < 6 {
            "pc"
        } else {
            "laptop"
        };
        frame.replace(machine.trim(), shown);
    }
    Ok(frame)
}

/// A program in its terminal; dropping it ends the program.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    shared: Arc<Shared>,
    // The program would be hung up without it.
    _master: Box<dyn MasterPty + Send>,
}

struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

struct Seen {
    parser: vt100::Parser,
    /// When something was written last.
    last: Instant,
    over: bool,
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
            seen.over = got == 0;
            seen.last = Instant::now();
            seen.parser.process(&bytes[..got]);
            drop(seen);
            self.changed.notify_all();
            if got == 0 {
                return;
            }
        }
    }

    /// Waits for the next change, at most this long.
    fn change<'a>(&self, seen: MutexGuard<'a, Seen>, most: Duration) -> MutexGuard<'a, Seen> {
        let waited = self.changed.wait_timeout(seen, most);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Terminal {
    fn start(command: CommandBuilder, (columns, rows): (u16, u16)) -> Result<Self, Box<dyn Error>> {
        let cells = |count| NonZeroU16::new(count).ok_or("a terminal has cells");
        let parser = vt100::Parser::new(cells(rows)?, cells(columns)?, 0);
        let pair = native_pty_system().openpty(PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        })?;
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let shared = Arc::new(Shared {
            seen: Mutex::new(Seen {
                parser,
                last: Instant::now(),
                over: false,
            }),
            changed: Condvar::new(),
        });
        let reader = pair.master.try_clone_reader()?;
        std::thread::spawn({
            let shared = shared.clone();
            move || shared.read_all(reader)
        });
        Ok(Self {
            child,
            writer: pair.master.take_writer()?,
            shared,
            _master: pair.master,
        })
    }

    fn send(&mut self, keys: &str) -> Result<(), Box<dyn Error>> {
        self.writer.write_all(keys.as_bytes())?;
        Ok(self.writer.flush()?)
    }

    /// In brackets for a program that asked for them.
    fn paste(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        let text = text.replace('\n', "\r");
        if self.shared.lock().parser.screen().bracketed_paste() {
            self.send(&format!("\x1b[200~{text}\x1b[201~"))
        } else {
            self.send(&text)
        }
    }

    /// Waits until a text is on the screen.
    fn see(&self, text: &str) -> Result<(), Box<dyn Error>> {
        let until = Instant::now() + LIMIT;
        let mut seen = self.shared.lock();
        while !seen.parser.screen().contents().contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || seen.over {
                let why = if seen.over {
                    "the program ended"
                } else {
                    "it took too long"
                };
                let screen = seen.parser.screen().contents();
                return Err(format!("no `{text}` on the screen, {why}; it shows\n{screen}").into());
            }
            seen = self.shared.change(seen, left);
        }
        Ok(())
    }

    /// The screen once it rests. What a program leaves behind when it ends is no screen.
    fn settled(&self) -> Result<vt100::Screen, Box<dyn Error>> {
        let began = Instant::now();
        let mut seen = self.shared.lock();
        loop {
            // What was written before the last key was sent is no answer to it.
            let rest = QUIET.saturating_sub(seen.last.max(began).elapsed());
            if seen.over {
                let screen = seen.parser.screen().contents();
                return Err(format!("the program ended; it shows\n{screen}").into());
            }
            if rest.is_zero() || began.elapsed() >= RESTLESS {
                return Ok(seen.parser.screen().clone());
            }
            seen = self.shared.change(seen, rest);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(id) = self.child.process_id() {
            let ended = std::process::Command::new("kill")
                .arg(id.to_string())
                .status();
            drop(ended);
        }
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Terminal {
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", script]);
        Terminal::start(command, (20, 3)).unwrap()
    }

    #[test]
    fn a_script_sees_what_is_written_and_fails_with_the_screen() {
        let mut terminal =
            shell("echo ready; read line; printf '\\033[2J\\033[Hgot %s' $line; cat");
        terminal.see("ready").unwrap();
        terminal.paste("it\n").unwrap();
        terminal.see("got it").unwrap();
        let frame = Frame::of(&terminal.settled().unwrap());
        assert_eq!((frame.columns(), frame.rows.len()), (20, 3));
        let over = shell("echo only this");
        let why = over.see("that").unwrap_err().to_string();
        assert!(why.contains("only this") && why.contains("ended"), "{why}");
        let why = over.settled().unwrap_err().to_string();
        assert!(why.contains("only this") && why.contains("ended"), "{why}");
    }
}
