//! The loop around a real terminal: keys, the engine, time and signals in; frames out. Draws on
//! change only.

use crate::app::App;
use crate::driver::{Driver, Rest};
use crate::keymap::Keymap;
use crate::msg::Msg;
use crate::paint::Paint;
use crate::setup::Setup;
use crate::terminal::{self, Line};
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use cockpit_engine::handle::Handle;
use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use ratatui::Terminal;
use std::future::ready;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Between two frames: 30 a second, 4 on slow lines.
const FRAME: Duration = Duration::from_millis(33);
const SLOW_FRAME: Duration = Duration::from_millis(250);

type Screen = Terminal<Paint>;

/// Opens the screen and runs until the person ends it or `stop` is cancelled. The board must have
/// been recalled before: the first frame shows the last known state. Once that is out the store is
/// followed and looks begin.
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
    let size = crossterm::terminal::size().map_err(|error| lost(&error))?;
    let mut screen = Terminal::new(Paint::new(size)).map_err(|error| lost(&error))?;
    drop(app.update(clock.now_ms(), Msg::Resize(size.0, size.1)));
    let mut gone = terminal::watch()?;
    let (mut line, opening) = Line::take()?;
    screen.backend_mut().add(&opening);
    draw(&mut screen, &mut line, &app)?;

    let (sender, mut messages) = mpsc::channel(256);
    let driver = Driver::new(handle, sender);
    let mut events = EventStream::new();
    let frame = if app.is_slow() { SLOW_FRAME } else { FRAME };
    let mut drawn_at = Instant::now();
    let mut on_its_way = app.unseen();
    let mut dirty = false;
    let mut typed = false;
    let mut stopped = false;
    // The terminal is there.
    let mut there = true;
    // Nothing is begun before the first frame is out.
    let mut begun = false;
    loop {
        let wait = app.next_wake() - clock.now_ms();
        let wake = Duration::from_millis(u64::try_from(wait.max(0)).unwrap_or(0));
        // One frame on its way at a time: on a slow line the next one shows what is so then.
        let draws = dirty && there && !line.is_busy();
        // What a person types is answered at once, and by no timer: those count in milliseconds.
        // Everything else waits for its frame.
        let due = draws && (typed || drawn_at.elapsed() >= frame);
        let msg = tokio::select! {
            biased;
            () = stop.cancelled(), if !stopped => { stopped = true; Msg::Close }
            sent = line.sent(), if line.is_busy() => match sent {
                Ok(()) if !begun => { begun = true; driver.follow_store(); Msg::Tick }
                // A confirmation that was opened later was not in that frame.
                Ok(()) if on_its_way.is_some() && on_its_way == app.unseen() => Msg::Drawn,
                Ok(()) => continue,
                Err(_) => { there = false; driver.hang_up(); Msg::Close }
            },
            _ = &mut gone, if there => { there = false; driver.hang_up(); Msg::Close }
            event = events.next(), if there => match event {
                Some(Ok(Event::Key(key))) => { typed = true; Msg::Key(key) }
                Some(Ok(Event::Paste(text))) => { typed = true; Msg::Paste(text) }
                Some(Ok(Event::Resize(width, height))) => {
                    typed = true;
                    screen.backend_mut().resize((width, height));
                    Msg::Resize(width, height)
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => { there = false; driver.hang_up(); Msg::Close }
            },
            () = ready(()), if due => {
                draw(&mut screen, &mut line, &app)?;
                on_its_way = app.unseen();
                (dirty, typed, drawn_at) = (false, false, Instant::now());
                continue;
            }
            Some(msg) = messages.recv() => msg,
            Ok(()) = seen.changed() => Msg::Snapshot(seen.borrow_and_update().clone()),
            () = tokio::time::sleep_until(drawn_at + frame), if draws => continue,
            () = tokio::time::sleep(wake), if begun && !draws => Msg::Tick,
        };
        dirty |= app.shows(&msg);
        let mut todo = vec![msg];
        while let Some(msg) = todo.pop() {
            for effect in app.update(clock.now_ms(), msg) {
                let (next, rest) = driver.perform(effect);
                todo.extend(next);
                match rest {
                    None => {}
                    Some(Rest::Quit) => return Ok(0),
                    Some(Rest::Redraw) => screen.clear().map_err(|error| lost(&error))?,
                    Some(Rest::Copy(text)) => {
                        if let Some(sequence) = terminal::clipboard(&text) {
                            screen.backend_mut().add(sequence.as_bytes());
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

/// Draws a frame and sends what changed, if anything did.
fn draw(screen: &mut Screen, line: &mut Line, app: &App) -> Outcome<()> {
    screen
        .draw(|frame| app.draw(frame))
        .map_err(|error| lost(&error))?;
    let bytes = screen.backend_mut().take();
    if !bytes.is_empty() {
        line.send(bytes);
    }
    Ok(())
}

fn lost(error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        format!("the terminal is gone: {error}"),
    )
    .doing("drawing the screen")
    .hint("`cockpit batch list` shows whether something was left half done")
}
