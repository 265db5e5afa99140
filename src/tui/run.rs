//! The loop around a real terminal: keys, the engine, time and signals in; frames out. Draws on
//! change only.

use crate::app::App;
use crate::driver::{Driver, Rest};
use crate::keymap::Keymap;
use crate::msg::Msg;
use crate::setup::Setup;
use crate::terminal::{self, Guard};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::handle::Handle;
use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use std::io::Write;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Between two frames: 30 a second, 4 on slow lines.
const FRAME: Duration = Duration::from_millis(33);
const SLOW_FRAME: Duration = Duration::from_millis(250);

type Screen = Terminal<CrosstermBackend<std::io::Stdout>>;

/// Opens the screen and runs until the person ends it or `stop` is cancelled. The board must have
/// been recalled before: the first frame shows the last known state.
pub async fn run(
    handle: Handle,
    setup: Setup,
    keymap: Keymap,
    stop: CancellationToken,
) -> Outcome<u8> {
    let clock = handle.ports().clock.clone();
    let mut seen = handle.watch();
    let snapshot = seen.borrow_and_update().clone();
    let mut app = App::new(setup, keymap, snapshot, clock.now_ms());
    let guard = Guard::take()?;
    let mut screen =
        Terminal::new(CrosstermBackend::new(terminal::output())).map_err(|error| lost(&error))?;
    let size = screen.size().map_err(|error| lost(&error))?;
    drop(app.update(clock.now_ms(), Msg::Resize(size.width, size.height)));
    draw(&mut screen, &app)?;

    let (sender, mut messages) = mpsc::channel(256);
    let driver = Driver::new(handle, sender);
    let mut events = EventStream::new();
    let frame = if app.is_slow() { SLOW_FRAME } else { FRAME };
    let mut drawn_at = Instant::now();
    let mut dirty = false;
    let mut typed = false;
    let mut stopped = false;
    let mut first = Some(Msg::Tick);
    loop {
        let msg = match first.take() {
            Some(msg) => msg,
            None => {
                let wait = app.next_wake() - clock.now_ms();
                let wake = Duration::from_millis(u64::try_from(wait.max(0)).unwrap_or(0));
                // What a person types is answered at once; everything else waits for its frame.
                let due = if typed {
                    Instant::now()
                } else {
                    drawn_at + frame
                };
                tokio::select! {
                    biased;
                    event = events.next() => match event {
                        Some(Ok(Event::Key(key))) => { typed = true; Msg::Key(key) }
                        Some(Ok(Event::Paste(text))) => { typed = true; Msg::Paste(text) }
                        Some(Ok(Event::Resize(width, height))) => { typed = true; Msg::Resize(width, height) }
                        Some(Ok(_)) => continue,
                        // The terminal is gone.
                        Some(Err(_)) | None => Msg::Close,
                    },
                    Some(msg) = messages.recv() => msg,
                    Ok(()) = seen.changed() => Msg::Snapshot(seen.borrow_and_update().clone()),
                    () = stop.cancelled(), if !stopped => { stopped = true; Msg::Close }
                    () = tokio::time::sleep_until(due), if dirty => {
                        draw(&mut screen, &app)?;
                        (dirty, typed, drawn_at) = (false, false, Instant::now());
                        if app.awaits_drawn() { Msg::Drawn } else { continue }
                    }
                    () = tokio::time::sleep(wake), if !dirty => Msg::Tick,
                }
            }
        };
        dirty |= !matches!(msg, Msg::Drawn);
        let mut todo = vec![msg];
        while let Some(msg) = todo.pop() {
            for effect in app.update(clock.now_ms(), msg) {
                let (next, rest) = driver.perform(effect);
                todo.extend(next);
                match rest {
                    None => {}
                    Some(Rest::Quit) => {
                        drop(guard);
                        return Ok(0);
                    }
                    Some(Rest::Redraw) => screen.clear().map_err(|error| lost(&error))?,
                    Some(Rest::Copy(text)) => {
                        if let Some(sequence) = terminal::clipboard(&text) {
                            let mut out = terminal::output();
                            drop(out.write_all(sequence.as_bytes()));
                            drop(out.flush());
                        }
                    }
                    Some(Rest::Panic) => fail_on_purpose(),
                }
            }
        }
    }
}

/// Shows in the lab that a defect of ours leaves the terminal as it was.
#[expect(clippy::panic, reason = "that is what was asked for")]
fn fail_on_purpose() -> ! {
    panic!("a panic was asked for: the terminal is put back before this is printed")
}

fn draw(screen: &mut Screen, app: &App) -> Outcome<()> {
    screen
        .draw(|frame| app.draw(frame))
        .map(drop)
        .map_err(|error| lost(&error))
}

fn lost(error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        format!("the terminal is gone: {error}"),
    )
    .doing("drawing the screen")
    .hint("`cockpit batch list` shows whether something was left half done")
}
